#!/usr/bin/env python3
"""The promises about consent, cards and logs, measured and printed as one table.

Cards are emulated ones on a virtual reader, through the real pcscd; logs are bent in every way.
--json writes the rows as `results`; --quick takes less of everything. Exit code 1 when a row fails.
"""

import pathlib
import sys
import tempfile
import time

import frame

TOOLS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOOLS / "demo"), str(TOOLS.parent / "tests" / "e2e")]

from network import TestNetwork, random_file  # noqa: E402
from virtual_reader import NoReader, VirtualReader, WarifuAtReader  # noqa: E402
from warifu_cli import CommandFailed  # noqa: E402

FULL = {"records": 256, "every": 1, "tears": 40, "touches": 5, "lives": 100_000}
QUICK = {"records": 256, "every": 61, "tears": 6, "touches": 2, "lives": 10_000}
TOUCH_GOAL = 2.0  # seconds


def row(name, value, unit, goal, ok, note):
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok, "note": note}


def bent_logs(build, amounts):
    with tempfile.TemporaryDirectory(prefix="verify-log-") as folder:
        yield from frame.rows_of([str(build / "tests/verify/warifu-verify-log"), "--dir", folder,
                                  "--records", str(amounts["records"]),
                                  "--every", str(amounts["every"])])


def gates(build, amounts):
    yield from frame.rows_of([str(build / "tests/verify/warifu-verify-gates"),
                              "--runs", str(amounts["lives"])])


class AtReader:
    """A person with a stored file and a card on the virtual reader."""

    def __init__(self, network, reader):
        self.network, self.reader = network, reader
        self.card = network.root / "card"
        self.pin = network.root / "pin"
        self.pin.write_text("2718\n")
        random_file(network.root / "genome", 300_000)
        reader.lay(self.card)
        network.enrol("P-001", "Aoi", "pcsc", self.pin, keys=500)
        self.object = network.store(network.root / "genome", "P-001", card="pcsc",
                                    pin_file=self.pin)["object"]

    def consent(self):
        return self.network.consent(self.object, "pcsc", self.pin)

    def next_index(self):
        return self.network.warifu.ask("card", "show", "--card", "pcsc")["next_index"]


def touches(person, count):
    """From the card on the reader to a grant that every site has accepted: a whole small restore."""
    seconds = []
    for _ in range(count):
        person.reader.lift()
        person.reader.lay(person.card)
        start = time.monotonic()
        grant = person.consent()["grant"]
        seconds.append(time.monotonic() - start)
        out = person.network.root / "restored"
        person.network.restore(person.object, grant, out)
        out.unlink()
    yield row("touch_to_grant", max(seconds), "s", TOUCH_GOAL, max(seconds) < TOUCH_GOAL,
              f"the slowest of {count}: card seen, nonces of every holder, PIN, tags for each of them, "
              "kept; every holder accepted it in the restore behind it")


def tears(person, most):
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
        grant = person.consent()["grant"]
        out = person.network.root / "restored"
        person.network.restore(person.object, grant, out)
        out.unlink()
        if spent not in (0, 1):
            inconsistent += 1
        if through:
            break
    yield row("consent_card_torn_away", after - inconsistent, "places", after, inconsistent == 0,
              "behind each command of the ceremony through pcscd; at most one index lost, the next "
              "touch restored the file each time")


def at_reader(build, amounts):
    with TestNetwork(preshare="64M") as network:
        try:
            with VirtualReader(build / "warifu") as reader:
                network.warifu = WarifuAtReader(build / "warifu", reader)
                person = AtReader(network, reader)
                yield from touches(person, amounts["touches"])
                yield from tears(person, amounts["tears"])
        except NoReader as reason:
            for name in ("touch_to_grant", "consent_card_torn_away"):
                yield row(name, 0, "", 0, None, f"skipped: {reason}")


def all_rows(build, amounts):
    yield from gates(build, amounts)
    yield from bent_logs(build, amounts)
    yield from at_reader(build, amounts)


if __name__ == "__main__":
    frame.run("consent", __doc__, all_rows, (FULL, QUICK),
              "one of 61 bits and swaps, fewer touches and places")
