"""Who may have keys: certificates wrong in many ways, each in every role, at a running site.

A case is one certificate in one role. Only the right ones may pass; every refusal must stand in the
site's log; and whatever was tried, the keys wait for their owners as before. The certificates are made
for this run (certificates.py) and name SAE-tommo-1 in one way or another.
"""

import dataclasses
import http.client
import json
import socket
import ssl
import threading
import time

import certificates as x509
from kms_server import row

GOOD, OTHER, MASTER = "SAE-tommo-1", "SAE-tommo-2", "SAE-lsa-1"
URI = "urn:warifu:sae:"
LOG_PATIENCE = 5  # seconds until a refusal must stand in the log


@dataclasses.dataclass
class Credential:
    name: str
    chain: list = dataclasses.field(default_factory=list)
    key: object = None
    acts_as: str = ""  # the SAE that it rightly is
    tls: object = None  # a TLS version that is insisted on
    spoil: bool = False  # the proof that the client has the key is changed on its way

    def context(self, folder, ca):
        context = ssl.create_default_context(cafile=ca)
        context.set_ciphers("ALL:@SECLEVEL=0")  # the client may be as careless as it likes
        if self.tls:
            context.minimum_version = context.maximum_version = self.tls
        if self.chain:
            path = folder / f"{self.name}.pem"
            path.write_text("".join(one.pem for one in self.chain))
            context.load_cert_chain(path, self.key.path)
        return context


class Forged:
    """A signed certificate in which some bytes were replaced afterwards."""

    def __init__(self, honest, old, new):
        assert len(old) == len(new) and honest.der.count(old) == 1
        self.key = honest.key
        self.der = honest.der.replace(old, new)

    pem = x509.Certificate.pem  # the same text around other bytes


class Authority:
    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.key = x509.Key(folder / "end.key")
        self.other_key = x509.Key(folder / "other.key")
        self.rsa = x509.Key(folder / "rsa.key", "RSA")
        self.small = x509.Key(folder / "small.key", "RSA", 1024)
        self.root = self.authority("Authority of the test", x509.Key(folder / "root.key"))
        self.rsa_root = self.authority("RSA authority of the test", x509.Key(folder / "rsa-root.key", "RSA"))
        self.rogue = self.authority("Other authority", x509.Key(folder / "rogue.key"))

    def authority(self, name, key, issuer=None, below=0):
        return x509.Certificate(key, issuer, common_names=[name], uses=(), ca=below, usage=x509.CERTIFY,
                                ends=240)

    def end(self, issuer=None, key=None, names=(URI + GOOD,), common_names=(GOOD,), **fields):
        names = [x509.uri(one) if isinstance(one, str) else one for one in names]
        return x509.Certificate(key or self.key, issuer or self.root, names=names,
                                common_names=common_names, **fields)

    # --- what is right ---

    def right(self):
        def good(name, acts_as=GOOD, key=None, tls=None, **fields):
            return Credential(name, [self.end(key=key, **fields)], key or self.key, acts_as, tls)
        yield good("right")
        yield good("right_tls_1_2", tls=ssl.TLSVersion.TLSv1_2)
        yield good("right_rsa_2048", key=self.rsa)
        yield good("right_signed_with_rsa", issuer=self.rsa_root)
        yield good("right_without_common_name", common_names=())
        yield good("right_uri_and_another_common_name", common_names=(OTHER,))
        yield good("right_uri_beside_an_unknown_one", names=(URI + GOOD, "urn:example:elsewhere"))
        yield good("right_other_application", OTHER, names=(URI + OTHER,), common_names=(OTHER,))

    # --- what is wrong: who signed it, how, and when ---

    def wrong_chains(self):
        def bad(name, *chain, key=None):
            return Credential(name, list(chain), key or self.key)
        honest = self.end()
        same_name = self.authority("Authority of the test", self.other_key)
        middle = self.authority("Middle", self.other_key, self.rogue)
        below_root = self.authority("Middle below the root", self.other_key, self.root)
        leaf = self.end(key=self.other_key, names=(URI + OTHER,), common_names=(OTHER,))
        yield Credential("no_certificate")
        yield bad("expired", self.end(starts=-48, ends=-1))
        yield bad("not_yet_valid", self.end(starts=24, ends=48))
        yield bad("ends_before_it_starts", self.end(starts=1, ends=-1))
        yield bad("self_signed", x509.Certificate(self.key, common_names=[GOOD], names=[x509.uri(URI + GOOD)]))
        yield bad("other_authority", self.end(self.rogue))
        yield bad("authority_of_the_same_name", self.end(same_name))
        yield bad("authority_of_the_same_name_sent_along", self.end(same_name), same_name)
        yield bad("untrusted_intermediate", self.end(middle), middle, self.rogue)
        yield bad("intermediate_beyond_the_path_length", self.end(below_root), below_root)
        yield bad("signed_by_an_application", self.end(leaf), leaf)
        yield bad("honest_one_behind_a_foreign_one", self.end(self.rogue), honest)
        yield bad("the_authority_itself", self.root, key=self.root.key)
        yield bad("an_authority_with_the_name", x509.Certificate(
            self.key, self.root, common_names=[GOOD], names=[x509.uri(URI + GOOD)], uses=(), ca=0,
            usage=x509.CERTIFY))
        yield bad("changed_signature", Forged(honest, honest.signature[-8:], bytes(8)))
        yield bad("right_certificate_with_another_key_put_in",
                  Forged(self.end(key=self.other_key), self.other_key.public, self.key.public))
        yield Credential("right_certificate_wrong_key", [honest], self.key, tls=ssl.TLSVersion.TLSv1_2,
                         spoil=True)

    def wrong_uses(self):
        def bad(name, key=None, tls=None, **fields):
            return Credential(name, [self.end(key=key, **fields)], key or self.key, tls=tls)
        yield bad("use_server_only", uses=("serverAuth",))
        yield bad("use_code_signing_only", uses=("codeSigning",))
        yield bad("usage_certify_only", usage=x509.CERTIFY)
        yield bad("unknown_critical_extension", extra=[x509.extension("1.3.6.1.4.1.55555.1", b"\x05\0", True)])
        yield bad("key_rsa_1024", key=self.small)
        yield bad("hash_sha1", digest="sha1")
        yield bad("hash_sha1_rsa", issuer=self.rsa_root, digest="sha1")
        yield bad("hash_md5_rsa", issuer=self.rsa_root, digest="md5")
        yield bad("old_tls_1_1", tls=ssl.TLSVersion.TLSv1_1)

    # --- what is wrong: names ---

    def wrong_names(self):
        def bad(name, *names, common_names=(), **fields):
            return Credential(name, [self.end(names=names, common_names=common_names, **fields)], self.key)
        yield bad("unknown_uri", URI + "SAE-nobody", common_names=("SAE-nobody",))
        yield bad("unknown_uri_known_common_name", URI + "SAE-nobody", common_names=(GOOD,))
        yield bad("common_name_only", common_names=(GOOD,))
        yield bad("uri_as_common_name", common_names=(URI + GOOD,))
        yield bad("two_uris_of_two_applications", URI + GOOD, URI + OTHER)
        yield bad("two_common_names", URI + GOOD, common_names=(GOOD, OTHER))
        yield bad("no_name_at_all")
        yield bad("empty_common_name", common_names=("",))
        yield bad("empty_common_name_beside_the_uri", URI + GOOD, common_names=("",))
        yield bad("nul_in_the_uri", x509.uri(URI.encode() + GOOD.encode() + b"\0.evil"))
        yield bad("nul_in_the_common_name", URI + GOOD, common_names=(GOOD.encode() + b"\0evil",))
        yield bad("line_break_in_the_uri", x509.uri(URI + GOOD + "\n"))
        yield bad("cyrillic_letter_in_the_uri", x509.uri((URI + GOOD.replace("o", "\u043e")).encode()))
        yield bad("wide_letters_in_the_uri", x509.uri((URI + GOOD.replace("1", "\uff11")).encode()))
        yield bad("invisible_space_in_the_uri", x509.uri((URI + GOOD + "\u200b").encode()))
        yield bad("uri_in_capitals", (URI + GOOD).upper())
        yield bad("space_behind_the_uri", URI + GOOD + " ")
        yield bad("escapes_in_the_uri", URI + GOOD.replace("-", "%2D"))
        yield bad("wildcard_uri", URI + "*")
        yield bad("longer_uri", URI + GOOD + "0")
        yield bad("shorter_uri", (URI + GOOD)[:-1])
        yield bad("uri_as_dns_name", x509.dns(URI + GOOD))
        yield bad("uri_as_mail_address", x509.email(URI + GOOD))
        yield bad("application_of_another_site", URI + MASTER, common_names=(MASTER,))
        yield bad("the_site_itself", "urn:warifu:kme:tommo", common_names=("KME-tommo",))


class Spoiler:
    """Passes a TLS 1.2 handshake on and changes the client's CertificateVerify: what comes out is the right
    certificate with a signature by another key."""

    def __init__(self, port):
        self.port = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, socket.create_connection(("127.0.0.1", self.port)) as server:
                back = threading.Thread(target=self.copy, args=(server, client), daemon=True)
                back.start()
                self.copy_records(client, server)
                back.join(10)

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def copy_records(source, target):
        encrypted = False
        try:
            with source.makefile("rb") as stream:
                while head := stream.read(5):
                    body = bytearray(stream.read(int.from_bytes(head[3:5], "big")))
                    encrypted = encrypted or head[0] == 20
                    if head[0] == 22 and not encrypted:
                        Spoiler.spoil(body)
                    target.sendall(head + body)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    @staticmethod
    def spoil(record):
        """Handshake messages in a record; of a CertificateVerify (15) the last byte is changed."""
        at = 0
        while at + 4 <= len(record):
            end = at + 4 + int.from_bytes(record[at + 1:at + 4], "big")
            if record[at] == 15:
                record[end - 1] ^= 1
            at = end

    def close(self):
        self.listener.close()


class Matrix:
    """A site under test, with an authority of this run in place of its own."""

    def __init__(self, pair):
        self.pair = pair
        self.folder = pair.root / "identities"
        self.authority = Authority(self.folder)
        self.server_ca = pair.folder / "saes" / "ca.pem"
        self.port = pair.port("tommo")
        self.log = pair.logs()["tommo"]
        self.spoiler = None
        self.failures = []
        self.cases = 0

    def trust_our_authority(self):
        """The site takes clients of the run's authorities only; it is started again."""
        (self.pair.site("tommo") / "kms" / "ca.pem").write_text(
            self.authority.root.pem + self.authority.rsa_root.pem)
        self.pair.down("tommo")
        self.pair.up("tommo")

    def keys_of(self, master, slave, number):
        """Keys that wait at tommo: made by an application of lsa, whose certificates are as they were."""
        saes = self.pair.folder / "saes"
        context = ssl.create_default_context(cafile=self.server_ca)
        context.load_cert_chain(saes / f"{master}.pem", saes / f"{master}.key")
        code, answer = self.ask(context, self.pair.port("lsa"), "POST", f"{slave}/enc_keys",
                                {"number": number})
        if code != 200:
            raise RuntimeError(f"no keys to try with: {answer}")
        return [key["key_ID"] for key in answer["keys"]]

    @staticmethod
    def ask(context, port, method, path, body=None):
        """(status, answer), or ("tls", reason) when the site ends the connection without an answer."""
        connection = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        try:
            connection.request(method, "/api/v1/keys/" + path, body=body and json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (ssl.SSLError, ConnectionError, http.client.BadStatusLine) as failure:
            return "tls", str(failure)
        finally:
            connection.close()

    def roles(self, mine, others):
        """(role, who may, request): `mine` is a key for SAE-tommo-1, `others` one for SAE-tommo-2."""
        def dec(key_id):
            return {"key_IDs": [{"key_ID": key_id}]}
        return [("status", {GOOD, OTHER}, ("GET", f"{MASTER}/status")),
                ("master", {GOOD, OTHER}, ("POST", f"{MASTER}/enc_keys", {"number": 1})),
                ("third", {OTHER}, ("POST", f"{MASTER}/dec_keys", dec(others))),
                ("other_master_in_url", set(), ("POST", "SAE-lsa-2/dec_keys", dec(mine))),
                ("slave", {GOOD}, ("POST", f"{MASTER}/dec_keys", dec(mine)))]

    def try_one(self, credential, role, allowed, request):
        self.cases += 1
        start = self.log.stat().st_size
        port = self.port
        if credential.spoil:
            self.spoiler = self.spoiler or Spoiler(self.port)
            port = self.spoiler.own_port
        code, answer = self.ask(credential.context(self.folder, self.server_ca), port, *request)
        passed = code == 200
        wanted = credential.acts_as in allowed
        if passed != wanted or (not passed and code not in ("tls", 401)):
            self.failures.append({"certificate": credential.name, "role": role, "code": code,
                                  "answer": "" if passed else answer})
        elif not passed and not self.is_logged(start):
            self.failures.append({"certificate": credential.name, "role": role, "code": code,
                                  "answer": "the site's log does not tell"})
        return passed

    def is_logged(self, start):
        end = time.monotonic() + LOG_PATIENCE
        while time.monotonic() < end:
            with open(self.log, "rb") as log:
                log.seek(start)
                if b"refused" in log.read():
                    return True
            time.sleep(0.005)
        return False

    def run(self, only=None):
        """Every certificate in every role; how many of them were wrong. `only`: names of certificates."""
        self.trust_our_authority()
        def chosen(credentials):
            return [one for one in credentials if only is None or one.name in only]
        wrong = chosen([*self.authority.wrong_chains(), *self.authority.wrong_uses(),
                        *self.authority.wrong_names()])
        mine, others = (self.keys_of(MASTER, sae, 1)[0] for sae in (GOOD, OTHER))
        for credential in wrong:
            for role, allowed, request in self.roles(mine, others):
                self.try_one(credential, role, allowed, request)
        # The same two keys are still there for those whom they are for; a given one is replaced.
        for credential in chosen(self.authority.right()):
            for role, allowed, request in self.roles(mine, others):
                if self.try_one(credential, role, allowed, request):
                    mine = self.keys_of(MASTER, GOOD, 1)[0] if role == "slave" else mine
                    others = self.keys_of(MASTER, OTHER, 1)[0] if role == "third" else others
        if self.spoiler:
            self.spoiler.close()
        return len(wrong)


def rows(pair):
    matrix = Matrix(pair)
    wrong = matrix.run()
    failures = len(matrix.failures)
    note = f"{wrong} kinds of wrong certificates in 5 roles; {failures} failures"
    if failures:
        first = matrix.failures[0]
        note += f"; first: {first['certificate']} as {first['role']}: {first['code']} {first['answer']}"
    yield row("identity_matrix", matrix.cases, "cases", matrix.cases, failures == 0 and wrong >= 20, note,
              wrong_certificates=wrong, failures=matrix.failures)
