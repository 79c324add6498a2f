"""Shares that were lost come back without the person, shares move and go, and nobody sees more."""

import json
import unittest

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SIZE = 1_500_001
LONG = 16_000_000


class UpkeepTest(NetworkTest):
    """The reference network with three more links, so that helpers can share masks."""

    LINKS = ("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")
    POLICIES = {}

    @classmethod
    def setUpClass(cls):
        if not cls.POLICIES:
            raise unittest.SkipTest("what the classes below share")
        cls.network = cls.enterClassContext(TestNetwork(link=cls.LINKS, preshare="48M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.ids = {name: cls.person.store(cls.network.root / "genome", policy=policy)["object"]
                   for name, policy in cls.POLICIES.items()}

    def ask(self, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site("tommo"))

    def states(self, name):
        code, out, _ = self.network.warifu.call("object", "check", self.ids[name], "--json",
                                                "--site", self.network.site("tommo"))
        shares = json.loads(out)["shares"]
        self.assertEqual(code == 0, all(share["state"] == "held" for share in shares))
        return {share["share"]: (share["site"], share["state"]) for share in shares}

    def lose(self, name, letter):
        site, path = self.network.share_path(self.ids[name], letter)
        path.unlink()
        self.assertEqual(self.states(name)[letter], (site, "missing"))
        return site

    def repair(self, name, letter, *more):
        return self.ask("object", "repair", self.ids[name], "--share", letter, *more)

    def restore(self, name, using):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.ids[name], self.person.consent(self.ids[name]), out,
                                    using=using)
        self.assert_same_bytes(out, self.plain)
        self.assertEqual(done["using"], using.split(","))


class Repair(UpkeepTest):
    POLICIES = {"reference": None}

    def test_every_share_that_is_lost_comes_back_where_it_was(self):
        for letter, using in (("B", "A,B"), ("A", "A,B"), ("C2", "B,C1,C2"), ("C1", "A,C1,C2")):
            with self.subTest(letter=letter):
                site = self.lose("reference", letter)
                plan = self.repair("reference", letter, "--plan")
                self.assertEqual(plan["site"], site)
                self.assertEqual(self.repair("reference", letter)["state"], "done")
                self.assertEqual(self.states("reference")[letter], (site, "held"))
                self.restore("reference", using)

    def test_a_repair_within_a_cut_costs_three_shares(self):
        self.lose("reference", "C3")
        plan = self.repair("reference", "C3", "--plan")
        self.assertEqual(sorted(part["share"] for part in plan["parts"]), ["C1", "C2"])
        share = -(-SIZE // 262144) * 32 + -(-SIZE // 32) * 32
        self.assertEqual(plan["key_bytes"], 3 * share)
        self.repair("reference", "C3")
        self.restore("reference", "A,C1,C3")

    def test_what_is_there_is_not_repaired_and_what_is_unknown_is_named(self):
        self.assert_fails(4, "there is nothing to repair", self.repair, "reference", "B")
        self.assert_fails(2, "has no share 'Q'", self.repair, "reference", "Q")
        self.assert_fails(4, "may not hold share C1", self.ask, "object", "move",
                          self.ids["reference"], "--share", "C1", "--to", "lsa")

    def test_a_whole_site_is_repaired_after_kills(self):
        big = random_file(self.network.root / "big", LONG)
        long = self.person.store(self.network.root / "big")["object"]
        for name in (self.ids["reference"], long):
            _, path = self.network.share_path(name, "B")
            path.unlink()
        started = self.ask("site", "repair", "lsa", "--no-wait")
        for site in ("lsa", "cloud1", "tommo"):
            self.network.kill(site)
            self.network.up(site)
        planned = self.network.wait_for_job(started["job"])["result"]
        self.assertEqual(planned["problems"], 0, planned)
        self.assertEqual(len(planned["jobs"]), 2)
        for job in planned["jobs"]:
            self.network.wait_for_job(job["job"])
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(long, self.person.consent(long), out, using="A,B")
        self.assert_same_bytes(out, big)
        self.assertEqual(done["blamed"], [])
        self.restore("reference", "B,C1,C2")


class MoveAndDelete(UpkeepTest):
    POLICIES = {"clouds": "2 of (origin, cloud, cloud)", "gone": "2 of (origin, lsa, tuh)"}

    def test_a_share_moves_and_a_site_is_drained(self):
        before = self.states("clouds")
        free = ({"cloud1", "cloud2", "cloud3"} - {site for site, _ in before.values()}).pop()
        plan = self.ask("object", "move", self.ids["clouds"], "--share", "C", "--plan")
        self.assertEqual(plan["site"], free)
        self.ask("object", "move", self.ids["clouds"], "--share", "C")
        self.assertEqual(self.states("clouds")["C"], (free, "held"))
        self.assertEqual(self.network.held(self.ids["clouds"])[before["C"][0]], [])
        self.restore("clouds", "A,C")
        # Who has seen C may hold C again, and never B.
        code, out, _ = self.network.warifu.call("site", "drain", before["B"][0], "--json", "--site",
                                                self.network.site("tommo"))
        self.assertEqual(code, 4)
        self.assertIn("no site may hold share B", json.loads(out)["jobs"][0]["problem"])
        done = self.ask("site", "drain", free)
        self.assertEqual([job["problem"] for job in done["jobs"]
                          if job["object"] == self.ids["clouds"]], [""])
        self.assertEqual(self.states("clouds")["C"], (before["C"][0], "held"))
        self.restore("clouds", "B,C")

    def test_a_drain_survives_its_site(self):
        before = self.states("clouds")
        job = self.ask("site", "drain", before["C"][0], "--no-wait")["job"]
        self.network.kill("tommo")
        self.network.up("tommo")
        planned = self.network.wait_for_job(job)
        self.assertEqual((planned["kind"], planned["state"]), ("site_drain", "done"))
        self.assertEqual(planned["result"]["problems"], 0, planned["result"])
        for entry in planned["result"]["jobs"]:
            self.network.wait_for_job(entry["job"])
        self.assertNotEqual(self.states("clouds")["C"][0], before["C"][0])
        self.restore("clouds", "A,C")

    def test_a_deleted_object_is_nowhere(self):
        grant = self.person.consent(self.ids["gone"])
        self.assert_fails(2, "say --yes", self.ask, "object", "delete", self.ids["gone"])
        self.network.down("tuh")
        job = self.ask("object", "delete", self.ids["gone"], "--yes", "--no-wait")["job"]
        held = lambda: {site: letters for site, letters in
                        self.network.held(self.ids["gone"]).items() if letters}
        wait_until(lambda: not held(), 20, "the sites that are there to delete")
        self.network.up("tuh")
        self.network.wait_for_job(job)
        self.assertEqual(held(), {})
        self.assert_fails(4, "is withdrawn", self.network.restore, self.ids["gone"], grant,
                          self.network.root / "none")


class NoLegalWay(UpkeepTest):
    """Without more links tommo stands between lsa and everybody else."""

    LINKS = None
    POLICIES = {"reference": None}

    def test_a_repair_that_would_show_somebody_too_much_is_refused(self):
        self.lose("reference", "B")
        self.assert_fails(4, "no legal way to have share B at lsa", self.repair, "reference", "B")
        self.assertEqual(self.states("reference")["B"], ("lsa", "missing"))


if __name__ == "__main__":
    unittest.main()
