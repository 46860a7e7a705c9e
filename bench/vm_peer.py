#!/usr/bin/env python3
"""The GPU that pvgpu gives to a virtual machine against the one that QEMU has itself (virtio-gpu-gl-pci,venus=on, with virglrenderer),
in the same guest, on the same software driver. A bench for people, no test. In the checkout:

    ./dev setup vm vm-peer && ./dev build release pvgpu pvgpu-bench-client
    ./dev shell python3 bench/vm_peer.py [--json FILE] [peer|pvgpu...]

QEMU's own device needs a display with OpenGL: here an X server without a screen. Figures are medians of --runs machines each.
"""

import argparse
import dataclasses
import json
import pathlib
import re
import statistics
import sys
import tempfile

CHECKOUT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(CHECKOUT / "tests" / "vm"))

from vm import STABLE, Device, Machine  # noqa: E402
from harness import Display  # noqa: E402
from harness.settings import PVGPU  # noqa: E402
from vm.settings import VM_ROOT  # noqa: E402

CLIENT = PVGPU.with_name("pvgpu-bench-client")
GUEST = dataclasses.replace(STABLE, name="bench", programs=(*STABLE.programs, CLIENT))
# Works of `pvgpu bench`, and the figures of each that are compared.
WORKS = {"start-up": ["first"], "round-trip": ["p50"], "submit": ["p50", "p99"], "memory": ["64-KiB", "1-MiB", "16-MiB"],
         "transfer": ["upload", "read-back"]}
HIGHER_IS_BETTER = {"transfer"}
PEER = ["-display", "gtk,gl=on", "-device", "virtio-gpu-gl-pci,venus=on,blob=on,hostmem=256M"]


def measure(machine, perf):
    """What a guest has, and what it costs: name -> value. Mesa's driver gets `perf` as VN_PERF."""
    info = machine.run(["vulkaninfo"], deadline=120)
    properties = info[info.index("Device Properties and Extensions"):]
    level = re.search(r"apiVersion\s+= ([\d.]+)", properties).group(1)
    extensions = int(re.search(r"Device Extensions: count = (\d+)", properties).group(1))
    machine.run(["compute", "/tmp/results"], deadline=120)
    figures = {"Vulkan": level, "device extensions": extensions}
    for work, names in WORKS.items():
        said = json.loads(machine.run(["env", f"VN_PERF={perf}", "pvgpu-bench-client", "--work", work, "--deadline", "120", "--quick"], deadline=130).splitlines()[-1])
        for name in names:
            figures[f"{work} {name}"] = said["figures"][name] if "figures" in said else said
    return figures


def run_peer(folder, perf):
    figures = None
    with Display() as display:
        # Its capability sets of other kinds, which Venus has no use for.
        machine = Machine(folder, PEER, GUEST, memory=512, root=VM_ROOT.parent / "vm-peer",
                          environment={"DISPLAY": display.environment["DISPLAY"]}, faults=["."])
        try:
            with machine:
                figures = measure(machine, perf)
        except AssertionError as error:
            if figures is None:
                raise
            # QEMU's own device sometimes fails an assertion of libepoxy's while the machine powers off.
            print(f"the peer's machine did not end well: {str(error).splitlines()[0]}", file=sys.stderr)
    return figures


def run_pvgpu(folder, perf):
    with Device(folder, log_level="info") as device, Machine(folder, device, GUEST, memory=512) as machine:
        return measure(machine, perf)


SIDES = {"peer": run_peer, "pvgpu": run_pvgpu}


def run(sides, rounds, perf):
    """The sides take turns, so that what else the machine does meets them all: side -> name -> median."""
    runs = {side: [] for side in sides}
    for number in range(rounds):
        for side in sides:
            print(f"round {number + 1} of {rounds}: {side}", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="pvgpu-bench-") as folder:
                runs[side].append(SIDES[side](pathlib.Path(folder), perf))
    return {side: {name: value if isinstance(value, str) else statistics.median(run[name] for run in found)
                   for name, value in found[0].items()} for side, found in runs.items()}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("sides", nargs="*", default=list(SIDES), metavar="SIDE", help="peer or pvgpu; both unless told")
    arguments.add_argument("--runs", type=int, default=3, metavar="N", help="machines of each side (%(default)s unless told)")
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--vn-perf", default="", metavar="WORDS",
                           help="VN_PERF of the guest's driver on both sides; no_fence_feedback,no_semaphore_feedback lets it ask the host about fences")
    options = arguments.parse_args()
    found = run(options.sides, options.runs, options.vn_perf)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    print(f"{'':22}" + "".join(f"{side:>14}" for side in found) + ("   pvgpu/peer" if len(found) == 2 else ""))
    for name in next(iter(found.values())):
        values = [found[side][name] for side in found]
        line = f"{name:22}" + "".join(f"{value:>14}" if isinstance(value, (str, int)) else f"{value:14.3f}" for value in values)
        if len(found) == 2 and not isinstance(values[0], str):
            line += f"{found['pvgpu'][name] / found['peer'][name]:12.2f}" + (" (more is better)" if name.split()[0] in HIGHER_IS_BETTER else "")
        print(line)


if __name__ == "__main__":
    main()
