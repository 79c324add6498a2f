"""The logs of sites: what is proved, what witnesses find, what can be forgotten."""

import hashlib
import json
import re
import unittest
import xml.etree.ElementTree as xml

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SIZE = 200_000
SITE = "lsa"


def bent(lines, number, change):
    """The log with another record `number`, every later hash made anew so that the chain holds."""
    prev = "0" * 64
    result = []
    for line in lines:
        entry = json.loads(line)
        if "record" in entry:
            start = line.index('"record":') + len('"record":')
            record = line[start:line.index(',"prev":', start)]
            if entry["seq"] == number:
                changed = change(record)
                assert changed != record, record
                line = line.replace(record, changed)
                record = changed
            commitment = hashlib.sha256(bytes.fromhex(entry["salt"]) + record.encode()).digest()
        else:
            commitment = bytes.fromhex(entry["commitment"])
        leaf = hashlib.sha256(b"\0" + commitment).digest()
        after = hashlib.sha256(bytes.fromhex(prev) + leaf).hexdigest()
        line = re.sub(r'"prev":"[0-9a-f]{64}","hash":"[0-9a-f]{64}"',
                      f'"prev":"{prev}","hash":"{after}"', line)
        prev = after
        result.append(line)
    return result


class LogTest(NetworkTest):
    """A person's file, stored and restored once, so that every log has something to tell."""

    @classmethod
    def begin(cls, owner):
        cls.network = owner.enter_network(TestNetwork(preshare="16M"))
        cls.person = Person(cls.network, "P-001")
        random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]
        grant = cls.person.consent(cls.object, grantee="Dr. Suzuki")
        cls.network.restore(cls.object, grant, cls.network.root / "restored", asker="Dr. Suzuki")

    def audit(self, verb, *arguments, site=SITE):
        return self.network.warifu.ask("audit", verb, *arguments, "--site", self.network.site(site))

    def log_file(self, site=SITE):
        return self.network.data(site) / "audit.log"

    def rewrite(self, change, site=SITE):
        """Changes the lines of a site's log while it is down."""
        self.network.down(site)
        path = self.log_file(site)
        lines = path.read_text().splitlines()
        path.write_text("".join(line + "\n" for line in change(lines)))
        self.network.up(site)

    def find(self, event, site=SITE):
        records = self.audit("list", site=site)["records"]
        return next(record for record in records if record.get("event") == event)


class Proofs(LogTest):
    """What a log proves; one network for all."""

    @classmethod
    def setUpClass(cls):
        cls.begin(cls)

    enter_network = classmethod(lambda cls, network: cls.enterClassContext(network))

    def test_witnesses_agree_and_cosign(self):
        for site in ("tommo", SITE, "cloud2"):
            verdicts = {entry["witness"]: entry["verdict"]
                        for entry in self.audit("verify", site=site)["witnesses"]}
            self.assertEqual(set(verdicts.values()), {"agrees"}, verdicts)
        self.assertEqual(set(verdicts), {"tuh", "cloud1", "cloud3"})  # of cloud2
        self.network.down(SITE)
        answer = self.audit("verify", site="tommo")
        verdicts = {entry["witness"]: entry["verdict"] for entry in answer["witnesses"]}
        self.assertEqual(verdicts, {SITE: "unreachable", "tuh": "agrees"})
        self.assertIn("\u2014 tuh ", answer["note"])
        self.network.up(SITE)

    def test_records_are_proved_to_anybody(self):
        number = self.find("release")["seq"]
        self.audit("verify")
        proof = self.audit("prove", number)
        self.assertEqual(proof["fields"]["grantee"], "Dr. Suzuki")
        path = self.network.root / "proof.json"

        def check(changed, *more):
            path.write_text(json.dumps(changed))
            return self.network.warifu.ask("audit", "prove", "--check", path, *more)

        checked = check(proof, "--public-key", proof["key"])
        self.assertTrue(checked["holds"])
        self.assertGreaterEqual(checked["cosignatures"], 1)
        for bend in ({"text": proof["text"].replace("Suzuki", "Tanaka")},
                     {"seq": number + 1},
                     {"salt": "00" * 16},
                     {"leaf": "11" * 32},
                     {"proof": proof["proof"][:-1]},
                     {"note": proof["note"].replace("warifu.log/", "warifu.log/x")},
                     {"key": "22" * 32}):
            with self.subTest(bend=list(bend)):
                self.assert_fails(7, "proof|checkpoint", check, proof | bend)
        self.assert_fails(7, "another key", check, proof, "--public-key", "33" * 32)
        self.assert_fails(7, "no proof", check, [])
        self.assert_fails(3, "no record", self.audit, "prove", 99_999)

    def test_what_a_record_says_can_be_forgotten(self):
        number = self.find("release")["seq"]
        self.audit("verify")
        self.assert_fails(2, "say --yes", self.audit, "erase", number, "--reason", "asked for")
        self.audit("erase", number, "--reason", "asked for", "--yes")
        self.assertNotIn("Suzuki", self.log_file().read_text())
        verdicts = self.audit("verify")["witnesses"]
        self.assertEqual({entry["verdict"] for entry in verdicts}, {"agrees"})
        proof = self.audit("prove", number)
        self.assertTrue(proof["erased"])
        path = self.network.root / "proof.json"
        path.write_text(json.dumps(proof))
        self.assertTrue(self.network.warifu.ask("audit", "prove", "--check", path)["holds"])
        self.network.down(SITE)
        self.network.up(SITE)
        self.assertEqual(self.find("record_erased")["fields"]["reason"], "asked for")

    def test_the_newest_records_come_first_unless_one_is_named(self):
        def numbers(*words):
            code, text, _ = self.network.warifu.call("audit", "list", *words, "--site",
                                                     self.network.site(SITE))
            self.assertEqual(code, 0)
            return [int(line.split()[1]) for line in text.splitlines()]

        def listed(*words):
            return [record["seq"] for record in self.audit("list", *words)["records"]]

        shown = numbers()
        newest = shown[0]
        self.assertGreater(newest, 3)
        self.assertEqual(shown, list(range(newest, 0, -1)))
        three = numbers("--limit", "3")
        self.assertEqual(three, [three[0], three[0] - 1, three[0] - 2])
        self.assertGreaterEqual(three[0], newest)
        self.assertEqual(numbers("--from", "2", "--limit", "2"), [2, 3])
        # For programs they ascend, also the newest ones.
        last = listed()[-1]
        self.assertGreaterEqual(last, newest)
        self.assertEqual(listed("--limit", "2"), [last - 1, last])
        self.assertEqual(listed("--from", str(last)), [last])
        self.assertEqual(listed("--from", str(last + 5)), [])

    def test_records_are_exported(self):
        def export(form):
            code, stdout, stderr = self.network.warifu.call(
                "audit", "export", "--site", self.network.site(SITE), "--format", form)
            self.assertEqual(code, 0, stderr)
            return stdout

        records = [json.loads(line) for line in export("jsonl").splitlines()]
        self.assertEqual([record["seq"] for record in records], list(range(1, len(records) + 1)))
        bundle = json.loads(export("fhir"))
        self.assertEqual(bundle["resourceType"], "Bundle")
        events = [entry["resource"] for entry in bundle["entry"]]
        self.assertEqual(len(events), len(records))
        for event in events:
            for member in ("type", "recorded", "agent", "source"):
                self.assertIn(member, event)
        release = next(event for event in events if event["subtype"][0]["code"] == "release")
        self.assertEqual(release["agent"][0]["name"], "Dr. Suzuki")
        self.assertEqual(release["action"], "R")
        tree = xml.fromstring(export("dicom"))
        self.assertEqual(len(tree), len(records))
        names = [message.find("EventIdentification/EventID").get("csd-code") for message in tree]
        self.assertIn("release", names)

    def test_witnesses_are_told_without_being_asked(self):
        self.network.down(SITE)
        config = self.network.site(SITE) / "site.toml"
        config.write_text(config.read_text() + '\n[log]\nwitness_interval = "1s"\n')
        self.network.up(SITE)

        def told():
            seen = self.audit("verify", site="tommo")["witnessed"]
            return any(entry["site"] == SITE and entry["records"] > 0 for entry in seen)

        wait_until(told, 30, "tommo to have heard of the log")


class BentLogs(LogTest):
    """Logs that were changed while their site was down; a network for each."""

    def setUp(self):
        self.begin(self)

    def enter_network(self, network):
        return self.enterContext(network)

    def test_a_bent_log_is_found_and_its_record_named(self):
        number = self.find("release")["seq"]
        self.audit("verify")
        self.rewrite(lambda lines: bent(lines, number,
                                        lambda record: record.replace("Suzuki", "Tanaka")))
        self.assert_fails(7, "not the one that tommo has seen", self.audit, "verify")
        code, stdout, _ = self.network.warifu.call("audit", "verify", "--site",
                                                   self.network.site(SITE))
        self.assertEqual(code, 7)
        self.assertRegex(stdout, rf"tommo +differs .*first at record {number}")
        self.assertEqual(self.find("log_differs")["fields"]["record"], str(number))

    def test_a_cut_log_is_found(self):
        self.audit("verify")
        self.rewrite(lambda lines: lines[:4])
        self.assert_fails(7, "has seen", self.audit, "verify")

    def test_a_line_that_was_only_changed_stops_the_site(self):
        path = self.log_file()
        self.network.down(SITE)
        path.write_text(path.read_text().replace("Suzuki", "Tanaka"))
        code, _, stderr = self.network.warifu.call("site", "run", "--config",
                                                   self.network.site(SITE) / "site.toml")
        self.assertEqual(code, 7, stderr)
        self.assertRegex(stderr, r"audit\.log' line \d+: it was changed")


if __name__ == "__main__":
    unittest.main()
