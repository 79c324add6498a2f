"""A card reader without a reader: pcscd with the virtual reader of vsmartcard, in namespaces of its own.

pcscd keeps its socket in /run/pcscd and vpcd listens on every interface, so both get a private /run and a
private network; any number of them run side by side and none is seen from outside. Only programs
that talk to the card enter: everything else of Warifu is reached over sockets in the file system.
Needs root, or a kernel that lets users make namespaces. Standard library only.
"""

import os
import pathlib
import subprocess
import time

from warifu_cli import Warifu

PATIENCE = 20  # seconds for pcscd, for the reader, for the card
UNSEEN = 2  # seconds until a card that is not seen is laid again
REST = 0.5  # seconds in which the reader notices that there is none
INSIDE = """
ip link set lo up && mount -t tmpfs tmpfs /run && mkdir -p /run/pcscd && exec pcscd --foreground --error
"""


class NoReader(Exception):
    """There is no virtual reader to be had here; says why."""


def namespaces():
    """The options for unshare: a user namespace as well for who is not root."""
    return ([] if os.geteuid() == 0 else ["-U", "-r"]) + ["-m", "-n", "--propagation", "private"]


def why_not():
    """Why it cannot be had here; empty when it can."""
    for program in ("unshare", "nsenter", "ip", "pcscd"):
        if not any(os.access(os.path.join(folder, program), os.X_OK)
                   for folder in (*os.get_exec_path(), "/usr/sbin", "/sbin")):
            return f"{program} is not installed (util-linux, iproute2, pcscd, vsmartcard-vpcd)"
    if not os.path.exists("/etc/reader.conf.d/vpcd"):
        return "the virtual reader is not installed (vsmartcard-vpcd)"
    tried = subprocess.run(["unshare", *namespaces(), "true"], capture_output=True, text=True,
                           check=False)
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


class VirtualReader:
    """A context: a reader that is empty at first."""

    def __init__(self, binary):
        self.binary = str(pathlib.Path(binary).resolve())
        self.service = self.card = None

    def __enter__(self):
        reason = why_not()
        if reason:
            raise NoReader(reason)
        path = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
        self.service = subprocess.Popen(["unshare", *namespaces(), "sh", "-c", INSIDE], env=path,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        try:
            self.await_state("empty")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.lift()
        self.service.kill()
        self.service.wait()
        self.service.stderr.close()

    def enter(self, network=True):
        """What goes before a command that is to see the reader; without `network` it stays in this
        machine's network, where cards cannot be laid."""
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        return ["nsenter", "-t", str(self.service.pid), *user, "-m", *(["-n"] if network else []),
                "--"]

    def states(self):
        found = subprocess.run([*self.enter(), self.binary, "card", "readers"],
                               capture_output=True, text=True, check=False)
        return found.stdout if found.returncode == 0 else ""

    def await_state(self, state, meanwhile=lambda: None):
        """Until the first slot says so."""
        end = time.monotonic() + PATIENCE
        while True:
            lines = self.states().splitlines()[1:]
            if lines and f"  {state} " in lines[0] + " ":
                return
            if self.service.poll() is not None:
                raise NoReader(f"pcscd ended: {self.service.stderr.read().strip()}")
            if time.monotonic() > end:
                raise NoReader(f"the virtual reader is not '{state}' after {PATIENCE} s: {lines}")
            meanwhile()
            time.sleep(0.02)

    def lay(self, file, *, remove_after=None, card_type=None):
        """Lays an emulated card on the reader; it goes by itself behind so many commands. A new one
        is of that type."""
        self.lift()
        options = [] if remove_after is None else ["--remove-after", str(remove_after)]
        options += [] if card_type is None else ["--card-type", card_type]
        command = [*self.enter(), self.binary, "card", "emulate", "--card", str(file), *options]

        laid = 0.0

        # A reader that has not noticed yet that its last card went may send a new one away, or
        # not see it: then it is taken off and laid again, as a person would do.
        def again():
            nonlocal laid
            gone = self.card is None or self.card.poll() is not None
            if not gone and time.monotonic() < laid + UNSEEN:
                return
            if not gone:
                self.card.kill()
                self.card.wait()
                time.sleep(REST)
            self.card = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            laid = time.monotonic()

        again()
        self.await_state("card", again)

    def lift(self):
        """Takes the card away."""
        if self.card is None:
            return
        self.card.kill()
        self.card.wait()
        self.card = None
        self.await_state("empty")


class WarifuAtReader(Warifu):
    """The program, whose commands for a card in a reader, or for a token, see the virtual one."""

    def __init__(self, binary, reader):
        super().__init__(binary)
        self.reader = reader

    def command(self, arguments):
        command = super().command(arguments)
        at_reader = any(word in ("pcsc", "--module") or word.startswith("pcsc:") for word in command)
        return [*self.reader.enter(), *command] if at_reader else command
