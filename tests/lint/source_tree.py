"""What the lints share: which files there are, and their text without comments and strings."""

import argparse
import pathlib
import re
import sys

FOLDERS = ("model", "mapper", "explore", "interface", "tests")
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def sources(root, folders=FOLDERS, suffixes=(".cc", ".h")):
    """C++ files below the folders, as paths relative to root, sorted."""
    found = []
    for folder in folders:
        base = root / folder
        if base.is_dir():
            found += [p.relative_to(root) for p in base.rglob("*") if p.suffix in suffixes]
    return sorted(found)


def is_public_header(path):
    """model/arch/arch.h: named like its folder."""
    return path.suffix == ".h" and path.stem == path.parent.name


_NOISE = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<mark>[^\s()\\]{0,16})\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'",
    re.DOTALL,
)


def blank_noise(text):
    """Comments, strings and characters replaced by spaces; line breaks stay where they are."""
    return _NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def includes(text):
    """(line, name, is_quoted) of every #include."""
    for match in _INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start()) + 1, match.group(2), match.group(1) == '"'


def run(check):
    """Print what check(root) finds as file:line: sentence, and exit 1 if that is anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("root", nargs="?", type=pathlib.Path, default=REPOSITORY)
    findings = list(check(parser.parse_args().root))
    for finding in findings:
        print(finding)
    print(f"{len(findings)} finding(s)")
    sys.exit(1 if findings else 0)
