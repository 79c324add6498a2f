"""Rows about htsget: every case of the conformance table, and samtools and bcftools as clients of
random regions against samtools and bcftools on the stored files themselves.
"""

import os
import pathlib
import random
import sys

from frame import row

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOOLS / "demo"), str(TOOLS.parent / "tests" / "e2e")]

FULL = {"htsget_regions": 300}
QUICK = {"htsget_regions": 30}


def samtools(lab, views, number):
    import genomes
    import htsget_lab
    draw = random.Random(46)
    wrong, given, kinds = [], 0, {}
    for count in range(number):
        kind = draw.choice(("bam", "cram", "vcf"))
        form = draw.choice(("VCF", "BCF") if kind == "vcf" else ("BAM", "CRAM"))
        scheme = draw.choice(("https", "http"))
        first, last = draw.choice((htsget_lab.GENE, htsget_lab.OTHER))
        start = draw.randrange(first, last)
        end = min(last, start + draw.choice((1, 10, 150, 1_000, 10_000)))
        view, file = views[kind], lab.files[kind]
        url = view[scheme] + htsget_lab.place(start, end) + f"&format={form}"
        if kind == "vcf":
            theirs = lab.tool("bcftools", "view", "-H", url, token=view["file"], url_scheme=scheme)
            ours = genomes.variants(file, f"20:{start + 1}-{end}")
        else:
            theirs = lab.tool("samtools", "view", "--no-PG", url, token=view["file"], url_scheme=scheme)
            ours = genomes.reads(file, f"20:{start + 1}-{end}")
        if theirs.returncode != 0 or theirs.stdout.decode().splitlines() != ours:
            wrong.append(f"{count} ({kind} {form} {scheme} {start}-{end}: {theirs.stderr.decode()[-80:]})")
        given += len(ours)
        kinds[f"{kind}->{form}"] = kinds.get(f"{kind}->{form}", 0) + 1
    yield row("htsget_samtools", len(wrong), "differences", 0, not wrong,
              f"{number} random regions by samtools and bcftools as clients over http and https, against the stored "
              f"file, {given:,} records; " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
              + (f"; wrong: {'; '.join(wrong[:3])}" if wrong else ""))


def rows(build, amounts):
    os.environ["WARIFU_BINARY"] = str(build / "warifu")
    import htsget_lab
    with htsget_lab.Lab() as lab:
        views = {kind: lab.open(kind) for kind in ("bam", "cram", "vcf")}
        passed, failed = 0, []
        for name, check in htsget_lab.conformance(lab, views["bam"], views["vcf"]):
            try:
                check()
                passed += 1
            except (AssertionError, KeyError, ValueError) as why:
                failed.append(f"{name} ({str(why)[:100]})")
        cases = passed + len(failed)
        yield row("htsget_conformance", passed, "cases", cases, not failed,
                  f"of {cases}: requests by GET and POST, errors, tickets, classes, tokens, origins, ranges, empty "
                  "regions, service-info" + (f"; failed: {'; '.join(failed[:3])}" if failed else ""))
        yield from samtools(lab, views, amounts["htsget_regions"])
