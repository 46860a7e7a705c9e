#!/usr/bin/env python3
"""What a unit costs as there are more of them: objects and commands on a driver that does nothing, guests on lavapipe. Draws the
figures as SVG and writes them as JSON.

    ./dev build
    ./dev shell bench/curves.py docs/curves.svg         some minutes; on a machine that does nothing else
    ./dev shell bench/curves.py --quick /tmp/curves.svg whether it works

Guests are programs that fill a buffer, wait, and look at it, again and again (tests/guest/api/hold). All are connected at the same
time, and one of them works: what the others cost it, and the host, is what is looked for, not how many two processors can bear.
"""

import argparse
import contextlib
import json
import math
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "guest"))
from harness import PROGRAMS, PVGPU, Program, Server, guest_command  # noqa: E402


def micro(name, most, quick):
    """[(count, ns per unit, bytes per unit)] of a benchmark with an argument."""
    program = PVGPU.parents[2] / "bench" / "pvgpu_microbench"
    sizes = "|".join(str(10 ** power) for power in range(int(math.log10(most)) + 1))
    done = subprocess.run(
        [program, f"--benchmark_filter=^{name}/({sizes})$", "--benchmark_format=json",
         f"--benchmark_min_time={'0.01s' if quick else '0.5s'}"], capture_output=True, text=True, check=True)
    points = []
    for benchmark in json.loads(done.stdout)["benchmarks"]:
        points.append((int(benchmark["name"].split("/")[1]), 1e9 / benchmark["items_per_second"],
                       benchmark.get("bytes_per_unit")))
    return points


def own_bytes(pid):
    """What a process has written for itself, in bytes: its heap and stacks, the driver's included."""
    found = re.search(r"^Pss_Anon: +(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found.group(1)) * 1024


def filled(program):
    """How often it has filled its buffer, as it said last."""
    return int(program.lines()[-1].split()[1])


def guests(counts, seconds):
    """[(guests, µs for a fill by the one that works, bytes of a worker, ms from a guest's start to its first fill)]"""
    points = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder, Server(folder, log_level="warn") as server, contextlib.ExitStack() as stack:
            programs = []
            start = time.monotonic()
            for _ in range(count):
                programs.append(stack.enter_context(Program(guest_command(server.venus(), [PROGRAMS / "hold"]))))
                programs[-1].wait_for_lines(1, deadline=120)
                programs[-1].process.send_signal(signal.SIGSTOP)
            started = time.monotonic() - start
            working = programs[0]
            working.process.send_signal(signal.SIGCONT)
            working.wait_for_lines(len(working.lines()) + 1)
            before, start = filled(working), time.monotonic()
            while time.monotonic() - start < seconds:
                working.wait_for_lines(len(working.lines()) + 1)
            each = (time.monotonic() - start) / (filled(working) - before)
            memory = statistics.median(own_bytes(pid) for pid in server.workers())
            for program in programs:
                program.process.stdin.close()
                program.process.send_signal(signal.SIGCONT)
                program.wait(120)
        points.append((count, each * 1e6, memory, started / count * 1000))
        print(f"{count} guests: a fill takes {each * 1e6:.0f} µs, a worker has {memory / 1e6:.1f} MB, a start took "
              f"{points[-1][3]:.0f} ms", file=sys.stderr)
    return points


WIDTH, HEIGHT, LEFT, TOP = 420, 210, 60, 40


def panel(x, y, title, unit, points):
    """A line through (count, value), both axes logarithmic, at least a factor of ten high so that noise looks like noise."""
    points = [(count, value) for count, value in points if value is not None and value > 0]
    out = [f'<g transform="translate({x} {y})"><text x="{LEFT}" y="20" class="title">{title}</text>']
    if points:
        low_x, high_x = math.log10(points[0][0]), max(math.log10(points[-1][0]), 1e-9)
        middle = (math.log10(min(v for _, v in points)) + math.log10(max(v for _, v in points))) / 2
        half = max(0.6, (math.log10(max(v for _, v in points)) - math.log10(min(v for _, v in points))) / 2 + 0.1)
        room_x, room_y = WIDTH - LEFT - 30, HEIGHT - TOP - 40

        def at(count, value):
            return (LEFT + (math.log10(count) - low_x) / max(high_x - low_x, 1e-9) * room_x,
                    TOP + (middle + half - math.log10(value)) / (2 * half) * room_y)
        for power in range(math.ceil(middle - half), math.floor(middle + half) + 1):
            _, line = at(points[0][0], 10.0 ** power)
            out.append(f'<line x1="{LEFT}" y1="{line:.1f}" x2="{LEFT + room_x}" y2="{line:.1f}" class="grid"/>'
                       f'<text x="{LEFT - 6}" y="{line + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
        for count, value in points:
            px, py = at(count, value)
            out.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3"><title>{count:,}: {value:.4g} {unit}</title></circle>'
                       f'<text x="{px:.1f}" y="{py - 7:.1f}" text-anchor="middle">{value:.3g}</text>'
                       f'<text x="{px:.1f}" y="{TOP + room_y + 18}" text-anchor="middle">{short(count)}</text>')
        line = " ".join("{:.1f},{:.1f}".format(*at(*point)) for point in points)
        out.append(f'<polyline points="{line}"/>')
    return "\n".join(out + [f'<text x="{LEFT}" y="34">{unit}</text></g>'])


def short(count):
    return f"{count // 10**6}M" if count >= 10**6 else f"{count // 1000}k" if count >= 1000 else str(count)


STYLE = """svg { background: #fff; } text { font: 11px system-ui, sans-serif; fill: #1b1f24; } .title { font-weight: 600; font-size: 13px; }
.grid { stroke: #d7dce1; } polyline { fill: none; stroke: #0067c0; stroke-width: 2; } circle { fill: #0067c0; }"""


def draw(curves):
    panels = [
        ("Objects alive: creating and destroying one", "ns", [(n, t) for n, t, _ in curves["objects"]]),
        ("Objects alive: our memory for one", "bytes", [(n, b) for n, _, b in curves["objects"]]),
        ("Objects alive: finding one", "ns", [(n, t) for n, t, _ in curves["look_ups"]]),
        ("Commands in a command buffer: each", "ns", [(n, t) for n, t, _ in curves["commands"]]),
        ("Guests, one of which works: a fill and wait", "µs", [(n, t) for n, t, _, _ in curves["guests"]]),
        ("Guests: own memory of a worker, driver's included", "MB", [(n, m / 1e6) for n, _, m, _ in curves["guests"]]),
    ]
    panels += [("Guests: from start to first fill", "ms", [(n, s) for n, _, _, s in curves["guests"]]),
               ("Commands in a command buffer: our memory for one", "bytes", [(n, b) for n, _, b in curves["commands"]])]
    rows = (len(panels) + 1) // 2
    body = "\n".join(panel((i % 2) * WIDTH, (i // 2) * HEIGHT, *one) for i, one in enumerate(panels))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}" role="img" '
            f'aria-label="What a unit costs as there are more of them"><style>{STYLE}</style>\n{body}\n</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("svg", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, help="the figures, for programs")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    quick = options.quick
    curves = {
        "objects": micro("LiveBuffers", 1000 if quick else 1_000_000, quick),
        "look_ups": micro("Find", 1000 if quick else 1_000_000, quick),
        "commands": micro("RecordedCommands", 1000 if quick else 10_000_000, quick),
        "guests": guests([1, 2] if quick else [1, 2, 4, 8, 16, 32, 64], 0.5 if quick else 5),
    }
    options.svg.write_text(draw(curves))
    if options.json:
        options.json.write_text(json.dumps(curves, indent=2) + "\n")


if __name__ == "__main__":
    main()
