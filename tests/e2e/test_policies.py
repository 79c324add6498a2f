"""Policies that know where sites stand: regions, failure domains, and what makes no sense."""

import re
import unittest

from network import NetworkTest, Person, TestNetwork, random_file

SIZE = 300_001
REGIONS = ("tommo=tohoku", "lsa=kanto", "tuh=kansai", "cloud1=kyushu", "cloud2=kyushu",
           "cloud3=kansai")
DOMAINS = ("tommo=power:sendai", "lsa=power:tokyo", "cloud1=power:tokyo", "cloud1=cable:west")
REFERENCE = "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)"
DEEP = "fragile 2 of (origin, 2 of (cloud2, 2 of (cloud1, lsa) via cloud3) via tuh)"


class Regions(NetworkTest):
    """One network whose sites stand in four regions."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(region=REGIONS, failure_domain=DOMAINS))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)

    def store(self, policy):
        return self.person.store(self.network.root / "genome", policy=policy)

    def sites(self, stored):
        return {share["share"]: share["site"] for share in stored["placement"]}

    def check(self, policy=None, config=None):
        config = config or self.network.site("tommo") / "site.toml"
        extra = ("--policy", policy) if policy else ()
        return self.network.warifu.ask("site", "check", "--config", config, *extra)

    def test_shares_go_to_the_regions_that_the_policy_names(self):
        stored = self.store("2 of (origin, region:kanto, region:kyushu)")
        sites = self.sites(stored)
        self.assertEqual(sites["B"], "lsa")
        self.assertEqual(sites["C"], "cloud2", "cloud1 shares power:tokyo with lsa")
        self.assertEqual(stored["warnings"], [])
        out = self.network.root / "restored"
        done = self.network.restore(stored["object"], self.person.consent(stored["object"]), out,
                                    using="B,C")
        self.assert_same_bytes(out, self.plain)
        self.assertIs(done["verified"], True)

        away = self.store("2 of (origin, region:other, 2 of (region:kyushu, region:kyushu, cloud3) "
                          "via region:kansai)")
        self.assertEqual(self.sites(away), {"A": "tommo", "B": "lsa", "C1": "cloud1",
                                            "C2": "cloud2", "C3": "cloud3"})
        explained = self.network.explain(away["object"])
        self.assertIn("region:other", explained["policy"])

    def test_the_plan_says_which_failure_domain_excluded_a_site(self):
        policy = "2 of (origin, lsa, cloud)"
        plan = self.network.plan(size="1M", policy=policy)
        self.assertNotEqual(plan["chosen"]["shares"][2]["site"], "cloud1")
        self.assertIn("share C at cloud1 would lie in failure domain 'power:tokyo': its loss would "
                      "leave 1 of 3 shares, and 2 are needed", plan["excluded"])
        domains = {entry["domain"]: entry for entry in plan["failure_domains"]}
        self.assertEqual(domains["power:tokyo"]["shares"], ["B"])
        self.assertEqual((domains["region:tohoku"]["left_without_it"], plan["fragile"]), (2, False))
        code, shown, _ = self.network.warifu.call(
            "plan", "--size", "1M", "--policy", policy, "--why", "--site", self.network.site("tommo"))
        self.assertEqual(code, 0)
        self.assertRegex(shown, r"excluded: .*failure domain 'power:tokyo'")
        self.assertRegex(shown, r"power:tokyo +B +2, needed 2")

        fragile = self.network.plan(size="1M", policy="fragile 2 of (origin, lsa, cloud1)")
        self.assertEqual(fragile["chosen"]["shares"][2]["site"], "cloud1")
        self.assertIs(fragile["fragile"], True)
        self.assertNotIn("failure domain", fragile["excluded"])

    def test_a_share_does_not_move_into_a_full_failure_domain(self):
        stored = self.store("2 of (origin, lsa, cloud)")
        object_id, at = stored["object"], self.sites(stored)["C"]
        self.assertIn(at, ("cloud2", "cloud3"))
        move = ("object", "move", object_id, "--share", "C", "--site", self.network.site("tommo"))
        self.assert_fails(4, r"may not hold share C; cloud1: failure domain 'power:tokyo' "
                             r"\(cloud1, lsa\): its loss would leave 1 of 3 shares",
                          self.network.warifu.ask, *move, "--to", "cloud1")
        there = "cloud3" if at == "cloud2" else "cloud2"
        self.network.warifu.ask(*move, "--to", there)
        self.assertEqual(self.network.held(object_id)[there], ["C"])

    def test_senseless_policies_are_refused_before_the_upload(self):
        before = len(self.network.objects())
        for policy, code, why in (
                ("2 of (origin, lsa)", 4, r"policy '2 of \(origin, lsa\)': without the site of share A "
                                          r"\('origin'\) there are 1 of 2 shares.*write 'fragile"),
                ("2 of (2 of (cloud, cloud, cloud) via tuh, lsa)", 4,
                 r"without the site that cuts share A \('tuh', before it has\)"),
                ("2 of (origin, region:same, lsa)", 4,
                 r"share B \('region:same'\): no site of this network that takes shares"),
                ("2 of (origin, lsa, region:nowhere)", 4, r"share C \('region:nowhere'\)"),
                ("2 of (origin, lsa, cloud1)", 4,
                 r"failure domain 'power:tokyo': its loss would leave 1 of 3"),
                ("2 of (origin, lsa, region:)", 2, r"a region after 'region:' was expected"),
                ("fragile 2 of (origin, nobody)", 4, "nobody")):
            with self.subTest(policy=policy):
                self.assert_fails(code, why, self.store, policy)
                self.assert_fails(code, why, self.network.plan, size="1M", policy=policy)
        self.assertEqual(len(self.network.objects()), before)

    def test_fragile_is_stored_with_a_warning(self):
        stored = self.store("fragile 2 of (origin, lsa)")
        self.assertEqual(len(stored["warnings"]), 3)  # each site, and the failure domains
        self.assertIn("without the site of share B ('lsa')", stored["warnings"][1])
        self.assertEqual(self.network.explain(stored["object"])["policy"],
                         "fragile 2 of (origin, lsa)")
        together = self.store("fragile 2 of (origin, lsa, cloud1)")
        self.assertEqual(self.sites(together)["C"], "cloud1")
        self.assertIn("failure domain 'power:tokyo'", together["warnings"][0])

    def test_site_check(self):
        own = self.check()
        self.assertEqual((own["policy"], own["nesting"]), (REFERENCE, 1))
        self.assertEqual((own["sites_that_may_be_lost"], own["sites_that_could_restore"]), (1, 2))
        self.assertNotIn("policy", self.check(config=self.network.site("lsa") / "site.toml"))
        # Deep trees are judged like all others: lsa lies behind tommo, which may see no parts.
        self.assert_fails(4, "no legal placement for policy.*tommo cut the object and would see parts",
                          self.check, DEEP)
        self.assert_fails(4, r"without the site of share A", self.check, DEEP.replace("fragile ", ""))
        self.assert_fails(2, "position", self.check, "2 of (origin")


class BadSettings(NetworkTest):
    """Regions, failure domains and policies in the configuration, each spoilt once."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="1M", bootstrap="2M", region=REGIONS, start=False))
        cls.good = (cls.network.site("tommo") / "site.toml").read_text()

    def assert_refused(self, old, new, pattern, verbs=("check", "run"), code=2):
        self.assertIn(old, self.good)
        file = self.network.root / "bad.toml"
        file.write_text(self.good.replace(old, new, 1))
        for verb in verbs:
            got, stdout, stderr = self.network.warifu.call("site", verb, "--config", file, timeout=20)
            self.assertEqual(got, code, stdout + stderr)
            self.assertRegex(stderr, r"^warifu: error: .*" + pattern)

    def test_regions_and_failure_domains(self):
        for setting, pattern in (
                ('region = "Tohoku"', r"bad\.toml:\d+: 'sites\.region': 'Tohoku' is no region"),
                ('region = "same"', "neither 'same' nor 'other'"), ('region = ""', r"sites\.region"),
                ("region = 7", "sites.region"),
                ('failure_domains = "power:a"', "sites.failure_domains"),
                ('failure_domains = ["a b"]', r"bad\.toml:\d+: .*'a b' is no failure domain"),
                ('failure_domains = ["region:x"]', "write it as 'region'"),
                ('failure_domains = ["a", "a"]', "a stands twice"),
                (f"failure_domains = {[f'd{i}' for i in range(17)]}".replace("'", '"'), "at most 16")):
            with self.subTest(setting=setting):
                self.assert_refused('region = "tohoku"', setting, pattern, verbs=("check",))
        self.assert_refused('labels = ["origin"]', 'labels = ["region:x"]',
                            r"'region:x' is no label; write 'region'", verbs=("check",))

    def test_a_policy_without_sense_does_not_start(self):
        for policy, why in (
                ("2 of (origin, lsa)", r"without the site of share A"),
                ("2 of (origin, nobody, lsa)", r"share B \('nobody'\)"),
                ("2 of (origin", "position")):
            with self.subTest(policy=policy):
                self.assert_refused(REFERENCE, policy, r"bad\.toml: 'site\.policy': .*" + why)
        self.assert_refused('region = "kansai"', 'region = "tohoku"',
                            r"failure domain 'region:tohoku': its loss would leave 1 of 3 shares")

    def test_net_init(self):
        for option, value, why in (("--region", "lsa", "a site and a name"),
                                   ("--region", "nowhere=a", "a site and a name"),
                                   ("--region", "lsa=A", "is no region"),
                                   ("--failure-domain", "lsa=region:a", "write it as 'region'")):
            with self.subTest(option=option, value=value):
                folder = self.network.root / "bad-net"
                code, _, stderr = self.network.warifu.call("net", "init", "--net", folder, option, value)
                self.assertEqual(code, 2, stderr)
                self.assertRegex(stderr, re.escape(why) if "(" in why else why)
                self.assertFalse(folder.exists())


if __name__ == "__main__":
    unittest.main()
