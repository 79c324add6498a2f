"""Consent: what every site refuses, and that a refusal leaves nothing behind."""

import shutil
import time
import unittest

from network import NetworkTest, Person, TestNetwork, random_file

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
        self.assert_refused("", "0" * 32)

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
        message = self.assert_fails(4, "", self.network.restore, self.object, grant, self.out,
                                    site="lsa")
        self.assertRegex(message, SITE_NAMED)
        self.assertFalse(self.out.exists())

    # --- what is refused at the card ---

    def test_the_card_of_another_person(self):
        try:
            grant = self.other.consent(self.object)
        except CommandFailed as failure:
            self.assertEqual(failure.code, 4, str(failure))
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
        wrong = self.network.root / "wrong.pin"
        wrong.write_text("9999\n")
        try:
            self.assert_fails(4, r"2 tries", self.network.consent, self.object, self.person.card,
                              wrong)
            self.assert_fails(4, r"1 tr(y|ies)", self.network.consent, self.object,
                              self.person.card, wrong)
            # The last try is kept for the person: it is refused without being spent.
            self.assert_fails(4, r"1 tr(y|ies)|last", self.network.consent, self.object,
                              self.person.card, wrong)
        finally:
            wrong.unlink()

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

    # --- what is asked wrongly ---

    def test_bad_arguments_are_told_apart(self):
        consent = self.network.consent
        card, pin = self.person.card, self.person.pin_file
        for pattern, settings in (("purpose|fun", {"purpose": "fun"}),
                                  ("valid|soon", {"valid": "soon"}),
                                  ("lang|fr", {"lang": "fr"}),
                                  ("uses|0", {"uses": "0"}),
                                  ("grantee|24", {"grantee": "x" * 25})):
            with self.subTest(settings=settings):
                self.assert_fails(2, pattern, consent, self.object, card, pin, **settings)
        self.assert_fails(3, "object", consent, "f" * 32, card, pin)
        self.assert_fails(2, "destination|mars|site", consent, self.object, card, pin,
                          destination="mars")


if __name__ == "__main__":
    unittest.main()
