"""The biobank's desk in real browsers: people are enrolled at a kiosk, a lost card is replaced, and
acts take a passphrase and two persons."""

import http.client
import json
import os
import ssl
import unittest

from browser import Browser, inspect
from kiosk import Kiosk
from network import binary, free_port, NetworkTest, random_file, TestNetwork, Warifu
from road import Road
from test_signature import set_cards

LOOKS = [("en", "light"), ("ja", "light")]
PEOPLE = {"sato": ["biobank"], "ito": ["hospital"], "hara": ["officer"], "oda": ["officer"],
          "kato": ["biobank"]}
OTHERS = ["lsa", "tuh", "cloud1", "cloud2", "cloud3"]
DELAY = 15  # seconds from a card's loss to another one, at share control


class DeskPages(NetworkTest):
    """A site with named operators, their browsers over TLS, and a kiosk as an account of its own
    whose reader is a file."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="32M", start=False))
        cls.root = cls.network.root
        cls.certs = cls.root / "certs"
        cls.url = f"https://127.0.0.1:{free_port()}"
        cls.config = cls.network.site("tommo") / "site.toml"
        cls.make_cert("tommo", "--server", "--host", "127.0.0.1")
        cls.prints = {name: cls.make_cert(name) for name in (*PEOPLE, "lobby")}
        cls.config.write_text(cls.config.read_text() + cls.settings())
        cls.make_jpki()
        believed = [f'test_anchors = ["{cls.root}/jpki.authority"]', 'revocation_missing = "accept"']
        set_cards(cls.network, [f'reissue_delay = "{DELAY}s"', *believed], ["tommo"])
        set_cards(cls.network, ['reissue_delay = "0s"', *believed], OTHERS)
        for name in PEOPLE:
            phrase = cls.root / f"{name}.phrase"
            phrase.write_text(f"the long words of {name}\n")
            code, _, error = cls.network.warifu.call("operator", "passphrase", name, "--config",
                                                     cls.config, "--passphrase-file", phrase)
            assert code == 0, error
        cls.network.up()
        cls.road = Road(cls.root / "road", cls.network.site("tommo"))
        cls.reader = cls.root / "reader.card"
        cls.kiosk = cls.enterClassContext(Kiosk(cls.network, cls.reader, site=cls.root / "road"))
        cls.browser = cls.enterClassContext(Browser())  # the kiosk's
        cls.staff = cls.enterClassContext(Browser())

    @classmethod
    def make_cert(cls, name, *options):
        return Warifu(binary()).ask("operator", "make-cert", name, "--authority",
                                    cls.root / "authority", "--out", cls.certs,
                                    *options)["fingerprint"]

    @classmethod
    def make_jpki(cls):
        """A My Number Card of nobody; all sites believe its authority."""
        (cls.root / "jpki.pin").write_text("4321\n")
        (cls.root / "jpki.pin2").write_text("ABC123\n")
        cls.jpki = cls.root / "jpki.card"
        code, _, error = cls.network.warifu.call(
            "card", "make-jpki", cls.jpki, "--pin-file", cls.root / "jpki.pin",
            "--signature-pin-file", cls.root / "jpki.pin2", "--authority-out",
            cls.root / "jpki.authority")
        assert code == 0, error

    @classmethod
    def settings(cls):
        text = (f'\n[operators]\nlisten = "{cls.url.removeprefix("https://")}"\n'
                f'certificate = "{cls.certs}/tommo.pem"\nkey = "{cls.certs}/tommo.key"\n'
                f'ca = "{cls.certs}/ca.pem"\ntwo_person = true\nsecond_factor = true\n')
        text += f'\n[[operators.accounts]]\nname = "kiosk"\nroles = ["kiosk"]\nusers = [{os.getuid()}]\n'
        for name, roles in {**PEOPLE, "lobby": ["kiosk"]}.items():
            text += (f'\n[[operators.accounts]]\nname = "{name}"\nroles = {json.dumps(roles)}\n'
                     f'certificates = ["{cls.prints[name]}"]\n')
        return text

    @classmethod
    def shown(cls, name):
        return ("--url", cls.url, "--cert", cls.certs / f"{name}.pem", "--cert-key",
                cls.certs / f"{name}.key", "--ca", cls.certs / "ca.pem")

    def setUp(self):
        self.reader.unlink(missing_ok=True)
        self.restarted = False  # of the site: pages that were open have lost it

    def tearDown(self):
        super().tearDown()
        for browser in (self.browser, self.staff):
            found = browser.troubles() if browser.opened and not self.restarted else []
            self.assertEqual([text for text in found if "status of" not in text], [])

    # --- what people do ---

    def as_operator(self, name, *arguments):
        phrase = self.root / f"{name}.phrase"
        more = ("--passphrase-file", phrase) if phrase.exists() else ()
        return self.network.warifu.ask(*arguments, *self.shown(name), *more)

    def at(self, site, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site(site))

    def enrolment(self, order):
        listed = self.as_operator("sato", "enrolment", "list")["enrolments"]
        return next(one for one in listed if one["order"] == order)

    def order(self, person, **settings):
        options = [part for key, value in settings.items() for part in (f"--{key}", str(value))]
        return self.as_operator("sato", "enrolment", "order", "--id", person, "--name",
                                f"Person {person}", *options)

    def blank(self, name, card_type="one-time"):
        file = self.root / name
        code, _, error = self.network.warifu.call("card", "make-blank", file, "--card-type",
                                                  card_type)
        self.assertEqual(code, 0, error)
        return file

    def open_as(self, name, path="/app/people"):
        self.staff.open(url=self.url + path, language="en", theme="light",
                        certificate={"cert": str(self.certs / f"{name}.pem"),
                                     "key": str(self.certs / f"{name}.key")})
        self.staff.opened = True
        self.staff.see(selector="nav")

    def open_kiosk(self):
        self.browser.open(url=self.kiosk.page_url, language="en", theme="light")
        self.browser.opened = True
        self.browser.see(role="heading", name="Put your card on the reader")

    def look(self, name):
        for language, label in (("ja", "日本語"), ("en", "English")):
            self.browser.click(role="button", name=label, exact=True)
            self.browser.shot(f"{name}-{language}")
            self.assertEqual(self.browser.axe(), [], f"{name} in {language}")

    def type_pin(self, pin, button):
        self.browser.fill(selector="#pin", value=pin)
        self.browser.click(role="button", name=button, exact=True)

    def confirm(self, name):
        """The passphrase, which the page asks for."""
        self.staff.see(role="heading", name="Your passphrase")
        self.staff.fill(label="Passphrase", value=f"the long words of {name}")
        self.staff.click(role="button", name="Confirm", exact=True)

    def kiosk_call(self, path, body=None, raw=None):
        data = raw if raw is not None else json.dumps(body) if body is not None else None
        return self.kiosk.call("GET" if data is None else "POST", f"/{path}", data)

    # --- the reference scenario ---

    def test_a_person_is_enrolled_stores_and_consents(self):
        self.open_as("sato")
        self.staff.see(role="heading", name="Enrol a person")
        self.staff.fill(label="Id", value="P-001")
        self.staff.fill(label="Name", value="佐藤 葵")
        inspect(self, self.staff, "desk-enrol", LOOKS)
        self.staff.click(role="button", name="Send to the kiosk")
        code = self.staff.text(selector=".order-code").strip()
        self.assertRegex(code, r"^[2-9A-Z]{3}-[2-9A-Z]{3}$")
        self.staff.read(text="waits at the kiosk")
        inspect(self, self.staff, "desk-ordered", LOOKS)
        card = self.blank("aoi.card")
        self.open_kiosk()
        card.rename(self.reader)
        self.browser.see(role="heading", name="Enter the code from the desk")
        self.look("kiosk-enrol-code")
        self.browser.fill(selector=".order-code", value="ZZZ-ZZZ")
        self.browser.click(role="button", name="Continue", exact=True)
        self.browser.read(text="no enrolment with this code waits")
        self.browser.fill(selector=".order-code", value=code.lower())
        self.browser.click(role="button", name="Continue", exact=True)
        self.browser.see(role="heading", name="You are being enrolled")
        self.assertIn("佐藤 葵", self.browser.text(selector=".facts"))
        self.look("kiosk-enrol-meaning")
        self.browser.click(role="button", name="That is me, go on")
        self.look("kiosk-enrol-pin")
        self.type_pin("27", "Continue")
        self.browser.read(text="A PIN has 4 to 12 digits.")
        self.type_pin("2718", "Continue")
        self.browser.see(role="heading", name="Enter the same PIN once more")
        self.type_pin("2719", "Enrol me")
        self.browser.read(text="The two PINs were not the same")
        self.type_pin("2718", "Continue")
        self.type_pin("2718", "Enrol me")
        self.browser.see(role="heading", name="Your card is ready", limit=30_000)
        self.look("kiosk-enrol-done")
        self.staff.read(text="made at lobby", limit=10_000)
        self.staff.see(role="link", name="P-001")
        inspect(self, self.staff, "desk-done", LOOKS)
        self.assertEqual(self.as_operator("sato", "person", "list")["persons"][0]["name"], "佐藤 葵")
        stored = self.store("P-001")
        request = self.as_operator("ito", "request", "ask", "--object", stored, "--purpose",
                                   "medicine", "--grantee", "Dr. Ito")["request"]
        # The card gets the object's record when it opens the page.
        self.browser.click(role="button", name="To my page")
        self.browser.see(role="heading", name="Please enter your PIN")
        self.type_pin("2718", "Continue")
        self.browser.see(role="heading", name="Hello, 佐藤 葵")
        self.browser.click(role="button", name="Read and decide")
        self.browser.see(selector=".consent-text")
        self.browser.click(role="button", name="I agree")
        self.type_pin("2718", "Agree")
        self.browser.see(role="heading", name="You have agreed")
        given = self.as_operator("ito", "request", "show", request)
        self.assertEqual(given["state"], "given")
        out = self.root / "restored"
        self.as_operator("ito", "restore", stored, "--grant", given["grant"], "--out", out, "--as",
                         "Dr. Ito")
        self.assert_same_bytes(out, (self.root / "P-001.genome").read_bytes())

    def store(self, person):
        file = self.root / f"{person}.genome"
        random_file(file, 300_000, seed=5)
        return self.as_operator("sato", "object", "store", file, "--person", person)["object"]

    def enrol_at_kiosk(self, code, pin="2718"):
        """As the page does it, without the page: the answer of the ceremony."""
        status, found = self.kiosk_call("enrol/find", {"code": code})
        self.assertEqual(status, 200, found)
        return self.kiosk_call("enrol/run", raw=pin)

    # --- a lost card ---

    def test_a_lost_card_is_replaced_with_two_persons_and_a_delay(self):
        code = self.order("P-002", keys=9)["code"]
        self.blank("second.card").rename(self.reader)
        self.assertEqual(self.enrol_at_kiosk(code)[0], 200)
        self.reader.unlink()
        stored = self.store("P-002")
        lost = next(one["card"] for one in self.as_operator("sato", "person", "list")["persons"]
                    if one["person"] == "P-002")
        self.open_as("sato", "/app/people/P-002")
        self.staff.click(role="button", name="The card is lost")
        self.staff.click(selector="dialog .button-danger")
        self.staff.see(role="heading", name="Your passphrase")
        self.staff.fill(label="Passphrase", value="not the right words")
        self.staff.click(role="button", name="Confirm", exact=True)
        self.staff.read(text="wrong passphrase")
        inspect_dialog(self, "desk-passphrase")
        self.confirm("sato")
        self.staff.see(role="heading", name="Another card in the place of the lost one")
        self.staff.read(text="6 of 6 sites do not let another card come yet.")
        inspect(self, self.staff, "desk-lost", LOOKS)
        self.staff.click(role="button", name="Order another card")
        self.confirm("sato")
        code = self.staff.text(selector=".order-code").strip()
        self.blank("third.card").rename(self.reader)
        status, refused = self.enrol_at_kiosk(code, "3141")
        self.assertEqual((status, refused["code"]), (403, "refused"))
        for site in OTHERS:
            self.at(site, "card", "allow-reissue", lost)
        # At share control its officer proposes, and another one approves.
        self.open_as("hara", "/app/approvals")
        self.staff.read(text=lost[:8])
        self.staff.click(role="button", name=f"Allow another card in the place of {lost[:8]}")
        self.confirm("hara")
        self.staff.see(role="heading", name="Nothing is done yet")
        inspect_dialog(self, "desk-proposed")
        self.staff.click(role="button", name="Close", exact=True)
        self.staff.read(text="Yours: somebody else approves it")
        inspect(self, self.staff, "approvals-own", LOOKS)
        self.open_as("oda", "/app/approvals")
        self.staff.click(role="button", name="Approve Let another card come, proposed by hara")
        self.staff.click(selector="dialog .button-primary")
        self.confirm("oda")
        self.staff.read(text="Approved, and done.")
        self.staff.read(text="given, until")
        inspect(self, self.staff, "approvals-done", LOOKS)
        self.open_as("sato", "/app/people/P-002")
        self.staff.read(text="Every site lets another card come now.", limit=1000 * (DELAY + 10))
        status, made = self.enrol_at_kiosk(code, "3141")
        self.assertEqual((status, made.get("loaded"), made.get("missing")), (200, 1, 0), made)
        listed = self.as_operator("sato", "enrolment", "list")["enrolments"][0]
        self.assertEqual((listed["state"], listed["card"], listed["again"]),
                         ("done", made["card"], True))
        self.assertEqual(self.kiosk_call("enter", raw="3141")[0], 200)
        self.assertNotEqual(made["card"], lost)
        self.assertEqual(self.as_operator("sato", "object", "list")["objects"][0]["object"], stored)

    # --- passphrase and two persons ---

    def test_deleting_is_proposed_in_one_browser_and_rejected_or_approved_in_another(self):
        self.open_as("kato", "/app/approvals")
        self.staff.read(text="Some acts take two people")
        # An act that the pages do not offer is proposed by command, and decided in the page.
        proposal = self.as_operator("hara", "audit", "erase", "1", "--reason", "test", "--yes")
        self.assertIn("proposal", proposal)
        self.staff.click(role="button", name="Approve Erase from the log, proposed by hara",
                         limit=8000)
        self.staff.click(selector="dialog .button-primary")
        self.confirm("kato")
        self.staff.read(text="needs the role officer")
        self.open_as("oda", "/app/approvals")
        self.staff.click(role="button", name="Reject Erase from the log, proposed by hara")
        self.staff.click(selector="dialog .button-danger")
        self.staff.read(text="Rejected. Nothing was done.")
        self.staff.read(text="Nothing waits for a second person.")
        decided = self.as_operator("oda", "operator", "proposals", "--all")["proposals"]
        self.assertIn(("rejected", "oda"), [(one["state"], one["decider"]) for one in decided])

    def test_who_does_not_give_the_passphrase_has_done_nothing(self):
        code = self.order("P-003", keys=4)["code"]
        self.blank("fourth.card").rename(self.reader)
        self.assertEqual(self.enrol_at_kiosk(code)[0], 200)
        self.open_as("sato", "/app/people/P-003")
        self.staff.click(role="button", name="The card is lost")
        self.staff.click(selector="dialog .button-danger")
        self.staff.see(role="heading", name="Your passphrase")
        self.staff.click(role="button", name="Close", exact=True)
        self.staff.see(role="button", name="The card is lost")
        self.assertEqual(self.kiosk_call("enter", raw="2718")[0], 200)

    # --- what breaks off ---

    def restart_all(self):
        self.restarted = True
        self.network.kill("tommo")
        self.kiosk.stop()
        self.network.up("tommo")
        self.kiosk.__enter__()

    def test_a_one_time_card_is_finished_after_kiosk_and_site_died(self):
        ordered = self.order("P-004", keys=5)
        self.blank("fifth.card").rename(self.reader)
        # All keys are on the card, and the site never hears so.
        self.road.break_at(b"POST /v1/enrolments/finish")
        self.assertGreaterEqual(self.enrol_at_kiosk(ordered["code"])[0], 500)
        self.assertEqual(self.enrolment(ordered["order"])["state"], "begun")
        self.restart_all()
        self.assertNotIn("P-004", self.persons())
        self.assertEqual(self.kiosk_call("enter", raw="1234")[0], 403, "the PIN comes first")
        self.assertNotIn("P-004", self.persons())
        status, who = self.kiosk_call("enter", raw="2718")
        self.assertEqual((status, who.get("person")), (200, "P-004"), who)
        self.assertEqual(self.enrolment(ordered["order"])["state"], "done")

    def test_a_desfire_card_goes_on_after_kiosk_and_site_died(self):
        ordered = self.order("P-005", **{"card-type": "desfire"})
        self.blank("sixth.card", "desfire").rename(self.reader)
        self.road.break_at(b"POST /v1/cards/ceremonies/", after=30)
        self.assertGreaterEqual(self.enrol_at_kiosk(ordered["code"], "")[0], 500)
        begun = self.enrolment(ordered["order"])
        self.assertEqual(begun["state"], "begun")
        self.assertTrue(begun["trouble"])
        self.restart_all()
        status, made = self.enrol_at_kiosk(ordered["code"], "")
        self.assertEqual((status, made.get("card")), (200, begun["card"]), made)
        self.assertEqual(self.kiosk_call("enter", raw="")[0], 200)
        self.assertEqual(self.kiosk_call("enter", raw="")[1]["person"], "P-005")

    def test_a_signature_card_is_enrolled(self):
        ordered = self.order("P-006", **{"card-type": "jpki"})
        self.jpki.rename(self.reader)
        status, refused = self.enrol_at_kiosk(ordered["code"], "1234")
        self.assertEqual((status, "wrong PIN" in refused["message"]), (403, True), refused)
        self.assertIn("wrong PIN", self.enrolment(ordered["order"])["trouble"])
        self.road.break_at(b"POST /v1/enrolments/")
        self.assertGreaterEqual(self.kiosk_call("enrol/run", raw="4321")[0], 500)
        status, made = self.kiosk_call("enrol/run", raw="4321")
        self.assertEqual((status, made.get("security")), (200, "computational"), made)
        self.assertEqual(self.kiosk_call("enter", raw="4321")[1]["person"], "P-006")
        self.assertEqual(self.enrolment(ordered["order"])["state"], "done")

    def test_cancelled_orders_wrong_cards_and_other_roles(self):
        ordered = self.order("P-007")
        code = ordered["code"]
        self.assert_fails(8, "waits already", self.order, "P-007")
        self.assert_fails(2, "kUsual|keys", self.order, "P-008", keys=5000)
        self.assert_fails(4, "needs the role biobank", self.as_operator, "lobby", "enrolment",
                          "list")
        self.assert_fails(4, "needs the role biobank", self.as_operator, "lobby", "enrolment",
                          "order", "--id", "P-9", "--name", "x")
        self.assert_fails(4, "needs the role biobank", self.as_operator, "lobby", "person", "enrol",
                          "--id", "P-9", "--name", "x", "--card", self.root / "own.card",
                          "--pin-file", self.pin_file())
        # A DESFire card where a one-time card was ordered; no card at all.
        self.assertEqual(self.kiosk_call("enrol/find", {"code": code})[0], 200)
        self.assertEqual(self.kiosk_call("enrol/run", raw="2718")[0], 404)
        self.blank("other.card", "desfire").rename(self.reader)
        status, said = self.kiosk_call("enrol/run", raw="2718")
        self.assertEqual((status, said["code"]), (400, "invalid_argument"), said)
        self.reader.unlink()
        self.blank("seventh.card").rename(self.reader)
        self.assertEqual(self.kiosk_call("enrol/run", raw="27")[0], 400)
        self.as_operator("sato", "enrolment", "cancel", ordered["order"])
        status, said = self.kiosk_call("enrol/run", raw="2718")
        self.assertEqual((status, "cancelled" in said["message"]), (403, True), said)
        self.assertEqual(self.kiosk_call("enrol/find", {"code": code})[0], 404)
        # Guesses are counted for each account: the other kiosk's stop nobody here.
        guesses = [self.guess("lobby") for _ in range(12)]
        self.assertEqual((guesses[0], guesses[-1]), (404, 403))
        self.assertNotIn("P-007", self.persons())

    def guess(self, name):
        tls = ssl.create_default_context(cafile=self.certs / "ca.pem")
        tls.load_cert_chain(self.certs / f"{name}.pem", self.certs / f"{name}.key")
        host = self.url.removeprefix("https://")
        connection = http.client.HTTPSConnection(host, context=tls, timeout=20)
        connection.request("POST", "/v1/enrolments/find", json.dumps({"code": "AAAAAA"}),
                           {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        return status

    def pin_file(self):
        file = self.root / "some.pin"
        file.write_text("2718\n")
        return file

    def persons(self):
        return [one["person"] for one in self.as_operator("sato", "person", "list")["persons"]]


def inspect_dialog(test, name):
    """A page's dialogue: its choices of language are behind it."""
    test.staff.shot(name)
    test.assertEqual(test.staff.axe(), [], name)


if __name__ == "__main__":
    unittest.main()
