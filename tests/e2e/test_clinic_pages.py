"""The pages of clinicians and researchers, in a real browser: a score and a risk under a person's
consent, their plot and limits, everything about the request as FHIR documents, and the reads."""

import csv
import json
import pathlib
import unittest

import fhir_r4
from browser import Browser, inspect
from clinic_site import ClinicSite
from network import NetworkTest

ICARE = pathlib.Path(__file__).resolve().parent.parent / "data" / "icare"
LOOKS = [("en", "light"), ("ja", "dark")]
REGION = "GRCh38:chr20:3000-9000=TEST1"
PLACE = "chr20:3000-9000"


def published_person(number=0):
    """Answers of one of the published people over 50, and the published risk from 50 to 70."""
    with open(ICARE / "query_ge50.csv", newline="", encoding="utf-8") as file:
        person = list(csv.DictReader(file))[number]
    person["bmi_from_50"] = person.pop("bmi_curc")
    person.pop("id")
    risk = json.loads((ICARE / "golden.json").read_text())["ge50"]["risks"][number]
    return person, risk


class ClinicPages(NetworkTest):
    """One site, one person; every test has a request of its own."""

    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(ClinicSite())
        cls.network, cls.scoring = cls.site.network, cls.site.scoring
        cls.at_site, cls.given = cls.site.ask, cls.site.given
        cls.browser = cls.enterClassContext(Browser())

    def tearDown(self):
        super().tearDown()
        self.assertEqual(self.browser.troubles(), [])

    def events(self, event, grant):
        records = self.at_site("audit", "list", "--limit", "400")["records"]
        return [record for record in records
                if record["event"] == event and record["fields"].get("grant") == grant]

    def by_command(self):
        return json.loads(self.site.score_by_command())

    # --- the pages ---

    def test_a_score_a_risk_its_plot_and_its_documents(self):
        request, grant = self.given()
        self.site.log_in(self.browser)
        self.browser.visit(path=f"/app/requests/{request}")
        self.browser.click(role="link", name="Score and risk")
        self.browser.see(role="heading", name="Polygenic score")
        self.browser.attach(label="Scoring file", path=str(self.scoring))
        self.browser.read(text="40 of 40 sites can be used")
        inspect(self, self.browser, "risk-before", LOOKS)
        self.assertEqual(self.events("release", grant), [], "looking takes nothing")
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
        self.browser.read(text="in the memory of tommo and nowhere else")
        early = json.loads(self.browser.download(role="button", name="Save the results now")["text"])
        self.assertIn("Observation", [one["resource"]["resourceType"] for one in early["entry"]])
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
        self.assertEqual(self.at_site("risk", "fhir", "--grant", grant)["resourceType"], "Bundle")

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
        kept = self.network.warifu.call("risk", "score", "--score", self.scoring, "--grant", grant, "--site",
                                        self.network.site("tommo"))[1]
        expires = next(one["expires"] for one in self.at_site("consent", "list")["consents"] if one["grant"] == grant)
        self.assertIn(f"memory alone: gone when the site stops, and at {expires} at the latest", kept)
        seen = [one["fields"] for one in self.at_site(
            "person", "accesses", "--id", self.site.person.id)["accesses"]
            if one["event"] in ("score_computed", "risk_computed") and one["fields"]["grant"] == grant]
        self.assertEqual(len(seen), 4)
        self.assertEqual(seen[0]["sites"], "40")
        self.assertEqual({one["grantee"] for one in seen}, {"Dr. Ito (person)"})

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
        answers = self.network.root / "none.json"
        answers.write_text("{}")
        self.assert_fails(4, "withdrawn", self.at_site, "risk", "absolute", "--grant", grant,
                          "--answers", answers, "--from", 50, "--to", 70)
        bundle = self.at_site("risk", "fhir", "--grant", grant)
        self.assertEqual(fhir_r4.findings(bundle), [])
        self.assertNotIn("Observation", [one["resource"]["resourceType"] for one in bundle["entry"]])


    def test_under_a_consent_to_regions_only_its_sites_are_read(self):
        _, grant = self.given("GRCh38:chr20:1-41000")
        score = ("risk", "score", "--score", self.scoring, "--grant", grant)
        self.assert_fails(4, "no use was taken", self.at_site, *score)
        half = self.network.root / "half.txt"
        lines = self.scoring.read_text().splitlines(True)
        rows = [line for line in lines if line.startswith("rs") and line[2].isdigit()]
        half.write_text("".join(lines[:-len(rows)] + [
            row for row in rows if int(row.split("\t")[2]) <= 41_000]))
        inside = self.at_site("risk", "score", "--score", half, "--grant", grant)
        self.assertEqual((inside["sites_used"], inside["outside_consent"]), (20, 0))
        self.assertEqual(len(self.events("score_computed", grant)), 1)

    # --- the reads ---

    def test_reads_are_seen_as_far_as_the_consent_goes_and_wiped(self):
        request, grant = self.given(REGION)
        self.site.log_in(self.browser)
        self.browser.visit(path=f"/app/requests/{request}")
        self.browser.click(role="link", name="Look at the reads")
        self.browser.read(text="takes one of the 3 uses")
        inspect(self, self.browser, "reads-before", LOOKS)
        loaded, records = self.site.open_viewer(self.browser, request)
        self.assertEqual(records, self.site.records(PLACE))
        self.assertEqual(loaded, records)
        self.assertIn(REGION, self.browser.text(selector=".clipped"))
        inspect(self, self.browser, "reads", LOOKS)
        self.assertEqual([view["grant"] for view in self.at_site("view", "list")["views"]], [grant])
        self.browser.click(role="button", name="Close and wipe")
        self.browser.read(text="the site has wiped the reads")
        self.assertEqual(self.at_site("view", "list")["views"], [])
        self.assertEqual(len(self.events("view_opened", grant)), 1)

    def test_a_region_of_the_whole_and_a_page_that_goes_away_ends_its_view(self):
        request, grant = self.given()
        self.site.log_in(self.browser, language="en")
        loaded, records = self.site.open_viewer(self.browser, request, region=REGION)
        self.assertEqual((loaded, records), (self.site.records(PLACE),) * 2)
        self.browser.visit(path="/app/")
        self.browser.see(selector="nav")
        self.assertEqual(self.at_site("view", "list")["views"], [])
        self.assertEqual(len(self.events("view_ended", grant)), 1)


if __name__ == "__main__":
    unittest.main()
