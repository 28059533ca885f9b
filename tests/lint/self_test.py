#!/usr/bin/env python3
"""Every lint must catch an offender planted for it, and nothing in the clean file beside it."""

import pathlib
import tempfile

import format as format_lint
import headers
import purity
import ranks
import size

CLEAN = {
    "model/base/base.h": "#pragma once\n",
    "model/arch/arch.h": '#pragma once\n#include "model/base/base.h"\n',
    "model/arch/read.cc": '#include <nlohmann/json.hpp>\n\n#include "model/arch/arch.h"\n'
                          "// This may throw, exit() and std::cout: it is a comment.\n"
                          'const char* text = "throw printf(";\n',
}

LONG_BODY = "".join(f"  x += {i};\n" for i in range(120))
LONG_TABLE = "const int kTable[] = {\n" + "    1,\n" * 150 + "};\n"
SHORT = "".join(f"int f{i}() {{ return {i}; }}\n" for i in range(40))

# lint, files that are added to the clean ones, what the only finding must contain (None: no finding)
OFFENDERS = [
    (ranks, {"model/base/up.cc": '#include "model/arch/arch.h"\n'}, "rank 0"),
    (ranks, {"model/problem/side.cc": '#include "model/arch/arch.h"\n'}, "rank 1"),
    (ranks, {"model/arch/inner.h": "#pragma once\n",
             "model/mapping/peek.cc": '#include "model/arch/inner.h"\n'}, "is private to model/arch"),
    (ranks, {"model/base/inner.h": "#pragma once\n",
             "model/mapping/base.cc": '#include "model/base/inner.h"\n'}, None),
    (ranks, {"model/surprise/a.cc": "int a;\n"}, "has no rank"),
    (ranks, {"model/arch/lost.cc": '#include "arch.h"\n'}, "is not a file"),
    (ranks, {"model/arch/oracle.cc": '#include "tests/reference/walk.h"\n',
             "tests/reference/walk.h": "#pragma once\n"}, "has no rank"),
    (ranks, {"model/counting/counting.h": "#pragma once\n",
             "tests/reference/walk.cc": '#include "model/counting/counting.h"\n'},
     "shares no counting code"),
    (ranks, {"model/mapping/hidden.h": "#pragma once\n#include <boost/any.hpp>\n",
             "model/mapping/mapping.h": '#pragma once\n#include "model/mapping/hidden.h"\n'},
     "reaches users"),
    (ranks, {"model/arch/cli.cc": "#include <CLI/CLI.hpp>\n"}, "belongs to interface/cli"),
    (purity, {"model/arch/a.cc": "void f() { std::cout << 1; }\n"}, "std::cout"),
    (purity, {"model/arch/a.cc": 'void f() { printf("x"); }\n'}, "printf"),
    (purity, {"model/arch/a.cc": "void f() { std::exit(1); }\n"}, "exit"),
    (purity, {"model/arch/a.cc": "void f() { abort(); }\n"}, "abort"),
    (purity, {"model/arch/a.cc": 'const char* f() { return getenv("HOME"); }\n'}, "getenv"),
    (purity, {"model/arch/a.cc": "void f() { throw 1; }\n"}, "throw"),
    (purity, {"model/arch/a.cc": "#include <iostream>\n"}, "iostream"),
    (purity, {"model/arch/a.cc": "const char k = '\"'; void f() { throw 1; }\n"}, "throw"),
    (purity, {"model/arch/a.cc": "int big = 1'000; void f() { throw 1'000; }\n"}, "throw"),
    (purity, {"interface/cli/a.cc": "void f() { std::cout << 1; }\n"}, None),
    (purity, {"model/arch/a.cc": "void f(char* s) { std::snprintf(s, 1, s); }\n"}, None),
    (size, {"model/arch/a.cc": "int a;\n" * 601}, "601 lines; 600"),
    (size, {"model/energy/energy.h": "int a;\n" * 301}, "301 lines; 300"),
    (size, {"model/arch/a.cc": "int a;\t\n"}, "a tab"),
    (size, {"model/arch/a.cc": SHORT + "void f(int x) {\n" + LONG_BODY + "}\n"}, "of 122 lines"),
    (size, {"model/arch/a.cc": SHORT + "S::S(int x)\n    : x_(x) {\n" + LONG_BODY + "}\n"},
     "of 123 lines"),
    (size, {"model/arch/a.cc": SHORT + "// long because: it is a test.\nvoid f(int x) {\n"
            + LONG_BODY + "}\n"}, None),
    (size, {"model/arch/a.cc": SHORT + LONG_TABLE}, None),
    (size, {"model/arch/a.cc": "void f(int x) {\n" + LONG_BODY[:60 * 10] + "}\n"},
     "nine in ten should be"),
    (headers, {"model/arch/more.h": "#pragma once\nstd::string f();\n"}, "does not compile alone"),
    (headers, {"model/arch/more.h": "int f();\n"}, "no #pragma once"),
    (headers, {"model/arch/more.h": "#pragma once\nnamespace a {}\nusing namespace a;\n"},
     "using namespace"),
    (format_lint, {"model/arch/a.cc": "int  a ;\n"}, "model/arch/a.cc:1"),
]


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main():
    for lint, files, expected in OFFENDERS:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            plant(root, CLEAN)
            found = list(lint.check(root))
            assert not found, f"{lint.__name__} speaks against the clean files: {found}"
            plant(root, files)
            found = list(lint.check(root))
        if expected is None:
            assert found == [], f"{lint.__name__}: false alarm: {found}"
        else:
            assert len(found) == 1 and expected in found[0], \
                f"{lint.__name__}: expected one finding with {expected!r}, got {found}"
    print(f"{len(OFFENDERS)} planted files judged rightly")


if __name__ == "__main__":
    main()
