"""A network in which sites burn: what tests of that have in common."""

import json
import os
import pathlib
import shutil

from network import NetworkTest, Person, TestNetwork, random_file

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

    def store_up_to_the_cut(self):
        """Another object, whose C stands whole at the gateway: there is no key to cloud2."""
        left = next(link["residual_bytes"] for link in self.network.link_status("tuh")
                    if link["peer"] == "cloud2")
        self.ask("tuh", "keys", "burn", "--peer", "cloud2", "--direction", "send", "--bytes",
                 str(left - 100_000), "--yes")
        stored = self.person.store(self.network.root / "genome", no_wait=True)
        self.object = stored["object"]
        # Other links may want key for a moment as well, while shares still move.
        self.network.wait_for_job(stored["job"], states=("waiting_key",), step="reshare")
        return stored

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
