"""The type A card (MIFARE DESFire, emulated): every site proves consents in a dialogue of its own with it.

The first half has the card in a file, the second half on the virtual reader, behind the real pcscd.
"""

import shutil
import sqlite3
import unittest

from cards import reader_or_skip
from network import NetworkTest, TestNetwork, random_file
from site_socket import Api

from virtual_reader import WarifuAtReader
from warifu_cli import CommandFailed

SIZE = 300_000
SITES = ("tommo", "lsa", "tuh", "cloud1", "cloud2", "cloud3")


class Card:
    """An enrolled person with a DESFire card and a stored object."""

    def __init__(self, network, card, person, card_type="desfire"):
        self.network, self.card, self.person = network, card, person
        self.enrolled = network.enrol(person, f"Person {person}", card, None, card_type=card_type)
        self.plain = random_file(network.root / f"{person}.genome", SIZE)
        self.object = network.store(network.root / f"{person}.genome", person, card=card)["object"]

    def consent(self, **settings):
        return self.network.consent(self.object, self.card, None, **settings)

    def restore(self, test, grant):
        out = self.network.root / f"{self.person}.restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.object, grant, out)
        test.assert_same_bytes(out, self.plain)
        return done

    def works(self, test):
        self.restore(test, self.consent()["grant"])


class TypeA(NetworkTest):
    """A DESFire card in a file."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M"))
        cls.card = Card(cls.network, cls.network.root / "aoi.card", "P-001")

    def log(self, site, kind):
        """Records of one kind in a site's log."""
        path = self.network.data(site) / "audit.log"
        return [line for line in path.read_text().splitlines() if f'"{kind}"' in line]

    def test_every_site_has_an_application_of_its_own(self):
        enrolled = self.card.enrolled
        self.assertEqual(enrolled["card"], "emulated")
        self.assertEqual(enrolled["card_type"], "desfire")
        self.assertEqual(sorted(enrolled["sites"]), sorted(SITES))
        shown = self.network.warifu.ask("card", "show", "--card", self.card.card)
        self.assertEqual((shown["type"], shown["sites"], shown["emulated"], shown["active"]),
                         ("desfire", len(SITES), True, True))
        self.assertEqual(shown["card_id"], enrolled["card_id"])
        memory = self.card.card.read_bytes()
        for number in range(1, len(SITES) + 1):
            at = memory.index(bytes([number, 0x41, 0x57, 0]))
            self.assertNotEqual(memory[at + 8:at + 24], bytes(16), "no factory key is left")

    def test_a_consent_restores_and_says_what_it_is_worth(self):
        given = self.card.consent()
        self.assertEqual(given["card_kind"], "desfire_emulated")
        self.assertEqual(given["holder_verification"], "possession")
        self.card.restore(self, given["grant"])
        listed = next(entry for entry in self.network.warifu.ask(
            "consent", "list", "--site", self.network.site("tommo"))["consents"]
                      if entry["grant"] == given["grant"])
        self.assertEqual(listed["card_kind"], "desfire_emulated")
        self.assertEqual(listed["holder_verification"], "possession")
        for site in given["sites"]:
            self.assertTrue(any(given["grant"] in line and "possession" in line
                                for line in self.log(site, "card_proved")), site)

    def test_a_consent_is_used_as_often_as_it_says(self):
        grant = self.card.consent(uses=2)["grant"]
        self.card.restore(self, grant)
        self.card.restore(self, grant)
        self.assert_fails(4, "used up", self.card.restore, self, grant)

    def test_another_persons_card_is_refused(self):
        other = Card(self.network, self.network.root / "ben.card", "P-002")
        self.assert_fails(4, "another person|does not belong|not know", self.network.consent,
                          self.card.object, other.card, None)
        other.works(self)

    def test_a_card_that_lost_its_application_is_refused(self):
        """The right label, other keys: whoever copies what everybody can read proves nothing."""
        forged = self.network.root / "forged.card"
        self.network.enrol("P-009", "Forger", forged, None, card_type="desfire")
        memory = bytearray(forged.read_bytes())
        label = bytes.fromhex(self.card.enrolled["card_id"])
        own = bytes.fromhex(self.network.warifu.ask("card", "show", "--card", forged)["card_id"])
        memory = bytes(memory).replace(own, label)
        forged.write_bytes(with_checksum(memory))
        before = len(self.log("tommo", "refused"))
        self.assert_fails(4, "does not know this site's key", self.network.consent,
                          self.card.object, forged, None)
        refused = [line for site in SITES for line in self.log(site, "refused")
                   if "wrong_card" in line]
        self.assertTrue(refused, before)
        self.card.works(self)

    def test_a_copy_of_the_card_is_found_out(self):
        person = Card(self.network, self.network.root / "chi.card", "P-003")
        copy = self.network.root / "chi.copy"
        shutil.copy(person.card, copy)
        person.works(self)
        self.assert_fails(4, "a copy of it was used", self.network.consent, person.object, copy,
                          None)
        person.works(self)

    def test_withdrawn_and_revoked_is_over_at_once(self):
        person = Card(self.network, self.network.root / "dai.card", "P-004")
        grant = person.consent(uses=3)["grant"]
        person.restore(self, grant)
        tommo = ("--site", self.network.site("tommo"))
        self.network.warifu.ask("consent", "withdraw", grant, *tommo)
        self.assert_fails(4, "withdrawn|withdrew", person.restore, self, grant)
        other = person.consent(uses=3)["grant"]
        self.network.warifu.ask("card", "revoke", "--person", person.person, "--why", "lost", "--yes",
                                *tommo)
        self.assert_fails(4, "withdrawn|hot list|revoked", person.restore, self, other)
        self.assert_fails(4, "hot list|revoked", person.consent)

    def test_an_answer_that_is_played_again_is_refused(self):
        """What was recorded between card and site is worth nothing in the next dialogue."""
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        prepare = {"object": self.card.object, "purpose": "medicine", "grantee": "Eve", "uses": 1,
                   "valid_seconds": 600, "locale": "en", "card": self.card.enrolled["card_id"]}
        status, prepared = api.post("/v1/consents/prepare", prepare)
        self.assertEqual(status, 200, prepared)
        begin = {"ceremony": "consent", "grant": prepared["grant"]}
        status, turn = api.post("/v1/cards/ceremonies", begin)
        self.assertEqual(status, 200, turn)
        path = f"/v1/cards/ceremonies/{turn['ceremony']}"
        self.assertTrue(turn["apdu"].startswith("905a"), turn)
        status, turn = api.post(path, {"answer": "9100"})
        self.assertTrue(turn["apdu"].startswith("9071"), turn)
        # A challenge that was recorded, then a proof that cannot fit the fresh one of the site.
        status, turn = api.post(path, {"answer": "a04c124213c186f22399d33ac2a3021591af"})
        self.assertTrue(turn["apdu"].startswith("90af"), turn)
        recorded = "3fa64db5446d1f34cd6ea311167f5e4985b89690c04a05f17fa7ab2f08120663" "9100"
        status, refused = api.post(path, {"answer": recorded})
        self.assertEqual(status, 403, refused)
        self.assertIn("does not prove", refused["message"])
        status, over = api.post(path, {"answer": "9100"})
        self.assertEqual(status, 404, over)
        self.card.works(self)

    def test_a_grant_that_no_card_proved_is_refused_by_every_gate(self):
        """A controller that makes evidence up: receipts are drawn by the sites, nobody guesses them."""
        given = self.card.consent()
        other = self.card.consent(grantee="Eve")
        self.network.down("tommo")
        database = self.network.data("tommo") / "catalog.db"
        with sqlite3.connect(database) as catalog:
            rows = dict(catalog.execute("select hex(grant_id), evidence from consent_grant").fetchall())
            wrong = rows[other["grant"].upper()]
            catalog.execute("update consent_grant set evidence = ? where hex(grant_id) = ?",
                            (wrong, given["grant"].upper()))
        catalog.close()
        self.network.up("tommo")
        self.assert_fails(4, "tag|not proved", self.card.restore, self, given["grant"])

    def test_share_control_that_does_not_know_looks_whether_the_card_has_the_record(self):
        card = Card(self.network, self.network.root / "midori.card", "P-077")
        show = lambda: self.network.warifu.ask("object", "show", card.object, "--site",
                                               self.network.site("tommo"))["card_record"]
        load = lambda: self.network.warifu.ask("object", "card-record", card.object, "--card",
                                               card.card, "--site", self.network.site("tommo"))
        # As if the catalog had been rebuilt out of the shares.
        self.network.down("tommo")
        with sqlite3.connect(self.network.data("tommo") / "catalog.db") as catalog:
            named = (bytes.fromhex(card.object),)
            catalog.execute("UPDATE object SET card_record = 'unknown' WHERE object_id = ?", named)
            catalog.execute("UPDATE job SET sealed_secret = x'' WHERE object_id = ?", named)
        catalog.close()
        self.network.up("tommo")
        self.assertEqual(show(), "unknown")
        self.assertEqual(load()["card_record"], "on_card")
        self.assertEqual(show(), "on_card")
        self.assert_fails(8, "on the card already", load)
        card.works(self)

    def test_bad_input_is_named(self):
        self.assert_fails(2, "must be one-time, desfire, jpki or pkcs11", self.network.enrol, "P-010", "X",
                          self.network.root / "x.card", None, card_type="gold")
        self.assert_fails(8, "already belongs", self.network.enrol, "P-011", "X", self.card.card,
                          None, card_type="desfire")
        own = self.network.root / "own.card"
        pin = self.network.root / "pin"
        pin.write_text("2718\n")
        self.network.enrol("P-012", "Own", own, pin)
        self.assert_fails(2, "a one-time MAC card: enrol it with --card-type one-time", self.network.enrol, "P-013", "X", own, None,
                          card_type="desfire")
        self.assert_fails(2, "--card-type desfire", self.network.enrol, "P-013", "X",
                          self.card.card, pin)
        self.assert_fails(8, "enrolled already", self.network.warifu.ask, "person", "renew-card",
                          "--site", self.network.site("tommo"), "--card", self.card.card, "--at",
                          "lsa")


class TypeAAfterALoss(NetworkTest):
    """A site loses its key of the card: it makes another application. Share control burns with its
    own: the record comes back with the catalog."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(
            link=("lsa:cloud3", "tommo:cloud1", "lsa:cloud1"), preshare="12M"))
        cls.card = Card(cls.network, cls.network.root / "aoi.card", "P-001")

    def ask(self, site, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def renew(self, at):
        return self.ask("tommo", "person", "renew-card", "--at", at, "--card", self.card.card)

    def test_a_site_that_lost_its_gate_makes_another_application(self):
        self.network.kill("lsa")
        shutil.rmtree(self.network.data("lsa") / "gate")
        self.network.up()
        given = self.card.consent()
        self.assertEqual([one["site"] for one in given["missing"]], ["lsa"])
        self.assertEqual(self.renew("lsa")["keys"], 0)
        shown = self.network.warifu.ask("card", "show", "--card", self.card.card)
        self.assertEqual(shown["sites"], len(SITES) + 1)
        self.assert_fails(8, "enrolled already", self.renew, "lsa")
        given = self.card.consent()
        self.assertIn("lsa", given["sites"])
        self.card.restore(self, given["grant"])

    def test_consents_go_on_at_the_other_holders(self):
        self.ask("tommo", "catalog", "copy")
        sites = [entry["name"] for entry in self.network.status()["sites"]]
        self.network.kill("tommo")
        self.network.down(*[name for name in sites if name != "tommo"])
        shutil.rmtree(self.network.data("tommo"))
        self.network.warifu.ask("net", "renew", "tommo", "--preshare", "12M", "--net",
                                str(self.network.folder))
        self.network.up()
        for site in ("lsa", "tuh"):
            self.ask(site, "catalog", "allow")
        self.ask("tommo", "catalog", "rebuild")
        given = self.card.consent()
        self.assertNotIn("tommo", given["sites"])
        self.assertEqual([entry["site"] for entry in given["missing"]], ["tommo"])
        done = self.card.restore(self, given["grant"])
        self.assertNotIn("A", done["using"])
        # Its application held the card's label and the records: no other can take it over.
        self.assert_fails(4, "which no other can take over", self.renew, "tommo")


def with_checksum(memory):
    """The card file with the CRC-32C that belongs to it."""
    body = memory[:-4]
    crc = 0xFFFFFFFF
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return body + (crc ^ 0xFFFFFFFF).to_bytes(4, "little")


class TypeAAtReader(NetworkTest):
    """The same card on the virtual reader, through pcscd."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M"))
        cls.reader = reader_or_skip(cls.enterClassContext)
        cls.network.warifu = WarifuAtReader(cls.network.warifu.binary, cls.reader)
        cls.memory = cls.network.root / "aoi.card"
        cls.reader.lay(cls.memory, card_type="desfire")
        cls.card = Card(cls.network, "pcsc", "P-001")

    def setUp(self):
        self.reader.lay(self.memory)

    def test_a_consent_given_at_the_reader_restores(self):
        self.card.works(self)
        shown = self.network.warifu.ask("card", "show", "--card", "pcsc")
        self.assertEqual(shown["type"], "desfire")
        self.assertIn("Virtual PCD 00 00", shown["at"])

    def test_a_card_taken_away_in_a_dialogue_proves_nothing_and_works_again(self):
        for commands in (5, 9, 11, 13, 14, 15, 21):
            self.reader.lay(self.memory, remove_after=commands)
            try:
                self.card.consent()
            except CommandFailed as failure:
                self.assertEqual(failure.code, 6, str(failure))
                self.assertRegex(failure.message, "taken away|no card|lost in the middle|removed")
            else:
                self.fail(f"the ceremony has no more than {commands} commands")
            self.reader.lay(self.memory)
            self.card.works(self)


if __name__ == "__main__":
    unittest.main()
