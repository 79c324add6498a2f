"""X.509 certificates as wrong as one likes, written field by field; keys and signatures by openssl.

An honest tool refuses to make most of what a server has to refuse. DER as of X.690, fields as of RFC 5280.
"""

import base64
import datetime
import pathlib
import subprocess

OIDS = {"CN": "2.5.4.3", "subjectAltName": "2.5.29.17", "basicConstraints": "2.5.29.19",
        "keyUsage": "2.5.29.15", "extKeyUsage": "2.5.29.37", "clientAuth": "1.3.6.1.5.5.7.3.2",
        "serverAuth": "1.3.6.1.5.5.7.3.1", "codeSigning": "1.3.6.1.5.5.7.3.3"}
SIGNATURES = {("EC", "sha256"): "1.2.840.10045.4.3.2", ("EC", "sha1"): "1.2.840.10045.4.1",
              ("RSA", "sha256"): "1.2.840.113549.1.1.11", ("RSA", "sha1"): "1.2.840.113549.1.1.5",
              ("RSA", "md5"): "1.2.840.113549.1.1.4"}
SIGN_ONLY, CERTIFY = 0x80, 0x06  # key usage: digitalSignature; keyCertSign and cRLSign


def der(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*contents):
    return der(0x30, *contents)


def integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(name):
    first, second, *rest = map(int, OIDS.get(name, name).split("."))
    content = bytes([40 * first + second])
    for number in rest:
        parts = [number & 0x7F]
        while number := number >> 7:
            parts.append(0x80 | number & 0x7F)
        content += bytes(reversed(parts))
    return der(0x06, content)


def time(hours):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return der(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode()) if moment.year >= 2050 else \
        der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def name(*common_names):
    """A distinguished name; text is a UTF8String, bytes are one as they are."""
    def raw(text):
        return text if isinstance(text, bytes) else text.encode()
    return sequence(*(der(0x31, sequence(oid("CN"), der(0x0C, raw(text)))) for text in common_names))


def uri(text):
    return der(0x86, text if isinstance(text, bytes) else text.encode("latin-1"))


def dns(text):
    return der(0x82, text.encode())


def email(text):
    return der(0x81, text.encode())


def extension(kind, content, critical=False):
    return sequence(oid(kind), der(0x01, b"\xff") if critical else b"", der(0x04, content))


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout


class Key:
    """A private key in a file."""

    def __init__(self, path, kind="EC", bits=2048):
        self.path, self.kind = pathlib.Path(path), kind
        how = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "EC" else \
            ["RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"]
        openssl("genpkey", "-algorithm", *how, "-out", self.path)
        self.path.chmod(0o600)
        self.public = openssl("pkey", "-in", self.path, "-pubout", "-outform", "DER")

    def sign(self, content, digest):
        return openssl("dgst", f"-{digest}", "-sign", self.path, data=content)


class Certificate:
    """A certificate (`der`) and what signs others with it (`key`, `subject`)."""

    serial = 0x5741524946550000

    def __init__(self, key, issuer=None, *, common_names=(), names=(), uses=("clientAuth",), ca=None,
                 usage=SIGN_ONLY, starts=-1, ends=24, digest="sha256", extra=(), subject=None):
        self.key = key
        self.subject = name(*common_names) if subject is None else subject
        signer = issuer or self
        algorithm = sequence(oid(SIGNATURES[signer.key.kind, digest]),
                             b"" if signer.key.kind == "EC" else der(0x05))
        Certificate.serial += 1
        self.content = sequence(
            der(0xA0, integer(2)), integer(Certificate.serial), algorithm, signer.subject,
            sequence(time(starts), time(ends)), self.subject, key.public,
            der(0xA3, sequence(*self._extensions(names, uses, ca, usage), *extra)))
        self.algorithm = algorithm
        self.signature = signer.key.sign(self.content, digest)

    @staticmethod
    def _extensions(names, uses, ca, usage):
        if ca is not None:  # the number of authorities that may stand below
            yield extension("basicConstraints", sequence(der(0x01, b"\xff"), integer(ca)), True)
        yield extension("keyUsage", der(0x03, bytes([0, usage])), True)
        if uses:
            yield extension("extKeyUsage", sequence(*map(oid, uses)))
        if names:
            yield extension("subjectAltName", sequence(*names))

    @property
    def der(self):
        return sequence(self.content, self.algorithm, der(0x03, b"\0", self.signature))

    @property
    def pem(self):
        return ("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(self.der).decode() +
                "-----END CERTIFICATE-----\n")
