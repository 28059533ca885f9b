#!/usr/bin/env python3
"""Is the bench signature what the history says?  bench.py LOOPSCAPE [ROOT]

The nearest ancestor of HEAD with a line `Bench: N` in its message says what `loopscape bench` must
print. Commits after it keep the number, whether they say `No functional change` or nothing. With
uncommitted changes to the product another number is no fault yet: it is told for the message.
Without a history there is nothing to compare with, and the check is skipped (exit code 77).
"""

import json
import pathlib
import re
import subprocess
import sys

from source_tree import REPOSITORY

SKIPPED = 77
PRODUCT = ("model", "mapper", "explore", "interface", "CMakeLists.txt")
_TRAILER = re.compile(r"^Bench: (\d+)\s*$", re.MULTILINE)
_NO_CHANGE = re.compile(r"^No functional change\.?\s*$", re.MULTILINE)


def git(root, *arguments):
    return subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True,
                          check=True).stdout


def history(root):
    """(short hash, subject, message) from HEAD back; empty where there is no history."""
    try:
        if pathlib.Path(git(root, "rev-parse", "--show-toplevel").strip()) != root:
            return []  # somebody else's: an unpacked release below a checkout
        text = git(root, "log", "-z", "--format=%h%n%B")
    except (OSError, subprocess.CalledProcessError):
        return []
    commits = []
    for entry in text.split("\0"):
        name, _, message = entry.partition("\n")
        if name:
            commits.append((name, message.partition("\n")[0], message))
    return commits


def stated(commits):
    """What the history says: (signature, the commit that says so, the commits after it)."""
    for i, commit in enumerate(commits):
        numbers = _TRAILER.findall(commit[2])
        if numbers:
            return int(numbers[-1]), commit, commits[:i]
    return None, None, commits


def is_shallow(root):
    return git(root, "rev-parse", "--is-shallow-repository").strip() == "true"


def uncommitted(root):
    return git(root, "status", "--porcelain", "--", *PRODUCT).rstrip("\n")


def measured(command):
    done = subprocess.run([command, "bench", "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["signature"]


def later(commits):
    """The suspects, those that promised to change nothing marked."""
    return "".join(f"    {name} {subject}"
                   f"{' (says: No functional change)' if _NO_CHANGE.search(message) else ''}\n"
                   for name, subject, message in commits)


def judge(root, signature):
    """(exit code, sentence) of this signature."""
    commits = history(root)
    if not commits:
        return SKIPPED, "skipped: no git history to compare with"
    expected, origin, after = stated(commits)
    if origin is None and is_shallow(root):
        return SKIPPED, "skipped: the shallow history holds no line `Bench: N`"
    if origin is None:
        return 1, ("no commit says what the bench signature is; end the next message with\n"
                   f"  Bench: {signature}")
    if signature == expected:
        return 0, f"Bench: {signature}, as {origin[0]} says"
    difference = (f"the bench signature is {signature}; {origin[0]} ({origin[1]}) says {expected}\n")
    if uncommitted(root):
        return 0, (f"{difference}There are uncommitted changes; if they are meant to change it, end "
                   f"their message with\n  Bench: {signature}")
    if not after:
        return 1, (f"{difference}The message of HEAD is wrong, or the program was not built from it.")
    return 1, (f"{difference}  Changed by one of\n{later(after)}"
               "If that is wanted, the message of that commit, or of the next one, ends with\n"
               f"  Bench: {signature}")


def main():
    root = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else REPOSITORY
    code, sentence = judge(root, measured(sys.argv[1]))
    print(sentence)
    sys.exit(code)


if __name__ == "__main__":
    main()
