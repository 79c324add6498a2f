"""The tester's test: small source trees, each with one seeded breach, and the rule that must fire.

Run by `check_structure.py --self-test`. A case passes when exactly the expected rule fires; the
clean cases pass when nothing fires, so a rule that fires on everything is caught as well. At the
end every rule that the checker can report must have been seen at least once.
"""

import inspect
import pathlib
import re
import tempfile

COMMENT = "// A small file of the self-test.\n"

# A tree that keeps every rule. Each case below changes or adds files; None removes one.
CLEAN = {
    "src/CMakeLists.txt": "add_subdirectory(base)\n",
    "src/base/CMakeLists.txt": "warifu_component(NAME base LAYER 0 SOURCES bytes.cc bytes.h)\n",
    "src/base/bytes.h": COMMENT + "#include <vector>\n",
    "src/base/bytes.cc": COMMENT + '#include "base/bytes.h"\n',
    "src/secret/CMakeLists.txt": "warifu_component(NAME secret LAYER 0 SOURCES wipe.cc)\n",
    "src/secret/wipe.cc": COMMENT + "void f(void* p) { memset(p, 0, 8); }\n",
    "src/secret/wipe.h": COMMENT,
    "src/os/CMakeLists.txt": "warifu_component(NAME os LAYER 1 SOURCES file.cc DEPS base secret)\n",
    "src/os/file.cc": COMMENT + "int f() { return ::open(\"x\", 0) + ::fsync(1); }\n",
    "src/os/file.h": COMMENT,
    "src/crypto/CMakeLists.txt": "warifu_component(NAME crypto LAYER 1 SOURCES hash.cc)\n",
    "src/crypto/hash.cc": COMMENT + "#include <openssl/evp.h>\n",
    "src/crypto/hash.h": COMMENT,
    "src/otp/CMakeLists.txt": "warifu_component(NAME otp LAYER 2\n  SOURCES seal.cc # the seal\n"
                              "  DEPS base os)\nwarifu_test(NAME seal COMPONENT otp\n"
                              "  SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/seal_test.cc)\n",
    "src/otp/seal.h": COMMENT,
    "src/otp/seal.cc": COMMENT + '#include "otp/seal.h"\n#include "os/file.h"\n'
                       "/* memset(p, 0, 8); */\n"
                       "const char* kText = \"::open( getrandom( memset(\";\n"
                       "auto pool = Pool::open(1'000, File::fsync(2'000));\n",
    "src/otp/seal_test.cc": COMMENT + '#include "otp/seal.h"\n#include <gtest/gtest.h>\n'
                            '#include "testing/clock.h"\n',
    "src/keypool/CMakeLists.txt": "warifu_component(NAME keypool LAYER 3 SOURCES pool.cc)\n",
    "src/keypool/pool.h": COMMENT,
    "src/keypool/pool.cc": COMMENT,
    "src/kme/CMakeLists.txt": "warifu_component(NAME kme LAYER 4 SOURCES kme.cc DEPS keypool)\n",
    "src/kme/kme.h": COMMENT,
    "src/kme/kme.cc": COMMENT + '#include "keypool/pool.h"\n',
    "src/channel/CMakeLists.txt": "warifu_component(NAME channel LAYER 4 SOURCES c.cc DEPS kme)\n",
    "src/channel/c.cc": COMMENT + '#include "kme/kme.h"\n',
    "testing/CMakeLists.txt": "add_library(warifu_testing STATIC clock.cc)\n",
    "testing/clock.h": COMMENT,
    "testing/clock.cc": COMMENT + '#include "testing/clock.h"\n',
    "tools/demo/demo.py": '#!/usr/bin/env python3\n"""A tool."""\n',
    "docs/plan.md": "Nothing is left open here.\n",
    "build/junk.cc": "unreadable generated " "TO" "DO\n",
    "src/otp/half.cc.partial": "half-written\n",
}


def seal(extra):
    return {"src/otp/seal.cc": COMMENT + extra}


def otp_cmake(text):
    return {"src/otp/CMakeLists.txt": text + "# seal_test.cc\n"
            "warifu_test(NAME seal COMPONENT otp SOURCES seal_test.cc)\n"}


CASES = [
    ("the clean tree", None, {}),
    ("a file of exactly 500 lines", None, seal("int x;\n" * 499)),
    ("a lower layer in a test", None, {"src/otp/seal_test.cc": COMMENT + '#include "os/file.h"\n'}),
    ("an include in a comment", None, seal('// #include "keypool/pool.h"\n')),
    ("an include upwards", "layer", seal('#include "keypool/pool.h"\n')),
    ("an include upwards, with odd spaces", "layer", seal('  #  include   "keypool/pool.h"\n')),
    ("an include upwards in a test", "layer",
     {"src/otp/seal_test.cc": COMMENT + '#include "keypool/pool.h"\n'}),
    ("an include upwards in a header", "layer",
     {"src/base/bytes.h": COMMENT + '#include "os/file.h"\n'}),
    ("a lower layer that the table withholds", "layer",
     {"src/keypool/pool.cc": COMMENT + '#include "otp/seal.h"\n'}),
    ("an include downwards from channel's user", "sibling",
     {"src/kme/kme.cc": COMMENT + '#include "channel/c.h"\n', "src/channel/c.h": COMMENT}),
    ("a sibling of layer 0", "sibling",
     {"src/base/bytes.h": COMMENT + '#include "secret/wipe.h"\n'}),
    ("a sibling of layer 1", "sibling",
     {"src/os/file.h": COMMENT + '#include "crypto/hash.h"\n'}),
    ("DEPS upwards", "layer",
     otp_cmake("warifu_component(NAME otp LAYER 2 SOURCES seal.cc DEPS keypool)\n")),
    ("DEPS on a sibling", "sibling",
     otp_cmake("warifu_component(NAME otp LAYER 2 SOURCES seal.cc DEPS http)\n")),
    ("a wrong LAYER", "layer",
     otp_cmake("warifu_component(NAME otp LAYER 3 SOURCES seal.cc)\n")),
    ("a wrong NAME", "layer",
     otp_cmake("warifu_component(NAME pad LAYER 2 SOURCES seal.cc)\n")),
    ("an include without its component", "include", seal('#include "seal.h"\n')),
    ("an include through ..", "include", seal('#include "otp/../otp/seal.h"\n')),
    ("an own header in angle brackets", "include", seal("#include <otp/seal.h>\n")),
    ("an own header that does not exist", "include", seal('#include "otp/gone.h"\n')),
    ("testing/ in the product", "testing", seal('#include "testing/clock.h"\n')),
    ("testing/ in angle brackets", "testing", seal("#include <testing/clock.h>\n")),
    ("a test's helper in the product", "testing",
     {"src/otp/otp_test_support.h": COMMENT, **seal('#include "otp/otp_test_support.h"\n')}),
    ("a simulator in a test's helper", None,
     {"src/otp/otp_test_support.h": COMMENT + '#include "testing/clock.h"\n'}),
    ("GoogleTest in the product", "testing", seal("#include <gtest/gtest.h>\n")),
    ("an unknown component", "folder",
     {"src/misc/CMakeLists.txt": "warifu_component(NAME misc LAYER 2 SOURCES a.cc)\n",
      "src/misc/a.cc": COMMENT}),
    ("a source in src/ itself", "folder",
     {"src/loose.cc": COMMENT, "src/CMakeLists.txt": "add_library(loose loose.cc)\n"}),
    ("a test that nobody runs", "test", {"src/otp/open_test.cc": COMMENT}),
    ("a test named only in a comment", "test",
     {"src/otp/CMakeLists.txt": "warifu_component(NAME otp LAYER 2 SOURCES seal.cc)\n"
                                "# SOURCES seal_test.cc\n"}),
    ("a Python test that nobody runs", "test",
     {"tests/cli/CMakeLists.txt": "add_test(NAME cli COMMAND python3 -m unittest test_cli)\n",
      "tests/cli/test_cli.py": '"""Commands."""\n', "tests/cli/test_words.py": '"""Words."""\n'}),
    ("Python tests that are run", None,
     {"tests/e2e/CMakeLists.txt": "warifu_e2e(audit 150)\nadd_test(NAME x COMMAND test_x)\n",
      "tests/e2e/test_audit.py": '"""Audits."""\n', "tests/e2e/test_x.py": '"""X."""\n'}),
    ("a test named in another folder", "test",
     {"src/os/seal_test.cc": COMMENT}),
    ("a source that no target owns", "orphan", {"src/otp/spare.cc": COMMENT}),
    ("a simulator that no target owns", "orphan", {"testing/disk.cc": COMMENT}),
    ("a header in a folder without a target", "orphan", {"src/card/apdu.h": COMMENT}),
    ("a header beside a CMakeLists.txt without a target", "orphan",
     {"src/card/apdu.h": COMMENT, "src/card/CMakeLists.txt": "# nothing yet\n"}),
    ("a file of 501 lines", "size", seal("int x;\n" * 500)),
    ("a long script", "size", {"tools/demo/demo.py": '"""A tool."""\n' + "x = 1\n" * 500}),
    ("a source without opening comment", "opening", {"src/otp/seal.cc": "int x;\n"}),
    ("a script without opening comment", "opening", {"tools/demo/demo.py": "import os\n"}),
    ("a script that a merge broke", "python", {"tools/demo/demo.py": '"""A tool."""\nf(x, y = ("a", "b")\nz)\n'}),
    ("an empty source", "opening", {"src/otp/seal.cc": ""}),
    ("unfinished work, 1", "words", seal("// TO" "DO later\n")),
    ("unfinished work, 2", "words", seal("// FIX" "ME later\n")),
    ("unfinished work, 3", "words", {"docs/plan.md": "X" "XX: think\n"}),
    ("a private path", "words", {"docs/plan.md": "see ../" "shared\n"}),
    ("a private root", "words", {"cmake/a.cmake": "include(/" "work/x)\n"}),
    ("a comment about a header that is gone", "comment", seal("// As otp/gone.h says.\n")),
    ("a comment about a document that is gone", "comment", seal("// See docs/gone.md.\n")),
    ("a comment about a header", None, seal("// As otp/seal.h and another/thing.h say.\n")),
    ("memset in the product", "memset", seal("void f(void* p) { std::memset(p, 0, 8); }\n")),
    ("memset after a digit separator", "memset", seal("int f = 1'0 + memset (p, 0, 2'0);\n")),
    ("memset in a test", "memset",
     {"src/otp/seal_test.cc": COMMENT + "void f(void* p) { memset(p, 0, 8); }\n"}),
    ("OpenSSL outside crypto", "openssl", seal("#include <openssl/evp.h>\n")),
    ("OpenSSL in quotes", "openssl", seal('#include "openssl/evp.h"\n')),
    ("open outside os", "os", seal("int f = ::open(\"x\", 0);\n")),
    ("fsync outside os", "os", seal("int f = ::fsync(1);\n")),
    ("fsync without ::", "os", seal("int f = fsync(1);\n")),
    ("getrandom outside os", "os", seal("auto f = getrandom(p, 8, 0);\n")),
]


def run(checker_class, table):
    failures, seen = 0, set()
    for name, expected, changes in CASES:
        with tempfile.TemporaryDirectory(prefix="warifu-structure-") as folder:
            for path, text in (CLEAN | changes).items():
                target = pathlib.Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            findings = checker_class(folder, table).run()
        rules = {rule for rule, _ in findings}
        seen |= rules
        if rules != ({expected} if expected else set()):
            failures += 1
            print(f"FAILED {name}: expected [{expected}], got {[text for _, text in findings]}")
    rules = set(re.findall(r'^  \[(\w+)\] ', inspect.getmodule(checker_class).__doc__, re.MULTILINE))
    for rule in sorted(rules ^ seen):
        failures += 1
        print(f"FAILED rule [{rule}]: promised and fired sets differ")
    print(f"structure self-test: {len(CASES)} cases, {len(rules)} rules, {failures} failures")
    return 1 if failures else 0
