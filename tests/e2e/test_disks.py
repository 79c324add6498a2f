"""Disk sets of preshared key: making two copies, taking them in at two sites, agreeing, wiping."""

import filecmp
import os
import shutil
import signal
import subprocess

from network import NetworkTest, Person, TestNetwork, random_file, wait_until

SIZE = 3_000_000
START = 8  # small pieces at the front


class DiskTest(NetworkTest):
    def warifu(self, site, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site(site))

    def disk(self, site, peer):
        return next(link for link in self.warifu(site, "keys", "status")["links"]
                    if link["peer"] == peer)["disk"]

    def link(self, site, peer):
        return next(link for link in self.warifu(site, "link", "status")["links"]
                    if link["peer"] == peer)

    def make(self, a="tuh", b="cloud1", size="24M", piece="1M", name="disk"):
        folders = [self.network.root / f"{name}-{site}" for site in (a, b)]
        self.made = self.network.warifu.ask(
            "link", "preshare", "--net", self.network.folder, a, b, "--size", size, "--piece", piece,
            "--disk", folders[0], "--disk", folders[1])
        return folders

    def assert_copies_equal(self, folders):
        names = sorted(os.listdir(folders[0]))
        self.assertEqual(names, sorted(os.listdir(folders[1])))
        _, different, strange = filecmp.cmpfiles(*folders, names, shallow=False)
        self.assertEqual((different, strange), ([], []))
        return names

    def wait_done(self, *ends):
        for site, peer in ends:
            wait_until(lambda s=site, p=peer: self.disk(s, p)["done"], 60,
                       lambda s=site, p=peer: f"the set at {s}, is {self.disk(s, p)}")


class OnALinkWithKey(DiskTest):
    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="8M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.folders = None

    def test_1_a_killed_maker_goes_on_and_the_copies_are_equal(self):
        root = self.network.root
        words = [self.network.warifu.binary, "link", "preshare", "--net", self.network.folder, "tuh",
                 "cloud1", "--size", "24M", "--piece", "1M", "--disk", root / "disk-tuh",
                 "--disk", root / "disk-cloud1"]
        maker = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        wait_until(lambda: (root / "disk-cloud1" / "piece-000003").exists(), 60, "four pieces",
                   interval=0.002)
        maker.send_signal(signal.SIGKILL)
        maker.wait()
        whole = (root / "disk-tuh" / "manifest").exists()
        type(self).folders = self.make()
        self.assertGreaterEqual(self.made["kept"], 3)
        self.assertEqual(self.made["pieces"], 52)
        names = self.assert_copies_equal(self.folders)
        self.assertEqual(len(names), 53, whole)
        self.assertEqual((self.folders[0] / "piece-000000").stat().st_mode & 0o777, 0o600)

    def test_2_one_end_alone_uses_and_wipes_nothing_and_survives_a_kill(self):
        before = self.link("tuh", "cloud1")
        self.warifu("tuh", "link", "import", "--disk", self.folders[0], "--wipe", "--no-wait")
        wait_until(lambda: self.disk("tuh", "cloud1")["held_bytes"] > 3_000_000, 60, "some pieces",
                   interval=0.01)
        told = self.disk("tuh", "cloud1")["held_bytes"]
        self.network.kill("tuh")
        self.network.up("tuh")
        self.assertGreaterEqual(self.disk("tuh", "cloud1")["held_bytes"], told)
        answer = self.warifu("tuh", "link", "import", "--disk", self.folders[0], "--wipe")["disk"]
        self.assertEqual((answer["held"], answer["agreed"], answer["wiped"]), (52, 0, 0))
        after = self.link("tuh", "cloud1")
        for way in ("send", "receive"):
            self.assertEqual(after[way]["synced_end"], before[way]["synced_end"])
            self.assertEqual(after[way]["ingested_bytes"], 24 << 20)
        self.assertEqual(len(os.listdir(self.folders[0])), 53)
        self.assertIn("waits for the far end", self.disk("tuh", "cloud1")["state"])

    def test_3_meanwhile_nothing_else_grows_the_streams(self):
        out = self.network.root / "files"
        self.network.warifu.ask("link", "preshare", "--net", self.network.folder, "tuh", "cloud1",
                                "--size", "1M", "--out", out)
        self.assert_fails(8, "a disk set is under way", self.warifu, "tuh", "link", "import",
                          out / "tuh-cloud1.tuh")
        other = self.make(size="4M", name="other")
        self.assert_fails(8, "another disk set.*is under way.*0 of 52", self.warifu, "tuh", "link",
                          "import", "--disk", other[0])

    def test_4_a_damaged_piece_stops_in_order_and_a_good_copy_goes_on(self):
        piece = self.folders[1] / "piece-000012"
        good = piece.read_bytes()
        piece.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
        self.assert_fails(7, r"piece 12 \('.*/disk-cloud1/piece-000012', .* from place \d+ of "
                          r"tuh-cloud1 and \d+ back\) is damaged.*12 of 52 pieces are in",
                          self.warifu, "cloud1", "link", "import", "--disk", self.folders[1])
        wait_until(lambda: self.disk("tuh", "cloud1")["wiped"] == 12, 60, "12 wiped pieces")
        self.assertEqual(self.disk("cloud1", "tuh")["agreed"], 12)
        names = sorted(os.listdir(self.folders[0]))
        self.assertEqual(names, ["manifest"] + [f"piece-{n:06}" for n in range(12, 52)])
        self.assertEqual(len(os.listdir(self.folders[1])), 53, "cloud1 was not told to wipe")
        shutil.move(piece, self.network.root / "bad")
        self.assert_fails(3, "piece 12 .*is missing", self.warifu, "cloud1", "link", "import",
                          "--disk", self.folders[1])
        shutil.copy(self.folders[1] / "piece-000013", piece)
        self.assert_fails(7, "does not belong here: the file is piece 13 of set", self.warifu,
                          "cloud1", "link", "import", "--disk", self.folders[1])
        piece.write_bytes(good)
        answer = self.warifu("cloud1", "link", "import", "--disk", self.folders[1], "--wait")["disk"]
        self.assertTrue(answer["done"], answer)
        self.wait_done(("tuh", "cloud1"))
        self.assertEqual(os.listdir(self.folders[0]), [])
        self.assertEqual(len(os.listdir(self.folders[1])), 53)
        code, text, _ = self.network.warifu.call("keys", "status", "--site",
                                                 self.network.site("tuh"))
        self.assertEqual(code, 0)
        self.assertRegex(text, r"PEER +DISK PIECES IN +KEY +AGREED +WIPED +STATE\n"
                               r"cloud1 +52/52 +50\.3 MB +52/52 +52/52 +done")

    def test_5_a_store_and_a_restore_use_that_key(self):
        begin = self.link("tuh", "cloud1")["send"]["synced_end"] - (24 << 20)
        before = self.link("tuh", "cloud1")["send"]["mark"]
        if before < begin:
            self.warifu("tuh", "keys", "burn", "--peer", "cloud1", "--direction", "send", "--bytes",
                        str(begin - before), "--yes")
        stored = self.person.store(self.network.root / "genome")
        self.assertTrue(any(share["route"].endswith("tuh > cloud1")
                            for share in stored["placement"]), stored["placement"])
        self.assertGreater(self.link("tuh", "cloud1")["send"]["mark"], begin + 1_000_000)
        grant = self.person.consent(stored["object"])
        out = self.network.root / "restored"
        self.network.restore(stored["object"], grant, out)
        self.assert_same_bytes(out, self.plain)

    def test_6_what_does_not_fit_is_refused(self):
        self.assert_fails(4, "taken in before", self.warifu, "cloud1", "link", "import", "--disk",
                          self.folders[1])
        self.assert_fails(3, "there is no disk set in", self.warifu, "tuh", "link", "import",
                          "--disk", self.network.root)
        self.assert_fails(3, "which this site does not have", self.warifu, "lsa", "link", "import",
                          "--disk", self.folders[1])
        self.assert_fails(2, "give one of", self.warifu, "tuh", "link", "import")
        self.assert_fails(2, "give one of", self.warifu, "tuh", "link", "import", "x", "--disk", "y")
        self.assert_fails(3, "no disk set is under way", self.warifu, "tuh", "link", "import",
                          "--abandon", "--peer", "cloud1")
        preshare = ("link", "preshare", "--net", self.network.folder)
        root, ask = self.network.root, self.network.warifu.ask
        self.assert_fails(2, "--disk must be given twice", ask, *preshare, "tuh", "cloud2", "--disk",
                          root / "one")
        self.assert_fails(2, "say where", ask, *preshare, "tuh", "cloud2")
        self.assert_fails(2, "1 MiB to 64 GiB", ask, *preshare, "tuh", "cloud2", "--piece", "10K",
                          "--disk", root / "one", "--disk", root / "two")
        self.assert_fails(9, "room for", ask, *preshare, "tuh", "cloud2", "--size", "900T",
                          "--piece", "64G", "--disk", root / "one", "--disk", root / "two")
        self.assert_fails(4, "is not preshared", ask, *preshare, "tommo", "tuh", "--disk",
                          root / "one", "--disk", root / "two")
        self.assert_fails(8, "other sizes, places or sites", ask, *preshare, "tuh", "cloud1", "--size", "24M",
                          "--piece", "1M", "--disk", self.folders[1], "--disk", root / "three")


class OnALinkWithoutKey(DiskTest):
    """4 KiB per direction are too little for anything."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="4K"))

    def test_the_first_piece_serves_control_messages_and_is_confirmed_first(self):
        folders = self.make(size="4M", piece="1M")
        answer = self.warifu("tuh", "link", "import", "--disk", folders[0], "--wipe")["disk"]
        self.assertEqual((answer["held"], answer["agreed"]), (answer["pieces"], 0))
        self.assertLessEqual(self.link("tuh", "cloud1")["send"]["synced_end"], 4096 + (512 << 10))
        self.assertEqual(self.link("tuh", "cloud1")["residual_bytes"], 0, "unconfirmed key is none")
        self.warifu("cloud1", "link", "import", "--disk", folders[1], "--wipe", "--wait")
        self.wait_done(("tuh", "cloud1"), ("cloud1", "tuh"))
        for folder in folders:
            self.assertEqual(os.listdir(folder), [])
        for site, peer in (("tuh", "cloud1"), ("cloud1", "tuh")):
            self.assertEqual(self.link(site, peer)["send"]["synced_end"], 4096 + (4 << 20))
            self.assertGreater(self.link(site, peer)["residual_bytes"], 2 << 20)
