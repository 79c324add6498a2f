"""Jobs under an operator's orders: pause, resume, cancel."""

import unittest

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SIZE = 1_000_001
LONG = 6_500_000


class Orders(NetworkTest):
    """Device links with key for a small object only: a long one waits for key."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(rate="4Mbit/s", bootstrap="4M", preshare="32M", high_water="8M", start=False))
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(config.read_text() + "\n[jobs]\nactive = 2\n")
        cls.network.up()
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "long", LONG)
        cls.small = random_file(cls.network.root / "small", SIZE, 2)

    def order(self, word, job, *more):
        return self.network.warifu.ask("job", word, job, *more, "--site",
                                       self.network.site("tommo"))

    def stop(self, word, job, state):
        """An order that a job hears at its next step: one that waits for key looks up seldom."""
        self.order(word, job)
        return self.network.wait_for_job(job, (state,))

    def begin(self, until=("waiting_key",)):
        """A long store that is on its way and waits for key."""
        stored = self.network.warifu.ask(
            "object", "store", self.network.root / "long", "--person", self.person.id, "--no-wait",
            "--site", self.network.site("tommo"))
        if until:
            self.network.wait_for_job(stored["job"], until)
        return stored

    def leased(self):
        return [link["leased_bytes"] for link in self.network.link_status("tommo")]

    def test_a_paused_job_rests_over_a_restart_and_goes_on(self):
        stored = self.begin()
        paused = self.stop("pause", stored["job"], "paused")
        self.assertEqual(self.order("pause", stored["job"])["state"], "paused")
        self.assertEqual(set(self.leased()), {0})
        # Others get the key.
        self.person.store(self.network.root / "small")
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assertEqual(self.network.job(stored["job"])["state"], "paused")
        self.assertEqual(self.network.job(stored["job"])["progress_bytes"],
                         paused["progress_bytes"])
        self.order("resume", stored["job"])
        self.network.wait_for_job(stored["job"], ("done",), limit=150)
        self.network.warifu.ask("object", "card-record", stored["object"], "--card",
                                self.person.card, "--pin-file", self.person.pin_file, "--site",
                                self.network.site("tommo"))
        out = self.network.root / "restored"
        self.network.restore(stored["object"], self.person.consent(stored["object"]), out)
        self.assert_same_bytes(out, self.plain)
        self.assert_fails(2, "is done already", self.order, "cancel", stored["job"])
        self.assert_fails(2, "is done already", self.order, "pause", stored["job"])

    def test_a_cancelled_store_leaves_nothing(self):
        for pause_first in (False, True):
            with self.subTest(paused=pause_first):
                stored = self.begin()
                if pause_first:
                    self.stop("pause", stored["job"], "paused")
                self.stop("cancel", stored["job"], "cancelled")
                self.assertEqual(set(self.leased()), {0})
                wait_until(lambda: not any(self.network.held(stored["object"]).values()), 10,
                           "the shares to go")
                objects = self.network.warifu.ask("object", "list", "--site",
                                                  self.network.site("tommo"))["objects"]
                states = {entry["object"]: entry["state"] for entry in objects}
                self.assertEqual(states[stored["object"]], "failed")
                self.assert_fails(2, "is not paused|is cancelled already", self.order, "resume",
                                  stored["job"])

    def test_an_urgent_job_overtakes_those_that_wait(self):
        waiting = [self.begin(), self.begin(), self.begin(until=())]  # two may run at once
        self.assertIn("jobs_before", self.network.job(waiting[2]["job"]))
        urgent = self.network.warifu.ask(
            "object", "store", self.network.root / "small", "--person", self.person.id,
            "--priority", "urgent", "--site", self.network.site("tommo"))
        self.assertEqual(self.network.job(urgent["job"])["priority"], "urgent")
        jobs = {job["job"]: job for job in self.network.warifu.ask(
            "job", "list", "--limit", "4", "--site", self.network.site("tommo"))["jobs"]}
        self.assertEqual(jobs[urgent["job"]]["state"], "done")
        for entry in waiting:
            self.assertNotEqual(jobs[entry["job"]]["state"], "done")
        # The last one becomes the first, over a restart too.
        self.assertEqual(self.order("priority", waiting[2]["job"], "urgent")["priority"], "urgent")
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assertEqual(self.network.job(waiting[2]["job"])["priority"], "urgent")
        self.order("pause", waiting[0]["job"])
        self.network.wait_for_job(waiting[2]["job"], limit=150)
        self.assertNotEqual(self.network.job(waiting[1]["job"])["state"], "done")
        for entry in waiting[:2]:
            self.stop("cancel", entry["job"], "cancelled")
        self.assert_fails(2, "low, usual or urgent", self.order, "priority", waiting[0]["job"],
                          "fast")
        self.assert_fails(2, "is done already", self.order, "priority", urgent["job"], "low")

    def test_what_is_no_job(self):
        self.assert_fails(3, "job", self.order, "pause", "ab" * 16)
        self.assert_fails(2, "hexadecimal", self.order, "cancel", "xyz")


if __name__ == "__main__":
    unittest.main()
