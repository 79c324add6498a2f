#!/usr/bin/env python3
"""The key management system's promises, measured and printed as one table.

Runs the programs of the build and gathers their rows; --json writes them as `results` of name, value,
unit, goal, ok and note. --quick takes less of everything and says so. Exit code 1 when a row fails.
"""

import frame
import fuzzing
import kms_server
from streams import local_bulk_stream

QUICK = {"states": 100_000, "runs": 10_000, "stream": 128 << 20,
         "idle": 2_000, "load_runs": 2, "load_seconds": 3,
         "fuzz_runs": -1, "fuzz_seconds": 5, "fuzz_build": 120}
FULL = {"states": 1_000_000, "runs": 100_000, "stream": 512 << 20,
        "idle": 2_000, "load_runs": 5, "load_seconds": 5,
        "fuzz_runs": 10_000_000, "fuzz_seconds": 0, "fuzz_build": None}


FUZZED = ("keypool", "etsi014", "frames", "sae", "streams")


def pools(build, amounts):
    return frame.rows_of([str(build / "tests/verify/warifu-verify-pools"),
                          "--states", str(amounts["states"]), "--runs", str(amounts["runs"])])


def all_rows(build, amounts):
    yield from pools(build, amounts)
    yield from kms_server.rows(build, amounts)
    yield local_bulk_stream(build, amounts["stream"])
    yield from fuzzing.rows(FUZZED, amounts["fuzz_runs"], amounts["fuzz_seconds"], amounts["fuzz_build"])


if __name__ == "__main__":
    frame.run("kms", __doc__, all_rows, (FULL, QUICK),
              "a tenth of the states and runs, shorter loads, seconds of fuzzing")
