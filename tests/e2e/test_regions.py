"""A consent for one gene restores the bytes of one gene, and no site gives more."""

import contextlib
import sqlite3
import unittest

import genomes
from network import NetworkTest, Person, TestNetwork, flip_byte

GENE = ("20", 31_000_000, 31_080_000)
PLACES = (("20", 10_000_000, 10_400_000), GENE, ("20", 50_000_000, 50_400_000))


def region(start, end, label=""):
    return f"GRCh37:20:{start}-{end}" + (f"={label}" if label else "")


class Regions(NetworkTest):
    """One network, one person, the same reads as BAM and CRAM."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.enterClassContext(TestNetwork(preshare="48M"))
        cls.person = Person(cls.network, keys=120)
        sam = genomes.sam_text("GRCh37", PLACES, 12_000)
        cls.files = {"bam": genomes.bam(cls.network.root / "reads.bam", sam),
                     "cram": genomes.cram(cls.network.root / "reads.cram", sam),
                     "vcf": genomes.vcf(cls.network.root / "sites.vcf.gz", "GRCh37", PLACES, 12_000)}
        cls.stored = {kind: cls.person.store(path, genome=True)
                      for kind, path in cls.files.items()}

    def setUp(self):
        self.out = self.network.root / "out"
        self.addCleanup(self.out.unlink, missing_ok=True)

    def consent(self, kind, *regions, **settings):
        return self.network.consent(self.stored[kind]["object"], self.person.card,
                                    self.person.pin_file, region=regions, purpose="medicine",
                                    **settings)

    def restore(self, kind, grant, *regions, **settings):
        return self.network.restore(self.stored[kind]["object"], grant, self.out, region=regions,
                                    **settings)

    def sent(self):
        """Bytes of key that all sites have spent on what they sent."""
        return sum(link["send"][use]
                   for site in ("tommo", "lsa", "tuh", "cloud1", "cloud2", "cloud3")
                   for link in self.network.link_status(site)
                   for use in ("payload_bytes", "tag_bytes", "hash_key_bytes"))

    def events(self, site, event):
        answer = self.network.warifu.ask("audit", "list", "--site", self.network.site(site),
                                         "--limit", "200")
        return [record for record in answer["records"] if record["event"] == event]

    def test_the_records_of_a_gene_and_the_key_of_a_gene(self):
        for kind, read in (("bam", genomes.reads), ("cram", genomes.reads),
                           ("vcf", genomes.variants)):
            with self.subTest(kind=kind):
                gene = region(GENE[1] + 20_000, GENE[1] + 22_000, "GENE")
                given = self.consent(kind, gene)
                quote = given["quote"]
                self.assertLess(quote["chunks"], quote["chunks_of_object"] // 2 + 1)
                self.assertIn(f"Stored data that is read: {quote['chunks']} piece", given["text"])
                before = self.sent()
                restored = self.restore(kind, given["grant"], gene)
                spent = 8 * (self.sent() - before)
                place = gene.partition(":")[2].partition("=")[0]
                expected = read(self.files[kind], place)
                self.assertGreater(len(expected), 10)
                self.assertEqual(read(self.out), expected)
                self.assertEqual(restored["chunks"], quote["chunks"])
                self.assertEqual(restored["regions"], [gene])
                self.assertLess(restored["key_bits"], quote["key_bits_of_whole"] // 2 + 1)
                self.assertLess(abs(restored["key_bits"] - quote["key_bits"]),
                                quote["key_bits"] // 20)
                # What the pools have really lost: the quote, requests and looks at the network.
                self.assertGreaterEqual(spent, restored["key_bits"])
                self.assertLess(spent, quote["key_bits"] + 8 * 40_000)
                self.out.unlink()

    def test_the_whole_is_what_was_stored(self):
        for kind in ("bam", "cram"):
            grant = self.person.consent(self.stored[kind]["object"])
            done = self.network.restore(self.stored[kind]["object"], grant, self.out)
            self.assertEqual(done["bytes"], self.files[kind].stat().st_size)
            self.assert_same_bytes(self.out, self.files[kind].read_bytes())
            self.out.unlink()

    def test_regions_under_a_consent_to_the_whole(self):
        grant = self.person.consent(self.stored["cram"]["object"], uses=2)
        done = self.restore("cram", grant, region(31_010_000, 31_011_000), format="bam")
        self.assertEqual(genomes.reads(self.out),
                         genomes.reads(self.files["cram"], "20:31010000-31011000"))
        self.assertLess(done["key_bits"], 8 * self.files["cram"].stat().st_size)

    def test_several_regions_and_a_part_of_them(self):
        wished = (region(10_200_000, 10_201_000, "A"), region(31_040_000, 31_041_000, "B"))
        given = self.consent("bam", *wished, uses=3)
        whole = self.restore("bam", given["grant"], *wished)
        expected = genomes.reads(self.files["bam"], "20:10200000-10201000", "20:31040000-31041000")
        self.assertEqual(genomes.reads(self.out), expected)
        self.out.unlink()
        part = self.restore("bam", given["grant"], region(31_040_500, 31_040_600))
        self.assertEqual(genomes.reads(self.out),
                         genomes.reads(self.files["bam"], "20:31040500-31040600"))
        self.assertLess(part["chunks"], whole["chunks"])
        self.out.unlink()
        self.assert_fails(4, "other_scope", self.restore, "bam", given["grant"],
                          region(31_040_500, 31_041_001))

    def test_a_region_without_reads_is_a_whole_file_without_records(self):
        given = self.consent("bam", region(40_000_000, 40_001_000))
        self.restore("bam", given["grant"], region(40_000_000, 40_001_000))
        self.assertEqual(genomes.reads(self.out), [])
        genomes.run("samtools", "quickcheck", self.out)

    def test_the_whole_under_a_consent_to_regions(self):
        """Every gate by itself refuses it."""
        gene = region(31_000_000, 31_001_000, "GENE")
        given = self.consent("bam", gene, lang="ja")
        self.assertIn("領域(GRCh37): 20:31000000-31001000 (GENE)", given["text"])
        grant = given["grant"]
        self.assert_fails(4, "refuses.*GENE.*asked for is: whole", self.network.restore,
                          self.stored["bam"]["object"], grant, self.out)
        for site in ("tommo", "lsa"):
            self.assertTrue(any(record["fields"].get("reason") == "other_scope"
                                for record in self.events(site, "refused")), site)
        receipt = self.network.warifu.ask("consent", "receipt", grant, "--site",
                                          self.network.site("tommo"))
        scope = receipt["pii_processing"]["purposes"][0]["pii_information"][0]["scope"]
        self.assertEqual(scope, f"{gene} [chunks {given['quote']['chunk_ranges']}]")

    def test_regions_that_the_holders_do_not_learn(self):
        """One decoy beside a gene: the person reads and gets the gene, holders see a veil and chunks."""
        gene = region(10_200_000, 10_202_000, "HIDDENGENE")
        plain = self.consent("bam", gene)["quote"]
        given = self.consent("bam", gene, decoys=1, uses=2)
        quote = given["quote"]
        self.assertEqual((plain["decoys"], quote["decoys"]), (0, 1))
        self.assertGreater(quote["chunks"], plain["chunks"])
        self.assertGreater(quote["key_bits"], plain["key_bits"])
        self.assertEqual(quote["bytes"], plain["bytes"])
        self.assertIn("(HIDDENGENE)", given["text"])
        self.assertIn("are not told which regions", given["text"])
        restored = self.restore("bam", given["grant"], gene)
        self.assertEqual(genomes.reads(self.out), genomes.reads(self.files["bam"], "20:10200000-10202000"))
        self.assertEqual(restored["chunks"], quote["chunks"])
        self.out.unlink()
        self.restore("bam", given["grant"], region(10_200_500, 10_200_600))
        self.assertEqual(genomes.reads(self.out), genomes.reads(self.files["bam"], "20:10200500-10200600"))
        self.out.unlink()
        self.assert_fails(4, "other_scope", self.restore, "bam", given["grant"], region(10_202_000, 10_203_000))
        # Not in any holder's folder, whatever is in it; tommo is share control.
        for site in ("lsa", "tuh", "cloud1", "cloud2", "cloud3"):
            for path in self.network.site(site).rglob("*"):
                if path.is_file() and path.suffix in (".log", ".db", ".jsonl", ".json", ""):
                    self.assertNotIn(b"HIDDENGENE", path.read_bytes(), path)
        sent = [record["fields"] for record in self.events("lsa", "release")
                if record["fields"]["grant"] == given["grant"]]
        self.assertGreaterEqual(len(sent), 2)
        for fields in sent:
            self.assertRegex(fields["scope"], r"^hidden regions \[chunks ")
        # The person is told by share control what those chunks were of.
        seen = self.network.warifu.ask("person", "accesses", "--id", self.person.id, "--site",
                                       self.network.site("tommo"))
        scopes = [one["fields"]["scope"] for one in seen["accesses"]
                  if one["fields"].get("grant") == given["grant"] and one["site"] == "lsa" and "scope" in one["fields"]]
        self.assertTrue(scopes and all(scope.startswith(f"{gene}, as hidden regions") for scope in scopes), scopes)
        listed = self.network.warifu.ask("consent", "list", "--site", self.network.site("tommo"))
        mine = next(one for one in listed["consents"] if one["grant"] == given["grant"])
        self.assertTrue(mine["hidden"])
        self.assertIn("HIDDENGENE", mine["scope"])
        self.assert_fails(2, "room for 16 decoys", self.consent, "bam", gene, decoys=16)
        self.assert_fails(2, "at most 16|up to 16", self.consent, "bam", gene, decoys=17)

    def test_one_chunk_more_is_refused_and_logged_by_each_holder(self):
        """Share control, which is rooted, plans more chunks than the person's grant names."""
        gene = region(31_000_000, 31_001_000)
        large = self.consent("bam", region(31_000_000, 31_070_000))["grant"]
        small = self.consent("bam", gene)["grant"]
        self.network.down("tommo")
        with contextlib.closing(sqlite3.connect(
                self.network.data("tommo") / "catalog.db")) as connection, connection:
            secret = connection.execute("SELECT sealed_secret FROM consent_grant WHERE grant_id = ?",
                                        (bytes.fromhex(large),)).fetchone()[0]
            connection.execute("UPDATE consent_grant SET sealed_secret = ? WHERE grant_id = ?",
                               (secret, bytes.fromhex(small)))
        self.network.up("tommo")
        # The first range is allowed and was given; the refusal ends the stream behind it.
        self.assert_fails((4, 6), "other_chunks|the grant allows chunks", self.restore, "bam", small, gene)
        for site in ("tommo", "lsa"):
            self.assertTrue(any(record["fields"].get("reason") == "other_chunks"
                                for record in self.events(site, "refused")), site)
        self.assertFalse(self.out.exists())

    def test_only_what_was_allowed_is_in_the_logs_of_who_gave_it(self):
        gene = region(31_000_000, 31_001_000)
        given = self.consent("bam", gene)
        self.restore("bam", given["grant"], gene, using="A,B")
        released = [record["fields"]["scope"] for record in self.events("lsa", "release")
                    if record["fields"]["grant"] == given["grant"]]
        self.assertTrue(released)
        for scope in released:
            self.assertIn(gene + " [chunks ", scope)

    def test_a_site_that_is_gone_and_parts_of_parts(self):
        gene = region(31_000_000, 31_001_000)
        given = self.consent("bam", gene, uses=2)
        expected = genomes.reads(self.files["bam"], "20:31000000-31001000")
        done = self.restore("bam", given["grant"], gene, using="A,C1,C2")
        self.assertEqual(done["using"], ["A", "C1", "C2"])
        self.assertEqual(genomes.reads(self.out), expected)
        self.out.unlink()
        self.network.kill("lsa")
        try:
            self.restore("bam", given["grant"], gene)
            self.assertEqual(genomes.reads(self.out), expected)
        finally:
            self.network.up("lsa")

    def test_who_changes_a_chunk_is_named(self):
        gene = region(31_000_000, 31_001_000)
        given = self.consent("bam", gene)
        first = int(given["quote"]["chunk_ranges"].split(", ")[-1].split("-")[0])
        site, path = self.network.share_path(self.stored["bam"]["object"], "B")
        self.assertEqual(site, "lsa")
        header = path.read_bytes()[:4096]
        full = int.from_bytes(header[112:116], "little")
        stride = -(-(full + 16) // 4096) * 4096
        at = 8192 + first * stride + 1000
        flip_byte(path, at, fit=True)
        try:
            done = self.restore("bam", given["grant"], gene)
        finally:
            flip_byte(path, at, fit=True)
        self.assertEqual([(one["share"], one["site"]) for one in done["blamed"]], [("B", "lsa")])
        self.assertEqual(genomes.reads(self.out),
                         genomes.reads(self.files["bam"], "20:31000000-31001000"))

    def test_a_card_that_proves_itself_to_each_site(self):
        """A DESFire card: two consents, each proved to every site in turn, without a PIN."""
        card = self.network.root / "desfire.card"
        self.network.enrol("P-002", "Taro", card, None, card_type="desfire")
        stored = self.network.store(self.files["vcf"], "P-002", card=card, genome=True)
        gene = region(31_000_000, 31_001_000)
        given = self.network.consent(stored["object"], card, None, region=(gene,))
        self.network.restore(stored["object"], given["grant"], self.out, region=(gene,))
        self.assertEqual(genomes.variants(self.out),
                         genomes.variants(self.files["vcf"], "20:31000000-31001000"))

    def test_what_cannot_be_is_said_before_anybody_consents(self):
        consent = self.network.consent
        card, pin = self.person.card, self.person.pin_file
        bam = self.stored["bam"]["object"]
        for code, pattern, wished in ((2, "assembly GRCh37.*GRCh38", "GRCh38:20:1-2"),
                                      (3, "chr7", "GRCh37:chr7:1-2"), (2, "region", "20:1-2")):
            self.assert_fails(code, pattern, consent, bam, card, pin, region=wished)
        (self.network.root / "plain").write_bytes(b"no genome" * 1000)
        plain = self.person.store(self.network.root / "plain")["object"]
        self.assert_fails(2, "without an index", consent, plain, card, pin, region="GRCh37:20:1-2")
        self.assert_fails(2, "neither CRAM", self.person.store, self.network.root / "plain",
                          genome=True)
        grant = self.person.consent(plain)
        self.assert_fails(2, "without an index", self.network.restore, plain, grant, self.out,
                          region=region(1, 2))
        given = self.consent("bam", region(31_000_000, 31_001_000))
        self.assert_fails(2, "bam or cram", self.restore, "bam", given["grant"],
                          region(31_000_000, 31_001_000), format="vcf")


if __name__ == "__main__":
    unittest.main()
