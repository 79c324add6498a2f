"""Every piece of a message by which src/api/reasons.cc knows a reason stands in the sources: who changes
a message finds out here that pages lose their sentence for it. And pages have a sentence for each reason,
a gate's too, and for each code."""

import pathlib
import re
import sys

RULE = re.compile(r'\{"(\w+)", Code::\w+, "((?:[^"\\]|\\.)*)"\}')
JOINED = re.compile(r'"\s*\n\s*"')


def names(path, after):
    """The quoted words of a table."""
    text = path.read_text()
    return re.findall(r'"([a-z_]+)"', text[text.index(after):].partition("}")[0])


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "src"
    table = root / "api" / "reasons.cc"
    rules = RULE.findall(table.read_text())
    texts = [JOINED.sub("", path.read_text()) for ending in ("*.cc", "*.h")
             for path in sorted(root.rglob(ending))
             if path != table and not path.name.endswith("_test.cc")]
    missing = [(reason, words) for reason, words in rules
               if not any(words in text for text in texts)]
    for reason, words in missing:
        print(f"{table}: '{words}', by which '{reason}' is known, stands in no message")
    words = {f"reason.{reason}" for reason, _ in rules}
    words |= {f"reason.{word}" for word in names(root / "consent" / "decision.cc", "kReasons")}
    words |= {f"code.{word}" for word in names(root / "base" / "result.cc", "kNames")} - {"code.none"}
    sentences = (root.parent / "web" / "src" / "ui" / "failure_messages.ts").read_text()
    for word in sorted(word for word in words if f'"{word}":' not in sentences):
        print(f"web/src/ui/failure_messages.ts: no sentence for '{word}'")
        missing.append(word)
    if not rules:
        print(f"{table}: no rules found")
    return 1 if missing or not rules else 0


if __name__ == "__main__":
    sys.exit(main())
