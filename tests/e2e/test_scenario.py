"""The reference scenario as a test: every way of restoring, the account of key, what is left."""

import itertools
import unittest

from network import (PATTERN, NetworkTest, Person, TestNetwork, find_bytes, random_file,
                     wait_until)

import accounts
import uniformity
from warifu_cli import CLOUDS, SITES

BIG, SMALL, ZEROS = 3_000_001, 300_000, 1 << 20
SEGMENT = (4 << 20) * 1.01  # of a qkd pool, sealed


class Scenario(NetworkTest):
    """One network, three stored objects; no test changes what is stored."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="32M"))
        cls.person = Person(cls.network)
        root = cls.network.root
        cls.plain = {"big": random_file(root / "big", BIG, 1),
                     "small": random_file(root / "small", SMALL, 2),
                     "zeros": bytes(ZEROS)}
        (root / "zeros").write_bytes(cls.plain["zeros"])
        cls.before_store = accounts.read_settled(cls.network, SITES)
        cls.stored = {"big": cls.person.store(root / "big", label="big")}
        cls.after_store = accounts.read_settled(cls.network, SITES)
        wait_until(lambda: cls.network.link_status("tommo")[0]["send"]["available_bytes"] > 8 << 20,
                   30, "key from the devices")
        for name in ("small", "zeros"):
            cls.stored[name] = cls.person.store(root / name, label=name)
        cls.ids = {name: stored["object"] for name, stored in cls.stored.items()}
        cls.site_of = {share["share"]: share["site"]
                       for share in cls.network.explain(cls.ids["big"])["shares"]}

    def restore(self, name, grant, **settings):
        out = self.network.root / "restored"
        out.unlink(missing_ok=True)
        done = self.network.restore(self.ids[name], grant, out, **settings)
        self.assert_same_bytes(out, self.plain[name])
        self.assertIs(done["verified"], True)
        self.assertEqual(done["bytes"], len(self.plain[name]))
        self.assertEqual(done["blamed"], [])
        return done

    # --- storing ---

    def test_every_site_holds_its_share_and_tuh_none(self):
        for object_id in self.ids.values():
            held = self.network.held(object_id)
            self.assertEqual((held["tommo"], held["lsa"], held["tuh"]), (["A"], ["B"], []))
            self.assertEqual(sorted(held[cloud][0] for cloud in CLOUDS), ["C1", "C2", "C3"])

    def test_the_store_tells_what_it_did(self):
        stored = self.stored["big"]
        self.assertEqual(stored["bytes"], BIG)
        self.assertEqual(stored["chunks"], -(-BIG // accounts.CHUNK_BYTES))
        self.assertEqual(stored["card_record"], "on_card")
        self.assertTrue(stored["plan"])
        placed = {entry["share"]: entry["site"] for entry in stored["placement"]}
        self.assertEqual(placed["A"], "tommo")
        self.assertEqual(placed["B"], "lsa")

    def test_objects_are_listed_with_their_person(self):
        listed = {entry["object"]: entry for entry in self.network.objects(person="P-001")}
        for name, object_id in self.ids.items():
            self.assertEqual(listed[object_id]["label"], name)
            self.assertEqual(listed[object_id]["bytes"], len(self.plain[name]))
            self.assertEqual(listed[object_id]["card_record"], "on_card")

    def assert_carried(self, before, after, expected):
        """Exactly these bytes of shares; a copy of the catalog may have passed meanwhile."""
        moved = accounts.spent(before, after, "moved_bytes")
        for ends in moved.keys() | expected.keys():
            extra = moved.get(ends, 0) - expected.get(ends, 0)
            most = accounts.besides(self.network, ends, before, after) if extra else 0
            self.assertTrue(0 <= extra <= most, f"{ends}: {extra} bytes beside the share")

    def test_a_store_spends_exactly_the_bytes_of_the_shares(self):
        share = accounts.records_bytes(BIG)
        expected = {("tommo", "lsa"): share, ("tommo", "tuh"): share}
        expected |= {("tuh", cloud): share for cloud in CLOUDS}
        self.assert_carried(self.before_store, self.after_store, expected)
        # One share of each cut is key that both ends held: nothing was sent for it.
        drawn = accounts.spent(self.before_store, self.after_store, "share_bytes")
        self.assertEqual(drawn, {("tommo", "lsa"): share, ("tuh", "cloud1"): share})

    def test_explain_tells_shares_ways_and_what_is_not_real(self):
        told = self.network.explain(self.ids["small"])
        self.assertEqual((told["person"], told["bytes"]), ("P-001", SMALL))
        self.assertEqual(told["staging"], "erased")
        shares = {share["share"]: share for share in told["shares"]}
        self.assertEqual({"A", "B", "C1", "C2", "C3"} - set(shares), set())
        self.assertIn("qkd", shares["B"]["link_classes"])
        self.assertIn("preshared", shares["C1"]["link_classes"])
        self.assertIn("RATE_MODEL", shares["B"]["origins"])
        self.assertEqual(shares["C1"]["origins"], ["PRESHARED"])
        for word in ("rate model", "card"):
            self.assertTrue(any(word in text for text in told["simulated"]), told["simulated"])
        self.assertTrue(told["computational"])
        self.assertEqual({letter for letter in ("A", "B", "C1", "C2", "C3")
                          if shares[letter]["key_as_share"]}, {"B", "C1"})
        # The start key of a device link was preshared, what its devices gave came from the model.
        self.assertTrue(shares["A"]["random_origins"])
        self.assertLessEqual(set(shares["A"]["random_origins"]), {"RATE_MODEL", "PRESHARED"})
        spent = {(entry["from"], entry["to"]): entry for entry in told["key_spent"]}
        for hop in (("tommo", "lsa"), ("tommo", "tuh"), ("tuh", "cloud1")):
            self.assertGreaterEqual(spent[hop]["payload_bytes"], accounts.records_bytes(SMALL))
            self.assertGreaterEqual(spent[hop]["key_bytes"],
                                    spent[hop]["payload_bytes"] + spent[hop]["tag_bytes"])

    # --- restoring ---

    def test_every_pair_and_every_pair_of_clouds_and_both_gathering_points(self):
        for name in ("big", "small"):
            grant = self.person.consent(self.ids[name], uses=13)
            done = self.restore(name, grant, using="A,B")
            self.assertEqual(done["using"], ["A", "B"])
            for top, (x, y) in itertools.product("AB", itertools.combinations(
                    ("C1", "C2", "C3"), 2)):
                for gather in (self.site_of[x], self.site_of[y]):
                    with self.subTest(name=name, using=f"{top},{x},{y}", gather=gather):
                        done = self.restore(name, grant, using=f"{top},{x},{y}", gather=gather)
                        self.assertEqual(done["using"], [top, x, y])
                        self.assertIn(gather, done["gathered_at"])

    def test_the_planner_finds_a_way_by_itself(self):
        done = self.restore("small", self.person.consent(self.ids["small"]))
        self.assertIn(len(done["using"]), (2, 3))

    def test_a_restore_spends_exactly_the_bytes_of_the_shares(self):
        grant = self.person.consent(self.ids["small"], uses=2)
        share = accounts.records_bytes(SMALL)
        x, y = self.site_of["C1"], self.site_of["C2"]
        for using, gather, hops in (
                ("A,B", None, [("lsa", "tommo")]),
                ("A,C1,C2", y, [(x, y), (y, "tuh"), ("tuh", "tommo")])):
            before = accounts.read_settled(self.network, SITES)
            self.restore("small", grant, using=using, gather=gather)
            after = accounts.read_settled(self.network, SITES)
            self.assert_carried(before, after, dict.fromkeys(hops, share))
            self.assertEqual(accounts.spent(before, after, "share_bytes"), {})

    def test_the_account_of_every_link_adds_up_and_both_ends_agree(self):
        records, wrong = accounts.link_records(accounts.read_settled(self.network, SITES))
        self.assertEqual(wrong, [])
        self.assertEqual(len(records), 8)
        for link in records:
            self.assertEqual(link["key_bits_used"],
                             link["payload_bits"] + link["tag_bits"] + link["share_bits"])
            self.assertLessEqual(link["bulk_bits"], link["payload_bits"])

    def test_preshared_key_is_either_left_or_marked_used(self):
        stocked = 32 << 20
        for ends, direction in accounts.read_settled(self.network, SITES).items():
            if direction.link_class == "preshared":
                for figures in (direction.send, direction.receive):
                    self.assertEqual(figures["available_bytes"] + figures["mark"], stocked, ends)

    # --- what is left over, and what shares look like ---

    def test_used_key_is_destroyed(self):
        grant = self.person.consent(self.ids["big"], uses=8)
        for _ in range(8):
            self.restore("big", grant, using="A,C1,C2")
        for site, peer, direction in (("tuh", "tommo", "send"), ("tommo", "tuh", "receive")):
            link = next(link for link in self.network.link_status(site) if link["peer"] == peer)
            self.assertGreater(link[direction]["mark"], 8 * BIG)
            folder = self.network.data(site) / "pools" / peer / direction

            def only_unused_is_left():
                # Counted before the status is read: the intake goes on, and what it brings is
                # unused. A segment holds at most 4 MiB here; a few may be in use just now.
                kept = sum(path.stat().st_size for path in folder.glob("seg-*"))
                link = next(link for link in self.network.link_status(site)
                            if link["peer"] == peer)
                unused = link[direction]["synced_end"] - link[direction]["mark"]
                return kept < unused + link[direction]["ingested_bytes"] + 4 * SEGMENT

            # Their keys go at once, their files when the pool is quiet.
            wait_until(only_unused_is_left, 30, f"no used key in {folder}")

    def test_no_plaintext_is_left_at_any_site(self):
        for site in SITES:
            staging = self.network.data(site) / "staging"
            left = [path for path in staging.rglob("*") if path.is_file()]
            self.assertEqual(left, [], f"staging of {site}")
            self.assertEqual(find_bytes(self.network.site(site), PATTERN), [], site)
        # The search can find: the pattern is in the file that was stored.
        self.assertEqual(find_bytes(self.network.root, PATTERN) != [], True)

    def test_no_name_of_the_person_is_in_a_share_file(self):
        for letter in ("A", "B", "C1", "C2", "C3"):
            _, path = self.network.share_path(self.ids["big"], letter)
            header = path.read_bytes()[:uniformity.RECORDS_START]
            self.assertNotIn(b"P-001", header)
            self.assertNotIn(b"Person", header)

    def test_shares_of_zeros_are_uniform_and_differ(self):
        bodies = {}
        for letter in ("A", "B", "C1", "C2", "C3"):
            site, path = self.network.share_path(self.ids["zeros"], letter)
            body = uniformity.records(path)
            self.assertEqual(len(body), accounts.records_bytes(ZEROS), (letter, site))
            value = uniformity.chi_squared(body)
            self.assertLess(abs(value - 255), uniformity.LIMIT - 255, (letter, site))
            self.assertNotIn(bytes(16), body)
            bodies[letter] = body
        # Of a zero secret A, B and C are equal by construction; the shares of C must differ.
        self.assertEqual(len({bodies["C1"], bodies["C2"], bodies["C3"], bodies["A"]}), 4)

    def test_no_share_holds_a_piece_of_the_plaintext(self):
        for name in ("big", "small"):
            for letter in ("A", "B", "C1", "C2", "C3"):
                _, path = self.network.share_path(self.ids[name], letter)
                body = uniformity.records(path)
                self.assertLess(abs(uniformity.chi_squared(body) - 255), uniformity.LIMIT - 255)
                equal = sum(body[at:at + 16] == self.plain[name][at:at + 16]
                            for at in range(0, min(len(body), SMALL), 16))
                self.assertEqual(equal, 0, (name, letter))


if __name__ == "__main__":
    unittest.main()
