#!/usr/bin/env python3
"""What of a collection of published numbers coverage.json does not speak of.

    coverage.py NUMBERS.json      lists the paths of such numbers; exit code 1 if there are any

Paths are keys and indices joined by "/". README.md's table of coverage is report.py's.
"""
import collections
import fnmatch
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent


def entries():
    return json.loads((HERE / "coverage.json").read_text())["entries"]


def leaves(value, path=""):
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from leaves(inner, f"{path}/{key}" if path else str(key))
    else:
        yield path


def table(suites):
    """README.md's table, and what is wrong with it: rows that the run does not give."""
    checks = [f"{suite}: {row['check']}" for suite, rows in suites.items() for row in rows if "check" in row]
    out, wrong = ["| published | rows that compare it | not compared, and why |", "|---|---|---|"], []
    for entry in entries():
        if not entry.get("listed", True):
            continue
        matched = set()
        for pattern in entry.get("rows", []):
            found = fnmatch.filter(checks, pattern)
            if not found:
                wrong.append(f"coverage.json: no row matches {pattern}")
            matched.update(found)
        by_suite = collections.Counter(check.split(":")[0] for check in matched)
        compared = ", ".join(f"{suite} {count}" for suite, count in sorted(by_suite.items()))
        out.append(f"| {entry['of']} | {compared} | {entry.get('why', '')} |")
    return "\n".join(out), wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    numbers = json.loads(pathlib.Path(sys.argv[1]).read_text())
    patterns = [pattern for entry in entries() for pattern in entry["in"]]
    used, missing = set(), []
    for path in leaves(numbers):
        match = next((p for p in patterns if fnmatch.fnmatchcase(path, p)), None)
        used.add(match)
        if match is None:
            missing.append(path)
    for path in missing:
        print(f"nothing is said of {path}")
    for pattern in patterns:
        if pattern not in used:
            print(f"coverage.json: {pattern} matches nothing that an earlier entry does not")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
