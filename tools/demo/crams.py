"""The genome file of the demonstration: made once, kept, and checked with samtools.

The file is a synthetic person over the real GRCh37 chromosome 20. It is cached by size and seed in
the folder of the reference, so that the second demonstration starts at once. samtools never asks
the network for a reference: REF_PATH points nowhere.
"""

import hashlib
import os
import pathlib
import re
import subprocess

PREPARE_REFERENCE = (pathlib.Path(__file__).resolve().parent.parent
                     / "make-cram" / "prepare-reference.sh")
SEED = 1
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class InputError(Exception):
    """The file cannot be made or read; the text says why and what to do."""


def parse_size(text):
    match = re.fullmatch(r"([0-9]+)([KMGT]?)", text)
    if not match:
        raise InputError(f"--size '{text}': write bytes, or a number with K, M, G or T, like 210M")
    return int(match[1]) * UNITS[match[2]]


def environment():
    return {**os.environ, "REF_PATH": "/none", "REF_CACHE": "/none"}


def run(command, meanwhile=None):
    """What it prints. `meanwhile` is called every second as long as it runs."""
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment(), stdin=subprocess.DEVNULL) as process:
            stdout, stderr = wait(process, meanwhile)
    except OSError as error:
        raise InputError(f"{command[0]}: {error.strerror}") from error
    if process.returncode != 0:
        raise InputError(f"{' '.join(map(str, command))}\n  failed with exit code "
                         f"{process.returncode}: {stderr.strip()[-500:]}")
    return stdout


def wait(process, meanwhile):
    while True:
        try:
            return process.communicate(timeout=1 if meanwhile else None)
        except subprocess.TimeoutExpired:
            meanwhile()
        except BaseException:
            process.kill()
            raise


def prepare_reference(folder):
    """The FASTA of chromosome 20, unpacked if it is not there."""
    run(["bash", str(PREPARE_REFERENCE), str(folder)])
    return pathlib.Path(folder) / "chr20.fa"


def prepare_cram(make_cram, folder, size_text, progress=None):
    """A CRAM of about that size; made only when the folder has none of this size and seed.
    `progress` is told again and again how many bytes of how many are made."""
    size = parse_size(size_text)
    made = pathlib.Path(folder) / f"person-{size_text}-seed{SEED}.cram"
    reference = prepare_reference(folder)
    if not (made.exists() and made.with_name(made.name + ".crai").exists()):
        if not pathlib.Path(make_cram).exists():
            raise InputError(f"{make_cram} is missing: build it, or give your own file with --file")
        run([str(make_cram), "--ref", str(reference), "--out", str(made), "--size", size_text,
             "--seed", str(SEED), "--threads", str(min(4, os.cpu_count() or 1))],
            progress and (lambda: progress(size_of(made.with_name(made.name + ".partial")), size)))
    return made


def size_of(path):
    try:
        return path.stat().st_size
    except OSError:
        return 0


def sha256(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def is_cram(path):
    try:
        with open(path, "rb") as file:
            return file.read(4) == b"CRAM"
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def quickcheck(path):
    """Whether samtools finds the file whole."""
    try:
        run(["samtools", "quickcheck", "-v", str(path)])
    except InputError:
        return False
    return True


def count_reads(path, reference):
    """Number of reads, with the reference beside the file and nothing from the network."""
    return int(run(["samtools", "view", "-c", "-T", str(reference), str(path)]))
