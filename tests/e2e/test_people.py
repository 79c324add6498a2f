"""Consent in a person's place: a proxy that the person's card has named, guardians who consent
together until the ward comes of age, and what holds after a death."""

import sqlite3
import time
import unittest

from cards import SITES, CardTest
from network import Person, TestNetwork, let_cards_come_at_once, random_file, wait_until
from site_socket import Api

SIZE = 600_000


class People(CardTest):
    """One network for all; records of cards are in safekeeping."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M", start=False))
        for config in cls.network.folder.glob("sites/*/site.toml"):
            let_cards_come_at_once(config)
        cls.network.up()

    def with_object(self, name):
        person = Person(self.network, name, keys=30)
        plain = random_file(self.network.root / name, SIZE, seed=len(name) * 7)
        stored = person.store(self.network.root / name)["object"]
        self.wait_until_kept()
        return person, plain, stored

    def name_proxy(self, person, proxy, *more):
        return self.ask("person", "proxy", "add", "--id", person.id, "--proxy", proxy.id, "--card",
                        person.card, "--pin-file", person.pin_file, "--yes", *more)

    def load_record(self, stored, person):
        return self.ask("object", "card-record", stored, "--card", person.card, "--pin-file",
                        person.pin_file)

    def allow(self, order, sites=tuple(SITES)):
        for site in sites:
            waiting = self.ask("person", "orders", site=site)["orders"]
            self.assertIn(order, [one["order"] for one in waiting])
            self.ask("person", "allow", order, site=site)

    # --- proxies ---

    def test_a_proxy_consents_for_what_the_person_said(self):
        person, plain, stored = self.with_object("P-X1")
        proxy = Person(self.network, "P-X2", keys=30)
        self.assert_fails(4, "another person", self.load_record, stored, proxy)
        document = self.network.root / "authority.txt"
        document.write_text("power of attorney\n")
        named = self.name_proxy(person, proxy, "--purpose", "research", "--authority", document)
        self.assertEqual(sorted(named["told"]), sorted(SITES))
        self.assertEqual((named["waiting"], named["refused"]), ([], []))
        shown = self.ask("person", "show", "--id", person.id)
        self.assertEqual(shown["proxies"][0]["proxy"], proxy.id)
        self.assertEqual(shown["proxies"][0]["purposes"], "research")
        self.assertEqual(len(shown["proxies"][0]["authority"]), 64)
        # The proxy's card gets the record out of safekeeping, by every holder's own gate.
        self.load_record(stored, proxy)
        grant = proxy.consent(stored, purpose="research", capacity="proxy", uses=5)
        self.restored(plain, stored, grant)
        # The control site's own gate says no before anything is written down.
        self.assert_fails(4, "tommo refuses.*may not consent to this as proxy", proxy.consent, stored,
                          purpose="medicine", capacity="proxy")
        self.assert_fails(4, "tommo refuses.*another person than the card", proxy.consent, stored,
                          purpose="research")
        seen = self.ask("person", "accesses", "--id", person.id)["accesses"]
        released = [one["fields"] for one in seen if one["event"] == "release"]
        self.assertTrue(released)
        self.assertTrue(all(one["capacity"] == "proxy" for one in released))
        self.assertTrue(all(self.events(site, "proxy_named") for site in SITES))
        removed = self.ask("person", "proxy", "remove", "--id", person.id, "--proxy", proxy.id)
        self.assertEqual(sorted(removed["told"]), sorted(SITES))
        self.assert_no_restore(stored, grant, "may not consent to this as proxy")
        self.assert_fails(3, "no proxy", self.ask, "person", "proxy", "remove", "--id", person.id,
                          "--proxy", proxy.id)
        # The person's own card was never in doubt.
        self.restored(plain, stored, person.consent(stored))

    def test_a_control_site_cannot_name_a_proxy(self):
        """ToMMo sends itself and the others a proof that no card has made."""
        person, _, stored = self.with_object("P-Y1")
        eve = Person(self.network, "P-Y2", keys=30)
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        status, prepared = api.post(f"/v1/persons/{person.id}/proxies/prepare", {
            "proxy": eve.id, "card": person.enrolled["card_id"], "next_index": 2,
            "valid_seconds": 1000})
        self.assertEqual(status, 200, prepared)
        status, answer = api.post(f"/v1/persons/{person.id}/proxies", {
            "grant": prepared["grant"], "card_kind": 2, "tags": ["00" * 16] * len(SITES)})
        self.assertEqual(status, 200, answer)
        self.assertEqual(sorted(one["site"] for one in answer["refused"]), sorted(SITES))
        self.assertIn("tag does not match", str(answer["refused"]))
        self.assertEqual(self.ask("person", "show", "--id", person.id)["proxies"], [])
        self.assert_fails(4, "another person", self.load_record, stored, eve)

    def test_a_site_that_is_away_hears_of_a_proxy_when_it_is_back(self):
        person, _, _ = self.with_object("P-Z1")
        proxy = Person(self.network, "P-Z2", keys=30)
        self.name_proxy(person, proxy)
        self.network.kill("lsa")
        removed = self.ask("person", "proxy", "remove", "--id", person.id, "--proxy", proxy.id)
        self.assertEqual([one["site"] for one in removed["waiting"]], ["lsa"])
        self.network.up()
        wait_until(lambda: self.events("lsa", "proxy_removed"), 60, "lsa to be told")

    # --- guardians ---

    def guardians(self, ward, guardians, of_age_ms, /, **settings):
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        return api.post(f"/v1/persons/{ward}/guardians", {
            "guardians": [one.id for one in guardians], "of_age_ms": of_age_ms, "name": "C. Sato",
            **settings})

    def test_guardians_consent_together_until_the_ward_comes_of_age(self):
        mother = Person(self.network, "P-G1", keys=30)
        father = Person(self.network, "P-G2", keys=30)
        of_age = int((time.time() + 45) * 1000)
        status, ordered = self.guardians("P-G3", [mother, father], of_age, needed=2)
        self.assertEqual(status, 200, ordered)
        self.assertEqual(sorted(ordered["told"]), sorted(SITES))
        plain = random_file(self.network.root / "P-G3", SIZE, seed=5)
        stored = self.network.store(self.network.root / "P-G3", "P-G3")["object"]
        self.assert_fails(4, "another person", self.load_record, stored, mother)
        self.allow(ordered["order"])
        for guardian in (mother, father):
            self.load_record(stored, guardian)
        first = mother.consent(stored, purpose="medicine", capacity="guardian", uses=9, valid="1d")
        self.assert_no_restore(stored, first, "counts with 2 guardians together; so far 1")
        joined = self.ask("consent", "join", first, "--card", father.card, "--pin-file",
                          father.pin_file, "--yes")
        self.assertIn("1 other guardian", joined["text"])
        self.restored(plain, stored, first)
        self.restored(plain, stored, joined["grant"])
        self.assert_fails(4, "under age", self.reissue, "P-G3")
        shown = self.ask("person", "show", "--id", "P-G3")
        self.assertEqual(sorted(shown["guardians"]), [mother.id, father.id])
        self.assertEqual(shown["guardians_needed"], 2)
        # From that instant every gate says no, and the ward gets a card by the road for lost ones.
        time.sleep(max(0.0, of_age / 1000 - time.time()))
        self.assert_no_restore(stored, first, "came of age")
        for site in SITES:
            self.ask("card", "allow-reissue", shown["card"], site=site)
        self.wait_until_kept()
        again = self.reissue("P-G3")
        self.assertEqual(again["objects"], [stored])
        given = self.network.consent(stored, self.network.root / "P-G3.card", mother.pin_file)
        self.restored(plain, stored, given["grant"])

    def reissue(self, person):
        pin_file = self.network.root / "P-G1.pin"
        return self.ask("person", "reissue", "--id", person, "--card",
                        self.network.root / f"{person}.card", "--keys", "9", "--pin-file", pin_file)

    def test_orders_that_make_no_sense_are_refused(self):
        mother = Person(self.network, "P-H1", keys=9)
        later = int((time.time() + 1000) * 1000)
        for settings in ({"guardians": []}, {"guardians": ["P-nobody"]}, {"needed": 2},
                         {"guardians": ["P-H2"]}, {"of_age_ms": 1000}):
            status, answer = self.guardians("P-H2", [mother], later, **{"needed": 1, **settings})
            self.assertIn(status, (400, 404), (settings, answer))
        self.assert_fails(3, "P-H2", self.ask, "person", "show", "--id", "P-H2")
        self.assert_fails(3, "no order", self.ask, "person", "allow", "ab" * 16, site="lsa")
        self.assert_fails(2, "must be a day", self.ask, "person", "guardians", "--id", "P-H2",
                          "--guardian", mother.id, "--of-age", "soon")
        ordered = self.ask("person", "guardians", "--id", "P-H2", "--guardian", mother.id,
                           "--of-age", "2044-04-01")
        self.ask("person", "decline", ordered["order"], site="lsa")
        self.assertEqual(self.ask("person", "orders", site="lsa")["orders"], [])
        self.assertTrue(self.events("lsa", "order_declined"))

    # --- death ---

    def test_after_a_death_only_a_testamentary_proxy_consents(self):
        person, plain, stored = self.with_object("P-D1")
        heir = Person(self.network, "P-D2", keys=30)
        self.name_proxy(person, heir, "--testamentary", "--valid", "300d")
        grant = person.consent(stored, uses=9)
        self.restored(plain, stored, grant)
        self.assert_fails(2, "--yes", self.ask, "person", "died", "--id", person.id)
        died = self.ask("person", "died", "--id", person.id, "--yes")
        self.restored(plain, stored, grant)  # no officer has said so yet
        # One site is enough for what needs its share; every one decides for itself.
        self.allow(died["order"], SITES)
        message = self.assert_no_restore(stored, grant, "has died")
        self.assertRegex(message, "site (tommo|lsa) refuses")
        self.assertTrue(self.ask("person", "show", "--id", person.id)["died"])
        self.load_record(stored, heir)
        self.restored(plain, stored, heir.consent(stored, capacity="proxy"))
        # A control site that forgets the death is refused by the others.
        self.network.down()
        for file in (self.network.data("tommo") / "gate" / "people").iterdir():
            file.unlink()
        self.network.up()
        self.assert_no_restore(stored, grant, "has died")
        with sqlite3.connect(self.network.data("tommo") / "catalog.db") as catalog:
            self.assertEqual(catalog.execute("SELECT count(*) FROM person_order").fetchone()[0], 0)
        catalog.close()


if __name__ == "__main__":
    unittest.main()
