"""A share that the policy cuts again stands whole after the catalog burnt: share control sees to it."""

import unittest

from losses import Losses
from network import wait_until


class CutLostWithTheCatalog(Losses):

    def uncut(self):
        return self.ask("tommo", "catalog", "status")["uncut"]

    def jobs_of_kind(self, kind):
        return [job for job in self.ask("tommo", "job", "list")["jobs"] if job["kind"] == kind]

    def store_without_key_behind_the_gateway(self):
        self.store_up_to_the_cut()
        self.ask("tommo", "object", "card-record", self.object, "--card", self.person.card,
                 "--pin-file", self.person.pin_file)

    def rebuild_from_shares(self):
        self.burn("tommo")
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3"):
            self.ask(site, "catalog", "allow")
        result = self.ask("tommo", "catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["objects"], result["uncut"]), (2, 1))
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))

    def check_begun_by_itself(self):
        """The job that nobody asked for waits for key; people may stop it, and then it is theirs."""
        wait_until(lambda: self.jobs_of_kind("reshare"), 90, "a job to begin by itself")
        job = self.jobs_of_kind("reshare")[0]
        self.assertEqual((job["object"], job["priority"]), (self.object, "low"))
        self.network.wait_for_job(job["job"], states=("waiting_key",), step="reshare")
        self.assertEqual(self.uncut(), {"objects": 1, "under_way": 1, "waiting": 0, "left": 0,
                                        "problem": ""})
        self.assert_fails(8, "is being worked on", self.ask, "tommo", "object", "reshare",
                          self.object)
        self.network.kill("tommo")
        self.network.up("tommo")
        shown = self.network.wait_for_job(job["job"], states=("waiting_key",), step="reshare")
        self.assertEqual(shown["plan"]["shares"], ["C"])
        self.ask("tommo", "job", "cancel", job["job"])
        self.assertEqual(self.uncut()["left"], 1)
        self.assertEqual(self.ask("tommo", "catalog", "check"), {"sound": True})
        explained = self.network.explain(self.object)
        self.assertEqual(explained["uncut"], ["C"])
        self.assertFalse([share for share in explained["shares"]
                          if share["state"] in ("planned", "writing")])

    def check_asked_for(self):
        """What stands whole is a share as any; then it is cut, as the policy says."""
        self.assertEqual(self.states(), {"A": "missing", "B": "held", "C": "held"})
        self.restore("B,C")
        for share, code, why in (("B", 2, "is not cut again"), ("D", 2, "has no share 'D'")):
            self.assert_fails(code, why, self.ask, "tommo", "object", "reshare", self.object,
                              "--share", share)
        self.burn("cloud2")  # and with it the link that had no key
        plan = self.ask("tommo", "object", "reshare", self.object, "--plan")["shares"]
        self.assertEqual([(cut["share"], cut["site"]) for cut in plan], [("C", "tuh")])
        self.assertEqual({part["route"] for part in plan[0]["parts"]},
                         {"tuh > cloud1", "tuh > cloud2", "tuh > cloud3"})
        done = self.ask("tommo", "object", "reshare", self.object, "--share", "C")
        self.assertEqual((done["kind"], done["state"]), ("reshare", "done"))
        self.assertEqual(done["progress_bytes"], done["total_bytes"])
        self.assert_fails(2, "nothing to do", self.ask, "tommo", "object", "reshare", self.object)
        self.assert_fails(2, "does not stand whole", self.ask, "tommo", "object", "reshare",
                          self.object, "--share", "C")

    def check_ledger(self):
        """Nobody came to know more than the policy allows, and everybody's log says what was done."""
        explained = self.network.explain(self.object)
        self.assertEqual(explained["uncut"], [])
        seen = {one["site"]: one["shares"] for one in explained["seen"]}
        self.assertEqual(sorted(part for site in ("cloud1", "cloud2", "cloud3")
                                for part in seen[site]), ["C1", "C2", "C3"])
        parts = {share["share"]: share for share in explained["shares"]
                 if share["state"] == "durable" and share["share"].startswith("C")}
        for share in parts.values():
            self.assertEqual(share["route"], f"tuh > {share['site']}")
            self.assertEqual(share["link_classes"], ["preshared"])
        self.assertEqual(self.could_restore(), set())
        events = [entry["event"] for entry in self.records("tuh")]
        self.assertGreater(events[events.index("reshared"):].count("reshared"), 1)
        self.assertEqual(events[-1 - events[::-1].index("share_deleted")], "share_deleted")
        self.assertIsNone(self.find_share("tuh"))

    def find_share(self, site):
        return next((share for entry in self.network.status()["sites"] if entry["name"] == site
                     for share in entry.get("shares") or [] if share["object"] == self.object), None)

    def test_a_share_that_stood_whole_is_cut_after_all(self):
        self.store_without_key_behind_the_gateway()
        self.rebuild_from_shares()
        self.check_begun_by_itself()
        self.check_asked_for()
        self.check_ledger()
        self.restore("B,C1,C3")
        self.ask("tommo", "object", "repair", self.object, "--share", "A")
        self.check_whole()
        self.renew_card("tommo")
        self.renew_card("cloud2")
        for using in ("A,C1,C3", "A,C2,C3", "B,C2,C3", "A,B"):
            self.restore(using)
        self.assertEqual(self.ask("tommo", "catalog", "check"), {"sound": True})


del Losses

if __name__ == "__main__":
    unittest.main()
