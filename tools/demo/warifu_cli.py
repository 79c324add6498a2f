"""The warifu program as seen from Python: one call and its JSON answer, and a network in a folder.

Every command is run as a person would run it, so whatever is shown here can be typed as well.
Output goes through files and not through pipes: a program that is started in the background may
keep its standard output open, and a pipe would then never end. Standard library only.
"""

import enum
import json
import pathlib
import subprocess
import tempfile

SITES = ("tommo", "lsa", "tuh", "cloud1", "cloud2", "cloud3")
CLOUDS = ("cloud1", "cloud2", "cloud3")
DEFAULT_TIMEOUT = 120  # seconds; a command that hangs is a failure, not a wait


class Exit(enum.IntEnum):
    """Exit codes of the program."""
    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    REFUSED = 4
    OUT_OF_KEY = 5
    UNAVAILABLE = 6
    CORRUPT = 7
    BUSY = 8
    IO = 9
    UNKNOWN_OUTCOME = 10
    CANCELLED = 11


class CommandFailed(Exception):
    """A command that ended with an exit code other than 0; `message` is what it said."""

    def __init__(self, command, code, stdout, stderr):
        self.command, self.code, self.stdout, self.stderr = command, code, stdout, stderr
        lines = [line for line in stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("warifu: error: ")]
        self.message = (errors or lines or ["(no message)"])[-1].removeprefix("warifu: error: ")
        super().__init__(f"{' '.join(command)}\n  exit code {code}: {self.message}")


class CommandHung(Exception):
    """A command that did not end in time and was killed."""


class Warifu:
    """The program; call() for any outcome, ask() for a JSON answer or CommandFailed."""

    def __init__(self, binary):
        self.binary = str(pathlib.Path(binary).resolve())

    def command(self, arguments):
        """What is run for these arguments."""
        return [self.binary, *map(str, arguments)]

    def start(self, *arguments, stdout=None, stderr=None):
        """A command that goes on in the background; the caller waits for it or ends it."""
        return subprocess.Popen(self.command(arguments), stdin=subprocess.DEVNULL,
                                stdout=stdout or subprocess.DEVNULL,
                                stderr=stderr or subprocess.DEVNULL)

    def call(self, *arguments, timeout=DEFAULT_TIMEOUT):
        """Runs to the end: (exit code, standard output, standard error)."""
        with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
            process = self.start(*arguments, stdout=stdout, stderr=stderr)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise CommandHung(f"no end after {timeout} s: {self.text(arguments)}") from None
            except BaseException:
                process.kill()
                process.wait()
                raise
            texts = []
            for file in (stdout, stderr):
                file.seek(0)
                texts.append(file.read().decode(errors="replace"))
            return code, texts[0], texts[1]

    def ask(self, *arguments, timeout=DEFAULT_TIMEOUT):
        """The JSON answer of a command."""
        command = [*map(str, arguments), "--json"]
        code, stdout, stderr = self.call(*command, timeout=timeout)
        if code != 0:
            raise CommandFailed(["warifu", *command], code, stdout, stderr)
        try:
            return json.loads(stdout)
        except ValueError as error:
            raise CommandFailed(["warifu", *command], code, stdout,
                                f"the answer is not one JSON document ({error}): "
                                f"{stdout[:200]!r}") from None

    def converse(self, *arguments):
        """The JSON answer of a command that talks with the person at this terminal."""
        command = self.command([*arguments, "--json"])
        with tempfile.TemporaryFile() as stdout:
            code = subprocess.run(command, stdout=stdout, check=False).returncode
            stdout.seek(0)
            answer = stdout.read().decode(errors="replace")
        if code != 0:
            raise CommandFailed(["warifu", *map(str, arguments), "--json"], code, answer, "")
        return json.loads(answer)

    @staticmethod
    def text(arguments):
        return " ".join(["warifu", *map(str, arguments)])


def options(**values):
    """Command line options from keyword arguments; None and False are left out, a tuple is one
    option for each."""
    arguments = []
    for name, value in values.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            arguments.append(option)
        elif isinstance(value, tuple):
            arguments += [word for each in value for word in (option, str(each))]
        elif value is not None and value is not False:
            arguments += [option, str(value)]
    return arguments


class Network:
    """A six-site reference network in one folder, driven by the program."""

    def __init__(self, warifu, folder):
        self.warifu = warifu
        self.folder = pathlib.Path(folder)

    # --- the network ---

    def exists(self):
        return (self.folder / "network.toml").exists()

    def init(self, *, timeout=DEFAULT_TIMEOUT, **settings):
        """Makes the network; settings: rate, preshare, bootstrap, base_port, link."""
        return self.warifu.ask("net", "init", "--net", self.folder, *options(**settings),
                               timeout=timeout)

    def up(self, *only):
        return self._all("up", only)

    def down(self, *only):
        return self._all("down", only)

    def _all(self, verb, only):
        names = [word for name in only for word in ("--only", name)]
        code, stdout, stderr = self.warifu.call("net", verb, "--net", self.folder, *names)
        if code != 0:
            raise CommandFailed(["warifu", "net", verb, *names], code, stdout, stderr)
        return stdout

    def status(self):
        return self.warifu.ask("net", "status", "--net", self.folder)

    def site_status(self, name):
        return next(site for site in self.status()["sites"] if site["name"] == name)

    def site(self, name):
        """The folder that addresses a site."""
        return self.folder / "sites" / name

    def link_status(self, name):
        return self.warifu.ask("link", "status", "--site", self.site(name))["links"]

    def key_trail(self, site, peer):
        """Who used which range of a link's key, the newest of them."""
        return self.warifu.ask("keys", "trail", "--site", self.site(site), "--peer", peer,
                               "--most", "100000")["records"]

    def logs(self):
        """Log files of sites and devices, by name."""
        return {path.stem: path for path in sorted((self.folder / "logs").glob("*.log"))}

    # --- what people do at a site ---

    def enrol(self, person, name, card, pin_file, *, keys=None, card_type=None, site="tommo"):
        return self.warifu.ask("person", "enrol", *options(
            site=self.site(site), id=person, name=name, card=card, pin_file=pin_file, keys=keys,
            card_type=card_type))

    def store(self, path, person, *, site="tommo", timeout=DEFAULT_TIMEOUT, **settings):
        """settings: card, pin_file, label, policy, no_wait."""
        return self.warifu.ask("object", "store", path, *options(
            site=self.site(site), person=person, **settings), timeout=timeout)

    def explain(self, object_id, *, site="tommo"):
        return self.warifu.ask("explain", object_id, "--site", self.site(site))

    def plan(self, *object_id, site="tommo", **settings):
        return self.warifu.ask("plan", *object_id, "--site", self.site(site), *options(**settings))

    def objects(self, *, site="tommo", **settings):
        return self.warifu.ask("object", "list", *options(
            site=self.site(site), **settings))["objects"]

    def consent(self, object_id, card, pin_file, *, purpose="health", grantee="Dr. Sato",
                site="tommo", ask=False, **settings):
        """settings: destination, uses, valid, lang, grantee_id, data_use, region. `ask`: the person reads and answers here."""
        arguments = ["consent", "give", *options(
            site=self.site(site), object=object_id, card=card, pin_file=pin_file,
            purpose=purpose, grantee=grantee, **settings)]
        if ask:
            return self.warifu.converse(*arguments)
        return self.warifu.ask(*arguments, "--yes")

    def restore(self, object_id, grant, out, *, asker="Dr. Sato", site="tommo",
                timeout=DEFAULT_TIMEOUT, **settings):
        """settings: using, gather, purpose, as_id, use, region. `asker`: who asks."""
        return self.warifu.ask("restore", object_id, *options(
            site=self.site(site), grant=grant, out=out, **{"as": asker}, **settings),
                               timeout=timeout)

    def job(self, job_id, *, site="tommo"):
        return self.warifu.ask("job", "show", job_id, "--site", self.site(site))

    def jobs(self, *, site="tommo"):
        return self.warifu.ask("job", "list", "--site", self.site(site))["jobs"]
