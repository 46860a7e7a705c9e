#!/usr/bin/env python3
"""Counts instructions per item of the micro-benchmarks, under valgrind's callgrind: a figure that does not depend on the
machine's load, so that a regression shows anywhere.

    bench/instructions.py build/release/bench/pvgpu_microbench            print them beside the stored baseline
    bench/instructions.py build/release/bench/pvgpu_microbench --check    fail if one grew by more than a tenth
    bench/instructions.py build/release/bench/pvgpu_microbench --write    store them as the baseline

Each benchmark runs twice, with few and with more iterations: the difference is free of start-up. Bound to one compiler and
standard library, so the baseline says with which it was taken.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

BASELINE = pathlib.Path(__file__).with_name("instructions.json")
# Single-threaded benchmarks alone: callgrind counts what a spinning thread does, too.
CASES = {  # benchmark: items of an iteration
    "Draw": 1000, "SetViewport": 1000, "BindPipeline": 1000, "BindDescriptorSets": 1000, "BindVertexBuffers": 1000,
    "PushConstants": 1000, "ImageBarrier": 1000, "CopyBuffer": 1000, "UpdateDescriptorSets": 1000, "Reply": 1000,
    "ArenaCommand/256": 1, "Find/1000": 1, "InsertErase/1000": 1,
}
FEW = 10


def instructions(program, case, iterations):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program,
             f"--benchmark_filter=^{re.escape(case)}$", f"--benchmark_min_time={iterations}x"],
            capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"{case} failed under callgrind:\n{done.stdout}{done.stderr}")
    return int(found.group(1))


def measure(program):
    result = {}
    for case, items in CASES.items():
        more = FEW + max(100_000 // items, 100)
        count = instructions(program, case, more) - instructions(program, case, FEW)
        result[case] = round(count / (more - FEW) / items, 1)
        print(f"  {case:24} {result[case]:10.1f}", file=sys.stderr)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    now = measure(options.program)
    if options.write:
        BASELINE.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    baseline = json.loads(BASELINE.read_text())
    worse = []
    print(f"{'instructions per item':24} {'baseline':>10} {'now':>10} {'ratio':>7}")
    for case, count in now.items():
        before = baseline.get(case)
        print(f"{case:24} {before if before else '-':>10} {count:10.1f} {count / before if before else 0:7.2f}")
        if not before or count > before * 1.1:
            worse.append(case)
    if options.check and worse:
        print(f"more than a tenth above the baseline, or without one: {', '.join(worse)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
