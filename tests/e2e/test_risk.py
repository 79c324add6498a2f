"""Genes, scores, absolute risks and the identification meter: by the command line on generated reads, against
bcftools and published numbers; and the meter in a consent by card."""

import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import fhir_r4
import genomes
from generated_reads import GeneratedReads
from network import NetworkTest, Person, TestNetwork

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("WARIFU_BINARY", str(REPOSITORY / "build" / "release" / "warifu"))
ICARE = REPOSITORY / "tests" / "data" / "icare"


def run(*arguments):
    done = subprocess.run([BINARY, *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def ask(*arguments):
    code, stdout, stderr = run(*arguments, "--json")
    assert code == 0, stderr
    return json.loads(stdout)


class Genes(unittest.TestCase):
    def test_a_gene_in_both_builds(self):
        self.assertEqual(ask("genes", "BRCA1")["genes"][0]["region"],
                         "GRCh38:chr17:43044295-43170245=BRCA1")
        self.assertEqual(ask("genes", "brca1", "--build", "hg19", "--no-chr")["genes"][0]["region"],
                         "GRCh37:17:41196313-41277500=BRCA1")

    def test_the_table_says_its_source(self):
        self.assertIn("Ensembl release 110", run("genes")[1])

    def test_a_panel_of_ones_own(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as panels:
            panels.write("[breast]\nBRCA1 BRCA2\n")
            panels.flush()
            code, stdout, _ = run("genes", "--panel", "breast", "--panels", panels.name, "--regions")
        self.assertEqual((code, len(stdout.splitlines())), (0, 2))

    def test_what_is_unknown_ends_with_its_code(self):
        self.assertEqual(run("genes", "NOGENE1")[0], 3)
        self.assertEqual(run("genes", "BRCA1", "--build", "GRCh36")[0], 2)
        self.assertEqual(run("genes", "P40")[0], 2)


class Scores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="risk-")))
        cls.reads = GeneratedReads(cls.folder, depth=45)
        cls.counts = cls.reads.pileup("reads.cram", "counts.txt")
        cls.scoring = cls.folder / "scoring.txt"

    def score(self, counts, *more):
        return ask("risk", "score", "--score", self.scoring, "--pileup", counts, "--genotypes", *more)

    def genotypes(self, report):
        return {one["position"]: one["copies"] for one in report["genotypes"] if one["used"]}

    def test_every_confident_genotype_is_the_truth_and_what_bcftools_calls(self):
        ours, theirs = self.genotypes(self.score(self.counts)), self.reads.bcftools("reads.cram")
        self.assertGreaterEqual(len(ours), 290)
        for site in self.reads.sites:
            if site["position"] in ours:
                self.assertEqual(ours[site["position"]], site["copies"], site)
                self.assertEqual(ours[site["position"]], theirs.get(site["position"]), site)

    def test_slices_give_the_score_of_the_whole_file(self):
        whole = self.score(self.counts)
        slices = self.reads.slices()
        self.assertEqual(whole, self.score(self.reads.pileup(slices, "part.txt")))
        for file in ("reads.cram", slices):  # by the sandboxed reader
            read = ask("risk", "score", "--score", self.scoring, "--genome", self.folder / file, "--fasta",
                       self.folder / "ref.fa", "--genotypes")
            self.assertEqual(self.genotypes(read), self.genotypes(whole))
            self.assertEqual(read["score"], whole["score"])
        expected = sum(site["weight"] * site["copies"] for site in self.reads.sites
                       if site["position"] in self.genotypes(whole))
        self.assertAlmostEqual(whole["score"], expected, places=9)
        self.assertLessEqual(whole["lowest"], whole["score"])

    def test_too_few_sites_give_no_score(self):
        few = self.folder / "few.txt"
        few.write_text("".join(self.counts.read_text().splitlines(True)[:100]))
        code, stdout, stderr = run("risk", "score", "--score", self.scoring, "--pileup", few)
        self.assertEqual((code, stdout), (4, ""))
        self.assertIn("of 300 sites", stderr)

    def test_the_sites_are_told(self):
        code, stdout, _ = run("risk", "score", "--score", self.scoring, "--sites")
        self.assertEqual((code, stdout), (0, (self.folder / "sites.txt").read_text()))

    def test_limits_stand_in_every_output(self):
        self.assertIn("Not a diagnosis", self.score(self.counts)["limits"][0])
        self.assertIn("診断ではなく", self.score(self.counts, "--lang", "ja")["limits"][0])
        self.assertIn("Not a diagnosis",
                      run("risk", "score", "--score", self.scoring, "--pileup", self.counts)[1])

    def test_a_fhir_observation(self):
        code, stdout, stderr = run("risk", "score", "--score", self.scoring, "--pileup", self.counts,
                                   "--fhir", "--person", "P-001")
        self.assertEqual(code, 0, stderr)
        self.assertEqual(fhir_r4.findings(json.loads(stdout)), [], stdout)

    def test_haplotypes_are_refused_by_name(self):
        path = self.folder / "hla.txt"
        path.write_text("#pgs_id=PGS000021\n#genome_build=GRCh38\nchr_name\teffect_allele\teffect_weight\t"
                        "is_haplotype\n6\tHLA-B*08:01\t0.4\tTRUE\n")
        code, _, stderr = run("risk", "score", "--score", path, "--sites")
        self.assertEqual(code, 4)
        self.assertIn("is_haplotype", stderr)


class Risks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="risk-")))
        cls.golden = json.loads((ICARE / "golden.json").read_text())["ge50"]
        with open(ICARE / "query_ge50.csv", newline="", encoding="utf-8") as file:
            cls.people = list(csv.DictReader(file))

    def answers(self, number):
        person = {name: value for name, value in self.people[number].items() if name != "id"}
        person["bmi_from_50"] = person.pop("bmi_curc")
        path = self.folder / f"{number}.json"
        path.write_text(json.dumps(person))
        return path

    def test_published_risks(self):
        for number in (0, 7, 34):
            result = ask("risk", "absolute", "--answers", self.answers(number), "--from", "50",
                         "--to", "70")
            self.assertAlmostEqual(result["risk"], self.golden["risks"][number], delta=1e-5)
            self.assertEqual(len(result["curve"]), 21)
            self.assertIn("Not a diagnosis", result["limits"][0])

    def test_the_picture_and_the_fhir_document(self):
        picture = self.folder / "risk.svg"
        code, stdout, stderr = run("risk", "absolute", "--answers", self.answers(0), "--from", "50", "--to",
                                   "70", "--svg", picture, "--fhir", "--person", "P-001", "--lang", "ja")
        self.assertEqual(code, 0, stderr)
        document = json.loads(stdout)
        self.assertEqual(fhir_r4.findings(document), [], stdout)
        self.assertAlmostEqual(document["prediction"][0]["probabilityDecimal"],
                               100 * self.golden["risks"][0], delta=1e-3)
        self.assertIn("診断", picture.read_text())
        xml.etree.ElementTree.parse(picture)

    def test_a_question_without_an_answer_is_named(self):
        path = self.folder / "none.json"
        path.write_text("{}")
        code, _, stderr = run("risk", "absolute", "--answers", path, "--from", "50", "--to", "70")
        self.assertEqual(code, 2)
        self.assertIn("age_at_menarche", stderr)
        self.assertIn("hrt", run("risk", "absolute", "--questions")[1])

    def test_the_checker_sees_a_bad_document(self):
        good = {"resourceType": "RiskAssessment", "status": "final", "subject": {"display": "x"}}
        self.assertEqual(fhir_r4.findings(good), [])
        self.assertIn("ras-2", str(fhir_r4.findings(
            {**good, "prediction": [{"probabilityDecimal": 101}]})))
        self.assertIn("subject", str(fhir_r4.findings({k: good[k] for k in ("resourceType", "status")})))


class Meter(NetworkTest):
    """One network, one person, grants of regions that add up."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))
        cls.person = Person(cls.network, "P-001", keys=20)
        sam = genomes.sam_text("GRCh37", [("20", 1_000_000, 2_000_000)], 1_000)
        file = genomes.bam(cls.network.root / "reads.bam", sam)
        cls.object = cls.person.store(file)["object"]

    def give(self, grantee, *regions):
        arguments = [part for region in regions for part in ("--region", region)]
        return self.network.warifu.ask(
            "consent", "give", "--site", self.network.site("tommo"), "--object", self.object,
            "--purpose", "medicine", "--grantee", grantee, "--card", self.person.card,
            "--pin-file", self.person.pin_file, "--yes", *arguments)

    def test_grants_to_one_grantee_add_up(self):
        # The table says chr20, the file says 20.
        first = self.give("Dr. Ito", "GRCh37:gene:ASXL1")
        self.assertIn("ASXL1", first["text"])
        self.assertFalse(first["identification"]["identifies"])
        self.assertEqual(first["identification"]["after"]["independent_snps"], 9)
        second = self.give("Dr. Ito", "GRCh37:20:1000001-1150000")
        self.assertTrue(second["identification"]["after"]["str_loci"] >= 9)
        self.assertTrue(second["identification"]["crosses"])
        other = self.give("Dr. Abe", "GRCh37:20:1000001-1150000")
        self.assertFalse(other["identification"]["identifies"])

    def test_a_consent_to_the_places_of_a_score(self):
        """300 places and nothing else: enough for the score, the same as of the whole file."""
        folder = self.network.root
        reads = GeneratedReads(folder, depth=20, apart=4000)
        bam = folder / "reads.cram.bam"
        genomes.run("samtools", "view", "-b", "-T", folder / "ref.fa", "-o", bam, folder / "reads.cram")
        genomes.run("samtools", "index", bam)
        self.assert_fails(2, "is a .crai, which is none of a BAM file", self.person.store, bam, genome=True,
                          assembly="GRCh38", index=folder / "reads.cram.crai")
        stored = self.person.store(bam, genome=True, assembly="GRCh38")["object"]
        wished = f"score:{folder / 'scoring.txt'}"
        given = self.network.consent(stored, self.person.card, self.person.pin_file, purpose="medicine",
                                     grantee="Dr. Oka", region=(wished,))
        self.assertIn("Only these 300 regions (GRCh38): chr20:", given["text"])
        self.assertIn(f"{reads.sites[7]['position']}, {reads.sites[8]['position']}", given["text"])
        self.assertIn("(PGS999300)", given["text"])
        out = folder / "places.bam"
        done = self.network.restore(stored, given["grant"], out, asker="Dr. Oka", region=(wished,))
        self.assertEqual(len(done["regions"]), 300)
        for line in genomes.reads(out):
            start = int(line.split("\t")[3])
            self.assertTrue(any(start <= site["position"] < start + 150 for site in reads.sites), line)
        score = ("risk", "score", "--score", folder / "scoring.txt", "--fasta", folder / "ref.fa",
                 "--min-depth", "5", "--genotypes")
        whole, places = (ask(*score, "--genome", file) for file in (bam, out))
        self.assertEqual(places, whole)
        self.assert_fails(4, "other_scope", self.network.restore, stored, given["grant"],
                          folder / "more.bam", asker="Dr. Oka", region=("GRCh38:chr20:1-2000",))
        log = self.network.warifu.ask("audit", "list", "--site", self.network.site("tommo"),
                                      "--limit", "20")["records"]
        self.assertTrue(any("300 regions of GRCh38 (PGS999300)" in record["fields"].get("scope", "")
                            for record in log))

    def test_the_meter_by_itself(self):
        self.assertTrue(ask("risk", "meter", "--whole")["identifies"])
        reading = ask("risk", "meter", "--region", "gene:BRCA1", "--had", "GRCh38:chr1:1-400000")
        self.assertFalse(reading["crosses"])
        self.assertTrue(reading["identifies"])


if __name__ == "__main__":
    unittest.main()
