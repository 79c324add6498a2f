"""The pages of clinicians and researchers, in a real browser: a score and a risk under a person's
consent, their plot and limits, and everything about the request as FHIR documents."""

import csv
import json
import pathlib
import socket
import subprocess

import fhir_r4
from browser import Browser, inspect
from generated_reads import GeneratedReads
from network import NetworkTest, Person, TestNetwork, binary

ICARE = pathlib.Path(__file__).resolve().parent.parent / "data" / "icare"
LOOKS = [("en", "light"), ("ja", "dark")]
YES_NO = {"0": "0", "1": "1"}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def published_person(number=0):
    """Answers of one of the published people over 50, and the published risk from 50 to 70."""
    with open(ICARE / "query_ge50.csv", newline="", encoding="utf-8") as file:
        person = list(csv.DictReader(file))[number]
    person["bmi_from_50"] = person.pop("bmi_curc")
    person.pop("id")
    risk = json.loads((ICARE / "golden.json").read_text())["ge50"]["risks"][number]
    return person, risk


class ClinicPages(NetworkTest):
    """A site with pages; one person whose made-up genome is stored with its index."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="48M", start=False))
        cls.port = free_port()
        cls.url = f"http://127.0.0.1:{cls.port}/"
        cls.reads_folder = cls.network.root / "reads"
        cls.reads_folder.mkdir()
        cls.reads = GeneratedReads(cls.reads_folder, sites=40, depth=45)
        cls.scoring = cls.reads_folder / "scoring.txt"
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(config.read_text() + f'\n[web]\nlisten = "127.0.0.1:{cls.port}"\n'
                          f'\n[genome]\nreferences = ["GRCh38={cls.reads_folder / "ref.fa"}"]\n')
        cls.network.up()
        cls.person = Person(cls.network, "P-001", keys=60)
        cls.object = cls.person.store(cls.reads_folder / "reads.cram", genome=True,
                                      assembly="GRCh38")["object"]
        cls.browser = cls.enterClassContext(Browser())

    def tearDown(self):
        super().tearDown()
        self.assertEqual([text for text in self.browser.troubles() if "status of" not in text], [])

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def given(self, **settings):
        """A request for the whole that the person has granted; its id and the consent's."""
        wish = {"object": self.object, "purpose": "medicine", "grantee": "Dr. Ito", "uses": 3,
                **settings}
        options = [part for name, value in wish.items() for part in (f"--{name}", str(value))]
        request = self.at_site("request", "ask", *options)["request"]
        grant = self.at_site("request", "give", request, "--card", self.person.card, "--pin-file",
                             self.person.pin_file, "--yes")["grant"]
        return request, grant

    def events(self, event):
        records = self.at_site("audit", "list", "--limit", "200")["records"]
        return [record for record in records if record["event"] == event]

    def log_in(self):
        self.browser.log_in(self.url, self.at_site("web", "code")["code"])

    def by_command(self, *more):
        """The score of the file itself, as the command line computes it."""
        done = subprocess.run([binary(), "risk", "score", "--score", self.scoring, "--genome",
                               self.reads_folder / "reads.cram", "--fasta",
                               self.reads_folder / "ref.fa", "--json", *more],
                              check=True, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    # --- the pages ---

    def test_a_score_a_risk_its_plot_and_its_documents(self):
        request, grant = self.given()
        self.log_in()
        self.browser.visit(path=f"/app/requests/{request}")
        self.browser.click(role="link", name="Score and risk")
        self.browser.see(role="heading", name="Polygenic score")
        self.browser.attach(label="Scoring file", path=str(self.scoring))
        self.browser.read(text="40 of 40 sites can be used")
        inspect(self, self.browser, "risk-before", LOOKS)
        self.assertEqual(self.events("release"), [], "looking takes nothing")
        self.browser.click(role="button", name="Compute the score")
        self.browser.read(text="takes one of the 3 uses")
        self.browser.click(role="button", name="Compute the score", within="dialog")
        self.browser.see(selector=".risk-result", limit=60_000)
        whole = self.by_command()
        shown = self.browser.text(selector=".risk-result")
        self.assertIn(f"{round(whole['score'], 5):g}", shown)
        self.assertIn(f"{whole['sites_used']} of 40 sites", shown)
        for limit in whole["limits"]:
            self.assertIn(limit, shown)
        self.answer_questions()
        self.browser.click(role="button", name="Compute the risk")
        self.browser.see(selector=".risk-chart svg")
        self.browser.click(selector=".risk-chart summary")
        self.assertIn("70", self.browser.text(selector=".risk-chart table"))
        inspect(self, self.browser, "risk-results", LOOKS)
        self.check_bundle(grant, whole)

    def answer_questions(self):
        answers, _ = published_person()
        model = self.at_model()
        for question in model["questions"]:
            if question["from"] < 50:
                continue
            label = question["en"].replace(" (1 yes, 0 no)", "")
            label = label[0].upper() + label[1:]
            value = answers[question["name"]]
            if question["name"] == "height":
                self.browser.fill(label=label, value=value)
            else:
                self.browser.choose(label=label, value=str(value))

    def at_model(self):
        return self.network.warifu.ask("risk", "absolute", "--questions")

    def check_bundle(self, grant, whole):
        saved = self.browser.download(role="button", name="Save the FHIR Bundle")
        bundle = json.loads(saved["text"])
        self.assertEqual(fhir_r4.findings(bundle), [], saved["text"])
        kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
        for kind in ("Consent", "Provenance", "Observation", "RiskAssessment"):
            self.assertEqual(kinds.count(kind), 1, kinds)
        one = {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}
        self.assertAlmostEqual(one["Observation"]["valueQuantity"]["value"], whole["score"], places=5)
        self.assertAlmostEqual(one["RiskAssessment"]["prediction"][0]["probabilityDecimal"],
                               100 * published_person()[1], delta=1e-3)
        self.assertEqual(one["Consent"]["id"], grant)
        acts = [entry["resource"]["subtype"][0]["code"] for entry in bundle["entry"]
                if entry["resource"]["resourceType"] == "AuditEvent"]
        for act in ("consent_asked", "consent_given", "restore_asked", "release", "score_computed",
                    "risk_computed"):
            self.assertIn(act, acts)
        self.assertEqual(self.network.warifu.ask("risk", "fhir", "--grant", grant, "--site",
                                                 self.network.site("tommo"))["resourceType"],
                         "Bundle")

    # --- the same by command, and what is refused ---

    def test_by_command_under_the_consent_and_no_genotype_comes_out(self):
        _, grant = self.given()
        score = self.at_site("risk", "score", "--score", self.scoring, "--grant", grant)
        whole = self.by_command()
        for name in ("score", "lowest", "highest", "sites_used", "mean_depth", "missing"):
            self.assertEqual(score[name], whole[name], name)
        self.assertNotIn("genotypes", score)
        answers, published = published_person()
        path = self.network.root / "answers.json"
        path.write_text(json.dumps(answers))
        ask = ("risk", "absolute", "--grant", grant, "--answers", path, "--from", 50, "--to", 70)
        plain = self.at_site(*ask)
        self.assertAlmostEqual(plain["risk"], published, delta=1e-5)
        self.assertIsNone(plain["score_adds"])
        self.assertNotEqual(self.at_site(*ask, "--with-score")["risk"], plain["risk"])

    def test_what_cannot_be_takes_no_use(self):
        _, grant = self.given(uses=1)
        bad = self.network.root / "bad.txt"
        bad.write_text("#genome_build=GRCh38\nchr_name\tchr_position\teffect_allele\teffect_weight\n"
                       "20\tx\tA\t1\n")
        score = ("risk", "score", "--grant", grant, "--score")
        self.assert_fails(2, "line 3", self.at_site, *score, bad)
        other = self.network.root / "other.txt"
        other.write_text(self.scoring.read_text().replace("GRCh38", "GRCh37"))
        # What a genome is of only its index says: the use that was taken for it goes on.
        self.assert_fails(2, "GRCh37", self.at_site, *score, other)
        self.assert_fails(3, "is not known|not found|no consent", self.at_site, "risk", "score",
                          "--grant", "f" * 32, "--score", self.scoring)
        self.at_site(*score, self.scoring)
        self.assert_fails(4, "used|uses", self.at_site, *score, self.scoring)
        self.at_site("consent", "withdraw", grant)
        self.assert_fails(4, "withdrawn", self.at_site, *score, self.scoring)
        self.assert_fails(4, "withdrawn", self.at_site, "risk", "absolute", "--grant", grant,
                          "--answers", bad, "--from", 50, "--to", 70)
        bundle = self.at_site("risk", "fhir", "--grant", grant)
        self.assertEqual(fhir_r4.findings(bundle), [])
        self.assertNotIn("Observation", [one["resource"]["resourceType"] for one in bundle["entry"]])


if __name__ == "__main__":
    import unittest
    unittest.main()
