#!/usr/bin/env python3
"""Puts README.md together from sections/*.md and the rows that a run of the suite has written.

    report.py ROWS            compare README.md and figures/ with what the run gives
    report.py ROWS --update   write them

A section with rows has a line "{rows}" where its table and figures go; the part of its file name
after the number is the suite's name. "{suites}" gives the table of all suites, "{coverage}" that of
coverage.json, "{differing}" the rows outside their tolerance by reason, and "{ours SUITE: CHECK}"
or "{published ...}" or "{residual ...}" what one row says.
"""
import difflib
import json
import pathlib
import re
import sys

import coverage

HERE = pathlib.Path(__file__).resolve().parent
FOLD = 16  # longer tables are folded
UPDATE = "tests/validation/run.sh --update"
COLUMNS = ["check", "published", "ours", "residual", "tolerance", "source"]


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def verdict(row):
    if not row["pass"]:
        return "**differs**: " + row["reason"]
    return row["reason"]


def table(records):
    rows = [r for r in records if "figure" not in r]
    out, folded = [], len(rows) > FOLD
    if folded:
        out += [f"<details><summary>{len(rows)} rows</summary>", ""]
    if rows:
        out.append("| " + " | ".join(COLUMNS) + " | remark |")
        out.append("|---" * (len(COLUMNS) + 1) + "|")
    for row in rows:
        cells = [cell(row[c]) for c in COLUMNS] + [cell(verdict(row))]
        out.append("| " + " | ".join(cells) + " |")
    if folded:
        out += ["", "</details>"]
    for record in records:
        if "figure" in record:
            out += ["", f"![{record['figure']}](figures/{record['figure']}.svg)"]
    return "\n".join(out)


def summary(sections, suites):
    out = ["| suite | rows | within their tolerance | differ, for the reason given |", "|---|---|---|---|"]
    for name, text in sections:
        if name not in suites:
            continue
        title = text.splitlines()[0].lstrip("# ")
        anchor = "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")
        rows = [r for r in suites[name] if "figure" not in r]
        good = sum(r["pass"] for r in rows)
        out.append(f"| [{title}](#{anchor}) | {len(rows)} | {good} | {len(rows) - good} |")
    return "\n".join(out)


def differing(sections, suites):
    """Rows outside their tolerance by their reason."""
    out = ["| reason | suite | rows | residuals |", "|---|---|---|---|"]
    for name, _ in sections:
        reasons = {}
        for row in suites.get(name, []):
            if "figure" not in row and not row["pass"]:
                reasons.setdefault(row["reason"], []).append(row["residual"])
        for reason, residuals in reasons.items():
            ordered = sorted(set(residuals), key=lambda text: float(text.rstrip(" %")))
            span = ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}"
            out.append(f"| {cell(reason)} | {name} | {len(residuals)} | {span} |")
    return "\n".join(out)


def quoted(text, suites, wrong):
    """{ours SUITE: CHECK} becomes what that row says; so does any other column."""
    def value(match):
        column, suite, check = match.groups()
        for row in suites.get(suite, []):
            if row.get("check") == check:
                return row[column]
        wrong.append(f"a section quotes a row that the run does not give: {suite}: {check}")
        return match.group(0)
    return re.sub(r"\{(published|ours|residual) (\w+): ([^{}]+)\}", value, text)


def read_sections():
    files = sorted((HERE / "sections").glob("[0-9][0-9]_*.md"))
    return [(f.stem.split("_", 1)[1], f.read_text().strip("\n")) for f in files]


def assemble(rows_dir):
    """Paths under tests/validation and their texts, and what is wrong with the run."""
    sections, wrong = read_sections(), []
    suites = {f.stem: json.loads(f.read_text()) for f in sorted(rows_dir.glob("*.json"))}
    with_table = {name for name, text in sections if "{rows}" in text.splitlines()}
    for name in sorted(set(suites) - with_table):
        wrong.append(f"suite {name} has rows and no section: add tests/validation/sections/NN_{name}.md "
                     f"with a line {{rows}} (or remove {rows_dir}/{name}.json if the suite is gone)")
    for name in sorted(with_table - set(suites)):
        wrong.append(f"section {name} has a line {{rows}} and the run gave no rows of it")
    covered, unmatched = coverage.table(suites)
    wrong += unmatched
    parts = ["<!-- Written by " + UPDATE + " from sections/*.md and a run of the suite. -->"]
    for name, text in sections:
        if "{suites}" in text:
            text = text.replace("{suites}", summary(sections, suites))
        text = text.replace("{coverage}", covered).replace("{differing}", differing(sections, suites))
        text = quoted(text, suites, wrong)
        parts.append(text.replace("{rows}", table(suites.get(name, []))))
    made = {"README.md": "\n\n".join(parts) + "\n"}
    for records in suites.values():
        for record in records:
            if "figure" in record:
                name = record["figure"] + ".svg"
                made["figures/" + name] = (rows_dir / name).read_text()
    return made, wrong


def main():
    rows_dir, update = pathlib.Path(sys.argv[1]), "--update" in sys.argv[2:]
    made, wrong = assemble(rows_dir)
    committed = {"README.md"} | {f"figures/{f.name}" for f in (HERE / "figures").glob("*.svg")}
    if update and not wrong:
        (HERE / "figures").mkdir(exist_ok=True)
        for path in committed - set(made):
            (HERE / path).unlink()
        for path, text in made.items():
            (HERE / path).write_text(text)
    for path in sorted(committed | set(made)):
        file = HERE / path
        old = file.read_text() if file.exists() else ""
        new = made.get(path, "")
        if old != new:
            wrong.append(f"tests/validation/{path} is not what the run gives; {UPDATE} writes it")
            diff = difflib.unified_diff(old.splitlines(), new.splitlines(), "committed", "the run's", lineterm="")
            print("\n".join(list(diff)[:60]))
    for sentence in wrong:
        print("error: " + sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
