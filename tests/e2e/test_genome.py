"""Genome files on one machine: `warifu genome` against samtools and bcftools, and against hostile files.

Small files over the real chromosome 20; the full figures are in `./run verify genome`.
"""

import base64
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from genome_files import Data, mutations, overlapping, records, warifu
from network import binary

SECRET_WORDS = ("SYNTHETIC", "LIB1", "--seed", "/tmp/", "UR:", "secretlab")


class GenomeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if shutil.which("samtools") is None or shutil.which("bcftools") is None:
            raise unittest.SkipTest("needs samtools and bcftools")
        cls.program = binary()
        cls.folder = tempfile.TemporaryDirectory(prefix="genome-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        cls.data = Data(cls.root)

    def new(self, name):
        path = self.root / f"{self._testMethodName}-{name}"
        path.unlink(missing_ok=True)
        return path

    def run_json(self, *words):
        done = warifu(self.program, *words, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def fails(self, code, text, *words):
        done = warifu(self.program, *words)
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        self.assertIn(text, done.stderr)
        return done

    def cut(self, file, out, *words):
        return self.run_json("genome", "cut", file, "--out", out, *words)

    # --- what a file is ---

    def test_inspect(self):
        for file in (self.data.cram, self.data.bam):
            report = self.run_json("genome", "inspect", file)
            self.assertEqual(report["assembly"], "GRCh37")
            self.assertEqual(report["sorted"], "coordinate")
            self.assertEqual(report["records"], len(self.data.reads))
            self.assertEqual(report["references"][0]["name"], "20")
        self.assertEqual(self.run_json("genome", "inspect", self.data.cram)["version"], "3.0")
        report = self.run_json("genome", "inspect", self.data.vcf)
        self.assertEqual((report["format"], report["samples"]), ("VCF", ["secretlab-17"]))

    # --- regions ---

    def test_regions_hold_what_samtools_finds_and_nothing_else(self):
        draw = random.Random(42)
        for number in range(16):
            file = draw.choice([self.data.cram, self.data.fine, self.data.bam, self.data.csi_bam])
            start = draw.randrange(self.data.first, self.data.last)
            end = start + draw.choice([0, 9, 999, 9_999])
            out = self.new(f"{number}." + draw.choice(["bam", "cram"]))
            self.cut(file, out, "--region", f"20:{start}-{end}", "--reference", self.data.fasta,
                     "--keep-mates", "--keep-header")
            self.assertEqual(records(out), overlapping(self.data.reads, start - 1, end),
                             f"20:{start}-{end} of {file.name} in {out.name}")
            subprocess.run(["samtools", "quickcheck", "-v", out], check=True)

    def test_older_and_newer_versions_of_cram(self):
        start = self.data.first + 4_000
        for version in ("2.1", "3.1"):
            file, out = self.new(f"{version}.cram"), self.new(f"{version}.bam")
            subprocess.run(["samtools", "view", "-C", "-T", self.data.fasta, "--output-fmt",
                            f"cram,version={version},seqs_per_slice=300", "-o", file, self.data.cram],
                           check=True, capture_output=True)
            subprocess.run(["samtools", "index", file], check=True)
            report = self.cut(file, out, "--region", f"20:{start}-{start + 999}", "--reference", self.data.fasta,
                              "--keep-mates", "--keep-header")
            self.assertEqual(records(out), overlapping(self.data.reads, start - 1, start + 999))
            self.assertLess(report["bytes_read"] * 4, file.stat().st_size)
            state = self.run_json("genome", "check", file, "--reference", self.data.fasta)["index_state"]
            self.assertEqual(state, "equal")

    def test_many_regions_give_each_record_once_in_order(self):
        first = self.data.first
        regions = [(first + 5_000, first + 5_100), (first + 5_050, first + 5_400), (first + 100, first + 120)]
        bed = self.new("regions.bed")
        bed.write_text("".join(f"20\t{start}\t{end}\n" for start, end in regions))
        out = self.new("out.bam")
        self.cut(self.data.fine, out, "--bed", bed, "--reference", self.data.fasta, "--keep-mates",
                 "--keep-header")
        wanted = [read for read in self.data.reads
                  if any(overlapping([read], start, end) for start, end in regions)]
        self.assertEqual(records(out), wanted)

    def test_a_region_reads_a_small_part_of_the_file(self):
        report = self.cut(self.data.fine, self.new("a.bam"), "--region", f"20:{self.data.first + 9_000}",
                          "--reference", self.data.fasta)
        self.assertLess(report["bytes_read"] * 20, self.data.fine.stat().st_size)

    def test_variants(self):
        wanted = subprocess.run(["bcftools", "view", "-H", self.data.vcf, "-r", "20:70000-90000"],
                                capture_output=True, text=True, check=True).stdout
        self.assertTrue(wanted)
        for file in (self.data.vcf, self.data.csi_vcf, self.data.bcf):
            for ending in ("vcf", "vcf.gz", "bcf"):
                out = self.new(f"{file.name}.{ending}")
                self.cut(file, out, "--region", "20:70000-90000")
                text = subprocess.run(["bcftools", "view", "--no-version", out], capture_output=True,
                                      text=True, check=True).stdout
                self.assertEqual("".join(line + "\n" for line in text.splitlines() if line[0] != "#"),
                                 wanted)
                self.assertNotIn("secretlab", text)
                self.assertNotIn("/home/lab", text)

    # --- what is told ---

    def test_nothing_outside_the_regions_is_told(self):
        start, end = self.data.first + 3_000, self.data.first + 3_500
        out = self.new("out.bam")
        self.cut(self.data.bam, out, "--region", f"20:{start}-{end}")
        text = subprocess.run(["samtools", "view", "-h", "--no-PG", out], capture_output=True, text=True,
                              check=True).stdout
        for word in SECRET_WORDS:
            self.assertNotIn(word, text)
        blanked = 0
        for line in text.splitlines():
            if line[0] == "@":
                continue
            mate = int(line.split("\t")[7])
            self.assertTrue(mate == 0 or start - 1 <= mate <= end, line)
            blanked += mate == 0
            self.assertNotIn("SA:Z:", line)
        self.assertGreater(blanked, 0)

    def test_fields_and_tags_are_chosen(self):
        region = f"20:{self.data.first + 3_000}-{self.data.first + 3_500}"
        out = self.new("out.bam")
        self.cut(self.data.bam, out, "--region", region, "--fields", "RNAME,POS,CIGAR", "--tags", "")
        for line in records(out):
            field = line.split("\t")
            self.assertEqual(field[:2] + field[6:], ["*", "0", "*", "0", "0", "*", "*"])
            self.assertEqual(field[2], "20")
        other = self.new("other.bam")
        self.cut(self.data.bam, other, "--region", region, "--notags", "RG")
        self.assertNotIn("RG:Z:", "".join(records(other)))
        self.fails(2, "no field 'POSITION'", "genome", "cut", self.data.bam, "--region", region,
                   "--fields", "POSITION", "--out", self.new("none.bam"))

    def test_a_header_alone_is_a_whole_file(self):
        out = self.new("out.cram")
        self.cut(self.data.cram, out, "--header-only")
        subprocess.run(["samtools", "quickcheck", "-v", out], check=True)
        self.assertEqual(records(out), [])

    # --- slices and indexes ---

    def test_reslice_keeps_every_record(self):
        out = self.new("out.cram")
        report = self.run_json("genome", "reslice", self.data.cram, "--reference", self.data.fasta,
                               "--reads-per-slice", 200, "--out", out)
        self.assertTrue(report["records_equal"])
        self.assertEqual(records(out, self.data.fasta), self.data.reads)
        slices = gzip.decompress(pathlib.Path(report["index"]).read_bytes()).splitlines()
        self.assertGreaterEqual(len(slices), len(self.data.reads) // 200)
        provenance = pathlib.Path(report["provenance"])
        self.assertIn("original_sha256: ", provenance.read_text())
        self.assertEqual(provenance.stat().st_mode & 0o077, 0)
        self.fails(8, "already exists", "genome", "reslice", self.data.cram, "--reference",
                   self.data.fasta, "--out", out)

    def test_check_finds_an_index_that_misses_reads(self):
        report = self.run_json("genome", "check", self.data.fine, "--reference", self.data.fasta)
        self.assertEqual((report["index_state"], report["records"]), ("equal", len(self.data.reads)))
        self.assertEqual(self.run_json("genome", "check", self.data.bam)["index_state"], "equal")
        lines = gzip.decompress(pathlib.Path(f"{self.data.fine}.crai").read_bytes()).splitlines(True)
        bad = self.new("bad.crai")
        bad.write_bytes(gzip.compress(b"".join(lines[:5] + lines[6:])))
        self.fails(7, "is not in the index", "genome", "check", self.data.fine, "--reference",
                   self.data.fasta, "--index", bad)

    def test_index_is_the_one_samtools_makes(self):
        for file, ending in ((self.data.bam, "bai"), (self.data.cram, "crai"), (self.data.vcf, "tbi")):
            out = self.new(ending)
            self.run_json("genome", "index", file, "--out", out)
            ours, theirs = out.read_bytes(), pathlib.Path(f"{file}.{ending}").read_bytes()
            if ending != "bai":
                ours, theirs = gzip.decompress(ours), gzip.decompress(theirs)
            self.assertEqual(ours, theirs)

    # --- Crypt4GH ---

    def test_crypt4gh_round_trip(self):
        private, public = self.root / "k.sec", self.root / "k.pub"
        made = subprocess.run(["openssl", "genpkey", "-algorithm", "X25519", "-outform", "DER"],
                              capture_output=True, check=True).stdout
        der = subprocess.run(["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
                             input=made, capture_output=True, check=True).stdout
        body = b"c4gh-v1\0\4none\0\4none\0\x20" + made[-32:]
        private.write_text("-----BEGIN CRYPT4GH PRIVATE KEY-----\n" + base64.b64encode(body).decode()
                           + "\n-----END CRYPT4GH PRIVATE KEY-----\n")
        public.write_text("-----BEGIN CRYPT4GH PUBLIC KEY-----\n" + base64.b64encode(der[-32:]).decode()
                          + "\n-----END CRYPT4GH PUBLIC KEY-----\n")
        locked, back = self.new("a.c4gh"), self.new("a.bam")
        report = self.run_json("genome", "encrypt", self.data.bam, "--key-file", public, "--out", locked)
        self.assertFalse(report["quantum_safe"])
        self.run_json("genome", "decrypt", locked, "--key-file", private, "--out", back)
        self.assertEqual(back.read_bytes(), self.data.bam.read_bytes())
        self.assertEqual(self.run_json("genome", "inspect", locked)["format"], "Crypt4GH")
        damaged = self.new("damaged.c4gh")
        bytes_ = bytearray(locked.read_bytes())
        bytes_[100_000] ^= 1
        damaged.write_bytes(bytes_)
        out = self.new("none")
        self.fails(7, "changed or damaged", "genome", "decrypt", damaged, "--key-file", private, "--out", out)
        self.assertEqual(list(self.root.glob(f"{out.name}*")), [])

    # --- bad input ---

    def test_bad_input_is_named_and_leaves_nothing(self):
        out = self.new("out.bam")
        self.fails(3, "missing.bam", "genome", "inspect", self.root / "missing.bam")
        self.fails(3, "no reference 'chr99'", "genome", "cut", self.data.bam, "--region", "chr99",
                   "--out", out)
        self.fails(2, "--region '20:9-3'", "genome", "cut", self.data.bam, "--region", "20:9-3",
                   "--out", out)
        self.fails(7, "in need of its reference", "genome", "cut", self.data.cram, "--region",
                   f"20:{self.data.first + 100}-{self.data.first + 200}", "--out", out)
        self.fails(3, "samtools faidx", "genome", "check", self.data.cram, "--reference", self.data.vcf)
        cut = self.new("cut.bam")
        cut.write_bytes(self.data.bam.read_bytes()[:-40])
        self.fails(7, "cut short", "genome", "check", cut)
        text = self.new("text.txt")
        text.write_text("hello\n" * 1000)
        self.fails(7, "text.txt", "genome", "inspect", text)
        self.assertFalse(out.exists() or pathlib.Path(f"{out}.part").exists())

    def test_a_wrong_reference_is_noticed(self):
        wrong = self.root / "wrong.fa"
        lines = self.data.fasta.read_bytes().replace(b"ACGT", b"ACGA")
        wrong.write_bytes(lines)
        shutil.copy(f"{self.data.fasta}.fai", f"{wrong}.fai")
        done = self.fails(7, "of this reference", "genome", "check", self.data.cram, "--reference", wrong)
        self.assertIn("md5", done.stderr.lower())

    def test_hostile_files_end_the_process_that_reads_them_and_nothing_else(self):
        draw = random.Random(7)
        for number, bad in enumerate(mutations(draw, self.data, 60)):
            path = self.new(bad.name)
            path.write_bytes(bad.content)
            for ending in (".crai", ".bai", ".tbi"):
                beside = pathlib.Path(f"{path}{ending}")
                beside.unlink(missing_ok=True)
                if bad.index and ending == bad.index[0]:
                    beside.write_bytes(bad.index[1])
            out = self.new("out." + ("bcf" if "vcf" in bad.name else "bam"))
            region = f"20:{self.data.first + 2_000}-{self.data.first + 30_000}"
            done = warifu(self.program, "genome", "cut", path, "--region", region, "--reference",
                          self.data.fasta, "--out", out, timeout=60)
            self.assertIn(done.returncode, (0, 2, 3, 6, 7, 9), f"{number}: {done}")
            if done.returncode:
                self.assertIn("warifu: error: ", done.stderr)
                self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
