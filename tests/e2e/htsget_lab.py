"""A site that serves views by htsget, and a client that is stricter than real ones.

The conformance table stands here, because test_htsget and `./run verify genome` both go through it.
"""

import base64
import contextlib
import hashlib
import http.client
import json
import os
import ssl
import subprocess
import urllib.parse

import genomes
from network import free_port, Person, TestNetwork

PLACES = (("20", 10_000_000, 10_040_000), ("20", 31_000_000, 31_040_000),
          ("20", 50_000_000, 50_040_000))
COUNT = 1_200
GENE = (31_010_000, 31_020_000)  # 0-based, half open
OTHER = (10_010_000, 10_012_000)
TYPE = "application/vnd.ga4gh.htsget.v1.3.0+json; charset=utf-8"
RISKS = "I understand the risks"
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CRAM_END = bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b")


def region(start, end, label=""):
    return f"GRCh37:20:{start + 1}-{end}" + (f"={label}" if label else "")


class Answer:
    def __init__(self, response, body):
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["htsget"]["error"]

    @property
    def urls(self):
        return self.json["htsget"]["urls"]


class Lab(contextlib.ExitStack):
    """One network, one person; the same reads as BAM and CRAM, and variants; consented regions."""

    def __init__(self, memory="64M"):
        super().__init__()
        self.memory = memory

    def __enter__(self):
        super().__enter__()
        self.network = self.enter_context(TestNetwork(preshare="48M", start=False))
        root = self.network.root
        self.tls_port, self.web_port = free_port(), free_port()
        self.certificate = root / "htsget.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", root / "htsget.key", "-out",
                        self.certificate, "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        config = self.network.site("tommo") / "site.toml"
        config.write_text(
            config.read_text() + f'\n[web]\nlisten = "127.0.0.1:{self.web_port}"\n'
            f'[htsget]\nlisten = "127.0.0.1:{self.tls_port}"\ncertificate = "{self.certificate}"\n'
            f'key = "{root / "htsget.key"}"\norigins = ["https://igv.org"]\nmemory = "{self.memory}"\n'
            'views = 8\n')
        self.network.up()
        self.person = Person(self.network, keys=120)
        sam = genomes.sam_text("GRCh37", PLACES, COUNT)
        self.files = {"bam": genomes.bam(root / "reads.bam", sam),
                      "cram": genomes.cram(root / "reads.cram", sam),
                      "vcf": genomes.vcf(root / "sites.vcf.gz", "GRCh37", PLACES, COUNT)}
        self.objects = {}
        self.tokens = 0
        return self

    def object(self, kind):
        if kind not in self.objects:
            self.objects[kind] = self.person.store(self.files[kind], genome=True)["object"]
        return self.objects[kind]

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    def consent(self, kind, *regions, **settings):
        return self.network.consent(self.object(kind), self.person.card, self.person.pin_file,
                                    region=regions or (region(*GENE), region(*OTHER)),
                                    purpose="medicine", **settings)["grant"]

    def open(self, kind="bam", *, grant=None, clip=False, asker="Dr. Sato", more=()):
        """A view, with its `url` over https, its `http`, and `file`, where its token is."""
        self.tokens += 1
        file = self.network.root / f"token{self.tokens}"
        words = ["--clip"] if clip else []
        view = self.at_site("view", "open", "--grant", grant or self.consent(kind), "--as", asker,
                            "--token-file", file, *words, *more)
        view["file"], view["token"] = file, file.read_text()
        view["https"] = f"https://localhost:{self.tls_port}{view['path']}"
        view["http"] = f"http://127.0.0.1:{self.web_port}{view['path']}"
        return view

    def call(self, method, url, token=None, body=None, **headers):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=self.certificate)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60,
                                                     context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        with contextlib.closing(connection):
            connection.request(method, target, body=body,
                               headers={name.replace("_", "-"): value
                                        for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response, response.read())

    def fetch(self, ticket):
        """What the URLs of a ticket give, one after the other, with nothing but their headers."""
        whole = b""
        for one in ticket.urls:
            if one["url"].startswith("data:"):
                whole += base64.b64decode(one["url"].partition("base64,")[2])
                continue
            answer = self.call("GET", one["url"], **one.get("headers", {}))
            if answer.status != 200:
                raise AssertionError(f"{one['url']}: {answer.status} {answer.body[:200]}")
            whole += answer.body
        md5 = ticket.json["htsget"].get("md5")
        if md5 and md5 != hashlib.md5(whole).hexdigest():
            raise AssertionError(f"the data are not of the MD5 that the ticket names, {md5}")
        return whole

    def file_of(self, view, query="", body=None):
        """The whole file of a request."""
        ticket = self.call("POST" if body else "GET", view["https"] + query, view["token"],
                           json.dumps(body) if body else None)
        if ticket.status != 200:
            raise AssertionError(f"{query}: {ticket.status} {ticket.body[:200]}")
        out = self.network.root / "htsget.out"
        out.write_bytes(self.fetch(ticket))
        return out

    def tool(self, *words, token, url_scheme="https"):
        """samtools or bcftools as its user would start it."""
        environment = {**os.environ, "HTS_AUTH_LOCATION": str(token), "REF_PATH": "/none"}
        if url_scheme == "https":
            environment["CURL_CA_BUNDLE"] = str(self.certificate)
        else:
            environment["HTS_ALLOW_UNENCRYPTED_AUTHORIZATION_HEADER"] = RISKS
        return subprocess.run([str(word) for word in words], env=environment, capture_output=True,
                              timeout=120, check=False)


# --- the conformance table: name, data, what is asked, what must come of it ---

BAD = [  # reads: query, status, error
    ("format that is none", "?format=SAM", 400, "UnsupportedFormat"),
    ("format of the other data", "?format=VCF", 400, "UnsupportedFormat"),
    ("format in small letters", "?format=bam", 400, "UnsupportedFormat"),
    ("class that is none", "?class=body", 400, "InvalidInput"),
    ("class with a place", "?class=header&referenceName=20", 400, "InvalidInput"),
    ("class with fields", "?class=header&fields=QNAME", 400, "InvalidInput"),
    ("class with start", "?class=header&start=1", 400, "InvalidInput"),
    ("start without reference", "?start=1", 400, "InvalidInput"),
    ("end without reference", "?end=1", 400, "InvalidInput"),
    ("start with unplaced", "?referenceName=*&start=1", 400, "InvalidInput"),
    ("start beyond end", "?referenceName=20&start=31010100&end=31010099", 400, "InvalidRange"),
    ("start that is no number", "?referenceName=20&start=a", 400, "InvalidInput"),
    ("negative start", "?referenceName=20&start=-1&end=5", 400, "InvalidInput"),
    ("start of 33 bits", "?referenceName=20&start=4294967296", 400, "InvalidInput"),
    ("empty start", "?referenceName=20&start=", 400, "InvalidInput"),
    ("unknown reference", "?referenceName=chrZ&start=1&end=2", 404, "NotFound"),
    ("empty reference", "?referenceName=", 400, "InvalidInput"),
    ("unknown field", "?fields=NAME", 400, "InvalidInput"),
    ("no field", "?fields=", 400, "InvalidInput"),
    ("tag that is none", "?tags=NMX", 400, "InvalidInput"),
    ("tag wanted and unwanted", "?tags=NM,RG&notags=RG", 400, "InvalidInput"),
    ("unknown parameter", "?referencename=20", 400, "InvalidInput"),
    ("parameter twice", "?format=BAM&format=CRAM", 400, "InvalidInput"),
    ("all of it", "", 403, "PermissionDenied"),
    ("all of a reference", "?referenceName=20", 403, "PermissionDenied"),
    ("unplaced reads", "?referenceName=*", 403, "PermissionDenied"),
    ("one base too many before", "?referenceName=20&start=31009999&end=31010100", 403,
     "PermissionDenied"),
    ("one base too many behind", "?referenceName=20&start=31010000&end=31020001", 403,
     "PermissionDenied"),
    ("between the regions", "?referenceName=20&start=20000000&end=20000001", 403,
     "PermissionDenied"),
    ("beyond the reference", "?referenceName=20&start=4000000000", 403, "PermissionDenied"),
]

BAD_BODIES = [  # body, status, error
    ("no JSON", "{", 400, "InvalidInput"),
    ("no object", "[]", 400, "InvalidInput"),
    ("no regions in it", {"regions": []}, 400, "InvalidInput"),
    ("regions that are none", {"regions": "20"}, 400, "InvalidInput"),
    ("region without reference", {"regions": [{"start": 1}]}, 400, "InvalidInput"),
    ("empty region", {"regions": [{"referenceName": "20", "start": 31010000, "end": 31010000}]},
     400, "InvalidRange"),
    ("region that ends first", {"regions": [{"referenceName": "20", "start": 5, "end": 4}]}, 400,
     "InvalidRange"),
    ("start as a text", {"regions": [{"referenceName": "20", "start": "5"}]}, 400, "InvalidInput"),
    ("start with a fraction", {"regions": [{"referenceName": "20", "start": 1.5}]}, 400,
     "InvalidInput"),
    ("unplaced with a start", {"regions": [{"referenceName": "*", "start": 1}]}, 400,
     "InvalidInput"),
    ("unknown field", {"region": []}, 400, "InvalidInput"),
    ("fields as a text", {"fields": "QNAME"}, 400, "InvalidInput"),
    ("class and regions", {"class": "header", "regions": [{"referenceName": "20"}]}, 400,
     "InvalidInput"),
    ("format that is none", {"format": "SAM"}, 400, "UnsupportedFormat"),
    ("too many regions", {"regions": [{"referenceName": "20", "start": GENE[0], "end": GENE[1]}] * 101},
     413, "PayloadTooLarge"),
    ("too much", {"fields": ["QNAME"] * 20_000}, 413, "PayloadTooLarge"),
    ("one region of two beyond", {"regions": [
        {"referenceName": "20", "start": GENE[0], "end": GENE[1]},
        {"referenceName": "20", "start": 50_000_000, "end": 50_000_100}]}, 403, "PermissionDenied"),
    ("all of it", {}, 403, "PermissionDenied"),
]


def place(start, end):
    return f"?referenceName=20&start={start}&end={end}"


def well_formed(lab, view, query):
    """The ticket says what the standard wants of it, and its file is what the format wants."""
    ticket = lab.call("GET", view["https"] + query, view["token"])
    inside = ticket.json["htsget"]
    wanted = urllib.parse.parse_qs(query.lstrip("?")).get("format", [
        "BAM" if view["datatype"] == "reads" else "VCF"])[0]
    assert ticket.status == 200 and ticket.headers["Content-Type"] == TYPE, ticket.status
    assert inside["format"] == wanted, inside["format"]
    assert [one["class"] for one in inside["urls"]] == ["header", "body"], inside
    for one in inside["urls"]:
        assert one["url"].startswith(f"https://localhost:{lab.tls_port}/"), one["url"]
        assert view["token"] not in one["url"]
        assert one["headers"] == {"Authorization": f"Bearer {view['token']}"}
    whole = lab.fetch(ticket)
    assert whole.endswith(CRAM_END if wanted == "CRAM" else BGZF_END)
    assert whole.count(CRAM_END if wanted == "CRAM" else BGZF_END) == 1
    header = lab.call("GET", view["https"] + "?class=header&format=" + wanted, view["token"])
    assert [one["class"] for one in header.urls] == ["header"], header.body
    assert whole.startswith(lab.fetch(header))


def refused(lab, view, method, query, body, status, error):
    answer = lab.call(method, view["https"] + query, view["token"], body)
    assert (answer.status, answer.error) == (status, error), (answer.status, answer.body[:200])
    assert answer.headers["Content-Type"] == TYPE
    assert answer.json["htsget"]["message"]


def token_cases(lab, view):
    url = view["https"] + place(*GENE)
    body = lab.call("GET", url, view["token"]).urls[1]["url"]
    for name, method, where, headers in (
            ("no token", "GET", url, {}),
            ("another token", "GET", url, {"Authorization": "Bearer " + "0" * 64}),
            ("a token of another kind", "GET", url, {"Authorization": "Basic " + view["token"]}),
            ("half a token", "GET", url, {"Authorization": "Bearer " + view["token"][:32]}),
            ("no token, POST", "POST", view["https"], {}),
            ("no token, data", "GET", body, {}),
            ("another token, data", "GET", body, {"Authorization": "Bearer " + "f" * 64}),
            ("no token, another object", "GET", view["https"][:-32] + "0" * 32, {})):
        def one(method=method, where=where, headers=headers):
            answer = lab.call(method, where, **headers)
            assert (answer.status, answer.error) == (401, "InvalidAuthentication"), answer.body
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        yield name, one
    for name, where in (("another object", view["https"][:-32] + "0" * 32),
                        ("no id", view["https"][:-32] + "nothing"),
                        ("other data", view["https"].replace("/reads/", "/variants/"))):
        yield name, lambda where=where: refused(lab, {**view, "https": where}, "GET", "", None, 404,
                                                "NotFound")


def cross_origin(lab, view):
    def preflight(origin, status):
        answer = lab.call("OPTIONS", view["https"], Origin=origin,
                          Access_Control_Request_Method="GET",
                          Access_Control_Request_Headers="authorization, range")
        assert answer.status == status, answer.status
        allowed = answer.headers["Access-Control-Allow-Origin"]
        assert allowed == (origin if status < 300 else None), allowed
        if status < 300:
            assert answer.headers["Access-Control-Allow-Headers"] == "authorization, range"
            assert answer.headers["Access-Control-Max-Age"] == "2592000"
            assert "GET" in answer.headers["Access-Control-Allow-Methods"]

    def simple(origin, status):
        answer = lab.call("GET", view["https"] + place(*GENE), view["token"], Origin=origin)
        assert answer.status == status, answer.status
        assert answer.headers["Access-Control-Allow-Origin"] == (origin if status == 200 else None)
        assert "Origin" in answer.headers["Vary"]

    own = f"https://localhost:{lab.tls_port}"
    yield "preflight of an allowed origin", lambda: preflight("https://igv.org", 204)
    yield "preflight of its own origin", lambda: preflight(own, 204)
    yield "preflight of another origin", lambda: preflight("https://evil.example", 403)
    yield "request of an allowed origin", lambda: simple("https://igv.org", 200)
    yield "request of another origin", lambda: simple("https://evil.example", 403)
    yield "request of no origin (null)", lambda: simple("null", 403)


def ranges(lab, view):
    url = lab.call("GET", view["https"] + place(*GENE), view["token"]).urls[1]["url"]
    whole = lab.call("GET", url, view["token"])

    def part(text, status, expected):
        answer = lab.call("GET", url, view["token"], Range=text)
        assert answer.status == status, answer.status
        if status != 416:
            assert answer.body == expected, (len(answer.body), len(expected))
            assert int(answer.headers["Content-Length"]) == len(expected)

    size = len(whole.body)
    yield "content length", lambda: part("items=0-1", 200, whole.body)
    yield "first bytes", lambda: part("bytes=0-99", 206, whole.body[:100])
    yield "in the middle", lambda: part("bytes=100-1099", 206, whole.body[100:1100])
    yield "to the end", lambda: part("bytes=100-", 206, whole.body[100:])
    yield "the last bytes", lambda: part("bytes=-28", 206, BGZF_END)
    yield "beyond the end", lambda: part(f"bytes={size}-", 416, b"")


def service_info(lab, datatype, formats):
    answer = lab.call("GET", f"https://localhost:{lab.tls_port}/htsget/{datatype}/service-info")
    assert answer.status == 200
    info = answer.json
    assert info["type"] == {"group": "org.ga4gh", "artifact": "htsget", "version": "1.3.0"}, info
    assert info["htsget"]["datatype"] == datatype and info["htsget"]["formats"] == formats
    for field in ("id", "name", "version", "organization"):
        assert info[field]


def conformance(lab, view, variants):
    """(name, check) of every case; `view` strict and of reads, `variants` strict."""
    for name, query, status, error in BAD:
        yield f"GET {name}", lambda q=query, s=status, e=error: refused(lab, view, "GET", q, None, s, e)
    for name, body, status, error in BAD_BODIES:
        text = body if isinstance(body, str) else json.dumps(body)
        yield f"POST {name}", lambda b=text, s=status, e=error: refused(lab, view, "POST", "", b, s, e)
    yield "POST with a query", lambda: refused(lab, view, "POST", "?format=BAM", "{}", 400, "InvalidInput")
    yield "variants: reads' format", lambda: refused(lab, variants, "GET", "?format=BAM", None, 400,
                                                     "UnsupportedFormat")
    for one, formats in ((view, ("BAM", "CRAM")), (variants, ("VCF", "BCF"))):
        yield f"{one['datatype']}: default", lambda one=one: well_formed(lab, one, place(*GENE))
        for form in formats:
            yield f"{one['datatype']}: {form}", lambda one=one, form=form: well_formed(
                lab, one, place(*GENE) + "&format=" + form)
            yield f"{one['datatype']}: empty {form}", lambda one=one, form=form: well_formed(
                lab, one, place(GENE[0], GENE[0]) + "&format=" + form)
        yield f"{one['datatype']}: service-info", lambda one=one, formats=formats: service_info(
            lab, one["datatype"], list(formats))
    for group, cases in (("token", token_cases(lab, view)), ("origin", cross_origin(lab, view)),
                         ("range", ranges(lab, view))):
        for name, check in cases:
            yield f"{group}: {name}", check
