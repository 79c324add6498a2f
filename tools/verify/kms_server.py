"""The key server's figures: throughput, idle connections. Two site processes with one link, up for this.

The key of the link is preshared beforehand, so that no key device shares the machine; everything else is
as in daily work: mutual TLS, the one-time-pad channel, a sync at both ends before a master is answered.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys

from frame import row

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "tests" / "e2e"))

from network import TestNetwork  # noqa: E402

MASTER, SLAVE = "tommo", "lsa"
GOALS = {1: ("requests_per_second", 3_000), 128: ("keys_per_second", 50_000)}
MOST_REQUESTS, MOST_KEYS = 12_000, 60_000  # of one second, that a dec_keys run has keys for
IDLE_GOAL = 65_536  # bytes of resident memory


class Pair(TestNetwork):
    """Two sites of the reference network, with key of their link and nothing else."""

    def __init__(self, key="200M"):
        super().__init__(preshare="1M", bootstrap=key, back="2M", kms=True, start=False)

    def __enter__(self):
        super().__enter__()
        slave = self.site(SLAVE) / "site.toml"
        # What a run leaves waiting must not be what the next one fails by.
        slave.write_text(slave.read_text().replace("[kms]\n", "[kms]\nmax_waiting_keys = 10000000\n"))
        self.up(MASTER, SLAVE)
        return self

    def port(self, site):
        text = (self.site(site) / "site.toml").read_text()
        return int(re.search(r'\[kms\][^\[]*?listen = "127.0.0.1:(\d+)"', text, re.S)[1])

    def resident(self, site):
        status = pathlib.Path(f"/proc/{self.pid(site)}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def log(self, site):
        return self.logs()[site].read_text(errors="replace")

    def client(self, build, command, *arguments):
        saes = self.folder / "saes"
        name = f"SAE-{MASTER}-1"
        return [str(build / "tests/verify/warifu-verify-saes"), command,
                "--port", str(self.port(MASTER)), "--slave", f"SAE-{SLAVE}-1",
                "--certificate", str(saes / f"{name}.pem"), "--key", str(saes / f"{name}.key"),
                "--ca", str(saes / "ca.pem"), *map(str, arguments)]


    def slave_options(self, keys, seconds):
        """Whoever takes keys by id, and how many are made beforehand: more than the time is for."""
        saes = self.folder / "saes"
        name = f"SAE-{SLAVE}-1"
        return ["--slave-port", self.port(SLAVE), "--slave-certificate", saes / f"{name}.pem",
                "--slave-key", saes / f"{name}.key", "--master", f"SAE-{MASTER}-1",
                "--batches", int(seconds * (MOST_REQUESTS if keys == 1 else MOST_KEYS / keys))]


def run_client(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"the client ended with code {done.returncode}")
    return json.loads(done.stdout)


def throughput(pair, build, kind, keys, connections, runs, seconds):
    """The best of several runs, and how far they lie apart: other work on the machine only slows down."""
    name = f"{kind}_keys_{keys}_per_request"
    figure, goal = GOALS[keys]
    unit = "requests/s" if keys == 1 else "keys/s"
    more = pair.slave_options(keys, seconds) if kind == "dec" else []
    command = pair.client(build, kind, *more, "--keys", keys, "--connections", connections, "--seconds", seconds)
    try:
        all_runs = [run_client(command) for _ in range(runs)]
    except RuntimeError as failure:
        return row(name, 0, unit, goal, False, str(failure))
    best = max(all_runs, key=lambda run: run[figure])
    worst = min(run[figure] for run in all_runs)
    bad = sum(run["refused"] + run["broken"] for run in all_runs)
    note = (f"p50 {best['p50_ms']:.1f} ms, p99 {best['p99_ms']:.1f} ms, {connections} connections; "
            f"best of {runs} runs of {seconds} s, worst {worst:,.0f}")
    if bad:
        problem = next(run["refusal"] or run["problem"] for run in all_runs if run["refused"] + run["broken"])
        note += f"; {bad} requests failed: {problem}"
    return row(name, best[figure], unit, goal, best[figure] >= goal and bad == 0, note, runs=all_runs)


def idle_connections(pair, build, count):
    """Connections that have had an answer and wait; what each costs the site, and that all live."""
    name = "idle_connection_memory"
    before = pair.resident(MASTER)
    held = subprocess.Popen(pair.client(build, "hold", "--connections", count), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with held, contextlib.ExitStack() as stack:
        stack.callback(held.kill)
        first = held.stdout.readline()
        if not first:
            return row(name, 0, "bytes", IDLE_GOAL, False, held.stderr.read().strip())
        each = (pair.resident(MASTER) - before) / count
        threads = len(list(pathlib.Path(f"/proc/{pair.pid(MASTER)}/task").iterdir()))
        held.stdin.write("\n")
        held.stdin.flush()
        after = json.loads(held.stdout.readline() or '{"answered": 0, "new": 0}')
        alive = json.loads(first)["held"] == count == after["answered"] and after["new"] == 1
    note = (f"{count} held, {after['answered']} of them answered again, a new one "
            f"{'too' if after['new'] else 'not'}; {threads} threads in the site")
    return row(name, each, "bytes", IDLE_GOAL, alive and each < IDLE_GOAL, note)


def rows(build, amounts):
    """All rows about the server; yields each as it is there."""
    import kms_identity  # which needs this module
    os.environ["WARIFU_BINARY"] = str(build / "warifu")
    with Pair() as pair:
        yield idle_connections(pair, build, amounts["idle"])
        for kind, keys, connections in (("enc", 1, 256), ("enc", 128, 64), ("dec", 1, 256), ("dec", 128, 64)):
            yield throughput(pair, build, kind, keys, connections, amounts["load_runs"], amounts["load_seconds"])
        yield from kms_identity.rows(pair)
