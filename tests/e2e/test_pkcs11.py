"""PKCS #11 tokens as a person's card: any module, in a process of its own.

SoftHSM with keys of three kinds, OpenSC's module with an emulated My Number Card under pcscd, and modules that
crash, hang or are none.
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import unittest
from unittest import mock

from cards import reader_or_skip
from network import NetworkTest, TestNetwork, binary, random_file
from test_signature import Authority, make_card, set_cards

from virtual_reader import WarifuAtReader
from warifu_cli import options

SIZE = 300_000
SOFTHSM = "/usr/lib/softhsm/libsofthsm2.so"
OPENSC = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
BAD_MODULE = r"""
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static CK_RV initialize(void* unused) {
  const char* how = getenv("BAD_MODULE");
  if (strcmp(how, "crash") == 0) *(volatile int*)0 = 1;
  if (strcmp(how, "hang") == 0) for (;;) pause();
  if (strcmp(how, "exit") == 0) _exit(7);
  if (strcmp(how, "network") == 0) return socket(AF_INET, SOCK_STREAM, 0) < 0 ? 0x333 : CKR_OK;
  if (strcmp(how, "read") == 0) return open(getenv("BAD_FILE"), O_RDONLY) < 0 ? 0x666 : CKR_OK;
  if (strcmp(how, "write") == 0) return creat("/tmp/warifu-bad", 0600) < 0 ? 0x777 : CKR_OK;
  if (strcmp(how, "program") == 0) return system("true") == 0 ? CKR_OK : 0x444;
  return 0x555;
}
static CK_FUNCTION_LIST list;
CK_RV C_GetFunctionList(CK_FUNCTION_LIST** out) {
  list.C_Initialize = initialize;
  *out = &list;
  return CKR_OK;
}
"""


class SoftToken:
    """A SoftHSM token with a key pair and a certificate by an authority."""

    def __init__(self, folder, label, key_type, authority, extension="clientAuth"):
        self.label = label
        folder.mkdir()
        key, request, certificate = folder / "key.pem", folder / "csr", folder / "certificate"
        kind = {"rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
                "p256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                "p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]}[key_type]
        authority.openssl("genpkey", "-algorithm", *kind, "-out", key)
        authority.openssl("req", "-new", "-key", key, "-subj", f"/CN={label}", "-out", request)
        (folder / "extensions").write_text(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
            f"extendedKeyUsage={extension}\n")
        authority.openssl("x509", "-req", "-in", request, "-CA", authority.certificate, "-CAkey",
                          authority.key, "-CAcreateserial", "-days", "30", "-extfile",
                          folder / "extensions", "-outform", "DER", "-out", certificate)
        authority.openssl("pkey", "-in", key, "-outform", "DER", "-out", folder / "key.der")
        self.run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "123456",
                 "--so-pin", "12345678")
        for what, file in (("cert", certificate), ("privkey", folder / "key.der")):
            self.run("pkcs11-tool", "--module", SOFTHSM, "--token-label", label, "--login", "--pin",
                     "123456", "--write-object", file, "--type", what, "--id", "01")

    @staticmethod
    def run(*arguments):
        subprocess.run([*map(str, arguments)], check=True, capture_output=True)


class Tokens(NetworkTest):
    """People whose card is a token."""

    @classmethod
    def setUpClass(cls):
        for needed in (shutil.which("softhsm2-util"), shutil.which("pkcs11-tool"),
                       os.path.exists(SOFTHSM)):
            if not needed:
                raise unittest.SkipTest("softhsm2 and opensc are needed")
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M", start=False))
        root = cls.network.root
        cls.hsm = root / "hsm"
        (cls.hsm / "tokens").mkdir(parents=True)
        (cls.hsm / "softhsm.conf").write_text(f"directories.tokendir = {cls.hsm}/tokens\n"
                                              "log.level = ERROR\n")
        cls.enterClassContext(mock.patch.dict(
            os.environ, {"SOFTHSM2_CONF": str(cls.hsm / "softhsm.conf")}))
        (root / "pin").write_text("123456\n")
        (root / "wrong").write_text("654321\n")
        cls.authority = Authority(root / "authority")
        set_cards(cls.network, [f'test_anchors = ["{cls.authority.certificate}"]',
                                'revocation_missing = "accept"'])
        cls.network.up()

    def token(self, label, key_type="rsa", **settings):
        return SoftToken(self.network.root / label, label, key_type, self.authority, **settings)

    def enrol(self, person, label, pin="pin", module=SOFTHSM, **settings):
        return self.network.warifu.ask("person", "enrol", *options(
            site=self.network.site("tommo"), id=person, name=person, card_type="pkcs11",
            module=module, module_files=self.hsm, token_label=label,
            pin_file=self.network.root / pin, **settings))

    def works(self, person, label, warifu=None, **settings):
        """Stores, consents by the token, restores."""
        plain = random_file(self.network.root / person, SIZE)
        stored = self.network.store(self.network.root / person, person)["object"]
        given = (warifu or self.network.warifu).ask("consent", "give", *options(
            site=self.network.site("tommo"), object=stored, purpose="health", grantee="Dr. Sato",
            token_label=label, yes=True, **settings))
        out = self.network.root / f"{person}.out"
        self.network.restore(stored, given["grant"], out)
        self.assert_same_bytes(out, plain)
        return given

    def test_keys_of_every_kind(self):
        for key_type, scheme in (("rsa", "rsa_pkcs1_sha256"), ("p256", "ecdsa_p256_sha256"),
                                 ("p384", "ecdsa_p384_sha384")):
            with self.subTest(key_type):
                self.token(key_type, key_type)
                shown = self.network.warifu.ask("card", "show", "--module", SOFTHSM,
                                                "--module-files", self.hsm, "--token-label",
                                                key_type)
                self.assertEqual((shown["scheme"], shown["application"]), (scheme, "pkcs11"))
                self.assertEqual(shown["file_sandbox"], has_landlock())
                enrolled = self.enrol(f"P-{key_type}", key_type)
                self.assertEqual(enrolled["card_type"], "pkcs11")
                given = self.works(f"P-{key_type}", key_type, module=SOFTHSM, module_files=self.hsm,
                                   pin_file=self.network.root / "pin")
                self.assertEqual(given["card_kind"], "signature_emulated")

    def test_wrong_tokens_and_pins(self):
        self.token("first")
        self.token("second")
        self.token("server", extension="serverAuth")
        self.assert_fails(3, "no token 'none'.*'first'", self.enrol, "P-1", "none")
        self.assert_fails(2, "several tokens", self.enrol, "P-1", None)
        self.assert_fails(3, "id 0b", self.enrol, "P-1", "first", key_id="0b")
        self.assert_fails(2, "key-id", self.enrol, "P-1", "first", key_id="0")
        self.assert_fails(4, "wrong PIN", self.enrol, "P-1", "first", pin="wrong")
        self.assert_fails(4, "another use", self.enrol, "P-1", "server")
        self.assert_fails(2, "go together", self.network.enrol, "P-1", "P", "x.card",
                          self.network.root / "pin", card_type="pkcs11")
        self.enrol("P-1", "first", key_id="01")
        random_file(self.network.root / "P-1", SIZE)
        stored = self.network.store(self.network.root / "P-1", "P-1")["object"]
        self.assert_fails(4, "not enrolled", self.network.warifu.ask, "consent", "give", *options(
            site=self.network.site("tommo"), object=stored, purpose="health", grantee="Dr. Sato",
            module=SOFTHSM, module_files=self.hsm, token_label="second",
            pin_file=self.network.root / "pin", yes=True))

    def test_a_module_that_is_no_good_costs_the_command_and_nothing_else(self):
        source, module = self.network.root / "bad.c", self.network.root / "bad.so"
        source.write_text(BAD_MODULE)
        subprocess.run(["gcc", "-shared", "-fPIC", "-I/usr/include/p11-kit-1", "-o", module,
                        source], check=True)
        show = ("card", "show", "--module", module, "--wait", "1s")
        for how, code, message in (("crash", 6, "signal 11"), ("hang", 6, "did not answer in 1 s"),
                                   ("exit", 6, "code 7"),
                                   ("network", 6, f"error {0x333}"),
                                   ("program", 6, f"error {0x444}")):
            with self.subTest(how), mock.patch.dict(os.environ, {"BAD_MODULE": how}):
                self.assert_fails(code, message, self.network.warifu.ask, *show)
        # Files of who runs it, and new ones: closed, where the kernel can do it.
        if has_landlock():
            for how, error in (("read", 0x666), ("write", 0x777)):
                with self.subTest(how), mock.patch.dict(os.environ, {
                        "BAD_MODULE": how, "BAD_FILE": str(self.hsm / "softhsm.conf")}):
                    self.assert_fails(6, f"error {error}", self.network.warifu.ask, *show)
        self.assert_fails(3, "'nowhere'", self.network.warifu.ask, *show, "--module-files",
                          "nowhere")
        self.assert_fails(3, "cannot be loaded", self.network.warifu.ask, "card", "show", "--module",
                          source)
        self.assert_fails(3, "no PKCS #11 module", self.network.warifu.ask, "card", "show",
                          "--module", "libz.so.1")
        left = [path for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
                if str(module).encode() in read_quietly(path)]
        self.assertEqual(left, [], "a helper process is left")

    def test_a_my_number_card_through_opensc(self):
        if not os.path.exists(OPENSC):
            self.skipTest("opensc-pkcs11 is not installed")
        root = self.network.root
        card = root / "jpki.card"
        (root / "pin4").write_text("1234\n")
        (root / "pin6").write_text("ABC123\n")
        make_card(card, root / "pin4", root / "pin6", self.authority)
        reader = reader_or_skip(self.enterContext)
        reader.lay(card)
        warifu = WarifuAtReader(binary(), reader)
        label = "JPKI (User Authentication PIN)"
        where = {"module": OPENSC, "pin_file": root / "pin4"}
        warifu.ask("person", "enrol", *options(
            site=self.network.site("tommo"), id="P-J", name="J", card_type="pkcs11",
            token_label=label, **where))
        self.works("P-J", label, warifu, **where)
        # The same card at the reader itself is the same card.
        shown = warifu.ask("card", "show", "--card", "pcsc")
        self.assertEqual(shown["application"], "jpki")
        listed = self.network.warifu.ask("person", "list", "--site", self.network.site("tommo"))
        self.assertIn(shown["card_id"], str(listed))


def has_landlock():
    create_ruleset, of_version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, of_version) >= 1


def read_quietly(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    unittest.main()
