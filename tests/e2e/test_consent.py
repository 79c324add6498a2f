"""Consent: what every site refuses, and that a refusal leaves nothing behind."""

import contextlib
import shutil
import sqlite3
import time
import unittest

from network import NetworkTest, Person, TestNetwork, random_file

from site_socket import SocketConnection
from warifu_cli import CommandFailed

SIZE = 600_000
SITE_NAMED = r"\b(tommo|lsa|tuh|cloud[123])\b"


class Consent(NetworkTest):
    """One person with a stored file, another one without."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))
        cls.person = Person(cls.network, "P-001", keys=200)
        cls.other = Person(cls.network, "P-002", pin="3141")
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]

    def setUp(self):
        self.out = self.network.root / "restored"
        self.out.unlink(missing_ok=True)
        self.files_before = {path.name for path in self.network.root.iterdir()}

    def restore(self, grant, **settings):
        return self.network.restore(self.object, grant, self.out, **settings)

    def assert_refused(self, pattern, grant, **settings):
        """Refused with exit code 4, by a site that is named, and nothing is written anywhere."""
        message = self.assert_fails(4, pattern, self.restore, grant, **settings)
        self.assertRegex(message, SITE_NAMED)
        self.assertEqual({path.name for path in self.network.root.iterdir()}, self.files_before)
        return message

    # --- what is allowed ---

    def test_a_consent_restores_as_often_as_it_says(self):
        grant = self.person.consent(self.object, uses=2)
        for _ in range(2):
            self.restore(grant)
            self.assert_same_bytes(self.out, self.plain)
            self.out.unlink()
        self.assert_refused("used up", grant)

    def test_the_text_tells_what_is_asked(self):
        given = self.network.consent(self.object, self.person.card, self.person.pin_file,
                                     purpose="medicine", grantee="Dr. Ito", uses=3)
        for word in ("Dr. Ito", "medical", "tommo", "3 times", self.object):
            self.assertIn(word, given["text"])

    def test_the_text_speaks_japanese(self):
        given = self.network.consent(self.object, self.person.card, self.person.pin_file,
                                     purpose="research", grantee="Dr. Ito", lang="ja")
        self.assertIn("同意", given["text"])

    def test_consents_are_listed(self):
        grant = self.person.consent(self.object)
        listed = self.network.warifu.ask("consent", "list", "--site", self.network.site("tommo"))
        self.assertIn(grant, str(listed))

    # --- what is refused at a restore ---

    def test_no_evidence(self):
        with self.assertRaises(CommandFailed) as caught:
            self.restore("0" * 32)
        self.assertIn(caught.exception.code, (3, 4), str(caught.exception))
        self.assertIn("0" * 32, caught.exception.message)
        self.assertEqual({path.name for path in self.network.root.iterdir()}, self.files_before)

    def test_used_up(self):
        grant = self.person.consent(self.object, uses=1)
        self.restore(grant)
        self.out.unlink()
        self.assert_refused("used up", grant)

    def test_expired(self):
        grant = self.person.consent(self.object, valid="1s")
        time.sleep(1.2)
        self.assert_refused("expired", grant)

    def test_wrong_purpose(self):
        grant = self.person.consent(self.object, purpose="health")
        self.assert_refused("health", grant, purpose="research")

    def test_another_grantee(self):
        grant = self.person.consent(self.object, grantee="organisation:ToMMo", grantee_id="ror:1")
        for asker, as_id in (("Dr. Sato", None), ("person:ToMMo", "ror:1"),
                             ("organisation:ToMMo", None), ("organisation:ToMMo", "ror:2")):
            self.assert_refused("the grant is for ToMMo", grant, asker=asker, as_id=as_id)
        self.assert_fails(2, "--as", self.restore, grant, asker=None)
        self.restore(grant, asker="organisation:ToMMo", as_id="ror:1")
        self.assert_same_bytes(self.out, self.plain)

    def test_a_use_that_the_codes_do_not_allow(self):
        grant = self.person.consent(self.object, purpose="research", data_use=("HMB", "NPU"))
        for use in (None, "biomedical", "non-profit", ("general", "non-profit"),
                    ("ancestry", "biomedical", "non-profit")):
            self.assert_refused("consent", grant, use=use)
        self.assert_fails(2, "marketing", self.restore, grant, use="marketing")
        self.restore(grant, use=("biomedical", "non-profit"))
        self.assert_same_bytes(self.out, self.plain)

    def events(self, site, event):
        records = self.network.warifu.ask("audit", "list", "--site",
                                          self.network.site(site))["records"]
        return [record for record in records if record["event"] == event]

    def test_wrong_destination(self):
        grant = self.person.consent(self.object, destination="lsa")
        self.assert_refused("lsa", grant)

    def test_a_consent_for_another_object(self):
        other = self.person.store(self.network.root / "genome", label="second")["object"]
        self.files_before |= {path.name for path in self.network.root.iterdir()}
        grant = self.person.consent(other)
        self.assert_refused("object", grant)

    def test_a_grant_is_no_good_at_another_site(self):
        grant = self.person.consent(self.object)
        with self.assertRaises(CommandFailed) as caught:
            self.network.restore(self.object, grant, self.out, site="lsa")
        self.assertIn(caught.exception.code, (3, 4), str(caught.exception))
        self.assertIn("lsa", caught.exception.message)
        self.assertFalse(self.out.exists())

    # --- what is refused at the card ---

    def test_the_card_of_another_person(self):
        try:
            grant = self.other.consent(self.object)
        except CommandFailed as failure:
            self.assertIn(failure.code, (3, 4), str(failure))
            self.assertRegex(failure.message, "card|person")
        else:
            self.assert_refused("person|card", grant)

    def test_a_card_that_nobody_enrolled(self):
        blank = self.network.root / "blank.card"
        try:
            self.network.consent(self.object, blank, self.person.pin_file)
        except CommandFailed as failure:
            self.assertIn(failure.code, (3, 4), str(failure))
            self.assertIn("card", failure.message)
        else:
            self.fail("a card out of nothing gave a consent")
        finally:
            blank.unlink(missing_ok=True)

    def test_a_copy_of_the_card_is_found_out(self):
        copy = self.network.root / "copy.card"
        shutil.copy(self.person.card, copy)
        self.files_before.add(copy.name)
        try:
            self.restore(self.person.consent(self.object))
            self.out.unlink()
            with self.assertRaises(CommandFailed) as caught:
                given = self.network.consent(self.object, copy, self.person.pin_file)
                self.restore(given["grant"])
            self.assertEqual(caught.exception.code, 4, str(caught.exception))
            self.assertRegex(caught.exception.message, "index|replay|copy")
            self.assertFalse(self.out.exists())
        finally:
            copy.unlink()

    def test_a_wrong_pin_tells_how_many_tries_are_left(self):
        card = Person(self.network, "P-003", pin="1618").card
        wrong = self.network.root / "wrong.pin"
        wrong.write_text("9999\n")
        for pattern in (r"\b2 tries", r"\b(1|one) tr(y|ies)",
                        r"\b(1|one) tr(y|ies)"):  # the last try is kept for the person
            self.assert_fails(4, pattern, self.network.consent, self.object, card, wrong)

    def test_a_malformed_pin_costs_no_try(self):
        wrong = self.network.root / "letters.pin"
        wrong.write_text("abc\n")
        try:
            self.assert_fails(2, "PIN", self.network.consent, self.object, self.other.card, wrong)
        finally:
            wrong.unlink()

    def test_a_damaged_card_file_is_named(self):
        damaged = self.network.root / "damaged.card"
        data = bytearray(self.other.card.read_bytes())
        data[len(data) // 2] ^= 1
        damaged.write_bytes(data)
        try:
            self.assert_fails(7, "damaged.card", self.network.consent, self.object, damaged,
                              self.other.pin_file)
            damaged.write_bytes(data[:20])
            self.assert_fails(7, "damaged.card", self.network.consent, self.object, damaged,
                              self.other.pin_file)
        finally:
            damaged.unlink()

    def test_a_proof_that_no_card_made_is_not_written_down(self):
        """A terminal that was taken over, at the site's own API."""
        card = self.network.warifu.ask("card", "show", "--card", self.person.card)
        known = self.network.warifu.ask("object", "show", self.object, "--site",
                                        self.network.site("tommo"))
        api = SocketConnection(self.network.site("tommo"), self.network.data("tommo"))
        self.addCleanup(api.close)
        code, prepared = api.post("/v1/consents/prepare", {
            "object": self.object, "purpose": "research", "grantee": "Dr. Evil", "uses": 9,
            "valid_seconds": 3600, "card": card["card_id"], "next_index": card["next_index"]})
        self.assertEqual(code, 200, prepared)
        code, answer = api.post("/v1/consents", {
            "grant": prepared["grant"], "card_kind": 2, "hash_key": "0" * 32, "tag": "1" * 32,
            "chunks": known["chunks"], "bytes": known["bytes"],
            "tags": ["2" * 32 for _ in prepared["sites"]]})
        self.assertEqual((code, answer["reason"]), (403, "wrong_tag"), answer)
        listed = self.network.warifu.ask("consent", "list", "--site", self.network.site("tommo"))
        self.assertNotIn("Dr. Evil", str(listed))
        self.restore(self.person.consent(self.object))  # and the card's index is still good
        self.assertTrue(all(one["judged"] for one in self.network.warifu.ask(
            "consent", "list", "--site", self.network.site("tommo"))["consents"]))

    # --- what is asked wrongly ---

    def test_bad_arguments_are_told_apart(self):
        consent = self.network.consent
        card, pin = self.person.card, self.person.pin_file
        for pattern, settings in (("purpose|fun", {"purpose": "fun"}),
                                  ("valid|soon", {"valid": "soon"}),
                                  ("lang|fr", {"lang": "fr"}),
                                  ("uses|0", {"uses": "0"}),
                                  ("grantee|64", {"grantee": "x" * 65}),
                                  ("grantee", {"grantee": "organisation:"}),
                                  ("region", {"region": "chr17:1-2"}),
                                  ("data use", {"data_use": "FUN"}),
                                  ("research", {"data_use": "HMB"})):
            with self.subTest(settings=settings):
                self.assert_fails(2, pattern, consent, self.object, card, pin, **settings)
        self.assert_fails(3, "object", consent, "f" * 32, card, pin)
        self.assert_fails(2, "destination|mars|site", consent, self.object, card, pin,
                          destination="mars")


class RogueControl(NetworkTest):
    """Somebody rules ToMMo, share control and all; LSA still checks the card's proof by itself."""

    EVIDENCE_BYTES, TAG_AT = 40, 24  # "WEV1" site:16 kind:1 zero:3 tag:16
    PURPOSE_AT, USES_AT = 41, 42     # in the grant

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="8M"))
        cls.person = Person(cls.network)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.person.store(cls.network.root / "genome")["object"]

    def restore(self, grant, **settings):
        out = self.network.root / "restored"
        try:
            self.network.restore(self.object, grant, out, using="A,B", **settings)
            self.assert_same_bytes(out, self.plain)
        finally:
            restored = out.exists()
            out.unlink(missing_ok=True)
        return restored

    def change_grant(self, grant, column, change):
        """Rewrites a column of the grant in ToMMo's database, behind the program's back."""
        database = self.network.data("tommo") / "catalog.db"
        row = bytes.fromhex(grant)
        self.network.down("tommo")
        try:
            with contextlib.closing(sqlite3.connect(database)) as connection, connection:
                query = f"SELECT {column} FROM consent_grant WHERE grant_id = ?"
                value = bytearray(connection.execute(query, (row,)).fetchone()[0])
                change(value)
                connection.execute(f"UPDATE consent_grant SET {column} = ? WHERE grant_id = ?",
                                   (bytes(value), row))
        finally:
            self.network.up("tommo")

    def test_evidence_without_the_card_is_worth_nothing(self):
        def forge(evidence):
            for at in range(0, len(evidence), self.EVIDENCE_BYTES):
                if evidence[at + 4:at + 20].rstrip(b"\0") == b"lsa":
                    evidence[at + self.TAG_AT] ^= 1
        grant = self.person.consent(self.object)
        self.change_grant(grant, "evidence", forge)
        self.assert_fails(4, "lsa refuses.*tag", self.restore, grant)

    def test_a_grant_cannot_be_widened(self):
        def more_uses(grant):
            grant[self.USES_AT:self.USES_AT + 2] = (1000).to_bytes(2, "little")

        def other_purpose(grant):
            grant[self.PURPOSE_AT] = 2
        for change, settings in ((more_uses, {}), (other_purpose, {"purpose": "research"})):
            with self.subTest(change=change.__name__):
                grant = self.person.consent(self.object)
                self.change_grant(grant, "grant_bytes", change)
                self.assert_fails(4, "refuses.*tag", self.restore, grant, **settings)

    def test_a_use_is_counted_at_every_site_by_itself(self):
        """ToMMo puts back the state of its gate from before the use; LSA remembers."""
        grant = self.person.consent(self.object, uses=1)
        gate = self.network.data("tommo") / "gate"
        saved = self.network.root / "gate"
        self.network.down("tommo")
        shutil.copytree(gate, saved)
        self.network.up("tommo")
        self.assertTrue(self.restore(grant))
        self.network.down("tommo")
        shutil.copytree(saved, gate, dirs_exist_ok=True)
        self.network.up("tommo")
        self.assert_fails(4, "lsa refuses.*used up", self.restore, grant)


if __name__ == "__main__":
    unittest.main()
