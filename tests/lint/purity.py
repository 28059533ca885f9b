#!/usr/bin/env python3
"""model/ can be embedded anywhere: it does not print, exit, throw, look around or start threads."""

import re

from source_tree import blank_noise, includes, run, sources

FORBIDDEN = [
    (r"\bstd::(cout|cerr|clog|cin|wcout|wcerr)\b", "prints or reads the terminal"),
    (r"\b(printf|fprintf|vprintf|vfprintf|puts|fputs|putchar|fputc|putc|perror|fwrite)\s*\(",
     "prints"),
    (r"\b(exit|_exit|_Exit|quick_exit|abort|terminate)\s*\(", "ends the process"),
    (r"\b(getenv|secure_getenv|setenv|putenv|environ)\b", "reads the environment"),
    (r"\bthrow\b", "throws; return a Status or a Result"),
    (r"\b(rand|srand|random_device)\b", "is not repeatable"),
    (r"\b(system|popen|fork)\s*\(", "starts a process"),
]
FORBIDDEN_HEADERS = {
    "iostream": "prints", "thread": "starts threads", "future": "starts threads",
    "csignal": "touches the process", "signal.h": "touches the process",
}


def check(root):
    for path in sources(root, folders=("model",)):
        text = (root / path).read_text()
        for line, name, _ in includes(text):
            if name in FORBIDDEN_HEADERS:
                yield f"{path}:{line}: <{name}>: {FORBIDDEN_HEADERS[name]}; model/ must not"
        for number, line in enumerate(blank_noise(text).split("\n"), 1):
            for pattern, what in FORBIDDEN:
                match = re.search(pattern, line)
                if match:
                    yield f"{path}:{number}: '{match.group().strip('( ')}' {what}; model/ must not"


if __name__ == "__main__":
    run(check)
