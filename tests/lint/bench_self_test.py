#!/usr/bin/env python3
"""bench.py judges planted histories rightly."""

import pathlib
import subprocess
import tempfile

import bench

IDENTITY = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com",
            "-c", "commit.gpgsign=false"]
NO_CHANGE = "base: tidy\n\nNo functional change\n"
# Messages, oldest first; whether the product has uncommitted changes; the signature now; what the
# check must answer.
CASES = [
    ([], False, 1, 77, "no git history"),
    (["base: begin\n"], False, 7, 1, "Bench: 7"),
    (["base: begin\n\nBench: 7\n"], False, 7, 0, "Bench: 7"),
    (["base: begin\n\nBench: 7\n"], False, 8, 1, "HEAD is wrong"),
    (["base: begin\n\nBench: 7\n", NO_CHANGE], False, 7, 0, "Bench: 7"),
    (["base: begin\n\nBench: 7\n", NO_CHANGE, "search: speed\n"], False, 8, 1,
     "base: tidy (says: No functional change)"),
    (["base: begin\n\nBench: 7\n", "search: speed\n"], False, 8, 1, "ends with\n  Bench: 8"),
    (["base: begin\n\nBench: 7\n", "search: speed\n\nBench: 8\n", NO_CHANGE], False, 8, 0, "as "),
    (["base: begin\n\nBench: 7\n", "search: speed\n\nBench: 8\n"], False, 7, 1, "says 8"),
    (["base: begin\n\nBench: 7\n"], True, 8, 0, "end their message with\n  Bench: 8"),
    (["base: begin\n\nBench: 7\n\nNot at the end of a line: Bench: 9\n"], False, 7, 0, "Bench: 7"),
]


def git(root, *arguments):
    subprocess.run(["git", "-C", str(root), *IDENTITY, *arguments], check=True,
                   capture_output=True)


def plant(root, messages, dirty):
    if not messages:
        return
    git(root, "init", "-q")
    for message in messages:
        git(root, "commit", "-q", "--allow-empty", "-m", message)
    if dirty:
        (root / "model").mkdir()
        (root / "model" / "a.cc").write_text("int a;\n")


def main():
    for messages, dirty, signature, code, words in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            plant(root, messages, dirty)
            answer = bench.judge(root, signature)
        assert answer[0] == code and words in answer[1], (messages, signature, answer)
    print(f"{len(CASES)} histories judged rightly")


if __name__ == "__main__":
    main()
