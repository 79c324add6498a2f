"""Operators with names and roles: at the socket by uid, over TLS by certificate, and refused else;
a passphrase and a second person for what cannot be undone."""

import json
import os
import subprocess
import unittest

from network import binary, free_port, NetworkTest, Person, random_file, TestNetwork

from warifu_cli import Network, Warifu

SIZE = 400_000
PEOPLE = {"ito": "hospital", "kagi": "key_operator", "mori": "auditor", "hara": "officer",
          "sato": "biobank", "oda": "officer"}


class Operators(NetworkTest):
    """The control site has operators, the others have none."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="16M", start=False))
        cls.root = cls.network.root
        cls.certs = cls.root / "certs"
        cls.url = f"https://127.0.0.1:{free_port()}"
        cls.prints = {name: cls.make_cert(name, "authority") for name in [*PEOPLE, "stranger"]}
        cls.make_cert("tommo", "authority", "--server", "--host", "127.0.0.1")
        cls.config = cls.network.site("tommo") / "site.toml"
        cls.plain_text = cls.config.read_text()
        cls.config.write_text(cls.plain_text + cls.settings())
        for name in ("desk", "sato", "hara", "oda"):
            (cls.root / f"{name}.phrase").write_text(f"the long words of {name}\n")
            code, _, error = cls.network.warifu.call(
                "operator", "passphrase", name, "--config", cls.config, "--passphrase-file",
                cls.root / f"{name}.phrase")
            assert code == 0, error
        cls.network.up()
        cls.person = Person(cls.network, "P-001", keys=20)
        cls.plain = random_file(cls.root / "genome", SIZE, seed=7)
        cls.stored = cls.person.store(cls.root / "genome")["object"]

    @classmethod
    def make_cert(cls, name, authority, *options):
        made = Warifu(binary()).ask("operator", "make-cert", name, "--authority",
                                    cls.root / authority, "--out", cls.certs, *options)
        return made["fingerprint"]

    @classmethod
    def settings(cls):
        address = cls.url.removeprefix("https://")
        text = (f'\n[operators]\nlisten = "{address}"\ncertificate = "{cls.certs}/tommo.pem"\n'
                f'key = "{cls.certs}/tommo.key"\nca = "{cls.certs}/ca.pem"\n'
                f'two_person = true\nsecond_factor = true\n'
                f'\n[[operators.accounts]]\nname = "desk"\nroles = ["biobank"]\n'
                f'users = [{os.getuid()}]\n')
        for name, role in PEOPLE.items():
            text += (f'\n[[operators.accounts]]\nname = "{name}"\nroles = ["{role}"]\n'
                     f'certificates = ["{cls.prints[name]}"]\n')
        return text

    def as_operator(self, name, *arguments):
        """One command over TLS, with that operator's certificate."""
        return self.network.warifu.ask(*arguments, "--url", self.url, *self.shown(name))

    def shown(self, name):
        return ("--cert", self.certs / f"{name}.pem", "--cert-key", self.certs / f"{name}.key",
                "--ca", self.certs / "ca.pem")

    def at_socket(self, *arguments, site="tommo"):
        return self.network.warifu.ask(*arguments, "--site", self.network.site(site))

    def phrase(self, name):
        return ("--passphrase-file", self.root / f"{name}.phrase")

    def records(self, event):
        listed = self.as_operator("mori", "audit", "list")["records"]
        return [record["fields"] for record in listed if record["event"] == event]

    def test_fingerprints_are_those_of_openssl(self):
        shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in",
                                self.certs / "ito.pem"], capture_output=True, text=True, check=True)
        self.assertEqual(shown.stdout.strip().split("=")[1].replace(":", "").lower(),
                         self.prints["ito"])

    def test_the_site_says_who_works_with_it(self):
        listed = self.as_operator("kagi", "operator", "list")
        self.assertFalse(listed["single_operator"])
        self.assertEqual({one["name"]: one["roles"] for one in listed["operators"]},
                         {"desk": ["biobank"], **{name: [role] for name, role in PEOPLE.items()}})
        self.assertEqual(self.as_operator("ito", "operator", "whoami")["name"], "ito")
        self.assertEqual(self.at_socket("operator", "whoami")["name"], "desk")

    def test_single_operator_mode_is_said_loudly(self):
        code, text, _ = self.network.warifu.call("site", "check", "--config",
                                                 self.network.site("lsa") / "site.toml")
        self.assertEqual(code, 0)
        self.assertIn("single-operator mode", text)
        code, text, _ = self.network.warifu.call("net", "status", "--net", self.network.folder)
        self.assertIn("5 of 6 sites: single-operator mode", text)
        code, text, _ = self.network.warifu.call("site", "check", "--config", self.config)
        self.assertIn("  ito: hospital", text)
        self.assertNotIn("single-operator", text)
        self.assertIn("single-operator mode", self.network.logs()["lsa"].read_text())
        self.assertNotIn("single-operator mode", self.network.logs()["tommo"].read_text())
        self.assertTrue(self.at_socket("operator", "whoami", site="lsa")["single_operator"])

    def test_a_hospital_restores_from_its_own_machine_and_the_log_names_everybody(self):
        grant = self.as_operator("ito", "consent", "give", "--object", self.stored, "--purpose",
                                 "medicine", "--grantee", "Dr. Ito", "--yes", "--card",
                                 self.person.card, "--pin-file", self.person.pin_file)["grant"]
        out = self.root / "restored"
        self.as_operator("ito", "restore", self.stored, "--grant", grant, "--out", out,
                         "--as", "Dr. Ito")
        self.assert_same_bytes(out, self.plain)
        for event, name in (("person_enrolled", "desk"), ("job_ordered", "desk"),
                            ("consent_given", "ito"), ("restored", "ito")):
            self.assertIn(name, [fields.get("operator") for fields in self.records(event)], event)
        acts = self.records("operator_act")
        self.assertIn({"act": "POST /v1/restores", "operator": "ito"}, acts)
        self.assertIn("GET /v1/restores/{job}/content", [fields["act"] for fields in acts])

    def test_exports_name_the_operators(self):
        shown = ("--url", self.url, *self.shown("mori"))
        code, text, _ = self.network.warifu.call("audit", "export", "--format", "fhir", *shown)
        self.assertEqual(code, 0)
        agents = [agent["who"]["identifier"]["value"] for entry in json.loads(text)["entry"]
                  for agent in entry["resource"]["agent"] if "identifier" in agent.get("who", {})]
        self.assertIn("desk", agents)
        _, text, _ = self.network.warifu.call("audit", "export", "--format", "dicom", *shown)
        self.assertIn('UserID="operator:desk"', text)

    def test_the_wrong_role_is_refused_named_and_in_the_log(self):
        self.assert_fails(4, "POST /v1/objects/{object}/delete needs the role biobank, which ito "
                          "does not have", self.as_operator, "ito", "object", "delete",
                          self.stored, "--yes")
        self.assert_fails(4, "needs the role officer", self.as_operator, "sato", "audit", "erase",
                          "1", "--reason", "test", "--yes")
        self.assert_fails(4, "needs the role hospital", self.at_socket, "consent", "give",
                          "--object", self.stored, "--purpose", "medicine", "--grantee", "x",
                          "--yes", "--card", self.person.card, "--pin-file", self.person.pin_file)
        self.assert_fails(4, "needs the role biobank", self.as_operator, "ito", "object", "store",
                          self.root / "genome", "--person", "P-001")
        self.assertIn({"operator": "ito", "act": "POST /v1/objects/{object}/delete",
                       "needs": "biobank"}, self.records("operator_refused"))
        self.assertTrue(self.at_socket("object", "check", self.stored)["whole"])

    def test_wrong_certificates(self):
        self.assert_fails(4, "is no operator of this site", self.as_operator, "stranger",
                          "object", "list")
        self.assertIn("unknown", [one["operator"] for one in self.records("operator_refused")])
        self.make_cert("forger", "other_authority")
        # That wrote another ca.pem beside the certificates: name the right one.
        self.make_cert("restores_ca", "authority")
        self.assert_fails(4, "ended the TLS session", self.as_operator, "forger", "object", "list")
        self.assert_fails(2, "with --url also name your --cert file", self.network.warifu.ask,
                          "object", "list", "--url", self.url)
        self.assert_fails(2, "must be https://host:port", self.network.warifu.ask, "object", "list",
                          "--url", "http://127.0.0.1:1", *self.shown("ito"))

    def test_deleting_takes_a_passphrase_and_two_people(self):
        stored = self.person.store(self.root / "genome")["object"]
        delete = ("object", "delete", stored, "--yes")
        self.assert_fails(2, "no terminal to ask for your passphrase", self.at_socket, *delete)
        self.assert_fails(4, "wrong passphrase", self.at_socket, *delete, *self.phrase("sato"))
        proposal = self.at_socket(*delete, *self.phrase("desk"))["proposal"]
        self.assertTrue(self.at_socket("object", "check", stored)["whole"])
        self.network.kill("tommo")
        self.network.up("tommo")
        waiting = self.at_socket("operator", "proposals")["proposals"]
        self.assertEqual([(one["proposal"], one["proposer"], one["target"]) for one in waiting],
                         [(proposal, "desk", f"/v1/objects/{stored}/delete")])
        approve = ("operator", "approve", proposal)
        self.assert_fails(4, "desk's own", self.at_socket, *approve, *self.phrase("desk"))
        self.assert_fails(4, "needs the role biobank", self.as_operator, "hara", *approve,
                          *self.phrase("hara"))
        self.assertTrue(self.at_socket("object", "check", stored)["whole"])
        job = self.as_operator("sato", *approve, *self.phrase("sato"))["job"]
        self.network.wait_for_job(job)
        self.assertEqual({site: held for site, held in self.network.held(stored).items() if held},
                         {})
        self.assert_fails(4, "is done already", self.as_operator, "sato", *approve,
                          *self.phrase("sato"))
        self.assertIn({"job": job, "object": stored, "operator": "desk+sato"},
                      self.records("job_ordered"))
        proposed, approved = self.records("operator_proposed"), self.records("operator_approved")
        self.assertEqual((proposed[0]["operator"], approved[0]["operator"]), ("desk", "sato"))
        self.assertEqual(proposed[0]["digest"], approved[0]["digest"])

    def test_what_is_rejected_is_not_done(self):
        card = self.as_operator("ito", "person", "list")["persons"][0]["card"]
        proposal = self.as_operator("hara", "card", "allow-reissue", card,
                                    *self.phrase("hara"))["proposal"]
        self.as_operator("oda", "operator", "reject", proposal)
        self.assert_fails(4, "is rejected already", self.as_operator, "oda", "operator", "approve",
                          proposal, *self.phrase("oda"))
        self.assertEqual(self.records("reissue_allowed"), [])

    def test_a_configuration_that_names_nobody_is_refused(self):
        wrong = self.root / "wrong.toml"
        for text, message in (
                ("[operators]\n", "nobody could do anything"),
                ("[[operators]]\nname = 'x'\n", r"write \[operators\]"),
                ("[[operators.accounts]]\nname = 'x'\nroles = ['root']\nusers = [1]\n",
                 "'root' is no role"),
                ("[[operators.accounts]]\nname = 'x'\nroles = ['biobank']\n",
                 "cannot be recognised"),
                ("[[operators.accounts]]\nname = 'x'\nroles = ['biobank']\ncertificates = ['12']\n",
                 "no SHA-256 fingerprint")):
            wrong.write_text(self.plain_text + "\n" + text)
            with self.subTest(text=text):
                self.assert_fails(2, message, self.network.warifu.ask, "site", "check", "--config",
                                  wrong)


if __name__ == "__main__":
    unittest.main()
