"""Key streams: two real sites, an application at each, through the program and by hand."""

import contextlib
import http.client
import json
import pathlib
import re
import socket
import struct
import threading
import unittest
import uuid

from network import NetworkTest, TestNetwork, wait_until
from test_kms import Sae as KmsSae

OPEN, OPENED, GET, GOT, CLOSE, CLOSED = 2, 3, 4, 5, 8, 9
NEXT = 0xFFFFFFFF
OK, NO_PEER, NO_KEY, GET_NO_PEER, BROKEN, IN_USE, QOS, METADATA = 0, 1, 2, 3, 4, 5, 7, 8
BAD, NO_STREAM, GONE, NOT_ALLOWED, TOO_MANY = 256, 257, 258, 259, 260


class Stream:
    """A connection to a site's stream socket, with frames as the format says."""

    def __init__(self, network, site):
        text = (network.site(site) / "site.toml").read_text()
        self.path = re.search(r'stream_socket = "([^"]+)"', text)[1]
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exactly(self, size):
        data = bytearray()
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def raw(self, frame):
        self.socket.sendall(frame)

    def call(self, service, payload):
        self.raw(struct.pack(">BBBBI", 1, 0, 1, service, len(payload)) + payload)
        _, _, _, answer, size = struct.unpack(">BBBBI", self.exactly(8))
        return answer, self.exactly(size)

    def open(self, source, destination, ksid=bytes(16), chunk=0, top=0, least=0, timeout=2000,
             ttl=0, mimetype=b""):
        """(status, id, (chunk, max, min, jitter, priority, timeout, ttl))"""
        payload = (source.encode() + b"\0" + destination.encode() + b"\0" +
                   struct.pack(">7I", chunk, top, least, 5, 7, timeout, ttl) +
                   mimetype.ljust(256, b"\0") + ksid)
        service, answer = self.call(OPEN, payload)
        assert service == OPENED and len(answer) == 4 + 28 + 256 + 16, (service, answer)
        return (struct.unpack(">I", answer[:4])[0], answer[-16:],
                struct.unpack(">7I", answer[4:32]))

    def get(self, ksid, index=NEXT, room=0):
        """(status, index, key, metadata)"""
        service, answer = self.call(GET, ksid + struct.pack(">2I", index, room))
        assert service == GOT, service
        status, index, size = struct.unpack(">3I", answer[:12])
        key, rest = answer[12:12 + size], answer[12 + size:]
        return status, index, key, rest[4:]

    def close(self, ksid):
        service, answer = self.call(CLOSE, ksid)
        assert service == CLOSED, service
        return struct.unpack(">I", answer)[0]


class Sae(KmsSae):
    def get(self, path):
        """(status, parsed answer, headers) of any path of the server."""
        with contextlib.closing(http.client.HTTPSConnection(
                "localhost", self.port, context=self.tls, timeout=60)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers


class StreamTest(NetworkTest):
    def connect(self, site):
        return self.enterContext(Stream(self.network, site))

    def pair(self, source="tommo", destination="lsa", **qos):
        """Both ends of a new stream, and its id."""
        here, there = self.connect(source), self.connect(destination)
        status, ksid, _ = here.open(f"SAE-{source}-1", f"SAE-{destination}-1", **qos)
        self.assertEqual(status, NO_PEER)
        status, _, _ = there.open(f"SAE-{source}-1", f"SAE-{destination}-1", ksid)
        self.assertEqual(status, OK)
        return here, there, ksid

    def status(self, site):
        return self.network.warifu.ask("stream", "status", "--site", self.network.site(site))


class KeyStreams(StreamTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", bootstrap="24M", kms=True))

    # --- through the program ---

    def test_both_ends_read_the_same_key_through_the_program(self):
        ask, site = self.network.warifu.ask, self.network.site
        opened = ask("stream", "open", "--site", site("tommo"), "--as", "SAE-tommo-1",
                     "--to", "SAE-lsa-1", "--chunk", "64K")
        self.assertEqual(uuid.UUID(opened["id"]).version, 4)
        self.assertFalse(opened["peer_connected"])
        files = {name: self.network.root / f"{name}.key" for name in ("tommo", "lsa")}
        answers = {}

        def read(name):
            answers[name] = ask("stream", "read", "--site", site(name), "--as", f"SAE-{name}-1",
                                "--id", opened["id"], "--bytes", "5000000", "--out", files[name])

        threads = [threading.Thread(target=read, args=[name]) for name in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        key = files["tommo"].read_bytes()
        self.assertEqual(len(key), 5_000_000)
        self.assertEqual(files["lsa"].read_bytes(), key)
        self.assertEqual(files["lsa"].stat().st_mode & 0o777, 0o600)
        self.assertGreater(len(set(key)), 255)
        self.assertEqual(answers["lsa"]["chunks"], 77)
        material = answers["lsa"]["material"]
        self.assertEqual((material["kind"], material["link"], material["direction"]),
                         ("key", "tommo", "receive"))
        self.assertEqual(material["id"], opened["id"] + "/0")
        self.assertTrue(set(material["origins"]) <= {"RATE_MODEL", "PRESHARED"})
        seen = next(s for s in self.status("tommo")["streams"] if s["id"] == opened["id"])
        self.assertEqual((seen["given_chunks"], seen["role"], seen["state"]), (77, "source", "open"))
        # What follows is what comes next at both ends.
        more = [self.network.root / f"more-{name}.key" for name in files]
        for name, path in zip(files, more):
            answer = ask("stream", "read", "--site", site(name), "--as", f"SAE-{name}-1",
                         "--id", opened["id"], "--bytes", "64K", "--out", path)
            self.assertEqual(answer["first_chunk"], 77)
        self.assertEqual(more[0].read_bytes(), more[1].read_bytes())
        ask("stream", "close", "--site", site("tommo"), "--id", opened["id"])
        wait_until(lambda: opened["id"] not in {s["id"] for s in self.status("tommo")["streams"]
                                                if s["state"] != "closed"}, 20, "the end")
        self.assert_fails(3, "no such key stream", ask, "stream", "close", "--site", site("tommo"),
                          "--id", opened["id"])

    def test_the_program_refuses_clearly(self):
        ask, site = self.network.warifu.ask, self.network.site
        self.assert_fails(4, "not allowed", ask, "stream", "open", "--site", site("tommo"),
                          "--as", "SAE-tommo-1", "--to", "SAE-cloud1-1")
        self.assert_fails(2, "offers chunks of 112 bytes", ask, "stream", "open", "--site",
                          site("tommo"), "--as", "SAE-tommo-1", "--to", "SAE-lsa-1",
                          "--chunk", "100")
        self.assert_fails(3, "no such key stream", ask, "stream", "read", "--site", site("lsa"),
                          "--as", "SAE-lsa-1", "--id", str(uuid.uuid4()), "--bytes", "1K",
                          "--out", self.network.root / "none.key")

    # --- indices, ends ---

    def test_each_index_once_at_each_end(self):
        here, there, ksid = self.pair(chunk=1024)
        near = {here.get(ksid)[1]: None}
        self.assertEqual(near, {0: None})
        self.assertEqual(here.get(ksid, 0)[0], GONE)
        _, _, second, _ = here.get(ksid, 1)
        self.assertEqual(len(second), 1024)
        # Passing over burns what lies between, at this end only.
        status, index, third, _ = there.get(ksid, 2)
        self.assertEqual((status, index), (OK, 2))
        self.assertEqual(there.get(ksid, 1)[0], GONE)
        self.assertEqual(here.get(ksid, 2)[:3], (OK, 2, third))
        self.assertNotEqual(second, third)
        # A second connection of the same application goes on where the first stood.
        other = self.connect("lsa")
        self.assertEqual(other.open("SAE-lsa-1", "", ksid)[0], OK)
        self.assertEqual(other.get(ksid)[1], 3)
        self.assertEqual(there.get(ksid)[1], 4)

    def test_the_peer_comes_late_and_goes_early(self):
        here = self.connect("tommo")
        status, ksid, qos = here.open("SAE-tommo-1", "SAE-lsa-1", chunk=4096, timeout=300)
        self.assertEqual(status, NO_PEER)
        self.assertEqual(qos[:5], (4096, 0, 0, 0, 0), "jitter and priority are not promised")
        self.assertEqual(here.get(ksid)[0], GET_NO_PEER)
        there = self.connect("lsa")
        self.assertEqual(there.get(ksid)[0], GET_NO_PEER)
        self.assertEqual(there.open("SAE-tommo-1", "SAE-lsa-1", ksid)[0], OK)
        self.assertEqual(there.get(ksid)[2], here.get(ksid)[2])
        self.assertEqual(here.close(ksid), OK)
        self.assertEqual(here.get(ksid)[0], NO_STREAM)
        # What is here may be taken; then the peer is gone.
        while (status := there.get(ksid)[0]) == OK:
            pass
        self.assertEqual(status, GET_NO_PEER)
        # The id never serves again.
        wait_until(lambda: here.open("SAE-tommo-1", "SAE-lsa-1", ksid)[0] == IN_USE, 20,
                   "the stream to be forgotten")

    def test_metadata_needs_room(self):
        here, there, ksid = self.pair(chunk=64, mimetype=b"application/json")
        self.assertEqual(here.get(ksid, room=10)[0], METADATA)
        status, index, key, metadata = here.get(ksid, room=512)
        self.assertEqual((status, index), (OK, 0), "the refused request took nothing")
        self.assertIn(b'"kind":"key"', metadata)
        self.assertEqual(there.get(ksid)[2], key)

    def test_a_small_reader_burns_little(self):
        used = lambda: next(link["send"]["application_bytes"] for link in
                            self.network.link_status("tommo") if link["peer"] == "lsa")
        before = used()
        here, there, ksid = self.pair(chunk=32)
        self.assertEqual(there.get(ksid)[2], here.get(ksid)[2])
        here.close(ksid)
        self.assertLessEqual(used() - before, 70_000)

    def test_a_slow_reader_holds_the_other_back_and_loses_nothing(self):
        here, there, ksid = self.pair(chunk=16384, timeout=500)
        ahead = []
        while (got := here.get(ksid))[0] == OK:
            ahead.append(got[2])
        self.assertEqual(got[0], NO_KEY)
        self.assertLess(len(ahead), 30, "no further ahead than a fixed part")
        for expected in ahead:
            self.assertEqual(there.get(ksid)[2], expected)
        self.assertEqual(here.get(ksid)[2], there.get(ksid)[2])

    # --- too much, too many ---

    def test_too_much_asked(self):
        here = self.connect("tommo")
        status, _, qos = here.open("SAE-tommo-1", "SAE-lsa-1", chunk=1 << 20, ttl=10**6)
        self.assertEqual((status, qos[0], qos[6]), (QOS, 512 * 1024, 3600))
        status, _, qos = here.open("SAE-tommo-1", "SAE-lsa-1", least=4 * 10**9, ttl=3600)
        self.assertEqual(status, QOS)
        self.assertTrue(0 < qos[2] < 4 * 10**9, qos)
        status, ksid, _ = here.open("SAE-tommo-1", "SAE-lsa-1", least=qos[2] // 2, ttl=3600)
        self.assertEqual(status, NO_PEER)
        here.close(ksid)
        for source, destination in (("SAE-lsa-1", "SAE-tommo-1"), ("SAE-tommo-1", "SAE-nobody"),
                                    ("SAE-tommo-1", "SAE-tommo-2"), ("", ""),
                                    ("SAE-tommo-1", "SAE-cloud1-1")):
            with self.subTest(source=source, destination=destination):
                self.assertEqual(here.open(source, destination)[0], NOT_ALLOWED)

    def test_streams_are_bounded(self):
        here, ids = self.connect("tuh"), []
        while (answer := here.open("SAE-tuh-1", "SAE-cloud1-1"))[0] == NO_PEER:
            ids.append(answer[1])
        self.assertEqual((answer[0], len(ids)), (TOO_MANY, 8))
        for ksid in ids:
            self.assertEqual(here.close(ksid), OK)
        wait_until(lambda: here.open("SAE-tuh-1", "SAE-cloud1-1")[0] == NO_PEER, 20, "room")

    def test_malformed_frames_are_refused_and_cut_off(self):
        head = lambda service, size: struct.pack(">BBBBI", 1, 0, 1, service, size)
        for name, frame in {"version": b"\2\0\0\2\0\0\0\0", "service": head(77, 0),
                            "an answer": head(OPENED, 0), "a length": head(GET, 1 << 31),
                            "a chunk": head(GOT, 1 << 31),
                            "no end": head(OPEN, 600) + b"x" * 600,
                            "short": head(GET, 4) + b"abcd",
                            "long": head(CLOSE, 17) + b"x" * 17}.items():
            with self.subTest(name), Stream(self.network, "tommo") as stream:
                stream.raw(frame)
                answer = stream.exactly(12)
                self.assertEqual(struct.unpack(">II", answer[4:]), (4, BAD))
                self.assertEqual(stream.socket.recv(1), b"")
        here, there, ksid = self.pair()
        self.assertEqual(here.get(ksid)[2], there.get(ksid)[2], "the site is as before")

    # --- crashes ---

    def killed(self, victim):
        here, there, ksid = self.pair(chunk=4096)
        given = [here.get(ksid)[2] for _ in range(3)]
        self.assertEqual([there.get(ksid)[2] for _ in range(2)], given[:2])
        self.network.kill(victim)
        self.network.up(victim)
        ends = {"tommo": here, "lsa": there}
        with self.assertRaises((EOFError, OSError)):
            ends.pop(victim).get(ksid)
        with Stream(self.network, victim) as again:
            self.assertEqual(again.get(ksid)[0], NO_STREAM)
        # The other end takes what is there, or learns of the end; never anything twice.
        survivor, seen = ends.popitem()[1], set(given)
        while (answer := survivor.get(ksid))[0] in (OK, NO_KEY, GET_NO_PEER):
            if answer[0] == OK and answer[1] > 2:
                self.assertNotIn(answer[2], seen)
                seen.add(answer[2])
        self.assertEqual(answer[0], BROKEN)
        here, there, ksid = self.pair(chunk=4096)
        for _ in range(20):
            key = here.get(ksid)[2]
            self.assertEqual(there.get(ksid)[2], key)
            self.assertNotIn(key, seen)

    def test_the_source_s_site_is_killed(self):
        self.killed("tommo")

    def test_the_destination_s_site_is_killed(self):
        self.killed("lsa")


class Users(StreamTest):
    """Whose process it is decides; here a site lets another user in and not its own."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", kms=True, start=False))
        config = cls.network.site("tommo") / "site.toml"
        text = config.read_text().replace(
            'id = "SAE-tommo-1"\n', 'id = "SAE-tommo-1"\nusers = [4000000000]\n').replace(
            'id = "SAE-tommo-2"\n', 'id = "SAE-tommo-2"\nusers = [4000000000, 4000000001]\n')
        config.write_text(text)
        config = cls.network.site("lsa") / "site.toml"
        config.write_text(config.read_text().replace(
            'id = "SAE-lsa-1"\n', 'id = "SAE-lsa-1"\nusers = [4000000000]\n'))
        cls.network.up()

    def test_a_wrong_user_is_cut_off(self):
        stream = self.connect("tommo")
        self.assertEqual(pathlib.Path(stream.path).stat().st_mode & 0o777, 0o660)
        answer = stream.exactly(12)
        self.assertEqual(struct.unpack(">II", answer[4:]), (4, NOT_ALLOWED))
        self.assert_fails((4, 6), "not allowed|lost", self.network.warifu.ask, "stream", "open",
                          "--site", self.network.site("tommo"), "--as", "SAE-tommo-1", "--to",
                          "SAE-lsa-1")

    def test_a_user_has_its_own_applications_only(self):
        stream = self.connect("lsa")
        self.assertEqual(stream.open("SAE-lsa-1", "SAE-tommo-1")[0], NOT_ALLOWED)
        self.assertEqual(stream.open("SAE-lsa-2", "SAE-tommo-1")[0], NO_PEER)


class Gates(StreamTest):
    """Quotas, pauses and random numbers; over the server of ETSI GS QKD 014 and by streams."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4M", bootstrap="24M", kms=True,
                                                        start=False))
        config = cls.network.site("tommo") / "site.toml"
        config.write_text(config.read_text().replace(
            'id = "SAE-tommo-1"\n', 'id = "SAE-tommo-1"\nquota = "100K"\n'))
        config = cls.network.site("tuh") / "site.toml"
        text = config.read_text()
        config.write_text(text + '\n[random]\nsource = "pool"\n')
        cls.network.up()
        numbers = cls.network.root / "numbers"
        numbers.write_bytes(bytes(range(256)) * 4)
        cls.network.warifu.ask("random", "import", "--site", cls.network.site("tuh"), numbers,
                               "--origin", "hardware")

    def sae(self, name):
        sae = Sae(self.network, f"SAE-{name}")
        self.addCleanup(sae.close)
        return sae

    def own(self, name):
        site = self.network.site(name.split("-")[0])
        return next(sae for sae in self.network.warifu.ask("sae", "list", "--site", site)
                    if sae["id"] == f"SAE-{name}")

    def test_a_quota_binds_keys_and_streams(self):
        master = self.sae("tommo-1")
        _, status, _ = master.call("GET", "SAE-lsa-1/status")
        self.assertEqual(status["status_extension"]["warifu_quota_bits_per_hour"], 8 * 102400)
        code, answer, _ = master.enc("SAE-lsa-1", number=10, size=32768)
        self.assertEqual(code, 200, answer)
        self.assertLess(self.own("tommo-1")["quota_bytes_left"], 62000)
        code, answer, headers = master.enc("SAE-lsa-1", number=16, size=32768)
        self.assertEqual((code, answer["message"]), (503, "not enough key"))
        self.assertGreater(int(headers["Retry-After"]), 60)
        # A stream has what is left.
        here, there, ksid = self.pair(chunk=16384, timeout=400)
        given = 0
        while (got := here.get(ksid))[0] == OK:
            self.assertEqual(there.get(ksid)[2], got[2])
            given += 1
        self.assertEqual((got[0], given), (NO_KEY, 3))
        self.assertEqual(here.open("SAE-tommo-1", "SAE-lsa-1", least=10**6)[0], QOS)
        # Others are not concerned.
        code, answer, _ = self.sae("tommo-2").enc("SAE-lsa-1", number=16, size=32768)
        self.assertEqual(code, 200, answer)

    def test_a_pause_outlives_a_restart_and_loses_nothing(self):
        ask, site = self.network.warifu.ask, self.network.site
        master, slave = self.sae("tommo-2"), self.sae("lsa-2")
        _, answer, _ = master.enc("SAE-lsa-2", number=1)
        waiting = answer["keys"][0]
        here, there = self.connect("tommo"), self.connect("lsa")
        _, ksid, _ = here.open("SAE-tommo-2", "SAE-lsa-2", chunk=1024, timeout=300)
        there.open("SAE-lsa-2", "", ksid, timeout=300)
        first = here.get(ksid)[2]
        ask("sae", "pause", "--site", site("tommo"), "SAE-tommo-2")
        ask("sae", "pause", "--site", site("lsa"), "SAE-lsa-2")
        self.assertTrue(self.own("tommo-2")["paused"])
        self.assertEqual(master.enc("SAE-lsa-2")[0], 503)
        self.assertEqual(slave.dec("SAE-tommo-2", waiting["key_ID"])[0], 503)
        self.assertEqual([here.get(ksid)[0], there.get(ksid)[0]], [NO_KEY, NO_KEY])
        ask("sae", "resume", "--site", site("tommo"), "SAE-tommo-2")
        ask("sae", "resume", "--site", site("lsa"), "SAE-lsa-2")
        self.assertEqual(there.get(ksid)[2], first, "nothing is lost or given twice")
        self.assertEqual(there.get(ksid)[:3], here.get(ksid)[:3])
        code, answer, _ = slave.dec("SAE-tommo-2", waiting["key_ID"])
        self.assertEqual((code, answer["keys"][0]["key"]), (200, waiting["key"]))
        # The link as a whole; and over a kill.
        ask("sae", "pause", "--site", site("tommo"), "--link", "lsa")
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assertEqual(ask("sae", "status", "--site", site("tommo"))["paused_links"], ["lsa"])
        self.assertEqual(master.enc("SAE-lsa-2")[0], 503)
        self.assertEqual(master.enc("SAE-tuh-1")[0], 200)
        ask("sae", "resume", "--site", site("tommo"), "--link", "lsa")
        self.assertEqual(master.enc("SAE-lsa-2")[0], 200)
        self.assert_fails(3, "not one of this site", ask, "sae", "pause", "--site", site("tommo"),
                          "SAE-lsa-1")
        self.assert_fails(3, "no link", ask, "sae", "pause", "--site", site("tommo"), "--link",
                          "cloud1")
        self.assert_fails(2, "name an application", ask, "sae", "pause", "--site", site("tommo"))

    def test_random_numbers_for_applications(self):
        entropy = lambda sae, query="": sae.get(f"/entropy{query}")
        tuh = self.sae("tuh-1")
        code, answer, _ = entropy(tuh)
        self.assertEqual((code, answer["minentropy"]), (200, 256))
        self.assertEqual(bytes.fromhex(answer["randomStr"]), bytes(range(32)), "the pool's, once")
        self.assertFalse(answer["warifu_computational"])
        self.assertEqual(answer["warifu_material"]["origins"], ["HARDWARE"])
        self.assertEqual(answer["warifu_material"]["kind"], "random")
        code, answer, _ = entropy(tuh, "?minentropy=1024")
        self.assertEqual(bytes.fromhex(answer["randomStr"]), bytes(range(32, 160)))
        code, answer, headers = entropy(tuh, "?minentropy=8192")
        self.assertEqual((code, answer["message"]), (503, "not enough random numbers"))
        self.assertGreaterEqual(int(headers["Retry-After"]), 1)
        self.assertEqual(bytes.fromhex(entropy(tuh, "?minentropy=64")[1]["randomStr"]),
                         bytes(range(160, 168)), "the refused request took nothing")
        # Where the configuration lets a generator serve, the answer says so.
        code, answer, _ = entropy(self.sae("lsa-1"), "?minentropy=8")
        self.assertEqual((code, answer["warifu_computational"]), (200, True))
        self.assertEqual(answer["warifu_material"]["origins"], ["KERNEL_GENERATOR"])
        for query in ("?minentropy=0", "?minentropy=12", "?minentropy=-8", "?minentropy=x",
                      "?minentropy=9999999999", "?minentropy="):
            with self.subTest(query):
                self.assertEqual(entropy(tuh, query)[0], 400)


if __name__ == "__main__":
    unittest.main()
