"""Cards of every kind in every place: as proxy's, as guardians' together, as officers' in an emergency.

One-time cards, type A cards (DESFire) and cards that sign, all emulated, in files. The first prove to all sites at
once, the second to each site in a dialogue of its own, the last by one signature; sites count them alike."""

import sqlite3
import time
import unittest

from cards import SITES, CardTest
from network import Person, TestNetwork, random_file
from site_socket import Api
from test_signature import Authority, make_card, set_cards

SIZE = 100_000


class Holder:
    """Somebody with a card: a file, and its PIN if it knows one."""

    def __init__(self, person, card, pin_file):
        self.id, self.card, self.pin_file = person, card, pin_file

    def words(self):
        pin = [] if self.pin_file is None else ["--pin-file", self.pin_file]
        return ["--card", self.card, *pin, "--yes"]


class CardKinds(CardTest):
    """One network; two of its people are officers, one with a card of each kind that has no tags."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M", start=False))
        root = cls.network.root
        (root / "pin").write_text("1234\n")
        (root / "pin2").write_text("ABC123\n")
        cls.authority = Authority(root / "authority")
        set_cards(cls.network, [f'test_anchors = ["{cls.authority.certificate}"]',
                                'revocation_missing = "accept"'])
        cls.network.up()
        one_time = Person(cls.network, "P-1", keys=30)
        cls.tags = Holder("P-1", one_time.card, one_time.pin_file)
        cls.touch = Holder("P-2", root / "P-2.card", None)
        enrolled = cls.network.enrol("P-2", "Person P-2", cls.touch.card, None, card_type="desfire")
        cls.signer = Holder("P-3", root / "P-3.card", root / "pin")
        make_card(cls.signer.card, root / "pin", root / "pin2", cls.authority)
        signed = cls.network.enrol("P-3", "Person P-3", cls.signer.card, root / "pin",
                                   card_type="jpki")
        officers = f'officers = ["{enrolled["card_id"]}", "{signed["card_id"]}"]'
        cls.network.down()
        for config in cls.network.folder.glob("sites/*/site.toml"):
            config.write_text(config.read_text() + f"\n[break_glass]\n{officers}\n")
        cls.network.up()

    def store(self, person, *card):
        plain = random_file(self.network.root / f"{person}.file", SIZE, seed=len(person) * 13)
        stored = self.network.store(self.network.root / f"{person}.file", person,
                                    **dict(zip(("card", "pin_file"), card)))["object"]
        self.wait_until_kept()
        return plain, stored

    def consent(self, stored, holder, **settings):
        return self.network.consent(stored, holder.card, holder.pin_file, **settings)

    def join(self, grant, holder):
        return self.ask("consent", "join", grant, *holder.words())["grant"]

    def name_proxy(self, person, proxy, *more):
        named = self.ask("person", "proxy", "add", "--id", person.id, "--proxy", proxy.id, *more,
                         *person.words())
        self.assertEqual((sorted(named["told"]), named["refused"]), (sorted(SITES), []))

    def remove_proxy(self, person, proxy):
        self.ask("person", "proxy", "remove", "--id", person.id, "--proxy", proxy.id)

    def ward(self, name, guardians, needed):
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        status, ordered = api.post(f"/v1/persons/{name}/guardians", {
            "guardians": [one.id for one in guardians], "needed": needed, "name": "C. Sato",
            "of_age_ms": int((time.time() + 10_000) * 1000)})
        self.assertEqual(status, 200, ordered)
        for site in SITES:
            self.ask("person", "allow", ordered["order"], site=site)
        plain, stored = self.store(name)
        with sqlite3.connect(self.network.data("tommo") / "catalog.db") as catalog:
            (kept,) = catalog.execute("SELECT sum(length(sealed_secret)) FROM job WHERE "
                                      "object_id = ?", (bytes.fromhex(stored),)).fetchone()
        catalog.close()
        self.assertEqual(kept, 0, "share control keeps the hash key of a ward's object")
        return plain, stored

    def test_a_type_a_card_is_a_proxys_and_names_one(self):
        plain, stored = self.store("P-1", self.tags.card, self.tags.pin_file)
        self.assert_fails(4, "another person", self.ask, "object", "card-record", stored, "--card",
                          self.touch.card)
        self.assert_fails(4, "may not consent to this as proxy", self.consent, stored, self.touch,
                          capacity="proxy")
        self.name_proxy(self.tags, self.touch, "--purpose", "research")
        given = self.consent(stored, self.touch, purpose="research", capacity="proxy")
        self.assertEqual((given["card_kind"], given["holder_verification"]),
                         ("desfire_emulated", "possession"))
        self.restored(plain, stored, given["grant"])
        self.assert_no_restore(stored, given["grant"], "used up")
        self.assert_fails(4, "may not consent to this as proxy", self.consent, stored, self.touch,
                          purpose="medicine", capacity="proxy")
        self.remove_proxy(self.tags, self.touch)
        self.assert_fails(4, "may not consent to this as proxy", self.consent, stored, self.touch,
                          purpose="research", capacity="proxy")
        # It names one too, by a proof to every site.
        plain, stored = self.store("P-2", self.touch.card)
        self.name_proxy(self.touch, self.signer)
        grant = self.consent(stored, self.signer, capacity="proxy")["grant"]
        self.restored(plain, stored, grant)
        self.remove_proxy(self.touch, self.signer)
        self.restored(plain, stored, self.consent(stored, self.touch)["grant"])

    def test_guardians_together_with_a_card_of_each_kind(self):
        guardians = [self.signer, self.touch, self.tags]
        plain, stored = self.ward("P-W1", guardians, 3)
        first = self.consent(stored, self.signer, capacity="guardian", uses=4, valid="1d")["grant"]
        self.assert_no_restore(stored, first, "counts with 3 guardians together; so far 1")
        second = self.join(first, self.touch)
        self.assert_no_restore(stored, second, "so far 2")
        # The last one brings the record: her card has none of it, and nobody was given it before.
        before = {site: len(self.events(site, "record_given")) for site in SITES}
        third = self.join(second, self.tags)
        after = {site: len(self.events(site, "record_given")) for site in SITES}
        self.assertGreaterEqual(sum(after[site] > before[site] for site in SITES), 2)
        for grant in (first, second, third):
            self.restored(plain, stored, grant)
        for site in SITES:
            released = [one["fields"] for one in self.events(site, "release")
                        if one["fields"]["object"] == stored]
            kinds = {one["kind"] for one in released}
            self.assertIn(kinds, (set(), {"signature_emulated", "desfire_emulated",
                                          "one_time_mac_emulated"}), site)
        self.ask("consent", "withdraw", second)
        self.assert_no_restore(stored, first, "withdrawn|so far 2")

    def test_any_one_guardian(self):
        plain, stored = self.ward("P-W2", [self.signer, self.touch], 1)
        for guardian in (self.signer, self.touch):
            self.restored(plain, stored,
                          self.consent(stored, guardian, capacity="guardian")["grant"])
        self.assert_fails((3, 4), "guardian|record|not found|not know", self.consent, stored,
                          self.tags, capacity="guardian")

    def test_officers_whose_cards_have_no_tags(self):
        plain, stored = self.store("P-1", self.tags.card, self.tags.pin_file)
        opened = ["consent", "emergency", "--object", stored, "--reason", "unconscious", "--grantee",
                  "Dr. Ito", *self.touch.words()]
        self.assert_fails(4, "tommo refuses.*has not allowed", self.ask, *opened)
        self.ask("person", "emergency", "allow", "--id", "P-1", *self.tags.words())
        grant = self.ask(*opened)["grant"]
        self.assert_no_restore(stored, grant, "so far 1", asker="Dr. Ito")
        self.join(grant, self.signer)
        self.restored(plain, stored, grant, asker="Dr. Ito")
        self.assertTrue(all(self.events(site, "emergency_opened") for site in SITES))
        # A person with such a card allows it as well.
        self.ask("person", "emergency", "allow", "--id", "P-2", *self.touch.words())
        self.assertEqual(len(self.ask("person", "show", "--id", "P-2")["emergency"]), 1)


if __name__ == "__main__":
    unittest.main()
