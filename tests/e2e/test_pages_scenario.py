"""The reference scenario in browsers only, each person at a page of their own: the biobank enrols and
stores, the person says yes at a kiosk, the clinician reads one region, a site loses what it held and gets it back,
the person looks who was there and takes the consent back."""

import unittest

import genomes
from browser import Browser, inspect
from kiosk import Kiosk
from network import NetworkTest, TestNetwork, wait_until

REGION = "GRCh37:20:31100000-31101000=TEST1"
PLACE = "20:31100000-31101000"
LOOKS = [("en", "light"), ("ja", "dark")]
PIN = "2718"


class PagesScenario(NetworkTest):
    """One control site with pages and a kiosk; four browsers that stay open."""

    NAMES = ("biobank", "person", "clinician", "operator")

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(
            preshare="48M", web=True, link=("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")))
        cls.root = cls.network.root
        cls.url = cls.network.warifu.ask("web", "code", "--site", cls.network.site("tommo"))["url"]
        cls.genome = genomes.bam(cls.root / "reads.bam", genomes.sam_text(
            "GRCh37", [("20", 31_000_000, 31_400_000)], 9_000))
        cls.reader, cls.card = cls.root / "reader.card", cls.root / "aoi.card"
        cls.kiosk = cls.enterClassContext(Kiosk(cls.network, cls.reader))
        cls.browsers = {name: cls.enterClassContext(Browser())
                        for name in cls.NAMES}

    def __getattr__(self, name):
        if name in self.NAMES:
            return self.browsers[name]
        raise AttributeError(name)

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def log_in(self, name):
        self.browsers[name].log_in(self.url, self.at_site("web", "code")["code"])

    def type_pin(self, button):
        self.person.fill(selector="#pin", value=PIN)
        self.person.click(role="button", name=button, exact=True)

    # --- who does what ---

    def test_the_whole_scenario(self):
        self.log_in("operator")
        self.operator.click(role="link", name="Network")
        self.operator.see(selector=".map .site-up")
        with self.subTest("enrolment"):
            self.enrol()
        with self.subTest("storing"):
            self.store()
        with self.subTest("asking"):
            self.ask()
        with self.subTest("consent"):
            self.consent()
        with self.subTest("the region"):
            self.read_region()
        with self.subTest("the reads"):
            self.look_at_reads()
        with self.subTest("a site burns"):
            self.lose_and_repair()
        with self.subTest("taking it back"):
            self.look_and_take_back()
        with self.subTest("the log"):
            self.search_log()
        for name, browser in self.browsers.items():
            found = [text for text in browser.troubles() if "status of" not in text]
            self.assertEqual(found, [], name)

    def enrol(self):
        self.log_in("biobank")
        self.biobank.click(role="link", name="People and data")
        self.biobank.fill(label="Id", value="P-001")
        self.biobank.fill(label="Name", value="佐藤 葵")
        self.biobank.click(role="button", name="Send to the kiosk")
        code = self.biobank.text(selector=".order-code").strip()
        self.network.warifu.call("card", "make-blank", self.card, "--card-type", "one-time")
        self.person.open(url=f"http://127.0.0.1:{self.kiosk.port}/#{self.kiosk.key}", language="en",
                         theme="light")
        self.person.see(role="heading", name="Put your card on the reader")
        self.card.rename(self.reader)
        self.person.fill(selector=".order-code", value=code)
        self.person.click(role="button", name="Continue", exact=True)
        self.person.click(role="button", name="That is me, go on")
        self.type_pin("Continue")
        self.type_pin("Enrol me")
        self.person.see(role="heading", name="Your card is ready", limit=30_000)
        self.biobank.read(text="made at")

    def store(self):
        self.biobank.click(role="link", name="P-001")
        self.biobank.attach(label="File", path=str(self.genome))
        self.biobank.attach(label="Its index (CRAM, BAM, VCF, BCF)", path=str(self.genome) + ".bai")
        self.biobank.click(role="button", name="Store", exact=True)
        self.biobank.read(text="The site has all of it")
        self.biobank.click(role="link", name="Jobs")
        self.biobank.read(selector="main", text="done", limit=60_000)
        stored = self.at_site("object", "list")["objects"][0]
        type(self).stored = stored["object"]
        # The operator sees where it went, without a reload.
        self.operator.choose(label="Object", value=self.stored)
        self.operator.see(selector=".map .site-holds")
        inspect(self, self.operator, "scenario-placement", LOOKS)

    def ask(self):
        self.log_in("clinician")
        self.clinician.click(role="link", name="Consents")
        self.clinician.choose(label="Person", value="P-001")
        self.clinician.choose(label="Data", value=self.stored)
        self.clinician.choose(label="Purpose", value="medicine")
        self.clinician.fill(label="Who will use it", value="Dr. Ito")
        self.clinician.fill(label="Number of uses", value="3")
        self.clinician.fill(selector=".regions textarea", value=REGION)
        self.clinician.click(role="button", name="Ask", exact=True)
        self.clinician.read(text="has not decided yet")
        type(self).request = self.at_site("request", "list")["requests"][0]["request"]

    def consent(self):
        # The card gets the stored file's record when it opens the page.
        self.person.click(role="button", name="To my page")
        self.type_pin("Continue")
        self.person.see(role="heading", name="Hello, 佐藤 葵")
        self.person.click(role="button", name="Read and decide")
        self.person.see(selector=".consent-text")
        self.person.click(role="button", name="Find the places", exact=True)
        self.type_pin("Find the places")
        self.person.see(role="heading", name="What would be read", limit=30_000)
        self.assertIn("TEST1", self.person.text(selector=".consent-text"))
        self.person.click(role="button", name="I agree")
        self.type_pin("Agree")
        self.person.see(role="heading", name="You have agreed", limit=30_000)
        self.person.shot("scenario-agreed")

    def read_region(self):
        self.clinician.see(role="button", name="Restore and download", limit=20_000)
        saved = self.clinician.download(role="button", name="Restore and download")
        shown = self.at_site("request", "show", self.request)
        out = self.root / "region.bam"
        self.network.restore(self.stored, shown["grant"], out, region=(REGION,), asker="Dr. Ito",
                             purpose="medicine")
        self.assertEqual(saved["bytes"], out.stat().st_size)
        self.assertEqual(genomes.reads(out), genomes.reads(self.genome, PLACE))
        out.unlink()

    def look_at_reads(self):
        """In igv.js, by the site's own htsget server."""
        self.clinician.click(role="link", name="Look at the reads")
        self.clinician.see(role="button", name="Open")
        self.clinician.click(role="button", name="Open", exact=True)
        self.clinician.see(selector=".clipped", limit=60_000)
        wait_until(lambda: self.clinician.text(selector="p.figure[role=status]")[0] in "123456789", 30,
                   "reads in the picture")
        self.clinician.shot("scenario-reads")
        self.assertEqual(len(self.at_site("view", "list")["views"]), 1)
        self.clinician.visit(path=f"/app/requests/{self.request}")
        self.clinician.see(role="heading", name="Decision")

    def lose_and_repair(self):
        """LSA's machine burns and comes back without what it held; that is made anew from the others'."""
        _, share = self.network.share_path(self.stored, "B")
        self.network.kill("lsa")
        self.operator.see(selector=".map .site-silent", limit=30_000)
        self.operator.read(text="Site does not answer: lsa")
        inspect(self, self.operator, "scenario-burnt", LOOKS)
        share.unlink()
        self.network.up("lsa")
        self.operator.see(selector=".map .site-silent", gone=True, limit=30_000)
        missing = self.network.warifu.call("object", "check", self.stored, "--json", "--site",
                                           self.network.site("tommo"))[1]
        self.assertIn('"missing"', missing)
        self.at_site("object", "repair", self.stored, "--share", "B", "--to", "lsa")
        self.biobank.read(selector="main", text="repair", limit=30_000)
        wait_until(lambda: self.biobank.text(selector="main").count("done") >= 2, 30, "the repair's end")
        self.biobank.shot("scenario-repaired")

    def look_and_take_back(self):
        self.person.click(role="button", name="Done")
        self.person.click(role="button", name="Every use so far")
        self.person.read(text="Data were handed out")
        self.person.read(text="Dr. Ito")
        self.person.click(role="button", name="What I allow")
        self.person.click(role="button", name="Take it back")
        self.type_pin("Take it back")
        self.person.see(role="heading", name="The consent is withdrawn", limit=30_000)
        self.clinician.read(selector="main", text="withdrawn", limit=20_000)

    def search_log(self):
        self.operator.click(role="link", name="Log and proofs")
        self.operator.fill(label="Object, card, route or other text", value=self.stored[:12])
        self.operator.click(role="button", name="Search")
        for act in ("object_committed", "consent_asked", "consent_given", "release"):
            self.operator.read(selector="main", text=act)


if __name__ == "__main__":
    unittest.main()
