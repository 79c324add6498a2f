"""A card in a reader: through pcscd, with the virtual reader of vsmartcard and an emulated card on it."""

import subprocess
import unittest

from cards import reader_or_skip
from network import NetworkTest, TestNetwork, random_file

from virtual_reader import WarifuAtReader
from warifu_cli import CommandFailed

SIZE = 300_000


class Readers(NetworkTest):
    """One person whose card lies on the virtual reader."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M"))
        cls.reader = reader_or_skip(cls.enterClassContext)
        cls.network.warifu = WarifuAtReader(cls.network.warifu.binary, cls.reader)
        cls.card = cls.network.root / "aoi.card"
        cls.pin = cls.network.root / "pin"
        cls.pin.write_text("2718\n")
        cls.reader.lay(cls.card)
        cls.enrolled = cls.network.enrol("P-001", "Aoi", "pcsc", cls.pin, keys=60)
        cls.plain = random_file(cls.network.root / "genome", SIZE)
        cls.object = cls.network.store(cls.network.root / "genome", "P-001", card="pcsc",
                                       pin_file=cls.pin)["object"]

    def setUp(self):
        self.reader.lay(self.card)

    def consent(self, **settings):
        return self.network.consent(self.object, "pcsc", self.pin, **settings)

    def show(self):
        return self.network.warifu.ask("card", "show", "--card", "pcsc")

    def test_a_consent_given_at_the_reader_restores(self):
        given = self.consent()
        out = self.network.root / "restored"
        self.network.restore(self.object, given["grant"], out)
        self.assert_same_bytes(out, self.plain)
        out.unlink()

    def test_what_lies_there_is_said_and_labelled(self):
        self.assertEqual(self.enrolled["card"], "emulated")
        shown = self.show()
        self.assertTrue(shown["emulated"])
        self.assertEqual(shown["card_id"], self.enrolled["card_id"])
        self.assertEqual(shown["objects"], 1)
        self.assertIn("Virtual PCD 00 00", shown["at"])
        self.assertTrue(shown["atr"].startswith("3b8d80"))
        code, stdout, _ = self.network.warifu.call("card", "show", "--card", "pcsc:00 00")
        self.assertEqual(code, 0)
        self.assertIn("emulated: a stand-in", stdout)

    def test_an_empty_reader_is_waited_for_and_told(self):
        self.reader.lift()
        code, _, stderr = self.network.warifu.call("card", "show", "--card", "pcsc", "--wait", "1s")
        self.assertEqual(code, 6, stderr)
        self.assertIn("put the card on the reader", stderr)
        self.assertIn("no card came within 1 s", stderr)
        code, _, stderr = self.network.warifu.call("card", "show", "--card", "pcsc:nowhere",
                                                   "--wait", "1s")
        self.assertEqual(code, 6, stderr)
        self.assertIn("card reader 'nowhere'", stderr)

    def test_a_card_that_comes_later_is_taken(self):
        self.reader.lift()
        waiting = self.network.warifu.start("card", "show", "--card", "pcsc", "--wait", "60s")
        self.reader.lay(self.card)
        self.assertEqual(waiting.wait(60), 0)

    def test_a_card_taken_away_in_the_middle_costs_an_index_at_most(self):
        for commands in (1, 3, 5, 6, 7, 8, 9):
            before = self.show()
            self.reader.lay(self.card, remove_after=commands)
            try:
                self.consent()
            except CommandFailed as failure:
                self.assertEqual(failure.code, 6, str(failure))
                self.assertRegex(failure.message, "taken away|no card|lost in the middle|removed")
            self.reader.lay(self.card)
            after = self.show()
            self.assertIn(after["next_index"] - before["next_index"], (0, 1), commands)
            self.assertEqual(after["pin_tries_left"], 3, "a PIN that was right costs no try")
            self.consent()

    def test_nobody_finds_the_pin_verified(self):
        self.consent()
        # The application, then its list of objects, which needs the PIN.
        script = self.network.root / "apdus"
        script.write_text("00A4040008F057415249465501\n80CC000000\n")
        said = self.run_at_reader("scriptor", script)
        self.assertRegex(said, r"(?s)90 00.*69 82")

    def run_at_reader(self, *command):
        done = subprocess.run([*self.reader.enter(), *map(str, command)], capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout + done.stderr

    def test_no_service_is_told(self):
        # Outside the namespace.
        code, _, stderr = self.network.warifu.call("card", "readers")
        self.assertIn(code, (0, 6), stderr)  # 0: this machine has a service of its own
        if code == 6:
            self.assertIn("is pcscd installed and running?", stderr)

    def test_a_pin_is_never_in_what_is_said(self):
        wrong = self.network.root / "wrong"
        wrong.write_text("314159\n")
        message = self.assert_fails(4, "wrong PIN: 2 tries left", self.network.consent, self.object,
                                    "pcsc", wrong)
        self.assertNotIn("314159", message)
        self.consent()


if __name__ == "__main__":
    unittest.main()
