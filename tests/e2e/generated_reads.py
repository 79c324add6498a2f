"""Reads of a made-up person on a made-up chromosome, with a scoring file of the sites where the person may
differ: what tests/e2e/test_risk.py and ./run verify risk compute scores from. Deterministic by seed."""

import pathlib
import random
import subprocess

LENGTH = 150  # of a read
QUALITIES = (37, 37, 37, 37, 37, 37, 37, 25, 25, 11, 2)  # four bins, as sequencers write them


def scoring_rows(sites):
    yield "###PGS CATALOG SCORING FILE - made by a test\t\t"
    yield "#format_version=2.0"
    yield "#pgs_id=PGS999300"
    yield "#trait_reported=made up"
    yield "#genome_build=GRCh38"
    yield f"#variants_number={len(sites)}"
    yield "#weight_type=beta"
    yield "rsID\tchr_name\tchr_position\teffect_allele\tother_allele\teffect_weight\tallelefrequency_effect"
    for number, site in enumerate(sites):
        yield (f"rs{number}\t20\t{site['position']}\t{site['effect']}\t{site['other']}\t"
               f"{site['weight']}\t{site['frequency']}")


class GeneratedReads:
    """`folder` gets ref.fa, reads.cram (with index), scoring.txt, sites.txt; `self.sites` is the truth.
    `everywhere`: reads over the whole chromosome, otherwise around the sites only."""

    def __init__(self, folder, sites=300, apart=2000, depth=30, seed=20, everywhere=False):
        self.folder, self.depth = pathlib.Path(folder), depth
        self.random = random.Random(seed)
        size = apart * (sites + 1)
        self.reference = "".join(self.random.choices("ACGT", k=size))
        self.sites = [self._site(apart * (number + 1) + self.random.randrange(-300, 300))
                      for number in range(sites)]
        self.haplotypes = [self._haplotype(strand) for strand in (0, 1)]
        (self.folder / "ref.fa").write_text(f">chr20\n{self.reference}\n")
        (self.folder / "scoring.txt").write_text("\n".join(scoring_rows(self.sites)) + "\n")
        (self.folder / "sites.txt").write_text(
            "".join(f"chr20\t{site['position']}\n" for site in self.sites))
        self._write_reads(size, everywhere)

    def _site(self, position):
        reference = self.reference[position - 1]
        other = self.random.choice([base for base in "ACGT" if base != reference])
        alleles = self.random.choice([(reference, other), (other, reference)])
        copies = self.random.choice([0, 1, 1, 2])  # of the base that is not the reference's
        return {"position": position, "effect": alleles[0], "other": alleles[1], "variant": other,
                "copies_of_variant": copies,
                "copies": copies if alleles[0] == other else 2 - copies,
                "weight": round(self.random.uniform(-0.3, 0.3), 4),
                "frequency": round(self.random.uniform(0.05, 0.95), 3)}

    def _haplotype(self, strand):
        letters = list(self.reference)
        for site in self.sites:
            if site["copies_of_variant"] == 2 or site["copies_of_variant"] == 1 and strand == 1:
                letters[site["position"] - 1] = site["variant"]
        return "".join(letters)

    def _starts(self, size, everywhere):
        if everywhere:
            return sorted(self.random.randrange(size - LENGTH)
                          for _ in range(size * self.depth // LENGTH))
        starts = []
        for site in self.sites:  # as many as cover it `depth` times on average, and as many beside it
            low = site["position"] - 2 * LENGTH
            starts += [min(max(0, self.random.randrange(low, low + 3 * LENGTH)), size - LENGTH)
                       for _ in range(3 * self.depth)]
        return sorted(starts)

    def _read(self, number, start):
        piece = list(self.haplotypes[self.random.randrange(2)][start:start + LENGTH])
        qualities = self.random.choices(QUALITIES, k=LENGTH)
        for at, quality in enumerate(qualities):
            if self.random.random() < 0.5 * 10 ** (-quality / 10):
                piece[at] = self.random.choice("ACGT")
        flag = self.random.choice((0, 16))
        mapped = 60 if self.random.random() < 0.95 else 5
        return (f"r{number}\t{flag}\tchr20\t{start + 1}\t{mapped}\t{LENGTH}M\t*\t0\t0\t{''.join(piece)}\t"
                f"{''.join(chr(33 + quality) for quality in qualities)}\n")

    def _write_reads(self, size, everywhere):
        self.run("samtools", "faidx", "ref.fa")
        with open(self.folder / "reads.sam", "w") as sam:
            sam.write(f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr20\tLN:{size}\n@RG\tID:1\tSM:person\n")
            for number, start in enumerate(self._starts(size, everywhere)):
                sam.write(self._read(number, start))
        self.run("samtools", "view", "-C", "-T", "ref.fa", "-o", "reads.cram",
                 "--output-fmt-option", "seqs_per_slice=1000", "reads.sam")
        self.run("samtools", "index", "reads.cram")
        (self.folder / "reads.sam").unlink()

    def run(self, *command):
        return subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True).stdout

    def pileup(self, cram, name):
        """Base counts of the sites in a file of the folder, as samtools tells them."""
        path = self.folder / name
        path.write_text(self.run("samtools", "mpileup", "-s", "-B", "-A", "-q", "20", "-Q", "13", "-d",
                                 "100000", "-f", "ref.fa", "-l", "sites.txt", cram))
        return path

    def slices(self):
        """Only the reads over the sites, by the index: what a grant of these regions would restore."""
        (self.folder / "sites.bed").write_text(
            "".join(f"chr20\t{site['position'] - 1}\t{site['position']}\n" for site in self.sites))
        self.run("samtools", "view", "-C", "-T", "ref.fa", "-M", "-L", "sites.bed", "-o",
                 "slices.cram", "reads.cram")
        return "slices.cram"

    def bcftools(self, cram):
        """Genotypes by bcftools mpileup -q 20 -Q 13 | call -m: copies of the effect allele by position."""
        calls = subprocess.run(
            "bcftools mpileup -q 20 -Q 13 -B -f ref.fa -T sites.txt " + cram + " 2>/dev/null | bcftools call"
            " -m -A 2>/dev/null | bcftools query -f '%POS\\t%REF\\t%ALT[\\t%GT]\\n'", shell=True,
            cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True).stdout
        effect = {site["position"]: site["effect"] for site in self.sites}
        copies = {}
        for line in calls.splitlines():
            position, reference, alternative, genotype = line.split("\t")
            alleles = [reference] + alternative.split(",")
            if "." not in genotype:
                copies[int(position)] = sum(alleles[int(one)] == effect[int(position)]
                                            for one in genotype.replace("|", "/").split("/"))
        return copies
