"""Keys for applications: real sites, real certificates, a client in Python (ETSI GS QKD 014)."""

import base64
import contextlib
import http.client
import json
import re
import socket
import ssl
import time
import unittest
import uuid

from network import NetworkTest, TestNetwork, wait_until

NOT_FOUND = "one or more keys specified are not found on KME"


class Sae:
    """An application with its own certificate and one connection to its site that is kept."""

    def __init__(self, network, name):
        self.name = name
        self.site = name.split("-")[1]
        text = (network.site(self.site) / "site.toml").read_text()
        self.port = int(re.search(r'\[kms\][^\[]*?listen = "127.0.0.1:(\d+)"', text, re.S)[1])
        folder = network.folder / "saes"
        self.tls = ssl.create_default_context(cafile=folder / "ca.pem")
        self.tls.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
        self.connection = None

    def call(self, method, path, body=None):
        """(status, parsed answer, headers); a connection that the site closed is made again."""
        for attempt in range(2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "localhost", self.port, context=self.tls, timeout=60)
            try:
                text = None if body is None else json.dumps(body) if body != "" else ""
                self.connection.request(method, "/api/v1/keys/" + path, body=text,
                                        headers={"Content-Type": "application/json"})
                answer = self.connection.getresponse()
                return answer.status, json.loads(answer.read() or b"{}"), answer.headers
            except (http.client.HTTPException, OSError):
                self.connection.close()
                self.connection = None
                if attempt == 1:
                    raise
        raise AssertionError("not reached")

    def enc(self, slave, **body):
        return self.call("POST", f"{slave}/enc_keys", body)

    def dec(self, master, *ids):
        return self.call("POST", f"{master}/dec_keys", {"key_IDs": [{"key_ID": i} for i in ids]})

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


class KeysForApplications(NetworkTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", bootstrap="8M", kms=True))
        cls.saes = {}

    @classmethod
    def tearDownClass(cls):
        for sae in cls.saes.values():
            sae.close()

    def sae(self, name):
        if name not in self.saes:
            self.saes[name] = Sae(self.network, f"SAE-{name}")
        return self.saes[name]

    def new_keys(self, master, slave, **body):
        code, answer, _ = self.sae(master).enc(f"SAE-{slave}", **body)
        self.assertEqual(code, 200, answer)
        return {key["key_ID"]: key["key"] for key in answer["keys"]}

    def assert_answer(self, call, code, message=None):
        status, answer, _ = call
        self.assertEqual(status, code, answer)
        self.assertTrue(answer["message"])
        if message:
            self.assertRegex(answer["message"], message)

    def assert_delivers(self, call, keys):
        status, answer, _ = call
        self.assertEqual(status, 200, answer)
        self.assertEqual({key["key_ID"]: key["key"] for key in answer["keys"]}, keys)

    # --- the way of a key ---

    def test_both_applications_get_the_same_keys_once(self):
        keys = self.new_keys("tommo-1", "lsa-1", number=3, size=512)
        self.assertEqual(len(keys), 3)
        for key_id, key in keys.items():
            self.assertEqual(uuid.UUID(key_id).version, 4)
            self.assertEqual(len(base64.b64decode(key)), 64)
        self.assertEqual(len(set(keys.values())), 3)
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *keys), keys)
        self.assert_answer(self.sae("lsa-1").dec("SAE-tommo-1", *keys), 400, NOT_FOUND)
        # The other direction has key of its own.
        back = self.new_keys("lsa-1", "tommo-1")
        self.assert_delivers(self.sae("tommo-1").dec("SAE-lsa-1", *back), back)

    def test_get_requests_and_an_empty_post(self):
        code, answer, _ = self.sae("tommo-1").call("GET", "SAE-tuh-1/enc_keys?number=2&size=128")
        self.assertEqual(code, 200, answer)
        for key in answer["keys"]:
            self.assert_delivers(
                self.sae("tuh-1").call("GET", f"SAE-tommo-1/dec_keys?key_ID={key['key_ID']}"),
                {key["key_ID"]: key["key"]})
        code, answer, _ = self.sae("tommo-1").call("POST", "SAE-tuh-1/enc_keys", "")
        self.assertEqual(code, 200, answer)
        self.assertEqual(len(base64.b64decode(answer["keys"][0]["key"])), 32)

    def test_foreign_applications_are_refused(self):
        keys = self.new_keys("tommo-1", "lsa-1", number=2)
        self.assert_answer(self.sae("lsa-2").dec("SAE-tommo-1", *keys), 401)
        self.assert_answer(self.sae("lsa-1").dec("SAE-tommo-2", *keys), 401)
        self.assert_answer(self.sae("lsa-2").dec("SAE-tommo-1", str(uuid.uuid4())), 400, NOT_FOUND)
        # One bad id: nothing is delivered, nothing burnt.
        self.assert_answer(self.sae("lsa-1").dec("SAE-tommo-1", *keys, str(uuid.uuid4())), 400,
                           NOT_FOUND)
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *keys), keys)

    def test_a_site_that_is_no_neighbour(self):
        self.assert_answer(self.sae("tommo-1").enc("SAE-cloud1-1"), 400, "no link")
        self.assert_answer(self.sae("tommo-1").enc("SAE-nobody"), 400, "not known")

    def test_bad_requests(self):
        for body in ({"size": 100}, {"number": 0}, {"number": 129}, {"size": 1 << 20},
                     {"additional_slave_SAE_IDs": []},
                     {"additional_slave_SAE_IDs": ["SAE-lsa-1"]},
                     {"extension_mandatory": [{"abc": 1}]}):
            with self.subTest(body=body):
                self.assert_answer(self.sae("tommo-1").enc("SAE-lsa-1", **body), 400)

    def test_multicast_at_one_site_here_and_at_another_neighbour(self):
        others = ["lsa-2", "tommo-2", "tuh-2"]
        keys = self.new_keys("tommo-1", "lsa-1", number=2,
                             additional_slave_SAE_IDs=[f"SAE-{name}" for name in others])
        for name in ["lsa-1", *others]:
            with self.subTest(slave=name):
                self.assert_delivers(self.sae(name).dec("SAE-tommo-1", *keys), keys)
                self.assert_answer(self.sae(name).dec("SAE-tommo-1", *keys), 400)
        self.assert_answer(self.sae("tuh-1").dec("SAE-tommo-1", *keys), 400)

    def test_two_applications_of_one_site(self):
        keys = self.new_keys("tommo-1", "tommo-2", number=5)
        self.assert_delivers(self.sae("tommo-2").dec("SAE-tommo-1", *keys), keys)

    def test_status_and_what_the_operator_sees(self):
        code, status, _ = self.sae("tommo-1").call("GET", "SAE-lsa-1/status")
        self.assertEqual(code, 200, status)
        self.assertEqual(status["source_KME_ID"], "KME-tommo")
        self.assertEqual(status["target_KME_ID"], "KME-lsa")
        self.assertGreater(status["stored_key_count"], 1000)
        self.assertEqual(status["max_SAE_ID_count"], 4)
        extension = status["status_extension"]
        self.assertEqual(extension["warifu_link_class"], "qkd")
        self.assertIn("RATE_MODEL", extension["warifu_key_origins"])
        self.assertEqual(extension["warifu_bits_floor"], 8 * 512 * 1024)
        self.assertEqual(extension["warifu_bits_emergency"], 0)
        self.assertIn(extension["warifu_state"], ("ready", "warning", "charging", "empty"))
        for figure in ("outflow_bits_per_second", "oldest_seconds", "bits_lost_by_saturation"):
            self.assertGreaterEqual(extension["warifu_" + figure], 0)

        keys = self.new_keys("tommo-2", "lsa-2", number=4)
        first, *_ = keys
        self.assert_delivers(self.sae("lsa-2").dec("SAE-tommo-2", first), {first: keys[first]})
        seen = self.network.warifu.ask("sae", "status", "--site", self.network.site("lsa"))
        pair = next(p for p in seen["here"]
                    if (p["master"], p["slave"]) == ("SAE-tommo-2", "SAE-lsa-2"))
        self.assertEqual((pair["waiting"], pair["delivered"]), (3, 1))
        for key in keys.values():
            self.assertNotIn(key, json.dumps(seen))
        listed = self.network.warifu.ask("sae", "list", "--site", self.network.site("tommo"))
        reach = {sae["id"]: sae["reach"] for sae in listed}
        self.assertEqual((reach["SAE-tommo-1"], reach["SAE-tuh-1"], reach["SAE-cloud1-1"]),
                         ("own", "neighbour", "none"))
        links = self.network.warifu.ask("link", "status", "--site", self.network.site("tommo"))
        lsa = next(link for link in links["links"] if link["peer"] == "lsa")
        self.assertGreater(lsa["send"]["application_bytes"], 0)

    # --- crashes ---

    def test_a_killed_site_keeps_what_waits_and_never_gives_twice(self):
        waiting = self.new_keys("tommo-1", "lsa-1", number=3)
        given = self.new_keys("tommo-1", "lsa-1", number=3)
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *given), given)
        self.network.kill("lsa")
        self.network.up("lsa")
        self.assert_answer(self.sae("lsa-1").dec("SAE-tommo-1", *given), 400, NOT_FOUND)
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *waiting), waiting)
        # The master's site finds its blocks gone there, and draws new ones.
        again = self.new_keys("tommo-1", "lsa-1", number=3)
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *again), again)
        # The master's site itself.
        kept = self.new_keys("tommo-1", "lsa-1", number=3)
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *kept), kept)
        fresh = self.new_keys("tommo-1", "lsa-1", number=3)
        self.assertFalse(set(fresh.values()) & set(kept.values()))
        self.assert_delivers(self.sae("lsa-1").dec("SAE-tommo-1", *fresh), fresh)

    def test_a_far_site_that_is_down(self):
        self.network.down("tuh")
        try:
            self.assert_answer(self.sae("tommo-2").enc("SAE-tuh-1"), 503)
            self.assert_answer(self.sae("tommo-2").enc("SAE-lsa-1", additional_slave_SAE_IDs=[
                "SAE-tuh-1"]), 503)
        finally:
            self.network.up("tuh")
        keys = self.new_keys("tommo-2", "tuh-1")
        self.assert_delivers(self.sae("tuh-1").dec("SAE-tommo-2", *keys), keys)

    # --- the end of the key ---

    def test_a_link_runs_out_of_key(self):
        """cloud2 to cloud3 is preshared: nothing comes in."""
        master, slave = self.sae("cloud2-1"), self.sae("cloud3-1")
        taken = 0
        while True:
            code, answer, headers = master.enc("SAE-cloud3-1", number=128, size=65536)
            if code != 200:
                break
            taken += len(answer["keys"])
            self.assertEqual(len(answer["keys"]), 128, "never fewer than asked")
            ids = [key["key_ID"] for key in answer["keys"]]
            self.assertEqual(slave.dec("SAE-cloud2-1", *ids)[0], 200)
        self.assertEqual(code, 503, answer)
        self.assertGreater(taken, 128)
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        details = {name: value for entry in answer["details"] for name, value in entry.items()}
        self.assertEqual(details["bits_requested"], 128 * 65536)
        self.assertLess(details["bits_available"], 128 * 65536)
        # The floor is left for the sites' own messages: they still talk.
        links = self.network.warifu.ask("link", "status", "--site", self.network.site("cloud2"))
        left = next(link for link in links["links"] if link["peer"] == "cloud3")
        self.assertGreater(left["send"]["available_bytes"], 300_000)
        # What is left serves smaller requests.
        small = self.new_keys("cloud2-1", "cloud3-1", number=1, size=64)
        self.assert_delivers(slave.dec("SAE-cloud2-1", *small), small)


class Strangers(NetworkTest):
    """What clients can do to a site that they may not hurt: connections, log lines, quotas."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", kms=True, start=False))
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(re.sub(r'^(id = "SAE-tommo-2"\n)', r'\1quota = "64K"\n',
                                 config.read_text(), flags=re.MULTILINE))
        cls.network.up()

    def test_half_open_handshakes_keep_nobody_waiting(self):
        sae = Sae(self.network, "SAE-tommo-1")
        begun = b"\x16\x03\x01\x02\x00\x01\x00"  # the head of a first message that never comes whole
        with contextlib.ExitStack() as stack:
            strangers = [stack.enter_context(socket.create_connection(("127.0.0.1", sae.port), 5))
                         for _ in range(80)]  # more than the server has workers
            for stranger in strangers:
                stranger.sendall(begun)
            start = time.monotonic()
            self.assertEqual(sae.enc("SAE-lsa-1")[0], 200)
            self.assertLess(time.monotonic() - start, 5)  # a handshake may take 10 s
            sae.close()
            for stranger in strangers:
                stranger.settimeout(30)
                with contextlib.suppress(ConnectionResetError):
                    self.assertEqual(stranger.recv(100), b"")

    def test_refusals_are_counted_and_not_all_written(self):
        sae = Sae(self.network, "SAE-lsa-1")
        for _ in range(150):
            self.assertEqual(sae.enc("SAE-nobody")[0], 400)
        sae.close()
        log = self.network.logs()["lsa"]
        self.assertEqual(log.read_text().count("SAE SAE-nobody is not known"), 100)
        self.network.down("lsa")  # the minute ends with the site
        self.network.up("lsa")
        counted = re.findall(r"(\d+) more refusals of .*lsa.* in the last minute", log.read_text())
        self.assertEqual(counted, ["50"])

    def test_a_quota_survives_a_crash(self):
        def left():
            seen = self.network.warifu.ask("sae", "list", "--site", self.network.site("tommo"))
            return next(sae["quota_bytes_left"] for sae in seen if sae["id"] == "SAE-tommo-2")

        sae = Sae(self.network, "SAE-tommo-2")
        self.assertEqual(sae.enc("SAE-lsa-1", number=128, size=2048)[0], 200)  # half of it
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assertLess(left(), 40 << 10)
        self.assertGreater(left(), 28 << 10)  # at most a 64th is lost
        self.assertEqual(sae.enc("SAE-lsa-1", number=128, size=3072)[0], 503)
        before = left()
        self.network.down("tommo")
        self.network.up("tommo")
        self.assertGreaterEqual(left(), before)
        self.assertLess(left(), 40 << 10)
        sae.close()


class Expiry(NetworkTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", kms=True, start=False))
        config = cls.network.site("lsa") / "site.toml"
        config.write_text(config.read_text().replace("[kms]\n", "[kms]\nkey_life_seconds = 1\n"))
        cls.network.up()

    def test_a_key_that_nobody_fetches_expires(self):
        master, slave = Sae(self.network, "SAE-tommo-1"), Sae(self.network, "SAE-lsa-1")
        code, answer, _ = master.enc("SAE-lsa-1", number=2)
        self.assertEqual(code, 200, answer)

        def expired():
            seen = self.network.warifu.ask("sae", "status", "--site", self.network.site("lsa"))
            return [pair["expired"] for pair in seen["here"]] == [2]

        wait_until(expired, 30, "two keys to expire")
        code, refused, _ = slave.dec("SAE-tommo-1", answer["keys"][0]["key_ID"])
        self.assertEqual((code, refused["message"]), (400, NOT_FOUND))
        master.close()
        slave.close()


if __name__ == "__main__":
    unittest.main()
