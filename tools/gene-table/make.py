#!/usr/bin/env python3
"""Makes the gene tables of src/risk/data from two published packages, always the same bytes.

    npm pack ideogram@1.53.0 && tar xzf ideogram-1.53.0.tgz          # GRCh38 and the aliases
    apt-get download r-bioc-biovizbase=1.46.0-1 && dpkg-deb -x r-bioc-biovizbase_*.deb bioviz   # GRCh37
    tools/gene-table/make.py --ideogram package --biovizbase bioviz --out src/risk/data

Needs Rscript (r-base-core) to read biovizBase's data file. Sources, versions and licences stand in the
head of each table, in NOTICE and in docs/risk.md. What is left out: genes on patches, alternative
haplotypes and unplaced contigs. Transcripts of one gene that overlap become one region.
"""

import argparse
import collections
import gzip
import pathlib
import subprocess
import sys

PLACES = [str(number) for number in range(1, 23)] + ["X", "Y", "MT"]
READ_R = """
invisible(lazyLoad(commandArgs(TRUE)[1], filter = function(name) name == "genesymbol"))
ranges <- attr(genesymbol, "ranges")
runs <- function(name) {
  rle <- attr(genesymbol, name)
  rep(as.character(attributes(rle)$values), attributes(rle)$lengths)
}
start <- attr(ranges, "start")
write.table(data.frame(attr(ranges, "NAMES"), runs("seqnames"), start,
                       start + attr(ranges, "width") - 1L, runs("strand")),
            sep = "\\t", quote = FALSE, row.names = FALSE, col.names = FALSE)
"""


def of_ideogram(folder):
    path = folder / "dist/data/cache/genes/homo-sapiens-genes.tsv.gz"
    for line in gzip.open(path, "rt", encoding="utf-8"):
        if line.startswith("#"):
            if "Derived from" in line and "GRCh38.110" not in line:
                sys.exit(f"{path}: not made from Ensembl release 110: {line.strip()}")
            continue
        place, start, length, _, symbol = line.rstrip("\n").split("\t")[:5]
        yield symbol, place, int(start), int(start) + int(length), "."


def of_biovizbase(folder):
    data = next(folder.rglob("biovizBase/data/Rdata.rdb")).with_suffix("")
    done = subprocess.run(["Rscript", "-e", READ_R, str(data)], check=True, text=True,
                          stdout=subprocess.PIPE)
    for line in done.stdout.splitlines():
        symbol, place, start, end, strand = line.split("\t")
        place = {"chrM": "MT"}.get(place, place.removeprefix("chr"))
        yield symbol, place, int(start), int(end), strand.replace("*", ".")


def merged(genes):
    """Rows, sorted; what overlaps under one symbol is one row."""
    regions = collections.defaultdict(list)
    for symbol, place, start, end, strand in genes:
        if place in PLACES and symbol and not any(c in symbol for c in "\t ,;"):
            regions[symbol, PLACES.index(place)].append((start, end, strand))
    rows = []
    for (symbol, place), parts in regions.items():
        joined = []
        for start, end, strand in sorted(parts):
            if joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
                joined[-1][2] = strand if joined[-1][2] == strand else "."
            else:
                joined.append([start, end, strand])
        rows += [(symbol, place, *one) for one in joined]
    return ["\t".join((symbol, PLACES[place], str(start), str(end), strand))
            for symbol, place, start, end, strand in sorted(rows)]


def aliases(folder, known):
    path = folder / "dist/data/cache/synonyms/homo-sapiens-synonyms.tsv.gz"
    rows = set()
    for line in gzip.open(path, "rt", encoding="utf-8"):
        if line.startswith("#"):
            continue
        symbol, *others = line.rstrip("\n").split("\t")
        for other in others:
            if symbol in known and other and other not in known and len(other) <= 40 and \
                    other.isascii() and not any(c in other for c in " ,;:"):
                rows.add((other.upper(), symbol))
    return ["\t".join(row) for row in sorted(rows)]


def write(path, head, rows):
    text = "".join(f"# {line}\n" for line in head) + "\n".join(rows) + "\n"
    path.write_bytes(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0))
    print(f"{path}: {len(rows)} rows, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("ideogram", "biovizbase", "out"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    options = parser.parse_args()
    new, old = merged(of_ideogram(options.ideogram)), merged(of_biovizbase(options.biovizbase))
    write(options.out / "genes-grch38.tsv.gz",
          ["assembly GRCh38", "source Ensembl release 110, as in ideogram 1.53.0 (npm)",
           "licence ideogram: CC0-1.0; Ensembl: no restrictions on its data"], new)
    write(options.out / "genes-grch37.tsv.gz",
          ["assembly GRCh37", "source RefSeq genes on hg19 by UCSC, as in biovizBase 1.46.0 "
           "(Debian r-bioc-biovizbase 1.46.0-1)",
           "licence biovizBase: Artistic-2.0; UCSC's refGene and RefSeq: freely usable"], old)
    known = {row.split("\t")[0] for row in new} | {row.split("\t")[0] for row in old}
    write(options.out / "gene-aliases.tsv.gz",
          ["aliases", "source Ensembl release 110, as in ideogram 1.53.0 (npm)",
           "licence ideogram: CC0-1.0; Ensembl: no restrictions on its data"],
          aliases(options.ideogram, known))


main()
