"""Settings of keys, random numbers, applications and relayed links that make no sense: told, and
nothing starts."""

import re
import subprocess

from network import NetworkTest, TestNetwork


class BadKeySettings(NetworkTest):
    """Settings of keys, random numbers, applications and relayed links, each spoilt once: refused
    with the file, and with what is wrong."""

    KMS = (
        ("listen = 5", "kms.listen"), ("listen = \"8443\"", "kms.listen"),
        ("certificate = true", "kms.certificate"), ("key = \"\"", "kms.key"), ("ca = 1", "kms.ca"),
        ("common_name_first = \"yes\"", "kms.common_name_first"),
        ("key_size = 63", "kms.key_size"), ("key_size = 100", "multiples of 8"),
        ("key_size = \"256\"", "kms.key_size"), ("min_key_size = 512", "min_key_size <= key_size"),
        ("min_key_size = 1", "kms.min_key_size"), ("max_key_size = 128", "key_size <= max_key_size"),
        ("max_key_size = 2000000", "kms.max_key_size"),
        ("max_keys_per_request = 0", "kms.max_keys_per_request"),
        ("max_keys_per_request = 1024", "max_keys_per_request times max_key_size"),
        ("max_additional_saes = 17", "kms.max_additional_saes"),
        ("key_life_seconds = 0", "kms.key_life_seconds"),
        ("key_life_seconds = 2592001", "kms.key_life_seconds"),
        ("max_waiting_keys = 0", "kms.max_waiting_keys"),
        ("stream_socket = 7", "kms.stream_socket"), ("max_streams = 65", "kms.max_streams"),
        ("stream_life_seconds = -1", "kms.stream_life_seconds"), ("colour = 1", "colour"),
    )
    SAES = (
        ("id = \"a b\"", "printable"), ("id = \"SAE-tommo-2\"", "stands twice"), ("id = 1", "saes.id"),
        ("site = \"NOWHERE\"", "saes.site"), ("site = \"nowhere\"", "not among"),
        ("identity = 3", "saes.identity"), ("quota = \"lots\"", "saes.quota"),
        ("users = 1000", "saes.users"), ("users = []", "saes.users"),
        ("users = [-1]", "saes.users"), ("users = [\"root\"]", "saes.users"),
        ("colour = 1", "colour"),
    )
    KEYS = (
        ("emergency_reserve = \"-1M\"", "keys.emergency_reserve"), ("ready = \"much\"", "keys.ready"),
        ("ready = \"1M\"\nempty = \"2M\"", "'empty' must be less than 'ready'"),
        ("empty = true", "keys.empty"), ("relay_reserve = \"1X\"", "keys.relay_reserve"),
        ("trail = []", "keys.trail"), ("hysteresis_percent = 51", "keys.hysteresis_percent"),
        ("hysteresis_percent = \"10\"", "keys.hysteresis_percent"), ("colour = 1", "colour"),
    )
    SECTIONS = (
        ("[random]", "random.source"), ("[random]\nsource = \"dice\"", "random.source"),
        ("[random]\nsource = \"pool\"\nhigh_water = \"8M\"", "high_water"),
        ("[refresh]\nreserve = \"1G\"", "interval"),
        ("[refresh]\ninterval = \"soon\"", "interval"),
        ("[refresh]\ninterval = \"365d\"\nreserve = \"much\"", "reserve"),
        ("[jobs]\nactive = 0", "active"),
        ("[htsget]\nlisten = \"0.0.0.0:8490\"", "certificate.*key"),
        ("[htsget]\nlisten = \"127.0.0.1:8490\"\nkey = \"k\"", "htsget.certificate"),
        ("[htsget]\nmemory = \"512K\"", "htsget.memory"), ("[htsget]\nviews = 0", "htsget.views"),
        ("[htsget]\nlife = \"30d\"", "htsget.life"), ("[htsget]\nurl = \"example.org\"", "origin"),
        ("[htsget]\norigins = [\"*\"]", "origin"), ("[htsget]\ncolour = 1", "colour"),
        ("[jobs]\nactive = 65", "active"),
        ("[random]\nsource = []", "at least one source"), ("[random]\nsource = [1]", "random.source"),
        ("[[random.source]]\nkind = \"dice\"", "kind"),
        ("[[random.source]]\nkind = \"device\"", "path"),
        ("[[random.source]]\nkind = \"device\"\npath = \"/dev/x\"", "min_entropy_per_byte"),
        ("[[random.source]]\nkind = \"file\"\npath = \"/x\"", "origin"),
        ("[[random.source]]\nkind = \"qkd\"", r"random\.source\.device"),
        ("[[random.source]]\nkind = \"kernel\"\nname = \"A B\"", "random.source.name"),
        ("[[random.source]]\nkind = \"kernel\"\nalpha = 19", "alpha"),
        ("[[random.source]]\nkind = \"kernel\"\nmin_entropy_per_byte = 9", "min_entropy_per_byte"),
        ("[[random.source]]\nkind = \"kernel\"\nrequired = 1", "required"),
        ("[[random.source]]\nkind = \"kernel\"\nrequired = false", "at least one source"),
        ("[[random.source]]\nkind = \"kernel\"\ncondition = \"no\"", "condition"),
        ("[[random.source]]\nkind = \"kernel\"\ncolour = 1", "colour"),
        ("[[random.source]]\nkind = \"kernel\"\n[[random.source]]\nkind = \"kernel\"", "two sources"),
        ("[random]\nhigh_water = \"1K\"\n[[random.source]]\nkind = \"kernel\"", "at least 1M"),
    )
    CATALOG = (
        ("copies = \"tommo\"", "catalog.copies' must be a list"), ("copies = [1]", "must hold texts"),
        ("copies = [\"Tommo\"]", "Tommo"), ("copies = [\"tuh\", \"tommo\"]", "tuh has no link"),
        ("copies = [\"tommo\"]", "at least 'threshold' sites"),
        ("copies = [\"tommo\", \"tommo\"]", "tommo stands twice"),
        ("copies = [\"tommo\", \"cloud1\"]", "cloud1 gets its key over one path"),
        ("threshold = 1", "catalog.threshold"), ("threshold = \"2\"", "catalog.threshold"),
        ("copy_interval = 0", "catalog.copy_interval"), ("colour = 1", "colour"),
    )
    RELAYED = (
        ("paths = 0", "links.paths"), ("paths = 100", "links.paths"), ("paths = \"2\"", "links.paths"),
        ("via = \"tommo\"", "links.via"), ("via = [1]", "links.via"), ("via = [\"nowhere\"]", "nowhere"),
        ("via = [\"lsa\"]", "lsa"), ("via = [\"TUH\"]", "TUH"), ("colour = 1", "colour"),
    )

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="1M", bootstrap="2M", relay="lsa:cloud1:1", kms=True, start=False))
        cls.good = (cls.network.site("lsa") / "site.toml").read_text()

    def assert_refused(self, text, pattern):
        self.assertTrue(text != self.good, "the mutation did not apply")
        file = self.network.root / "bad.toml"
        file.write_text(text)
        code, stdout, stderr = self.network.warifu.call("site", "run", "--config", file, timeout=20)
        self.assertEqual(code, 2, stdout + stderr)
        self.assertRegex(stderr, r"^warifu: error: .*bad\.toml(:\d+)?: ")
        self.assertRegex(stderr, pattern)

    def replace(self, header, setting):
        """The good file with a setting (in place of the one of that name) in a section."""
        name = setting.split(" = ")[0]
        section = re.search(rf"^{re.escape(header)}\n(?:[^\[\n].*\n|\n)*", self.good, re.MULTILINE)
        lines = [line for line in section[0].splitlines()[1:]
                 if line.split(" = ")[0] != name]
        return self.good.replace(section[0], "\n".join([header, setting, *lines]) + "\n", 1)

    def test_applications(self):
        for header, cases in (("[kms]", self.KMS), ("[[kms.saes]]", self.SAES)):
            for setting, pattern in cases:
                with self.subTest(header=header, setting=setting):
                    self.assert_refused(self.replace(header, setting), pattern)
        for name in ("listen", "certificate", "key", "ca"):
            with self.subTest(missing=name):
                section = re.search(r"^\[kms\]\n(?:[^\[\n].*\n)*", self.good, re.MULTILINE)[0]
                without = re.sub(rf"^{name} = .*\n", "", section, flags=re.MULTILINE)
                self.assert_refused(self.good.replace(section, without), f"kms.{name}' is missing")

    def test_levels_of_pools(self):
        for setting, pattern in self.KEYS:
            with self.subTest(setting=setting):
                self.assert_refused(f"{self.good}\n[keys]\n{setting}\n", pattern)

    def test_copies_of_the_catalog(self):
        for setting, pattern in self.CATALOG:
            with self.subTest(setting=setting):
                self.assert_refused(f"{self.good}\n[catalog]\n{setting}\n", pattern)

    def test_random_numbers(self):
        for text, pattern in self.SECTIONS:
            with self.subTest(text=text):
                self.assert_refused(f"{self.good}\n{text}\n", pattern)

    def test_relayed_links(self):
        relayed = re.search(r"^\[\[links\]\]\n(?:[^\[\n].*\n)*?class = \"relayed\"\n(?:[^\[\n].*\n)*",
                            self.good, re.MULTILINE)[0]
        for setting, pattern in self.RELAYED:
            with self.subTest(setting=setting):
                name = setting.split(" = ")[0]
                other = re.sub(rf"^{name} = .*\n", "", relayed, flags=re.MULTILINE)
                self.assert_refused(self.good.replace(relayed, f"{other.rstrip()}\n{setting}\n\n"),
                                    pattern)
        peer = re.search(r"^\[\[peers\]\]\n(?:[^\[\n].*\n)*?class = \"relayed\"\n(?:[^\[\n].*\n)*",
                         self.good, re.MULTILINE)[0]
        for setting, pattern in (("high_water = \"1M\"", "high_water"),
                                 ("high_water = \"65G\"", "high_water"),
                                 ("class = \"preshared\"", r"in \[\[links\]\] or in \[\[peers\]\]")):
            with self.subTest(peer=setting):
                name = setting.split(" = ")[0]
                other = re.sub(rf"^{name} = .*\n", "", peer, flags=re.MULTILINE)
                self.assert_refused(self.good.replace(peer, f"{other.rstrip()}\n{setting}\n\n"),
                                    pattern)

    def test_the_file_is_good_until_it_is_spoilt(self):
        file = self.network.site("lsa") / "site.toml"
        with self.network.warifu.start("site", "run", "--config", file) as process:
            try:
                self.assertRaises(subprocess.TimeoutExpired, process.wait, 1)
            finally:
                process.terminate()
                self.assertEqual(process.wait(20), 0)
