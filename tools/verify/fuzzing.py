"""Fuzz targets of fuzz/, run so many times each, and a canary that they must catch.

Needs clang-19 with its libFuzzer; without it the rows have no verdict and say what to install.
"""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from kms_server import REPOSITORY, row

COMPILER = "clang++-19"
PACKAGES = "clang-19 libclang-rt-19-dev"
CANARY_RUNS = 10_000_000  # it is caught after some thousands
CANARY_SECONDS = 60

running = []  # processes of this run


def why_not():
    """Why the targets cannot be built here; empty when they can."""
    if shutil.which(COMPILER) is None:
        return f"skipped: {COMPILER} is not installed (apt-get install {PACKAGES})"
    library = f"libclang_rt.fuzzer-{os.uname().machine}.a"
    found = subprocess.run([COMPILER, f"-print-file-name={library}"], stdout=subprocess.PIPE, text=True,
                           check=False).stdout.strip()
    if not pathlib.Path(found).is_absolute():
        return f"skipped: {COMPILER} has no libFuzzer (apt-get install {PACKAGES})"
    return ""


def build(names, limit):
    """What went wrong, or nothing. What a build in time did not reach, the next one goes on with."""
    targets = [word for name in (*names, "canary") for word in ("--target", f"fuzz-{name}")]
    try:
        for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz", *targets]):
            done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, timeout=limit, check=False)
            if done.returncode != 0:
                return False, "the targets do not build: " + done.stdout.strip().splitlines()[-1]
    except subprocess.TimeoutExpired:
        return None, f"skipped: the targets were not built within {limit} s; without --quick they are"
    return True, ""


def run(name, runs, seconds):
    """(executions, whether it found something, the end of what it said)."""
    program = REPOSITORY / "build" / "fuzz" / "fuzz" / f"fuzz-{name}"
    with tempfile.TemporaryDirectory(prefix="warifu-fuzz-") as scratch:
        command = [str(program), f"-runs={runs}", "-seed=1", "-print_final_stats=1", "-timeout=30",
                   f"-artifact_prefix={scratch}/"]
        if seconds:
            command.append(f"-max_total_time={seconds}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace") as process:
            running.append(process)
            output, _ = process.communicate()
    stats = re.search(r"number_of_executed_units:\s*(\d+)", output)
    said = re.findall(r"(?:ERROR|SUMMARY): .*", output)
    return int(stats[1]) if stats else 0, process.returncode, said[-1] if said else ""


def rows(names, runs, seconds, build_limit):
    """Of these targets. `seconds` > 0: that long each instead of `runs` executions."""
    goal = 0 if seconds else runs
    reason = why_not()
    built = None
    if not reason:
        built, reason = build(names, build_limit)
    if reason:
        for name in (*names, "canary"):
            yield row(f"fuzz_{name}", 0, "executions", goal, built, reason)
        return
    _, code, said = run("canary", CANARY_RUNS, CANARY_SECONDS)
    caught = code != 0 and "AddressSanitizer" in said
    yield row("fuzz_canary", int(caught), "caught", 1, caught, said if caught else "a planted fault was not found")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = [(name, pool.submit(run, name, runs, seconds)) for name in names]
        try:
            for name, one in waiting:
                executions, code, said = one.result()
                note = said or ("no fault" if code == 0 else f"ended with code {code}")
                yield row(f"fuzz_{name}", executions, "executions", goal,
                          code == 0 and executions >= max(goal, 1),
                          note + (f" in {seconds} s" if seconds else ""))
        finally:  # also when it was interrupted
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                process.kill()
