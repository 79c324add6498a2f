"""Many persons' stores wait for key at a real network; an urgent one comes last and ends first."""

import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "demo"))
from warifu_cli import Network, Warifu  # noqa: E402

SIZE = 300_000  # a store of it needs more key than comes in a second
GOAL_SECONDS = 60
GOAL_THREADS = 100


def process(pid):
    """(threads, resident bytes) of a process."""
    fields = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["Threads"]), int(fields["VmRSS"].split()[0]) * 1024


def rows(build, jobs):
    with tempfile.TemporaryDirectory(prefix="verify-jobs-", dir=build) as folder:
        root = pathlib.Path(folder)
        network = Network(Warifu(str(build / "warifu")), root / "net")
        # Two megabits a second on the links of the origin: a hundred kilobytes of shares.
        # The last hop has key for as long as this may take on a busy machine.
        network.init(rate="2Mbit/s", bootstrap="2M", preshare="64M")
        network.up()
        try:
            yield from measure(network, root, jobs)
        finally:
            network.down()


def measure(network, root, jobs):
    (root / "pin").write_text("2718\n")
    (root / "genome").write_bytes(os.urandom(SIZE))
    network.enrol("P-001", "Verify", root / "card", root / "pin")
    started = time.monotonic()
    for _ in range(jobs):
        network.store(root / "genome", "P-001", no_wait=True)
    taken_in = time.monotonic() - started
    control = next(site["pid"] for site in network.status()["sites"] if site["name"] == "tommo")
    threads, memory = process(control)
    started = time.monotonic()
    network.store(root / "genome", "P-001", priority="urgent", timeout=600)
    seconds = time.monotonic() - started
    site = ("--site", network.site("tommo"))
    waiting = 0
    for skip in range(0, jobs + 1, 500):
        part = network.warifu.ask("job", "list", "--limit", "500", "--skip", str(skip), *site)["jobs"]
        waiting += sum(job["state"] not in ("done", "failed", "cancelled") for job in part)
    note = f"{jobs} stores of {SIZE} bytes taken in within {taken_in:.0f} s, {waiting} still waited for key"
    yield {"name": "waiting_jobs_urgent", "value": seconds, "unit": "s", "goal": GOAL_SECONDS,
           "ok": seconds <= GOAL_SECONDS and waiting > jobs // 2, "note": note + "; the urgent one came last"}
    yield {"name": "waiting_jobs_threads", "value": threads, "unit": "threads", "goal": GOAL_THREADS,
           "ok": threads <= GOAL_THREADS, "note": f"of the control site, {memory / 1e6:.0f} MB resident; {note}"}
