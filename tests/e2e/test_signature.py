"""Signature cards at every gate: an emulated My Number Card, its authority's trust and revocation.

Every site verifies the card's signature for itself, with the certificate that it judged itself. The card is in a
file; the authority is made here, by OpenSSL.
"""

import pathlib
import shutil
import sqlite3
import subprocess
import unittest

from cards import SITES, CardTest
from network import TestNetwork, binary, random_file, wait_until

SIZE = 300_000


class Authority:
    """A certificate authority of emulated cards."""

    def __init__(self, folder, name="EMULATED AUTHORITY, E2E"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.certificate, self.key = self.folder / "ca.pem", self.folder / "ca.key"
        (self.folder / "index.txt").write_text("")
        (self.folder / "crlnumber").write_text("01\n")
        (self.folder / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/index.txt\n"
            f"crlnumber={self.folder}/crlnumber\ndefault_md=sha256\ndefault_crl_days=30\n")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj",
                     f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                     "-keyout", self.key, "-out", self.certificate)

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    def ca(self, *arguments):
        self.openssl("ca", "-config", self.folder / "ca.cnf", "-cert", self.certificate,
                     "-keyfile", self.key, *arguments)

    def write_list(self, path):
        new = path.with_suffix(".new")
        self.ca("-gencrl", "-out", new)
        new.rename(path)

    def revoke(self, certificate):
        self.ca("-revoke", certificate)


def make_card(path, pin_file, signature_pin_file, authority=None):
    by = [] if authority is None else ["--authority", authority.certificate, "--authority-key",
                                       authority.key]
    subprocess.run([binary(), "card", "make-jpki", path, "--pin-file", pin_file,
                    "--signature-pin-file", signature_pin_file, *map(str, by)], check=True,
                   capture_output=True)


def set_cards(network, lines, sites=SITES):
    """Settings in [cards] of the sites' configurations, instead of those set here before."""
    for site in sites:
        config = network.site(site) / "site.toml"
        text = config.read_text()
        if "[cards]" not in text:
            text += "\n[cards]\n"
        head, _, tail = text.partition("[cards]\n")
        kept = [line for line in tail.splitlines() if not line.endswith("# test")]
        config.write_text("\n".join([head + "[cards]", *(f"{line} # test" for line in lines),
                                     *kept]) + "\n")


class SignatureCards(CardTest):
    """Sites that trust one authority of emulated cards, and want its revocation list."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="24M", start=False))
        root = cls.network.root
        (root / "pin").write_text("1234\n")
        (root / "pin2").write_text("ABC123\n")
        (root / "wrong").write_text("4321\n")
        cls.authority = Authority(root / "authority")
        cls.list = root / "cards.crl"
        cls.authority.write_list(cls.list)
        set_cards(cls.network, [f'test_anchors = ["{cls.authority.certificate}"]',
                                f'revocation_lists = ["{cls.list}"]', 'reissue_delay = "0s"'])
        cls.network.up()

    def new_card(self, name, authority="own"):
        path = self.network.root / f"{name}.card"
        make_card(path, self.network.root / "pin", self.network.root / "pin2",
                  self.authority if authority == "own" else authority)
        return path

    def enrol(self, person, card, pin="pin"):
        return self.network.enrol(person, f"Person {person}", card, self.network.root / pin,
                                  card_type="jpki")

    def consent(self, stored, card, pin="pin", **settings):
        return self.network.consent(stored, card, self.network.root / pin, **settings)

    def new_person(self, name):
        card = self.new_card(name)
        self.enrol(name, card)
        plain = random_file(self.network.root / name, SIZE, seed=len(name) * 7)
        stored = self.network.store(self.network.root / name, name)["object"]
        self.wait_until_kept()
        return card, plain, stored

    def certificate(self, card):
        """The card's certificate as the control site's gate keeps it, in a file."""
        memory = card.read_bytes()
        at = memory.index(b"\x30\x82")
        while b"EMULATED CARD" not in memory[at:at + 600]:
            at = memory.index(b"\x30\x82", at + 1)
        out = card.with_suffix(".der")
        out.write_bytes(memory[at:at + 4 + int.from_bytes(memory[at + 2:at + 4], "big")])
        pem = card.with_suffix(".pem")
        self.authority.openssl("x509", "-inform", "DER", "-in", out, "-out", pem)
        return pem

    def test_enrol_store_consent_restore(self):
        card = self.new_card("P-S1")
        enrolled = self.enrol("P-S1", card)
        self.assertEqual(enrolled["card"], "emulated")
        self.assertEqual(enrolled["card_type"], "jpki")
        self.assertEqual(enrolled["security"], "computational")
        self.assertEqual(sorted(enrolled["sites"]), sorted(SITES))
        plain = random_file(self.network.root / "P-S1", SIZE)
        # The card has nothing to do with the storing; share control must know the record still.
        stored = self.network.store(self.network.root / "P-S1", "P-S1")["object"]
        self.wait_until_kept()
        self.assertEqual(self.ask("object", "show", stored)["card_record"], "in_safekeeping")
        with sqlite3.connect(self.network.data("tommo") / "catalog.db") as catalog:
            (kept,) = catalog.execute("SELECT sum(length(sealed_secret)) FROM job WHERE "
                                      "object_id = ?", (bytes.fromhex(stored),)).fetchone()
        self.assertEqual(kept, 0, "share control keeps the hash key")
        given = self.consent(stored, card, uses=2)
        self.assertEqual(given["card_kind"], "signature_emulated")
        self.assertEqual(given["security"], "computational")
        self.assertEqual(given["holder_verification"], "pin_as_issued")
        self.assertEqual(given["missing"], [])
        grant = given["grant"]
        self.restored(plain, stored, grant)
        self.restored(plain, stored, grant)
        out = self.network.root / "third"
        self.assert_fails(4, "used up", self.network.restore, stored, grant, out)
        for site in given["sites"]:
            proved = [one for one in self.events(site, "card_proved") if grant in str(one)]
            self.assertEqual(len(proved), 1, site)
            self.assertEqual(proved[0]["fields"]["security"], "computational")
            self.assertEqual(proved[0]["fields"]["revocation"], "good")
        listed = next(one for one in self.ask("consent", "list")["consents"]
                      if one["grant"] == grant)
        self.assertEqual(listed["security"], "computational")
        self.assertIn("signature", str(self.network.explain(stored)["computational"]))
        self.check_receipt(grant)

    def check_receipt(self, grant):
        """OpenSSL alone verifies what the receipt holds."""
        evidence = self.ask("consent", "receipt", grant)["evidence"]
        self.assertEqual((evidence["security"], evidence["simulated"]), ("computational", True))
        folder = self.network.root
        for name in ("grant", "signature", "certificate"):
            (folder / f"receipt.{name}").write_bytes(bytes.fromhex(evidence[name]))
        key = self.authority.openssl("x509", "-inform", "DER", "-in",
                                     folder / "receipt.certificate", "-pubkey", "-noout").stdout
        (folder / "receipt.key").write_bytes(key)
        self.authority.openssl("dgst", "-sha256", "-verify", folder / "receipt.key", "-signature",
                               folder / "receipt.signature", folder / "receipt.grant")

    def test_the_last_try_of_a_pin_is_not_spent(self):
        card = self.new_card("P-S2")
        for _ in range(2):
            self.assert_fails(4, "wrong PIN", self.enrol, "P-S2", card, "wrong")
        self.assert_fails(4, "only one try", self.enrol, "P-S2", card)
        shown = self.network.warifu.ask("card", "show", "--card", card)
        self.assertEqual((shown["type"], shown["pin_tries_left"]), ("signature", 1))
        self.assert_fails(3, "P-S2", self.ask, "person", "accesses", "--id", "P-S2")

    def test_a_card_of_another_authority_is_nobodys(self):
        card = self.new_card("P-S3", authority=None)
        self.assert_fails(4, "no authority that this site trusts", self.enrol, "P-S3", card)
        self.assertEqual(self.events("tommo", "enrolment_refused")[-1]["fields"]["reason"],
                         "untrusted_issuer")

    def test_one_card_is_one_person(self):
        card = self.new_card("P-S4")
        self.enrol("P-S4", card)
        self.assert_fails(8, "already belongs to a person", self.enrol, "P-S4b", card)
        other = self.new_card("P-S4c")
        self.assert_fails(8, "already enrolled", self.enrol, "P-S4", other)
        random_file(self.network.root / "P-S4", SIZE)
        stored = self.network.store(self.network.root / "P-S4", "P-S4")["object"]
        self.assert_fails(4, "not enrolled", self.consent, stored, other)

    def test_an_enrolment_that_broke_off_goes_on(self):
        card = self.new_card("P-S5")
        self.network.kill("lsa")
        self.assert_fails(6, "lsa", self.enrol, "P-S5", card)
        self.network.up()
        self.network.kill("tommo")
        self.network.up()
        wait_until(lambda: all(site["up"] if "up" in site else True
                               for site in self.network.status()["sites"]), 30, "the sites")
        self.enrol("P-S5", card)

    def test_a_card_that_signs_names_a_proxy_whose_card_signs(self):
        card, plain, stored = self.new_person("P-SA")
        proxy = self.new_card("P-SB")
        self.enrol("P-SB", proxy)
        self.assert_fails(4, "may not consent to this as proxy", self.consent, stored, proxy,
                          capacity="proxy")
        named = self.ask("person", "proxy", "add", "--id", "P-SA", "--proxy", "P-SB", "--card", card,
                         "--pin-file", self.network.root / "pin", "--yes")
        self.assertEqual((sorted(named["told"]), named["refused"]), (sorted(SITES), []))
        grant = self.consent(stored, proxy, capacity="proxy")["grant"]
        self.restored(plain, stored, grant)
        self.ask("person", "proxy", "remove", "--id", "P-SA", "--proxy", "P-SB")
        self.assert_no_restore(stored, grant, "may not consent to this as proxy|used up")
        self.restored(plain, stored, self.consent(stored, card)["grant"])

    def test_a_site_that_lost_its_gate_takes_the_card_again(self):
        card, plain, stored = self.new_person("P-SC")
        renew = ["person", "renew-card", "--at", "lsa", "--card", card, "--pin-file",
                 self.network.root / "pin"]
        self.network.kill("lsa")
        shutil.rmtree(self.network.data("lsa") / "gate")
        self.network.up()
        given = self.consent(stored, card)
        self.assertEqual([one["site"] for one in given["missing"]], ["lsa"])
        stranger = self.new_card("P-SD")
        self.assert_fails(3, ".", self.ask, *renew[:4], "--card", stranger,
                          *renew[6:])
        self.assertEqual(self.ask(*renew)["keys"], 0)
        given = self.consent(stored, card)
        self.assertEqual(given["missing"], [])
        self.restored(plain, stored, given["grant"], using="A,B")
        # It counts there from now on like anywhere else.
        self.consent(stored, card)
        self.assert_fails(8, "enrolled already", self.ask, *renew)

    def test_a_revoked_certificate_is_refused_at_once(self):
        card, plain, stored = self.new_person("P-S6")
        self.restored(plain, stored, self.consent(stored, card)["grant"])
        self.authority.revoke(self.certificate(card))
        self.authority.write_list(self.list)
        self.assert_fails(4, "revoked", self.consent, stored, card)
        reasons = [one["fields"]["reason"] for site in SITES for one in self.events(site, "refused")
                   if "reason" in one["fields"]]
        self.assertIn("certificate_revoked", reasons)
        # A list that is damaged, and one that is away, say nothing good.
        other = self.new_card("P-S6b")
        good = self.list.read_bytes()
        self.list.write_bytes(good[:200] + b"!" + good[201:])
        self.assert_fails(4, "revocation list", self.enrol, "P-S6b", other)
        self.list.unlink()
        self.assert_fails(4, "no revocation list", self.enrol, "P-S6b", other)
        self.list.write_bytes(good)
        self.enrol("P-S6b", other)

    def test_a_lost_card_and_its_successor(self):
        card, plain, stored = self.new_person("P-S7")
        grant = self.consent(stored, card, uses=5)["grant"]
        self.restored(plain, stored, grant)
        revoked = self.ask("card", "revoke", "--person", "P-S7", "--yes")["card"]
        out = self.network.root / "refused"
        self.assert_fails(4, "withdrawn|revoked", self.network.restore, stored, grant, out)
        second = self.new_card("P-S7b")
        reissue = ("person", "reissue", "--id", "P-S7", "--pin-file", self.network.root / "pin",
                   "--card", second)
        self.assert_fails(4, "allow-reissue", self.ask, *reissue)
        for site in SITES:
            self.ask("card", "allow-reissue", revoked, site=site)
        self.ask(*reissue)
        self.restored(plain, stored, self.consent(stored, second)["grant"])
        self.assert_fails(4, "hot list|another person", self.consent, stored, card)

    def test_withdrawal_and_other_objects(self):
        card, plain, stored = self.new_person("P-S8")
        grant = self.consent(stored, card, uses=5)["grant"]
        self.restored(plain, stored, grant)
        random_file(self.network.root / "second", SIZE, seed=9)
        other = self.network.store(self.network.root / "second", "P-S8")["object"]
        out = self.network.root / "refused"
        self.assert_fails((2, 4), "another object|is for object", self.network.restore, other,
                          grant, out)
        self.ask("consent", "withdraw", grant)
        self.assert_fails(4, "withdrawn", self.network.restore, stored, grant, out)

    def test_trust_is_each_sites_own(self):
        card, plain, stored = self.new_person("P-S9")
        stranger = Authority(self.network.root / "stranger", "EMULATED STRANGER")
        self.network.down()
        set_cards(self.network, [f'test_anchors = ["{stranger.certificate}"]',
                                 f'revocation_lists = ["{self.list}"]'], sites=["lsa"])
        self.network.up()
        try:
            self.assert_fails(4, "lsa.*no authority", self.consent, stored, card)
        finally:
            self.network.down()
            set_cards(self.network, [f'test_anchors = ["{self.authority.certificate}"]',
                                     f'revocation_lists = ["{self.list}"]',
                                     'reissue_delay = "0s"'], sites=["lsa"])
            self.network.up()
        self.restored(plain, stored, self.consent(stored, card)["grant"])

    def test_settings_that_are_no_good_are_said_so(self):
        config = self.network.root / "site.toml"

        def checked(line):
            text = (self.network.site("lsa") / "site.toml").read_text()
            lines = [one for one in text.splitlines() if not one.endswith("# test")]
            at = lines.index("[cards]")
            config.write_text("\n".join([*lines[:at + 1], line, *lines[at + 1:]]) + "\n")
            return self.network.warifu.ask("site", "check", "--config", config)

        checked(f'test_anchors = ["{self.authority.certificate}"]')
        self.assert_fails(2, "EMULATED", checked,
                          f'trust_anchors = ["{self.authority.certificate}"]')
        self.assert_fails(3, "none.pem", checked, 'trust_anchors = ["/none.pem"]')
        self.assert_fails(2, "no certificate", checked, f'trust_anchors = ["{config}"]')
        self.assert_fails(2, "revocation_missing", checked, 'revocation_missing = "maybe"')
        self.assert_fails(2, "revocation_max_age", checked, 'revocation_max_age = "0s"')


if __name__ == "__main__":
    unittest.main()
