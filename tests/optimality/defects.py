#!/usr/bin/env python3
"""Plants defects in the search, one at a time, and demands that the random worlds notice each.

defects.txt lists them: a rule that the search or its bounds keep, the file that keeps it, a text that
stands in it exactly once, and what is written instead. The file is copied with that change and
compiled as the build compiles it; linked before the libraries it takes the place of the original.
Then the tests run until a world fails that passes without the defect. A text that no longer stands in
its file, or a defect that nothing notices, fails this script.

  defects.py --build DIR --tests FILE --objects FILE... --libraries FILE... [--some N] [--only NAME]

--some N takes the first N defects of the list: those come first that tell most.
"""

import argparse
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).with_name("defects.txt")
# Within so many worlds of one of these tests each is to be noticed; the quick ones first.
TESTS = (("bounds: the least of links is no more than the links of random boundaries", 200),
         ("bounds: never above the cost of a mapping, and the cost once all is closed", 600),
         ("optimal: the optimum and the front of random worlds are those of brute force", 600),
         ("optimal: the same on any number of threads", 80),
         ("kin: climbed together or one by one, the answer is the same", 60))


def defects():
    """Blocks of 'name | features | rule | file', the text, a line '=>', what takes its place; empty between."""
    found = []
    for block in LIST.read_text().split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith("#")]
        if not lines:
            continue
        name, want, rule, file = (part.strip() for part in lines[0].split("|"))
        middle = lines.index("=>")
        found.append({"name": name, "want": want, "rule": rule, "file": file,
                      "text": "\n".join(lines[1:middle]),
                      "instead": "\n".join(lines[middle + 1:])})
    names = [defect["name"] for defect in found]
    assert len(set(names)) == len(names), "two defects have one name"
    return found


def patched(defect):
    """The file with the defect, or None and a sentence."""
    text = (ROOT / defect["file"]).read_text()
    times = text.count(defect["text"])
    if times != 1:
        return None, (f"{defect['file']} has the text of '{defect['name']}' {times} times, not once: "
                      "adapt tests/optimality/defects.txt to what the file says now")
    return text.replace(defect["text"], defect["instead"]), ""


class Builder:
    def __init__(self, arguments):
        self.folder = pathlib.Path(arguments.build) / "defects"
        self.folder.mkdir(exist_ok=True)
        self.original = arguments.tests
        self.objects, self.libraries = arguments.objects, arguments.libraries
        commands = json.loads((pathlib.Path(arguments.build) / "compile_commands.json").read_text())
        self.commands = {str(pathlib.Path(c["file"]).resolve()): c for c in commands}

    def compile(self, defect, text):
        source = self.folder / (defect["name"] + ".cc")
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        entry = self.commands[str(ROOT / defect["file"])]
        command = shlex.split(entry["command"])
        output = command[command.index("-o") + 1]
        change = {output: str(self.folder / (defect["name"] + ".o")), entry["file"]: str(source)}
        command = [change.get(word, word) for word in command]
        for word in ("-MD", "-Werror"):
            command = [other for other in command if other != word]
        for word in ("-MT", "-MF"):
            if word in command:
                at = command.index(word)
                del command[at:at + 2]
        # What the defect leaves unused is its own affair.
        subprocess.run(command + ["-w"], cwd=entry["directory"], check=True)
        return change[output], command

    def link(self, name, objects, like):
        compiler = next(word for word in like if not word.endswith("ccache"))
        flags = [word for word in like if word.startswith("-fsanitize") or word == "--coverage"]
        program = str(self.folder / name)
        subprocess.run([compiler, *flags, "-o", program, *objects, *self.objects,
                        "-Wl,--start-group", *self.libraries, "-Wl,--end-group", "-pthread"],
                       check=True)
        return program


def run(program, test, seed, worlds, want):
    """(seed, features, line) of the first world that fails, or None."""
    environment = dict(os.environ, LOOPSCAPE_SEED=str(seed), LOOPSCAPE_WORLDS=str(worlds),
                       LOOPSCAPE_STOP="1", LOOPSCAPE_SHOW="0")
    environment.pop("LOOPSCAPE_WANT", None)
    if want:
        environment["LOOPSCAPE_WANT"] = want
    name = test.replace(",", "\\,")  # a comma stands between two names
    result = subprocess.run([program, "-w", "NoTests", name], env=environment, cwd=ROOT, timeout=900,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = re.search(r"LOOPSCAPE_SEED=(\d+)(?:.*LOOPSCAPE_WANT=([\w,]+))?.*", result.stdout)
    if found:
        return int(found[1]), found[2] or want, found[0]
    if result.returncode != 0:
        raise RuntimeError(f"{program} ends with {result.returncode} without naming a world")
    return None


def notice(program, original, want):
    """The line of a world that fails with the defect, and passes without; or None."""
    for test, worlds in TESTS:
        seed = 1
        while seed <= worlds:
            failed = run(program, test, seed, worlds + 1 - seed, want)
            if failed is None:
                break
            if run(original, test, failed[0], 1, failed[1]) is None:
                return failed[2]
            seed = failed[0] + 1
    return None


def check(builder, defect):
    compiled, command = builder.compile(defect, patched(defect)[0])
    program = builder.link(defect["name"], [compiled], command)
    line = notice(program, builder.original, defect["want"])
    os.unlink(program)
    if line is None:
        return f"'{defect['name']}' goes unnoticed: {defect['rule']}"
    print(f"{defect['name']}: {line[:150]}", flush=True)
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--tests", required=True)
    parser.add_argument("--objects", nargs="+", required=True)
    parser.add_argument("--libraries", nargs="+", required=True)
    parser.add_argument("--some", type=int)
    parser.add_argument("--only", action="append")
    arguments = parser.parse_args()
    builder = Builder(arguments)
    all_of_them = defects()
    chosen = [d for d in all_of_them if not arguments.only or d["name"] in arguments.only]
    problems = [problem for d in all_of_them for problem in [patched(d)[1]] if problem]
    table = LIST.with_name("README.md").read_text()
    problems += [f"README.md does not list '{d['name']}'" for d in all_of_them
                 if f"| {d['name']} |" not in table]
    start = time.monotonic()
    for defect in chosen[:arguments.some]:
        if not patched(defect)[1]:
            problem = check(builder, defect)
            if problem:
                print(problem, flush=True)
                problems.append(problem)
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(chosen[:arguments.some])} of {len(all_of_them)} defects planted in "
          f"{time.monotonic() - start:.0f} s, {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
