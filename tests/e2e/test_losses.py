"""Any site may burn with everything it had, the control site too: what is stored comes back."""

import unittest

from losses import SIZE, Losses
from network import random_file, wait_until

import accounts


class SitesBurn(Losses):

    def test_each_site_comes_back_and_its_share_is_made_anew(self):
        worth = {}  # of a share, what repairs cost
        for site, letter, without, using in (
                ("lsa", "B", "A,C1,C3", "B,C1,C2"), ("cloud2", "C2", "A,C1,C3", "A,C1,C2"),
                ("cloud1", "C1", "A,B", "B,C1,C3"), ("cloud3", "C3", "B,C1,C2", "A,C2,C3"),
                ("tuh", None, "A,B", "B,C2,C3")):
            with self.subTest(site=site):
                self.burn(site)
                if letter:
                    self.assertEqual(self.states()[letter], "missing")
                self.restore(without)
                if letter:
                    before = self.spent()
                    jobs = self.ask("tommo", "site", "repair", site)["jobs"]
                    self.assertEqual([(job["share"], job["problem"]) for job in jobs],
                                     [(letter, "")])
                    self.network.wait_for_job(jobs[0]["job"])
                    worth[letter] = (self.spent() - before) / accounts.records_bytes(SIZE)
                self.check_whole()
                self.renew_card(site)
                self.restore(using)
        # Among the clouds all ways are direct: one part to a helper as a mask, two to the new holder.
        self.assertEqual([worth[letter] for letter in ("C1", "C2", "C3")], [3, 3, 3])
        exposed = self.could_restore()
        self.assertEqual(exposed, set())
        self.note_figures(shares_per_repair=worth, could_restore=len(exposed))

    def test_a_card_is_renewed_only_where_its_keys_are_lost(self):
        self.assert_fails(8, "is enrolled already", self.renew_card, "lsa")


class LostWhileCut(Losses):

    def test_a_share_comes_back_that_was_still_to_be_cut(self):
        stored = self.store_up_to_the_cut()
        site, path = self.network.share_path(self.object, "C")
        self.assertEqual(site, "tuh")
        path.unlink()
        self.network.kill(site)
        self.network.up(site)
        wait_until(lambda: self.states().get("C") == "missing", 30, "C to be missed")
        self.assert_fails(8, "is being worked on", self.ask, "tommo", "object", "repair",
                          self.object, "--share", "B")
        self.assert_fails(8, "is being worked on", self.ask, "tommo", "object", "move",
                          self.object, "--share", "C")
        done = self.ask("tommo", "object", "repair", self.object, "--share", "C")
        self.assertEqual(done["state"], "done")
        self.burn("cloud2")  # and with it the link that had no key
        self.network.wait_for_job(stored["job"])
        self.ask("tommo", "object", "card-record", self.object, "--card", self.person.card,
                 "--pin-file", self.person.pin_file)
        self.assertEqual(self.states(), {share: "held" for share in ("A", "B", "C1", "C2", "C3")})
        self.restore("A,C1,C3")
        self.restore("B,C1,C3")


class ControlSiteBurns(Losses):

    def test_the_catalog_comes_back_from_its_copies(self):
        self.ask("tommo", "catalog", "copy")
        status = self.ask("tommo", "catalog", "status")
        self.assertEqual(status["copies"]["holders"], ["lsa", "tuh"])
        self.assertEqual(status["copies"]["problem"], "")
        kept = self.ask("lsa", "catalog", "status")["kept"]
        self.assertEqual(kept["catalog"], status["copies"]["catalog"])
        # Stored after the last copy that counts: known from its shares alone.
        self.network.down("tuh")
        before = self.ask("tommo", "catalog", "status")["copies"]["made"]
        self.network.up("tuh")
        late = random_file(self.network.root / "late", SIZE, seed=2)
        stored = self.person.store(self.network.root / "late")["object"]
        self.assertIsNotNone(before)

        self.burn("tommo")
        self.assert_fails(4, "an operator of this site must allow it first", self.ask, "tommo",
                          "catalog", "rebuild")
        for site in ("lsa", "tuh"):
            self.ask(site, "catalog", "allow")
        done = self.ask("tommo", "catalog", "rebuild")
        self.assertEqual(done["wrong"], [])
        result = done["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual(result["objects"], 2)
        self.assertEqual(self.ask("tommo", "catalog", "check"), {"sound": True})
        persons = self.ask("tommo", "person", "list")["persons"]
        self.assertEqual([person["person"] for person in persons], [self.person.id])

        self.assertEqual(self.states()["A"], "missing")
        self.restore("B,C1,C2")
        jobs = self.ask("tommo", "site", "repair", "tommo")["jobs"]
        self.assertEqual([job["problem"] for job in jobs], ["", ""])
        self.check_whole()
        self.renew_card("tommo")
        self.restore("A,B")
        out = self.network.root / "restored"
        out.unlink()
        self.network.restore(stored, self.person.consent(stored), out, using="A,C1,C3")
        self.assert_same_bytes(out, late)
        # The rebuilt catalog goes on as the one that was copied.
        self.ask("tommo", "catalog", "copy")
        kept = self.ask("lsa", "catalog", "status")["kept"]
        self.assertEqual(kept["catalog"], status["copies"]["catalog"])
        self.assertGreater(kept["epoch"], status["copies"]["epoch"])

    def look_at_card(self, rebuilt):
        """Shares do not tell what a card has: it is unknown until somebody looks."""
        self.assertEqual(rebuilt["unknown_records"], rebuilt["objects"])
        place = lambda: self.ask("tommo", "object", "show", self.object)["card_record"]
        load = lambda: self.ask("tommo", "object", "card-record", self.object, "--card",
                                self.person.card, "--pin-file", self.person.pin_file)
        self.assertEqual(place(), "unknown")
        self.assertEqual(load()["card_record"], "on_card")
        self.assertEqual(place(), "on_card")
        self.assert_fails(8, "on the card already", load)

    def seen(self):
        return {(one["site"], place) for one in self.network.explain(self.object)["seen"]
                for place in one["shares"]}

    def test_without_a_copy_the_shares_tell(self):
        self.restore("B,C1,C2")  # B comes to the holder of a part, or C over the gateway
        before = {(site, place) for site, place in self.seen() if site != "tommo"}
        self.burn("tommo")
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3"):
            self.ask(site, "catalog", "allow")
        result = self.ask("tommo", "catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual(result["persons_added"], 1)
        self.assertEqual(self.ask("tommo", "catalog", "check"), {"sound": True})
        # Sites on the way too, that never held what they passed on or joined.
        self.assertLessEqual(before, self.seen())
        self.look_at_card(result)
        self.restore("B,C1,C2")
        # Nobody knows any more what the person was called here, so it is another name.
        jobs = self.ask("tommo", "site", "repair", "tommo")["jobs"]
        self.assertEqual({job["problem"] for job in jobs}, {""})
        for job in jobs:
            self.network.wait_for_job(job["job"])
        self.check_whole()
        self.renew_card("tommo")
        self.restore("A,B")
        # A new catalog may not overwrite the copies of the old one unseen.
        self.assert_fails(4, "copies of another catalog", self.ask, "tommo",
                          "catalog", "copy")
        for site in ("lsa", "tuh"):
            self.ask(site, "catalog", "forget", "--yes")
        self.ask("tommo", "catalog", "copy")


del Losses

if __name__ == "__main__":
    unittest.main()
