"""What the program says of itself: its commands, from its own --help, walked once per test run."""

import functools
import os
import pathlib
import re
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get("WARIFU_BINARY", str(REPOSITORY / "build" / "release" / "warifu"))


def run(*arguments, **variables):
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("WARIFU_SITE", "WARIFU_NET", "WARIFU_URL")} | variables
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


def under(heading, text):
    """First words of the lines under a heading of a help text."""
    block = re.search(rf"(?ms)^{heading}:\n(.*?)(?=^\S|\Z)", text)
    return re.findall(r"(?m)^  (\S+)", block[1]) if block else []


def options(text):
    """Every long option of a help text."""
    return set(re.findall(r"(?m)^  (?:-\w,)?(--[a-z-]+)", text))


@functools.cache
def helps():
    """Help text by command, groups and the program itself ("") too."""
    found = {}

    def walk(words):
        code, stdout, stderr = run(*words, "--help")
        assert (code, stderr) == (0, ""), (words, code, stderr)
        found[" ".join(words)] = stdout
        for word in under("Subcommands", stdout):
            walk([*words, word])

    walk([])
    return found


def groups():
    return [name for name, text in helps().items() if under("Subcommands", text)]


def commands():
    return [name for name in helps() if name not in groups()]
