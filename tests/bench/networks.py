#!/usr/bin/env python3
"""Maps every distinct layer of some networks on some architectures, one process a layer, and tells
CPU seconds and peak memory of each and their medians and worst: how fast the optimal search is.

    tests/bench/networks.py                                    # the table of README.md
    tests/bench/networks.py --networks vgg16 --archs tpu_like --seconds 10 --rows

A search that takes more CPU seconds than allowed is interrupted, and its gap is told. CPU time is
what is limited, so that other work on the machine changes little.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORKS = ["resnet50", "vgg16", "alexnet", "mobilenet_v2", "bert_base_512"]
ARCHS = ["eyeriss_like", "simba_like", "tpu_like", "nvdla_like"]


def distinct_layers(network):
    """Layers that differ in more than name and count, under the first one's name."""
    layers = {}
    for layer in json.loads((ROOT / f"problems/networks/{network}.json").read_text())["layers"]:
        if "use" in layer:
            sys.exit(f"{network}: this script reads layers that stand in the file itself")
        shape = {key: value for key, value in layer.items() if key not in ("name", "count")}
        layers.setdefault(json.dumps(shape, sort_keys=True), layer)
    return list(layers.values())


def cpu_seconds(pid):
    """Of a child that has not been waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait(pid, limit):
    """Its end; SIGINT once its CPU time is over, and SIGKILL if that does not help."""
    interrupted = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        used = cpu_seconds(pid)
        if used > limit and not interrupted:
            os.kill(pid, signal.SIGINT)
            interrupted = True
        if used > limit + 10:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def map_layer(args, arch, layer, folder):
    """One search in a process of its own: what it says and what it took."""
    problem = pathlib.Path(folder) / "layer.json"
    problem.write_text(json.dumps(layer))
    command = [args.loopscape, "map", str(ROOT / f"arch_specs/{arch}.json"), str(problem), "--json",
               "--objective", args.objective, "--factors", args.factors, "--threads", "1"]
    if args.uneven:
        command.append("--uneven")
    with open(pathlib.Path(folder) / "result.json", "w+b") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        status, usage = wait(process.pid, args.seconds)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode == -signal.SIGKILL:
        return {"arch": arch, "layer": layer["name"], "exit": process.returncode,
                "seconds": usage.ru_utime + usage.ru_stime, "mib": usage.ru_maxrss / 1024,
                "proved": False, "gap": None, "states": None, "pruned": None, "found": False}
    if process.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(command)}\nended with {process.returncode}: {text.decode()}")
    result = json.loads(text)
    certificate = result.get("certificate", {})
    return {"arch": arch, "layer": layer["name"], "seconds": usage.ru_utime + usage.ru_stime,
            "mib": usage.ru_maxrss / 1024, "exit": process.returncode,
            "proved": certificate.get("proved", False), "gap": certificate.get("gap"),
            "states": certificate.get("states"), "pruned": certificate.get("pruned"),
            "edp": result.get("edp_pj_cycles"),
            "found": "error" not in result}


def cells(name, rows):
    seconds = [row["seconds"] for row in rows]
    worst = max(rows, key=lambda row: row["seconds"])
    gaps = [row["gap"] for row in rows if row["found"] and not row["proved"] and row["gap"]]
    killed = sum(row["exit"] == -signal.SIGKILL for row in rows)
    nothing = sum(not row["found"] for row in rows) - killed
    notes = []
    if gaps:
        notes.append(f"gaps up to {100 * max(gaps):.3g} %")
    if nothing:
        notes.append(f"{nothing} without a mapping")
    if killed:
        notes.append(f"{killed} killed, deaf to SIGINT for 10 s")
    return [name, str(len(rows)), str(sum(row["proved"] for row in rows)),
            f"{statistics.median(seconds):.3f}", f"{worst['seconds']:.3f} ({worst['layer']})",
            f"{sum(seconds):.1f}", f"{max(row['mib'] for row in rows):.0f}", "; ".join(notes)]


def print_row(values):
    print("| " + " | ".join(values) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loopscape", default=str(ROOT / "build/release/loopscape"))
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--archs", nargs="+", default=ARCHS)
    parser.add_argument("--objective", default="edp")
    parser.add_argument("--factors", default="perfect")
    parser.add_argument("--uneven", action="store_true")
    parser.add_argument("--seconds", type=float, default=60, help="CPU seconds for each layer")
    parser.add_argument("--rows", action="store_true", help="also a line for every layer")
    parser.add_argument("--json", help="write every layer's figures to this file")
    args = parser.parse_args()

    everything = []
    print_row(["network on architecture", "layers", "proved", "median s", "worst s", "sum s",
               "peak MiB", ""])
    print_row(["---"] * 8)
    with tempfile.TemporaryDirectory() as folder:
        for network in args.networks:
            for arch in args.archs:
                rows = []
                for layer in distinct_layers(network):
                    row = map_layer(args, arch, layer, folder) | {"network": network}
                    rows.append(row)
                    if args.rows:
                        print(f"  {arch} {network}/{row['layer']}: {row['seconds']:.3f} s, "
                              f"{row['mib']:.0f} MiB, states {row['states']}, "
                              f"{'proved' if row['proved'] else 'gap ' + str(row['gap'])}",
                              file=sys.stderr, flush=True)
                print_row(cells(f"{network} on {arch}", rows))
                everything += rows
                if args.json:
                    pathlib.Path(args.json).write_text(json.dumps(everything, indent=1))
    print_row(cells("all", everything))


if __name__ == "__main__":
    main()
