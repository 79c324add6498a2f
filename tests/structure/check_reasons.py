"""Pages have a sentence for every reason (src/base/reason.cc) and code of an error, and a text for every
step of a job. Every reason arises somewhere, and none is known by the words of a message."""

import pathlib
import re
import sys

ENUM = re.compile(r"enum class Reason : std::uint8_t \{(.*?)\};", re.S)
STEP = re.compile(r'(?:save\([^";]*, |\.step = |string_view k\w+ = |, kCancel = |begin\([^";]*, )"([a-z]+)"')


def quoted(path, after, end):
    """The quoted words of a table."""
    text = path.read_text()
    return [word for word in re.findall(r'"([a-z_]*)"', text[text.index(after):].partition(end)[0]) if word]


def sources(root, *folders):
    return {path: path.read_text() for folder in folders for ending in ("*.cc", "*.h")
            for path in sorted((root / folder).rglob(ending)) if not path.name.endswith("_test.cc")}


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    src, pages = top / "src", top / "web" / "src"
    faults = []
    reasons = quoted(src / "base" / "reason.cc", "kWords =", "});")
    listed = re.sub(r"//.*", "", ENUM.search((src / "base" / "reason.h").read_text()).group(1))
    names = [name for name in re.findall(r"k\w+", listed) if name != "kNone"]
    for name, word in zip(names, reasons):
        if name != "k" + "".join(part.capitalize() for part in word.split("_")):
            faults.append(f"src/base/reason.cc: '{word}' is not the word of {name}")
    text = "\n".join(text for path, text in sources(src, ".").items() if path.stem != "reason")
    faults += [f"src/base/reason.h: {name} arises nowhere" for name in names
               if not re.search(rf"\bReason::{name}\b", text)]
    sentences = (pages / "ui" / "failure_messages.ts").read_text()
    words = [f"reason.{word}" for word in reasons]
    words += [f"code.{word}" for word in quoted(src / "base" / "result.cc", "kNames", "};") if word != "none"]
    faults += [f"web/src/ui/failure_messages.ts: no sentence for '{word}'" for word in words
               if f'"{word}":' not in sentences]
    steps = set()
    for path, text in sources(src, "control", "upkeep", "recovery").items():
        if path.suffix == ".cc":
            steps.update(STEP.findall(text))
    texts = (pages / "pages" / "jobs" / "messages.ts").read_text()
    faults += [f"web/src/pages/jobs/messages.ts: no text for the step '{step}'" for step in sorted(steps)
               if f'"jobstep.{step}":' not in texts]
    for fault in faults:
        print(fault)
    if len(names) != len(reasons) or not reasons or len(steps) < 15:
        print(f"{len(names)} reasons, {len(reasons)} words, {len(steps)} steps: this check reads the sources wrongly")
        return 1
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
