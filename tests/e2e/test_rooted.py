"""Whoever owns the control site owns its files, its sockets and its say over jobs. Without the
person's card that must never bring a second share together: every other site judges for itself.

The attacker here is the real program at tommo, whose records are rewritten behind its back so that
it believes, plans and orders what the attacker wants."""

import contextlib
import pathlib
import re
import shutil
import sqlite3
import unittest

from network import (RECORDS_START, NetworkTest, Person, TestNetwork, find_bytes,
                     let_cards_come_at_once, random_file)

from warifu_cli import CommandFailed

SIZE = 700_001
SNIPPET = 64
# Ways for every share to every site: what is refused is not refused for want of a link.
LINKS = ("lsa:tuh", "lsa:cloud1", "lsa:cloud2", "lsa:cloud3", "tommo:cloud1", "tommo:cloud2",
         "tommo:cloud3")


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


class Rooted(NetworkTest):
    """One person's object; the attacker is enrolled too, with a card of their own."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(link=LINKS, preshare="16M"))
        cls.victim = Person(cls.network, "P-001")
        cls.attacker = Person(cls.network, "P-666", pin="6666")
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.victim.store(cls.network.root / "genome")["object"]
        own = random_file(cls.network.root / "own", SIZE, 2)
        cls.own = cls.attacker.store(cls.network.root / "own")["object"]
        assert own != cls.plain
        cls.others = {letter: cls.snippet(letter) for letter in ("B", "C1", "C2", "C3")}
        cls.truth = cls.network.root / "truth"
        cls.network.down("tommo")
        shutil.copytree(cls.network.data("tommo"), cls.truth)
        # In its own configuration tommo is fit for every share.
        config = cls.network.site("tommo") / "site.toml"
        entry = re.search(r'name = "tommo"\n(?:.*\n)*?labels = \[[^\]]*', config.read_text())[0]
        config.write_text(config.read_text().replace(entry, entry + ', "vault", "cloud", "gateway"'))
        cls.network.up("tommo")

    @classmethod
    def snippet(cls, letter):
        """Some bytes of a share, as its holder keeps them."""
        site, path = cls.network.share_path(cls.object, letter)
        assert site != "tommo"
        with open(path, "rb") as file:
            file.seek(RECORDS_START + 1000)
            return file.read(SNIPPET)

    def tearDown(self):
        """Whatever was tried: nothing of another share lies at tommo, and the object is whole."""
        try:
            for letter, some in self.others.items():
                self.assertEqual(find_bytes(self.network.data("tommo"), some), [], letter)
            self.assertEqual({site: letters for site, letters in
                              self.network.held(self.object).items() if letters},
                             {"tommo": ["A"], "lsa": ["B"], "cloud1": ["C1"], "cloud2": ["C2"],
                              "cloud3": ["C3"]})
        finally:
            super().tearDown()

    @contextlib.contextmanager
    def records(self):
        """tommo's records, to be rewritten while it is down."""
        self.network.down("tommo")
        try:
            with contextlib.closing(sqlite3.connect(
                    self.network.data("tommo") / "catalog.db")) as connection, connection:
                yield connection
        finally:
            self.network.up("tommo")

    def tell_the_truth(self):
        with self.records() as connection:
            with contextlib.closing(sqlite3.connect(self.truth / "catalog.db")) as truth:
                shares = truth.execute(
                    "SELECT site, last_site, state, route, share_id FROM share").fetchall()
                sightings = truth.execute("SELECT * FROM sighting").fetchall()
                owners = truth.execute("SELECT person_id, object_id FROM object").fetchall()
            connection.executemany(
                "UPDATE share SET site = ?, last_site = ?, state = ?, route = ? WHERE share_id = ?",
                shares)
            connection.executemany("INSERT OR IGNORE INTO sighting VALUES (?, ?, ?, ?)", sightings)
            connection.executemany("UPDATE object SET person_id = ? WHERE object_id = ?", owners)

    def lie(self, sql, *values):
        self.addCleanup(self.tell_the_truth)
        with self.records() as connection:
            changed = connection.execute(sql, values).rowcount
        self.assertGreater(changed, 0, "the lie has changed nothing")

    def deny_the_own_share(self):
        """By tommo's records it has none, and never saw any: its planner has nothing against it."""
        self.lie("UPDATE share SET site = NULL, last_site = 'cloud2', state = 'deleted', route = '' "
                 "WHERE share_id = ?", self.share_id("A"))
        with self.records() as connection:
            connection.execute("DELETE FROM sighting WHERE object_id = ?",
                               (bytes.fromhex(self.object),))

    def share_id(self, letter):
        return next(bytes.fromhex(share["id"]) for site in self.network.status()["sites"]
                    for share in site.get("shares") or []
                    if share["object"] == self.object and share["letter"] == letter)

    def order(self, *words):
        return self.network.warifu.ask(*words, "--site", self.network.site("tommo"))

    def restore(self, object_id, grant, **settings):
        out = self.network.root / "restored"
        try:
            return self.network.restore(object_id, grant, out, **settings)
        finally:
            self.assertFalse(out.exists())
            out.unlink(missing_ok=True)

    # --- restores ---

    def test_without_any_grant(self):
        with self.assertRaises(CommandFailed) as caught:
            self.restore(self.object, "0" * 32)
        self.assertIn(caught.exception.code, (3, 4))

    def test_the_attackers_card_for_the_victims_object(self):
        """tommo says that the object is the attacker's; the card and its consent are real."""
        self.lie("UPDATE object SET person_id = 'P-666' WHERE object_id = ?",
                 bytes.fromhex(self.object))
        card = pathlib.Path(self.attacker.card)
        before = card.read_bytes()
        self.addCleanup(card.write_bytes, before)
        # A record for the object, which a card needs to give a consent to it; its key is made up.
        changed = before[:-4].replace(bytes.fromhex(self.own), bytes.fromhex(self.object))
        card.write_bytes(changed + crc32c(changed).to_bytes(4, "little"))
        grant = self.attacker.consent(self.object)
        # A lies here, where the attacker's own program would not ask anybody.
        self.assert_fails(4, "(lsa|tuh|cloud[123]) refuses.*another person", self.restore,
                          self.object, grant, using="B,C1,C2")

    def test_a_consent_to_the_attackers_object_turned_to_the_victims(self):
        grant = self.attacker.consent(self.own)
        object_at = 24  # "WGR?" version length card:16 object:16
        def turn(connection):
            row = bytes.fromhex(grant)
            value = bytearray(connection.execute(
                "SELECT grant_bytes FROM consent_grant WHERE grant_id = ?", (row,)).fetchone()[0])
            self.assertEqual(bytes(value[object_at:object_at + 16]), bytes.fromhex(self.own))
            value[object_at:object_at + 16] = bytes.fromhex(self.object)
            connection.execute("UPDATE consent_grant SET grant_bytes = ?, object_id = ? WHERE grant_id = ?",
                               (bytes(value), bytes.fromhex(self.object), row))
        with self.records() as connection:
            turn(connection)
        with self.assertRaises(CommandFailed) as caught:
            self.restore(self.object, grant, using="A,B")
        self.assertIn(caught.exception.code, (3, 4, 7), str(caught.exception))

    # --- jobs that need no consent ---

    def test_moving_a_share_here(self):
        for letter in ("B", "C1"):
            with self.subTest(share=letter, tommo="tells the truth"):
                self.assert_fails(4, "tommo|no legal", self.order, "object", "move", self.object,
                                  "--share", letter, "--to", "tommo")
        # Now tommo does not know any more that it holds A itself, and its planner sees no harm.
        self.deny_the_own_share()
        self.assert_fails(4, "lsa: .*tommo holds a sibling", self.order, "object", "move", self.object,
                          "--share", "B", "--to", "tommo")
        self.refused_job("object", "move", self.object, "--share", "C1", "--to", "tommo")

    def test_making_a_share_anew_here(self):
        """Its holder is away, which tommo can see to: the others are asked to make it anew."""
        self.deny_the_own_share()
        for letter, holder in (("B", "lsa"), ("C1", "cloud1")):
            with self.subTest(share=letter):
                self.network.down(holder)
                try:
                    self.refused_job("object", "repair", self.object, "--share", letter, "--to", "tommo")
                finally:
                    self.network.up(holder)

    def refused_job(self, *words):
        """By a site that is asked to give, or by tommo's own planner."""
        with self.assertRaises(CommandFailed) as caught:
            self.order(*words)
        self.assertIn(caught.exception.code, (4, 6), str(caught.exception))

    def test_draining_every_other_site(self):
        self.deny_the_own_share()
        for site in ("lsa", "cloud1", "cloud2", "cloud3"):
            with self.subTest(site=site), contextlib.suppress(CommandFailed):
                job = self.order("site", "drain", site, "--no-wait")
                self.assertTrue(job)
        # tearDown looks where everything is; jobs that found another place are another test's.

    # --- cards ---

    def test_a_card_in_the_place_of_one_that_is_called_lost(self):
        """tommo can have a card refused everywhere, and has no say in whose card takes its place."""
        person = Person(self.network, "P-002")
        self.order("card", "revoke", "--person", person.id, "--why", "lost", "--yes")
        self.order("card", "allow-reissue", person.enrolled["card_id"])
        let_cards_come_at_once(self.network.site("tommo") / "site.toml")
        self.network.kill("tommo")
        self.network.up("tommo")
        self.assert_fails(4, "(lsa|tuh|cloud[123]).*(hot list|allow-reissue)", self.order, "person", "reissue",
                          "--id", person.id, "--card", str(self.network.root / "new.card"),
                          "--pin-file", str(self.attacker.pin_file))

    def test_enrolling_the_victim_once_more(self):
        with self.assertRaises(CommandFailed) as caught:
            self.network.enrol("P-001", "Again", self.network.root / "again.card",
                               self.attacker.pin_file)
        self.assertIn(caught.exception.code, (4, 8), str(caught.exception))


if __name__ == "__main__":
    unittest.main()
