#!/usr/bin/env python3
"""Do README.md and the lessons show what the command prints?  readme.py LOOPSCAPE [--fix]

Every fenced block whose first line begins with "$ " and names build/release/loopscape, or a script
of examples/, is run again by bash at the top of the repository and compared with what follows it,
errors included. What a search tells of itself (states, work, seconds) reads "..." there.
"""

import os
import re
import subprocess
import sys

from source_tree import REPOSITORY

_BLOCK = re.compile(r"```\n\$ ([^\n]*(?:build/release/loopscape|examples/)[^\n]*)\n(.*?)```", re.DOTALL)
_OF_THE_SEARCH = re.compile(r"^(  (?:Looked at|Left out|Work) +).*", re.MULTILINE)


def printed(command, line):
    environment = dict(os.environ, LC_ALL="C.UTF-8", NO_COLOR="1", LOOPSCAPE=command)
    done = subprocess.run(["bash", "-c", line.replace("build/release/loopscape", '"$LOOPSCAPE"')],
                          cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode > 2 or "command not found" in done.stdout:
        sys.exit(f"cannot run: {line}\n{done.stdout}")
    return _OF_THE_SEARCH.sub(r"\1...", done.stdout)


def refreshed(text, command):
    """The page with every block's output replaced by today's, and how many blocks there are."""
    return _BLOCK.subn(lambda m: f"```\n$ {m[1]}\n{printed(command, m[1])}```", text)


def main():
    pages = [REPOSITORY / "README.md", *sorted(REPOSITORY.glob("examples/*/README.md"))]
    stale = []
    for page in pages:
        text = page.read_text()
        now, blocks = refreshed(text, sys.argv[1])
        if blocks == 0:
            sys.exit(f"{page} shows no output at all")
        if "--fix" in sys.argv[2:]:
            page.write_text(now)
        elif now != text:
            stale.append(page.relative_to(REPOSITORY))
        print(f"{page.relative_to(REPOSITORY)}: {blocks} block(s)")
    if stale:
        sys.exit(f"{', '.join(map(str, stale))}: other output than the command prints; look at both, "
                 f"then run\n  tests/lint/readme.py {sys.argv[1]} --fix")


if __name__ == "__main__":
    main()
