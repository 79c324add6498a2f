"""split and combine from outside: exit codes, what is said on which stream, and what must not exist
afterwards."""

import itertools
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import tempfile
import unittest

from test_cli import BINARY, run


class ShareFiles(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory(prefix="warifu-shares-")))
        self.file = self.folder / "genome"
        self.out = self.folder / "shares"
        self.back = self.folder / "back"

    def make(self, size):
        self.file.write_bytes(random.Random(size).randbytes(size))

    def split(self, *more):
        code, stdout, stderr = run("split", str(self.file), "--out", str(self.out), "--json", *more)
        self.assertEqual(code, 0, stderr)
        self.assertEqual(stderr, "")
        return json.loads(stdout)

    def combine(self, shares, record):
        return run("combine", *map(str, shares), "--record", str(record), "--out", str(self.back),
                   "--json")

    def refused(self, result, code, pattern):
        self.assertEqual(result[0], code, result[2])
        self.assertEqual(result[1], "")
        self.assertRegex(result[2], "^warifu: error: .*" + pattern)
        self.assertFalse(self.back.exists())
        self.assertEqual([path for path in self.folder.rglob("*.part")], [])

    def test_every_choice_of_every_scheme(self):
        for scheme, threshold in (("2 of 3", 2), ("3 of 5", 3), ("ramp 3 of 4", 3)):
            self.make(700_001)
            made = self.split("--scheme", scheme)
            self.assertEqual(made["scheme"], scheme)
            for shares in itertools.combinations(made["shares"], threshold):
                code, stdout, stderr = self.combine(shares, made["record"])
                self.assertEqual((code, stderr), (0, ""))
                self.assertEqual(json.loads(stdout)["wrong"], [])
                self.assertEqual(self.back.read_bytes(), self.file.read_bytes())
                self.back.unlink()
            for path in self.out.iterdir():
                self.assertEqual(path.stat().st_mode & 0o077, 0)
                path.unlink()

    def test_a_wrong_share_is_refused_and_with_one_more_named(self):
        self.make(300_000)
        made = self.split()
        path = pathlib.Path(made["shares"][1])
        data = bytearray(path.read_bytes())
        data[-5] ^= 1
        path.write_bytes(data)
        self.refused(self.combine(made["shares"][:2], made["record"]), 7, "chunk 1 .*genome.B.share")
        code, stdout, stderr = self.combine(made["shares"], made["record"])
        self.assertEqual(code, 0)
        self.assertEqual([wrong["share"] for wrong in json.loads(stdout)["wrong"]], ["B"])
        self.assertRegex(stderr, "warning: share B in .*genome.B.share' is wrong")
        self.assertEqual(self.back.read_bytes(), self.file.read_bytes())

    def test_what_does_not_belong_together(self):
        self.make(5000)
        made = self.split()
        shares = made["shares"]
        self.refused(self.combine(shares[:1], made["record"]), 2, "2 are needed")
        self.refused(self.combine([shares[0]] * 2, made["record"]), 2, "both share A")
        self.refused(self.combine(shares, shares[0]), 7, "no local record")
        self.refused(self.combine(["/none", shares[0]], made["record"]), 3, "/none")
        self.refused(self.combine([self.file, shares[0]], made["record"]), 7, "genome")
        with open(shares[2], "r+b") as share:
            share.truncate(os.path.getsize(shares[2]) - 1)
        self.refused(self.combine(shares, made["record"]), 7, "genome.C.share' is cut short")

    def test_outputs_are_not_replaced(self):
        self.make(5000)
        made = self.split()
        self.back.write_text("mine")
        code, stdout, _ = self.combine(made["shares"], made["record"])
        self.assertEqual((code, stdout, self.back.read_text()), (8, "", "mine"))
        code, stdout, stderr = run("split", str(self.file), "--out", str(self.out))
        self.assertEqual((code, stdout), (8, ""))
        self.assertIn("genome.A.share", stderr)

    def test_bad_inputs(self):
        self.make(0)
        for code, pattern, arguments in (
                (2, "is empty", (str(self.file),)), (3, "/none", ("/none",)),
                (9, "directory", (str(self.folder),)),
                (2, "no threshold", (BINARY, "--scheme", "1 of 3")),
                (2, "--scheme", (BINARY, "--scheme", "most")),
                (2, "are missing", (BINARY, "--random", str(self.file))),
                (2, "--random-origin", (BINARY, "--random-origin", "hardware")),
                (2, "hardware", (BINARY, "--random", BINARY, "--random-origin", "dice"))):
            with self.subTest(arguments=arguments):
                self.refused(run("split", *arguments, "--out", str(self.out)), code, pattern)
                self.assertFalse(self.out.exists() and any(self.out.iterdir()))

    def test_a_limit_of_the_file_size_leaves_nothing(self):
        self.make(2_000_000)
        done = subprocess.run(
            [BINARY, "split", str(self.file), "--out", str(self.out)], capture_output=True,
            text=True, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000)))
        self.assertEqual((done.returncode, done.stdout), (9, ""))
        self.assertEqual(list(self.out.iterdir()), [])

    def test_interrupted_it_leaves_nothing(self):
        self.make(64 << 20)
        process = subprocess.Popen([BINARY, "split", str(self.file), "--out", str(self.out)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not self.out.exists():
            pass
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        if process.returncode != 0:  # else it was faster than we were
            self.assertEqual(process.returncode, 11, stderr)
            self.assertEqual(list(self.out.iterdir()), [])

    def test_where_random_numbers_came_from_is_told(self):
        self.make(100)
        self.assertIn("AES-256-CTR", self.split()["random"])
        self.assertTrue(json.loads(self.combine(
            sorted(self.out.glob("*.share")), self.out / "genome.record")[1])["computational"])
        self.back.unlink()
        for path in self.out.iterdir():
            path.unlink()
        numbers = self.folder / "numbers"
        numbers.write_bytes(random.Random(1).randbytes(16 + 128 + 32))
        made = self.split("--random", str(numbers), "--random-origin", "hardware")
        self.assertFalse(made["computational"])
        self.assertEqual(made["random_bytes"], 16 + 128 + 32)


class Bench(unittest.TestCase):
    def test_list_and_unknown_names(self):
        names = [one["name"] for one in json.loads(run("bench", "--list", "--json")[1])["measurements"]]
        for name in ("xor", "split_vs_gfsplit", "combine_vs_gfcombine", "otp_channel_vs_scp",
                     "six_site_store_2g", "store_4g", "split_16g"):
            self.assertIn(name, names)
        code, stdout, stderr = run("bench", "--only", "luck")
        self.assertEqual((code, stdout), (2, ""))
        self.assertIn("--list", stderr)

    def test_a_quick_run_has_the_fields_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory(prefix="warifu-bench-test-") as folder:
            code, stdout, stderr = run("bench", "--quick", "--json", "--dir", folder, "--only",
                                       "split_vs_gfsplit", "--only", "split_16g", "--only", "xor")
            self.assertEqual(code, 0, stderr)
            self.assertEqual(os.listdir(folder), [])
        document = json.loads(stdout)
        self.assertLessEqual({"cpu", "cores", "kernel", "memory", "kernels", "disk"},
                             set(document["machine"]))
        names = {result["name"] for result in document["results"]}
        self.assertLessEqual({"xor", "split_16g", "combine_16g_AB"}, names)
        for result in document["results"]:
            self.assertLessEqual({"name", "value", "unit", "ratio", "against", "goal", "met", "note"},
                                 set(result))


if __name__ == "__main__":
    unittest.main()
