#!/usr/bin/env python3
"""Share control's promises about capacity, exposure, planning, audits and losses, as one table.

Figures of networks are simulated over modelled link rates, with the planner that stores use; times
are measured on this machine. --json writes the rows as `results`; --quick takes less of everything.
Exit code 1 when a row fails.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import frame
import waiting_jobs

FULL = {"instances": 300, "oracle_objects": 4000, "days": 500, "seeds": 6, "objects": 30_000,
        "plan_days": 400, "jobs": 1000, "audit_bytes": 1 << 30, "persons": 100_000, "waiting": 1000,
        "cluster_seeds": 5000}
QUICK = {"instances": 40, "oracle_objects": 1500, "days": 500, "seeds": 3, "objects": 10_000,
         "plan_days": 60, "jobs": 1000, "audit_bytes": 128 << 20, "persons": 5_000, "waiting": 200,
         "cluster_seeds": 300}

# What only some rows take.
OTHERS = ("audit_bytes", "persons", "waiting", "cluster_seeds")


def program(build, name, amounts):
    """One row of the program; every row is a run of its own, so that each shows up when it is done."""
    options = [option for key, value in amounts.items() if key not in OTHERS
               for option in (f"--{key.replace('_', '-')}", str(value))]
    return frame.rows_of([str(build / "tests/verify/warifu-verify-control"), "--only", name,
                          *options])


def oracle(build, amounts):
    return program(build, "placement_oracle", amounts)


def adaptive(build, amounts):
    return program(build, "placement_adaptive", amounts)


def exposure(build, amounts):
    return program(build, "placement_exposure", amounts)


def planning(build, amounts):
    return program(build, "placement_planning", amounts)


def audits(build, amounts):
    """Over files in the build's folder: its disk is the one that is measured."""
    with tempfile.TemporaryDirectory(prefix="verify-audit-", dir=build) as folder:
        yield from frame.rows_of([str(build / "tests/verify/warifu-verify-audit"), "--dir", folder,
                                  "--bytes", str(amounts["audit_bytes"])])


def catalog(build, amounts):
    with tempfile.TemporaryDirectory(prefix="verify-catalog-", dir=build) as folder:
        yield from frame.rows_of([str(build / "tests/verify/warifu-verify-catalog"), "--dir", folder,
                                  "--persons", str(amounts["persons"])])


def losses(build, _):
    """The end-to-end test in which every site burns in turn, the control site too."""
    tests = pathlib.Path(__file__).resolve().parents[2] / "tests" / "e2e"
    with tempfile.NamedTemporaryFile(prefix="verify-losses-") as figures:
        done = subprocess.run([sys.executable, "-B", "-m", "unittest", "test_losses"], cwd=tests,
                              env={**os.environ, "WARIFU_BINARY": str(build / "warifu"),
                                   "WARIFU_FIGURES": figures.name},
                              capture_output=True, text=True, check=False)
        told = json.loads(figures.read() or "{}")
    ok = done.returncode == 0
    if not ok:
        print(done.stderr, file=sys.stderr)
    yield {"name": "sites_burnt_in_turn", "value": 6 if ok else 0, "unit": "sites", "goal": 6,
           "ok": ok, "note": "six real sites: the folder of each is deleted; objects restored before and "
                             "after, every share made anew, the catalog rebuilt"}
    exposed = told.get("could_restore", -1)
    yield {"name": "exposed_at_real_sites", "value": exposed, "unit": "sites", "goal": 0,
           "ok": exposed == 0, "note": "that could restore the object alone, after losses and repairs: by the "
                                       "ledger, and by the shares that each site's own log names"}
    worth = told.get("shares_per_repair", {})
    direct = max((worth[name] for name in ("C1", "C2", "C3") if name in worth), default=-1)
    yield {"name": "key_per_repair", "value": direct, "unit": "shares", "goal": 3, "ok": direct == 3,
           "note": "key spent, in shares, measured on six real sites, where all ways are direct; with relays: "
                   + ", ".join(f"{name} {value:.0f}" for name, value in worth.items())}


def waiting(build, amounts):
    yield from waiting_jobs.rows(build, amounts["waiting"])


def cluster(build, amounts):
    """Simulated: four sites in one process, and everything that may break. A million: see CONTRIBUTING."""
    yield from frame.rows_of([str(build / "tests/verify/warifu-verify-cluster"),
                              "--seeds", str(amounts["cluster_seeds"]),
                              "--bugs", "60",
                              "--threads", str(os.cpu_count() or 1)])


# A row, or a few that come together, for each promise.
ROWS = (oracle, adaptive, exposure, planning, audits, catalog, losses, waiting, cluster)


def all_rows(build, amounts):
    for rows in ROWS:
        yield from rows(build, amounts)


if __name__ == "__main__":
    frame.run("control", __doc__, all_rows, (FULL, QUICK), "half of the seeds, fewer oracle instances, objects and timed plans, an object of 128 MiB to audit, 5,000 persons, 200 waiting jobs, 300 seeds of the simulated cluster")
