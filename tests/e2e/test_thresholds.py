"""Policies with other thresholds: several sets restore, a site is gone, a share lies, a ramp."""

import itertools
import unittest

from network import (NetworkTest, Person, RECORDS_START, TestNetwork, flip_byte,
                     random_file)

SIZE = 700_001
CHECK = 16  # behind every record


class ThresholdTest(NetworkTest):
    """One network and person; every policy of POLICIES has an object of its own."""

    POLICIES = {}
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        if not cls.POLICIES:
            raise unittest.SkipTest("what the classes below share")
        cls.network = cls.enterClassContext(TestNetwork(**cls.SETTINGS))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.ids = {name: cls.person.store(cls.network.root / "genome", policy=policy)["object"]
                   for name, policy in cls.POLICIES.items()}

    def restore(self, name, grant=None, **settings):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.ids[name], grant or self.person.consent(self.ids[name]),
                                    out, **settings)
        self.assert_same_bytes(out, self.plain)
        self.assertIs(done["verified"], True)
        return done

    def restore_sets(self, name, sets):
        grant = self.person.consent(self.ids[name], uses=len(sets))
        for letters in sets:
            with self.subTest(name=name, using=letters):
                done = self.restore(name, grant, using=",".join(letters))
                self.assertEqual(done["using"], list(letters))
                self.assertEqual(done["blamed"], [])

    def restore_damaged(self, name, letter, **settings):
        """Restores while one holder lies about a byte: the share and its site are named."""
        site, path = self.network.share_path(self.ids[name], letter)
        flip_byte(path, fit=True)
        try:
            done = self.restore(name, **settings)
        finally:
            flip_byte(path, fit=True)
        if letter in done["using"] or done["blamed"]:
            self.assertEqual([(entry["share"], entry["site"]) for entry in done["blamed"]],
                             [(letter, site)])
        return done["blamed"]

    def schemes(self, name):
        return {entry["cut"]: entry["scheme"]
                for entry in self.network.explain(self.ids[name])["schemes"]}

    def assert_share_bytes(self, name, letter, full, last):
        """Lengths of the records in a share's file: two full ones and the last."""
        _, path = self.network.share_path(self.ids[name], letter)
        stride = -(-(full + CHECK) // 4096) * 4096
        self.assertEqual(path.stat().st_size, RECORDS_START + 2 * stride + last + CHECK)


class Reference(ThresholdTest):
    """On the links of the reference network."""

    POLICIES = {
        "3 of 4": "3 of (origin, lsa, tuh, cloud1)",
        "2 of 2": "fragile 2 of (origin, lsa)",
        "away": "fragile 2 of (lsa, tuh)",
        "nested": "2 of (origin, lsa, 3 of (cloud, cloud, cloud) via tuh)",
        "first": "2 of (2 of (cloud, cloud) via tuh, origin, lsa)",
    }

    def test_every_three_of_four(self):
        self.assertEqual(self.schemes("3 of 4"), {"object": "3 of 4"})
        self.restore_sets("3 of 4", list(itertools.combinations("ABCD", 3)))

    def test_two_of_two_and_no_share_at_the_origin(self):
        self.restore_sets("2 of 2", ["AB"])
        self.restore_sets("away", ["AB"])
        self.assertEqual(self.network.held(self.ids["away"])["tommo"], [])

    def test_nested_thresholds_under_any_share(self):
        self.assertEqual(self.schemes("nested"), {"object": "2 of 3", "C": "3 of 3"})
        self.restore_sets("nested", ["AB", ("A", "C1", "C2", "C3"), ("B", "C1", "C2", "C3")])
        self.assertEqual(self.schemes("first"), {"object": "2 of 3", "A": "2 of 2"})
        self.restore_sets("first", ["BC", ("A1", "A2", "B"), ("A1", "A2", "C")])
        held = self.network.held(self.ids["first"])
        self.assertEqual((held["tommo"], held["lsa"], held["tuh"]), (["B"], ["C"], []))

    def test_too_few_or_too_many_shares_are_no_set(self):
        grant = self.person.consent(self.ids["3 of 4"], uses=3)
        for using in ("A,B", "A,B,C,D", "A,B,E"):
            with self.subTest(using=using):
                self.assert_fails(4, "no set of shares", self.network.restore, self.ids["3 of 4"], grant,
                                  self.network.root / "refused", using=using)

    def test_without_one_site(self):
        for site, using in (("lsa", ["A", "C", "D"]), ("cloud1", ["A", "B", "C"])):
            self.network.down(site)
            try:
                self.assertEqual(self.restore("3 of 4")["using"], using)
            finally:
                self.network.up(site)
        self.network.down("cloud2")
        try:
            self.assertEqual(self.restore("nested")["using"], ["A", "B"])
        finally:
            self.network.up("cloud2")

    def test_a_damaged_share_is_named(self):
        for letter in "ABCD":
            with self.subTest(letter=letter):
                self.restore_damaged("3 of 4", letter)
        blamed = self.restore_damaged("3 of 4", "B")
        self.assertEqual([entry["share"] for entry in blamed], ["B"])

    def test_damage_without_a_spare_share_is_told(self):
        site, path = self.network.share_path(self.ids["2 of 2"], "B")
        flip_byte(path, RECORDS_START + 5, fit=True)
        try:
            out = self.network.root / "refused"
            self.assert_fails((6, 7), "no other set of shares", self.network.restore,
                              self.ids["2 of 2"], self.person.consent(self.ids["2 of 2"]), out)
            self.assertFalse(out.exists())
        finally:
            flip_byte(path, RECORDS_START + 5, fit=True)
        self.assertEqual(site, "lsa")

    def test_policies_are_refused_before_the_upload(self):
        path = self.network.root / "genome"
        before = len(self.network.objects())
        for policy, code, why in (
                ("ramp 3 of (origin, lsa, tuh, cloud1)", 4, "tuh would hold or relay 2 shares"),
                ("2 of (origin, lsa, tuh, cloud1)", 4, "tuh would hold or relay 2 shares"),
                ("2 of (origin, nobody)", 4, "nobody"),
                ("1 of (origin, lsa)", 2, "position 1"),
                ("2 of (origin, lsa", 2, "position")):
            with self.subTest(policy=policy):
                self.assert_fails(code, why, self.person.store, path, policy=policy)
        self.assertEqual(len(self.network.objects()), before)


class Ramp(ThresholdTest):
    """With a link more, three sites get their shares over routes of their own."""

    SETTINGS = {"link": "tommo:cloud1"}
    POLICIES = {"ramp": "ramp 3 of (origin, lsa, tuh, cloud1)",
                "usual": "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)"}

    def test_every_three_restore_and_shares_are_half_as_long(self):
        told = self.network.explain(self.ids["ramp"])["schemes"]
        self.assertEqual([entry["scheme"] for entry in told], ["ramp 3 of 4"])
        self.assertIn("two tell half", told[0]["text"])
        self.restore_sets("ramp", list(itertools.combinations("ABCD", 3)))
        last = -(-(SIZE - 2 * (256 << 10)) // 32) * 32 + 32
        half = -(-last // 64) * 32
        for letter in "ABCD":
            self.assert_share_bytes("ramp", letter, (256 << 10) // 2 + 32, half)

    def test_without_one_site_and_with_a_damaged_share(self):
        self.network.down("tuh")
        try:
            self.assertEqual(self.restore("ramp")["using"], ["A", "B", "D"])
        finally:
            self.network.up("tuh")
        for letter in "ABCD":
            self.restore_damaged("ramp", letter)

    def test_the_usual_policy_stands_beside_it(self):
        held = self.network.held(self.ids["usual"])
        self.assertEqual((held["tommo"], held["lsa"]), (["A"], ["B"]))
        self.restore_sets("usual", ["AB"])

    def test_a_damaged_part_of_a_share_is_named(self):
        self.network.down("lsa")
        try:
            blamed = [self.restore_damaged("usual", letter) for letter in ("C1", "C2", "C3")]
        finally:
            self.network.up("lsa")
        # Two of the three parts are used, and each of them is named when it is wrong.
        self.assertEqual(len([names for names in blamed if names]), 2)

class PlannedWays(ThresholdTest):
    """lsa is linked to cloud3 too: B and C reach two clouds over different relays."""

    SETTINGS = {"link": "lsa:cloud3"}
    POLICIES = {"clouds": "2 of (origin, cloud1, cloud2)"}

    @staticmethod
    def seen_by(routes):
        """Site -> shares that it held or relayed; routes by share."""
        seen = {}
        for share, route in routes.items():
            for site in route.split(" > "):
                seen.setdefault(site, set()).add(share)
        return seen

    def test_nobody_sees_two_shares_at_a_store_and_at_restores(self):
        stored = self.network.explain(self.ids["clouds"])
        ways = {share["share"]: share["route"] for share in stored["shares"]}
        seen = self.seen_by({name: ways[name] for name in ("B", "C")})
        self.assertEqual({site for site, shares in seen.items() if len(shares) > 1}, {"tommo"})
        self.assertIn("lsa > cloud3 > cloud2", " ".join(ways.values()))
        done = self.restore("clouds", using="B,C")
        back = self.seen_by(dict(zip(("B", "C"), done["routes"])))
        for site, shares in back.items():
            if site != "tommo":
                self.assertEqual(len(shares | seen.get(site, set())), 1, site)

    def test_the_plan_tells_why(self):
        plan = self.network.plan(self.ids["clouds"])
        self.assertEqual([share["share"] for share in plan["chosen"]["shares"]], ["A", "B", "C"])
        self.assertIsNone(plan["runner_up"])
        self.assertEqual(len(plan["inputs"]["sites"]), 6)
        now = self.network.plan(size="1M", policy="2 of (origin, vault, cloud)")
        self.assertNotEqual([share["site"] for share in now["runner_up"]["shares"]],
                            [share["site"] for share in now["chosen"]["shares"]])
        self.assertEqual(now["chosen"]["hours_for_key"], 0)


if __name__ == "__main__":
    unittest.main()
