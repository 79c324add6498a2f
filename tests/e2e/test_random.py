"""Random numbers of a site: files that are brought in, sources under health tests, and what a store
does when there are none."""

import os
import re
import shutil
import threading
import time

from network import NetworkTest, Person, TestNetwork, random_file, wait_until


SIZE = 600_000
LONG = 6_000_000
NO_KEY_AS_SHARE = "key_as_share = false\n"  # else a cut here needs no random numbers


class Device:
    """A FIFO that plays a hardware generator: random bytes, or the same byte for ever."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path, self.stuck, self.ending = path, False, False
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ending:
            with self.lock:
                try:
                    while True:
                        os.write(self.fd, b"\x42" * 4096 if self.stuck else os.urandom(4096))
                except BlockingIOError:
                    pass
            time.sleep(0.001)

    def be(self, stuck):
        """Changes what it gives, from the next byte on."""
        with self.lock:
            self.stuck = stuck
            try:
                while True:
                    os.read(self.fd, 65536)
            except BlockingIOError:
                pass

    def close(self):
        self.ending = True
        self.thread.join()
        os.close(self.fd)


class RandomTest(NetworkTest):
    """One network; each test gives tommo a configuration of its own."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork())
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        random_file(cls.network.root / "long", LONG)
        cls.config = cls.network.site("tommo") / "site.toml"
        cls.original = cls.config.read_text()

    def configure(self, random):
        """Restarts tommo with this [random] and an empty random pool."""
        self.network.down("tommo")
        shutil.rmtree(self.network.data("tommo") / "pools" / "random", ignore_errors=True)
        text = re.sub(r"^(data_dir = .*\n)", r"\1" + NO_KEY_AS_SHARE, self.original, count=1,
                      flags=re.MULTILINE)
        self.config.write_text(text + "\n" + random)
        self.network.up("tommo")

    def random(self, verb, *arguments):
        """The answer of `random VERB` at tommo."""
        return self.network.warifu.ask("random", verb, *arguments, "--site",
                                       self.network.site("tommo"))

    def device(self, name):
        device = Device(self.network.root / name)
        self.addCleanup(device.close)
        return device

    def store(self, name="genome"):
        return self.person.store(self.network.root / name)["object"]

    def assert_restores(self, object_id):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        self.network.restore(object_id, self.person.consent(object_id), out)
        self.assert_same_bytes(out, self.plain)

    def random_origins(self, object_id):
        shares = self.network.explain(object_id)["shares"]
        return next(share["random_origins"] for share in shares if share["share"] == "A")

    # --- files ---

    def test_nothing_takes_the_place_of_sources(self):
        self.configure('[[random.source]]\nkind = "kernel"\n')
        for use in ("sharing", "applications"):
            self.assert_fails(4, r"\[\[random.source\]\] is configured", self.random, "use", "--for",
                              use, "kernel")
            self.assertEqual(self.random("use", "--for", use, "default")["switches"], [])
        self.assertEqual(self.random("status")["for_sharing"], "sources")

    def test_files_are_taken_in_and_used_once(self):
        self.configure('[random]\nsource = "pool"\n')
        before = self.random("status")
        self.assertEqual((before["source"], before["available_bytes"]), ("pool", 0))
        numbers = self.network.root / "numbers"
        numbers.write_bytes(os.urandom(2_000_000))
        answer = self.random("import", numbers, "--origin", "hardware", "--wipe")
        self.assertEqual(answer["available_bytes"], 2_000_000)
        self.assertEqual(answer["origins"], ["HARDWARE"])
        self.assertFalse(numbers.exists())
        stored = self.store()
        self.assertEqual(self.random_origins(stored), ["HARDWARE"])
        after = self.random("status")
        self.assertGreaterEqual(after["used_bytes"], SIZE)
        self.assertLessEqual(after["available_bytes"], 2_000_000 - SIZE)
        self.assert_restores(stored)

    def test_files_that_are_refused(self):
        self.configure('[random]\nsource = "pool-or-kernel"\n')
        empty = self.network.root / "empty"
        empty.touch()
        some = self.network.root / "some"
        some.write_bytes(os.urandom(1000))
        held = self.random("status")["available_bytes"]
        for code, pattern, file, origin in ((2, "empty", empty, "hardware"),
                                            (3, "nowhere", "/nowhere", "hardware"),
                                            (2, "origin 'dice'", some, "dice")):
            with self.subTest(pattern=pattern):
                self.assert_fails(code, pattern, self.random, "import", file, "--origin", origin)
        self.assertEqual(self.random("status")["available_bytes"], held)
        self.network.down("tommo")
        try:
            self.assert_fails(6, "not running", self.random, "import", some, "--origin", "preshared")
            self.assert_fails(6, "not running", self.random, "status")
        finally:
            self.network.up("tommo")

    def test_the_generator_serves_where_it_may(self):
        self.configure('[random]\nsource = "kernel"\n')
        self.assertEqual(self.random_origins(self.store()), ["KERNEL_GENERATOR"])
        self.assert_fails(3, "no .*random.source", self.random, "readmit", "trng")

    # --- sources ---

    def test_a_stuck_device_stops_every_store_until_it_is_taken_in_again(self):
        device = self.device("stuck")
        device.be(stuck=True)
        self.configure('[random]\nhigh_water = "2M"\n[[random.source]]\nkind = "kernel"\n'
                       f'[[random.source]]\nkind = "device"\nname = "trng"\npath = "{device.path}"\n'
                       "min_entropy_per_byte = 6.0\n")
        reason = r"source 'trng' failed its repetition count test at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

        def failed():
            code, _, stderr = self.network.warifu.call("random", "status", "--site",
                                                       self.network.site("tommo"))
            return code == 4 and re.search(reason, stderr)
        wait_until(failed, 30, "the failure to be told")
        self.assertRegex(self.network.logs()["tommo"].read_text(), r"tommo error: .*" + reason)
        self.assert_fails(4, reason, self.store)
        self.assert_fails(4, reason, self.random, "readmit", "trng")  # it is stuck still
        self.assert_fails(3, "there are: kernel, trng", self.random, "readmit", "mars")

        device.be(stuck=False)
        answer = self.random("readmit", "trng")
        source = {source["name"]: source for source in answer["sources"]}["trng"]
        self.assertEqual((source["state"], source["failures"]), ("healthy", 2))
        self.assertTrue(source["last_failure"])
        stored = self.store()
        self.assertEqual(self.random_origins(stored), ["HARDWARE"])
        self.assertEqual(self.random("status")["parts"], ["HARDWARE", "KERNEL_GENERATOR"])
        self.assert_restores(stored)

        device.be(stuck=True)  # in the middle of its work
        self.assert_fails(4, "source 'trng' failed its", self.store, "long")
        device.be(stuck=False)
        self.random("readmit", "trng")
        self.assert_restores(self.store())

    def test_raw_bytes_do_not_make_a_mixture_hardware(self):
        device = self.device("raw")
        self.configure('[random]\n[[random.source]]\nkind = "kernel"\n[[random.source]]\n'
                       f'kind = "device"\npath = "{device.path}"\nmin_entropy_per_byte = 6.0\n'
                       "condition = false\n")
        stored = self.store()
        self.assertEqual(self.random_origins(stored), ["KERNEL_GENERATOR"])
        self.assertIn("HARDWARE", self.random("status")["parts"])
        self.assertTrue(any("random numbers" in line
                            for line in self.network.explain(stored)["computational"]))

    def test_a_key_device_and_a_file_as_sources(self):
        numbers = self.network.root / "file-of-numbers"
        numbers.write_bytes(os.urandom(3_000_000))
        table = re.search(r"^\[peers\.device\]\n((?:[\w#].*\n)+)", self.original, re.MULTILINE)[1]
        self.configure('[random]\nhigh_water = "1M"\n[[random.source]]\nkind = "qkd"\n'
                       f"[random.source.device]\n{table}"
                       f'[[random.source]]\nkind = "file"\npath = "{numbers}"\norigin = "preshared"\n'
                       "min_entropy_per_byte = 8\nrequired = false\n")
        stored = self.store()
        self.assertEqual(self.random_origins(stored), ["RATE_MODEL"])
        self.assertEqual(set(self.random("status")["parts"]), {"PRESHARED", "RATE_MODEL"})
        self.assert_restores(stored)
        tested = self.random("test", "--source", "file")["sources"]
        self.assertEqual([(source["name"], source["state"]) for source in tested],
                         [("file", "healthy")])


class BadSources(NetworkTest):
    """Ways to get [random] wrong: refused with file, line and key, and nothing is started."""

    GOOD = 'kind = "device"\npath = "/dev/hwrng"\nmin_entropy_per_byte = 6.0\n'
    MISTAKES = (
        ("random.source", '[random]\nsource = "dice"\n'),
        ("random.source", "[random]\n"),
        ("random.colour", '[random]\nsource = "pool"\ncolour = "red"\n'),
        ("random.high_water", '[random]\nsource = "pool"\nhigh_water = "1G"\n'),
        ("random.high_water", '[random]\nhigh_water = "1k"\n[[random.source]]\n' + GOOD),
        ("random.high_water", '[random]\nhigh_water = "much"\n[[random.source]]\n' + GOOD),
        ("random.source.kind", "[[random.source]]\npath = 'x'\n"),
        ("random.source.kind.*'dice'", '[[random.source]]\nkind = "dice"\n'),
        ("random.source.path", '[[random.source]]\nkind = "device"\nmin_entropy_per_byte = 6.0\n'),
        ("random.source.min_entropy_per_byte", '[[random.source]]\nkind = "device"\npath = "/x"\n'),
        ("random.source.min_entropy_per_byte",
         '[[random.source]]\nkind = "cpu"\nmin_entropy_per_byte = 9\n'),
        ("random.source.min_entropy_per_byte",
         '[[random.source]]\nkind = "cpu"\nmin_entropy_per_byte = "6"\n'),
        ("random.source.alpha", '[[random.source]]\nkind = "kernel"\nalpha = 10\n'),
        ("random.source.origin", "[[random.source]]\n" + GOOD + 'origin = "dice"\n'),
        ("random.source.origin",
         '[[random.source]]\nkind = "file"\npath = "/x"\nmin_entropy_per_byte = 8\n'),
        ("random.source.name", "[[random.source]]\n" + GOOD + 'name = "../x"\n'),
        ("random.source.name", 2 * ("[[random.source]]\n" + GOOD)),
        ("random.source.required", "[[random.source]]\n" + GOOD + 'required = "yes"\n'),
        ("random.source.*at least one", "[[random.source]]\n" + GOOD + "condition = false\n"),
        ("random.source.*at least one", "[[random.source]]\n" + GOOD + "required = false\n"),
        ("random.source.device", '[[random.source]]\nkind = "qkd"\n'),
        ("random.source.url", "[[random.source]]\n" + GOOD + 'url = "https://x"\n'),
    )

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="1M", bootstrap="2M", start=False))

    def test_each_mistake_is_told_with_file_line_and_key(self):
        good = (self.network.site("lsa") / "site.toml").read_text()
        for pattern, random in self.MISTAKES:
            with self.subTest(random=random):
                file = self.network.root / "bad.toml"
                file.write_text(good + "\n" + random)
                code, stdout, stderr = self.network.warifu.call("site", "run", "--config", file,
                                                                timeout=20)
                self.assertEqual(code, 2, stdout + stderr)
                self.assertRegex(stderr, r"^warifu: error: .*bad\.toml:\d+: .*" + pattern)
