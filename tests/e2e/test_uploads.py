"""Files into a site in pieces, through a browser and by plain requests: what was told as received outlives
a lost connection, kill -9 and a closed page; the site makes a genome's index, and other slices."""

import hashlib
import json
import unittest

import genomes
from browser import Browser, inspect
from network import (find_bytes, free_port, NetworkTest, Person, random_file, TestNetwork,
                     wait_until)
from site_socket import SocketConnection

LOOKS = [("en", "light"), ("ja", "dark")]
CHUNK = 262_144
PLACES = [("20", 31_000_000, 31_400_000)]
INSIDE = "20:31100000-31101000"


class Uploads(NetworkTest):
    """A site with pages and one person."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="48M", start=False))
        cls.url = f"http://127.0.0.1:{free_port()}/"
        cls.config = cls.network.site("tommo") / "site.toml"
        cls.config.write_text(cls.config.read_text() +
                              f'\n[web]\nlisten = "{cls.url[7:-1]}"\n'
                              f'\n[genome]\nreferences = ["tiny={cls.network.root}/tiny.fa"]\n')
        cls.make_reference()
        cls.network.up()
        cls.person = Person(cls.network, "P-002", keys=12)
        cls.staging = cls.network.data("tommo") / "staging"
        cls.browser = cls.enterClassContext(Browser())

    @classmethod
    def make_reference(cls):
        """A chromosome of nobody, and a CRAM whose bases are in it alone."""
        noise = hashlib.shake_256(b"tiny").digest(60_000)
        cls.bases = noise.translate(bytes(b"ACGT"[value & 3] for value in range(256))).decode()
        fasta = cls.network.root / "tiny.fa"
        fasta.write_text(f">tiny\n{cls.bases}\n")
        genomes.run("samtools", "faidx", fasta)
        lines = [f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:tiny\tLN:{len(cls.bases)}"]
        lines += [f"r{at}\t0\ttiny\t{at + 1}\t60\t100M\t*\t0\t0\t{cls.bases[at:at + 100]}\t{'I' * 100}"
                  for at in range(0, len(cls.bases) - 100, 20)]
        cls.tiny = cls.network.root / "tiny.cram"
        cls.tiny.write_bytes(genomes.run("samtools", "view", "-C", "-T", fasta, "-",
                                         stdin="\n".join(lines).encode() + b"\n"))

    def restart(self):
        self.network.kill("tommo")
        self.network.up()
        wait_until(lambda: self.raw("GET", "/v1/uploads")[0] == 200, 30, "the site")

    def at_site(self, *arguments):
        return self.network.warifu.ask(*arguments, "--site", self.network.site("tommo"))

    # --- plain requests at the site's socket ---

    def raw(self, method, path, body=None):
        connection = SocketConnection(self.network.site("tommo"), self.network.data("tommo"))
        try:
            connection.request(method, path, body=body)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except OSError as error:
            return 0, {"message": str(error)}
        finally:
            connection.close()

    def upload(self, method, path, body=None):
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        status, answer = self.raw(method, "/v1/uploads" + path, body)
        self.assertEqual(status, 200, answer)
        return answer

    def begin(self, label, size, **settings):
        wish = {"person": "P-002", "label": label, "bytes": size, **settings}
        return f"/{self.upload('POST', '', wish)['upload']}"

    def refused(self, status, word, path, body, reason=None):
        got, answer = self.raw("POST", "/v1/uploads" + path, body)
        self.assertEqual(got, status, answer)
        self.assertIn(word, answer["message"])
        if reason is not None:
            self.assertEqual(answer.get("reason"), reason, answer)

    def cut_off(self, path, body, after):
        """A piece whose sender goes away in the middle."""
        connection = SocketConnection(self.network.site("tommo"), self.network.data("tommo"))
        connection.connect()
        head = (f"POST /v1/uploads{path} HTTP/1.1\r\nHost: site\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        connection.sock.sendall(head.encode() + body[:after])
        return connection

    def send_all(self, path, data):
        self.assertEqual(self.upload("POST", f"{path}?from=0", data)["received"], len(data))

    def restored(self, ticket, data):
        """The object is stored, and comes back as it was."""
        self.network.wait_for_job(ticket["job"])
        self.at_site("object", "card-record", ticket["object"], "--card", self.person.card,
                     "--pin-file", self.person.pin_file)
        out = self.network.root / f"{ticket['object']}.out"
        self.network.restore(ticket["object"], self.person.consent(ticket["object"]), out)
        self.assert_same_bytes(out, data)

    def region(self, ticket, path):
        """A consent to a region of it gives that region, with less than the whole."""
        self.network.wait_for_job(ticket["job"])
        self.at_site("object", "card-record", ticket["object"], "--card", self.person.card,
                     "--pin-file", self.person.pin_file)
        given = self.network.consent(ticket["object"], self.person.card, self.person.pin_file,
                                     region=(f"GRCh37:{INSIDE}",), purpose="medicine")
        self.assertLess(given["quote"]["chunks"], given["quote"]["chunks_of_object"])
        out = self.network.root / f"{ticket['object']}.bam"
        self.network.restore(ticket["object"], given["grant"], out, region=(f"GRCh37:{INSIDE}",),
                             format="bam")
        expected = genomes.reads(path, INSIDE)
        self.assertGreater(len(expected), 10)
        self.assertEqual(genomes.reads(out), expected)
        return given["quote"]

    # --- what outlives what ---

    def test_what_was_received_outlives_kill_9(self):
        """Twice: in the middle of a piece, and when all is there but nothing is begun."""
        data = random_file(self.network.root / "third", 3_000_000, seed=13)
        path = self.begin("third", len(data), mark="12345", priority="urgent")
        first = 4 * CHUNK
        self.assertEqual(self.upload("POST", f"{path}?from=0", data[:first])["received"], first)
        connection = self.cut_off(f"{path}?from={first}", data[first:], 700_000)
        wait_until(lambda: self.raw("POST", f"/v1/uploads{path}?from=0", b"")[1].get("code") ==
                   "busy", 20, "the piece to be under way")
        self.restart()
        connection.close()
        [shown] = self.upload("GET", "?person=P-002")["uploads"]
        self.assertEqual((shown["label"], shown["mark"], shown["wants"]),
                         ("third", "12345", "pieces"))
        at = shown["received"]
        self.assertGreaterEqual(at, first)
        self.assertEqual(at % CHUNK, 0)
        self.assertFalse(find_bytes(self.staging, data[1000:1032]), "plaintext on the disk")
        self.refused(409, "go on from there", f"{path}?from={at + 1}", b"too far")
        self.refused(400, "have come", f"{path}/finish", b"{}")
        rest = self.upload("POST", f"{path}?from={at}", data[at:])
        self.assertEqual((rest["received"], rest["wants"]), (len(data), "finish"))
        self.restart()
        self.refused(400, "beyond", f"{path}?from={len(data)}", b"more")
        ticket = self.upload("POST", f"{path}/finish", {})
        self.assertEqual(self.upload("POST", f"{path}/finish", {}), ticket, "asked again")
        self.assertEqual(ticket["job"], path[1:])
        self.restored(ticket, data)
        self.assertEqual(self.raw("GET", f"/v1/uploads{path}")[0], 404)

    def test_a_piece_that_is_cut_off_keeps_its_whole_chunks(self):
        data = random_file(self.network.root / "fourth", 1_000_000, seed=14)
        path = self.begin("fourth", len(data))
        self.cut_off(f"{path}?from=0", data, 600_000).close()

        def stands():
            return self.upload("GET", path)["received"]
        wait_until(lambda: stands() > 0, 20, "the piece to end")
        self.assertEqual(stands(), 2 * CHUNK)
        self.refused(400, "at least", f"{path}?from={2 * CHUNK}", data[:100])
        self.upload("POST", f"{path}/cancel", {})
        self.assertEqual(list(self.staging.iterdir()), [])

    def test_what_nobody_goes_on_with_is_swept(self):
        text = self.config.read_text()
        self.config.write_text(text + '\n[uploads]\nkeep = "3s"\n')
        self.restart()
        self.begin("x", 600_000)
        self.assertEqual(len(list(self.staging.iterdir())), 2)
        wait_until(lambda: not list(self.staging.iterdir()), 30, "what was left to be removed")
        self.config.write_text(text)
        self.restart()

    def test_a_store_in_one_body_leaves_nothing_when_it_breaks_off(self):
        connection = SocketConnection(self.network.site("tommo"), self.network.data("tommo"))
        connection.connect()
        connection.sock.sendall(b"POST /v1/objects?person=P-002&label=x HTTP/1.1\r\nHost: site\r\n"
                                b"Content-Length: 900000\r\n\r\n" + bytes(500_000))
        wait_until(lambda: list(self.staging.iterdir()), 20, "the staged file")
        self.restart()
        connection.close()
        self.assertEqual(list(self.staging.iterdir()), [])

    def test_a_lead_without_a_file_behind_it_is_refused(self):
        for lead in (1, 2, 4_000_000_000):
            with self.subTest(lead=lead):
                status, answer = self.raw("POST", f"/v1/objects?person=P-002&label=x&lead={lead}", bytes(1000))
                self.assertEqual(status, 400, answer)
                self.assertIn("a lead of", answer["message"])
        self.assertEqual(list(self.staging.iterdir()), [])

    # --- genomes ---

    def test_an_index_that_is_none_and_ends_that_are_not_asked_for(self):
        index = b"0\t101\t50\t1000\t20\t300\n"
        path = self.begin("x.cram", 10_000, genome=True)
        for where, body, status, word in (
                ("?from=0", b"CRAM", 400, "its index first"), ("/ends", b"x", 400, "its index first"),
                ("/index", b"hello", 400, "index of 'x.cram'"), ("/index", b"", 400, "empty"),
                ("/index", index.replace(b"1000", b"99999"), 400, "index")):
            with self.subTest(where=where, body=body):
                self.refused(status, word, path + where, body)
        wants = self.upload("POST", f"{path}/index", index)
        self.assertEqual((wants["wants"], wants["head_bytes"], wants["tail_bytes"]), ("ends", 1000, 64))
        for where, body, status, word in (
                ("?from=0", b"CRAM", 400, "its ends first"), ("/index", index, 409, "no index"),
                ("/ends", b"x" * 1063, 400, "1000 bytes of the file's start and 64"),
                ("/ends", b"x" * 1064, 400, "neither CRAM"),
                ("/ends", b"CRAM\3\0" + b"x" * 1058, 400, "x.cram")):
            with self.subTest(where=where, size=len(body)):
                self.refused(status, word, path + where, body)
        self.refused(400, "without index", f"{path}/prepare", b"{}")
        self.restart()  # the index is asked for again: it was in memory alone
        self.assertEqual(self.upload("GET", path)["wants"], "index")
        self.upload("POST", f"{path}/cancel", {})

    def prepared(self, path, **wish):
        self.upload("POST", f"{path}/prepare", wish)
        wait_until(lambda: "preparing" not in self.upload("GET", path), 60, "the index")
        return self.upload("GET", path)

    def test_the_site_makes_an_index_and_other_slices(self):
        file = genomes.cram(self.network.root / "big.cram",
                            genomes.sam_text("GRCh37", PLACES, 9000), 5000)
        data = file.read_bytes()
        path = self.begin("big.cram", len(data), genome=True, index="here")
        self.refused(400, "send the rest", f"{path}/prepare", b"{}")
        self.send_all(path, data)
        self.assertEqual(self.upload("GET", path)["wants"], "prepare")
        self.refused(400, "no index yet", f"{path}/finish", b"{}")
        self.refused(400, "50 to 100000", f"{path}/prepare", b'{"reads_per_slice": 3}')
        self.refused(404, "references", f"{path}/prepare", b'{"reference": "GRCh38"}')
        # Under way it is nobody else's; ended by the site's death, it can be begun anew.
        self.upload("POST", f"{path}/prepare", {"reads_per_slice": 1000})
        self.restart()
        self.assertEqual(self.upload("GET", path)["wants"], "prepare")
        made = self.prepared(path, reads_per_slice=1000)
        result = made["prepared"]
        self.assertEqual((made["wants"], result["reads_per_slice"], result["records"]),
                         ("finish", 1000, 9000))
        self.assertIn("CRAM of GRCh37", made["genome"])
        self.assertEqual(result["original_sha256"], hashlib.sha256(data).hexdigest())
        self.assertNotEqual(result["stored_bytes"], len(data))
        self.assertEqual(sorted(one.name.partition(".")[2] for one in self.staging.iterdir()),
                         ["", "lead", "upload"])
        self.refused(409, "is prepared", f"{path}/prepare", b"{}")
        self.restart()
        self.assertEqual(self.upload("GET", path)["prepared"], result, "it is durable")
        self.region(self.upload("POST", f"{path}/finish", {}), file)

    def test_a_cram_that_needs_its_reference_is_told_so_and_given_it(self):
        data = self.tiny.read_bytes()
        self.assertEqual(self.upload("GET", "/references")["references"], ["tiny"])
        path = self.begin("tiny.cram", len(data), genome=True, index="here")
        self.send_all(path, data)
        trouble = self.prepared(path, reads_per_slice=100, assembly="GRCh38")["trouble"]
        self.assertEqual(trouble["reason"], "no_reference", trouble)
        trouble = self.prepared(path, reads_per_slice=100, reference="tiny")["trouble"]
        self.assertEqual(trouble["reason"], "assembly", trouble)
        made = self.prepared(path, reads_per_slice=100, reference="tiny", assembly="GRCh38")
        self.assertEqual((made["prepared"]["records"], made["prepared"]["reads_per_slice"]),
                         (2995, 100))
        # The site has its reference under another name: said while somebody is there to mend it.
        lacking = made["lacking_reference"]
        self.assertEqual((lacking["assembly"], lacking["file"], lacking["sequences"],
                          lacking["lacking"], lacking["names"]), ("GRCh38", "", 1, 1, ["tiny"]))
        self.open_person()
        self.browser.read(text="Its reference is missing.")
        inspect(self, self.browser, "person-lacking", LOOKS)
        ticket = self.upload("POST", f"{path}/finish", {})
        self.assertEqual(ticket["warnings"], [lacking["text"]])
        self.network.wait_for_job(ticket["job"])

    def test_a_store_warns_of_a_reference_that_the_site_lacks(self):
        stored = self.person.store(self.tiny, genome=True, assembly="GRCh38")
        self.assertEqual(len(stored["warnings"]), 1, stored)
        for words in ("1 of the 1 sequences", "(tiny)", "tommo names no reference for GRCh38",
                      '[genome] references = ["GRCh38=FILE.fa"]'):
            self.assertIn(words, stored["warnings"][0])
        good = self.person.store(self.tiny, genome=True, assembly="tiny")
        self.assertEqual(good["warnings"], [])
        # The same names and lengths, other bases.
        fasta = self.network.root / "tiny.fa"
        text = fasta.read_text()
        try:
            fasta.write_text(text.translate(str.maketrans("ACGT", "CATG")))
            other = self.person.store(self.tiny, genome=True, assembly="tiny")
            self.assertIn("another length or other bases (1)", other["warnings"][0])
        finally:
            fasta.write_text(text)
        for option in ("embed_ref=1", "no_ref=1"):
            whole = self.network.root / f"{option[:5]}.cram"
            genomes.run("samtools", "view", "-C", "-T", fasta, "--output-fmt-option", option, "-o",
                        whole, self.tiny)
            stored = self.person.store(whole, genome=True, assembly="GRCh38")
            self.assertEqual(stored["warnings"], [], option)

    def test_an_index_of_each_kind_of_file(self):
        bam = genomes.bam(self.network.root / "plain.bam",
                          genomes.sam_text("GRCh37", PLACES, 9000))
        vcf = genomes.vcf(self.network.root / "plain.vcf.gz", "GRCh37", PLACES, 3000)
        for file, word in ((bam, "BAM of GRCh37"), (vcf, "VCF of GRCh37")):
            data = file.read_bytes()
            with self.subTest(file=file.name):
                path = self.begin(file.name, len(data), genome=True, index="here")
                self.send_all(path, data)
                made = self.prepared(path, reads_per_slice=1000)
                self.assertIn("only that has slices", made["trouble"]["message"])
                made = self.prepared(path)
                self.assertNotIn("trouble", made)
                self.assertIn(word, made["genome"])
                self.assertEqual(made["prepared"]["stored_bytes"], len(data))
                if file == bam:
                    self.region(self.upload("POST", f"{path}/finish", {}), bam)
                else:
                    self.upload("POST", f"{path}/cancel", {})

    def test_what_is_no_genome_or_is_damaged_gets_no_index(self):
        file = genomes.cram(self.network.root / "bent.cram",
                            genomes.sam_text("GRCh37", PLACES, 3000), 500)
        bent = bytearray(file.read_bytes())
        bent[len(bent) // 2] ^= 0x55
        for label, data, reason in (("noise.cram", bytes(range(256)) * 40, "no_genome"),
                                    ("bent.cram", bytes(bent), None)):
            with self.subTest(label=label):
                path = self.begin(label, len(data), genome=True, index="here")
                self.send_all(path, data)
                trouble = self.prepared(path, reads_per_slice=1000)["trouble"]
                self.assertIn(label, trouble["message"])
                if reason:
                    self.assertEqual(trouble["reason"], reason)
                self.assertEqual(self.upload("GET", path)["wants"], "prepare")
                self.assertEqual(len(list(self.staging.glob("*.new"))), 0)
                self.upload("POST", f"{path}/cancel", {})

    # --- in a browser ---

    def open_person(self, language="en"):
        self.browser.log_in(self.url, self.at_site("web", "code")["code"], language)
        self.browser.visit(path="/app/people/P-002")

    def stored(self, label):
        self.network.wait_for_job(self.at_site("job", "list")["jobs"][0]["job"])
        return next(one for one in self.at_site("object", "list")["objects"]
                    if one["label"] == label)

    def test_a_biobank_stores_a_file_in_pieces(self):
        data = random_file(self.network.root / "second.cram", 10_000_000, seed=12)
        self.browser.log_in(self.url, self.at_site("web", "code")["code"])
        self.browser.click(role="link", name="People and data")
        self.browser.read(text="Person P-002")
        inspect(self, self.browser, "people", LOOKS)
        self.browser.click(role="link", name="P-002")
        self.browser.see(role="heading", name="Store a file")
        self.browser.attach(label="File", path=str(self.network.root / "second.cram"))
        inspect(self, self.browser, "person", LOOKS)
        self.browser.click(role="button", name="Store", exact=True)
        self.browser.read(text="The site has all of it")
        self.browser.shot("person-stored")
        self.assertEqual(self.stored("second.cram")["bytes"], len(data))

    def test_a_genome_is_stored_with_its_index(self):
        """With it a consent to a region of what came through the browser gives that region."""
        path = genomes.cram(self.network.root / "reads.cram",
                            genomes.sam_text("GRCh37", PLACES, 9000), 50)
        self.open_person()
        self.browser.see(role="heading", name="Store a file")
        self.browser.attach(label="File", path=str(path))
        self.browser.attach(label="Its index (CRAM, BAM, VCF, BCF)", path=str(path) + ".crai")
        inspect(self, self.browser, "person-genome", LOOKS)
        self.browser.click(role="button", name="Store", exact=True)
        self.browser.read(text="The site has all of it")
        job = self.at_site("job", "list")["jobs"][0]["job"]
        self.region({"job": job, "object": self.stored("reads.cram")["object"]}, path)

    def test_the_page_goes_on_after_the_site_was_killed(self):
        size = 200 * CHUNK * 4
        file = self.network.root / "long.bin"
        with file.open("wb") as out:
            out.truncate(size)
        self.open_person()
        self.browser.see(role="heading", name="Store a file")
        self.browser.attach(label="File", path=str(file))
        self.browser.click(role="button", name="Store", exact=True)

        def received():
            shown = self.raw("GET", "/v1/uploads?person=P-002")[1].get("uploads", [])
            return next((one["received"] for one in shown if one["label"] == "long.bin"), 0)
        wait_until(lambda: received() > 0, 30, "the first piece", interval=0.01)
        stood = received()
        self.restart()
        self.assertGreaterEqual(received(), stood)
        self.assertLess(received(), size, "it was over before the site was killed")
        self.browser.see(selector="input.code", limit=30_000)  # sessions end with the process
        self.open_person()
        self.browser.see(role="heading", name="Not stored yet")
        self.browser.read(text="Choose the same file above")
        inspect(self, self.browser, "person-unfinished", LOOKS)
        self.browser.attach(label="File", path=str(file))
        self.browser.click(role="button", name="Go on", exact=True)
        wait_until(lambda: received() > stood, 30, "it to go on", interval=0.01)
        wait_until(lambda: not received(), 60, "all of it to be there")
        self.browser.read(text="The site has all of it")
        job = self.at_site("job", "list")["jobs"][0]["job"]
        self.at_site("job", "cancel", job)  # 200 MB more than the links have key for

    def test_the_page_makes_an_index_and_slices(self):
        path = genomes.cram(self.network.root / "sliced.cram",
                            genomes.sam_text("GRCh37", PLACES, 9000, seed=2), 5000)
        self.open_person()
        self.browser.see(role="heading", name="Store a file")
        self.browser.attach(label="File", path=str(path))
        self.browser.click(selector="label.tick input")
        self.browser.click(role="button", name="Store", exact=True)
        self.browser.see(role="button", name="Make the index")
        self.browser.click(selector=".unfinished label.tick input")
        inspect(self, self.browser, "person-prepare", LOOKS)
        self.browser.click(role="button", name="Make the index")
        self.browser.read(text="each the same before and after")
        inspect(self, self.browser, "person-prepared", LOOKS)
        self.assertIn(hashlib.sha256(path.read_bytes()).hexdigest(),
                      self.browser.text(selector=".unfinished"))
        self.browser.click(role="button", name="Store it")
        self.browser.read(text="The site has all of it")
        self.assertEqual(self.stored("sliced.cram")["state"], "committed")

    def test_what_cannot_be_is_said_in_both_languages(self):
        random_file(self.network.root / "small", 1000)
        self.open_person("ja")
        self.browser.see(role="heading", name="ファイルを保存する")
        self.browser.attach(label="ファイル", path=str(self.network.root / "small"))
        self.browser.fill(label="方針", value="9 of (nothing)")
        self.browser.click(role="button", name="保存する", exact=True)
        # Not that of a job that failed before, which the page shows as well.
        told = '[role=alert] .failure:has-text("方針を読み取れないか")'
        self.browser.see(selector=told)
        self.browser.see(selector=told + " details:not([open])")
        self.browser.click(selector=told + " summary")
        self.assertIn("policy", self.browser.text(selector=told))
        inspect(self, self.browser, "person-refused", LOOKS)


if __name__ == "__main__":
    unittest.main()
