"""What every `./run verify SOMETHING` shares: rows from programs of the build, one table, --json.

A part yields rows (dictionaries with name, value, unit, goal, ok and note) from all_rows(build,
amounts); main() prints and writes them. Exit code 1 when a row fails.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys

VERDICTS = {True: "ok", False: "FAILED", None: "-"}


def rows_of(command):
    """The rows that a program of the build prints; a program that dies is a failed row."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return json.loads(done.stdout)["results"]
    except (json.JSONDecodeError, KeyError):
        return [{"name": pathlib.Path(command[0]).name, "value": 0, "unit": "", "goal": 0,
                 "ok": False, "note": f"ended with code {done.returncode} and without figures"}]


def row(name, value, unit, goal, ok, note, **details):
    """`ok`: None for a figure without a verdict."""
    return {"name": name, "value": value, "unit": unit, "goal": goal, "ok": ok, "note": note, **details}


def number(value):
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


def show(row):
    print(f"{row['name']:<26} {number(row['value']):>14} {row['unit']:<11} {number(row['goal']):>12}  "
          f"{VERDICTS[row['ok']]:<7} {row['note']}", flush=True)


def main(part, description, all_rows, amounts, quick_note):
    """`amounts` is a pair: of a full run and of a quick one."""
    parser = argparse.ArgumentParser(prog=f"./run verify {part}", description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    # Absolute: parts run their programs in other folders.
    parser.add_argument("--build", type=lambda text: pathlib.Path(text).resolve(), required=True,
                        help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="under five minutes")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there")
    options = parser.parse_args()
    print(f"{'NAME':<26} {'VALUE':>14} {'UNIT':<11} {'GOAL':>12}  {'':<7} NOTE", flush=True)
    results = []
    for row in all_rows(options.build, amounts[1] if options.quick else amounts[0]):
        show(row)
        results.append(row)
    if options.quick:
        print(f"quick: {quick_note}")
    if options.json:
        text = json.dumps({"quick": options.quick, "cores": os.cpu_count(), "results": results},
                          indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 1 if any(row["ok"] is False for row in results) else 0


def run(*arguments):
    """main() as a program: ends by signals clean up like Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main(*arguments))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
