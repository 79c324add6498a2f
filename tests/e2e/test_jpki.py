"""A My Number Card's certificate application: the emulated card under pcscd, checked by OpenSC."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

from cards import reader_or_skip
from network import binary

from virtual_reader import WarifuAtReader
from warifu_cli import CommandFailed

LABEL = "JPKI (User Authentication PIN)"
SIGN_LABEL = "JPKI (Digital Signature PIN)"


class Jpki(unittest.TestCase):
    """OpenSC's pkcs11-tool is the independent client."""

    @classmethod
    def setUpClass(cls):
        if shutil.which("pkcs11-tool") is None:
            raise unittest.SkipTest("opensc is not installed")
        cls.root = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.reader = reader_or_skip(cls.enterClassContext)
        cls.warifu = WarifuAtReader(binary(), cls.reader)
        (cls.root / "pin").write_text("1234\n")
        (cls.root / "pin2").write_text("ABC123\n")

    def setUp(self):
        self.card = self.root / f"{self._testMethodName}.card"
        subprocess.run([binary(), "card", "make-jpki", self.card, "--pin-file", self.root / "pin",
                        "--signature-pin-file", self.root / "pin2"], check=True,
                       capture_output=True)
        self.reader.lay(self.card)

    def show(self):
        return self.warifu.ask("card", "jpki", "--card", "pcsc")

    def pkcs11(self, *arguments):
        return subprocess.run([*self.reader.enter(), "pkcs11-tool", *map(str, arguments)],
                              capture_output=True, text=True, timeout=60, check=False)

    def sign(self, label, pin, identifier):
        message, signature = self.root / "message", self.root / "signature"
        message.write_bytes(b"a grant")
        signature.unlink(missing_ok=True)
        done = self.pkcs11("--token-label", label, "--login", "--pin", pin, "--sign", "-m",
                           "SHA256-RSA-PKCS", "--id", identifier, "-i", message, "-o", signature)
        return done, message, signature

    def verify(self, label, identifier, message, signature, *login):
        """By OpenSSL, with the certificate as pkcs11-tool reads it."""
        der = self.root / "certificate.der"
        read = self.pkcs11("--token-label", label, *login, "--read-object", "--type", "cert",
                           "--id", identifier, "-o", der)
        self.assertEqual(read.returncode, 0, read.stderr)
        key = self.root / "key.pem"
        subprocess.run(["openssl", "x509", "-inform", "DER", "-in", der, "-pubkey", "-noout",
                        "-out", self.root / "x"], check=True)
        text = subprocess.run(["openssl", "x509", "-inform", "DER", "-in", der, "-pubkey",
                               "-noout"], check=True, capture_output=True).stdout
        key.write_bytes(text)
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", key, "-signature",
                               signature, message], capture_output=True, check=False).returncode

    def test_pkcs11_tool_logs_in_and_signs(self):
        done, message, signature = self.sign(LABEL, "1234", "01")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verify(LABEL, "01", message, signature), 0)
        message.write_bytes(b"another grant")
        self.assertEqual(self.verify(LABEL, "01", message, signature), 1)

    def test_the_signature_key_too(self):
        done, message, signature = self.sign(SIGN_LABEL, "ABC123", "02")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verify(SIGN_LABEL, "02", message, signature, "--login", "--pin",
                                     "ABC123"), 0)

    def test_a_wrong_pin_costs_a_try_and_signs_nothing(self):
        self.assertEqual(self.show()["authentication"]["pin_tries_left"], 3)
        done, _, signature = self.sign(LABEL, "4321", "01")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("CKR_PIN_INCORRECT", done.stdout + done.stderr)
        self.assertFalse(signature.exists() and signature.stat().st_size)
        shown = self.show()
        self.assertEqual(shown["authentication"]["pin_tries_left"], 2)
        self.assertEqual(shown["signature"]["pin_tries_left"], 5)

    def test_what_is_no_such_card_is_said_so(self):
        self.reader.lay(self.root / "other.card")
        with self.assertRaises(CommandFailed) as caught:
            self.show()
        self.assertEqual(caught.exception.code, 3)
        self.assertIn("JPKI", caught.exception.message)


if __name__ == "__main__":
    unittest.main()
