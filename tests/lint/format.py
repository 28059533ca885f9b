#!/usr/bin/env python3
"""Is every C++ file as clang-format-14 would write it? `format.py --fix` rewrites those that are not.

Version 14 is Debian 12's; another version formats differently, so none is accepted.
"""

import pathlib
import subprocess
import sys

from source_tree import REPOSITORY, run, sources

FORMATTER = "clang-format-14"


def differs(root, path):
    done = subprocess.run(
        [FORMATTER, f"--style=file:{REPOSITORY / '.clang-format'}", "--dry-run", "-Werror",
         str(path)], cwd=root, text=True, capture_output=True)
    if done.returncode == 0:
        return None
    return done.stderr.strip().split("\n")[0] or f"{path}: {FORMATTER} failed"


def check(root):
    for path in sources(root):
        why = differs(root, path)
        if why:
            yield why


def fix(root):
    files = [str(p) for p in sources(root)]
    subprocess.run([FORMATTER, "-i", *files], cwd=root, check=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--fix"]:
        fix(pathlib.Path(REPOSITORY))
    else:
        run(check)
