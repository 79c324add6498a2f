"""Any site may burn with everything it had, the control site too: what is stored comes back."""

import json
import os
import pathlib
import shutil
import unittest

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

import accounts

SIZE = 1_500_001
LINKS = ("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")


class Losses(NetworkTest):

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(link=LINKS, preshare="12M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]

    def ask(self, site, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def burn(self, site):
        """The site's folder is gone; it comes back empty, with new key on all of its links."""
        sites = [entry["name"] for entry in self.network.status()["sites"]]
        self.network.kill(site)
        self.network.down(*[name for name in sites if name != site])
        shutil.rmtree(self.network.data(site))
        done = self.network.warifu.ask("net", "renew", site, "--preshare", "12M", "--net",
                                       str(self.network.folder))
        self.assertEqual(done["site"], site)
        self.network.up()

    def renew_card(self, site):
        done = self.ask("tommo", "person", "renew-card", "--at", site, "--card",
                        self.person.card, "--pin-file", self.person.pin_file)
        self.assertEqual(done["site"], site)

    def states(self):
        _, out, _ = self.network.warifu.call("object", "check", self.object, "--json", "--site",
                                             self.network.site("tommo"))
        return {share["share"]: share["state"] for share in json.loads(out)["shares"]}

    def restore(self, using):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.object, self.person.consent(self.object), out,
                                    using=using)
        self.assert_same_bytes(out, self.plain)
        self.assertEqual(done["using"], using.split(","))
        self.assertEqual(done["tag_over_all"], "checked")

    def spent(self):
        """Bytes of shares and parts that the object has cost on all links so far."""
        return sum(use["payload_bytes"] for use in self.network.explain(self.object)["key_spent"])

    def note_figures(self, **figures):
        """For whoever runs this to measure."""
        if path := os.environ.get("WARIFU_FIGURES"):
            pathlib.Path(path).write_text(json.dumps(figures))

    def records(self, site):
        found, first = [], 0
        while part := self.ask(site, "audit", "list", "--from", str(first), "--limit",
                               "500")["records"]:
            found += part
            first = found[-1]["seq"] + 1
        return found

    def could_restore(self):
        """Sites that could restore the object alone: by the ledger, and by every site's own log."""
        told = self.network.explain(self.object)
        found = {one["site"] for one in told["seen"] if one["could_restore"]}
        known = {share["id"]: (share["generation"], share["share"]) for share in told["shares"]}
        for site in (entry["name"] for entry in self.network.status()["sites"]):
            held = {}
            for entry in self.records(site):
                if entry["event"] != "share_stored":
                    continue
                generation, path = known.get(entry["fields"]["share"], (0, ""))
                held.setdefault(generation, set()).add(path[:1])
            held.pop(0, None)
            if any(len(cuts) > 1 for cuts in held.values()):
                found.add(site)
        return found

    def check_whole(self):
        self.assertEqual(self.states(), {"A": "held", "B": "held", "C1": "held", "C2": "held",
                                         "C3": "held"})


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
        left = next(link["residual_bytes"] for link in self.network.link_status("tuh")
                    if link["peer"] == "cloud2")
        self.ask("tuh", "keys", "burn", "--peer", "cloud2", "--direction", "send", "--bytes",
                 str(left - 100_000), "--yes")
        stored = self.person.store(self.network.root / "genome", no_wait=True)
        self.object = stored["object"]
        # Other links may want key for a moment as well, while shares still move.
        self.network.wait_for_job(stored["job"], states=("waiting_key",), step="reshare")
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

    def test_without_a_copy_the_shares_tell(self):
        self.burn("tommo")
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3"):
            self.ask(site, "catalog", "allow")
        result = self.ask("tommo", "catalog", "rebuild", "--from-shares")["result"]
        self.assertEqual((result["silent"], result["unsettled"]), ([], []))
        self.assertEqual(result["persons_added"], 1)
        self.assertEqual(self.ask("tommo", "catalog", "check"), {"sound": True})
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
