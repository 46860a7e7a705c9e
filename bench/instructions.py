#!/usr/bin/env python3
"""Counts instructions per item of the micro-benchmarks, and per command of the recordings, under valgrind's callgrind: figures
that do not depend on the machine's load, so that a regression shows anywhere.

    bench/instructions.py build/release/bench            print them beside the stored baseline
    bench/instructions.py build/release/bench --check    fail if one grew by more than a twentieth
    bench/instructions.py build/release/bench --write    store them as the baseline

A baseline holds for one compiler and one C library, whose memcpy counts too: those of the build root of ./dev, in a release build.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BASELINE = pathlib.Path(__file__).with_name("instructions.json")
RECORDINGS = pathlib.Path(__file__).with_name("recordings")
TOLERANCE = 1.05
# Single-threaded benchmarks alone: callgrind counts what a spinning thread does, too. In the order in which they run.
BATCH = 1000  # commands of an iteration
COMMANDS = ["Draw", "SetViewport", "BindPipeline", "BindDescriptorSets", "BindVertexBuffers", "PushConstants", "ImageBarrier",
            "CopyBuffer", "UpdateDescriptorSets", "Reply"]
OTHERS = ["ArenaCommand/256", "Find/1000", "InsertErase/1000"]


def callgrind(*command, options=()):
    """The instruction counts of the parts that the program marks, in their order, and last what was counted after them."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", *options, *map(str, command)],
            capture_output=True, text=True)
        left = re.search(r"Collected : (\d+)", done.stderr)
        if done.returncode != 0 or not left:
            sys.exit(f"{' '.join(map(str, command))} failed under callgrind:\n{done.stdout}{done.stderr}")
        dumps = sorted(pathlib.Path(folder).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        marked = [int(re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE).group(1)) for dump in dumps]
    return [*marked, int(left.group(1))]


def benchmarks(program, cases, iterations, items):
    names = "|".join(re.escape(case) for case in cases)
    command = [program, f"--benchmark_filter=^({names})$", f"--benchmark_min_time={iterations}x"]
    listed = subprocess.run([program, command[1], "--benchmark_list_tests"], capture_output=True, text=True, check=True)
    order = listed.stdout.split()
    counts = callgrind(*command)
    if sorted(order) != sorted(cases) or len(counts) <= len(order):
        sys.exit(f"expected {cases}; the program has {order} and marked {len(counts)} parts")
    return {case: count / iterations / items for case, count in zip(order, counts)}


def replays(program):
    result = {}
    for recording in sorted(RECORDINGS.glob("*.pvgpu")):
        listed = subprocess.run([program, recording, "--list"], capture_output=True, text=True, check=True)
        commands = sum(int(line.split()[0]) for line in listed.stdout.splitlines())
        *_, count = callgrind(program, "--uncounted", recording, options=["--collect-atstart=no"])
        result[f"recording {recording.stem}"] = count / commands
    return result


def measure(folder):
    counts = benchmarks(folder / "pvgpu_microbench", COMMANDS, 50, BATCH)
    counts |= benchmarks(folder / "pvgpu_microbench", OTHERS, 20_000, 1)
    counts |= replays(folder / "pvgpu_replay")
    return {case: round(count, 1) for case, count in counts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="where pvgpu_microbench and pvgpu_replay are")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    now = measure(options.folder)
    if options.write:
        BASELINE.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    baseline = json.loads(BASELINE.read_text())
    worse = sorted(baseline.keys() - now.keys())
    print(f"{'instructions per item':24} {'baseline':>10} {'now':>10} {'ratio':>7}")
    for case, count in now.items():
        before = baseline.get(case)
        print(f"{case:24} {before if before else '-':>10} {count:10.1f} {count / before if before else 0:7.2f}")
        if not before or count > before * TOLERANCE:
            worse.append(case)
    if options.check and worse:
        print(f"above the baseline, or missing there or here: {', '.join(worse)}\n"
              "If that is meant: bench/instructions.py build/release/bench --write, and say why in the commit.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
