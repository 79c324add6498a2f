"""A consent is withdrawn, a card is lost, another one takes its place: nothing is shared anew."""

import os
import pty
import sqlite3
import subprocess
import unittest

from cards import SITES, CardTest
from network import (Person, TestNetwork, binary, let_cards_come_at_once, random_file,
                     wait_until)

from site_socket import Api
from warifu_cli import CommandFailed

SIZE = 700_000


class Cards(CardTest):
    """A network whose gates do not wait for days before another card may come."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M", start=False))
        for config in cls.network.folder.glob("sites/*/site.toml"):
            let_cards_come_at_once(config)
        cls.network.up()

    def new_person(self, name):
        person = Person(self.network, name, keys=20)
        plain = random_file(self.network.root / name, SIZE, seed=hash(name) % 1000)
        stored = person.store(self.network.root / name)["object"]
        self.wait_until_kept()
        return person, plain, stored

    # --- withdrawal ---

    def test_a_withdrawn_consent_is_worth_nothing_anywhere(self):
        person, plain, stored = self.new_person("P-W1")
        grant = person.consent(stored, uses=5)
        self.restored(plain, stored, grant)
        told = self.ask("consent", "withdraw", grant)
        self.assertEqual(sorted(told["told"]), sorted(SITES))
        self.assertEqual(told["waiting"], [])
        self.assert_no_restore(stored, grant, "withdrawn")
        self.assert_fails(3, "not known", self.ask, "consent", "withdraw", "ab" * 16)
        for site in SITES:
            self.assertTrue(any(grant in str(one) for one in self.events(site, "consent_withdrawn")))
        # Another one goes on.
        self.restored(plain, stored, person.consent(stored))

    def test_a_control_site_that_forgets_the_withdrawal_is_refused_by_the_others(self):
        person, _, stored = self.new_person("P-W2")
        grant = person.consent(stored, uses=5)
        database = self.network.data("tommo") / "catalog.db"
        row = "SELECT state, sealed_secret FROM consent_grant WHERE grant_id = ?"
        key = (bytes.fromhex(grant),)
        with sqlite3.connect(database) as catalog:
            before = catalog.execute(row, key).fetchone()
        self.ask("consent", "withdraw", grant)
        self.network.down()
        with sqlite3.connect(database) as catalog:
            catalog.execute("UPDATE consent_grant SET state = ?, sealed_secret = ? "
                            "WHERE grant_id = ?", (*before, *key))
        self.network.up()
        self.assert_no_restore(stored, grant, "the person has withdrawn this consent")

    def test_an_order_that_a_site_cannot_take_holds_up_no_other(self):
        cards = self.network.data("lsa") / "gate" / "cards"
        before = set(cards.glob("*.card"))
        person, _, stored = self.new_person("P-W6")
        (own,) = set(cards.glob("*.card")) - before
        other, _, _ = self.new_person("P-W7")
        grant = person.consent(stored)
        in_the_way = own.with_suffix(".card.new")
        in_the_way.mkdir()
        try:
            told = self.ask("consent", "withdraw", grant)
            self.assertEqual([one["site"] for one in told["waiting"]], ["lsa"])
            told = self.ask("card", "revoke", "--person", other.id, "--why", "stolen",
                            "--yes")
            self.assertEqual(told["waiting"], [], "the card that was stolen is behind it")
        finally:
            in_the_way.rmdir()
        wait_until(lambda: not self.ask("card", "status")["waiting"], 60, "lsa to be told")

    def test_a_site_that_is_away_hears_of_it_when_it_is_back(self):
        person, _, stored = self.new_person("P-W3")
        grant = person.consent(stored, uses=5)
        self.network.kill("lsa")
        told = self.ask("consent", "withdraw", grant)
        self.assertEqual([one["site"] for one in told["waiting"]], ["lsa"])
        self.network.up()
        wait_until(lambda: not self.ask("card", "status")["waiting"], 60, "lsa to be told")
        self.assertTrue(self.events("lsa", "consent_withdrawn"))

    def test_a_refusal_is_recorded(self):
        person, _, stored = self.new_person("P-W4")
        terminal, inside = pty.openpty()
        command = [binary(), "consent", "give", "--site", self.network.site("tommo"), "--object",
                   stored, "--purpose", "research", "--grantee", "Dr. Ito", "--card", person.card,
                   "--pin-file", person.pin_file]
        with subprocess.Popen(list(map(str, command)), stdin=inside, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as give:
            os.write(terminal, b"no\n")
            error = give.communicate(timeout=60)[1].decode()
        self.assertEqual(give.returncode, 11, error)
        refused = self.events("tommo", "consent_refused")
        self.assertIn("Dr. Ito", str(refused[-1]))
        self.assertIn(stored, str(refused[-1]))

    def test_the_person_sees_every_use_at_every_site(self):
        person, plain, stored = self.new_person("P-W5")
        grant = person.consent(stored, purpose="medicine", grantee="Dr. Ito", uses=1)
        self.restored(plain, stored, grant, asker="Dr. Ito")
        self.assert_no_restore(stored, grant, "used up", asker="Dr. Ito")
        receipt = self.ask("consent", "receipt", grant)
        self.assertEqual(receipt["receipt_metadata"]["receipt_id"], grant)
        self.assertTrue(receipt["evidence"]["simulated"])
        self.assertEqual(self.ask("consent", "receipt", grant, "--fhir")["status"], "active")
        self.ask("consent", "withdraw", grant)
        self.assertEqual(self.ask("consent", "receipt", grant), receipt)
        self.assertEqual(self.ask("consent", "receipt", grant, "--fhir")["status"], "inactive")
        view = self.ask("person", "accesses", "--id", person.id)
        self.assertEqual(view["missing"], [])
        released = [one for one in view["accesses"] if one["event"] == "release"]
        self.assertGreaterEqual(len({one["site"] for one in released}), 2)
        for one in released:
            self.assertEqual(one["fields"]["grantee"], "Dr. Ito")
            self.assertEqual(one["fields"]["purpose"], "medicine")
            self.assertEqual(one["fields"]["card"], person.enrolled["card_id"])
            self.assertEqual(one["fields"]["object"], stored)
        events = {one["event"] for one in view["accesses"]}
        self.assertLessEqual({"card_enrolled", "release", "refused", "consent_withdrawn"}, events)
        code, text, _ = self.network.warifu.call("person", "accesses", "--id", person.id, "--site",
                                                 self.network.site("tommo"))
        self.assertEqual(code, 0)
        self.assertRegex(text, f"(?m)^2[^ ]*Z  release  Dr. Ito, for medicine\n  object {stored}\n"
                               f"  consent {grant}\n  by the log of \\w+ .records? [0-9, ]+., \\w+ .rec")
        self.assertRegex(text, "(?m)  refused  Dr. Ito: the grant is used up")
        # Nothing of anybody else.
        other, _, _ = self.new_person("P-W8")
        seen = self.ask("person", "accesses", "--id", other.id)["accesses"]
        self.assertNotIn(person.enrolled["card_id"], str(seen))
        self.assert_fails(3, "P-none", self.ask, "person", "accesses", "--id", "P-none")

    # --- a lost card ---

    def reissue(self, person, card, site="tommo"):
        return self.ask("person", "reissue", "--id", person.id, "--card", card, "--keys", "9",
                        "--pin-file", person.pin_file, site=site)

    def test_a_lost_card_is_replaced_and_nothing_is_shared_anew(self):
        person, plain, stored = self.new_person("P-L1")
        lost = person.enrolled["card_id"]
        old_card, new_card = person.card, self.network.root / "P-L1.second"
        grant = person.consent(stored, uses=5)
        self.assert_fails(2, "revoke it first", self.reissue, person, new_card)
        self.assert_fails(2, "--yes", self.ask, "card", "revoke", "--person", person.id)
        told = self.ask("card", "revoke", "--person", person.id, "--why", "lost", "--yes")
        self.assertEqual(told["card"], lost)
        self.assertEqual(sorted(told["told"]), sorted(SITES))
        self.assert_no_restore(stored, grant, "withdrawn|revoked")
        self.assert_fails(4, "hot list", person.consent, stored)
        # Nobody gets another card by the control site's word alone.
        self.assert_fails(4, "allow-reissue", self.reissue, person, new_card)
        for site in SITES[:-1]:
            self.ask("card", "allow-reissue", lost, site=site)
        self.assert_fails(4, "cloud3.*allow-reissue", self.reissue, person, new_card)
        self.ask("card", "allow-reissue", lost, site=SITES[-1])
        # One of the three that keep records has lost it.
        for record in (self.network.data("lsa") / "card-records").iterdir():
            record.unlink()
        shares = self.network.held(stored)
        again = self.reissue(person, new_card)
        self.assertEqual(again["objects"], [stored])
        self.assertEqual(again["missing"], [])
        self.assertEqual(self.network.held(stored), shares)
        person.card = new_card
        self.restored(plain, stored, person.consent(stored))
        person.card = old_card
        self.assert_fails(4, "another person|hot list|not enrolled", person.consent, stored)

    def test_records_go_to_a_card_in_the_place_of_a_lost_one_only(self):
        person, _, stored = self.new_person("P-L2")
        self.assert_fails(8, "on the card already", self.ask, "object", "card-record", stored,
                          "--card", person.card, "--pin-file", person.pin_file)
        # A control site that asks for the record although the card was never lost.
        self.network.down()
        with sqlite3.connect(self.network.data("tommo") / "catalog.db") as catalog:
            catalog.execute("UPDATE object SET card_record = 'pending' WHERE object_id = ?",
                            (bytes.fromhex(stored),))
        self.network.up()
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        status, answer = api.get(f"/v1/objects/{stored}/card-record?card={person.enrolled['card_id']}")
        self.assertEqual(status, 403, answer)
        self.assertIn("took the place of no other card", answer["message"])
        self.assertTrue(self.events("lsa", "record_refused"))
        # A terminal looks at the card, which has it.
        self.ask("object", "card-record", stored, "--card", person.card, "--pin-file",
                 person.pin_file)
        self.assertEqual(self.ask("object", "show", stored)["card_record"], "on_card")


if __name__ == "__main__":
    unittest.main()
