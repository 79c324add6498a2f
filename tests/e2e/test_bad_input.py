"""Bad input and bad days: wrong files, broken configurations, dead devices, damage, full disks."""

import contextlib
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest

from network import (NetworkTest, Person, Scratch, TestNetwork, flip_byte, random_file,
                     wait_until)

from warifu_cli import CommandFailed, Exit

SIZE = 600_000
LONG = 16_000_000  # more than a pool holds


class BadFiles(NetworkTest):
    """What people give to the commands; and what happens to a site's own files and ports."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))
        cls.person = Person(cls.network)
        cls.genome = cls.network.root / "genome"
        cls.plain = random_file(cls.genome, SIZE)
        cls.object = cls.person.store(cls.genome)["object"]

    def assert_still_works(self):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.object, self.person.consent(self.object), out)
        self.assert_same_bytes(out, self.plain)
        return done

    # --- the folder of a running site ---

    def test_a_second_site_on_the_same_folder_stays_out(self):
        config = self.network.folder / "sites" / "lsa" / "site.toml"
        code, _, stderr = self.network.warifu.call("site", "run", "--config", config)
        self.assertEqual(code, 8, stderr)
        self.assertIn("in use", stderr)
        self.assert_still_works()

    def test_a_site_that_cannot_start_ends_and_says_why(self):
        """A job that nobody can read shows when ports are open and threads run already."""
        database = self.network.data("tommo") / "catalog.db"
        self.network.kill("tommo")

        def change(statement, *values):
            with contextlib.closing(sqlite3.connect(database)) as catalog, catalog:
                return catalog.execute(statement, values).fetchall()

        job, item = change("SELECT job_id, object_id FROM job WHERE kind = 'store'")[0]
        change("UPDATE job SET state = 'running', object_id = x'01' WHERE job_id = ?", job)
        try:
            code, _, stderr = self.network.warifu.call(
                "site", "run", "--config", self.network.site("tommo") / "site.toml", timeout=60)
            self.assertEqual(code, 7, stderr)
        finally:
            change("UPDATE job SET state = 'done', object_id = ? WHERE job_id = ?", item, job)
            self.network.up()
            wait_until(lambda: self.network.site_status("tommo")["reachable"], 30, "the site")
        self.assert_still_works()

    # --- files and names ---

    def test_an_empty_file(self):
        empty = self.network.root / "empty"
        empty.touch()
        self.assert_fails(2, "empty", self.person.store, empty)

    def test_a_file_that_is_not_there(self):
        self.assert_fails(3, "nowhere", self.person.store, self.network.root / "nowhere")

    def test_a_directory(self):
        self.assert_fails((2, 9), "directory|regular file", self.person.store, self.network.root)

    def test_a_file_that_may_not_be_read(self):
        locked = self.network.root / "locked"
        locked.write_bytes(b"x" * 1000)
        locked.chmod(0)
        if os.access(locked, os.R_OK):
            self.skipTest("root reads everything")
        self.assert_fails(9, "locked", self.person.store, locked)

    def test_an_unknown_person(self):
        self.assert_fails(3, "P-999", self.network.store, self.genome, "P-999")

    def test_the_same_person_twice(self):
        card = self.network.root / "second.card"
        self.assert_fails(8, "P-001", self.network.enrol, "P-001", "Somebody", card,
                          self.person.pin_file)

    def test_the_same_card_twice(self):
        self.assert_fails((8, 4), "card", self.network.enrol, "P-002", "Somebody",
                          self.person.card, self.person.pin_file)

    def test_names_that_are_not_there(self):
        network = self.network
        out = network.root / "out"
        for code, pattern, function, arguments in (
                (3, "object", network.explain, ("f" * 32,)),
                (2, "identifier|hexadecimal", network.explain, ("zz",)),
                (3, "object", network.restore, ("f" * 32, "0" * 32, out)),
                (3, "job", network.job, ("f" * 32,))):
            with self.subTest(function=function.__name__, arguments=arguments):
                self.assert_fails(code, pattern, function, *arguments)

    def test_shares_that_do_not_restore(self):
        grant = self.person.consent(self.object)
        for using in ("A", "C1,C2", "A,C1", "A,A", "A,B,C1,D", "C1,C2,C3"):
            with self.subTest(using=using):
                self.assert_fails((2, 4), "using|share|restore", self.network.restore, self.object,
                                  grant, self.network.root / "out", using=using)
        self.assertFalse((self.network.root / "out").exists())

    def test_out_that_cannot_be_written(self):
        grant = self.person.consent(self.object, uses=3)
        missing = self.network.root / "no" / "such" / "folder"
        with self.assertRaises(CommandFailed) as caught:
            self.network.restore(self.object, grant, missing)
        self.assertIn(caught.exception.code, (Exit.NOT_FOUND, Exit.IO, Exit.USAGE))
        self.assertIn("no/such/folder", caught.exception.message)

    def test_a_site_folder_that_is_none(self):
        code, _, stderr = self.network.warifu.call("link", "status", "--site", self.network.root)
        self.assertIn(code, (2, 3))
        self.assertIn("site.toml", stderr)

    # --- hostile neighbours ---

    def test_garbage_on_a_port(self):
        address = self.network.site_status("lsa")["listen"].rsplit(":", 1)
        pid = self.network.pid("lsa")
        for garbage in (b"", b"\n", b"GET / HTTP/1.1\r\n\r\n", bytes(4096), b"\xff" * 100_000,
                        *(os.urandom(size) for size in (1, 39, 40, 41, 64, 1000, 100_000))):
            with socket.create_connection((address[0], int(address[1])), 5) as connection:
                connection.settimeout(5)
                try:
                    connection.sendall(garbage)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(100)
                except OSError:
                    pass  # it hung up on us
        self.assertEqual(self.network.pid("lsa"), pid)
        self.assertTrue(self.network.site_status("lsa")["reachable"])
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        self.network.restore(self.object, self.person.consent(self.object), out, using="A,B")
        self.assert_same_bytes(out, self.plain)

    def test_callers_who_say_nothing_do_not_block_a_site(self):
        address = self.network.site_status("lsa")["listen"].rsplit(":", 1)
        silent = [socket.create_connection((address[0], int(address[1])), 5) for _ in range(20)]
        try:
            out = self.network.root / "restored"
            out.unlink(missing_ok=True)
            self.network.restore(self.object, self.person.consent(self.object), out, using="A,B")
            self.assert_same_bytes(out, self.plain)
        finally:
            for connection in silent:
                connection.close()

    def test_a_port_that_is_taken(self):
        address = self.network.site_status("cloud3")["listen"].rsplit(":", 1)
        self.network.down("cloud3")
        try:
            with socket.socket() as taken:
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind((address[0], int(address[1])))
                taken.listen()
                with self.assertRaises(CommandFailed) as caught:
                    self.network.up("cloud3")
                self.assertIn(address[1], caught.exception.stderr)
                self.assertRegex(caught.exception.stderr, "in use")
        finally:
            self.network.up("cloud3")
        self.assertTrue(self.network.site_status("cloud3")["reachable"])

    # --- damage ---

    def test_a_damaged_share_is_found_and_its_site_named(self):
        site, path = self.network.share_path(self.object, "B")
        flip_byte(path, fit=True)
        try:
            out = self.network.root / "restored"
            out.unlink(missing_ok=True)
            done = self.network.restore(self.object, self.person.consent(self.object), out)
            self.assert_same_bytes(out, self.plain)
            if "B" in done["using"] or done["blamed"]:
                self.assertEqual([(entry["share"], entry["site"]) for entry in done["blamed"]],
                                 [("B", site)])
            out.unlink()
            self.assert_fails((6, 7), "lsa|share B|chunk 0", self.network.restore, self.object,
                              self.person.consent(self.object), out, using="A,B")
            self.assertFalse(out.exists())
        finally:
            flip_byte(path, fit=True)

    def test_a_truncated_pool_file_stops_the_start_and_is_named(self):
        self.network.down("cloud1")
        pool = next(path for path in self.network.data("cloud1").rglob("receive/mark"))
        saved = pool.read_bytes()
        pool.write_bytes(saved[:100])
        try:
            with self.assertRaises(CommandFailed) as caught:
                self.network.up("cloud1")
            self.assertIn("receive", caught.exception.stderr)
            self.assertIn("mark", caught.exception.stderr)
        finally:
            pool.write_bytes(saved)
            self.network.up("cloud1")
        self.assert_still_works()


class BadConfiguration(NetworkTest):
    """Ways to spoil a configuration: each refused with file and line, nothing started."""

    MUTATIONS = (
        ("name missing", r"^name = .*\n", "", 1),
        ("name empty", r'^name = ".*"', 'name = ""', 1),
        ("name with capitals", r'^name = ".*"', 'name = "LSA"', 1),
        ("name not text", r'^name = ".*"', "name = 5", 1),
        ("name without end quote", r'^name = "(.*)"', r'name = "\1', 1),
        ("listen without port", r'^listen = ".*"', 'listen = "localhost"', 1),
        ("listen with port 70000", r'^listen = ".*"', 'listen = "127.0.0.1:70000"', 1),
        ("data_dir missing", r"^data_dir = .*\n", "", 1),
        ("data_dir not text", r"^data_dir = .*", "data_dir = true", 1),
        ("api_socket missing", r"^api_socket = .*\n", "", 1),
        ("unknown setting", r"^(data_dir = .*)", r'\1\ncolour = "red"', 1),
        ("unknown section", r"\Z", "\n[colours]\nred = 1\n", 1),
        ("section that is a list", r"\Z", "\n[[operators]]\nname = 'aoi'\n", 1),
        ("section that is no table", r"\A", "metrics = 9090\n", 1),
        ("scrub rate too low", r"\Z", '\n[store]\nscrub_rate = "1K"\n', 1),
        ("scrub interval", r"\Z", "\n[store]\nscrub_interval_days = 0\n", 1),
        ("unknown word of store", r"\Z", "\n[store]\nscrub = true\n", 1),
        ("flag not true or false", r"^(data_dir = .*)", r'\1\nallow_unlocked_memory = "yes"', 1),
        ("site number 0", r"^number = \d+", "number = 0", 1),
        ("site number 256", r"^number = \d+", "number = 256", 1),
        ("link class unknown", r'^class = ".*"', 'class = "carrier pigeon"', 1),
        ("link id short", r"^(\[\[peers\]\])", r'\1\nid = "abcd"', 1),
        ("address of a peer", r'^address = ".*"', 'address = "::::"', 1),
        ("key twice", r"^(data_dir = .*)", r"\1\n\1", 1),
        ("not TOML", r"\A", "<?xml version='1.0'?>\n", 1),
    )

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(
            TestNetwork(preshare="1M", bootstrap="2M", start=False))

    def test_each_mutation_is_refused_with_file_and_line(self):
        good = (self.network.site("lsa") / "site.toml").read_text()
        for what, pattern, replacement, count in self.MUTATIONS:
            with self.subTest(what=what):
                text, changed = re.subn(pattern, replacement, good, count=count,
                                        flags=re.MULTILINE)
                self.assertTrue(changed and text != good, "the mutation did not apply")
                file = self.network.root / "bad.toml"
                file.write_text(text)
                code, stdout, stderr = self.network.warifu.call("site", "run", "--config", file,
                                                                timeout=20)
                self.assertEqual(code, 2, stdout + stderr)
                self.assertRegex(stderr, r"^warifu: error: .*bad\.toml:\d+: ")

    def test_a_configuration_that_is_not_there(self):
        code, _, stderr = self.network.warifu.call("site", "run", "--config", "/nowhere/site.toml",
                                                   timeout=20)
        self.assertEqual(code, 3, stderr)
        self.assertIn("/nowhere/site.toml", stderr)

    def test_net_init_does_not_overwrite(self):
        self.assert_fails(8, "net", self.network.init)

    def test_net_init_refuses_nonsense(self):
        with Scratch() as folder:
            for option, value in (("--rate", "fast"), ("--preshare", "lots"),
                                  ("--bootstrap", "-4M"), ("--base-port", "70000")):
                with self.subTest(option=option):
                    settings = {"--preshare": "1M", "--bootstrap": "2M"} | {option: value}
                    code, _, stderr = self.network.warifu.call(
                        "net", "init", "--net", folder / option,
                        *(word for pair in settings.items() for word in pair))
                    self.assertEqual(code, 2, stderr)
                    self.assertFalse((folder / option / "network.toml").exists())


class BadDays(NetworkTest):
    """Key that does not come, and disks that are full."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="64M", high_water="12M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", LONG)
        cls.small = random_file(cls.network.root / "small", SIZE, 2)
        cls.object = cls.person.store(cls.network.root / "small")["object"]

    def restore(self, object_id, plain, **settings):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(object_id, self.person.consent(object_id), out, **settings)
        self.assert_same_bytes(out, plain)
        return done

    def load_card(self, object_id):
        self.network.warifu.ask("object", "card-record", object_id,
                                "--site", self.network.site("tommo"),
                                "--card", self.person.card, "--pin-file", self.person.pin_file)

    def test_a_dead_device_makes_a_store_wait_and_not_fail(self):
        self.network.down("tommo-lsa-tommo", "tommo-lsa-lsa")
        started = self.person.store(self.network.root / "genome", no_wait=True)

        self.network.wait_for_job(started["job"], ("waiting_key",), 30)
        link = next(link for link in self.network.link_status("tommo") if link["peer"] == "lsa")
        self.assertNotIn(link["device"], ("", "delivering"))
        time.sleep(2)
        self.assertEqual(self.network.job(started["job"])["state"], "waiting_key")
        self.network.up("tommo-lsa-tommo", "tommo-lsa-lsa")
        self.network.wait_for_job(started["job"])
        self.load_card(started["object"])
        self.restore(started["object"], self.plain, using="A,B")

    def test_a_full_disk_is_told_and_nothing_is_lost(self):
        data = self.network.data("lsa")
        copy = self.network.root / "lsa-data"
        self.network.down("lsa")
        shutil.copytree(data, copy)
        used = sum(path.stat().st_size for path in data.rglob("*"))
        settings = f"size={used + (2 << 20)},mode=0700"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", settings, "none", data],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.network.up("lsa")
            self.skipTest(f"no tmpfs here: {mounted.stderr.strip()}")
        try:
            shutil.copytree(copy, data, dirs_exist_ok=True)
            self.network.up("lsa")
            self.store_on_a_full_disk(data)
        finally:
            self.network.down("lsa")
            shutil.rmtree(copy)
            shutil.copytree(data, copy)
            subprocess.run(["umount", data], check=True)
            shutil.rmtree(data)
            copy.rename(data)
            self.network.up("lsa")

    def store_on_a_full_disk(self, data):
        with self.assertRaises(CommandFailed) as caught:
            self.person.store(self.network.root / "genome")
        self.assertRegex(caught.exception.message, "lsa.*space")
        self.assertIn(caught.exception.code, (Exit.REFUSED, Exit.IO))
        # What was there before is still there, the full site's share included.
        self.restore(self.object, self.small, using="A,B")
        subprocess.run(["mount", "-o", "remount,size=200M", data], check=True)
        stored = self.person.store(self.network.root / "genome")
        self.restore(stored["object"], self.plain, using="A,B")

    def marks(self, site, peer):
        link = next(link for link in self.network.link_status(site) if link["peer"] == peer)
        return link["send"]["mark"], link["receive"]["mark"]

    def test_a_site_that_is_put_back_from_a_backup_uses_no_key_again(self):
        data = self.network.data("lsa")
        backup = self.network.root / "backup"
        self.network.down("lsa")
        shutil.copytree(data, backup)
        self.network.up("lsa")
        self.restore(self.object, self.small, using="A,B")
        self.network.down("lsa")
        sent, received = self.marks("tommo", "lsa")
        shutil.rmtree(data)
        backup.rename(data)
        self.network.up("lsa")
        # Whether the link works on or waits for an operator: no position goes back.
        try:
            self.restore(self.object, self.small, using="A,B")
        except CommandFailed as failure:
            self.assertRegex(failure.message, "backup|mark")
            self.assertGreaterEqual(self.marks("tommo", "lsa"), (sent, received))
        else:
            self.assertGreaterEqual(self.marks("lsa", "tommo")[0], received + SIZE)
            self.assertGreaterEqual(self.marks("tommo", "lsa")[1], received + SIZE)
            self.assertGreaterEqual(self.marks("lsa", "tommo")[1], sent)


if __name__ == "__main__":
    unittest.main()
