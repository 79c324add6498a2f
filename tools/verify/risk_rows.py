"""Rows about scores and risks: a score from restored slices against the whole file's, genotypes against bcftools
and against the truth, absolute risks against published ones, gene tables against known places.

rows(build, amounts) needs amounts["score_depth"]; python3 tools/verify/risk_rows.py --build build/release shows them alone.
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

from frame import row

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from generated_reads import GeneratedReads  # noqa: E402

ICARE = ROOT / "tests" / "data" / "icare"
FULL, QUICK = {"score_depth": 30}, {"score_depth": 20}
SITES = 300
GENES = {"BRCA1": ("17", 41209080, 43057063), "BRCA2": ("13", 32914438, 32340301),
         "APOE": ("19", 45411941, 44908684), "CYP2D6": ("22", 42524947, 42128945),
         "TP53": ("17", 7578406, 7675088), "LDLR": ("19", 11224326, 11113650)}


def ask(build, *arguments):
    done = subprocess.run([str(build / "warifu"), *map(str, arguments), "--json"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)


def scores(build, amounts):
    with tempfile.TemporaryDirectory(prefix="verify-risk-") as name:
        folder = pathlib.Path(name)
        reads = GeneratedReads(folder, sites=SITES, depth=amounts["score_depth"], everywhere=True)

        def score(cram, counts):
            return ask(build, "risk", "score", "--score", folder / "scoring.txt", "--pileup",
                       reads.pileup(cram, counts), "--genotypes", "--min-coverage", "0.9")

        begin = time.monotonic()
        whole = score("reads.cram", "whole.txt")
        part = ask(build, "risk", "score", "--score", folder / "scoring.txt", "--genome",
                   folder / reads.slices(), "--fasta", folder / "ref.fa", "--genotypes",
                   "--min-coverage", "0.9")
        sizes = [(folder / one).stat().st_size for one in ("slices.cram", "reads.cram")]
        seconds = time.monotonic() - begin
        same = sum(a["copies"] == b["copies"]
                   for a, b in zip(whole["genotypes"], part["genotypes"]))
        yield row("score_slices_vs_whole", same, "sites", SITES,
                  same == SITES and whole["score"] == part["score"],
                  f"slices by the sandboxed reader, the whole file by samtools mpileup; {amounts['score_depth']}x, {whole['sites_used']} confident; scores "
                  f"{whole['score']:.6f} and {part['score']:.6f}; slices {sizes[0]:,} of {sizes[1]:,} bytes; "
                  f"both in {seconds:.1f} s")
        used = {one["position"]: one["copies"] for one in whole["genotypes"] if one["used"]}
        theirs = reads.bcftools("reads.cram")
        truth = {site["position"]: site["copies"] for site in reads.sites}
        equal = sum(theirs.get(at) == copies for at, copies in used.items())
        true = sum(truth[at] == copies for at, copies in used.items())
        yield row("genotypes_vs_bcftools", equal, "sites", len(used), equal == len(used),
                  "bcftools mpileup -q 20 -Q 13 | call -m, at every confident site")
        yield row("genotypes_vs_truth", true, "sites", len(used), true == len(used),
                  "the generator's own genotypes, at every confident site")


def risks(build):
    golden = json.loads((ICARE / "golden.json").read_text())
    worst, many = 0.0, 0
    with tempfile.TemporaryDirectory(prefix="verify-risk-") as name:
        path = pathlib.Path(name) / "answers.json"
        for key, bmi in (("lt50", "bmi_to_50"), ("ge50", "bmi_from_50")):
            expected = golden[key]
            with open(ICARE / f"query_{key}.csv", newline="", encoding="utf-8") as file:
                people = list(csv.DictReader(file))
            for person, risk in zip(people, expected["risks"]):
                person.pop("id")
                person[bmi] = person.pop("bmi_curc")
                path.write_text(json.dumps(person))
                start = expected["age_start"]
                result = ask(build, "risk", "absolute", "--answers", path, "--from", start, "--to",
                             start + expected["years"])
                worst, many = max(worst, abs(result["risk"] - risk)), many + 1
    yield row("icare_published_risks", many, "people", 100, many == 100 and worst < 1e-5,
              f"R's iCARE 1.38.0 on iCARE-Lit; largest difference {worst:.1e}, allowed 1e-5")


def genes(build):
    right = 0
    for build_name, column in (("GRCh37", 1), ("GRCh38", 2)):
        for gene, place in GENES.items():
            (found,) = ask(build, "genes", gene, "--build", build_name)["genes"]
            right += found["chromosome"] == place[0] and found["start"] <= place[column] <= found["end"]
    yield row("genes_at_known_places", right, "genes", 2 * len(GENES), right == 2 * len(GENES),
              "a well-known variant of each lies within it, in GRCh37 and GRCh38")


def rows(build, amounts):
    yield from scores(build, amounts)
    yield from risks(build)
    yield from genes(build)


if __name__ == "__main__":
    import frame
    frame.run("risk", __doc__, rows, (FULL, QUICK), "20 reads deep instead of 30")
