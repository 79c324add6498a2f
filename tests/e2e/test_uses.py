"""A consent of so many uses is so many restores, whichever sites are asked."""

import unittest

from network import NetworkTest, Person, TestNetwork, random_file

SIZE = 300_001


class Uses(NetworkTest):
    POLICIES = {"three": "2 of (origin, lsa, tuh)", "four": "2 of (origin, lsa, tuh, cloud1)"}

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(link=("lsa:cloud3", "tommo:cloud1", "lsa:cloud1"), preshare="32M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.ids = {name: cls.person.store(cls.network.root / "genome", policy=policy)["object"]
                   for name, policy in cls.POLICIES.items()}

    def restore(self, name, grant, using=None):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.ids[name], grant, out, using=using)
        self.assert_same_bytes(out, self.plain)
        return done

    def test_two_uses_of_three_sites_are_not_three(self):
        grant = self.person.consent(self.ids["three"], uses=2)
        self.assertEqual(self.restore("three", grant, "A,B")["using"], ["A", "B"])
        self.assertEqual(self.restore("three", grant, "B,C")["using"], ["B", "C"])
        # A and C have a use left each, and both of the consent's are spent.
        for using in ("A,C", None):
            self.assert_fails(4, "used up|taken by another session", self.restore, "three", grant,
                              using)

    def test_of_four_holders_those_are_named_that_cannot_restore_twice(self):
        given = self.network.consent(self.ids["four"], self.person.card, self.person.pin_file)
        self.assertEqual((given["sites"], given["spare"]), (["lsa", "tommo", "tuh"], ["cloud1"]))
        grant = given["grant"]
        self.restore("four", grant, "A,B")
        for using in ("C,D", "A,C", "B,C", None):
            self.assert_fails(4, "used up|taken by another session|no evidence for cloud1",
                              self.restore, "four", grant, using)

    def test_what_came_to_nothing_takes_no_use(self):
        grant = self.person.consent(self.ids["three"])
        self.network.kill("lsa")
        self.network.kill("tuh")
        try:
            self.assert_fails(6, "cannot reach", self.restore, "three", grant)
        finally:
            self.network.up("lsa")
            self.network.up("tuh")
        self.restore("three", grant, "B,C")
        self.assert_fails(4, "used up|taken by another session", self.restore, "three", grant,
                          "A,B")


if __name__ == "__main__":
    unittest.main()
