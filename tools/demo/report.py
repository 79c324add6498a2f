"""What the demonstration shows and what it writes down: the screen, and the JSON record.

Plain text in a pipe, a little colour on a terminal (NO_COLOR turns it off). Times and sizes are
for people on the screen and exact in the record.
"""

import json
import os
import pathlib
import sys
import textwrap
import time

WIDTH = 96
GREEN, RED, BOLD, DIM, PLAIN = "\033[32m", "\033[31m", "\033[1m", "\033[2m", "\033[0m"


def human_bytes(number):
    value = float(number)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 999.95 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def human_bits(number):
    value = float(number)
    for unit in ("bit", "kbit", "Mbit", "Gbit", "Tbit"):
        if value < 999.95 or unit == "Tbit":
            return f"{value:.0f} {unit}" if unit == "bit" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def human_seconds(seconds):
    if seconds < 100:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


class Screen:
    """Headings, sentences, facts and verdicts on standard output."""

    def __init__(self, interactive=False):
        self.interactive = interactive and sys.stdin.isatty()
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def paint(self, colour, text):
        return f"{colour}{text}{PLAIN}" if self.colour else text

    def line(self, text=""):
        print(text, flush=True)

    def heading(self, text):
        self.line()
        self.line(self.paint(BOLD, text))

    def say(self, text):
        self.line(textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  ",
                                break_long_words=False, break_on_hyphens=False))

    def fact(self, name, value):
        name = f"{name}: "
        self.line(textwrap.fill(name + str(value), WIDTH, initial_indent="    - ",
                                subsequent_indent=" " * 8, break_long_words=False,
                                break_on_hyphens=False))

    def quote(self, text):
        for line in text.splitlines():
            self.line("    | " + line)

    def passing(self, text=""):
        """A line that the next one overwrites, on a terminal only."""
        if sys.stdout.isatty():
            print(f"\r\033[K{text and '    ' + text}", end="", flush=True)

    def verdict(self, ok, text):
        if self.colour:
            mark = self.paint(GREEN, "\u2713") if ok else self.paint(RED, "\u2717")
        else:
            mark = "ok:" if ok else "FAILED:"
        first, *rest = textwrap.wrap(text, WIDTH - 8, break_long_words=False,
                                     break_on_hyphens=False)
        self.line(f"  {mark} {first}")
        for line in rest:
            self.line(f"      {line}")

    def pause(self, text="Press Enter to go on"):
        """Waits for Enter when a person sits at the terminal."""
        if self.interactive:
            input(self.paint(DIM, f"  [{text}] "))


class StepFailed(Exception):
    """A step of the scenario did not show what it has to show."""


class Record:
    """The JSON record of a run. `ok` is true only when every single check held."""

    def __init__(self, file=None):
        self.file = pathlib.Path(file) if file else None
        self.started = time.monotonic()
        self.data = {"ok": False, "input": {}, "steps": [], "links": [], "sites": [], "extra": [],
                     "problems": [], "seconds": 0}

    def add(self, kind, entry):
        self.data[kind].append(entry)

    def problem(self, text):
        self.data["problems"].append(text)

    def finish(self, complete):
        entries = self.data["steps"] + self.data["extra"]
        self.data["ok"] = bool(complete and not self.data["problems"]
                               and all(entry["ok"] for entry in entries))
        self.data["seconds"] = round(time.monotonic() - self.started, 3)
        if self.file:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            partial = self.file.with_name(self.file.name + ".partial")
            partial.write_text(json.dumps(self.data, indent=2) + "\n")
            partial.replace(self.file)
        return self.data["ok"]
