"""Policy trees with cuts inside cuts inside the object's: stored, restored, repaired, rebuilt."""

import itertools
import json
import unittest

from network import NetworkTest, Person, TestNetwork, flip_byte, random_file

SIZE = 700_001
LONG = 12_000_000
EDGES = ("edge1", "edge2", "edge3", "edge4")
TREE = "2 of (origin, lsa, 2 of (cloud, cloud, 2 of (edge, edge, edge) via cloud3) via tuh)"
RAMP = "2 of (origin, lsa, 2 of (cloud, cloud, ramp 3 of (edge, edge, edge, edge) via cloud3) via tuh)"
LETTERS = ["A", "B", "C1", "C2", "C3a", "C3b", "C3c"]


class TreeTest(NetworkTest):
    """The reference network with four sites behind cloud3, which are linked with each other."""

    LINKS = tuple(f"cloud3:{edge}" for edge in EDGES) + tuple(
        f"{a}:{b}" for a, b in itertools.combinations(EDGES, 2)) + ("cloud2:edge1", "lsa:cloud1")
    POLICIES = {}

    @classmethod
    def setUpClass(cls):
        if not cls.POLICIES:
            raise unittest.SkipTest("what the classes below share")
        cls.network = cls.enterClassContext(TestNetwork(
            extra_site=tuple(f"{edge}=edge" for edge in EDGES), link=cls.LINKS, preshare="48M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.ids = {name: cls.person.store(cls.network.root / "genome", policy=policy)["object"]
                   for name, policy in cls.POLICIES.items()}

    def call(self, *words, site="tommo"):
        """(exit code, answer, error text)."""
        code, out, err = self.network.warifu.call(*words, "--json", "--site",
                                                  self.network.site(site))
        return code, json.loads(out) if out.strip() else None, err

    def ask(self, *words, site="tommo"):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def restore(self, name, using=None, plain=None, grant=None):
        object_id = self.ids.get(name, name)
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(object_id, grant or self.person.consent(object_id), out,
                                    using=using)
        self.assert_same_bytes(out, plain or self.plain)
        if using:
            self.assertEqual(done["using"], using.split(","))
        return done

    def places(self, name):
        """Letter -> site, of the shares that are held."""
        return {letter: site for site, letters in self.network.held(self.ids.get(name, name)).items()
                for letter in letters}

    def states(self, name):
        _, answer, _ = self.call("object", "check", self.ids[name])
        return {share["share"]: share["state"] for share in answer["shares"]}

    def audit(self, name):
        return self.call("object", "audit", self.ids.get(name, name))

    def repair(self, name, letter, *more):
        return self.ask("object", "repair", self.ids[name], "--share", letter, *more)


class StoredAndRestored(TreeTest):
    POLICIES = {"tree": TREE, "ramp": RAMP}

    def test_every_share_rests_where_the_policy_says(self):
        at = self.places("tree")
        self.assertEqual(sorted(at), LETTERS)
        self.assertEqual((at["A"], at["B"]), ("tommo", "lsa"))
        self.assertEqual({at["C1"], at["C2"]}, {"cloud1", "cloud2"})
        self.assertTrue({at["C3a"], at["C3b"], at["C3c"]} < set(EDGES))
        told = self.network.explain(self.ids["ramp"])
        self.assertEqual({entry["cut"]: entry["scheme"] for entry in told["schemes"]},
                         {"object": "2 of 3", "C": "2 of 3", "C3": "ramp 3 of 4"})
        gone = {share["share"]: share for share in told["shares"] if not share["site"]}
        self.assertEqual({letter: share["last_site"] for letter, share in gone.items()},
                         {"C": "tuh", "C3": "cloud3"})
        self.assertEqual({share["state"] for share in gone.values()}, {"deleted"})

    def test_every_kind_of_set_restores(self):
        sets = ("A,B", "A,C1,C2", "B,C1,C3a,C3b", "A,C2,C3b,C3c", "B,C2,C3a,C3c")
        grant = self.person.consent(self.ids["tree"], uses=len(sets))
        for using in sets:
            with self.subTest(using=using):
                self.assertEqual(self.restore("tree", using, grant=grant)["blamed"], [])
        for using in ("A,C1,C3a,C3b,C3d", "B,C2,C3b,C3c,C3d"):
            with self.subTest(using=using):
                self.restore("ramp", using)
        for using in ("A,C1,C3a", "A,C3a,C3b", "A,C1,C2,C3a", "A,C3"):
            with self.subTest(using=using):
                self.assert_fails(4, "no set of shares", self.network.restore, self.ids["tree"],
                                  self.person.consent(self.ids["tree"]),
                                  self.network.root / "refused", using=using)

    def test_with_each_site_gone(self):
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3", *EDGES):
            with self.subTest(gone=site):
                self.network.down(site)
                try:
                    self.restore("tree")
                finally:
                    self.network.up(site)

    def test_a_liar_is_named_at_the_bottom_of_the_tree(self):
        at, path = self.network.share_path(self.ids["tree"], "C3b")
        flip_byte(path, fit=True)
        self.network.down("lsa")
        self.network.down("cloud2" if self.places("tree").get("C2") == "cloud2" else "cloud1")
        try:
            done = self.restore("tree")
            if "C3b" in done["using"] or done["blamed"]:
                self.assertEqual([(entry["share"], entry["site"]) for entry in done["blamed"]],
                                 [("C3b", at)])
        finally:
            flip_byte(path, fit=True)
            for site in ("lsa", "cloud1", "cloud2"):
                self.network.up(site)

    def test_a_plan_shows_every_level(self):
        plan = self.network.plan(size="1M", policy=TREE)
        shares = {share["share"]: share for share in plan["chosen"]["shares"]}
        self.assertEqual(list(shares), ["A", "B", "C", "C1", "C2", "C3", "C3a", "C3b", "C3c"])
        self.assertEqual({letter for letter, share in shares.items() if share["cut_again"]},
                         {"C", "C3"})
        self.assertTrue(shares["C3a"]["route"].startswith("cloud3 > edge"), shares["C3a"])
        self.assert_fails(4, "no legal placement", self.network.plan, size="1M",
                          policy=TREE.replace("edge, edge, edge", "edge, edge, cloud"))

    def test_killed_while_it_cuts_again_and_again(self):
        long = random_file(self.network.root / "long", LONG, seed=3)
        stored = self.person.store(self.network.root / "long", policy=TREE, no_wait=True)
        for site in ("tuh", "cloud3", "tommo"):
            self.network.kill(site)
            self.network.up(site)
        self.network.wait_for_job(stored["job"])
        self.assertEqual(sorted(self.places(stored["object"])), LETTERS)
        self.restore(stored["object"], "A,C1,C3a,C3c", plain=long)


class KeptUp(TreeTest):
    POLICIES = {"tree": TREE, "ramp": RAMP}

    def lose(self, name, letter):
        site, path = self.network.share_path(self.ids[name], letter)
        path.unlink()
        self.assertEqual(self.states(name)[letter], "missing")
        return site

    def test_what_is_lost_on_any_level_is_made_anew(self):
        for letter, using in (("C3b", "A,C1,C3a,C3b"), ("C3a", "B,C2,C3a,C3c"),
                              ("C1", "A,C1,C3b,C3c"), ("B", "B,C1,C2")):
            with self.subTest(letter=letter):
                site = self.lose("tree", letter)
                done = self.repair("tree", letter, "--to", site)
                self.assertEqual(done["state"], "done")
                self.assertEqual(self.states("tree")[letter], "held")
                self.restore("tree", using)

    def test_a_share_moves_at_the_bottom_of_the_tree(self):
        before = self.places("tree")
        free = (set(EDGES) - set(before.values())).pop()
        self.ask("object", "move", self.ids["tree"], "--share", "C3c", "--to", free)
        self.assertEqual(self.places("tree")["C3c"], free)
        self.restore("tree", "A,C2,C3b,C3c")
        self.assert_fails(4, "may not hold share C3c", self.ask, "object", "move", self.ids["tree"],
                          "--share", "C3c", "--to", "cloud1")

    def test_an_audit_covers_every_level_and_names_a_part_of_a_part(self):
        code, report, err = self.audit("tree")
        self.assertEqual((code, report["verdict"]), (0, "consistent"), (report, err))
        self.assertIn(["C3a", "C3b", "C3c"], [sum["shares"] for sum in report["sums"]])
        self.assertEqual({share["share"] for share in report["shares"]}, set(LETTERS))
        _, path = self.network.share_path(self.ids["tree"], "C3b")
        flip_byte(path, fit=True)
        try:
            code, report, _ = self.audit("tree")
        finally:
            flip_byte(path, fit=True)
        self.assertEqual((code, report["verdict"]), (7, "inconsistent"))
        self.assertIn("C3b", report["suspects"])

    def test_all_shares_get_a_new_generation(self):
        code, answer, err = self.call("object", "refresh", self.ids["ramp"])
        self.assertEqual(code, 0, (answer, err))
        self.assertEqual(self.network.explain(self.ids["ramp"])["generation"], 2)
        self.restore("ramp", "A,C1,C3a,C3b,C3d")
        self.restore("ramp", "B,C2,C3b,C3c,C3d")

    def test_the_catalog_is_rebuilt_from_the_shares(self):
        before = self.places("tree")
        result = self.ask("catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual(self.ask("catalog", "check"), {"sound": True})
        self.assertEqual(self.places("tree"), before)
        self.restore("tree", "A,C1,C3a,C3b")


class Rebuilt(TreeTest):
    # The whole of B is cut into shares that are cut again: of B itself no share tells.
    POLICIES = {"tree": TREE,
                "all": "2 of (origin, 2 of (2 of (edge, edge) via cloud3, "
                       "2 of (cloud1, cloud2) via lsa) via tuh, 2 of (edge, edge) via cloud3)"}

    @classmethod
    def setUpClass(cls):
        cls.POLICIES = {"tree": TREE}
        super().setUpClass()

    def test_the_control_site_burns_and_the_shares_tell(self):
        self.network.down()
        for path in self.network.data("tommo").glob("catalog*"):
            path.unlink()
        self.network.up()
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3", *EDGES):
            self.ask("catalog", "allow", site=site)
        result = self.ask("catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual((result["objects"], result["lost_shares"]), (1, 0))
        self.assertEqual(self.ask("catalog", "check"), {"sound": True})
        self.restore("tree", "B,C1,C3b,C3c")
        self.restore("tree", "A,C1,C2")


del TreeTest

if __name__ == "__main__":
    unittest.main()
