#!/usr/bin/env python3
"""Who may include whom. A file of rank n includes ranks below n and its own folder.

Other modules see a module's public header only (the one named like its folder); model/base is open
to everyone. The public headers of model/ keep nlohmann-json and Boost out of their users' sight.
"""

import pathlib

from source_tree import includes, is_public_header, run, sources

RANKS = {
    "model/base": 0,
    "model/problem": 1, "model/arch": 1,
    "model/mapping": 2, "model/energy": 2, "model/network": 2,
    "model/names": 2,
    "model/counting": 3,
    "model/sparse": 4, "model/interconnect": 4,
    "model/evaluate": 5,
    "model/bounds": 6,
    "mapper/mapspace": 6,
    "mapper/search": 7, "mapper/bound": 7, "mapper/pareto": 7,
    "mapper/network": 8,
    "explore/sweep": 9, "explore/report": 9,
    "interface/import": 10, "interface/capi": 10,
    "interface/cli": 11, "interface/python": 11,
}
# The oracle may see what it is given and the words its answer is written in, no arithmetic.
REFERENCE = "tests/reference"
REFERENCE_MAY_SEE = {m for m, rank in RANKS.items() if rank <= 2} | {"model/evaluate"}

PRIVATE_LIBRARIES = ("nlohmann/", "boost/", "Eigen/")
# Library -> the only folders whose files may name it.
CONFINED = {
    "CLI/": ("interface/cli",),
    "yaml-cpp/": ("interface/",),
    "google/protobuf/": ("interface/import",),
    "sqlite3.h": ("explore/",),
    "tbb/": ("mapper/", "explore/"),
    "oneapi/": ("mapper/", "explore/"),
    "catch2/": ("tests/",),
    "rapidcheck": ("tests/",),
    "benchmark/": ("tests/",),
}


def module_of(path):
    return "/".join(path.parts[:2])


def check_quoted(root, path, name):
    """Why path may not include "name", or None."""
    target = pathlib.PurePosixPath(name)
    own, theirs = module_of(path), module_of(target)
    if not (root / target).is_file():
        return f'"{name}" is not a file; write the path from the top of the repository'
    if path.parts[0] == "tests":
        if own == REFERENCE and theirs != REFERENCE and theirs not in REFERENCE_MAY_SEE:
            return f"the reference may not see {theirs}: it shares no counting code with the model"
        return None
    if theirs == own:
        return None
    if theirs not in RANKS:
        return f"{theirs} has no rank; product code cannot include it"
    if RANKS[theirs] >= RANKS[own]:
        return f"{own} (rank {RANKS[own]}) may not include {theirs} (rank {RANKS[theirs]})"
    if theirs != "model/base" and not is_public_header(target):
        return f'"{name}" is private to {theirs}; include "{theirs}/{target.parent.name}.h"'
    return None


def check_confined(path, name):
    for library, homes in CONFINED.items():
        if name.startswith(library) and not any(str(path).startswith(home) for home in homes):
            return f"<{name}> belongs to {' or '.join(homes)} only"
    return None


def public_closure(root, headers):
    """Every header that a user of a public header sees, with the one that brings it in."""
    seen, queue = {}, [(h, h) for h in headers]
    while queue:
        path, origin = queue.pop()
        if path in seen:
            continue
        seen[path] = origin
        for _, name, quoted in includes((root / path).read_text()):
            if quoted and (root / name).is_file():
                queue.append((pathlib.Path(name), origin))
    return seen


def check(root):
    files = sources(root)
    for path in files:
        if path.parts[0] != "tests" and module_of(path) not in RANKS:
            yield f"{path}:1: {module_of(path)} has no rank; add it to the table in this lint"
            continue
        for line, name, quoted in includes((root / path).read_text()):
            why = check_quoted(root, path, name) if quoted else check_confined(path, name)
            if why:
                yield f"{path}:{line}: {why}"
    public = [p for p in files if p.parts[0] == "model" and is_public_header(p)]
    for path, origin in sorted(public_closure(root, public).items()):
        for line, name, quoted in includes((root / path).read_text()):
            if not quoted and name.startswith(PRIVATE_LIBRARIES):
                yield f"{path}:{line}: <{name}> reaches users through the public header {origin}"


if __name__ == "__main__":
    run(check)
