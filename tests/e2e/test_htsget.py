"""samtools, bcftools and browsers read what a person's consent names, by htsget, and nothing else."""

import contextlib
import json
import re
import time
import unittest

import genomes
from htsget_lab import GENE, OTHER, Lab, conformance, place, region
from network import CommandFailed, NetworkTest, wait_until
from site_socket import SocketConnection


def text(start, end):
    return f"20:{start + 1}-{end}"


class Htsget(NetworkTest):
    @classmethod
    def setUpClass(cls):
        cls.lab = cls.enterClassContext(Lab())
        cls.network = cls.lab.network
        # A one-time card's consents must be used in their order, so each is at once.
        cls.grants, views = {}, {}
        for kind in ("bam", "cram", "vcf"):
            cls.grants[kind] = cls.lab.consent(kind, uses=20)
            views[kind] = cls.lab.open(kind, grant=cls.grants[kind], clip=kind == "cram")
        cls.reads, cls.clipped, cls.variants = views.values()

    def events(self, event):
        answer = self.lab.at_site("audit", "list", "--limit", "5000")
        return [record["fields"] for record in answer["records"] if record["event"] == event]

    def original(self, kind, *places):
        read = genomes.variants if kind == "vcf" else genomes.reads
        return read(self.lab.files[kind], *(text(*one) for one in places))

    def test_the_standard(self):
        """Every row of the conformance table."""
        failed = []
        for name, check in conformance(self.lab, self.reads, self.variants):
            try:
                check()
            except (AssertionError, KeyError, ValueError) as why:
                failed.append(f"{name}: {type(why).__name__} {why}")
        self.assertEqual(failed, [])

    def test_exactly_the_records_of_a_place(self):
        for view, kind in ((self.reads, "bam"), (self.clipped, "cram"), (self.variants, "vcf")):
            read = genomes.variants if kind == "vcf" else genomes.reads
            for form in ("VCF", "BCF") if kind == "vcf" else ("BAM", "CRAM"):
                for start, end in (GENE, (GENE[0], GENE[0] + 1), (31_015_000, 31_015_500)):
                    with self.subTest(kind=kind, form=form, start=start):
                        out = self.lab.file_of(view, place(start, end) + f"&format={form}")
                        self.assertEqual(read(out), self.original(kind, (start, end)))
        wanted = [(31_015_000, 31_015_500), (31_015_400, 31_016_000), OTHER, (31_011_000, 31_011_001)]
        out = self.lab.file_of(self.reads, body={"regions": [
            {"referenceName": "chr20", "start": start, "end": end} for start, end in wanted]})
        self.assertEqual(genomes.reads(out), genomes.reads("-M", self.lab.files["bam"],
                                                           *(text(*one) for one in wanted)))

    def test_fields_and_tags(self):
        inside = place(31_015_000, 31_015_500)
        out = self.lab.file_of(self.reads, inside + "&fields=QNAME,RNAME,POS&tags=")
        lines = [line.split("\t") for line in genomes.reads(out)]
        originals = [line.split("\t") for line in self.original("bam", (31_015_000, 31_015_500))]
        self.assertEqual([(line[0], line[2], line[3]) for line in lines],
                         [(line[0], line[2], line[3]) for line in originals])
        for line in lines:
            self.assertEqual((line[5], line[9], line[10], line[11:]), ("*", "*", "*", []))
        out = self.lab.file_of(self.reads, inside + "&notags=RG")
        self.assertEqual([line.split("\t") for line in genomes.reads(out)],
                         [line[:11] for line in originals])

    def test_a_clipped_view_leaves_out_what_lies_beyond_and_says_so(self):
        view = self.clipped
        ticket = self.lab.call("GET", view["https"] + place(GENE[0] - 5_000, GENE[0] + 1_000),
                               view["token"])
        self.assertEqual(ticket.json["warifu"], {"clipped": True})
        self.assertEqual(ticket.headers["Warifu-Clipped"], "true")
        body = self.lab.call("GET", ticket.urls[1]["url"], view["token"])
        self.assertEqual(body.headers["Warifu-Clipped"], "true")
        for query, places in ((place(GENE[0] - 5_000, GENE[0] + 1_000), [(GENE[0], GENE[0] + 1_000)]),
                              ("?referenceName=20", [OTHER, GENE]), ("", [OTHER, GENE]),
                              (place(50_000_000, 50_001_000), []), ("?referenceName=*", [])):
            with self.subTest(query=query):
                expected = self.original("cram", *places) if places else []
                out = self.lab.file_of(view, query)
                self.assertEqual(genomes.reads(out), expected)
                genomes.run("samtools", "quickcheck", out)
        inside = self.lab.call("GET", view["https"] + place(*GENE), view["token"])
        self.assertNotIn("warifu", inside.json)

    def test_samtools_and_bcftools_as_they_are(self):
        place_text = place(*GENE)
        for scheme in ("https", "http"):
            url, token = self.reads[scheme] + place_text, self.reads["file"]
            with self.subTest(scheme=scheme):
                out = self.lab.tool("samtools", "view", "--no-PG", url, token=token, url_scheme=scheme)
                self.assertEqual(out.stdout.decode().splitlines(), self.original("bam", GENE), out.stderr)
                count = self.lab.tool("samtools", "view", "-c", url + "&format=CRAM", token=token,
                                      url_scheme=scheme)
                self.assertEqual(int(count.stdout), len(self.original("bam", GENE)), count.stderr)
        same = genomes.run("samtools", "view", "-b", "--no-PG", self.lab.files["bam"], text(*GENE))
        for words in (("flagstat",), ("depth",), ("stats",)):
            with self.subTest(words=words):
                theirs = self.lab.tool("samtools", *words, self.reads["https"] + place_text,
                                       token=self.reads["file"])
                ours = genomes.run("samtools", *words, "-", stdin=same).decode()
                self.assertEqual([line for line in theirs.stdout.decode().splitlines() if "#" not in line],
                                 [line for line in ours.splitlines() if "#" not in line], theirs.stderr)
        for query in (place_text, place(GENE[0], GENE[0])):
            checked = self.lab.tool("samtools", "quickcheck", "-v", self.reads["https"] + query,
                                    token=self.reads["file"])
            self.assertEqual(checked.returncode, 0, checked.stderr)
        header = self.lab.tool("samtools", "view", "-H", "--no-PG", self.reads["https"] + "?class=header",
                               token=self.reads["file"])
        self.assertIn(b"@SQ\tSN:20", header.stdout)
        self.assertNotIn(b"Hanako", header.stdout)
        for form in ("VCF", "BCF"):
            out = self.lab.tool("bcftools", "view", "-H", self.variants["https"] + place_text + "&format=" + form,
                                token=self.variants["file"])
            self.assertEqual(out.stdout.decode().splitlines(), self.original("vcf", GENE), out.stderr)
        denied = self.lab.tool("samtools", "view", self.reads["https"] + place(GENE[0] - 1, GENE[1]),
                               token=self.reads["file"])
        self.assertNotEqual(denied.returncode, 0)
        self.assertIn(b"Permission denied", denied.stderr)

    def sent(self):
        return sum(link["send"][use] for site in ("tommo", "lsa", "tuh")
                   for link in self.network.link_status(site)
                   for use in ("payload_bytes", "tag_bytes", "hash_key_bytes"))

    def test_panning_takes_no_key_and_one_use_was_taken(self):
        grant = self.lab.consent("bam")
        view = self.lab.open("bam", grant=grant)
        before = self.sent()
        for at in range(GENE[0], GENE[1] - 1_000, 1_500):
            self.lab.file_of(view, place(at, at + 1_000))
        # A few hundred bytes are the sites' own talk; one chunk would be a quarter of a million.
        self.assertLess(self.sent() - before, 10_000)
        self.assert_fails(4, "used.up", self.lab.open, "bam", grant=grant)
        self.lab.at_site("view", "end", view["view"])

    def test_each_request_is_in_the_log_and_no_token_is(self):
        self.lab.file_of(self.reads, place(31_012_345, 31_012_400))
        given = self.events("view_given")
        mine = [one for one in given if one["regions"] == "20:31012346-31012400"]
        self.assertEqual((mine[0]["view"], mine[0]["grant"], mine[0]["grantee"]),
                         (self.reads["view"], self.grants["bam"], "Dr. Sato (person)"))
        self.lab.call("GET", self.reads["https"] + place(GENE[0] - 1, GENE[1]), self.reads["token"])
        self.assertTrue(any(one.get("why") == "PermissionDenied" for one in self.events("view_refused")))
        opened = next(one for one in self.events("view_opened") if one["view"] == self.reads["view"])
        self.assertIn(region(*GENE), opened["scope"])
        needles = [view["token"].encode() for view in (self.reads, self.clipped, self.variants)]
        for path in [*self.network.logs().values(), *self.network.data("tommo").rglob("*")]:
            if path.is_file():
                data = path.read_bytes()
                self.assertFalse(any(needle in data for needle in needles), path)

    def test_the_person_finds_views_among_the_accesses_to_their_data(self):
        view = self.lab.open("bam", grant=self.grants["bam"])
        for _ in range(3):
            self.lab.file_of(view, place(31_015_000, 31_015_500))
        self.lab.call("GET", view["https"] + "?class=header", view["token"])
        self.lab.at_site("view", "end", view["view"])
        seen = self.lab.at_site("person", "accesses", "--id", self.lab.person.id)["accesses"]
        opened, ended = (next(one for one in seen if one["event"] == event and
                              one["fields"]["view"] == view["view"])
                         for event in ("view_opened", "view_ended"))
        for one in (opened, ended):
            self.assertEqual((one["site"], one["fields"]["grantee"], one["fields"]["purpose"],
                              one["fields"]["grant"]),
                             ("tommo", "Dr. Sato (person)", "medicine", self.grants["bam"]))
        self.assertIn(region(*GENE), opened["fields"]["scope"])
        self.assertEqual((opened["fields"]["expires"], ended["fields"]["answers"], ended["fields"]["why"]),
                         (view["expires"], "3", "it was ended"))
        self.assertEqual([one for one in seen if one["event"] == "view_given"], [])

    def test_tickets_name_the_md5_of_their_data(self):
        """Lab.fetch compares; the second time the answer is cut anew."""
        for view, form in ((self.reads, "BAM"), (self.reads, "CRAM"), (self.clipped, "BAM"),
                           (self.variants, "VCF"), (self.variants, "BCF")):
            for query in (place(*GENE) + "&", place(GENE[0], GENE[0]) + "&", "?class=header&"):
                ticket = self.lab.call("GET", view["https"] + query + f"format={form}", view["token"])
                with self.subTest(form=form, query=query):
                    self.assertRegex(ticket.json["htsget"]["md5"], "^[0-9a-f]{32}$")
                    self.assertEqual(self.lab.fetch(ticket), self.lab.fetch(ticket))
        posted = self.lab.call("POST", self.reads["https"], self.reads["token"], json.dumps(
            {"regions": [{"referenceName": "20", "start": GENE[0], "end": GENE[1]}]}))
        self.assertIn("md5", posted.json["htsget"])
        self.lab.fetch(posted)

    def figures(self):
        with contextlib.closing(SocketConnection(self.network.site("tommo"), self.network.data("tommo"))) as api:
            api.request("GET", "/metrics")
            text = api.getresponse().read().decode()
        return {name.replace('site="tommo",', ""): float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(("warifu_views",
                                                                                        "warifu_htsget")))}

    def test_the_figures_of_the_site_count_without_names(self):
        before = self.figures()
        sent = len(self.lab.fetch(self.lab.call("GET", self.reads["https"] + place(*GENE),
                                                self.reads["token"])))
        self.lab.call("GET", self.reads["https"] + place(GENE[0] - 1, GENE[1]), self.reads["token"])
        self.lab.call("GET", self.reads["https"] + place(*GENE), "0" * 64)
        after = self.figures()
        more = {name: after[name] - before[name] for name in after if after[name] != before[name]}
        self.assertEqual({name: count for name, count in more.items() if "memory" not in name}, {
            'warifu_htsget_requests_total{route="ticket",status="2xx"}': 1,
            'warifu_htsget_requests_total{route="ticket",status="4xx"}': 2,
            'warifu_htsget_requests_total{route="data",status="2xx"}': 2,
            'warifu_htsget_refusals_total{error="PermissionDenied"}': 1,
            'warifu_htsget_refusals_total{error="InvalidAuthentication"}': 1,
            'warifu_htsget_served_bytes_total{site="tommo"}': sent})
        self.assertEqual(after['warifu_views_open{site="tommo"}'], len(self.lab.at_site("view", "list")["views"]))
        self.assertGreater(after['warifu_views_memory_used_bytes{site="tommo"}'], 10_000)

    def test_a_view_ends_by_order_by_withdrawal_in_time_and_with_the_site(self):
        view = self.lab.open("bam", grant=self.grants["bam"])
        self.assertIn(view["view"], [one["view"] for one in self.lab.at_site("view", "list")["views"]])
        used = self.lab.at_site("view", "list")["memory_used"]
        self.lab.at_site("view", "end", view["view"])
        self.assertLess(self.lab.at_site("view", "list")["memory_used"], used)
        self.assertEqual(self.lab.call("GET", view["https"] + place(*GENE), view["token"]).status, 401)
        self.assert_fails(3, "no view", self.lab.at_site, "view", "end", view["view"])
        grant = self.lab.consent("bam")
        view = self.lab.open("bam", grant=grant)
        url = self.lab.call("GET", view["https"] + place(*GENE), view["token"]).urls[1]["url"]
        self.lab.at_site("consent", "withdraw", grant)
        self.assertEqual(self.lab.call("GET", url, view["token"]).status, 401)
        wait_until(lambda: view["view"] not in [one["view"] for one in
                                                self.lab.at_site("view", "list")["views"]],
                   10, "the withdrawn view to go")
        self.assertTrue(any(one["view"] == view["view"] and "withdrawn" in one["why"]
                            for one in self.events("view_ended")))
        brief = self.lab.open("bam", grant=self.lab.consent("bam", valid="5s"))
        wait_until(lambda: self.lab.call("GET", brief["https"] + place(*GENE),
                                         brief["token"]).status == 401, 15, "the consent to expire")

    def test_what_cannot_be_opened(self):
        grant = self.grants["bam"]
        for code, pattern, settings in (
                (2, "grantee", {"asker": ""}),
                (4, "who asks is Dr. Else", {"asker": "Dr. Else"}),
                (2, "minutes", {"more": ("--minutes", "100000")}),
                (4, "other_scope", {"more": ("--region", region(50_000_000, 50_000_001))}),
                (3, "not known", {"grant": "0" * 32})):
            with self.subTest(pattern=pattern):
                self.assert_fails(code, pattern, self.lab.open, "bam", **{"grant": grant, **settings})
        whole = self.lab.person.consent(self.lab.object("bam"))
        self.assert_fails(2, "whole object", self.lab.open, "bam", grant=whole, asker="Dr. Sato")
        elsewhere = self.lab.person.consent(self.lab.object("bam"), destination="tuh")
        self.assert_fails(4, "tuh, not at tommo", self.lab.open, "bam", grant=elsewhere,
                          more=("--region", region(*GENE)))
        self.assert_fails(3, "share control", self.network.warifu.ask, "view", "open", "--grant", grant,
                          "--as", "Dr. Sato", "--site", self.network.site("lsa"))

    def test_answers_are_whole_or_errors(self):
        """HEAD tells the length, and a client that asks too often is told to wait."""
        url = self.lab.call("GET", self.variants["https"] + place(*GENE),
                            self.variants["token"]).urls[1]["url"]
        whole = self.lab.call("GET", url, self.variants["token"])
        head = self.lab.call("HEAD", url, self.variants["token"])
        self.assertEqual(int(head.headers["Content-Length"]), len(whole.body))
        view = self.lab.open("vcf", grant=self.grants["vcf"])
        self.addCleanup(self.lab.at_site, "view", "end", view["view"])
        began = time.monotonic()
        statuses = [self.lab.call("GET", view["http"] + "?class=header", view["token"]).status
                    for _ in range(250)]
        if time.monotonic() - began < 5:
            self.assertIn(429, statuses)
        self.assertEqual(statuses[0], 200)
        self.assertLessEqual(set(statuses), {200, 429})

    def test_a_view_without_records_and_as_many_views_as_there_may_be(self):
        nowhere = (40_000_000, 40_001_000)
        view = self.lab.open("bam", grant=self.lab.consent("bam", region(*nowhere)))
        self.assertEqual(view["records"], 0)
        for form in ("BAM", "CRAM"):
            out = self.lab.file_of(view, place(*nowhere) + f"&format={form}")
            self.assertEqual(genomes.reads(out), [])
            genomes.run("samtools", "quickcheck", out)
        opened = [view["view"]]
        with self.assertRaises(CommandFailed) as failure:
            for _ in range(9):
                opened.append(self.lab.open("bam", grant=self.grants["bam"])["view"])
        self.assertEqual(failure.exception.code, 8)
        self.assertRegex(failure.exception.message, "views are open.*view end")
        for view in opened:
            self.lab.at_site("view", "end", view)

    def test_the_pages_listener_needs_no_session_but_the_token(self):
        url = self.reads["http"] + place(*GENE)
        self.assertEqual(self.lab.call("GET", url).status, 401)
        own = f"http://127.0.0.1:{self.lab.web_port}"
        answer = self.lab.call("GET", url, self.reads["token"], Origin=own, Sec_Fetch_Site="same-origin")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.urls[0]["url"].startswith(own))
        body = json.dumps({"regions": [{"referenceName": "20", "start": GENE[0], "end": GENE[1]}]})
        self.assertEqual(self.lab.call("POST", self.reads["http"], self.reads["token"], body).status, 200)
        self.assertEqual(self.lab.call("GET", url, self.reads["token"], Host="evil.example").status, 421)
        self.assertEqual(self.lab.call("GET", f"{own}/v1/views", self.reads["token"]).status, 401)
        self.assertEqual(self.lab.call(
            "GET", f"https://localhost:{self.lab.tls_port}/v1/views", self.reads["token"]).status, 404)

    def released(self):
        return len([one for one in self.events("release") if one["step"] != "resume"])

    def again(self, memory):
        """The site with another limit for views."""
        config = self.network.site("tommo") / "site.toml"
        self.network.down("tommo")
        config.write_text(re.sub(r'^memory = ".*"$', f'memory = "{memory}"', config.read_text(), flags=re.M))
        self.network.up("tommo")

    def test_y_a_view_that_does_not_fit_takes_no_use(self):
        """Restarts the site, which ends views of other tests."""
        whole = self.lab.person.consent(self.lab.object("bam"), uses=1)
        one = {"asker": "Dr. Sato", "more": ("--region", region(*GENE))}
        self.again("1M")
        before = self.released()
        self.assert_fails(9, r"may need .* \[htsget\] memory of this site to 2M at least; no use",
                          self.lab.open, "bam", grant=self.grants["bam"])
        self.assertEqual(self.released(), before)
        self.assertEqual(self.lab.at_site("view", "list")["memory_used"], 0)
        # What the whole would take only its index says, which is read under the use.
        self.assert_fails(9, "the index was read is kept", self.lab.open, "bam", grant=whole, **one)
        self.assertEqual(self.released(), before + 1)
        self.again("64M")
        other = self.lab.open("bam", grant=whole, asker="Dr. Sato", more=("--region", region(*OTHER)))
        self.assertEqual(genomes.reads(self.lab.file_of(other, place(*OTHER))), self.original("bam", OTHER))
        self.assertEqual(self.released(), before + 1, "the use that was kept")
        self.assert_fails(4, "used.up", self.lab.open, "bam", grant=whole, **one)
        self.lab.at_site("view", "end", other["view"])

    def test_z_with_the_site_every_view_ends(self):
        """Runs last, by its name."""
        self.lab.open("bam", grant=self.grants["bam"])
        self.assertEqual(len(self.lab.at_site("view", "list")["views"]), 1)
        self.network.down("tommo")
        self.network.up("tommo")
        self.assertEqual(self.lab.at_site("view", "list")["views"], [])
        answer = self.lab.call("GET", self.reads["https"] + place(*GENE), self.reads["token"])
        self.assertEqual((answer.status, answer.error), (401, "InvalidAuthentication"))
        self.assertTrue(any(one["why"] == "the site stops" for one in self.events("view_ended")))


if __name__ == "__main__":
    unittest.main()
