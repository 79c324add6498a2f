"""One Japanese word for one thing: the words that docs/glossary.md discards stand in no Japanese text."""

import argparse
import pathlib
import re
import sys

GLOSSARY = "docs/glossary.md"
HEADING = "## Words in Japanese"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
SOURCES = (("web/src", (".ts", ".tsx")), ("web", (".html",)), ("src", (".cc", ".h")),
           ("docs", (".md",)), ("man", ("",)), ("README.md", (".md",)))
SKIPPED = ("node_modules",)


def table(text):
    """The rows behind the heading: word, Japanese, discarded words."""
    if HEADING not in text:
        return []
    rows = []
    for line in text.partition(HEADING)[2].partition("\n## ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("| \n").split("|")]
        if len(cells) == 3 and JAPANESE.search(cells[1]):
            rows.append((cells[0], cells[1], [word for word in re.split(r"[、, ]+", cells[2]) if word]))
    return rows


def files(root):
    for where, endings in SOURCES:
        place = root / where
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        for path in found:
            if not path.is_file() or any(part in SKIPPED for part in path.parts):
                continue
            if endings == ("",) or path.suffix in endings:
                yield path


def breaches(rows, name, text):
    """Lines of a text that have a discarded word."""
    if not JAPANESE.search(text):
        return []
    return [f"{name}:{number}: '{word}': {what} is {good}"
            for number, line in enumerate(text.splitlines(), 1)
            for what, good, discarded in rows for word in discarded if word in line]


def check(root):
    rows = table((root / GLOSSARY).read_text())
    if len(rows) < 10:
        print(f"{GLOSSARY}: {len(rows)} words under '{HEADING}': this check reads it wrongly")
        return 1
    faults = []
    for what, good, discarded in rows:
        faults += [f"{GLOSSARY}: '{word}' is a part of '{good}'" for word in discarded if word in good]
    for path in files(root):
        name = path.relative_to(root).as_posix()
        if name != GLOSSARY:
            faults += breaches(rows, name, path.read_text(errors="replace"))
    print("\n".join(faults) if faults else f"{len(rows)} words are one in Japanese")
    return 1 if faults else 0


def self_test():
    rows = table(f"{HEADING}\n| share | 分散情報 | シェア、分散片 |\n|---|---|---|\n\n## Other\n| x | 人 | 者 |\n")
    assert rows == [("share", "分散情報", ["シェア", "分散片"])], rows
    assert breaches(rows, "a.ts", "分散情報を送っています") == []
    assert len(breaches(rows, "a.ts", "よい\nシェアを送っています")) == 1
    print("a discarded word is found")
    return 0


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", default=".")
    arguments.add_argument("--self-test", action="store_true")
    given = arguments.parse_args()
    sys.exit(self_test() if given.self_test else check(pathlib.Path(given.root)))
