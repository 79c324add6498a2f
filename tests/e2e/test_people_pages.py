"""The pages for people, in a real browser: a clinician asks for a consent, the person reads and gives
or refuses it at a kiosk with a card, the clinician restores."""

import hashlib
import http.client
import json
import unittest

import genomes
from browser import Browser, inspect
from kiosk import Kiosk
from network import free_port, NetworkTest, Person, random_file, TestNetwork

SIZE = 2_500_000
KIOSK_LOOKS = [("en", "light"), ("ja", "light")]


class PeoplePages(NetworkTest):
    """A site with pages, one person with a stored file, and a kiosk whose reader is a file: the card
    lies on it when the file is there."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="32M", start=False))
        cls.port = free_port()
        cls.url = f"http://127.0.0.1:{cls.port}/"
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(config.read_text() + f'\n[web]\nlisten = "127.0.0.1:{cls.port}"\n')
        cls.network.up()
        cls.person = Person(cls.network, "P-001", keys=40)
        cls.plain = random_file(cls.network.root / "genome.cram", SIZE, seed=11)
        cls.stored = cls.person.store(cls.network.root / "genome.cram")["object"]
        cls.other = Person(cls.network, "P-002", pin="3141", keys=8)  # whose files are uploaded
        cls.reader = cls.network.root / "reader.card"
        cls.kiosk = cls.enterClassContext(Kiosk(cls.network, cls.reader))
        cls.browser = cls.enterClassContext(Browser())

    def setUp(self):
        self.take_card()

    def tearDown(self):
        super().tearDown()
        troubles = self.browser.troubles()
        if getattr(self, "watched", True):
            self.assertEqual([text for text in troubles if "status of" not in text], [])

    # --- what people do ---

    def put_card(self):
        """The card on the reader: the same memory, so what it spends there is spent."""
        self.person.card.rename(self.reader)

    def take_card(self):
        if self.reader.exists():
            self.reader.rename(self.person.card)

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def ask(self, **settings):
        wish = {"object": self.stored, "purpose": "medicine", "grantee": "Dr. Ito", **settings}
        options = [part for name, value in wish.items() for part in (f"--{name}", str(value))]
        return self.at_site("request", "ask", *options)

    def state_of(self, request):
        return self.at_site("request", "show", request)["state"]

    def log_in(self):
        self.browser.log_in(self.url, self.at_site("web", "code")["code"])

    def open_kiosk(self, pin="2718"):
        self.browser.open(url=self.kiosk.page_url, language="en", theme="light")
        self.browser.see(role="heading", name="Put your card on the reader")
        self.put_card()
        self.browser.see(role="heading", name="Please enter your PIN")
        self.type_pin(pin, "Continue")

    def type_pin(self, pin, button):
        self.browser.fill(selector="#pin", value=pin)
        self.browser.click(role="button", name=button, exact=True)

    def look(self, name):
        """Both languages of the kiosk, for everybody."""
        for language, label in (("ja", "日本語"), ("en", "English")):
            self.browser.click(role="button", name=label, exact=True)
            if name in ("kiosk-read", "kiosk-index", "kiosk-regions"):
                self.browser.see(selector=".decide")
            self.browser.shot(f"{name}-{language}")
            self.assertEqual(self.browser.axe(), [], f"{name} in {language}")

    # --- the reference scenario ---

    def test_a_clinician_asks_the_person_gives_and_the_data_come(self):
        self.log_in()
        self.browser.click(role="link", name="Consents")
        self.browser.see(role="heading", name="Ask for a consent")
        self.browser.choose(label="Person", value="P-001")
        self.browser.choose(label="Data", value=self.stored)
        self.browser.choose(label="Purpose", value="medicine")
        self.browser.fill(label="Who will use it", value="Dr. Ito")
        self.browser.fill(label="Message to the person", value="for Tuesday")
        self.find_genes()
        inspect(self, self.browser, "requests-ask", KIOSK_LOOKS)
        self.browser.click(role="button", name="Ask", exact=True)
        self.browser.read(text="has not decided yet")
        inspect(self, self.browser, "request-waiting", KIOSK_LOOKS)
        request = self.at_site("request", "list")["requests"][0]
        self.assertEqual((request["state"], request["note"]), ("asked", "for Tuesday"))
        with Browser() as clinician:
            # The clinician's page stays open in a browser of its own while the person decides.
            clinician.log_in(self.url, self.at_site("web", "code")["code"])
            clinician.visit(path=f"/app/requests/{request['request']}")
            clinician.read(text="has not decided yet")
            self.give_at_kiosk()
            clinician.see(role="button", name="Restore and download", limit=20_000)
            self.assertEqual(self.state_of(request["request"]), "given")
            inspect(self, clinician, "request-given", KIOSK_LOOKS)
            saved = clinician.download(role="button", name="Restore and download")
            self.assertEqual(saved["name"], "genome.cram")
            self.assertEqual(saved["bytes"], SIZE)
            self.assertEqual(saved["sha256"], hashlib.sha256(self.plain).hexdigest())
            document = clinician.download(role="button", name="FHIR Consent")
            self.assertEqual(json.loads(document["text"])["resourceType"], "Consent")
            self.assertEqual(clinician.troubles(), [])
        self.withdraw_at_kiosk()
        self.assertEqual(self.state_of(request["request"]), "withdrawn")

    def find_genes(self):
        """By the keyboard alone; what is found is a place of the site's own table."""
        self.browser.fill(label="Find a gene", value="her2")
        self.browser.see(selector="[role=option]")
        inspect(self, self.browser, "requests-genes", KIOSK_LOOKS)
        self.browser.fill(label="Find a gene", value="brca")
        self.browser.read(text="BRCA2")
        for key in ("ArrowDown", "Enter"):
            self.browser.press(key=key)
        regions = self.browser.evaluate(
            script="document.querySelector('.regions textarea').value")
        self.assertRegex(regions, r"^GRCh38:chr13:\d+-\d+=BRCA2$")
        self.browser.choose(label="Hide the regions from the sites that keep the shares", value="3")
        inspect(self, self.browser, "requests-decoys", [("ja", "light")])
        self.browser.shot("requests-decoys")
        self.browser.fill(selector=".regions textarea", value="")

    def test_regions_take_two_steps_at_the_kiosk(self):
        places = (("20", 31_000_000, 31_500_000),)
        reads = genomes.bam(self.network.root / "reads.bam", genomes.sam_text("GRCh37", places, 4_000))
        self.person = Person(self.network, "P-003", keys=12)  # of this test
        self.addCleanup(self.take_card)
        stored = self.person.store(reads, genome=True)["object"]
        region = "GRCh37:20:31000001-31450000=WIDE"
        request = self.ask(object=stored, region=region, uses=2)["request"]
        self.open_kiosk()
        self.browser.click(role="button", name="Read and decide")
        self.browser.see(selector=".steps")
        self.look("kiosk-index")
        self.browser.click(role="button", name="Find the places", exact=True)
        self.type_pin("0000", "Find the places")
        self.browser.read(text="The PIN was wrong")
        self.look("kiosk-wrong-pin")
        self.type_pin("2718", "Find the places")
        self.browser.see(role="heading", name="What would be read")
        self.look("kiosk-regions")
        self.assertIn("31000001-31450000 (WIDE)", self.browser.text(selector=".consent-text"))
        self.assertIn("could tell by the data alone", self.browser.text(selector=".identifies"))
        self.assertEqual(self.state_of(request), "asked")
        self.browser.click(role="button", name="I agree")
        self.type_pin("2718", "Agree")
        self.browser.see(role="heading", name="You have agreed")
        self.assertEqual(self.state_of(request), "given")
        self.browser.click(role="button", name="Done")
        self.browser.click(role="button", name="What I allow")
        self.browser.read(text="the index alone")
        self.look("kiosk-allowed")
        # The clinician's page has the regions, as a command does.
        self.log_in()
        self.browser.visit(path=f"/app/requests/{request}")
        saved = self.browser.download(role="button", name="Restore and download")
        self.assertEqual(saved["name"], "reads.regions.bam")
        out = self.network.root / "regions.out"
        self.network.restore(stored, self.at_site("request", "show", request)["grant"], out,
                             asker="Dr. Ito", purpose="medicine", region=region)
        self.assertEqual(genomes.reads(out), genomes.reads(reads, "20:31000001-31450000"))
        self.assertEqual(saved["sha256"], hashlib.sha256(out.read_bytes()).hexdigest())
        self.browser.open(url=self.kiosk.page_url, language="en", theme="light")  # a site may stop now

    def give_at_kiosk(self):
        self.browser.open(url=self.kiosk.page_url, language="en", theme="light")
        self.browser.see(role="heading", name="Put your card on the reader")
        self.look("kiosk-welcome")
        self.put_card()
        self.browser.see(role="heading", name="Please enter your PIN")
        self.look("kiosk-pin")
        self.type_pin("1111", "Continue")
        self.browser.see(selector=".problem")
        self.browser.read(text="Tries left: 2")
        self.type_pin("2718", "Continue")
        self.browser.see(role="heading", name="Hello, Person P-001")
        self.look("kiosk-requests")
        self.browser.click(role="button", name="Read and decide")
        self.browser.see(selector=".consent-text")
        self.look("kiosk-read")
        text = self.browser.text(selector=".consent-text")
        for word in ("Dr. Ito", "tommo", self.stored):
            self.assertIn(word, text)
        self.browser.click(role="button", name="I agree")
        self.look("kiosk-sign")
        self.type_pin("2718", "Agree")
        self.browser.see(role="heading", name="You have agreed")
        self.look("kiosk-given")
        receipt = self.browser.download(role="button", name="Save the receipt")
        self.assertIn("Dr. Ito", receipt["text"])
        self.take_card()
        self.browser.see(role="heading", name="Put your card on the reader")

    def withdraw_at_kiosk(self):
        self.open_kiosk()
        self.browser.click(role="button", name="Every use so far")
        self.browser.read(text="Data were handed out")
        self.look("kiosk-history")
        self.browser.click(role="button", name="What I allow")
        self.look("kiosk-consents")
        self.browser.click(role="button", name="Take it back")
        self.type_pin("2718", "Take it back")
        self.browser.see(role="heading", name="The consent is withdrawn")
        self.look("kiosk-withdrawn")

    def test_the_person_refuses_and_whoever_asked_sees_why(self):
        request = self.ask(grantee="organisation:ToMMo", purpose="research")["request"]
        self.open_kiosk()
        self.browser.see(role="button", name="Read and decide")
        self.browser.click(role="button", name="Read and decide")
        self.browser.click(role="button", name="I refuse")
        self.browser.fill(selector="textarea", value="not for research")
        self.look("kiosk-refuse")
        self.browser.click(role="button", name="I refuse")
        self.browser.see(role="heading", name="You have refused")
        shown = self.at_site("request", "show", request)
        self.assertEqual((shown["state"], shown["why"]), ("refused", "not for research"))
        events = [record["event"] for record in self.at_site("audit", "list")["records"]]
        for event in ("consent_asked", "consent_refused"):
            self.assertIn(event, events)

    def test_another_card_ends_the_session(self):
        request = self.ask()["request"]
        self.open_kiosk()
        self.browser.see(role="button", name="Read and decide")
        # Exchanged in one moment, which no look at the reader can see.
        self.person.card.hardlink_to(self.reader)
        self.other.card.replace(self.reader)
        self.browser.click(role="button", name="Read and decide")
        self.browser.see(role="heading", name="Please enter your PIN")
        self.assertEqual(self.browser.text(selector="main").count("Dr. Ito"), 0)
        self.reader.rename(self.other.card)
        self.at_site("request", "cancel", request)

    def test_who_has_no_key_or_comes_from_elsewhere_gets_nothing_of_a_kiosk(self):
        own = f"http://127.0.0.1:{self.kiosk.port}"
        key = self.kiosk.page_url.partition("#")[2]
        self.assertEqual(len(key), 64)
        self.assertEqual(self.kiosk.address.stat().st_mode & 0o777, 0o600)

        def ask(method, path, **headers):
            connection = http.client.HTTPConnection("127.0.0.1", self.kiosk.port, timeout=20)
            connection.request(method, path, body="" if method == "POST" else None,
                               headers={"Host": f"127.0.0.1:{self.kiosk.port}", **headers})
            status = connection.getresponse().status
            connection.close()
            return status

        good = {"Origin": own, "Warifu-Page": key}
        self.assertEqual(ask("GET", "/v1/kiosk", **good), 200)
        self.assertEqual(ask("GET", "/"), 200)
        self.assertEqual(ask("GET", "/v1/kiosk"), 401)
        self.assertEqual(ask("GET", "/v1/kiosk", **{"Warifu-Page": key[:-1] + "x"}), 401)
        self.assertEqual(ask("GET", "/v1/kiosk", **{**good, "Host": "evil.example"}), 421)
        self.assertEqual(ask("POST", "/v1/kiosk/enter", **{**good, "Origin": "http://evil"}), 403)
        self.assertEqual(ask("POST", "/v1/kiosk/enter", **{"Warifu-Page": key}), 403)
        self.assertEqual(ask("GET", "/v1/kiosk/page", **good), 403, "without a session")
        self.assertEqual(ask("POST", "/v1/kiosk/enter", **good), 404, "without a card")
        self.assert_fails(2, "loopback", self.at_site, "kiosk", "--card", "x", "--listen",
                          "0.0.0.0:8490")

    # --- requests by command ---

    def test_a_request_is_given_cancelled_and_judged_by_command(self):
        one = self.ask(uses=2, note="by command")
        self.assertEqual((one["state"], one["uses"], one["person"]), ("asked", 2, "P-001"))
        given = self.at_site("request", "give", one["request"], "--card", self.person.card,
                             "--pin-file", self.person.pin_file, "--yes")
        shown = self.at_site("request", "show", one["request"])
        self.assertEqual((shown["state"], shown["grant"]), ("given", given["grant"]))
        self.assert_fails(4, "is given", self.at_site, "request", "cancel", one["request"])
        two = self.at_site("request", "ask", "--person", "P-001", "--purpose", "research",
                           "--grantee", "organisation:ToMMo", "--region",
                           "GRCh38:chr17:43044295-43125364=BRCA1")
        self.assertEqual(two["regions"], ["GRCh38:chr17:43044295-43125364=BRCA1"])
        self.assertEqual(self.at_site("request", "cancel", two["request"])["state"], "cancelled")
        self.assert_fails(4, "is cancelled", self.at_site, "request", "give", two["request"],
                          "--card", self.person.card, "--pin-file", self.person.pin_file, "--yes")
        for code, pattern, options in (
                (3, "not enrolled", {"person": "P-9", "object": ""}),
                (2, "purpose", {"purpose": "fun"}), (2, "destination", {"destination": "mars"}),
                (2, "valid", {"valid": "1s"}), (2, "open_seconds", {"open": "100d"}),
                (3, "is not known", {"object": "0" * 31 + "1"})):
            self.assert_fails(code, pattern, self.ask, **options)

    def test_requests_outlive_the_site(self):
        request = self.ask(note="durable")["request"]
        self.network.kill("tommo")
        self.network.up()
        self.assertEqual(self.at_site("request", "show", request)["note"], "durable")
        self.at_site("request", "cancel", request)


if __name__ == "__main__":
    unittest.main()
