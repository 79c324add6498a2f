#!/usr/bin/env python3
"""The key management system's promises, measured and printed as one table.

Runs the programs of the build and gathers their rows; --json writes them as `results` of name, value,
unit, goal, ok and note. --quick takes less of everything and says so. Exit code 1 when a row fails.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

import kms_fuzz
import kms_server
from streams import local_bulk_stream

QUICK = {"states": 100_000, "runs": 10_000, "stream": 128 << 20,
         "idle": 2_000, "load_runs": 2, "load_seconds": 3,
         "fuzz_runs": -1, "fuzz_seconds": 5, "fuzz_build": 120}
FULL = {"states": 1_000_000, "runs": 100_000, "stream": 512 << 20,
        "idle": 2_000, "load_runs": 5, "load_seconds": 5,
        "fuzz_runs": 10_000_000, "fuzz_seconds": 0, "fuzz_build": None}


def rows_of(command):
    """The rows that a program of the build prints; a program that dies is a failed row."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return json.loads(done.stdout)["results"]
    except (json.JSONDecodeError, KeyError):
        return [{"name": pathlib.Path(command[0]).name, "value": 0, "unit": "", "goal": 0,
                 "ok": False, "note": f"ended with code {done.returncode} and without figures"}]


def pools(build, amounts):
    return rows_of([str(build / "tests/verify/warifu-verify-pools"),
                    "--states", str(amounts["states"]), "--runs", str(amounts["runs"])])


def all_rows(build, amounts):
    yield from pools(build, amounts)
    yield from kms_server.rows(build, amounts)
    yield local_bulk_stream(build, amounts["stream"])
    yield from kms_fuzz.rows(amounts["fuzz_runs"], amounts["fuzz_seconds"], amounts["fuzz_build"])


VERDICTS = {True: "ok", False: "FAILED", None: "-"}


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def show(row):
    print(f"{row['name']:<26} {number(row['value']):>14} {row['unit']:<11} {number(row['goal']):>12}  "
          f"{VERDICTS[row['ok']]:<7} {row['note']}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./run verify kms", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="under five minutes")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    amounts = QUICK if options.quick else FULL
    print(f"{'NAME':<26} {'VALUE':>14} {'UNIT':<11} {'GOAL':>12}  {'':<7} NOTE", flush=True)
    results = []
    for row in all_rows(options.build, amounts):
        show(row)
        results.append(row)
    if options.quick:
        print("quick: a tenth of the states and runs, shorter loads, seconds of fuzzing")
    if options.json:
        text = json.dumps({"quick": options.quick, "cores": os.cpu_count(), "results": results},
                          indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if any(row["ok"] is False for row in results) else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up like Ctrl-C
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
