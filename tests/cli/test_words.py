"""What is written about the commands against the commands: docs, manual page and completion name every
one of them with its options, and nothing that does not exist; examples are typed as the program wants."""

import re
import shlex
import subprocess
import unittest

from help_tree import BINARY, REPOSITORY, commands, groups, helps, options

# Explained once for all commands.
SHARED = {"--help", "--json", "--site", "--net", "--passphrase-file", "--url", "--cert", "--cert-key",
          "--ca", "--card", "--module", "--token-label", "--key-id", "--module-files", "--pin-file",
          "--wait"}
DOCUMENTS = ("README.md", *(f"docs/{name}.md" for name in (
    "cli", "configuration", "genome", "htsget", "keys", "kiosk", "kms", "operators", "performance",
    "random-numbers", "recovery", "risk", "simulation", "threat-model", "upkeep", "web")))
NAME = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def read(name):
    return (REPOSITORY / name).read_text()


def manual():
    """The manual page without roff's marks; "person died|lives" says both."""
    text = re.sub(r"\\f.", "", read("man/warifu.1")).replace("\\-", "-").replace('"', "")
    return re.sub(r"\b([a-z]+) ([a-z-]+(?:\|[a-z-]+)+)",
                  lambda m: ", ".join(f"{m[1]} {verb}" for verb in m[2].split("|")), text)


def command_of(words):
    """The longest command that begins with these words, and what follows it."""
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if len(words) >= length and name in helps():
            return name, words[length:]
    return None, words


class Words(unittest.TestCase):
    """Names of commands and options."""

    @classmethod
    def setUpClass(cls):
        cls.documents = "".join(map(read, DOCUMENTS))
        cls.manual = manual()

    def assert_says(self, pattern, texts):
        for name, text in texts.items():
            self.assertTrue(re.search(pattern + r"(?![\w-])", text), f"{name} lacks {pattern}")

    def test_every_command_is_explained(self):
        for command in commands():
            with self.subTest(command=command):
                self.assert_says(rf"\bwarifu {command}", {"docs/cli.md": self.documents})
                self.assert_says(rf"\b{command}", {"man/warifu.1": self.manual})

    def test_every_option_is_explained(self):
        for command in commands():
            for option in options(helps()[command]) - SHARED:
                with self.subTest(command=command, option=option):
                    self.assert_says(option, {"docs/": self.documents, "man/warifu.1": self.manual})

    def test_nothing_is_explained_that_does_not_exist(self):
        known = set().union(*map(options, helps().values()))
        for name, text in (("docs/cli.md", read("docs/cli.md")), ("man/warifu.1", self.manual)):
            self.assertEqual(set(NAME.findall(text)) - known, set(), name)
        for name in DOCUMENTS:
            for match in re.finditer(r"\bwarifu ([a-z-]+) ([a-z][a-z-]*)(?=[` ]|$)", read(name), re.M):
                if match[1] in groups():
                    self.assertIn(f"{match[1]} {match[2]}", helps(), name)

    def judge(self, line, where):
        try:
            words = shlex.split(line.split(" | ")[0].split("; ")[0], comments=True)
        except ValueError:
            return  # the output beside it, or a line that goes on
        command, rest = command_of(words[1:])
        self.assertIsNotNone(command, f"{where}: {line}")
        if command in groups():
            return  # prose in a code block: "warifu keys ..."
        for word in rest:
            if re.match(r"--[a-z]", word):
                self.assertIn(word.split("=")[0], options(helps()[command]), f"{where}: {line}")

    def test_examples_have_only_options_that_exist(self):
        for command in commands():
            examples = re.findall(r"(?m)^  (warifu .*)$", helps()[command].split("Example:")[1])
            self.assertTrue(any(line.startswith(f"warifu {command}") for line in examples), command)
            for line in examples:
                self.judge(line, command)
        for name in DOCUMENTS:
            for block in re.findall(r"(?ms)^```.*?\n(.*?)^```", read(name)):
                for line in re.findall(r"(?m)^(?:\$ )?(warifu [a-z].*)$", block.replace("\\\n", " ")):
                    if "[" not in line:  # a synopsis
                        self.judge(line, name)


class Completion(unittest.TestCase):
    """completions/warifu.bash, as bash calls it."""

    SCRIPT = """
    source "$1"
    while IFS= read -r line; do
      mapfile -t COMP_WORDS < <(tr '|' '\\n' <<<"$line")
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      _warifu && printf '%s\\n' "${COMPREPLY[*]}"
    done
    """

    def complete(self, *lines):
        typed = "".join("|".join([BINARY, *line.split(" ")]) + "\n" for line in lines)
        done = subprocess.run(["bash", "-c", self.SCRIPT, "-", REPOSITORY / "completions/warifu.bash"],
                              input=typed, capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual(done.stderr, "")
        return [set(line.split()) for line in done.stdout.splitlines()]

    def test_commands_options_and_values(self):
        cases = {"": {name for name in helps() if name and " " not in name},
                 "ke": {"keys"}, "card re": {"readers", "revoke"},
                 "keys quarantine ": {"list", "discard"},
                 "keys quarantine discard --direction ": {"send", "receive"},
                 "consent give --purpose r": {"research"},
                 "object refresh --k": {"--key-after"}, "link import /et": {"/etc"},
                 "site scrub --now --st": {"--status"},  # --now takes nothing
                 "restore --out /et": {"/etc"}, "simulate --json /et": {"/etc"},
                 "link status --json --u": {"--url"}, "keys use key ": {"key", "random", "default", "on",
                                                                      "off"},
                 "person enrol --name ": set(), "nonsense --": {"--help", "--version"},
                 "person proxy add --": options(helps()["person proxy add"])}
        for (line, wanted), found in zip(cases.items(), self.complete(*cases), strict=True):
            self.assertEqual(found, wanted, line)


if __name__ == "__main__":
    unittest.main()
