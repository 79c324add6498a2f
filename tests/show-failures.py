"""Says in a few lines which checks failed in a log of ctest, for reports that keep only the end of it.

usage: show-failures.py LOG
"""

import pathlib
import re
import sys

MOST_LINES = 40
WIDTH = 220  # of each line that was raised
BEGIN = re.compile(r"(?:ERROR|FAIL): (\S+) \((\S+)\)")  # of Python's unittest
END = re.compile(r"[\w.]+(?:Error|Exception|Failed|Hung)\b.*")
GTEST = re.compile(r"(\S+:\d+): Failure")


def shortened(line):
    """Begin and end: what was run, and what it said."""
    return line if len(line) <= WIDTH else f"{line[:WIDTH // 3]} ... {line[-WIDTH * 2 // 3:]}"


def unittest_failures(lines):
    """Each failure with the first lines of what was raised."""
    at = 0
    while at < len(lines):
        begin = BEGIN.match(lines[at])
        at += 1
        if not begin:
            continue
        where, said = "", []
        while at < len(lines) and not lines[at].startswith("====") and len(said) < 3:
            line = lines[at].strip()
            if line.startswith('File "') and "/tests/" in line:
                where = line
            elif said or END.fullmatch(line):
                said.append(shortened(line))
            if lines[at].startswith("Ran "):
                break
            at += 1
        yield f"{begin[2]}: {where}: {' | '.join(filter(None, said))}"


def gtest_failures(lines):
    for at, line in enumerate(lines):
        found = GTEST.match(line)
        if found:
            yield f"{found[1]}: {' | '.join(more.strip() for more in lines[at + 1:at + 4])}"


def main():
    text = pathlib.Path(sys.argv[1]).read_text(errors="replace")
    # ctest may put "123: " before what a test says.
    lines = [re.sub(r"^\d+: ", "", line) for line in text.splitlines()]
    failures = [*unittest_failures(lines), *gtest_failures(lines)]
    for failure in failures[:MOST_LINES]:
        print(failure)
    if len(failures) > MOST_LINES:
        print(f"... and {len(failures) - MOST_LINES} more")


if __name__ == "__main__":
    main()
