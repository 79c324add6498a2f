"""The demonstration itself, headless and small, and its record against its description."""

import json
import os
import subprocess
import sys
import unittest
from unittest import mock

from network import REPOSITORY, Scratch, binary, data_folder, processes_of, random_file

import accounts
import uniformity
from virtual_reader import why_not
from warifu_cli import CLOUDS, SITES

# Description of the record: type, {key: description}, or [description of every element].
SCHEMA = {
    "ok": bool, "seconds": (int, float), "problems": [str],
    "input": {"path": str, "bytes": int, "sha256": str},
    "steps": [{"n": int, "name": str, "ok": bool, "seconds": (int, float), "evidence": dict}],
    "links": [{"a": str, "b": str, "class": str, "key_bits_used": int, "payload_bits": int,
               "tag_bits": int, "hash_key_bits": int, "bulk_bits": int, "share_bits": int,
               "discarded_bits": int,
               "lost_bits": int, "origins": [str]}],
    "sites": [{"name": str, "shares": [dict]}],
    "extra": [{"name": str, "ok": bool, "seconds": (int, float), "evidence": dict}],
}


def mismatches(value, schema, at="record"):
    """Where a value is not as described."""
    if isinstance(schema, dict):
        if not isinstance(value, dict):
            return [f"{at} is no object"]
        found = [f"{at}.{key} is missing" for key in schema if key not in value]
        for key in schema.keys() & value.keys():
            found += mismatches(value[key], schema[key], f"{at}.{key}")
        return found
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{at} is no list"]
        return [text for i, element in enumerate(value)
                for text in mismatches(element, schema[0], f"{at}[{i}]")]
    right = isinstance(value, schema) and not (isinstance(value, bool) and schema is not bool)
    return [] if right else [f"{at} is {type(value).__name__}"]


class Demo(unittest.TestCase):
    """Runs demo.py as ./run demo does."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = cls.enterClassContext(Scratch())

    def play(self, *arguments):
        make_cram = os.environ.get(
            "WARIFU_MAKE_CRAM", f"{os.path.dirname(binary())}/tools/make-cram/warifu-make-cram")
        return subprocess.run(
            [sys.executable, "-B", REPOSITORY / "tools" / "demo" / "demo.py", "--binary", binary(),
             "--make-cram", make_cram, "--reference-dir", data_folder(), "--headless",
             "--dir", self.scratch / "demo", *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)

    def test_plays_and_writes_its_record(self):
        file = self.scratch / "record.json"
        done = self.play("--size", "4M", "--json", file)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        record = json.loads(file.read_text())
        self.assertEqual(mismatches(record, SCHEMA), [])
        self.assertIs(record["ok"], True)
        self.assertEqual(record["problems"], [])
        self.check_steps(record)
        self.check_links(record)
        self.check_sites(record)
        self.assertNotIn("\033", done.stdout, "no colours outside a terminal")
        self.assertFalse((self.scratch / "demo").exists(), "headless leaves no scratch folder")
        self.assertEqual(processes_of(self.scratch / "demo"), [])

    def check_steps(self, record):
        self.assertEqual([step["n"] for step in record["steps"]], list(range(1, 9)))
        self.assertTrue(all(step["ok"] for step in record["steps"] + record["extra"]))
        self.assertGreaterEqual(len(record["extra"]), 5)
        pages = record["extra"][-1]
        self.assertEqual(pages["name"], "The pages")
        self.assertRegex(pages["evidence"]["url"], r"^http://127\.0\.0\.1:\d+/$")
        self.assertTrue(pages["evidence"]["reader"]["card"], pages)
        last = record["steps"][7]["evidence"]
        self.assertEqual(last["sha256"], record["input"]["sha256"])
        self.assertIs(last["quickcheck"], True)
        self.assertGreater(last["reads"], 1000)
        without = record["steps"][5]["evidence"]["without_consent"]
        self.assertIn(without["exit_code"], (3, 4))
        self.assertEqual(record["extra"][0]["evidence"]["exit_code"], 4)
        self.assertGreaterEqual(record["seconds"], sum(s["seconds"] for s in record["steps"]))

    def check_links(self, record):
        ends = {(link["a"], link["b"]): link for link in record["links"]}
        self.assertEqual(len(ends), 8)
        for link in record["links"]:
            self.assertEqual(link["key_bits_used"],
                             link["payload_bits"] + link["tag_bits"] + link["share_bits"])
            self.assertLessEqual(link["hash_key_bits"], link["tag_bits"])
            self.assertLessEqual(link["bulk_bits"], link["payload_bits"])
        self.assertEqual(ends["lsa", "tommo"]["class"], "qkd")
        self.assertEqual(ends["cloud1", "tuh"]["class"], "preshared")
        share_bits = 8 * record["input"]["bytes"]
        # B went out as key of the link and came back sealed; C went and came back sealed, twice.
        self.assertGreaterEqual(ends["lsa", "tommo"]["share_bits"], share_bits)
        self.assertGreaterEqual(ends["lsa", "tommo"]["bulk_bits"], share_bits)
        self.assertGreaterEqual(ends["tommo", "tuh"]["bulk_bits"], 3 * share_bits)

    def check_sites(self, record):
        letters = {site["name"]: [share["letter"] for share in site["shares"]]
                   for site in record["sites"]}
        self.assertEqual(set(letters), set(SITES))
        self.assertEqual((letters["tommo"], letters["lsa"], letters["tuh"]), (["A"], ["B"], []))
        self.assertEqual(sorted(letters[cloud][0] for cloud in CLOUDS), ["C1", "C2", "C3"])

    def test_plays_with_a_type_a_card_on_the_virtual_reader(self):
        reason = why_not()
        if reason:
            self.skipTest(reason)
        given = self.scratch / "given"
        random_file(given, 3_000_000)
        record_file = self.scratch / "type_a.json"
        played = self.play("--file", given, "--card", "vpcd", "--json", record_file)
        self.assertEqual(played.returncode, 0, played.stdout + played.stderr)
        record = json.loads(record_file.read_text())
        self.assertEqual(mismatches(record, SCHEMA), [])
        self.assertTrue(all(step["ok"] for step in record["steps"]))
        enrolled, consent = (record["steps"][n]["evidence"] for n in (0, 5))
        self.assertEqual(enrolled["card_type"], "desfire")
        self.assertEqual(consent["card_kind"], "desfire_emulated")
        self.assertEqual(consent["holder_verification"], "possession")
        self.assertIn("Your card has no PIN", consent["text"])

    def test_a_file_that_is_missing_is_named(self):
        done = self.play("--file", self.scratch / "no.cram")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no.cram", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_folder_that_is_not_ours_is_left_alone(self):
        (self.scratch / "mine").mkdir()
        (self.scratch / "mine" / "letter").write_text("dear\n")
        done = self.play("--size", "4M", "--dir", self.scratch / "mine")
        self.assertEqual(done.returncode, 1)
        self.assertIn("was not made by the demonstration", done.stderr)
        self.assertEqual((self.scratch / "mine" / "letter").read_text(), "dear\n")

    def test_too_little_space_is_told_before_anything_starts(self):
        huge = self.scratch / "huge"
        with open(huge, "wb") as file:
            file.truncate(64 << 20)
        program = ("import demo, pathlib, shutil, collections\n"
                   "shutil.disk_usage = lambda _: collections.namedtuple('U', 'free')(1000)\n"
                   "demo.check_space(pathlib.Path('.'), 64 << 20)\n")
        done = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True,
                              cwd=REPOSITORY / "tools" / "demo", timeout=60, check=False)
        self.assertIn("free and the demonstration with a file of", done.stderr)


class Checks(unittest.TestCase):
    """The demonstration's own checks can fail: an account with one wrong byte is found."""

    FIGURES = {"mark": 1000, "payload_bytes": 600, "share_bytes": 100, "tag_bytes": 64,
               "hash_key_bytes": 36, "bulk_bytes": 512, "discarded_bytes": 200, "available_bytes": 5000}

    def ledger(self, **changes):
        """Two sites; `changes` apply to what the receiving end of a > b says."""
        made = {}
        for ends in (("a", "b"), ("b", "a")):
            made[ends] = accounts.Direction("preshared")
            made[ends].send, made[ends].receive = dict(self.FIGURES), dict(self.FIGURES)
        made["a", "b"].receive |= changes
        return made

    def test_a_right_account_is_right(self):
        records, wrong = accounts.link_records(self.ledger())
        self.assertEqual(wrong, [])
        self.assertEqual(records[0]["key_bits_used"], 8 * 2 * 800)
        self.assertEqual(records[0]["tag_bits"], 8 * 2 * 100)

    def test_every_wrong_figure_is_found(self):
        for name in accounts.FIGURES:
            with self.subTest(name=name):
                changed = self.ledger(**{name: self.FIGURES[name] + 1})
                self.assertNotEqual(accounts.link_records(changed)[1], [])

    def test_key_that_is_in_no_account_is_found(self):
        ledger = self.ledger(payload_bytes=601)
        ledger["a", "b"].send["payload_bytes"] = 601
        self.assertNotEqual(accounts.link_records(ledger)[1], [])
        ledger = self.ledger()
        ledger["b", "a"].send["available_bytes"] -= 1
        self.assertNotEqual(accounts.leaks(self.ledger(), ledger), [])

    def test_messages_may_be_lost_only_where_a_site_was_stopped(self):
        lossy = {"payload_bytes": 550, "discarded_bytes": 250}
        self.assertEqual(accounts.link_records(self.ledger(**lossy), {"b"})[1], [])
        self.assertNotEqual(accounts.link_records(self.ledger(**lossy), {"c"})[1], [])
        self.assertNotEqual(accounts.link_records(self.ledger(mark=1001), {"b"})[1], [])

    def test_what_a_hop_carried_beside_its_share_is_found(self):
        def used(**changes):
            return [{"from": "a", "to": "b", "key_bits": 900, "share_bits": 800, "other_bits": 0}
                    | changes, {"from": "b", "to": "a", "key_bits": 50, "share_bits": 0,
                                "other_bits": 0}]
        self.assertTrue(accounts.carried_exactly(used(), {("a", "b"): 800}))
        # A copy of the catalog that was on its way meanwhile, and no bit more than it.
        self.assertTrue(accounts.carried_exactly(used(share_bits=840, other_bits=48), {("a", "b"): 800}))
        for wrong in ({"share_bits": 799}, {"share_bits": 801}, {"key_bits": 800},
                      {"share_bits": 849, "other_bits": 48}, {"share_bits": 799, "other_bits": 48}):
            self.assertFalse(accounts.carried_exactly(used(**wrong), {("a", "b"): 800}), wrong)
        self.assertFalse(accounts.carried_exactly(used(), {("b", "c"): 800}))
        self.assertFalse(accounts.carried_exactly(used(), {}))
        self.assertFalse(accounts.carried_exactly([], {("a", "b"): 800}))

    def test_data_of_no_job_is_told_by_the_trail(self):
        trail = [{"direction": "send", "use": use, "job": job, "offset": offset, "bytes": size}
                 for use, job, offset, size in (
                     ("bulk", "", 10, 7), ("share", "j", 1100, 90), ("bulk", "", 1200, 40),
                     ("bulk", "j", 1300, 10), ("control", "", 1350, 5), ("bulk", "", 2000, 3))]
        network = mock.Mock()
        network.key_trail.return_value = trail
        before, after = self.ledger(), self.ledger()
        after["a", "b"].send |= {"mark": 2000, "share_bytes": 190, "bulk_bytes": 562}
        self.assertEqual(accounts.besides(network, ("a", "b"), before, after), 40)

    def test_bytes_that_are_not_uniform_are_found(self):
        self.assertLess(uniformity.chi_squared(os.urandom(1 << 20)), uniformity.LIMIT)
        for data in (bytes(1 << 20), b"ACGT" * (1 << 18), os.urandom(1 << 20) + bytes(4000)):
            self.assertGreater(uniformity.chi_squared(data), uniformity.LIMIT)


if __name__ == "__main__":
    unittest.main()
