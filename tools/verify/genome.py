#!/usr/bin/env python3
"""The promises about genome files, measured and printed as one table.

Regions against samtools; thousands of damaged and hostile files; what one gene costs of a whole
chromosome at 30-fold coverage, in chunks. --json writes the rows as `results`; --quick takes less of
everything. Exit code 1 when a row fails.
"""

import collections
import gzip
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import frame
import fuzzing
import htsget_rows
import igv_rows
import risk_rows
import web_rows
import web_upload
from frame import row

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOOLS / "demo"), str(TOOLS.parent / "tests" / "e2e")]

from genome_files import Data, mutations, overlapping, records, run, warifu  # noqa: E402

FULL = {"regions": 500, "hostile": 5_000, "gene": None, "fuzz_runs": 10_000_000, "fuzz_seconds": 0,
        "fuzz_build": None, **risk_rows.FULL, **htsget_rows.FULL, "web_links": 1000, "web_runs": 5,
        "upload_bytes": 2 << 30, "axe_modules": ["test_web", "test_people_pages", "test_clinic_pages",
                                                 "test_desk_pages", "test_pages_scenario"]}
QUICK = {"regions": 60, "hostile": 200, "gene": "20:25000001-33000000", "fuzz_runs": -1,
         "fuzz_seconds": 5, "fuzz_build": 60, **risk_rows.QUICK, **htsget_rows.QUICK, "web_links": 1000, "web_runs": 2,
         "upload_bytes": 128 << 20, "axe_modules": ["test_web"]}
CHUNK = 256 * 1024
GENE = (30_946_155, 31_027_122)  # ASXL1 of GRCh37, chromosome 20: 81 kb, 0-based
GOAL_TIMES = 400
GOAL_SECONDS = 30
GOAL_MEMORY_MB = 3 * 1024  # of the process that reads the file


def regions(program, data, root, number):
    draw = random.Random(2026)
    wrong, outside, given = 0, 0, 0
    kinds = collections.Counter()
    for _ in range(number):
        file = draw.choice([data.cram, data.fine, data.bam, data.csi_bam])
        start = draw.randrange(data.first - 2_000, data.last + 30_000)
        end = start + draw.choice([1, 10, 150, 1_000, 10_000, 50_000])
        out = root / ("out." + draw.choice(["bam", "cram"]))
        out.unlink(missing_ok=True)
        done = warifu(program, "genome", "cut", file, "--region", f"20:{start + 1}-{end}", "--reference",
                      data.fasta, "--keep-mates", "--keep-header", "--out", out)
        got = records(out) if done.returncode == 0 else [done.stderr]
        wrong += got != overlapping(data.reads, start, end)
        outside += len(got) - len(overlapping(got, start, end)) if done.returncode == 0 else 0
        given += len(got)
        kinds[f"{file.suffix}->{out.suffix}"] += 1
    yield row("region_differences", wrong, "regions", 0, wrong == 0,
              f"{number} random regions against samtools on the original, {given:,} records; "
              + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    yield row("records_outside", outside, "records", 0, outside == 0, "given though they do not overlap")


def hostile(program, data, root, number):
    draw = random.Random(7)
    ends = collections.Counter()
    bad, slowest = [], 0.0
    for count, one in enumerate(mutations(draw, data, number)):
        path, out = root / one.name, root / ("hostile.bcf" if "vcf" in one.name else "hostile.bam")
        for old in (*root.glob(f"{one.name}*"), *root.glob("hostile.*")):
            old.unlink(missing_ok=True)
        path.write_bytes(one.content)
        if one.index:
            pathlib.Path(f"{path}{one.index[0]}").write_bytes(one.index[1])
        started = time.monotonic()
        try:
            done = warifu(program, "genome", "cut", path, "--region", f"20:{data.first}-{data.last}",
                          "--reference", data.fasta, "--out", out, timeout=120)
            code, message = done.returncode, done.stderr
        except subprocess.TimeoutExpired:
            code, message = "hangs", ""
        slowest = max(slowest, time.monotonic() - started)
        ends["signal" if "ended by signal" in message else code] += 1
        told = code == 0 or ("warifu: error: " in message and one.name in message)
        if code not in (0, 2, 3, 6, 7, 9) or not told or (code != 0 and out.exists()):
            bad.append(f"{count} ({one.name}: {code})")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    how = ", ".join(f"{count} {'read' if code == 0 else f'refused ({code})'}" for code, count in
                    sorted(ends.items(), key=str))
    yield row("hostile_files", len(bad), "bad ends", 0, not bad,
              f"{number + 1} damaged CRAM, BAM, VCF, BCF and indexes: {how}"
              + (f"; bad: {', '.join(bad[:5])}" if bad else "; each refusal names the file"))
    yield row("hostile_slowest", slowest, "s", GOAL_SECONDS, slowest <= GOAL_SECONDS, "of one file")
    yield row("hostile_memory", memory, "MB", GOAL_MEMORY_MB, memory <= GOAL_MEMORY_MB,
              "largest process of all of them; a bomb of a thousandfold is among them")


def chunks_of(cram, start, end):
    """Chunks of 256 KiB that hold header, index and slices of a region: by the .crai, computed here."""
    index = pathlib.Path(f"{cram}.crai")
    lines = [[int(field) for field in line.split()] for line in gzip.decompress(index.read_bytes()).splitlines()]
    containers = sorted({line[3] for line in lines})
    size = cram.stat().st_size
    following = dict(zip(containers, containers[1:] + [size - 38]))
    # The lead of a stored object: manifest, index and, when it is short, the file's header.
    header = containers[0]
    inside = header <= 64 * 1024
    lead = 4096 + index.stat().st_size + (header if inside else 0)
    ranges = [] if inside else [(0, header)]
    ranges += [(line[3], following[line[3]]) for line in lines
               if line[0] == 0 and line[1] - 1 < end and line[1] - 1 + line[2] > start]
    chunks = {chunk for first, last in ranges for chunk in range(first // CHUNK, (last - 1) // CHUNK + 1)}
    return len(chunks) + -(-lead // CHUNK), sum(last - first for first, last in set(ranges))


def gene(program, build, region):
    folder = build / "verify-genome"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        fasta, whole, fine = build / "data" / "chr20.fa", folder / "30x.cram", folder / "30x-1000.cram"
        part = ["--region", region] if region else []
        run(build / "tools/make-cram/warifu-make-cram", "--ref", fasta, *part, "--coverage", 30, "--seed", 3,
            "--threads", os.cpu_count(), "--out", whole)
        started = time.monotonic()
        done = warifu(program, "genome", "reslice", whole, "--reference", fasta, "--out", fine, "--threads",
                      os.cpu_count(), timeout=7_200)
        seconds = time.monotonic() - started
        size = whole.stat().st_size
        yield row("reslice_proven", size / 1e6 / seconds, "MB/s", 0, done.returncode == 0,
                  f"{size / 1e6:,.0f} MB in three passes, records proven equal; "
                  f"{(fine.stat().st_size / size - 1) * 100:+.1f} % bytes" if done.returncode == 0 else done.stderr)
        for name, cram in (("gene_default_slices", whole), ("gene_1000_slices", fine)):
            number, plain = chunks_of(cram, *GENE)
            out = folder / f"{name}.cram"
            cut = warifu(program, "genome", "cut", cram, "--region", f"20:{GENE[0] + 1}-{GENE[1]}", "--reference",
                         fasta, "--out", out)
            times = cram.stat().st_size / (number * CHUNK)
            goal = GOAL_TIMES if cram == fine else 0
            ok = None if region or cram == whole else times >= goal
            yield row(name, times, "times less", goal, ok if cut.returncode == 0 else False,
                      f"81 kb: {number} chunks of 256 KiB, those of the lead among them ({plain:,} bytes of slices) of "
                      f"{cram.stat().st_size / 1e6:,.0f} MB; given out: "
                      f"{out.stat().st_size if out.exists() else 0:,} bytes"
                      + (" (a part of the chromosome: no verdict)" if region else ""))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def all_rows(build, amounts):
    program = build / "warifu"
    os.environ["WARIFU_DATA"] = str(build / "data")
    with tempfile.TemporaryDirectory(prefix="verify-genome-") as folder:
        root = pathlib.Path(folder)
        data = Data(root)
        yield from regions(program, data, root, amounts["regions"])
        yield from hostile(program, data, root, amounts["hostile"])
    yield from gene(program, build, amounts["gene"])
    yield from htsget_rows.rows(build, amounts)
    yield from risk_rows.rows(build, amounts)
    yield from web_rows.rows(build, amounts)
    yield from web_rows.accessibility(build, amounts["axe_modules"])
    yield from web_upload.rows(build, amounts)
    yield from igv_rows.rows(build, amounts)
    yield from fuzzing.rows(("genome", "htsget", "risk_files"), amounts["fuzz_runs"], amounts["fuzz_seconds"],
                            amounts["fuzz_build"])


if __name__ == "__main__":
    frame.run("genome", __doc__, all_rows, (FULL, QUICK),
              "fewer regions and hostile files, a part of the chromosome, fuzzing for seconds")
