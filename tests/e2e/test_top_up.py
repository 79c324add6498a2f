"""More one-time keys on a card: proved by the card to every site, and by nothing else."""

import unittest

from cards import SITES, CardTest
from network import Person, TestNetwork, random_file
from site_socket import Api

SIZE = 400_000


class TopUps(CardTest):
    """One network for all."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))

    def top_up(self, person, *more):
        return self.ask("card", "top-up", "--card", person.card, "--pin-file", person.pin_file,
                        "--yes", *more)

    def shown(self, person):
        return self.network.warifu.ask("card", "show", "--card", person.card)

    def test_a_card_goes_on_behind_its_first_keys(self):
        person = Person(self.network, "P-T1", keys=4)
        plain = random_file(self.network.root / "P-T1", SIZE, seed=1)
        stored = person.store(self.network.root / "P-T1")["object"]
        before = self.shown(person)
        self.assertTrue(before["few_left"])
        topped = self.top_up(person, "--keys", "20")
        self.assertEqual((topped["keys"], topped["sites"]), (20, len(SITES)))
        after = self.shown(person)
        self.assertEqual(after["keys_left"], before["keys_left"] - 1 + 20)
        self.assertFalse(after["few_left"])
        for _ in range(before["keys_left"]):  # the last one is of the new keys
            grant = person.consent(stored)
        self.restored(plain, stored, grant)
        for site in SITES:
            self.assertEqual(len([one for one in self.events(site, "card_topped_up")
                                  if one["fields"]["first_index"] == "5"]), 1)
        self.assert_fails(2, "do not fit", self.top_up, person, "--keys", "1999")
        self.assertEqual(self.shown(person)["keys_left"], after["keys_left"] - before["keys_left"])

    def test_the_last_key_can_buy_more_and_none_cannot(self):
        person = Person(self.network, "P-T2", keys=1)
        random_file(self.network.root / "P-T2", SIZE, seed=2)
        stored = person.store(self.network.root / "P-T2")["object"]
        self.assertEqual(self.top_up(person, "--keys", "1")["keys_left"], 1)
        person.consent(stored)
        self.assert_fails(5, "reissue", self.top_up, person, "--keys", "5")
        self.assert_fails(5, "no one-time keys left", person.consent, stored)

    def test_a_control_site_has_no_keys_of_a_card_without_it(self):
        """ToMMo asks the sites with a proof that no card has made, and with one again."""
        person = Person(self.network, "P-T3", keys=5)
        api = Api(self.network.site("tommo") / "api.sock")
        self.addCleanup(api.close)
        wish = {"card": person.enrolled["card_id"], "next_index": 1, "first_index": 6, "count": 5,
                "sites": person.enrolled["sites"]}
        status, prepared = api.post("/v1/cards/top-up/prepare", wish)
        self.assertEqual(status, 200, prepared)
        status, answer = api.post("/v1/cards/top-up", {
            "grant": prepared["grant"], "card_kind": 2, "tags": ["00" * 16] * len(SITES)})
        self.assertEqual(answer["code"], "refused", answer)
        self.assertIn("tag does not match", answer["message"])
        wish["sites"] = ["elsewhere"]
        status, answer = api.post("/v1/cards/top-up/prepare", wish)
        self.assertEqual(answer["code"], "invalid_argument", answer)
        self.assertEqual(self.shown(person)["keys_left"], 5)

    def test_a_site_that_is_away_costs_nothing_or_one_consent(self):
        person = Person(self.network, "P-T4", keys=6)
        plain = random_file(self.network.root / "P-T4", SIZE, seed=4)
        stored = person.store(self.network.root / "P-T4")["object"]
        self.network.kill("cloud2")
        self.assert_fails((6, 10), "cloud2", self.top_up, person, "--keys", "9")
        self.assertEqual(self.shown(person)["keys_left"], 6)
        self.network.up()
        self.assertEqual(self.top_up(person, "--keys", "9")["keys_left"], 14)
        self.restored(plain, stored, person.consent(stored))


if __name__ == "__main__":
    unittest.main()
