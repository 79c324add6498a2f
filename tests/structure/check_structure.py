#!/usr/bin/env python3
"""Holds the sources against the shape that docs and CMake promise. Standard library only.

    check_structure.py --root <repository>   report every breach; exit 1 if there is one
    check_structure.py --self-test           prove on seeded breaches that each rule can fail

Rules (the name in brackets stands in front of every finding):
  [layer]     an #include or a DEPS entry that layers.toml does not allow; LAYER must agree with it
  [sibling]   the same, for a folder of the same layer
  [include]   a quoted include that does not start with a component, or goes through "..", or an
              own header in angle brackets, or an own header that does not exist
  [testing]   under src/: "testing/..." or a *_test_support.h used by anything but a *_test.cc or
              another *_test_support.h; GoogleTest by anything but a *_test.cc
  [folder]    a folder under src/ that layers.toml does not know
  [test]      a *_test.cc, or a test_*.py, that no CMakeLists.txt names: it would never run
  [orphan]    another source file that no target owns; a header in a folder without a target
  [size]      a code file of more than 500 lines
  [opening]   a code file that does not begin with a comment about what it is
  [python]    a .py file that is no Python: it would fail when somebody at last runs it
  [words]     marks of unfinished work, or paths of one developer's machine
  [comment]   a comment that names a header, source or document of this repository that is not there
  [memset]    memset outside src/secret: compilers remove it where it matters
  [openssl]   an OpenSSL header outside src/crypto
  [os]        open, fsync or getrandom called outside src/os
"""

import argparse
import ast
import pathlib
import re
import sys
import tomllib

MAX_LINES = 500
CODE = {".cc", ".h", ".py"}
CODE_FOLDERS = ("src", "testing", "tests", "tools", "fuzz", "bench")
OWNED_FOLDERS = ("src", "testing")
TEXT = CODE | {".cmake", ".txt", ".md", ".toml", ".json", ".sh", ".yml", ".yaml", ".ts", ".tsx",
               ".html", ".css", ".in", ".svg", ".sql"}
TEXT_NAMES = {"run", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "NOTICE"}
SKIPPED_FOLDERS = {".git", "build", "scratch", "node_modules", "__pycache__", ".cache"}

# Assembled from halves, so that this file passes its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" "DO", "FIX" "ME", "X" "XX"]) + r")\b")
PRIVATE_PATHS = ("../" "shared", "/" "work/")

LEXEME = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')""", re.DOTALL)
NAMED_SOURCE = re.compile(r"(?<![\w./-])([a-z0-9_]+)/(\w+\.(?:h|cc))\b")
NAMED_DOCUMENT = re.compile(r"(?<![\w./-])docs/[\w/-]+\.md\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
MEMSET = re.compile(r"\bmemset\s*\(")
SYSTEM_CALLS = re.compile(
    r"(?<![\w>:])(::\s*(?:open|openat|creat)|(?:::\s*)?(?:fsync|fdatasync))\s*\("
    r"|\b(getrandom|getentropy)\s*\(")
CMAKE_TARGET = re.compile(r"\b(warifu_component|warifu_program|add_library|add_executable)\s*\(")
COMPONENT_CALL = re.compile(r"\bwarifu_component\s*\(([^)]*)\)")
KEYWORDS = {"NAME", "LAYER", "SOURCES", "DEPS", "LIBS"}


def blank(match):
    """Spaces for the text of a match; line breaks stay, so that line numbers stay right."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    return LEXEME.sub(lambda m: blank(m) if m["comment"] else m.group(0), text)


def without_comments_and_strings(text):
    return LEXEME.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class Table:
    """The layer table: what each folder of src/ may use."""

    def __init__(self, path):
        with open(path, "rb") as file:
            rows = tomllib.load(file)
        self.layer = {name: row["layer"] for name, row in rows.items()}
        self.allowed = {}
        for name, row in rows.items():
            own = set(row.get("own", []))
            unknown = own - rows.keys()
            if unknown:
                raise SystemExit(f"{path}: [{name}] names unknown folders: {sorted(unknown)}")
            low = {other for other, r in rows.items() if r["layer"] in row["below"]}
            self.allowed[name] = own | low | {name}
            for other in self.allowed[name] - {name}:
                if self.layer[other] > row["layer"]:
                    raise SystemExit(f"{path}: [{name}] may not use the higher folder {other}")

    def judge(self, folder, other):
        """None when `folder` may use `other`, else the rule that it breaks."""
        if other in self.allowed[folder]:
            return None
        return "sibling" if self.layer[other] == self.layer[folder] else "layer"


class Checker:
    def __init__(self, root, table):
        self.root = pathlib.Path(root).resolve()
        self.table = table
        self.findings = []
        self.files = sorted(self.walk(self.root))
        self.cmake = {p: re.sub(r"#[^\n]*", "", p.read_text())
                      for p in self.files if p.name == "CMakeLists.txt"}
        self.owned = {source for p, text in self.cmake.items() for source in self.sources(p, text)}

    def walk(self, folder):
        for path in folder.iterdir():
            if path.is_symlink():
                continue
            if path.is_dir():
                if path.name not in SKIPPED_FOLDERS:
                    yield from self.walk(path)
            elif not path.name.endswith(".partial"):
                yield path

    def report(self, rule, path, line, message):
        self.findings.append((rule, f"{path.relative_to(self.root)}:{line}: [{rule}] {message}"))

    def run(self):
        for path in self.files:
            parts = path.relative_to(self.root).parts
            in_code = len(parts) > 1 and parts[0] in CODE_FOLDERS and path.suffix in CODE
            text = None
            if path.suffix in TEXT or path.name in TEXT_NAMES:
                text = path.read_text(errors="replace")
                self.check_words(path, text)
            if in_code:
                self.check_size_and_opening(path, text)
            if in_code and path.suffix == ".py":
                self.check_python(path, text)
                if path.name.startswith("test_"):
                    self.check_python_test(path)
            if in_code and parts[0] in OWNED_FOLDERS and path.suffix in {".cc", ".h"}:
                self.check_owner(path)
            if parts[0] == "src" and len(parts) > 2 and path.suffix in {".cc", ".h"}:
                self.check_component_source(path, parts[1], text)
            if parts[0] == "src" and len(parts) == 3 and path.name == "CMakeLists.txt":
                self.check_component_cmake(path, parts[1])
        self.check_folders()
        return self.findings

    # --- what any text must not contain, what any code file must have ---

    def check_words(self, path, text):
        for match in UNFINISHED.finditer(text):
            self.report("words", path, line_of(text, match.start()),
                        f"'{match.group(0)}': finish it or describe it in the docs")
        for word in PRIVATE_PATHS:
            position = text.find(word)
            if position >= 0:
                self.report("words", path, line_of(text, position),
                            f"'{word}' is a path of one machine")

    def check_size_and_opening(self, path, text):
        lines = text.count("\n") + (not text.endswith("\n"))
        if lines > MAX_LINES:
            self.report("size", path, lines, f"{lines} lines; at most {MAX_LINES}, so split it")
        opening = re.sub(r"\A#![^\n]*\n", "", text).lstrip()
        starts = ('"""', "#", "r'''", "'''") if path.suffix == ".py" else ("//", "/*")
        if not opening.startswith(starts):
            self.report("opening", path, 1, "begin with a comment: what this is, what always holds")

    def check_python(self, path, text):
        try:
            ast.parse(text)
        except SyntaxError as error:
            self.report("python", path, error.lineno or 1, error.msg)

    # --- who builds it ---

    def sources(self, cmake_path, text):
        """The source files that a CMakeLists.txt names, as absolute paths."""
        here = cmake_path.parent
        for token in re.findall(r"""[^\s()";]+\.(?:cc|h)\b""", text):
            for variable, value in (("CMAKE_CURRENT_SOURCE_DIR", here),
                                    ("CMAKE_CURRENT_LIST_DIR", here),
                                    ("CMAKE_SOURCE_DIR", self.root),
                                    ("PROJECT_SOURCE_DIR", self.root)):
                token = token.replace("${" + variable + "}", str(value))
            yield pathlib.Path(here, token).resolve()

    def check_owner(self, path):
        if path.suffix == ".cc":
            if path not in self.owned:
                rule = "test" if path.name.endswith("_test.cc") else "orphan"
                self.report(rule, path, 1, "no CMakeLists.txt names this file")
            return
        folder = path.parent
        while folder != self.root:
            text = self.cmake.get(folder / "CMakeLists.txt")
            if text is not None:
                if CMAKE_TARGET.search(text):
                    return
                break
            folder = folder.parent
        self.report("orphan", path, 1, "no target is defined in the folder of this header")

    def check_python_test(self, path):
        """The CMakeLists.txt beside it names the module, or test_NAME as warifu_e2e(NAME seconds)."""
        text = self.cmake.get(path.parent / "CMakeLists.txt", "")
        short = path.stem.removeprefix("test_")
        if not re.search(rf"\b{path.stem}\b|\bwarifu_e2e\({short}\s", text):
            self.report("test", path, 1, "the CMakeLists.txt beside it does not name this module")

    def check_folders(self):
        source_root = self.root / "src"
        for folder in sorted(p for p in source_root.iterdir() if p.is_dir()):
            if folder.name not in self.table.layer and any(
                    folder in path.parents for path in self.files):
                self.report("folder", folder, 1, "layers.toml does not know this folder")
        for path in self.files:
            if path.parent == source_root and path.suffix in {".cc", ".h"}:
                self.report("folder", path, 1, "sources stand in a component, not in src/ itself")

    def check_component_cmake(self, path, folder):
        text = self.cmake[path]
        if folder not in self.table.layer:
            return  # check_folders reports it
        for call in COMPONENT_CALL.finditer(text):
            line = line_of(text, call.start())
            values, keyword = {}, None
            for token in call.group(1).split():
                if token in KEYWORDS:
                    keyword = token
                values.setdefault(keyword, []).append(token)
            name, layer = values.get("NAME", [])[1:], values.get("LAYER", [])[1:]
            if name != [folder]:
                self.report("layer", path, line, f"NAME {name} is not the folder '{folder}'")
            if layer != [str(self.table.layer[folder])]:
                self.report("layer", path, line,
                            f"LAYER {layer}, but layers.toml says {self.table.layer[folder]}")
            for dep in values.get("DEPS", [])[1:]:
                rule = self.table.judge(folder, dep) if dep in self.table.layer else "layer"
                if rule:
                    self.report(rule, path, line, f"'{folder}' may not depend on '{dep}'")

    # --- what a source of a component may include and call ---

    def check_component_source(self, path, folder, text):
        if folder not in self.table.layer:
            return  # check_folders reports it
        self.check_comments(path, text)
        code = without_comments(text)
        for match in INCLUDE.finditer(code):
            self.check_include(path, folder, line_of(code, match.start()), match[1], match[2])
        code = without_comments_and_strings(text)
        if folder != "secret":
            for match in MEMSET.finditer(code):
                self.report("memset", path, line_of(code, match.start()),
                            "secret memory is wiped by src/secret; other memory is initialised")
        if folder != "os":
            for match in SYSTEM_CALLS.finditer(code):
                self.report("os", path, line_of(code, match.start()),
                            f"'{(match[1] or match[2])}' is called only in src/os")

    def check_comments(self, path, text):
        for comment in LEXEME.finditer(text):
            if not comment["comment"]:
                continue
            named = {m[0]: self.root / "src" / m[0] for m in NAMED_SOURCE.finditer(comment[0])
                     if m[1] in self.table.layer}
            named |= {m[0]: self.root / m[0] for m in NAMED_DOCUMENT.finditer(comment[0])}
            for name, file in named.items():
                if not file.is_file():
                    self.report("comment", path, line_of(text, comment.start()),
                                f"'{name}' is not there")

    def check_include(self, path, folder, line, bracket, name):
        first = name.split("/")[0]
        is_test = path.name.endswith("_test.cc")
        serves_tests = is_test or path.name.endswith("_test_support.h")
        if name.endswith("_test_support.h") and not serves_tests:
            self.report("testing", path, line, f"'{name}' is only for tests")
        if first == "openssl":
            if folder != "crypto":
                self.report("openssl", path, line, "only src/crypto uses OpenSSL")
        elif first in {"gtest", "gmock", "rapidcheck", "rapidcheck.h"}:
            if not is_test:
                self.report("testing", path, line, f"'{name}' is only for *_test.cc")
        elif first == "testing":
            if not serves_tests:
                self.report("testing", path, line, "testing/ is only for tests")
        elif ".." in name.split("/"):
            self.report("include", path, line, f"'{name}': include from the root, without '..'")
        elif first in self.table.layer and (bracket == '"' or (self.root / "src" / name).exists()):
            if bracket == "<":
                self.report("include", path, line, f"'{name}' is ours: use quotes")
            elif not (self.root / "src" / name).is_file():
                self.report("include", path, line, f"'{name}' does not exist under src/")
            rule = self.table.judge(folder, first)
            if rule:
                self.report(rule, path, line, f"'{folder}' (layer {self.table.layer[folder]}) may "
                            f"not include '{name}' (layer {self.table.layer[first]})")
        elif bracket == '"':
            self.report("include", path, line, f"'{name}' does not start with a component's name")


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", default=here.parent.parent, help="the repository")
    parser.add_argument("--self-test", action="store_true", help="prove that each rule can fail")
    arguments = parser.parse_args()
    table = Table(here / "layers.toml")
    if arguments.self_test:
        import seeded_breaches  # stands beside this file; only this mode needs it
        return seeded_breaches.run(Checker, table)
    checker = Checker(arguments.root, table)
    findings = checker.run()
    for _, message in findings:
        print(message)
    print(f"structure: {len(checker.files)} files, {len(findings)} breaches")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
