"""What operators see of the key of links, and what they do with it: levels, trails, alarms, repair."""

import json
import re
import shutil
import socket
import unittest
import urllib.request

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SIZE = 3_000_000


def edit(path, *changes):
    """Replaces patterns in a file; each must be there."""
    text = path.read_text()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count, f"{pattern} is not in {path}"
    path.write_text(text)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class KeysTest(NetworkTest):
    def keys(self, site, *words):
        return self.network.warifu.ask("keys", *words, "--site", self.network.site(site))

    def link(self, site, peer):
        return next(link for link in self.keys(site, "status")["links"] if link["peer"] == peer)

    def config(self, site):
        return self.network.site(site) / "site.toml"

    def restart(self, *names):
        self.network.down(*names)
        self.network.up(*names)


class LevelsAndTrails(KeysTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(start=False))
        cls.port = free_port()
        with open(cls.network.site("tommo") / "site.toml", "a", encoding="utf-8") as file:
            file.write(f'\n[keys]\nready = "2M"\nempty = "600K"\n\n'
                       f'[metrics]\nlisten = "127.0.0.1:{cls.port}"\n')
        # More than the link ever has: of the clouds' key to the gateway, all is for restores.
        for cloud in ("cloud1", "cloud2", "cloud3"):
            edit(cls.network.site(cloud) / "site.toml",
                 (r'^site = "tuh"$', 'site = "tuh"\nemergency_reserve = "1G"'))
        cls.network.up()
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.stored = cls.person.store(cls.network.root / "genome")

    def test_status_tells_levels_and_states(self):
        def ready():
            link = self.link("tommo", "lsa")
            return all(link[way]["state"] == "ready" and link[way]["available_bytes"] > 20 << 20
                       for way in ("send", "receive"))
        wait_until(ready, 60, lambda: f"the link to be ready, is {self.link('tommo', 'lsa')}")
        link = self.link("tommo", "lsa")
        self.assertEqual(link["class"], "qkd")
        for way in ("send", "receive"):
            of = link[way]
            self.assertGreater(of["available_bytes"], 2 << 20)
            self.assertLessEqual(of["residual_bytes"], of["available_bytes"] - of["floor_bytes"])
            self.assertGreaterEqual(of["oldest_seconds"], 0)
        device, = link["devices"]
        self.assertEqual(device["state"], "delivering")
        self.assertEqual(device["rate_bits_per_second"], 200e6)
        self.assertEqual(device["alarms"], [])
        self.assertFalse(link["lost_is_estimate"])
        # The model makes key all the time and the pool is full: its devices throw key away.
        wait_until(lambda: self.link("tommo", "lsa")["lost_bytes"] > 0, 30, "key to be lost")

    def test_the_text_for_people(self):
        code, text, _ = self.network.warifu.call("keys", "status", "--site",
                                                 self.network.site("tommo"))
        self.assertEqual(code, 0)
        self.assertRegex(text, r"(?m)^PEER +WAY +STATE +AVAILABLE")
        self.assertRegex(text, r"(?m)^lsa +send +\w+ +[\d.]+ MB")
        self.assertRegex(text, r"(?m)^PEER +DEVICE +QBER")

    def test_watch_prints_a_line_each_time(self):
        code, text, _ = self.network.warifu.call(
            "keys", "watch", "--json", "--interval", "1s", "--rounds", "2", "--site",
            self.network.site("lsa"))
        self.assertEqual(code, 0)
        self.assertEqual([json.loads(line)["site"] for line in text.splitlines()], ["lsa", "lsa"])

    def test_metrics_on_the_loopback_address(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            self.assertTrue(answer.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            text = answer.read().decode()
        sample = re.search(r'^warifu_key_available_bytes\{site="tommo",peer="lsa",direction="send"\} '
                           r'([0-9.e+]+)$', text, re.MULTILINE)
        self.assertGreater(float(sample[1]), 0)
        self.assertIn('warifu_device_up{site="tommo",peer="lsa"', text)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/keys", timeout=10)
        self.assertEqual(refused.exception.code, 404, "nothing but the metrics is served there")

    def test_segments_follow_one_another(self):
        for way in ("send", "receive"):
            synced = sorted((s["offset"], s["bytes"]) for s in self.keys("tuh", "list")["segments"]
                            if s["peer"] == "tommo" and s["direction"] == way
                            and s["state"] == "synced")
            self.assertTrue(synced)
            for (offset, length), (following, _) in zip(synced, synced[1:]):
                self.assertEqual(offset + length, following)

    def test_both_ends_tell_the_same_use_of_a_job(self):
        job = self.stored["job"]

        def trail(site, peer, way, use):
            return [(r["offset"], r["bytes"])
                    for r in self.keys(site, "trail", "--job", job, "--peer", peer)["records"]
                    if r["direction"] == way and r["use"] == use]

        for peer, use in (("lsa", "share"), ("tuh", "bulk")):
            sent = trail("tommo", peer, "send", use)
            self.assertEqual(sent, trail(peer, "tommo", "receive", use))
            self.assertGreater(sum(length for _, length in sent), SIZE / 2 - 1)
        everything = self.keys("tommo", "trail")["records"]
        self.assertGreater({r["use"] for r in everything}, {"control"})
        self.assertEqual(self.keys("tommo", "trail", "--job", "0" * 31 + "1")["records"], [])

    def test_the_emergency_reserve_serves_restores(self):
        link = self.link("cloud1", "tuh")
        self.assertEqual(link["send"]["residual_bytes"], 0)
        self.assertEqual(link["send"]["emergency_bytes"], 1 << 30)
        out = self.network.root / "restored"
        done = self.network.restore(self.stored["object"],
                                    self.person.consent(self.stored["object"]), out,
                                    using="A,C1,C2")
        self.assertEqual(done["using"], ["A", "C1", "C2"])
        self.assert_same_bytes(out, self.plain)


class Alarms(KeysTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(start=False))
        for site, peer in (("tommo", "lsa"), ("lsa", "tommo")):
            edit(cls.network.site(site) / "site.toml",
                 (rf'^(own_sae = "SAE-{site}-{peer}")$', r'\1\nqber_alarm = 0.11'))
        cls.devices = cls.network.folder / "devices"
        cls.network.up()

    def set_qber(self, value):
        for side in ("tommo", "lsa"):
            path = self.devices / f"tommo-lsa-{side}" / "device.toml"
            path.write_text(re.sub(r"^qber = .*\n", "", path.read_text(), flags=re.MULTILINE))
            edit(path, (r"^rate = ", f"qber = {value}\nrate = "))
        self.restart("tommo-lsa-tommo", "tommo-lsa-lsa")

    def device(self):
        return self.link("tommo", "lsa")["devices"][0]

    def test_a_high_error_rate_stops_the_intake_until_it_is_low(self):
        self.set_qber(0.25)
        wait_until(lambda: self.device()["alarms"], 30, lambda: f"an alarm, is {self.device()}")
        self.assertIn("QBER", self.device()["state"])
        self.assertEqual(self.device()["qber"], 0.25)
        log = self.network.logs()["tommo"].read_text()
        self.assertRegex(log, r"ALARM of device .*QBER 25\.00 %.*STOPS")
        # Key that is used up now does not come again.
        person = Person(self.network)
        random_file(self.network.root / "genome", SIZE)
        person.store(self.network.root / "genome")
        before = self.link("tommo", "lsa")["send"]["available_bytes"]
        self.assertLess(before, 24 << 20)
        self.set_qber(0.02)
        wait_until(lambda: self.link("tommo", "lsa")["send"]["available_bytes"] > before, 30,
                   "key to come in again")
        wait_until(lambda: self.device()["state"] == "delivering", 30, "the device to deliver")
        self.assertEqual(self.device()["alarms"], [])
        self.assertRegex(self.network.logs()["tommo"].read_text(), "intake goes on")


class Repair(KeysTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork())
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)

    def test_an_old_backup_of_a_pool_is_reconciled(self):
        pools = self.network.data("cloud1") / "pools" / "tuh"
        backup = self.network.root / "backup"
        self.network.down("cloud1")
        shutil.copytree(pools, backup)
        self.network.up("cloud1")
        stored = self.person.store(self.network.root / "genome")["object"]
        used = self.link("cloud1", "tuh")["receive"]["available_bytes"]
        self.network.down("cloud1")
        shutil.rmtree(pools)
        shutil.copytree(backup, pools)
        self.network.up("cloud1")

        # Deeper than greetings repair, so nothing goes over this link any more, in any way.
        self.assert_fails(4, "keys reconcile", self.keys, "cloud1", "reconcile", "--peer", "tuh")
        done = self.keys("cloud1", "reconcile", "--peer", "tuh", "--yes")
        self.assertTrue(done["applied"])
        self.assertGreater(done["receive"]["burn_here_bytes"], 1 << 20)
        self.assertLessEqual(self.link("cloud1", "tuh")["receive"]["available_bytes"], used)
        again = self.keys("cloud1", "reconcile", "--peer", "tuh")
        self.assertTrue(again["send"]["in_step"] and again["receive"]["in_step"])
        self.assertFalse(again["applied"])
        # The burnt range is told, and the link carries shares again.
        records = self.keys("cloud1", "trail", "--peer", "tuh")["records"]
        self.assertIn("burnt", {record["use"] for record in records})
        out = self.network.root / "restored"
        self.network.restore(stored, self.person.consent(stored), out, using="A,C1,C2")
        self.assert_same_bytes(out, self.plain)

    def test_retired_key_is_gone_at_both_ends(self):
        arguments = ("retire", "--peer", "cloud3", "--all")
        looked = self.keys("cloud2", *arguments)
        self.assertFalse(looked["applied"])
        self.assertGreater(looked["send_bytes"], 20 << 20)
        self.assertGreater(self.link("cloud2", "cloud3")["send"]["available_bytes"], 20 << 20)
        self.assertTrue(self.keys("cloud2", *arguments, "--yes")["applied"])
        for site, peer in (("cloud2", "cloud3"), ("cloud3", "cloud2")):
            for way in ("send", "receive"):
                self.assertLess(self.link(site, peer)[way]["available_bytes"], 1 << 20)
        self.assert_fails(2, "older_than", self.keys, "cloud2", "retire", "--peer", "cloud3")

    def test_burnt_bytes_are_gone_at_both_ends_and_told(self):
        arguments = ("burn", "--peer", "cloud3", "--bytes", "4096", "--direction", "send")
        before = self.link("cloud2", "cloud3")["send"]["available_bytes"]
        looked = self.keys("cloud1", "burn", "--peer", "tuh", "--bytes", "4096")
        self.assertFalse(looked["applied"])
        if before > 1 << 20:  # unless the key was retired by another test
            done = self.keys("cloud2", *arguments, "--yes")
            self.assertEqual((done["send_bytes"], done["receive_bytes"]), (4096, 0))
            for site, peer in (("cloud2", "cloud3"), ("cloud3", "cloud2")):
                records = self.keys(site, "trail", "--peer", peer)["records"]
                # Messages between the two ends may have taken the first bytes of the range.
                burnt = {r["bytes"] for r in records if r["use"] == "burnt"}
                self.assertTrue(any(2048 <= size <= 4096 for size in burnt), burnt)
        self.assert_fails(2, "bytes", self.keys, "cloud2", "burn", "--peer", "cloud3", "--bytes", "0")

    def test_a_direction_that_is_none_is_named(self):
        for extra in ((), ("--yes",)):
            code, _, stderr = self.network.warifu.call(
                "keys", "quarantine", "discard", "--peer", "lsa", "--direction", "sideways", *extra,
                "--site", self.network.site("tommo"))
            self.assertEqual(code, 2, stderr)
            self.assertIn("sideways", stderr)
        # The API itself, without the command's own check.
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.network.site("tommo") / "api.sock"))
            body = b'{"peer":"lsa","direction":"sideways"}'
            client.sendall(b"POST /v1/keys/quarantine/discard HTTP/1.1\r\nHost: site\r\n"
                           b"Connection: close\r\nContent-Length: %d\r\n\r\n%s"
                           % (len(body), body))
            answer = b"".join(iter(lambda: client.recv(4096), b"")).decode()
        self.assertIn("HTTP/1.1 400", answer)
        self.assertIn('direction \'sideways\' must be \\"send\\" or \\"receive\\"', answer)

    def test_nothing_is_quarantined_and_unknown_links_are_named(self):
        self.assertEqual(self.keys("tuh", "quarantine", "list")["segments"], [])
        self.assert_fails(3, "quarantined", self.keys, "tuh", "quarantine", "discard", "--peer",
                          "tommo", "--yes")
        self.assert_fails(3, "no link to nobody", self.keys, "tuh", "list", "--peer", "nobody")


class TwoDevices(KeysTest):
    """A second pair of devices on the link between tommo and lsa; the first one is switched off."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(start=False))
        cls.ports = {"tommo": free_port(), "lsa": free_port()}
        model = free_port()
        devices = cls.network.folder / "devices"
        for side, peer in (("tommo", "lsa"), ("lsa", "tommo")):
            second = cls.network.root / f"second-{side}.toml"
            second.write_text((devices / f"tommo-lsa-{side}" / "device.toml").read_text())
            edit(second, (r'^listen = .*$', f'listen = "127.0.0.1:{cls.ports[side]}"'),
                 (r'^(peer|model_listen) = .*$', rf'\1 = "127.0.0.1:{model}"'))
            text = (cls.network.site(side) / "site.toml").read_text()
            block = re.search(rf'^\[peers\.device\]\n(?:.*\n)*?own_sae = "SAE-{side}-{peer}"\n'
                              r'(?:[a-z_]+ = .*\n)*', text, re.MULTILINE)
            one = block[0][block[0].rindex("[peers.device]"):].replace("[peers.device]",
                                                                      "[[peers.device]]")
            two = re.sub(r'^url = .*$', f'url = "https://127.0.0.1:{cls.ports[side]}"', one,
                         flags=re.MULTILINE)
            start = block.start() + block[0].rindex("[peers.device]")
            (cls.network.site(side) / "site.toml").write_text(
                text[:start] + one + two + text[block.end():])
        cls.second = [cls.network.warifu.start("qkd", "rate-model", "--config",
                                               cls.network.root / f"second-{side}.toml")
                      for side in ("tommo", "lsa")]
        for process in cls.second:
            cls.addClassCleanup(process.wait)
            cls.addClassCleanup(process.terminate)
        cls.network.up()

    def states(self):
        return [device["state"] for device in self.link("tommo", "lsa")["devices"]]

    def test_the_second_device_goes_on_alone(self):
        wait_until(lambda: self.states() == ["delivering"] * 2, 30,
                   lambda: f"both devices to deliver, are {self.states()}")
        self.network.down("tommo-lsa-tommo", "tommo-lsa-lsa")
        person = Person(self.network)
        plain = random_file(self.network.root / "genome", 4 * SIZE)
        stored = person.store(self.network.root / "genome")["object"]
        wait_until(lambda: self.states()[0] != "delivering" and self.states()[1] == "delivering",
                   30, lambda: f"only the second to deliver, are {self.states()}")
        level = self.link("tommo", "lsa")["send"]["available_bytes"]
        wait_until(lambda: self.link("tommo", "lsa")["send"]["available_bytes"] >= 24 << 20
                   or self.link("tommo", "lsa")["send"]["available_bytes"] > level, 30,
                   "key to come in")
        out = self.network.root / "restored"
        self.network.restore(stored, person.consent(stored), out)
        self.assert_same_bytes(out, plain)


if __name__ == "__main__":
    unittest.main()
