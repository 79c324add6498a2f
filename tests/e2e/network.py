"""What the end-to-end tests share: a network in a temporary folder, people, files, ways of waiting.

Every test module has networks of its own (own folder, own ports), so modules may run at the same
time. A network is always taken down, also when the test fails or is killed. WARIFU_BINARY names
the program and WARIFU_DATA the folder of prepared files; WARIFU_KEEP=1 keeps the folders.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "tools" / "demo"))

from warifu_cli import CommandFailed, CommandHung, Network, Warifu  # noqa: E402

LOG_LINES = 25
# 64 bytes that stand in every test file and must never be found in a site's folder.
PATTERN = hashlib.sha512(b"warifu end-to-end plaintext pattern").digest()


def binary():
    """The program under test."""
    named = os.environ.get("WARIFU_BINARY")
    if named:
        return named
    for build in ("release", "debug"):
        path = REPOSITORY / "build" / build / "warifu"
        if path.exists():
            return str(path)
    raise unittest.SkipTest("set WARIFU_BINARY to the program")


def data_folder():
    """Where tests/prepare-data put its files."""
    return pathlib.Path(os.environ.get("WARIFU_DATA", REPOSITORY / "build" / "release" / "data"))


def free_port():
    """One that nobody has at this moment."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Scratch:
    """A temporary folder as a context; kept when WARIFU_KEEP is set.

    A guard process cleans up when the context ends, and also when the test is killed: it sees the
    end of its standard input, ends every process that has the folder on its command line, and
    removes the folder."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="warifu-e2e-"))
        self.guard = subprocess.Popen([sys.executable, "-B", __file__, self.path],
                                      stdin=subprocess.PIPE, start_new_session=True)
        return self.path

    def __exit__(self, *_):
        self.guard.stdin.close()
        self.guard.wait()


def guard(folder):
    """Waits for the end of standard input, then cleans up after the test."""
    sys.stdin.read()
    for pid in processes_of(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[1].startswith(f"{folder}/"):
            subprocess.run(["umount", line.split()[1]], check=False)
    if os.environ.get("WARIFU_KEEP"):
        print(f"kept: {folder}", file=sys.stderr)
    else:
        shutil.rmtree(folder, ignore_errors=True)


class TestNetwork(Network):
    """A network for the length of a with statement, up unless `start` is false."""

    def __init__(self, rate="200Mbit/s", preshare="24M", bootstrap="4M", high_water="24M",
                 start=True, **settings):
        self.settings = {"rate": rate, "preshare": preshare, "bootstrap": bootstrap, **settings}
        self.high_water = high_water
        self.start = start
        self.scratch = Scratch()
        self.root = self.scratch.__enter__()
        super().__init__(Warifu(binary()), self.root / "net")

    def __enter__(self):
        try:
            self.init(**self.settings)
            for config in self.folder.glob("sites/*/site.toml"):
                limit_pools(config, self.high_water)
            if self.start:
                self.up()
        except BaseException:
            self.print_logs()
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            if self.exists():
                self.down()
        except (CommandFailed, CommandHung) as failure:
            print(f"net down: {failure}", file=sys.stderr)
        finally:
            for pid in processes_of(self.folder):
                print(f"killing {pid}, which net down left", file=sys.stderr)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.scratch.__exit__()

    def print_logs(self):
        for name, path in self.logs().items():
            lines = path.read_text(errors="replace").splitlines()[-LOG_LINES:]
            print(f"--- log of {name}", *lines, sep="\n    ", file=sys.stderr)

    def pid(self, name):
        status = self.status()
        return next(entry["pid"] for entry in status["sites"] + status["devices"]
                    if entry["name"] == name)

    def kill(self, name, pid=None):
        """Ends a process as a power cut would: without a word."""
        pid = pid or self.pid(name)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_over(pid), 10, f"process {pid} of {name} to end")

    def data(self, name):
        """The data folder of a site, as its configuration names it."""
        text = (self.site(name) / "site.toml").read_text()
        path = re.search(r'^data_dir\s*=\s*"([^"]+)"', text, re.MULTILINE)[1]
        return (self.site(name) / path) if not path.startswith("/") else pathlib.Path(path)

    def held(self, object_id):
        """Letters of an object's shares at every site."""
        return {site["name"]: sorted(share["letter"] for share in site.get("shares") or []
                                     if share["object"] == object_id)
                for site in self.status()["sites"]}

    def share_path(self, object_id, letter):
        """(site, file) of a share."""
        for site in self.status()["sites"]:
            for share in site.get("shares") or []:
                if share["object"] == object_id and share["letter"] == letter:
                    files = [path for path in self.data(site["name"]).rglob(f"{share['id']}*")
                             if path.is_file()]
                    return site["name"], max(files, key=lambda path: path.stat().st_size)
        raise AssertionError(f"no site holds share {letter} of {object_id}")

    def wait_for_job(self, job_id, states=("done",), limit=90, site="tommo", step=None):
        """The job once it is in one of the states (and at the step, if one is named); a site that
        restarts meanwhile is waited for."""
        seen = {}

        def reached():
            try:
                seen.update(self.job(job_id, site=site))
            except CommandFailed as failure:
                seen["error"] = failure.message
                return False
            return seen.get("state") in states and step in (None, seen.get("step"))

        wait_until(reached, limit, lambda: f"job {job_id} to be {' or '.join(states)}"
                   f"{f' at {step}' if step else ''}, is {seen}")
        return seen


class Person:
    """An enrolled person with a card of their own."""

    def __init__(self, network, person="P-001", pin="2718", keys=None):
        self.network, self.id = network, person
        self.card = network.root / f"{person}.card"
        self.pin_file = network.root / f"{person}.pin"
        self.pin_file.write_text(pin + "\n")
        self.enrolled = network.enrol(person, f"Person {person}", self.card, self.pin_file,
                                      keys=keys)

    def store(self, path, **settings):
        return self.network.store(path, self.id, card=self.card, pin_file=self.pin_file, **settings)

    def consent(self, object_id, **settings):
        return self.network.consent(object_id, self.card, self.pin_file, **settings)["grant"]


class NetworkTest(unittest.TestCase):
    """A test case whose failures show the logs of its network."""

    network = None

    def tearDown(self):
        result = self._outcome.result
        if self.network and any(test is self for test, _ in result.failures + result.errors):
            self.network.print_logs()

    def assert_fails(self, code, pattern, function, *arguments, **settings):
        """The command fails with that exit code (or one of them) and says so; its message."""
        codes = code if isinstance(code, tuple) else (code,)
        try:
            answer = function(*arguments, **settings)
        except CommandFailed as failure:
            self.assertIn(failure.code, codes, str(failure))
            self.assertTrue(failure.stderr.startswith("warifu: error: "), failure.stderr)
            self.assertRegex(failure.message, pattern)
            return failure.message
        return self.fail(f"not refused; the answer was {answer}")

    def assert_same_bytes(self, path, expected):
        data = pathlib.Path(path).read_bytes()
        if data != expected:
            at = next((i for i, (x, y) in enumerate(zip(data, expected)) if x != y),
                      min(len(data), len(expected)))
            self.fail(f"{path} has {len(data)} bytes, expected {len(expected)}; "
                      f"they differ from byte {at}")


def limit_pools(config, size):
    """Sets the level at which the intake of a qkd link pauses."""
    text = re.sub(r"^high_water\s*=.*\n", "", config.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^(origin\s*=.*\n)", rf'\1high_water = "{size}"\n', text, flags=re.MULTILINE)
    config.write_text(text)


def let_cards_come_at_once(config):
    """A site's configuration without days between a card's loss and another in its place."""
    text = config.read_text()
    if "[cards]" in text:
        text = text.replace("[cards]\n", '[cards]\nreissue_delay = "0s"\n')
    else:
        text += '\n[cards]\nreissue_delay = "0s"\n'
    config.write_text(text)


RECORDS_START = 8192


def field_product(a, b):
    """Product in GF(2^128) = GF(2)[x] / (x^128 + x^7 + x^2 + x + 1)."""
    product = 0
    for bit in range(128):
        if b >> bit & 1:
            product ^= a << bit
    for bit in range(254, 127, -1):
        if product >> bit & 1:
            product ^= 0x87 << (bit - 128) | 1 << bit
    return product


def flip_byte(path, at=RECORDS_START + 1000, fit=False):
    """Flips a bit of a share file. With `fit` its holder lies: the check of the record is made to
    fit, with the key from the file's header, so that the holder's own look at it finds nothing.
    Doing it twice undoes it."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 0x10]))
        if not fit:
            return
        header = pathlib.Path(path).read_bytes()[:4096]
        key = int.from_bytes(header[2238:2254], "little")
        full = int.from_bytes(header[112:116], "little")
        last = int.from_bytes(header[116:120], "little")
        count = int.from_bytes(header[120:128], "little")
        stride = -(-(full + 16) // 4096) * 4096
        index, within = divmod(at - RECORDS_START, stride)
        length = last if index + 1 == count else full
        # The hash is linear: a change of block j of L adds change * key^(L - j) to it.
        change = 0x10 << 8 * (within % 16)
        for _ in range(length // 16 - within // 16):
            change = field_product(change, key)
        place = RECORDS_START + index * stride + length
        file.seek(place)
        check = int.from_bytes(file.read(16), "little") ^ change
        file.seek(place)
        file.write(check.to_bytes(16, "little"))


def is_over(pid):
    """True once a process holds nothing any more: it is gone, or only its exit code is left. (Its
    command line is empty earlier, while files and their locks are still open.)"""
    try:
        if len(os.listdir(f"/proc/{pid}/task")) > 1:
            return False  # the first thread has ended, others hold sockets and locks still
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except OSError:
        return True


def processes_of(folder):
    """Ids of processes that have this folder on their command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return [pid for pid in found if pid != os.getpid()]


def wait_until(condition, limit, what, interval=0.1):
    """Waits for the condition; after `limit` seconds fails with `what` (text or function)."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            text = what() if callable(what) else what
            raise AssertionError(f"waited {limit} s for {text}")
        time.sleep(interval)


def random_file(path, size, seed=1):
    """A file of pseudo-random bytes with PATTERN at its start, end and in the middle; its bytes."""
    data = bytearray(hashlib.shake_256(f"warifu {seed}".encode()).digest(size))
    for at in (0, size // 2, size - len(PATTERN)):
        data[at:at + len(PATTERN)] = PATTERN
    pathlib.Path(path).write_bytes(data)
    return bytes(data)


def find_bytes(folder, needle):
    """Files under the folder that contain the bytes."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                tail = b""
                while block := file.read(1 << 22):
                    if needle in tail + block:
                        found.append(path)
                        break
                    tail = block[-len(needle):]
    return found


if __name__ == "__main__":
    guard(sys.argv[1])
