"""Policy trees with cuts inside cuts inside the object's: stored, restored, repaired, rebuilt."""

import json
import unittest

from network import NetworkTest, Person, TestNetwork, flip_byte, random_file

SIZE = 700_001
LONG = 12_000_000
# A card serves seven sites, so these trees are as deep as seven sites allow.
TREE = "2 of (origin, lsa, 2 of (cloud1, 2 of (cloud2, edge) via cloud3) via tuh)"
LETTERS = ["A", "B", "C1", "C2a", "C2b"]
# With shares to spare at the bottom, and none above.
BOTTOM = "fragile 2 of (origin, 2 of (lsa, 2 of (cloud1, cloud2, edge) via cloud3) via tuh)"
BOTTOM_LETTERS = ["A", "B1", "B2a", "B2b", "B2c"]


class TreeTest(NetworkTest):
    """The reference network with a site more, and links over which helpers can share masks."""

    LINKS = ("cloud3:edge1", "cloud1:edge1", "cloud2:edge1", "lsa:tuh", "lsa:cloud1",
             "tommo:cloud1")
    POLICIES = {"tree": TREE, "bottom": BOTTOM}

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(
            extra_site="edge1=edge", link=cls.LINKS, preshare="48M"))
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

    def ask_check(self, policy):
        return self.network.warifu.ask("site", "check", "--config",
                                       self.network.site("tommo") / "site.toml", "--policy", policy)

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

    def test_every_share_rests_where_the_policy_says(self):
        self.assertEqual(self.places("tree"), {"A": "tommo", "B": "lsa", "C1": "cloud1",
                                               "C2a": "cloud2", "C2b": "edge1"})
        self.assertEqual(self.places("bottom"), {"A": "tommo", "B1": "lsa", "B2a": "cloud1",
                                                 "B2b": "cloud2", "B2c": "edge1"})
        told = self.network.explain(self.ids["bottom"])
        self.assertEqual({entry["cut"]: entry["scheme"] for entry in told["schemes"]},
                         {"object": "2 of 2", "B": "2 of 2", "B2": "2 of 3"})
        gone = {share["share"]: share for share in told["shares"] if not share["site"]}
        self.assertEqual({letter: share["last_site"] for letter, share in gone.items()},
                         {"B": "tuh", "B2": "cloud3"})
        self.assertEqual({share["state"] for share in gone.values()}, {"deleted"})

    def test_every_set_restores_and_no_other(self):
        for name, sets in (("tree", ("A,B", "A,C1,C2a,C2b", "B,C1,C2a,C2b")),
                           ("bottom", ("A,B1,B2a,B2b", "A,B1,B2a,B2c", "A,B1,B2b,B2c"))):
            grant = self.person.consent(self.ids[name], uses=len(sets))
            for using in sets:
                with self.subTest(using=using):
                    self.assertEqual(self.restore(name, using, grant=grant)["blamed"], [])
        for using in ("A,C1,C2a", "C1,C2a,C2b", "A,B,C1", "A,C2", "A,C2a,C2b"):
            with self.subTest(using=using):
                self.assert_fails(4, "no set of shares", self.network.restore, self.ids["tree"],
                                  self.person.consent(self.ids["tree"]),
                                  self.network.root / "refused", using=using)

    def test_with_each_site_gone(self):
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3", "edge1"):
            with self.subTest(gone=site):
                self.network.down(site)
                try:
                    done = self.restore("tree")
                    self.assertEqual(done["using"],
                                     ["A", "C1", "C2a", "C2b"] if site == "lsa" else ["A", "B"])
                    # Without cloud1 nobody asks edge1 for its nonce: it lies on its way.
                    if site in ("cloud2", "edge1"):
                        self.assertNotIn({"cloud2": "B2b", "edge1": "B2c"}[site],
                                         self.restore("bottom")["using"])
                finally:
                    self.network.up(site)

    def test_a_liar_is_named_at_the_bottom_of_the_tree(self):
        for letter in ("B2a", "B2b", "B2c"):
            at, path = self.network.share_path(self.ids["bottom"], letter)
            flip_byte(path, fit=True)
            try:
                done = self.restore("bottom")
            finally:
                flip_byte(path, fit=True)
            if letter in done["using"] or done["blamed"]:
                self.assertEqual([(entry["share"], entry["site"]) for entry in done["blamed"]],
                                 [(letter, at)])

    def test_a_plan_shows_every_level_and_a_senseless_tree_is_refused(self):
        plan = self.network.plan(size="1M", policy=TREE)
        shares = {share["share"]: share for share in plan["chosen"]["shares"]}
        self.assertEqual(list(shares), ["A", "B", "C", "C1", "C2", "C2a", "C2b"])
        self.assertEqual({letter for letter, share in shares.items() if share["cut_again"]},
                         {"C", "C2"})
        self.assertTrue(shares["C2b"]["route"].startswith("cloud3 > "), shares["C2b"])
        checked = self.ask_check(TREE)
        self.assertEqual((checked["nesting"], checked["sites_that_may_be_lost"],
                          checked["sites_that_could_restore"], checked["warnings"]), (2, 1, 2, []))
        for policy, why in (
                (TREE.replace("edge", "cloud1"), "no legal placement.*cloud1 holds another share"),
                (TREE.replace("via cloud3", "via lsa"), "no legal placement"),
                (TREE.replace("edge", "nowhere"), r"share C2b \('nowhere'\)"),
                (BOTTOM.replace("fragile ", ""), "without the site of share A")):
            with self.subTest(policy=policy):
                self.assert_fails(4, why, self.network.plan, size="1M", policy=policy)

    def test_killed_while_it_cuts_again_and_again(self):
        long = random_file(self.network.root / "long", LONG, seed=3)
        stored = self.person.store(self.network.root / "long", policy=TREE, no_wait=True)
        for site in ("tuh", "cloud3", "tommo", "cloud3"):
            self.network.kill(site)
            self.network.up(site)
        self.network.wait_for_job(stored["job"])
        self.assertEqual(sorted(self.places(stored["object"])), LETTERS)
        self.ask("object", "card-record", stored["object"], "--card", self.person.card,
                 "--pin-file", self.person.pin_file)
        self.restore(stored["object"], "A,C1,C2a,C2b", plain=long)


class KeptUp(TreeTest):

    def lose(self, name, letter):
        site, path = self.network.share_path(self.ids[name], letter)
        path.unlink()
        self.assertEqual(self.states(name)[letter], "missing")
        return site

    def test_what_is_lost_is_made_anew_within_its_cut(self):
        for name, letter, using in (("bottom", "B2b", "A,B1,B2a,B2b"), ("bottom", "B2c", "A,B1,B2a,B2c"),
                                    ("tree", "B", "A,B")):
            with self.subTest(letter=letter):
                site = self.lose(name, letter)
                helpers = {"B": ["A", "C1", "C2a", "C2b"], "B2b": ["B2a", "B2c"],
                           "B2c": ["B2a", "B2b"]}[letter]
                plan = self.repair(name, letter, "--plan")
                self.assertEqual(sorted(part["share"] for part in plan["parts"]), helpers)
                self.assertEqual(self.repair(name, letter, "--to", site)["state"], "done")
                self.assertEqual(self.states(name)[letter], "held")
                self.restore(name, using)
        self.lose("tree", "C1")  # its cut has none to spare
        self.assert_fails(4, "too few of the other shares", self.repair, "tree", "C1")

    def test_an_audit_covers_every_level_and_names_a_part_of_a_part(self):
        code, report, err = self.audit("bottom")
        self.assertIn(["B2a", "B2b", "B2c"], [sum["shares"] for sum in report["sums"]], err)
        self.assertEqual({share["share"]: share["state"] for share in report["shares"]},
                         {"A": "unaudited", "B1": "unaudited", "B2a": "consistent",
                          "B2b": "consistent", "B2c": "consistent"})
        whole = self.person.store(self.network.root / "genome", policy=TREE)["object"]
        code, report, err = self.audit(whole)
        self.assertEqual((code, report["verdict"]), (0, "consistent"), (report, err))
        self.assertEqual([sum["shares"] for sum in report["sums"]], [LETTERS])
        _, path = self.network.share_path(whole, "C2b")
        flip_byte(path, fit=True)
        try:
            code, report, _ = self.audit(whole)
        finally:
            flip_byte(path, fit=True)
        self.assertEqual((code, report["verdict"]), (7, "inconsistent"))
        self.assertIn("C2b", report["suspects"])

    def test_all_shares_get_a_new_generation(self):
        stored = self.person.store(self.network.root / "genome", policy=TREE)["object"]
        code, answer, err = self.call("object", "refresh", stored)
        self.assertEqual(code, 0, (answer, err))
        self.assertEqual(self.network.explain(stored)["generation"], 2)
        for using in ("A,B", "A,C1,C2a,C2b", "B,C1,C2a,C2b"):
            self.restore(stored, using)

    def test_the_catalog_is_rebuilt_from_the_shares(self):
        stored = self.person.store(self.network.root / "genome", policy=BOTTOM)["object"]
        before = self.places(stored)
        self.assertEqual(sorted(before), BOTTOM_LETTERS)
        self.network.down("tommo")
        for path in self.network.data("tommo").glob("catalog*"):
            if path.is_file():
                path.unlink()
        self.network.up("tommo")
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3", "edge1"):
            self.ask("catalog", "allow", site=site)
        result = self.ask("catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual(self.ask("catalog", "check"), {"sound": True})
        self.assertEqual(self.places(stored), before)
        self.restore(stored, "A,B1,B2a,B2c")


del TreeTest

if __name__ == "__main__":
    unittest.main()
