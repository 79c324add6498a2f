"""Audits find shares that do not belong together, scrubbing finds rot, repairs heal it."""

import json
import threading
import time
import unittest

from network import (NetworkTest, Person, RECORDS_START, TestNetwork, flip_byte, random_file,
                     wait_until)

SIZE = 900_001
LONG = 24_000_000


class AuditTest(NetworkTest):
    """The reference network; with LINKS so that holders can share masks."""

    LINKS = ("lsa:cloud3", "tommo:cloud1", "lsa:cloud1")
    POLICIES = {}
    PRESHARE = "12M"
    STORE = ""  # lines of [store] at every site

    @classmethod
    def setUpClass(cls):
        if not cls.POLICIES:
            raise unittest.SkipTest("what the classes below share")
        cls.network = cls.enterClassContext(
            TestNetwork(link=cls.LINKS, preshare=cls.PRESHARE, start=False))
        for config in cls.network.folder.glob("sites/*/site.toml"):
            config.write_text(config.read_text() + "\n[store]\n" + cls.STORE)
        cls.network.up()
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.ids = {name: cls.person.store(cls.network.root / "genome", policy=policy)["object"]
                   for name, policy in cls.POLICIES.items()}

    def call(self, site, *words):
        """(exit code, answer, error text)."""
        code, out, err = self.network.warifu.call(*words, "--json", "--site",
                                                  self.network.site(site))
        return code, json.loads(out) if out.strip() else None, err

    def audit(self, name):
        return self.call("tommo", "object", "audit", self.ids.get(name, name))

    def assert_consistent(self, name):
        code, report, err = self.audit(name)
        self.assertEqual((code, report["verdict"]), (0, "consistent"), (report, err))
        return report

    def states(self, report):
        return {share["share"]: share["state"] for share in report["shares"]}

    def scrub(self, site):
        return self.call(site, "site", "scrub", "--now")

    def check(self, name):
        _, answer, _ = self.call("tommo", "object", "check", self.ids[name])
        return {share["share"]: share["state"] for share in answer["shares"]}

    def restore(self, name, **settings):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.ids[name], self.person.consent(self.ids[name]), out,
                                    **settings)
        self.assert_same_bytes(out, self.plain)
        return done


class Lies(AuditTest):
    """Holders whose checks fit what they hold, so that only the sums tell."""

    POLICIES = {"reference": None, "spare": "2 of (origin, lsa, cloud, cloud)"}
    STORE = 'scrub_rate = "0"\n'

    def lie(self, name, letter, at=RECORDS_START + 1000):
        _, path = self.network.share_path(self.ids[name], letter)
        flip_byte(path, at, fit=True)
        self.addCleanup(flip_byte, path, at, True)

    def test_what_belongs_together_passes_with_nested_shares_too(self):
        report = self.assert_consistent("reference")
        self.assertEqual(self.states(report), {letter: "consistent" for letter in
                                               ("A", "B", "C1", "C2", "C3")})
        self.assertIn(["C1", "C2", "C3"], [sum["shares"] for sum in report["sums"]])
        self.assertEqual(report["rounds"], 1)

    def test_a_holder_is_left_to_be_one_of_several_without_a_spare_share(self):
        self.lie("reference", "B")
        code, report, err = self.audit("reference")
        self.assertEqual((code, report["verdict"], report["suspects"]),
                         (7, "inconsistent", ["A", "B", "C"]))
        self.assertIn("one of A, B, C is wrong", err)

    def test_a_part_of_a_share_is_named(self):
        self.lie("reference", "C2", RECORDS_START + 200)
        code, report, _ = self.audit("reference")
        self.assertEqual((code, report["suspects"]), (7, ["C2"]))
        self.assertEqual(self.states(report)["C2"], "suspect")
        self.assertEqual(self.states(report)["C1"], "consistent")
        # What an audit has named alone may be repaired although its site holds it.
        _, before = self.network.share_path(self.ids["reference"], "C2")
        self._cleanups.clear()
        self.network.warifu.ask("object", "repair", self.ids["reference"], "--share", "C2",
                                "--site", self.network.site("tommo"))
        self.assertFalse(before.exists())
        self.assert_consistent("reference")
        self.assertEqual(self.restore("reference", using="A,C2,C3")["blamed"], [])

    def test_with_a_share_to_spare_the_liar_is_named(self):
        self.assert_consistent("spare")
        self.lie("spare", "B")
        code, report, err = self.audit("spare")
        self.assertEqual((code, report["suspects"]), (7, ["B"]), report)
        self.assertIn("B is wrong", err)

    def key_sent(self):
        """Bytes of key that all sites have spent on what they sent."""
        return sum(link["send"][use] for site in ("tommo", "lsa", "cloud1", "cloud2", "cloud3", "tuh")
                   for link in self.call(site, "link", "status")[1]["links"]
                   for use in ("payload_bytes", "tag_bytes", "hash_key_bytes"))

    def test_an_audit_costs_key_that_does_not_depend_on_the_object(self):
        before = self.key_sent()
        self.assert_consistent("reference")  # 900 kB in five places
        # Two sums of four and three shares; whatever else the sites tell each other meanwhile.
        self.assertLess(self.key_sent() - before, 20_000)

    def test_many_objects_and_bad_input(self):
        code, answer, _ = self.call("tommo", "object", "audit", "--all")
        self.assertEqual((code, answer["consistent"], len(answer["audits"])),
                         (0, len(self.ids), len(self.ids)))
        code, answer, _ = self.call("tommo", "object", "audit", "--person", self.person.id)
        self.assertEqual((code, answer["consistent"]), (0, len(self.ids)))
        self.assertEqual(self.call("tommo", "object", "audit", "--person", "nobody")[0], 3)
        self.assertEqual(self.call("tommo", "object", "audit")[0], 2)
        self.assertEqual(self.call("tommo", "object", "audit", "zz")[0], 2)
        code, _, err = self.call("lsa", "object", "audit", self.ids["spare"])
        self.assertEqual(code, 3)
        self.assertIn("has no share control", err)


class Rot(AuditTest):
    """Bytes that changed on a disk by themselves."""

    POLICIES = {"reference": None, "left": None}
    STORE = 'scrub_rate = "0"\nauto_repair = true\n'

    def test_a_scrub_finds_rot_and_a_repair_heals_it(self):
        for letter, at in (("B", RECORDS_START + 1000), ("C1", RECORDS_START + 266_240 + 5),
                           ("A", RECORDS_START + 266_240 - 1)):
            with self.subTest(letter=letter):
                site, path = self.network.share_path(self.ids["reference"], letter)
                self.assertEqual(self.scrub(site)[0], 0)
                flip_byte(path, at)
                code, status, err = self.scrub(site)
                self.assertEqual(code, 7, (status, err))
                self.assertIn(path.stem, [entry["share"] for entry in status["damage"]])
                wait_until(lambda: not path.exists(), 60, f"the repair of {letter}")
                wait_until(lambda: self.check("reference").get(letter) == "held", 30,
                           lambda: f"{letter} to be held, is {self.check('reference')}")
                self.assertEqual(self.scrub(site)[0], 0)
                self.assert_consistent("reference")
        self.assertEqual(self.restore("reference", using="A,B")["skipped"], [])

    def test_a_damaged_copy_of_a_header_is_written_anew(self):
        site, path = self.network.share_path(self.ids["left"], "C3")
        whole = path.read_bytes()
        for at in (100, 4096 + 100):
            flip_byte(path, at)
            self.assertEqual(self.scrub(site)[0], 0)
            now = path.read_bytes()
            self.assertEqual(now[RECORDS_START:], whole[RECORDS_START:])
            for slot in (0, 4096):  # all but sequence and checksum
                self.assertEqual(now[slot + 40:slot + 4092], whole[40:4092])
        self.assert_consistent("left")


class RotLeftToPeople(AuditTest):
    """With auto_repair = false damage is told and waits."""

    PRESHARE = "40M"  # for a big one
    POLICIES = {"reference": None}
    STORE = 'scrub_rate = "0"\nauto_repair = false\n'

    def test_rot_is_named_by_audit_restore_and_everybody_who_is_asked(self):
        site, path = self.network.share_path(self.ids["reference"], "B")
        flip_byte(path)
        code, report, _ = self.audit("reference")
        self.assertEqual((code, report["verdict"]), (7, "damaged"))
        said = next(share for share in report["shares"] if share["share"] == "B")
        self.assertEqual((said["site"], said["state"]), (site, "rotten"))
        self.assertRegex(said["why"], f"lsa: .*record 0 of share {path.stem} has rotted")
        # A restore is not given the record either: it is told, and takes other shares.
        done = self.restore("reference")
        self.assertNotIn("B", done["using"])
        self.assert_fails((6, 7), "lsa: record 0 of share .* has rotted", self.network.restore,
                          self.ids["reference"], self.person.consent(self.ids["reference"]),
                          self.network.root / "none", using="A,B")
        self.assertEqual(self.check("reference")["B"], "damaged")
        _, shares, _ = self.call("lsa", "site", "shares")
        self.assertIn("has rotted", next(share["damage"] for share in shares["shares"]
                                         if share["id"] == path.stem))
        # It is remembered over a restart, and repaired on request.
        self.network.kill("lsa")
        self.network.up("lsa")
        _, status, _ = self.call("lsa", "site", "scrub")
        self.assertEqual([entry["share"] for entry in status["damage"]], [path.stem])
        self.assertTrue(path.exists())
        self.network.warifu.ask("object", "repair", self.ids["reference"], "--share", "B",
                                "--site", self.network.site("tommo"))
        self.assertEqual(self.scrub("lsa")[0], 0)
        self.assert_consistent("reference")
        self.assertIn("B", self.restore("reference", using="A,B")["using"])

    def test_a_holder_that_is_killed_in_mid_audit_is_left_out_and_comes_back(self):
        random_file(self.network.root / "big", LONG)
        big = self.person.store(self.network.root / "big")["object"]
        self.assert_consistent(big)
        answer = []
        asking = threading.Thread(target=lambda: answer.append(self.audit(big)))
        asking.start()
        self.network.kill("cloud1")
        try:
            asking.join(120)
            code, report, err = answer[0]
            if code != 0:  # the kill came in time
                # A holder that has not noticed yet is left out too; then too few are left.
                self.assertEqual(code, 6, (report, err))
                self.assertIn(report["verdict"], ("incomplete", "unaudited"), (report, err))
                self.assertEqual(self.states(report)["C1"], "unreachable")
                self.assertEqual(report["suspects"], [])
        finally:
            self.network.up("cloud1")
        self.assert_consistent(big)

    def test_a_missing_share_and_a_site_that_is_away(self):
        self.network.down("cloud3")
        try:
            code, report, _ = self.audit("reference")
            self.assertEqual((code, report["verdict"]), (6, "incomplete"), report)
            self.assertEqual(self.states(report)["C3"], "unreachable")
            self.assertEqual(self.states(report)["A"], "consistent")
        finally:
            self.network.up("cloud3")
        self.assert_consistent("reference")


class Background(AuditTest):
    """A slow pass that nobody asked for."""

    POLICIES = {"pair": "2 of (origin, lsa, cloud)"}
    STORE = 'scrub_rate = "512K"\nscrub_interval_days = 1\n'

    def status(self):
        return self.call("lsa", "site", "scrub", "--status")[1]

    def test_a_pass_keeps_its_rate_and_goes_on_after_a_kill(self):
        random_file(self.network.root / "big", 6_000_000)
        self.person.store(self.network.root / "big", policy=self.POLICIES["pair"])
        self.network.down("lsa")
        (self.network.data("lsa") / "scrub").unlink()  # as if the shares had lain here for long
        self.network.up("lsa")
        began = time.monotonic()
        wait_until(lambda: self.status()["read_bytes"] > 3_500_000, 60, "half of the pass")
        self.assertGreater(time.monotonic() - began, 4)  # 3.5 MB at 512K
        self.network.kill("lsa")
        self.network.up("lsa")
        status = self.status()
        self.assertGreater(status["read_bytes"], 1_000_000, status)
        self.assertEqual(status["finished"], "")
        wait_until(lambda: self.status()["finished"], 60, "the end of the pass")
        status = self.status()
        self.assertEqual((status["passes"], status["started"], status["damage"]), (1, "", []))
        self.assertLess(status["read_bytes"], status["total_bytes"] + 1)


class Star(AuditTest):
    """Without more links tommo would know every mask of lsa: only the clouds can be audited."""

    LINKS = None
    POLICIES = {"reference": None}

    def test_what_cannot_be_audited_is_said(self):
        code, report, err = self.audit("reference")
        self.assertEqual((code, report["verdict"]), (6, "incomplete"), err)
        self.assertEqual(self.states(report), {"A": "unaudited", "B": "unaudited",
                                               "C1": "consistent", "C2": "consistent",
                                               "C3": "consistent"})
        self.assertIn("no links to share masks", report["shares"][0]["why"])


if __name__ == "__main__":
    unittest.main()
