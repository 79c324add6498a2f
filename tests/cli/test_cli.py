"""The command line by itself: every command has help with an example, mistakes end with exit code
2 or 3 and one clear line, and nothing is written to standard output but what was asked for."""

import json
import os
import pathlib
import resource
import subprocess
import tempfile
import unittest

from help_tree import BINARY, commands, helps, run

SECRET_OPTIONS = ("--pin ", "--pin=", "--key ", "--key=", "--password")
NOWHERE = "/nowhere/at/all"
STREAM = "906a4bf0-7284-4ddb-8947-783ee9b7fad0"


class Help(unittest.TestCase):
    """What the program tells about itself."""

    def test_every_command_has_help_with_an_example(self):
        self.assertGreater(len(commands()), 100)
        for command in commands():
            with self.subTest(command=command):
                self.assertIn("Example:", helps()[command])
                self.assertIn(f"warifu {command}", helps()[command].split("Example:")[1])

    def test_the_groups_and_the_exit_codes_are_in_the_help(self):
        for word in {command.split()[0] for command in commands()} | {"Exit codes", "4 refused"}:
            self.assertIn(word, helps()[""])

    def test_version(self):
        code, stdout, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(stdout, r"^warifu \d+\.\d+\.\d+")

    def test_no_option_takes_a_secret(self):
        for command, text in helps().items():
            for option in SECRET_OPTIONS:
                self.assertNotIn(option, text, command)


class Mistakes(unittest.TestCase):
    """What a wrong command line leads to."""

    def assert_fails(self, codes, pattern, *arguments, **variables):
        code, stdout, stderr = run(*arguments, **variables)
        self.assertIn(code, codes, stderr)
        self.assertEqual(stdout, "")
        self.assertRegex(stderr, pattern)
        self.assertNotIn("terminate called", stderr)

    def test_no_command_and_unknown_words(self):
        for arguments in ((), ("net",), ("nett",), ("net", "sideways"), ("object",),
                          ("net", "status", "--net", NOWHERE, "--colour")):
            with self.subTest(arguments=arguments):
                code, _, stderr = run(*arguments)
                self.assertEqual(code, 2, stderr)

    def test_what_is_wrong_is_said_and_what_was_perhaps_meant(self):
        for pattern, *arguments in (
                ("there is no command 'warifu nett'; did you mean 'net'\\?", "nett"),
                ("there is no command 'warifu net stattus'; did you mean 'status'\\?", "net", "stattus"),
                ("there is no command 'warifu net sideways'$", "net", "sideways"),
                ("'warifu keys quarantine' needs one of: list, discard$", "keys", "quarantine"),
                ("a command is missing$",),
                ("--colour is no option of 'warifu net status'$", "net", "status", "--net", NOWHERE,
                 "--colour"),
                ("--gran is no option of 'warifu restore'; did you mean '--grant'\\?", "restore", "x",
                 "--gran=1", "--site", "S", "--grant", "G", "--as", "A", "--out", "O"),
                ("--net is required$", "net", "up"),
                ("--keys: 'many' is not a number", "person", "enrol", "--keys", "many"),
                ("--site .* is required$", "link", "status")):
            with self.subTest(arguments=arguments):
                code, stdout, stderr = run(*arguments)
                self.assertEqual((code, stdout), (2, ""))
                first, second = stderr.splitlines()
                self.assertRegex(first, "^warifu: error: " + pattern)
                self.assertRegex(second, "^see: warifu .*--help$")

    def test_required_options_are_named(self):
        for command, option in (("net init", "--net"), ("link status", "--site"),
                                ("person enrol --site S", "--id"), ("site run", "--config"),
                                ("restore x --site S", "--"), ("consent give --site S", "--")):
            with self.subTest(command=command):
                self.assert_fails((2,), option, *command.split())

    def test_places_that_do_not_exist_are_named(self):
        for arguments in (("net", "status", "--net", NOWHERE), ("net", "up", "--net", NOWHERE),
                          ("link", "status", "--site", NOWHERE),
                          ("job", "list", "--site", NOWHERE),
                          ("site", "run", "--config", NOWHERE),
                          ("qkd", "rate-model", "--config", NOWHERE)):
            with self.subTest(arguments=arguments):
                self.assert_fails((3,), "^warifu: error: .*" + NOWHERE, *arguments)

    def test_what_is_typed_counts_more_than_the_environment(self):
        """A site that was typed is the site that hears it, whatever is set: it may burn key."""
        for variable, option, commands_ in (
                ("WARIFU_SITE", "--site", (("link", "status"), ("keys", "burn", "--peer", "lsa", "--bytes",
                                                               "1M", "--yes"), ("job", "list"),
                                           ("random", "test"), ("stream", "status"),
                                           ("stream", "close", "--id", STREAM))),
                ("WARIFU_NET", "--net", (("net", "status"), ("net", "down"),
                                         ("link", "preshare", "a", "b", "--out", "o")))):
            for command in commands_:
                with self.subTest(command=command):
                    code, stdout, stderr = run(*command, option, NOWHERE, **{variable: "/elsewhere"})
                    self.assertEqual((code, stdout), (3, ""), stderr)
                    self.assertIn(NOWHERE, stderr)
                    self.assertNotIn("/elsewhere", stderr)

    def test_the_site_of_the_environment_is_for_commands_that_want_one(self):
        code, stdout, stderr = run("random", "test", "--kind", "kernel", WARIFU_SITE=NOWHERE)
        self.assertEqual((code, stderr), (0, ""))
        self.assertIn("healthy", stdout)

    def test_the_environment_names_site_and_network(self):
        self.assert_fails((3,), NOWHERE, "stream", "close", "--id", STREAM, WARIFU_SITE=NOWHERE)
        self.assert_fails((3,), NOWHERE, "link", "status", WARIFU_SITE=NOWHERE)
        self.assert_fails((3,), NOWHERE, "net", "status", WARIFU_NET=NOWHERE)

    def test_a_number_that_is_none(self):
        self.assert_fails((2,), "keys", "person", "enrol", "--site", NOWHERE, "--id", "P", "--name",
                          "N", "--card", "c", "--keys", "many")


class RandomSources(unittest.TestCase):
    """`random test`: sources without a site."""

    def sources(self, code, *arguments):
        got, stdout, stderr = run("random", "test", *arguments, "--json")
        self.assertEqual(got, code, stderr)
        return json.loads(stdout)["sources"], stderr

    def test_the_kernel_passes(self):
        (source,), _ = self.sources(0, "--kind", "kernel", "--bytes", "1M")
        self.assertEqual((source["state"], source["origin"], source["failures"]),
                         ("healthy", "KERNEL_GENERATOR", 0))
        self.assertGreater(source["raw_bytes"], 1 << 20)

    def test_the_cutoffs_follow_from_entropy_and_alpha(self):
        (source,), _ = self.sources(0, "--kind", "kernel", "--min-entropy", "2", "--alpha", "20")
        self.assertEqual((source["repetition_cutoff"], source["proportion_cutoff"]), (11, 177))

    def test_without_words_kernel_and_processor(self):
        code, stdout, stderr = run("random", "test")
        self.assertIn(code, (0, 6), stderr)  # 6: a processor without RDSEED
        self.assertRegex(stdout, "(?m)^kernel +healthy")
        self.assertRegex(stdout, "(?m)^cpu +")

    def test_a_stuck_device_fails(self):
        (source,), stderr = self.sources(4, "--kind", "device", "--path", "/dev/zero",
                                         "--min-entropy", "6")
        self.assertEqual((source["state"], source["failures"]), ("failed", 1))
        self.assertRegex(stderr, "^(.*\n)*warifu: error: .*failed its repetition count test at 2")

    def test_a_device_that_is_none(self):
        for path, pattern in (("/nowhere", "/nowhere"), ("/dev/urandom", "kernel's generator"),
                              (BINARY, "neither a character device nor a FIFO")):
            (source,), stderr = self.sources(6, "--kind", "device", "--path", path,
                                             "--min-entropy", "6")
            self.assertEqual(source["state"], "unavailable")
            self.assertIn(pattern, stderr)

    def test_a_file_that_ends_too_early(self):
        (source,), stderr = self.sources(6, "--kind", "file", "--path", "/dev/null",
                                         "--min-entropy", "8")
        self.assertIn("used up", source["problem"] + stderr)

    def test_mistakes(self):
        for pattern, *arguments in (
                ("--path", "--kind", "device", "--min-entropy", "6"),
                ("--path", "--kind", "kernel", "--path", "/dev/zero"),
                ("--min-entropy", "--kind", "device", "--path", "/dev/zero"),
                ("--min-entropy", "--kind", "kernel", "--min-entropy", "9"),
                ("--alpha", "--kind", "kernel", "--alpha", "50"),
                ("'dice'", "--kind", "dice"), ("--site", "--kind", "qkd"),
                ("--site", "--source", "x"), ("size", "--bytes", "many")):
            with self.subTest(arguments=arguments):
                code, stdout, stderr = run("random", "test", *arguments)
                self.assertEqual((code, stdout), (2, ""), stderr)
                self.assertIn(pattern, stderr)


class NetworkOnDisk(unittest.TestCase):
    """Commands that need files and no running process."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="warifu-cli-"))
        cls.net = cls.folder + "/net"
        code, stdout, stderr = run("net", "init", "--net", cls.net, "--preshare", "1M",
                                   "--bootstrap", "2M", "--json")
        assert code == 0, stderr
        cls.made = json.loads(stdout)

    def test_init_tells_what_it_made(self):
        self.assertEqual((self.made["sites"], self.made["links"]), (6, 8))

    def test_secret_files_are_for_their_owner_only(self):
        for path in pathlib.Path(self.net).rglob("*"):
            if path.name in ("root.key",) or "pools" in path.parts or path.suffix == ".key":
                self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_too_little_locked_memory_is_told_before_a_file_is_written(self):
        # Root may lock as much as it likes, but for one capability.
        command = (["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"]
                   if os.geteuid() == 0 else [])
        hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
        most = 8 << 20 if hard == resource.RLIM_INFINITY else min(hard, 8 << 20)
        net = self.folder + "/locked"
        environment = {name: value for name, value in os.environ.items()
                       if name != "WARIFU_ALLOW_UNLOCKED_MEMORY"}
        done = subprocess.run(
            [*command, BINARY, "net", "init", "--net", net, "--preshare", "1M"],
            capture_output=True, text=True, timeout=60, env=environment, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (most, most)))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ulimit -l", done.stderr)
        self.assertFalse(os.path.exists(net))

    def test_status_of_a_network_that_is_down(self):
        code, stdout, _ = run("net", "status", "--net", self.net, "--json")
        self.assertEqual(code, 0)
        status = json.loads(stdout)
        self.assertEqual(len(status["sites"]), 6)
        self.assertFalse(any(entry["running"] for entry in status["sites"] + status["devices"]))

    def test_what_only_regions_need_is_checked_before_a_region_is_asked_for(self):
        text = pathlib.Path(self.net, "sites/tommo/site.toml").read_text()
        config = pathlib.Path(self.folder, "checked.toml")
        fasta = pathlib.Path(self.folder, "ref.fa")
        for files, code, pattern in (((), 3, r"references: '.*ref.fa' of GRCh38"),
                                     ((fasta,), 3, r"'.*ref.fa.fai' of GRCh38 is not there"),
                                     ((pathlib.Path(f"{fasta}.fai"),), 0, "")):
            for path in files:
                path.touch()
            config.write_text(f'{text}\n[genome]\nreferences = ["GRCh38={fasta}"]\n')
            got, stdout, stderr = run("site", "check", "--config", str(config))
            self.assertEqual(got, code, stderr)
            self.assertRegex(stderr if code else stdout, pattern or "the configuration is sound")

    def test_a_site_that_is_down_is_told(self):
        code, stdout, stderr = run("link", "status", "--site", self.net + "/sites/lsa", "--json")
        self.assertEqual((code, stdout), (6, ""))
        self.assertRegex(stderr, "^warifu: error: .*lsa.*not running")

    def test_random_commands_of_a_site(self):
        site = self.net + "/sites/lsa"
        for verb in (("status",), ("import", BINARY, "--origin", "hardware"), ("readmit", "x")):
            code, stdout, stderr = run("random", *verb, "--site", site)
            self.assertEqual((code, stdout), (6, ""), stderr)
            self.assertRegex(stderr, "^warifu: error: .*lsa.*not running")
        code, _, stderr = run("random", "test", "--site", site)
        self.assertEqual(code, 3)
        self.assertIn("no [[random.source]]", stderr)

    def test_names_that_are_not_in_the_network(self):
        for verb in ("up", "down"):
            code, _, stderr = run("net", verb, "--net", self.net, "--only", "mars")
            self.assertEqual(code, 3)
            self.assertIn("mars", stderr)

    def test_down_twice_is_no_error(self):
        for _ in range(2):
            self.assertEqual(run("net", "down", "--net", self.net)[0], 0)



class Simulate(unittest.TestCase):
    """`warifu simulate`: its network, its mistakes, its files."""

    NETWORK = ("name = 'n'\nsites = [['a','A',35,135,10,'w'],['b','B',35,136,0,'w'],"
               "['c','C',36,136,0,'e']]\nlinks = [['a','b',9],['b','c',9],['a','c',9]]\n")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="warifu-simulate-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "net.toml"
        self.file.write_text(self.NETWORK)

    def test_figures_and_page(self):
        page = self.folder / "page.html"
        arguments = ("simulate", "--network", str(self.file), "--days", "40", "--couriers", "1",
                     "--json", "-")
        code, stdout, stderr = run(*arguments, "--html", str(page))
        self.assertEqual((code, stderr), (0, ""))
        document = json.loads(stdout)
        self.assertIn("not measured", document["label"])
        self.assertIn(document["label"], page.read_text())
        self.assertEqual({row["policy"] for row in document["results"]},
                         {"vaults", "nearest", "residual", "price"})
        for row in document["results"]:
            if row["exposure_rule"] == "on":
                self.assertEqual(row["exposed"], 0)
        self.assertEqual([row["couriers"] for row in document["couriers"]], [0, 1])
        self.assertEqual(run(*arguments)[1], stdout)  # the same seed
        self.assertNotEqual(run(*arguments, "--seed", "2")[1], stdout)

    def test_the_built_in_network_can_be_printed_and_read(self):
        text = run("simulate", "--print-network")[1]
        self.file.write_text(text)
        code, stdout, _ = run("simulate", "--network", str(self.file), "--days", "30",
                              "--policies", "nearest", "--exposure", "on")
        self.assertEqual(code, 0)
        self.assertIn("modelled link rates, not measured", stdout)

    def test_mistakes(self):
        bad = self.folder / "bad.toml"
        bad.write_text(self.NETWORK.replace("['a','c',9]", "['a','x',9]"))
        for code, pattern, arguments in (
                (3, "/none", ("--network", "/none")),
                (2, r"bad.toml:3: there is no site 'x'", ("--network", str(bad))),
                (2, "--networks '4'.* has 1 to 3", ("--networks", "4")),
                (2, "--networks ''", ("--networks", "1,")),
                (2, "'luck' is no policy", ("--policies", "price,luck")),
                (2, "5 days", ("--days", "5")), (2, "nan days", ("--days", "nan")),
                (2, "0 to 1", ("--failures", "1.5")), (2, "0 to 1", ("--restores", "-1")),
                (2, "at most 20 couriers", ("--couriers", "21")),
                (2, "--size", ("--size", "big")), (2, "an object has", ("--size", "1kB")),
                (9, "directory|folder|/none", ("--network", str(self.file), "--days", "30",
                                               "--html", "/none/page.html"))):
            with self.subTest(arguments=arguments):
                result = run("simulate", *arguments)
                self.assertEqual(result[0], code, result[2])
                self.assertRegex(result[2], "^warifu: error: .*" + pattern)
        for arguments in (("--exposure", "maybe"), ("--directions", "up"), ("--seed", "x"),
                          ("--nothing",), ("word",)):
            self.assertEqual(run("simulate", *arguments)[0], 2)


if __name__ == "__main__":
    unittest.main()
