"""Sites that are gone: restores without any single one, and work that goes on after a kill."""

import itertools
import unittest

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

from warifu_cli import CLOUDS

SIZE = 3_000_000
LONG = 12_000_000  # more than the pools hold, so that a store of it takes a while


class SiteGone(NetworkTest):
    """Each site but the destination is stopped in turn."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork())
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]
        cls.share_at = {share["site"]: share["share"]
                        for share in cls.network.explain(cls.object)["shares"]}

    def restore_without(self, *gone, **settings):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        self.network.down(*gone)
        try:
            running = {site["name"] for site in self.network.status()["sites"] if site["running"]}
            self.assertEqual(running & set(gone), set())
            done = self.network.restore(self.object, self.person.consent(self.object), out,
                                        **settings)
        finally:
            self.network.up(*gone)
        self.assert_same_bytes(out, self.plain)
        return done

    def test_without_lsa(self):
        done = self.restore_without("lsa")
        self.assertEqual(done["using"][0], "A")
        self.assertEqual(len(set(done["using"]) & {"C1", "C2", "C3"}), 2)

    def test_without_tuh(self):
        self.assertEqual(self.restore_without("tuh")["using"], ["A", "B"])

    def test_without_one_cloud(self):
        for cloud in CLOUDS:
            with self.subTest(cloud=cloud):
                others = sorted(self.share_at[other] for other in CLOUDS if other != cloud)
                done = self.restore_without(cloud, using=",".join(["A", *others]))
                self.assertEqual(done["using"], ["A", *others])

    def test_without_one_cloud_the_planner_does_not_use_it(self):
        for cloud in CLOUDS:
            with self.subTest(cloud=cloud):
                self.assertNotIn(self.share_at[cloud], self.restore_without(cloud)["using"])

    def test_without_lsa_and_one_cloud(self):
        for cloud in CLOUDS[:1]:
            done = self.restore_without("lsa", cloud)
            self.assertEqual(set(done["using"]),
                             {"A"} | {self.share_at[other] for other in CLOUDS if other != cloud})

    def test_shares_of_a_site_that_is_gone_cannot_be_asked_for(self):
        self.network.down("lsa")
        try:
            out = self.network.root / "refused"
            self.assert_fails(6, "lsa", self.network.restore, self.object,
                              self.person.consent(self.object), out, using="A,B")
            self.assertFalse(out.exists())
        finally:
            self.network.up("lsa")

    def test_status_says_who_is_gone(self):
        self.network.down("cloud3")
        try:
            status = {site["name"]: site for site in self.network.status()["sites"]}
            self.assertFalse(status["cloud3"]["running"])
            self.assertFalse(status["cloud3"]["reachable"])
            self.assertTrue(status["cloud2"]["reachable"])
        finally:
            self.network.up("cloud3")


class Killed(NetworkTest):
    """Sites that lose power in the middle of a store. Slow links, small pools."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(rate="80Mbit/s", preshare="120M", high_water="10M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", LONG)

    def start_store(self):
        return self.person.store(self.network.root / "genome", no_wait=True)

    def partial(self, site):
        """Shares that a site is receiving just now."""
        return list(self.network.data(site).rglob("*.part"))

    def finish(self, started):
        """Waits for the job, loads the card, restores over all sites, and looks for leftovers."""
        self.network.wait_for_job(started["job"])
        object_id = started["object"]
        held = self.network.held(object_id)
        self.assertEqual((held["tommo"], held["lsa"], held["tuh"]), (["A"], ["B"], []))
        self.assertEqual(sorted(itertools.chain(*(held[cloud] for cloud in CLOUDS))),
                         ["C1", "C2", "C3"])
        entry = next(entry for entry in self.network.objects() if entry["object"] == object_id)
        if entry["card_record"] != "on_card":
            self.network.warifu.ask("object", "card-record", object_id,
                                    "--site", self.network.site("tommo"),
                                    "--card", self.person.card, "--pin-file", self.person.pin_file)
        grant = self.person.consent(object_id, uses=2)
        for using in ("A,B", "B,C1,C3"):
            out = self.network.root / "restored"
            out.unlink(missing_ok=True)
            self.network.restore(object_id, grant, out, using=using)
            self.assert_same_bytes(out, self.plain)
        for site in ("tommo", "lsa", "tuh", *CLOUDS):
            self.assertEqual(self.partial(site), [], f"half a share is left at {site}")
        staging = self.network.data("tommo") / "staging"
        self.assertEqual([p for p in staging.rglob("*") if p.is_file()], [])

    def kill_when(self, name, sites, limit=60):
        """Kills a site as soon as one of `sites` has begun to receive a share."""
        pid = self.network.pid(name)
        wait_until(lambda: any(self.partial(site) for site in sites), limit,
                   f"the first bytes of a share at {' or '.join(sites)}", 0.002)
        self.network.kill(name, pid)
        self.network.up(name)

    def test_tommo_is_killed_in_the_middle_of_a_store(self):
        started = self.start_store()
        self.kill_when("tommo", ["lsa"])
        self.finish(started)

    def test_tommo_is_killed_twice_and_lsa_once(self):
        started = self.start_store()
        for name in ("tommo", "lsa", "tommo"):
            self.kill_when(name, ["lsa"])
        self.finish(started)

    def test_tuh_is_killed_in_the_middle_of_the_second_cut(self):
        started = self.start_store()
        self.kill_when("tuh", CLOUDS)
        self.finish(started)

    def test_a_cloud_is_killed_in_the_middle_of_the_second_cut(self):
        started = self.start_store()
        self.kill_when("cloud2", ["cloud2"])
        self.finish(started)

    def test_an_error_that_lasts_takes_no_committed_object_back(self):
        started = self.start_store()
        wait_until(lambda: self.partial("lsa"), 60, "the first bytes of a share at lsa", 0.002)
        shares = self.network.data("cloud2") / "shares"
        away = self.network.root / "shares-away"
        shares.rename(away)

        def second_cut_fails():
            job = self.network.warifu.ask("job", "show", started["job"],
                                          "--site", self.network.site("tommo"))
            self.assertNotEqual(job["state"], "failed")
            return job["step"] == "reshare" and "cloud2" in job["error"]
        try:
            wait_until(second_cut_fails, 60, "the error of the second cut")
            held = self.network.held(started["object"])
            self.assertEqual((held["tommo"], held["lsa"], held["tuh"]), (["A"], ["B"], ["C"]))
        finally:
            away.rename(shares)
        self.finish(started)


if __name__ == "__main__":
    unittest.main()
