"""The kiosk answers every kind of request with every kind of card: regions, which take two consents,
and all of it; what goes wrong at a reader is said, and the next touch works."""

import contextlib
import os
import shutil
import unittest
from unittest import mock

import genomes
from cards import reader_or_skip
from kiosk import Kiosk, Trouble
from network import NetworkTest, Person, TestNetwork, wait_until
from test_pkcs11 import SOFTHSM, SoftToken
from test_signature import Authority, make_card, set_cards

from warifu_cli import options

PLACES = (("20", 31_000_000, 31_040_000), ("20", 50_000_000, 50_200_000))
GENE = "GRCh37:20:31020000-31022000=GENE"
PIN = {"one": "2718", "jpki": "1234", "token": "123456", "desfire": ""}


class KioskCards(NetworkTest):
    """Four people, each with another kind of card and the same genome; a kiosk whose reader is a
    file: a card lies on it when the file is there."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="48M", start=False))
        root = cls.network.root
        cls.authority = Authority(root / "authority")
        set_cards(cls.network, [f'test_anchors = ["{cls.authority.certificate}"]',
                                'revocation_missing = "accept"'])
        cls.network.up()
        cls.file = genomes.bam(root / "reads.bam", genomes.sam_text("GRCh37", PLACES, 9_000))
        cls.one = Person(cls.network, "P-one", pin=PIN["one"], keys=60)
        cls.cards = {"one": cls.one.card}
        cls.objects = {"one": cls.one.store(cls.file, genome=True)["object"]}
        cls.add_card("desfire", None, card_type="desfire")
        (root / "jpki.pin").write_text(PIN["jpki"] + "\n")
        (root / "sign.pin").write_text("ABC123\n")
        make_card(root / "jpki.card", root / "jpki.pin", root / "sign.pin", cls.authority)
        cls.add_card("jpki", root / "jpki.pin", card_type="jpki")
        cls.wait_until_kept()
        cls.reader = root / "reader.card"
        cls.kiosk = cls.enterClassContext(Kiosk(cls.network, cls.reader))

    @classmethod
    def add_card(cls, name, pin_file, card_type):
        card = cls.cards[name] = cls.network.root / f"{name}.card"
        cls.network.enrol(f"P-{name}", f"Person {name}", card, pin_file, card_type=card_type)
        # Of a signature card nothing is kept on it.
        of_card = {} if card_type == "jpki" else {"card": card}
        cls.objects[name] = cls.network.store(cls.file, f"P-{name}", genome=True,
                                              **of_card)["object"]

    @classmethod
    def wait_until_kept(cls):
        """Of a signature card's objects the records are in safekeeping and nowhere else."""
        wait_until(lambda: cls.network.warifu.ask("card", "status", "--site", cls.network.site(
            "tommo"))["not_kept"] == 0, 60, "the records to be kept")

    def tearDown(self):
        super().tearDown()
        self.lift()

    # --- what people do ---

    @contextlib.contextmanager
    def laid(self, name):
        """A card on the reader: the same memory, so what it spends there is spent."""
        self.cards[name].rename(self.reader)
        self.on_reader = name
        try:
            yield self.kiosk
        finally:
            self.lift()

    def lift(self):
        if self.reader.exists():
            self.reader.rename(self.cards[self.on_reader])
            self.kiosk.wait_for_card(False)

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def ask_for(self, name, *regions, **settings):
        wish = {"object": self.objects[name], "purpose": "medicine", "grantee": "Dr. Ito",
                "region": regions, **settings}
        return self.at_site("request", "ask", *options(**wish))["request"]

    def request(self, request):
        return self.at_site("request", "show", request)

    def assert_trouble(self, trouble, function, *arguments):
        with self.assertRaises(Trouble) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.trouble, trouble, str(caught.exception))
        return caught.exception

    def give_regions(self, kiosk, name, request, language="en"):
        """Both consents; the second one's text and quote, and the grant."""
        pin = PIN[name]
        index = kiosk.read(request, language)
        self.assertEqual(index["part"], "index")
        self.assertEqual(self.request(request)["state"], "asked")
        regions = kiosk.accept(index, pin)
        self.assertEqual((regions["part"], regions["language"]), ("regions", language))
        self.assertEqual(self.request(request)["state"], "asked", "an index is no answer")
        given = kiosk.accept(regions, pin)
        self.assertEqual(given["part"], "given")
        return regions, given

    def assert_restores(self, name, grant, region=GENE):
        out = self.network.root / "out"
        self.network.restore(self.objects[name], grant, out, asker="Dr. Ito", purpose="medicine",
                             region=(region,))
        place = region.partition(":")[2].partition("=")[0]
        expected = genomes.reads(self.file, place)
        self.assertGreater(len(expected), 10)
        self.assertEqual(genomes.reads(out), expected)
        out.unlink()

    # --- every kind of request, every kind of card ---

    def test_regions_with_every_card(self):
        for name in ("one", "desfire", "jpki"):
            with self.subTest(card=name), self.laid(name) as kiosk:
                # One of them hides which gene it is from the sites of shares.
                decoys = {"decoys": 1} if name == "jpki" else {}
                request = self.ask_for(name, GENE, **decoys)
                self.assertEqual(kiosk.enter(PIN[name])["person"], f"P-{name}")
                regions, given = self.give_regions(kiosk, name, request)
                quote = regions["quote"]
                self.assertLess(quote["chunks"], quote["chunks_of_object"])
                self.assertGreater(quote["key_bits_of_whole"], quote["key_bits"])
                self.assertIn("20:31020000-31022000 (GENE)", regions["text"])
                self.assertIn(f"Stored data that is read: {quote['chunks']} piece", regions["text"])
                self.assertEqual("are not told which regions" in regions["text"], bool(decoys))
                self.assertEqual(quote["decoys"], len(decoys))
                self.assertFalse(regions["identification"]["identifies"])
                shown = self.request(request)
                self.assertEqual((shown["state"], shown["grant"]), ("given", given["grant"]))
                self.assert_restores(name, given["grant"])
                consents = {one["part"]: one for one in kiosk.page()["consents"]}
                self.assertEqual(consents["regions"]["regions"], [GENE])
                self.assertIn("index", consents)
                events = {one["event"] for one in kiosk.history()["accesses"]}
                self.assertIn("release", events)

    def test_all_of_it_with_every_card(self):
        for name in ("one", "desfire", "jpki"):
            with self.subTest(card=name), self.laid(name) as kiosk:
                request = self.ask_for(name, grantee="Dr. Whole")
                kiosk.enter(PIN[name])
                read = kiosk.read(request, "ja")
                self.assertEqual((read["part"], read["quote"]), ("whole", None))
                self.assertIn("ゲノム情報の利用への同意", read["text"])
                given = kiosk.accept(read, PIN[name])
                self.assertEqual(self.request(request)["grant"], given["grant"])
                told = kiosk.withdraw(given["grant"], PIN[name])
                self.assertEqual((len(told["told"]), told["waiting"]), (6, []))

    def test_a_token(self):
        for needed in (shutil.which("softhsm2-util"), shutil.which("pkcs11-tool"),
                       os.path.exists(SOFTHSM)):
            if not needed:
                self.skipTest("softhsm2 and opensc are needed")
        hsm = self.network.root / "hsm"
        (hsm / "tokens").mkdir(parents=True)
        (hsm / "softhsm.conf").write_text(f"directories.tokendir = {hsm}/tokens\nlog.level = ERROR\n")
        with mock.patch.dict(os.environ, {"SOFTHSM2_CONF": str(hsm / "softhsm.conf")}):
            SoftToken(self.network.root / "aoi", "aoi", "p256", self.authority)
            (self.network.root / "token.pin").write_text(PIN["token"] + "\n")
            token = {"module": SOFTHSM, "module_files": hsm, "token_label": "aoi"}
            self.at_site("person", "enrol", *options(id="P-token", name="Person token",
                                                     card_type="pkcs11", **token,
                                                     pin_file=self.network.root / "token.pin"))
            self.objects["token"] = self.network.store(self.file, "P-token", genome=True)["object"]
            self.wait_until_kept()
            request = self.ask_for("token", GENE)
            with Kiosk(self.network, None, *options(**token)) as kiosk:
                self.assert_trouble("wrong_pin", kiosk.enter, "654321")
                self.assert_trouble("no_pin", kiosk.enter, "")
                kiosk.enter(PIN["token"])
                _, given = self.give_regions(kiosk, "token", request)
                self.assertEqual(given["card_kind"], "signature_emulated")
                self.assert_restores("token", given["grant"])

    # --- the two consents ---

    def test_the_person_refuses_what_it_takes(self):
        request = self.ask_for("one", GENE)
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            kiosk.accept(kiosk.read(request), PIN["one"])
            kiosk.refuse(request, "too much")
            self.assertEqual(self.request(request)["why"], "too much")
            newest = kiosk.page()["consents"][0]
            self.assertEqual((newest["part"], newest["state"]), ("index", "withdrawn"))

    def test_who_breaks_off_goes_on_or_begins_again(self):
        """The kiosk dies between the two consents, then the site does, then both."""
        request = self.ask_for("one", GENE)
        with self.laid("one"):
            first = Kiosk(self.network, self.reader).__enter__()
            first.enter(PIN["one"])
            first.accept(first.read(request), PIN["one"])
            first.kill()
            with Kiosk(self.network, self.reader) as kiosk:
                kiosk.enter(PIN["one"])
                for language in ("en", "ja", "en"):  # the same quote: no use is spent for it
                    self.assertEqual(kiosk.read(request, language)["part"], "regions")
                self.restart_site()
                stale = kiosk.read(request)  # by the other use of the consent to the index
                self.assertEqual(stale["part"], "regions")
                self.restart_site()
                self.assertEqual(kiosk.read(request)["part"], "index", "both uses are spent")
                self.assert_trouble("other", kiosk.accept, stale, PIN["one"])
                _, given = self.give_regions(kiosk, "one", request)
                self.assert_restores("one", given["grant"])

    def restart_site(self):
        self.network.kill("tommo")
        self.network.up()

    def test_the_meter_adds_up_what_somebody_has(self):
        """Forty independent places identify a person, or nine short tandem repeats."""
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            before = 0
            for place, crosses in (("30000000-30199999", False), ("60000000-60199999", True)):
                request = self.ask_for("one", f"GRCh37:20:{place}", grantee="Dr. Meter")
                regions, _ = self.give_regions(kiosk, "one", request, "ja")
                reading = regions["identification"]
                self.assertEqual(reading["before"]["independent_snps"], before)
                self.assertEqual((reading["crosses"], reading["identifies"]), (crosses, crosses))
                self.assertIn("個人識別符号", reading["text"])
                before = reading["after"]["independent_snps"]
                self.assertGreater(before, 15)

    def test_a_gene_by_its_name(self):
        gene = self.network.warifu.ask("genes", "BRCA1")["genes"][0]["region"]
        request = self.request(self.ask_for("one", "gene:brca1", "GRCh38:chr1:5-9=x"))
        self.assertEqual(request["regions"], ["GRCh38:chr1:5-9=x", gene])
        self.assert_fails(3, "NOGENE1", self.ask_for, "one", "gene:NOGENE1")
        self.at_site("request", "cancel", request["request"])

    def test_regions_by_command(self):
        request = self.ask_for("one", GENE)
        given = self.at_site("request", "give", request, "--card", self.cards["one"], "--pin-file",
                             self.one.pin_file, "--yes")
        self.assertEqual(self.request(request)["grant"], given["grant"])
        self.assert_restores("one", given["grant"])

    # --- withdrawals ---

    def test_a_withdrawal_says_who_has_heard_of_it(self):
        request = self.ask_for("one", grantee="Dr. Whole")
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            grant = kiosk.accept(kiosk.read(request), PIN["one"])["grant"]
            self.network.kill("lsa")
            try:
                told = kiosk.withdraw(grant, PIN["one"])
                self.assertEqual([one["site"] for one in told["waiting"]], ["lsa"])
                self.assertEqual(len(told["told"]), 5)
            finally:
                self.network.up()
            wait_until(lambda: any(grant in str(record["fields"]) for record in
                                   self.network.warifu.ask("audit", "list", "--site",
                                                           self.network.site("lsa"))["records"]
                                   if record["event"] == "consent_withdrawn"), 40, "lsa to hear of it")

    # --- what goes wrong ---

    def test_pins_that_are_wrong(self):
        with self.laid("jpki") as kiosk:
            self.assert_trouble("no_pin", kiosk.enter, "12345678")
            self.assert_trouble("wrong_pin", kiosk.enter, "0000")
            self.assertEqual(kiosk.view()["card"]["pin_tries_left"], 2)
            kiosk.enter(PIN["jpki"])
        other = Person(self.network, "P-last", pin="3141", keys=6)
        self.cards["last"] = other.card
        with self.laid("last") as kiosk:
            self.assert_trouble("no_pin", kiosk.enter, "")
            for _ in range(2):
                self.assert_trouble("wrong_pin", kiosk.enter, "0000")
            self.assert_trouble("last_try", kiosk.enter, "3141")
            self.assertEqual(kiosk.view()["card"]["pin_tries_left"], 1, "the last one is not spent")
        with self.laid("one") as kiosk:  # the next person
            kiosk.enter(PIN["one"])

    def test_cards_that_are_anothers_or_nobodys(self):
        request = self.ask_for("one")
        self.cards["blank"] = self.network.root / "blank.card"
        # An enrolment that is refused leaves a card that is nobody's.
        self.assert_fails(8, "P-one", self.network.enrol, "P-one", "Again", self.cards["blank"],
                          self.one.pin_file)
        with self.laid("blank") as kiosk:
            self.assert_trouble("blank_card", kiosk.enter, "0000")
        self.reader.write_text("no card at all")
        self.assertEqual(self.kiosk.view()["trouble"], "unreadable")
        self.reader.unlink()
        make_card(self.network.root / "stranger.card", self.network.root / "jpki.pin",
                  self.network.root / "sign.pin", self.authority)
        self.cards["stranger"] = self.network.root / "stranger.card"
        with self.laid("stranger") as kiosk:
            self.assert_trouble("unknown_card", kiosk.enter, PIN["jpki"])
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            prepared = kiosk.read(request)
            # Exchanged in one moment, which no look at the reader can see.
            self.cards["one"].hardlink_to(self.reader)
            self.cards["desfire"].replace(self.reader)
            self.on_reader = "desfire"
            self.assert_trouble("other_card", kiosk.accept, prepared, PIN["one"])
            self.assertIsNone(kiosk.view()["session"])
            self.assertEqual(kiosk.enter()["person"], "P-desfire")
            self.assert_trouble("other", kiosk.read, request)  # somebody else's
        self.at_site("request", "cancel", request)

    def test_a_request_that_is_gone(self):
        request = self.ask_for("one", GENE)
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            prepared = kiosk.read(request)
            self.at_site("request", "cancel", request)
            self.assert_trouble("not_waiting", kiosk.accept, prepared, PIN["one"])
            self.assert_trouble("not_waiting", kiosk.read, request)

    def test_a_card_that_is_taken_away(self):
        request = self.ask_for("one", GENE)
        with self.laid("one") as kiosk:
            kiosk.enter(PIN["one"])
            prepared = kiosk.read(request)
            self.lift()
            self.assert_trouble("session_over", kiosk.accept, prepared, PIN["one"])
        self.at_site("request", "cancel", request)


class KioskAtReader(NetworkTest):
    """The same through pcscd: a card that is really pulled out in the middle."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M"))
        cls.reader = reader_or_skip(cls.enterClassContext)
        cls.person = Person(cls.network, "P-001", keys=40)
        cls.file = genomes.bam(cls.network.root / "reads.bam",
                               genomes.sam_text("GRCh37", PLACES, 2_000))
        cls.object = cls.person.store(cls.file, genome=True)["object"]
        cls.kiosk = cls.enterClassContext(Kiosk(cls.network, "pcsc", reader=cls.reader))

    def test_a_card_pulled_out_and_laid_again(self):
        kiosk = self.kiosk
        request = self.network.warifu.ask("request", "ask", "--site", self.network.site("tommo"),
                                          *options(object=self.object, purpose="medicine",
                                                   grantee="Dr. Ito", region=(GENE,)))["request"]
        self.assertEqual(kiosk.view()["card"], None)
        with self.assertRaises(Trouble) as caught:
            kiosk.enter("2718")
        self.assertEqual(caught.exception.trouble, "no_card")
        self.reader.lay(self.person.card)
        kiosk.wait_for_card()
        self.assertEqual(kiosk.enter("2718")["person"], "P-001")
        for commands in (2, 6, 9):
            prepared = kiosk.read(request)
            self.reader.lay(self.person.card, remove_after=commands)
            with self.assertRaises(Trouble) as caught:
                for _ in range(3):  # it goes within these commands
                    prepared = kiosk.accept(prepared, "2718")
            self.assertIn(caught.exception.trouble, ("card_gone", "session_over", "no_card"),
                          (commands, str(caught.exception)))
            self.reader.lay(self.person.card)
            kiosk.wait_for_card()
            kiosk.enter("2718")
            self.assertEqual(kiosk.view()["card"]["pin_tries_left"], 3)
        prepared = kiosk.read(request)
        while prepared["part"] != "given":
            prepared = kiosk.accept(prepared, "2718")
        shown = self.network.warifu.ask("request", "show", request, "--site",
                                        self.network.site("tommo"))
        self.assertEqual(shown["grant"], prepared["grant"])
        self.reader.lift()
        kiosk.wait_for_card(False)


if __name__ == "__main__":
    unittest.main()
