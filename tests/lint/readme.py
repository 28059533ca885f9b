#!/usr/bin/env python3
"""Does README.md show what the command prints?  readme.py LOOPSCAPE [--fix]

Every fenced block that begins with "$ build/release/loopscape ..." is run again at the top of the
repository and compared.
"""

import os
import re
import shlex
import subprocess
import sys

from source_tree import REPOSITORY

_BLOCK = re.compile(r"```\n\$ build/release/loopscape ([^\n]*)\n(.*?)```", re.DOTALL)


def printed(command, arguments):
    environment = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1")
    done = subprocess.run([command, *shlex.split(arguments)], cwd=REPOSITORY, env=environment,
                          capture_output=True, text=True, check=True)
    return done.stdout


def refreshed(text, command):
    """The README with every block's output replaced by today's, and how many blocks there are."""
    return _BLOCK.subn(
        lambda m: f"```\n$ build/release/loopscape {m[1]}\n{printed(command, m[1])}```", text)


def main():
    readme = REPOSITORY / "README.md"
    text = readme.read_text()
    now, blocks = refreshed(text, sys.argv[1])
    if blocks == 0:
        sys.exit("README.md shows no output at all")
    if "--fix" in sys.argv[2:]:
        readme.write_text(now)
    elif now != text:
        sys.exit("README.md shows other output than the command prints; look at both, then run\n"
                 f"  tests/lint/readme.py {sys.argv[1]} --fix")
    print(f"{blocks} block(s) as printed")


if __name__ == "__main__":
    main()
