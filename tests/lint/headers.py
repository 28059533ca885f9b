#!/usr/bin/env python3
"""Every header compiles alone, has #pragma once and opens no namespace for its users.

CXX names the compiler (default c++).
"""

import concurrent.futures
import os
import re
import shlex
import subprocess

from source_tree import blank_noise, run, sources


def compile_alone(root, path):
    command = shlex.split(os.environ.get("CXX", "c++")) + [
        "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{root}", "-x", "c++", "-"]
    done = subprocess.run(command, input=f'#include "{path}"\n', cwd=root, text=True,
                          capture_output=True)
    return None if done.returncode == 0 else done.stderr.strip()


def check(root):
    headers = [p for p in sources(root) if p.suffix == ".h"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = list(pool.map(lambda path: compile_alone(root, path), headers))
    for path, error in zip(headers, errors):
        text = blank_noise((root / path).read_text())
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{path}:1: no #pragma once"
        if re.search(r"\busing\s+namespace\b", text):
            yield f"{path}:1: using namespace in a header"
        if error:
            yield f"{path}:1: does not compile alone:\n{error}"


if __name__ == "__main__":
    run(check)
