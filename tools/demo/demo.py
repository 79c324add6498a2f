#!/usr/bin/env python3
"""The reference scenario on one machine: six sites, real files, every step with its evidence.

    demo.py --binary build/release/warifu --make-cram build/release/tools/make-cram/warifu-make-cram

Makes a network of six sites in a scratch folder, each site a process of its own, and plays the
eight steps of the reference scenario. Without --headless it waits for Enter between the steps on a
terminal and leaves the network running. Exit code 0 only when every check held.
"""

import argparse
import contextlib
import fcntl
import pathlib
import shutil
import signal
import sys
import time

import crams
from pages import CONTROL, Pages
from report import Record, Screen, StepFailed, human_bytes, human_seconds
from scenario import (BOOTSTRAP_BYTES, CARRIED_AT_MOST, PERSON, PRESHARED_LINKS, QKD_RATE, Input,
                      Scenario, needed_space, preshare_bytes)
from virtual_reader import NoReader, VirtualReader, WarifuAtReader
from warifu_cli import CommandFailed, CommandHung, Network, Warifu

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
MARK = "warifu-demo"  # a folder with this file in it was made by us and may be removed by us
LOG_LINES = 15
MOST_SECONDS_TO_MAKE = 7200  # of the key: a slow disk is no failure


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    add = parser.add_argument
    add("--binary", required=True, help="the warifu program")
    add("--make-cram", help="warifu-make-cram, which makes the genome file")
    add("--reference-dir", type=pathlib.Path, default=REPOSITORY / "build" / "data",
        help="where the reference and the genome file are kept (default: build/data)")
    add("--headless", action="store_true", help="ask nothing; stop the network at the end")
    add("--json", metavar="FILE", help="write the record of the run to this file")
    add("--file", type=pathlib.Path, help="play with this file instead of a synthetic person")
    add("--size", default="210M", help="size of the synthetic person's file (default: 210M)")
    add("--dir", type=pathlib.Path, default=REPOSITORY / "build" / "demo",
        help="scratch folder, emptied at the start (default: build/demo)")
    add("--card", choices=("file", "vpcd"), default="file",
        help="the emulated card: read from its file, or lying on a virtual reader under pcscd")
    add("--card-type", choices=("one-time", "desfire"),
        help="the project's one-time MAC card, or a type A card, MIFARE DESFire (default: one-time "
             "from a file, desfire on the virtual reader)")
    add("--keep", action="store_true", help="with --headless: keep the scratch folder")
    arguments = parser.parse_args()
    if arguments.card_type is None:
        arguments.card_type = "desfire" if arguments.card == "vpcd" else "one-time"
    return arguments


def take_input(arguments, screen):
    """The file to play with, and what must come back."""
    screen.heading("The genome file")
    if arguments.file:
        path = arguments.file
    else:
        if not arguments.make_cram:
            raise crams.InputError("give --make-cram, or your own file with --file")
        screen.say(f"A synthetic person over the real chromosome 20, {arguments.size}; made once, "
                   f"which takes a minute or two, and kept in {arguments.reference_dir}.")
        path = crams.prepare_cram(
            arguments.make_cram, arguments.reference_dir, arguments.size,
            lambda made, of: screen.passing(f"{human_bytes(made)} of about {human_bytes(of)}"))
        screen.passing()
    given = Input(path=path.resolve(), bytes=path.stat().st_size, sha256=crams.sha256(path))
    if given.bytes == 0:
        raise crams.InputError(f"{path} is empty")
    if crams.is_cram(path) and not arguments.file:
        given.reference = crams.prepare_reference(arguments.reference_dir)
        given.reads = crams.count_reads(path, given.reference)
    screen.fact("file", path)
    screen.fact("size", human_bytes(given.bytes))
    if given.reads is not None:
        screen.fact("reads", given.reads)
    return given


def prepare_scratch(scratch, warifu, screen):
    """An empty scratch folder, locked; a network of an earlier run there is stopped first."""
    ours = (scratch / MARK).exists()
    if not ours and scratch.exists() and any(scratch.iterdir()):
        raise StepFailed(f"{scratch} is not empty and was not made by the demonstration; "
                         "name another folder with --dir")
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / MARK).touch()
    lock = open(scratch / MARK, "r+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise StepFailed(f"another demonstration is using {scratch}; wait, or use --dir") from None
    old = Network(warifu, scratch / "network")
    if old.exists():
        screen.say("Stopping the network of an earlier run.")
        try:
            old.down()
        except (CommandFailed, CommandHung) as failure:
            screen.say(f"It did not stop: {failure}")
    for path in scratch.iterdir():
        if path.name != MARK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return lock


def check_space(scratch, file_bytes):
    free, needed = shutil.disk_usage(scratch).free, needed_space(file_bytes)
    if free < needed:
        raise StepFailed(
            f"{scratch} has {human_bytes(free)} free and the demonstration with a file of "
            f"{human_bytes(file_bytes)} needs {human_bytes(needed)} (mostly one-time key at both "
            "ends of every link). Use --dir on a larger disk or a smaller --size.")


def make_network(network, given, screen):
    screen.heading("Six sites on this machine")
    key = preshare_bytes(given.bytes)
    screen.say("ToMMo, LSA, TUH and three clouds, each a process with its own folder and its own "
               "keys, joined by links; nothing passes between them but one-time pad.")
    screen.fact("links with QKD key",
                f"tommo-lsa, tommo-tuh: modelled devices, {QKD_RATE} both ways together")
    screen.fact("links with pre-shared random numbers",
                f"tuh-clouds and cloud-cloud: {human_bytes(key)} each way; here a link carries the "
                f"file at most {CARRIED_AT_MOST} time each way, and half a file is to spare")
    screen.fact("to be made and written now", f"{human_bytes(4 * PRESHARED_LINKS * key)} of key")
    started = time.monotonic()
    network.init(rate=QKD_RATE, preshare=key, bootstrap=BOOTSTRAP_BYTES, web=True,
                 timeout=MOST_SECONDS_TO_MAKE)
    screen.fact("random numbers made and brought to both ends",
                human_seconds(time.monotonic() - started))
    network.up()
    for site in network.status()["sites"]:
        screen.fact(site["name"], f"{'runs' if site['running'] else 'DOES NOT RUN'}, pid "
                                  f"{site.get('pid')}, listens on {site.get('listen')}")
        if not (site["running"] and site["reachable"]):
            raise StepFailed(f"site {site['name']} does not answer")


def show_logs(network):
    """Where the logs are and how they end: for whoever has to find out what went wrong."""
    print(f"\nThe logs are under {network.folder}. Their last lines:", file=sys.stderr)
    for name, path in network.logs().items():
        lines = path.read_text(errors="replace").splitlines()[-LOG_LINES:]
        print(f"--- {name}: {path}", *lines, sep="\n  ", file=sys.stderr)


def show_what_next(screen, network, scenario, binary):
    screen.heading("The network is still running. Look around:")
    screen.line(f"  export WARIFU_SITE={network.site(CONTROL)} WARIFU_NET={network.folder}")
    for command in ("net status", f"explain {scenario.object}",
                    f"person accesses --id {PERSON}", "link status", "job list",
                    "consent list", "audit verify", "web code", f"kiosk --card {scenario.card}"):
        screen.line(f"  {binary} {command}")
    screen.say("Stop it:")
    screen.line(f"  {binary} net down")


def play(arguments, screen, record):
    with contextlib.ExitStack() as stack:
        reader = None
        if arguments.card == "vpcd":
            reader = stack.enter_context(VirtualReader(arguments.binary))
        play_at(arguments, screen, record, reader)


def play_at(arguments, screen, record, reader):
    warifu = WarifuAtReader(arguments.binary, reader) if reader else Warifu(arguments.binary)
    scratch = arguments.dir.resolve()
    network = Network(warifu, scratch / "network")
    given = take_input(arguments, screen)
    record.data["input"] = {"path": str(given.path), "bytes": given.bytes, "sha256": given.sha256}
    lock = prepare_scratch(scratch, warifu, screen)
    complete = False
    try:
        check_space(scratch, given.bytes)
        make_network(network, given, screen)
        scenario = Scenario(network, given, scratch, screen, record, reader,
                            arguments.card_type)
        scenario.play()
        with Pages(network, scenario, scratch, reader) as pages:
            scenario.run("extra", "And also: The pages", {"name": "The pages"},
                         lambda evidence: scenario.show_pages(pages, evidence))
            scenario.close_accounts()
            complete = True
            tell_result(screen, record)
            if not arguments.headless:
                show_what_next(screen, network, scenario, arguments.binary)
            if screen.interactive:
                screen.heading("And the pages of it, alive:")
                pages.show(screen)
    except BaseException as failure:
        if network.exists() and not isinstance(failure, (KeyboardInterrupt, EOFError)):
            show_logs(network)
        raise
    finally:
        if network.exists() and arguments.headless:
            network.down()
        lock.close()
        if arguments.headless and complete and not arguments.keep:
            shutil.rmtree(scratch)


def tell_result(screen, record):
    if record.finish(True):
        screen.heading("Result")
        screen.verdict(True, f"all eight steps and the further evidence held, in "
                             f"{human_seconds(record.data['seconds'])}")


def stop_on_signal(number, _frame):
    raise KeyboardInterrupt(signal.Signals(number).name)


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, stop_on_signal)
    screen = Screen(interactive=not arguments.headless)
    record = Record(arguments.json)
    message = None
    try:
        crams.parse_size(arguments.size)
        play(arguments, screen, record)
    except (StepFailed, CommandFailed, CommandHung, NoReader, crams.InputError) as failure:
        message = str(failure)
    except OSError as failure:
        message = f"{failure.filename or ''}: {failure.strerror}"
    except (KeyboardInterrupt, EOFError):
        message = "interrupted"
    except BaseException as failure:
        record.problem(repr(failure))
        record.finish(False)
        raise
    if message:
        record.problem(message)
        record.finish(False)
    if record.data["ok"]:
        return 0
    print(f"\ndemo: FAILED: {message or '; '.join(record.data['problems'])}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
