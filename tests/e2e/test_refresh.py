"""Shares get a new generation: the object stays, old shares go everywhere, whoever is killed."""

import datetime
import unittest

from network import (CommandFailed, NetworkTest, Person, TestNetwork, random_file,
                     wait_until)

SIZE = 1_500_001
LONG = 6_000_000


class RefreshTest(NetworkTest):
    LINKS = ("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")

    @classmethod
    def setUpClass(cls):
        if cls is RefreshTest:
            raise unittest.SkipTest("what the classes below share")
        cls.network = cls.enterClassContext(TestNetwork(link=cls.LINKS, preshare="64M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)

    def ask(self, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site("tommo"))

    def store(self, name="genome", policy=None):
        return self.person.store(self.network.root / name, policy=policy)["object"]

    def refresh(self, object_id, *more):
        return self.ask("object", "refresh", object_id, *more)

    def generation(self, object_id):
        return self.ask("explain", object_id)["generation"]

    def restore(self, object_id, using, plain=None):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(object_id, self.person.consent(object_id), out, using=using)
        self.assert_same_bytes(out, plain or self.plain)
        self.assertEqual(done["using"], using.split(","))
        self.assertEqual(done["blamed"], [])

    def files(self, object_id):
        """Every share by its letter: its file and what is in it."""
        letters = [letter for held in self.network.held(object_id).values() for letter in held]
        paths = {letter: self.network.share_path(object_id, letter)[1] for letter in letters}
        self.assertEqual(len(paths), len(letters), "a site holds two shares")
        return {letter: (path, path.read_bytes()) for letter, path in paths.items()}

    def assert_renewed(self, before, after):
        self.assertEqual(before.keys(), after.keys())
        for letter, (path, content) in before.items():
            self.assertFalse(path.exists(), f"the old share {letter} is still there")
            fresh = after[letter][1]
            self.assertEqual(len(fresh), len(content))
            same = sum(a == b for a, b in zip(fresh[8192:], content[8192:]))
            self.assertLess(same, len(content) / 50, f"share {letter} has hardly changed")


class Reference(RefreshTest):
    def test_a_refreshed_object_is_the_same_and_its_old_shares_are_gone(self):
        object_id = self.store()
        before = self.files(object_id)
        # Without a word about dealers nobody deals who could not delete everything anyway.
        self.assertEqual(self.refresh(object_id, "--plan")["dealer"], "tommo")
        plan = self.refresh(object_id, "--plan", "--dealers", "1")
        # Only lsa can deal so that the hospital, which once had C, learns one part of the change.
        self.assertEqual((plan["dealer"], plan["still_usable_at"]), ("lsa", []))
        job = self.refresh(object_id, "--dealers", "1")
        self.assertEqual(job["state"], "done")
        self.assertEqual((job["result"]["generation"], job["result"]["still_usable_at"]), (2, []))
        self.assertEqual(job["result"]["not_deleted_at"], [])
        self.assertEqual(job["result"]["audit"], "consistent")
        self.assert_renewed(before, self.files(object_id))
        self.assertEqual(self.generation(object_id), 2)
        self.assertTrue(self.ask("object", "check", object_id)["whole"])
        self.assertEqual(self.ask("object", "audit", object_id)["verdict"], "consistent")
        for using in ("A,B", "B,C1,C2", "A,C1,C3"):
            self.restore(object_id, using)
        # A lost share of the new generation is repaired out of that generation.
        _, path = self.network.share_path(object_id, "C2")
        path.unlink()
        self.ask("object", "repair", object_id, "--share", "C2")
        self.restore(object_id, "A,C2,C3")
        self.assertEqual(self.refresh(object_id, "--dealers", "2")["result"]["generation"], 4)
        self.restore(object_id, "B,C2,C3")

    def test_kills_of_every_process_change_nothing(self):
        big = random_file(self.network.root / "big", LONG)
        object_id = self.store("big")
        before = self.files(object_id)
        job = self.refresh(object_id, "--no-wait")["job"]
        for site in ("lsa", "cloud1", "tommo", "tuh", "cloud3", "cloud2", "tommo"):
            self.network.kill(site)
            self.network.up(site)
        self.network.wait_for_job(job)
        self.assert_renewed(before, self.files(object_id))
        self.assertEqual(self.ask("object", "audit", object_id)["verdict"], "consistent")
        self.restore(object_id, "A,C1,C3", big)

    def test_share_control_dies_once_at_every_step_that_it_shows(self):
        big = random_file(self.network.root / "huge", LONG)
        object_id = self.store("huge")
        before = self.files(object_id)
        job = self.refresh(object_id, "--dealers", "2", "--no-wait")["job"]
        steps = set()

        def done():
            try:
                seen = self.network.job(job)
            except CommandFailed:
                return False  # it is just coming up
            if seen["state"] == "done":
                return True
            step = (seen["step"], self.generation(object_id))
            if step not in steps:
                steps.add(step)
                self.network.kill("tommo")
                self.network.up("tommo")
            return False

        wait_until(done, 90, lambda: f"the refresh to end; died at {steps}")
        self.assertEqual(self.generation(object_id), 3)
        self.assert_renewed(before, self.files(object_id))
        self.restore(object_id, "B,C1,C2", big)

    def test_what_cannot_be_finished_leaves_the_old_generation(self):
        object_id = self.store()
        before = self.files(object_id)
        path, content = before["C2"]
        path.unlink()
        self.assert_fails(3, "is not in", self.refresh, object_id)
        path.write_bytes(content)
        self.assertEqual(self.files(object_id), before)
        self.assertEqual(self.generation(object_id), 1)
        self.restore(object_id, "A,C1,C2")

    def test_bad_wishes_are_refused(self):
        object_id = self.store()
        self.assert_fails(2, "takes from 1 dealers", self.refresh, object_id, "--dealers", "3")
        self.assert_fails(2, "is no time", self.refresh, object_id, "--key-after", "yesterday")
        later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
        self.assert_fails(4, "still has key that came in before", self.refresh, object_id,
                          "--key-after", later.strftime("%Y-%m-%dT%H:%M:%SZ"))
        self.assert_fails(2, "name an object", self.ask, "object", "refresh")
        self.assertEqual(self.generation(object_id), 1)
        self.refresh(object_id, "--key-after", "2020-01-01T00:00:00Z")
        self.restore(object_id, "A,B")


class General(RefreshTest):
    def test_any_threshold_is_refreshed_by_as_many_dealers_as_it_needs(self):
        for policy, dealers, using in (("2 of (origin, lsa, tuh)", 1, "B,C"),
                                       ("2 of (origin, lsa, tuh, cloud1)", 1, "B,C"),
                                       ("fragile 3 of (origin, tuh, cloud1)", 3, "A,B,C")):
            with self.subTest(policy=policy):
                object_id = self.store(policy=policy)
                before = self.files(object_id)
                if dealers > 1:
                    self.assert_fails(4, f"needs {dealers} dealers", self.refresh, object_id)
                done = self.refresh(object_id, *(("--dealers", str(dealers)) if dealers > 1 else ()))
                self.assertEqual(len(done["result"]["dealers"]), dealers)
                self.assertEqual(self.generation(object_id), 1 + dealers)
                self.assert_renewed(before, self.files(object_id))
                self.restore(object_id, using)


class Star(RefreshTest):
    """Without more links the hospital relays everything, and it is said what that means."""

    LINKS = None

    def test_what_the_relay_kept_stays_usable_and_is_named(self):
        object_id = self.store()
        self.assertEqual(self.refresh(object_id, "--plan")["still_usable_at"], ["tuh"])
        self.assertEqual(self.refresh(object_id)["result"]["still_usable_at"], ["tuh"])
        self.restore(object_id, "A,C1,C2")

    def test_a_cancelled_refresh_leaves_nothing_behind(self):
        big = random_file(self.network.root / "big", LONG)
        object_id = self.store("big")
        before = self.files(object_id)
        job = self.refresh(object_id, "--no-wait")["job"]
        self.ask("job", "cancel", job)
        self.network.wait_for_job(job, states=("cancelled",))
        self.assertEqual(self.files(object_id), before)
        self.restore(object_id, "A,B", big)

    def test_cancelling_waits_for_no_holder_that_may_never_come_back(self):
        big = random_file(self.network.root / "bigger", 2 * LONG)
        object_id = self.store("bigger")
        before = self.files(object_id)
        job = self.refresh(object_id, "--no-wait")["job"]
        self.ask("job", "pause", job)
        self.network.kill("cloud2")
        try:
            self.ask("job", "resume", job)
            wait_until(lambda: "cloud2" in self.network.job(job)["error"], 30,
                       "the refresh to wait for cloud2")
            # One holder of five: the others restore the object.
            self.assertEqual(self.ask("job", "cancel", job)["state"], "cancelled")
            self.assertEqual(self.generation(object_id), 1)
            for site in ("tommo", "lsa", "cloud1", "cloud3"):
                shares = [path.suffix for path in self.network.data(site).rglob("*.part")]
                self.assertEqual(shares, [], site)
        finally:
            self.network.up("cloud2")
        self.assertEqual(self.files(object_id), before)
        self.restore(object_id, "A,C2,C3", big)

    def test_cancelling_says_that_too_few_holders_answer(self):
        random_file(self.network.root / "biggest", 2 * LONG)
        object_id = self.store("biggest", policy="2 of (origin, lsa, tuh)")
        before = self.files(object_id)
        job = self.refresh(object_id, "--no-wait")["job"]
        self.ask("job", "pause", job)
        for site in ("lsa", "tuh"):
            self.network.kill(site)
        try:
            self.ask("job", "resume", job)
            wait_until(lambda: "answer" in self.network.job(job)["error"], 30, "the job to wait")
            # It is cancelled, and until somebody else answers nobody knows what they hold.
            job_now = self.ask("job", "cancel", job)
            self.assertEqual((job_now["state"], job_now["step"]), ("running", "cancel"))
            self.assertEqual(self.ask("job", "cancel", job)["step"], "cancel")
        finally:
            for site in ("lsa", "tuh"):
                self.network.up(site)
        self.network.wait_for_job(job, states=("cancelled",))
        self.assertEqual(self.files(object_id), before)
        self.assertEqual(self.generation(object_id), 1)



class ByItself(NetworkTest):
    def test_old_shares_become_new_ones_out_of_surplus_key(self):
        network = self.enterContext(
            TestNetwork(link=RefreshTest.LINKS, preshare="24M", start=False))
        config = network.site("tommo") / "site.toml"
        text = config.read_text()
        config.write_text(text + '\n[refresh]\ninterval = "4s"\nreserve = "900M"\n')
        network.up()
        person = Person(network)
        plain = random_file(network.root / "genome", SIZE)
        stored = person.store(network.root / "genome")["object"]
        site = ("--site", network.site("tommo"))

        def status():
            return network.warifu.ask("object", "refresh", "--status", *site)

        wait_until(lambda: "must stay" in status()["waits_for"], 60, "the reserve to be missed")
        now = status()
        self.assertEqual((now["interval_seconds"], now["objects"], now["begun"]), (4, 1, 0))
        self.assertGreater(now["key_bytes"], SIZE)
        network.down("tommo")
        config.write_text(text + '\n[refresh]\ninterval = "4s"\nreserve = "1M"\n')
        network.up("tommo")
        wait_until(lambda: network.warifu.ask("explain", stored, *site)["generation"] >= 2, 90,
                   "a new generation")
        jobs = network.warifu.ask("job", "list", *site)["jobs"]
        self.assertEqual({job["priority"] for job in jobs if job["kind"] == "refresh"}, {"low"})
        network.down("tommo")
        config.write_text(text)
        network.up("tommo")
        self.assertEqual(status()["interval_seconds"], 0)
        out = network.root / "restored"
        wait_until(lambda: not [job for job in network.warifu.ask("job", "list", *site)["jobs"]
                                if job["state"] in ("running", "waiting_key")], 90, "jobs to end")
        network.restore(stored, person.consent(stored), out)
        self.assert_same_bytes(out, plain)


if __name__ == "__main__":
    unittest.main()
