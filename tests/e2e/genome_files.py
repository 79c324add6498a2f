"""Small genome files for tests, what samtools says of them, and what hostile people make of them."""

import dataclasses
import gzip
import os
import pathlib
import re
import subprocess
import zlib

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "release"


def warifu(program, *words, timeout=300):
    return subprocess.run([str(program), *map(str, words)], capture_output=True, text=True,
                          timeout=timeout, check=False)


def run(*words, **more):
    return subprocess.run([str(word) for word in words], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **more).stdout


def records(path, reference=None):
    """Records as text lines; without a reference the file must hold its own."""
    extra = ["-T", reference] if reference else []
    done = run("samtools", "view", *extra, path, env={**os.environ, "REF_PATH": "/none", "REF_CACHE": "/none"})
    return done.decode().splitlines()


def span(read):
    """[start, end) of a read on its reference, 0-based."""
    field = read.split("\t", 6)
    start = int(field[3]) - 1
    length = sum(int(number) for number, _ in re.findall(r"(\d+)([MDN=X])", field[5]))
    return start, start + (length or 1)


def overlapping(reads, start, end):
    return [read for read in reads if span(read)[0] < end and span(read)[1] > start]


class Data:
    """A CRAM of real chromosome 20 with synthetic reads, the same as BAM and in small slices, a VCF."""

    first, last = 61_000, 140_000  # positions that are covered well

    def __init__(self, root, coverage=12):
        data = pathlib.Path(os.environ.get("WARIFU_DATA", BUILD / "data"))
        maker = data.parent / "tools" / "make-cram" / "warifu-make-cram"
        self.fasta = data / "chr20.fa"
        self.cram, self.bam = root / "a.cram", root / "a.bam"
        self.csi_bam, self.fine = root / "c.bam", root / "fine.cram"
        if not self.fasta.exists():
            run("bash", REPOSITORY / "tools/make-cram/prepare-reference.sh", data)
        run(maker, "--ref", self.fasta, "--region", "20:60001-160000", "--coverage", coverage, "--out",
            self.cram, "--seed", 5)
        run("samtools", "view", "-b", "-T", self.fasta, "-o", self.bam, self.cram)
        run("samtools", "index", self.bam)
        run("samtools", "view", "-b", "-T", self.fasta, "-o", self.csi_bam, self.cram)
        run("samtools", "index", "-c", self.csi_bam)
        run("samtools", "view", "-C", "-T", self.fasta, "--output-fmt-option", "seqs_per_slice=100", "-o",
            self.fine, self.cram)
        run("samtools", "index", self.fine)
        self.reads = records(self.bam)
        self.make_variants(root)

    def make_variants(self, root):
        lines = ["##fileformat=VCFv4.2", "##reference=file:///home/lab/ref.fa", "##source=secretlab-caller",
                 '##FILTER=<ID=PASS,Description="ok">', "##contig=<ID=20,length=63025520>",
                 '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">',
                 '##INFO=<ID=END,Number=1,Type=Integer,Description="end">',
                 '##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">',
                 "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tsecretlab-17"]
        for number in range(3_000):
            position = 60_500 + number * 29
            reference, alternative, info = (("A", "G", "DP=9"), ("ACCGT", "A", "DP=8"), ("C", "CTT", "DP=7"),
                                            ("G", "<DEL>", f"DP=3;END={position + 400}"))[number % 4]
            lines.append(f"20\t{position}\t.\t{reference}\t{alternative}\t50\tPASS\t{info}\tGT\t0/1")
        plain = root / "a.vcf"
        plain.write_text("\n".join(lines) + "\n")
        self.vcf, self.csi_vcf, self.bcf = root / "a.vcf.gz", root / "c.vcf.gz", root / "a.bcf"
        for out, kind in ((self.vcf, "z"), (self.csi_vcf, "z"), (self.bcf, "b")):
            run("bcftools", "view", "--no-version", "-O" + kind, "-o", out, plain)
        run("bcftools", "index", "-t", self.vcf)
        run("bcftools", "index", "-c", self.csi_vcf)
        run("bcftools", "index", "-c", self.bcf)


@dataclasses.dataclass
class Bad:
    name: str
    content: bytes
    index: tuple = ()  # ending and bytes


def bent(draw, content):
    """The bytes with a few changed, cut, doubled or filled."""
    out = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 8])):
        if len(out) < 30:
            break
        at = draw.randrange(len(out))
        how = draw.randrange(5)
        if how == 0:
            out[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            out[at:at + 4] = draw.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"])
        elif how == 2:
            del out[at:at + draw.randrange(1, 200)]
        elif how == 3:
            out[at:at] = out[at // 2:at // 2 + draw.randrange(1, 300)]
        else:
            out = out[:max(at, 30)]
    return bytes(out)


def block(plain):
    """A BGZF block around any bytes, with a right CRC."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(plain) + packer.flush()
    head = bytes([31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 66, 67, 2, 0])
    return (head + (len(packed) + 25).to_bytes(2, "little") + packed
            + zlib.crc32(plain).to_bytes(4, "little") + len(plain).to_bytes(4, "little"))


END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def inside_blocks(draw, content):
    """A BGZF file whose plain bytes are bent: the decoder sees what no CRC has caught."""
    plain = bytearray()
    inflater = zlib.decompressobj(31)
    rest = content
    while rest:
        plain += inflater.decompress(rest)
        rest = inflater.unused_data
        inflater = zlib.decompressobj(31)
    changed = bent(draw, bytes(plain[:200_000]))
    return b"".join(block(changed[at:at + 60_000]) for at in range(0, len(changed), 60_000)) + END


def bomb():
    """A BAM whose blocks inflate a thousandfold, and whose first record claims 2 GB."""
    start = (b"BAM\1" + bytes(4) + (1).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"20\0"
             + (63_025_520).to_bytes(4, "little"))
    record = (0x7fffffff).to_bytes(4, "little")
    zeros = block(bytes(65_000))
    return block(start + record) + zeros * 4_000 + END


def bent_index(draw, content):
    """Outside or, for what a checksum does not catch, inside its compression."""
    if draw.randrange(3) == 0:
        return bent(draw, content)
    return gzip.compress(bent(draw, gzip.decompress(content)))


def mutations(draw, data, number):
    cram, bam, vcf, bcf = (path.read_bytes() for path in (data.fine, data.bam, data.vcf, data.bcf))
    crai = pathlib.Path(f"{data.fine}.crai").read_bytes()
    bai = pathlib.Path(f"{data.bam}.bai").read_bytes()
    tbi = pathlib.Path(f"{data.vcf}.tbi").read_bytes()
    yield Bad("bomb.bam", bomb())
    for _ in range(number):
        yield draw.choice([
            lambda: Bad("bad.cram", bent(draw, cram)),
            lambda: Bad("bad.cram", bent(draw, cram), (".crai", crai)),
            lambda: Bad("index.cram", cram, (".crai", bent_index(draw, crai))),
            lambda: Bad("bad.bam", bent(draw, bam)),
            lambda: Bad("inside.bam", inside_blocks(draw, bam)),
            lambda: Bad("index.bam", bam, (".bai", bent(draw, bai))),
            lambda: Bad("bad.vcf.gz", inside_blocks(draw, vcf)),
            lambda: Bad("index.vcf.gz", vcf, (".tbi", bent_index(draw, tbi))),
            lambda: Bad("bad.vcf.gz", inside_blocks(draw, bcf)),
        ])()
