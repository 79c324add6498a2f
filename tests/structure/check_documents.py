#!/usr/bin/env python3
"""Holds the documents against what is there: everything that a *.md names must exist.
Standard library only.

    check_documents.py --root <repository>   report what is named and not there; exit 1 if anything
    check_documents.py --self-test           prove on seeded breaches that each rule can fail

Rules (the name in brackets stands in front of every finding):
  [link]    a relative link to a file that does not exist
  [anchor]  a link to a heading that its document does not have
  [path]    a source file in `backticks` that is not in the repository: with a folder it is looked for
            from the root, src/, web/, tests/ and the document's own folder, without one by its name
  [adr]     "ADR 0012" without docs/adr/0012-*.md
"""

import argparse
import pathlib
import re
import sys
import tempfile

from check_structure import SKIPPED_FOLDERS

FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
SOURCE = re.compile(r"`([\w./-]+\.(?:cc|h|py|ts|tsx|mjs|cmake|sh))`")
ADR = re.compile(r"\bADR (\d{4})\b")
PLACES = ("", "src", "web", "tests")
# Headers of libraries, named in docs/dependencies.md.
FOREIGN = {"p11-kit/pkcs11.h"}


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def anchor_of(heading):
    """The anchor that a forge makes of a heading: words in lower case, joined by hyphens."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text.replace("`", "")).strip().replace(" ", "-")


class Checker:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.files = [path for path in self.walk(self.root)]
        self.names = {path.name for path in self.files}
        self.anchors = {}
        self.findings = []

    def walk(self, folder):
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.is_symlink():
                if path.name not in SKIPPED_FOLDERS:
                    yield from self.walk(path)
            else:
                yield path

    def run(self):
        for path in self.files:
            if path.suffix == ".md":
                self.check(path, path.read_text())
        return self.findings

    def report(self, rule, path, text, position, message):
        line = text.count("\n", 0, position) + 1
        self.findings.append((rule, f"{path.relative_to(self.root)}:{line}: [{rule}] {message}"))

    def check(self, path, text):
        prose = FENCE.sub(blank, text)
        for match in LINK.finditer(prose):
            self.check_link(path, text, match.start(), match[1])
        for match in SOURCE.finditer(prose):
            if not self.is_there(path, match[1]):
                self.report("path", path, text, match.start(), f"there is no '{match[1]}'")
        for match in ADR.finditer(prose):
            if not any((self.root / "docs" / "adr").glob(match[1] + "-*.md")):
                self.report("adr", path, text, match.start(), f"there is no ADR {match[1]}")

    def check_link(self, path, text, position, target):
        if re.match(r"[a-z]+:", target):
            return
        file, _, anchor = target.partition("#")
        other = (path.parent / file).resolve() if file else path
        if not other.exists():
            self.report("link", path, text, position, f"'{target}' does not exist")
        elif anchor and other.suffix == ".md" and anchor not in self.anchors_of(other):
            self.report("anchor", path, text, position, f"'{target}': no such heading")

    def anchors_of(self, path):
        if path not in self.anchors:
            seen = {}
            for heading in HEADING.findall(FENCE.sub(blank, path.read_text())):
                anchor = anchor_of(heading)
                seen[anchor] = seen.get(anchor, -1) + 1
                if seen[anchor]:
                    seen[f"{anchor}-{seen[anchor]}"] = 0
            self.anchors[path] = seen.keys()
        return self.anchors[path]

    def is_there(self, path, name):
        if name in FOREIGN:
            return True
        if "/" not in name:
            return name in self.names
        return any((self.root / place / name).exists() for place in PLACES) or (
            path.parent / name).exists()


# A tree that keeps every rule, and what each change of it must lead to.
CLEAN = {"src/base/bytes.cc": "", "docs/adr/0001-why.md": "# Why\n", "docs/b.md": "## `a b`, c\n",
         "A.md": "`base/bytes.cc`, `bytes.cc` and [b](docs/b.md#a-b-c), ADR 0001\n```\n[x](y)\n```\n"}
BREACHES = ((None, {}),
            ("link", {"A.md": "[b](docs/c.md)"}), ("anchor", {"A.md": "[b](docs/b.md#a-c)"}),
            ("path", {"A.md": "`base/units.cc`"}), ("path", {"A.md": "`units.cc`"}),
            ("adr", {"A.md": "ADR 0002"}), (None, {"A.md": "[s](https://nowhere.invalid/x)"}))


def self_test():
    for expected, change in BREACHES:
        with tempfile.TemporaryDirectory(prefix="warifu-documents-") as folder:
            for name, text in (CLEAN | change).items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            found = {rule for rule, _ in Checker(folder).run()}
        if found != ({expected} if expected else set()):
            print(f"{change}: expected {expected}, found {found}")
            return 1
    print(f"documents: {len(BREACHES)} seeded cases as expected")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent.parent)
    parser.add_argument("--self-test", action="store_true", help="prove that each rule can fail")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    findings = Checker(arguments.root).run()
    for _, message in findings:
        print(message)
    print(f"documents: {len(findings)} breaches")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
