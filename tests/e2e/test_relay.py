"""Relayed links: key over disjoint paths for two sites without a link, and what goes on top of it."""

import re
import unittest

from network import CommandFailed, NetworkTest, Person, TestNetwork, random_file, wait_until
from test_kms import Sae

SIZE = 1_000_000
FULL = 3 << 20  # high_water is 4 MiB in these tests
# lsa cuts share C and sends its parts: to cloud2 over their link, to cloud1 under relayed key.
POLICY = "2 of (origin, tuh, 2 of (cloud1, cloud2) via lsa)"


# The class of a relayed link among [[peers]]; among [[links]] its paths come next.
PEER = '^class = "relayed"\n(?!paths)'


def small_pools(network):
    """Relayed pools that are soon full."""
    for site in ("lsa", "cloud1"):
        config = network.site(site) / "site.toml"
        text, count = re.subn(PEER, 'class = "relayed"\nhigh_water = "4M"\n',
                              config.read_text(), flags=re.MULTILINE)
        assert count == 1
        config.write_text(text)


class RelayTest(NetworkTest):
    def warifu(self, site, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def link(self, site, peer):
        return next(link for link in self.warifu(site, "keys", "status")["links"]
                    if link["peer"] == peer)

    def available(self, site, peer, way):
        return self.link(site, peer)[way]["available_bytes"]

    def wait_full(self, level=FULL):
        def full():
            return all(self.available(site, peer, "send") >= level
                       for site, peer in (("lsa", "cloud1"), ("cloud1", "lsa")))
        wait_until(full, 60, lambda: f"relayed key, is {self.link('lsa', 'cloud1')}")

    def ways(self, site="lsa", peer="cloud1"):
        return self.link(site, peer)["relay"]["ways"]

    def drain(self):
        """Retires what is there; not in the moment in which key has come to one end alone."""
        done = []

        def retired():
            try:
                done.append(self.warifu("lsa", "keys", "retire", "--peer", "cloud1", "--all",
                                        "--yes"))
            except CommandFailed as failure:
                self.assertEqual(failure.code, 8, failure)
            return done

        wait_until(retired, 30, "key to be retired")
        return done[0]

    def in_step(self):
        told = self.warifu("lsa", "keys", "reconcile", "--peer", "cloud1")
        return told["send"]["in_step"] and told["receive"]["in_step"]


class TwoPaths(RelayTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(link=("lsa:cloud2", "lsa:cloud3"), relay="lsa:cloud1", kms=True,
                        preshare="64M", start=False))
        small_pools(cls.network)
        cls.network.up()
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)

    def assert_disjoint(self, paths):
        self.assertEqual(len(paths), 2)
        relays = [site for path in paths for site in path[1:-1]]
        self.assertEqual(len(relays), len(set(relays)), paths)
        self.assertEqual({tuple(sorted((path[0], path[-1]))) for path in paths},
                         {("cloud1", "lsa")})

    def test_1_an_empty_pool_fills_and_tells_its_relays(self):
        self.wait_full()
        for site, peer in (("lsa", "cloud1"), ("cloud1", "lsa")):
            link = self.link(site, peer)
            self.assertEqual(link["class"], "relayed")
            self.assertEqual(link["relay"]["paths"], 2)
            for way in link["relay"]["ways"]:
                self.assert_disjoint(way["paths"])
            segments = [s for s in self.warifu(site, "keys", "list", "--peer", peer)["segments"]
                        if s["state"] == "synced"]
            self.assertTrue(segments)
            for segment in segments:
                self.assertEqual(segment["origin"], "RELAYED")
                self.assertEqual(segment["parts"], ["KERNEL_GENERATOR", "RELAYED"])
                self.assert_disjoint(segment["paths"])
        links = self.warifu("lsa", "link", "status")["links"]
        relayed = next(link for link in links if link["peer"] == "cloud1")
        self.assertEqual(relayed["relay_paths"], 2)
        self.assertLessEqual({"tommo", "tuh"}, set(relayed["relays"]))
        self.assertEqual(next(l for l in links if l["peer"] == "tommo")["relays"], [])
        code, text, _ = self.network.warifu.call("keys", "status", "--site",
                                                 self.network.site("lsa"))
        self.assertEqual(code, 0)
        self.assertRegex(text, r"(?m)^cloud1 .*lsa > \w+ > .*cloud1 \+ lsa > ")
        code, text, _ = self.network.warifu.call("link", "status", "--site",
                                                 self.network.site("lsa"))
        self.assertRegex(text, r"(?m)^cloud1: relayed key over 2 disjoint paths; relays so far: ")

    def test_2_shares_go_over_it_and_explain_names_the_relays(self):
        self.wait_full()
        stored = self.person.store(self.network.root / "genome", policy=POLICY)
        routes = {share["share"]: share["route"] for share in stored["placement"]}
        self.assertEqual(routes["C1"], "lsa > cloud1")
        told = self.network.explain(stored["object"])
        share, = (share for share in told["shares"] if share["share"] == "C1")
        self.assertEqual(share["link_classes"], ["relayed"])
        self.assertTrue({"tommo", "tuh"} <= set(share["key_relays"]), share)
        line, = told["relayed"]
        self.assertRegex(line, r"share C1, lsa > cloud1: .*2 disjoint paths; no relay alone")
        spent = [use for use in told["key_spent"] if use["class"] == "relayed"]
        self.assertEqual([(use["from"], use["to"]) for use in spent], [("lsa", "cloud1")])
        out = self.network.root / "restored"
        done = self.network.restore(stored["object"], self.person.consent(stored["object"]), out,
                                    using="A,C1,C2")
        self.assertEqual(done["using"], ["A", "C1", "C2"])
        self.assert_same_bytes(out, self.plain)

    def test_3_relays_that_die_are_gone_round_and_too_few_stop_it(self):
        self.wait_full()
        self.network.kill("cloud2")
        self.drain()
        self.wait_full()
        self.assertIn(["lsa", "cloud3", "cloud1"],
                      [path for way in self.ways() for path in way["paths"]])
        self.network.kill("cloud3")
        self.drain()
        wait_until(lambda: "disjoint paths" in self.link("lsa", "cloud1")["devices"][0]["state"],
                   60, lambda: f"no paths, is {self.link('lsa', 'cloud1')}")
        self.assertLess(self.available("lsa", "cloud1", "send"), FULL)
        self.network.up("cloud2", "cloud3")
        self.wait_full()

    def test_4_ends_that_are_killed_while_key_comes_stay_in_step(self):
        self.wait_full()
        for victim in ("cloud1", "lsa", "cloud1"):
            self.drain()
            low = self.available("lsa", "cloud1", "send")
            wait_until(lambda low=low: self.available("lsa", "cloud1", "send") > low, 60,
                       "key to come")
            self.network.kill(victim)
            self.network.up(victim)
        self.wait_full()
        wait_until(self.in_step, 30, "both ends to be in step")
        for site in ("lsa", "cloud1"):
            for way in ("send", "receive"):
                peer = "cloud1" if site == "lsa" else "lsa"
                self.assertEqual(self.link(site, peer)[way]["quarantined_bytes"], 0)

    def test_5_applications_use_it_like_any_link(self):
        self.wait_full()
        master, slave = Sae(self.network, "SAE-lsa-1"), Sae(self.network, "SAE-cloud1-1")
        try:
            code, status, _ = master.call("GET", "SAE-cloud1-1/status")
            self.assertEqual(code, 200)
            self.assertEqual(status["status_extension"]["warifu_link_class"], "relayed")
            code, made, _ = master.enc("SAE-cloud1-1", number=2, size=256)
            self.assertEqual(code, 200, made)
            code, got, _ = slave.dec("SAE-lsa-1", *(key["key_ID"] for key in made["keys"]))
            self.assertEqual((code, got["keys"]), (200, made["keys"]))
        finally:
            master.close()
            slave.close()


class OnePath(RelayTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(start=False, relay="lsa:cloud1:1"))
        small_pools(cls.network)
        config = cls.network.site("tuh") / "site.toml"
        cls.poor = config.read_text() + '\n[keys]\nrelay_reserve = "1G"\n'
        cls.rich = config.read_text()
        config.write_text(cls.poor)
        cls.network.up()
        cls.person = Person(cls.network)
        random_file(cls.network.root / "genome", SIZE)

    def test_1_a_relay_keeps_its_reserve_and_refuses(self):
        def refused():
            return "tuh > cloud1: too little residual key" in \
                self.link("lsa", "cloud1")["devices"][0]["state"]
        wait_until(refused, 60, lambda: f"a refusal, is {self.link('lsa', 'cloud1')}")
        self.assertEqual(self.available("lsa", "cloud1", "send"), 0)
        config = self.network.site("tuh") / "site.toml"
        config.write_text(self.rich)
        self.network.down("tuh")
        self.network.up("tuh")
        self.wait_full()
        self.assertEqual({tuple(map(tuple, way["paths"])) for way in self.ways()},
                         {(("lsa", "tommo", "tuh", "cloud1"),), (("cloud1", "tuh", "tommo", "lsa"),)})
        code, text, _ = self.network.warifu.call("link", "status", "--site",
                                                 self.network.site("lsa"))
        self.assertRegex(text, r"(?m)^cloud1: relayed key over one path, whose relays know it")

    def test_2_relays_of_the_only_path_count_as_having_seen_the_share(self):
        self.assert_fails(4, r"tommo cut the object and would see parts again",
                          self.person.store, self.network.root / "genome",
                          policy="2 of (origin, tuh, 2 of (cloud1, cloud2) via lsa)")


class Configuration(RelayTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(start=False, link="lsa:cloud2", relay="lsa:cloud1"))

    def refused(self, pattern, *changes):
        config = self.network.site("lsa") / "site.toml"
        good = config.read_text()
        bad = good
        for old, new in changes:
            bad, count = re.subn(old, new, bad, flags=re.MULTILINE)
            self.assertTrue(count, old)
        config.write_text(bad)
        try:
            code, _, error = self.network.warifu.call("site", "run", "--config", config)
        finally:
            config.write_text(good)
        self.assertEqual(code, 2, error)
        self.assertRegex(error, pattern)

    def test_mistakes_are_told(self):
        self.refused("there are no 3 paths over different sites; see 'paths'",
                     ("^paths = 2$", "paths = 3"))
        self.refused("'links.paths'", ("^paths = 2$", "paths = 0"))
        self.refused("'via' names lsa, which is no other site",
                     ("^paths = 2$", 'paths = 2\nvia = ["lsa"]'))
        self.refused("there are no 2 paths",
                     ("^paths = 2$", 'paths = 2\nvia = ["tommo", "tuh"]'))
        self.refused("'high_water' of a relayed link",
                     (PEER, 'class = "relayed"\nhigh_water = "1M"\n'))
        self.refused("relayed in .* or in .* only", (PEER, 'class = "preshared"\n'))

    def test_a_network_that_cannot_be(self):
        code, _, error = self.network.warifu.call(
            "net", "init", "--net", self.network.root / "other", "--relay", "lsa:cloud1")
        self.assertEqual(code, 2)
        self.assertRegex(error, "no 2 paths over different sites; add a link with --link")
        code, _, error = self.network.warifu.call(
            "net", "init", "--net", self.network.root / "other", "--relay", "tommo:lsa")
        self.assertEqual(code, 2)
        self.assertRegex(error, "must name two sites without a link")


if __name__ == "__main__":
    unittest.main()
