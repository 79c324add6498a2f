"""Break-glass: officers open an object without its person's card; off unless the sites and the
person's card have said so before, and never behind the person's back."""

import json
import unittest

from cards import SITES, CardTest
from kiosk import Kiosk, has_pages
from network import Person, TestNetwork, random_file
from test_signature import Authority, make_card, set_cards

SIZE = 100_000


class Emergencies(CardTest):
    """Three officers, two of whom every site names, once it is seen that none does by itself."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M"))
        cls.officers = [Person(cls.network, f"O-{number}", keys=30) for number in (1, 2, 3)]
        cls.person = Person(cls.network, "P-E0", keys=30)
        # An officer with a card that signs: known by its certificate before anybody enrols it.
        root = cls.network.root
        (root / "pin").write_text("1234\n")
        (root / "pin2").write_text("ABC123\n")
        cls.authority = Authority(root / "authority")
        cls.signer = root / "O-4.card"
        make_card(cls.signer, root / "pin", root / "pin2", cls.authority)
        cls.off = None

    def setUp(self):
        if type(self).off is not None:
            return
        # Nobody has configured anything: even with the person's leave there is no emergency.
        _, stored = self.with_object(self.person)
        type(self).stored = stored
        self.allow(self.person)
        type(self).off = self.assert_fails(4, "opens nothing in an emergency", self.open, stored)
        ids = [one.enrolled["card_id"] for one in self.officers[:2]]
        ids.append(self.network.warifu.ask("card", "show", "--card", self.signer)["card_id"])
        cards = ", ".join(f'"{one}"' for one in ids)
        self.network.down()
        set_cards(self.network, [f'test_anchors = ["{self.authority.certificate}"]',
                                 'revocation_missing = "accept"'])
        for config in self.network.folder.glob("sites/*/site.toml"):
            config.write_text(config.read_text() + f"\n[break_glass]\nofficers = [{cards}]\n")
        self.network.up()
        self.network.enrol("O-4", "Officer O-4", self.signer, self.network.root / "pin",
                           card_type="jpki")

    def with_object(self, person):
        plain = random_file(self.network.root / person.id, SIZE, seed=len(person.id) * 11)
        stored = person.store(self.network.root / person.id)["object"]
        self.wait_until_kept()
        return plain, stored

    def card_of(self, person):
        return ["--card", person.card, "--pin-file", person.pin_file, "--yes"]

    def allow(self, person, *more):
        return self.ask("person", "emergency", "allow", "--id", person.id, *more,
                        *self.card_of(person))

    def open(self, stored, officer=0, reason="unconscious after an accident"):
        return self.ask("consent", "emergency", "--object", stored, "--reason", reason,
                        "--grantee", "Dr. Ito", *self.card_of(self.officers[officer]))["grant"]

    def join(self, grant, officer):
        return self.ask("consent", "join", grant, *self.card_of(self.officers[officer]))["grant"]

    def open_by_two(self, stored):
        grant = self.open(stored)
        self.join(grant, 1)
        return grant

    def told(self, *arguments):
        """What a command says on standard error before anything else."""
        return self.network.warifu.call(*arguments, "--site", self.network.site("tommo"))[2]

    def see_at_kiosk(self, person):
        """Above everything else, and in the history."""
        if not has_pages(self.network):
            return
        with Kiosk(self.network, person.card) as kiosk:
            kiosk.enter("2718")
            self.assertEqual([(one["reason"], len(one["officers"]))
                              for one in kiosk.page()["emergencies"]],
                             [("unconscious after an accident", 2)])
            self.assertIn("emergency_opened",
                          {one["event"] for one in kiosk.history()["accesses"]})

    def test_two_officers_open_what_the_person_has_allowed(self):
        person = Person(self.network, "P-E1", keys=9)
        plain, stored = self.with_object(person)
        self.allow(person, "--object", stored)
        shown = self.ask("person", "show", "--id", person.id)
        self.assertEqual([one["object"] for one in shown["emergency"]], [stored])
        grant = self.open(stored)
        # One officer is not enough, and one who is none here is none.
        self.assert_no_restore(stored, grant, "counts with 2 officers together; so far 1",
                               asker="Dr. Ito")
        self.assert_fails(4, "no officer's", self.join, grant, 2)
        self.join(grant, 1)
        self.restored(plain, stored, grant, asker="Dr. Ito")
        self.assert_no_restore(stored, grant, "used up", asker="Dr. Ito")
        # Every site's log has it, with reason and officers; holders have logged what they gave.
        for site in SITES:
            opened = [one["fields"] for one in self.events(site, "emergency_opened")
                      if one["fields"]["object"] == stored]
            self.assertEqual(len(opened), 1, site)
            self.assertIn("accident", opened[0]["emergency_reason"])
            for officer in self.officers[:2]:
                self.assertIn(officer.enrolled["card_id"], opened[0]["officers"])
        self.assertTrue(any(self.events(site, "emergency_release") for site in SITES))
        seen = self.ask("person", "accesses", "--id", person.id)["accesses"]
        self.assertIn("emergency_opened", {one["event"] for one in seen})
        # In documents: purpose break-the-glass.
        self.assertIn('"BTG"', json.dumps(self.ask("consent", "receipt", grant, "--fhir")))
        receipt = self.ask("consent", "receipt", grant)
        self.assertEqual(receipt["event"]["event_type"], "emergency_access_without_card")
        self.see_at_kiosk(person)
        # The person is told first of all, until it was shown at a ceremony with the own card.
        for command in (["consent", "list"], ["audit", "list"]):
            self.assertIn(f"EMERGENCY: object {stored} of {person.id}", self.told(*command))
        given = self.network.consent(stored, person.card, person.pin_file)
        self.assertEqual([one["object"] for one in given["emergencies"]], [stored])
        self.assertNotIn(f"of {person.id} was opened", self.told("consent", "list"))
        again = self.network.consent(stored, person.card, person.pin_file)
        self.assertEqual(again["emergencies"], [])
        status = self.network.warifu.ask("net", "status", "--net", self.network.folder)
        for site in status["sites"]:
            self.assertTrue(site["break_glass"])
            self.assertIn(stored, [one["object"] for one in site["emergencies"]])

    def test_an_officer_with_a_card_that_signs(self):
        person = Person(self.network, "P-E4", keys=9)
        plain, stored = self.with_object(person)
        self.assert_fails(4, "tommo refuses.*has not allowed", self.open, stored)
        self.allow(person)
        grant = self.open(stored)
        self.ask("consent", "join", grant, "--card", self.signer, "--pin-file",
                 self.network.root / "pin", "--yes")
        self.restored(plain, stored, grant, asker="Dr. Ito")

    def test_what_the_person_has_not_allowed_stays_closed(self):
        person = Person(self.network, "P-E2", keys=9)
        _, stored = self.with_object(person)
        self.assert_fails(4, "has not allowed", self.open, stored)
        # Another object is another object.
        self.allow(person, "--object", stored)
        random_file(self.network.root / "second", SIZE, seed=77)
        second = person.store(self.network.root / "second")["object"]
        self.wait_until_kept()
        self.assert_fails(4, "has not allowed", self.open, second)

    def test_what_is_taken_back_is_closed_again(self):
        plain, stored = self.with_object(Person(self.network, "P-E3", keys=9))
        person = "P-E3"
        card = ["--card", self.network.root / "P-E3.card", "--pin-file",
                self.network.root / "P-E3.pin", "--yes"]
        self.ask("person", "emergency", "allow", "--id", person, *card)
        withdrawn = self.open_by_two(stored)
        self.ask("consent", "withdraw", withdrawn)
        self.assert_no_restore(stored, withdrawn, "withdrawn", asker="Dr. Ito")
        forbidden = self.open_by_two(stored)
        told = self.ask("person", "emergency", "forbid", "--id", person)
        self.assertEqual(sorted(told["told"]), sorted(SITES))
        self.assert_no_restore(stored, forbidden, "has not allowed", asker="Dr. Ito")
        self.assertEqual(self.ask("person", "show", "--id", person)["emergency"], [])

    def test_holders_tell_what_share_control_has_forgotten(self):
        person = Person(self.network, "P-E5", keys=9)
        plain, stored = self.with_object(person)
        self.allow(person)
        grant = self.open_by_two(stored)
        self.restored(plain, stored, grant, asker="Dr. Ito")
        self.network.kill("tommo")
        for file in (self.network.data("tommo") / "gate" / "people").iterdir():
            file.unlink()
        self.network.up()
        self.assertEqual(self.ask("consent", "list")["emergencies"], [])
        given = self.network.consent(stored, person.card, person.pin_file, uses=2)
        told = next(one for one in given["emergencies"] if one["object"] == stored)
        self.assertFalse(told["known_here"])
        self.assertNotIn("tommo", told["sites"])
        self.assertGreaterEqual(len(told["sites"]), 1)
        self.assertIn("EMERGENCIES: your data was opened without your card once", given["text"])
        self.restored(plain, stored, given["grant"])
        # The gates have the person's word for it now, and say no more.
        again = self.network.consent(stored, person.card, person.pin_file)
        untold = {site for one in again["emergencies"] for site in one["sites"]}
        seen = {site for site in given["sites"] if self.events(site, "emergency_told")}
        self.assertGreaterEqual(len(seen), 1)
        self.assertFalse(seen & untold)

    def test_wishes_that_are_no_emergency(self):
        self.assert_fails(2, "reason", self.open, self.stored, reason="")
        self.assert_fails(3, "not known", self.open, "ab" * 16)
        self.assert_fails(3, "P-nobody", self.ask, "person", "emergency", "forbid", "--id",
                          "P-nobody")
        self.assertIn("tommo", self.off)


if __name__ == "__main__":
    unittest.main()
