"""Genome files for tests, made with samtools and bcftools out of pseudo-random reads and variants.
Nothing in them is of a person; what CRAM files hold needs no reference."""

import hashlib
import pathlib
import subprocess

LENGTHS = {"GRCh37": {"20": 63_025_520}, "GRCh38": {"chr17": 83_257_441, "chr20": 64_444_167}}
READ = 100
CHUNK = 256 * 1024


def run(*command, stdin=None):
    return subprocess.run([str(word) for word in command], input=stdin, check=True,
                          stdout=subprocess.PIPE).stdout


def sam_text(assembly, places, count, seed=1):
    """`count` reads at even distances over each (reference, start, end) of `places`."""
    lengths = LENGTHS[assembly]
    lines = ["@HD\tVN:1.6\tSO:coordinate"]
    lines += [f"@SQ\tSN:{name}\tLN:{length}" for name, length in lengths.items()]
    lines.append("@RG\tID:1\tSM:Hanako\tPL:ILLUMINA")
    noise = hashlib.shake_256(f"reads {seed}".encode()).digest(count * len(places) * 2 * READ)
    bases = noise.translate(bytes(b"ACGT"[value & 3] for value in range(256)))
    qualities = noise.translate(bytes(b"#,:F"[value >> 4 & 3] for value in range(256)))
    number = 0
    for name, start, end in places:
        for i in range(count):
            at = start + i * (end - start) // count
            piece = slice(number * READ, (number + 1) * READ)
            other = slice(piece.start + len(noise) // 2, piece.stop + len(noise) // 2)
            number += 1
            lines.append(f"r{number}\t{16 * (i % 2)}\t{name}\t{at}\t60\t{READ}M\t*\t0\t0\t"
                         f"{bases[piece].decode()}\t{qualities[other].decode()}\tRG:Z:1")
    return "\n".join(lines) + "\n"


def bam(path, sam):
    path.write_bytes(run("samtools", "view", "-b", "--no-PG", "-", stdin=sam.encode()))
    run("samtools", "index", path)
    return path


def cram(path, sam, reads_per_slice=500):
    path.write_bytes(run("samtools", "view", "-C", "--no-PG", "--output-fmt-option", "no_ref=1",
                         "--output-fmt-option", f"seqs_per_slice={reads_per_slice}",
                         "--output-fmt-option", "version=3.0", "-", stdin=sam.encode()))
    run("samtools", "index", path)
    return path


def vcf(path, assembly, places, count):
    """SNVs at even distances, compressed and indexed."""
    lengths = LENGTHS[assembly]
    lines = ["##fileformat=VCFv4.2", '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
             '##INFO=<ID=NOTE,Number=1,Type=String,Description="Filling">']
    lines += [f"##contig=<ID={name},length={length}>" for name, length in lengths.items()]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tHanako")
    for name, start, end in places:
        for i in range(count):
            at = start + i * (end - start) // count
            note = hashlib.sha256(f"{name}:{at}".encode()).hexdigest()
            lines.append(f"{name}\t{at}\t.\tA\tC\t{i % 99}\tPASS\tNOTE={note}\tGT\t0/1")
    path.write_bytes(run("bcftools", "view", "-Oz", "--no-version", "-", stdin=("\n".join(lines) + "\n").encode()))
    run("bcftools", "index", "-t", path)
    return path


def reads(path, *regions):
    """The records of a file, of some regions of an indexed one."""
    return run("samtools", "view", "--no-PG", path, *regions).decode().splitlines()


def variants(path, *regions):
    words = ["-r", ",".join(regions)] if regions else []
    return run("bcftools", "view", "-H", *words, path).decode().splitlines()


def lead_bytes(stored):
    return stored["lead_chunks"] * CHUNK


def chunks_of(path):
    return -(-pathlib.Path(path).stat().st_size // CHUNK)
