#!/usr/bin/env python3
"""The promises about consent, cards and logs, measured and printed as one table.

Cards are emulated ones on a virtual reader, through the real pcscd; logs are bent in every way.
--json writes the rows as `results`; --quick takes less of everything. Exit code 1 when a row fails.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import frame
import fuzzing
from frame import row

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOOLS / "demo"), str(TOOLS.parent / "tests" / "e2e")]

from network import TestNetwork, random_file  # noqa: E402
from virtual_reader import NoReader, VirtualReader, WarifuAtReader  # noqa: E402
from warifu_cli import CommandFailed  # noqa: E402

FULL = {"records": 256, "every": 1, "tears": 40, "tears_type_a": 70, "tear_step": 3, "touches": 5,
        "lives": 100_000, "fuzz_runs": 10_000_000, "fuzz_seconds": 0, "fuzz_build": None}
QUICK = {"records": 256, "every": 61, "tears": 6, "tears_type_a": 6, "tear_step": 25, "touches": 2,
         "lives": 10_000, "fuzz_runs": -1, "fuzz_seconds": 5, "fuzz_build": 60}
FUZZED = ("card_answers", "card_records", "certificates", "grants")
TOUCH_GOAL = 2.0  # seconds


def bent_logs(build, amounts):
    with tempfile.TemporaryDirectory(prefix="verify-log-") as folder:
        yield from frame.rows_of([str(build / "tests/verify/warifu-verify-log"), "--dir", folder,
                                  "--records", str(amounts["records"]),
                                  "--every", str(amounts["every"])])


def rooted(build):
    """Every way that tests/e2e/test_rooted.py knows to a second share, tried by the control site."""
    tests = TOOLS.parent / "tests" / "e2e"
    done = subprocess.run([sys.executable, "-B", "-m", "unittest", "test_rooted"], cwd=tests,
                          env={**os.environ, "WARIFU_BINARY": str(build / "warifu")},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    ran = re.search(r"Ran (\d+) tests", done.stdout)
    return row("rooted_controller", int(ran[1]) if ran else 0, "attacks", 8,
               done.returncode == 0 and ran is not None,
               "the control site's files rewritten, its sockets and jobs in an attacker's hands, a "
               "card of its own: no second share, and every site's holdings as before")


def bent_evidence(build):
    with tempfile.TemporaryDirectory(prefix="verify-evidence-") as folder:
        yield from frame.rows_of([str(build / "tests/verify/warifu-verify-evidence"),
                                  "--dir", folder])


def gates(build, amounts):
    yield from frame.rows_of([str(build / "tests/verify/warifu-verify-gates"),
                              "--runs", str(amounts["lives"])])


class AtReader:
    """A person with a stored file and a card on the virtual reader."""

    def __init__(self, network, reader, person, card_type):
        self.network, self.reader, self.person = network, reader, person
        self.is_desfire = card_type == "desfire"
        self.card_type = card_type
        self.card = network.root / f"card-{person}"
        self.pin = None
        if not self.is_desfire:
            self.pin = network.root / "pin"
            self.pin.write_text("2718\n")

    def enrol(self):
        self.reader.lay(self.card, card_type=self.card_type)
        self.network.enrol(self.person, "Aoi", "pcsc", self.pin, card_type=self.card_type,
                           keys=None if self.is_desfire else 500)

    def store(self):
        random_file(self.network.root / "genome", 300_000)
        self.object = self.network.store(self.network.root / "genome", self.person, card="pcsc",
                                         pin_file=self.pin)["object"]

    def consent(self):
        return self.network.consent(self.object, "pcsc", self.pin)

    def restore(self, grant):
        out = self.network.root / "restored"
        self.network.restore(self.object, grant, out)
        out.unlink()

    def next_index(self):
        """Of a card that has an index of its own."""
        shown = self.network.warifu.ask("card", "show", "--card", "pcsc")
        return shown.get("next_index", 0)


def touches(person, count, name, note):
    """From the card on the reader to a grant that every site has accepted: a whole small restore."""
    seconds = []
    for _ in range(count):
        person.reader.lift()
        person.reader.lay(person.card)
        start = time.monotonic()
        grant = person.consent()["grant"]
        seconds.append(time.monotonic() - start)
        person.restore(grant)
    yield row(name, max(seconds), "s", TOUCH_GOAL, max(seconds) < TOUCH_GOAL,
              f"the slowest of {count}: {note}")


def tears(person, most, name, note):
    """Takes the card away behind 1, 2, 3... commands of the ceremony, until it is through."""
    inconsistent, after = 0, 0
    for after in range(1, most + 1):
        person.reader.lay(person.card)
        before = person.next_index()
        person.reader.lay(person.card, remove_after=after)
        try:
            person.consent()
            through = True
        except CommandFailed:
            through = False
        person.reader.lay(person.card)
        spent = person.next_index() - before
        try:
            person.restore(person.consent()["grant"])
        except CommandFailed:
            inconsistent += 1
        if spent not in (0, 1):
            inconsistent += 1
        if through:
            break
    yield row(name, after - inconsistent, "places", after, inconsistent == 0, note)


def torn_enrolments(person, most, step):
    """Takes the card away in the middle of its enrolment, further and further; the same command goes
    on, and in the end the card works."""
    places, after = 0, 1
    while places < most:
        person.reader.lay(person.card, card_type=person.card_type, remove_after=after)
        try:
            person.network.enrol(person.person, "Aoi", "pcsc", None, card_type=person.card_type)
        except CommandFailed:
            places += 1
            after += step
            continue
        break
    else:
        person.enrol()
    person.reader.lay(person.card)
    person.store()
    person.restore(person.consent()["grant"])
    yield row("enrolment_card_torn_away_type_a", places, "places", places, True,
              "one enrolment, torn away again and again and gone on with; then the card restored a file")


def at_reader(build, amounts):
    with TestNetwork(preshare="64M") as network:
        try:
            with VirtualReader(build / "warifu") as reader:
                network.warifu = WarifuAtReader(build / "warifu", reader)
                person = AtReader(network, reader, "P-001", "one-time")
                person.enrol()
                person.store()
                yield from touches(
                    person, amounts["touches"], "touch_to_grant",
                    "card seen, nonces of every holder, PIN, tags for each of them, kept; every holder "
                    "accepted it in the restore behind it")
                yield from tears(
                    person, amounts["tears"], "consent_card_torn_away",
                    "behind each command of the ceremony through pcscd; at most one index lost, the "
                    "next touch restored the file each time")
                person = AtReader(network, reader, "P-002", "desfire")
                yield from torn_enrolments(person, amounts["tears"], amounts["tear_step"])
                yield from touches(
                    person, amounts["touches"], "touch_to_grant_type_a",
                    "card seen, nonces of every holder, then a dialogue of each of them with the card, "
                    "and share control's for the record; the restore behind it was let through")
                yield from tears(
                    person, amounts["tears_type_a"], "consent_card_torn_away_type_a",
                    "behind each command of the sites' dialogues through pcscd; the next touch "
                    "restored the file each time")
        except NoReader as reason:
            for name in ("touch_to_grant", "consent_card_torn_away",
                         "enrolment_card_torn_away_type_a", "touch_to_grant_type_a",
                         "consent_card_torn_away_type_a"):
                yield row(name, 0, "", 0, None, f"skipped: {reason}")


def all_rows(build, amounts):
    yield from gates(build, amounts)
    yield from bent_evidence(build)
    yield from bent_logs(build, amounts)
    yield from at_reader(build, amounts)
    yield rooted(build)
    yield from fuzzing.rows(FUZZED, amounts["fuzz_runs"], amounts["fuzz_seconds"],
                            amounts["fuzz_build"])


if __name__ == "__main__":
    frame.run("consent", __doc__, all_rows, (FULL, QUICK),
              "one of 61 bits and swaps, fewer touches and places, seconds of fuzzing")
