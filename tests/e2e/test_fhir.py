"""FHIR R4: what goes out fits the standard's structures, and a Consent that comes in is a wish that
only the card makes a consent."""

import copy
import json
import unittest

import fhir_r4
import genomes
from network import NetworkTest, Person, TestNetwork, random_file

SIZE = 600_000

GOOD = {
    "resourceType": "Consent", "status": "proposed",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
                          "code": "research"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "policyRule": {"coding": [{"code": "OPTIN"}]},
    "provision": {
        "type": "permit",
        "actor": [{"role": {"coding": [{"code": "IRCP"}]},
                   "reference": {"type": "Organization", "display": "ToMMo",
                                 "identifier": {"value": "ror:01dq60k83"}}}],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
                     "code": "HRESCH"},
                    {"system": "http://purl.obolibrary.org/obo/duo.owl", "code": "DUO:0000006"}]}}


class Structures(unittest.TestCase):
    """The checker itself: a good document passes, each defect is found."""

    def test_a_good_document_passes(self):
        self.assertEqual(fhir_r4.findings(GOOD), [])

    def test_every_defect_is_found(self):
        def change(work):
            document = copy.deepcopy(GOOD)
            work(document)
            return fhir_r4.findings(document)
        for part, work in (
                ("status: is missing", lambda d: d.pop("status")),
                ("is none of", lambda d: d.update(status="given")),
                ("no element", lambda d: d.update(provisions={})),
                ("ppc-1", lambda d: d.pop("policyRule")),
                ("must be a list", lambda d: d.update(category=d["category"][0])),
                ("must be an object", lambda d: d.update(scope="research")),
                ("one or more", lambda d: d["provision"].update(actor=[])),
                ("role: is missing", lambda d: d["provision"]["actor"][0].pop("role")),
                ("is no dateTime", lambda d: d.update(dateTime="2026-13-01")),
                ("is empty", lambda d: d["provision"]["purpose"].append({})),
                ("at once", lambda d: d.update(sourceAttachment={"title": "a"},
                                               sourceReference={"display": "b"})),
                ("ext-1", lambda d: d.update(extension=[{"url": "urn:a"}])),
                ("resourceType", lambda d: d.update(resourceType="Patient"))):
            with self.subTest(defect=part):
                self.assertIn(part, str(change(work)))


class Documents(NetworkTest):
    """One network, one person."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))
        cls.person = Person(cls.network, "P-001", keys=60)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]
        variants = genomes.vcf(cls.network.root / "sites.vcf.gz", "GRCh38",
                               (("chr17", 43_044_000, 43_130_000),), 100)
        cls.genome = cls.person.store(variants, genome=True)["object"]

    def ask(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def import_of(self, document, *more):
        path = self.network.root / "consent.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return self.ask("consent", "import", "--fhir", path, "--card", self.person.card,
                        "--pin-file", self.person.pin_file, "--yes", *more)

    def assert_fits(self, resource):
        self.assertEqual(fhir_r4.findings(resource), [], json.dumps(resource, indent=1))

    def test_a_document_becomes_a_consent_by_the_card_and_goes_out_again(self):
        given = self.import_of(GOOD, "--object", self.object)
        self.assertIn("ToMMo (organisation, ror:01dq60k83)", given["text"])
        self.assertIn("(HMB)", given["text"])
        out = self.network.root / "fhir.out"
        self.assert_fails(4, "states no kind", self.network.restore, self.object, given["grant"],
                          out, asker="organisation:ToMMo", as_id="ror:01dq60k83")
        self.network.restore(self.object, given["grant"], out, asker="organisation:ToMMo",
                             as_id="ror:01dq60k83", use="biomedical")
        self.assert_same_bytes(out, self.plain)
        document = self.ask("consent", "receipt", given["grant"], "--fhir")
        self.assert_fits(document)
        self.assert_fits(self.ask("consent", "receipt", given["grant"], "--provenance"))
        # What went out comes in as the same wish, and needs the card again.
        again = self.import_of(document)
        self.assertNotEqual(again["grant"], given["grant"])
        same = self.ask("consent", "receipt", again["grant"], "--fhir")
        for name in ("actor", "purpose", "action", "data"):
            self.assertEqual(same["provision"]["provision"][0][name],
                             document["provision"]["provision"][0][name])

    def test_consents_of_every_kind_fit(self):
        for settings in ({"purpose": "health"}, {"purpose": "medicine", "grantee": "role:nurse"},
                         {"purpose": "research", "data_use": ("DS=MONDO:0007254", "TS=2099-01-01"),
                          "region": ("GRCh38:chr17:43044295-43125364=BRCA1",), "lang": "ja"}):
            with self.subTest(settings=settings):
                grant = self.person.consent(self.genome, **settings)
                self.assert_fits(self.ask("consent", "receipt", grant, "--fhir"))
                self.assert_fits(self.ask("consent", "receipt", grant, "--provenance"))

    def test_the_log_goes_out_as_audit_events(self):
        self.person.consent(self.object)
        code, text, error = self.network.warifu.call(
            "audit", "export", "--format", "fhir", "--site", self.network.site("tommo"))
        self.assertEqual(code, 0, error)
        bundle = json.loads(text)
        self.assertGreater(len(bundle["entry"]), 5)
        self.assert_fits(bundle)

    def test_what_cannot_be_kept_is_refused_and_nothing_is_given(self):
        before = self.ask("consent", "list")["consents"]
        narrowed = copy.deepcopy(GOOD)
        narrowed["provision"]["securityLabel"] = [{"code": "R"}]
        over = copy.deepcopy(GOOD)
        over["provision"]["period"] = {"end": "2020-01-01"}
        for code, part, document in ((2, "securityLabel", narrowed), (4, "period is over", over),
                                     (4, "status", dict(GOOD, status="rejected")),
                                     (2, "no JSON", "{"), (2, "resourceType", "{}")):
            self.assert_fails(code, part, self.import_of, document, "--object", self.object)
        self.assert_fails(2, "names no object", self.import_of, GOOD)
        self.assert_fails(3, "object", self.import_of, GOOD, "--object", "f" * 32)
        self.assertEqual(self.ask("consent", "list")["consents"], before)


if __name__ == "__main__":
    unittest.main()
