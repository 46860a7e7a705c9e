#!/usr/bin/env python3
"""vkmark's frame rates natively and as a guest through pvgpu, scene by scene. A bench for people, no test.

    ./dev build release pvgpu pvgpu_headless_surface
    bench/vkmark.py --pvgpu PATH --layer FOLDER [--guest-icd virtio_icd.json] [--rounds 5]

Natively vkmark runs on the driver that VK_DRIVER_FILES chooses, under the layer of bench/headless_surface unless --without-layer says that
the driver has headless surfaces itself. The guest is the same vkmark by `pvgpu run`, or with --guest-command another one in its own root,
which shares /tmp and reaches a private `pvgpu serve`. The sides take turns, and a ratio compares two runs of one round; the table
shows medians, and the smallest and the largest ratio. Needs Python 3.12 and nothing else of this repository.
"""

import argparse
import os
import pathlib
import re
import select
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

LAYER = "VK_LAYER_PVGPU_headless_surface"
RESULT = re.compile(r"^\[(\w+)\] (.*): FPS: (\d+)", re.MULTILINE)
GOALS = (0.95, 0.9)
# What would put the layer, or another driver, under a guest or the server.
CHOICES = ("VK_INSTANCE_LAYERS", "VK_ADD_LAYER_PATH", "VK_LAYER_PATH", "VK_LOADER_LAYERS_ENABLE")


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pvgpu", default="pvgpu", metavar="PATH")
    parser.add_argument("--vkmark", default="vkmark", metavar="PATH", help="words of a command are fine: 'ld.so --library-path … vkmark'")
    parser.add_argument("--layer", type=pathlib.Path, metavar="FOLDER", help="with headless_surface.json")
    parser.add_argument("--without-layer", action="store_true", help="the native driver has headless surfaces itself")
    parser.add_argument("--guest-layer", action="store_true",
                        help="the guest presents through --layer too, which --guest-command's root must have at the same place, and not by its own driver")
    parser.add_argument("--native-waits", action="store_true",
                        help="natively each present waits for the queue to be idle, as Mesa's Venus does in guests over sockets")
    parser.add_argument("--native-command", default="", metavar="WORDS", help="before vkmark natively: 'chroot ROOT'")
    parser.add_argument("--guest-command", default="", metavar="WORDS", help="before vkmark as a guest: 'chroot ROOT'")
    parser.add_argument("--guest-icd", metavar="PATH", help="the manifest of Mesa's Venus driver, as the guest sees it")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--duration", type=float, default=2, help="seconds a scene")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scenes", nargs="*", default=[], metavar="SCENE:OPTIONS", help="as vkmark's --benchmark takes them; its default ones unless told")
    parser.add_argument("--pixel-format", default="R8G8B8A8Unorm", help="the same on both sides, which offer formats of their own")
    found = parser.parse_args()
    if not found.without_layer and not found.layer:
        parser.error("--layer or --without-layer")
    if found.without_layer and (found.guest_layer or found.native_waits):
        parser.error("--guest-layer and --native-waits need --layer")
    if found.layer and not (found.layer / "headless_surface.json").is_file():
        parser.error(f"there is no headless_surface.json in {found.layer}")
    return found


def vkmark_command(chosen):
    command = [*shlex.split(chosen.vkmark), "--winsys", "headless", "--size", chosen.size, "--pixel-format", chosen.pixel_format,
               "-b", f":duration={chosen.duration}"]
    return command + [word for scene in chosen.scenes for word in ("-b", scene)]


def run(command, environment, deadline):
    """Frames per second of each scene, and the device's name."""
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=deadline)
    except subprocess.TimeoutExpired as late:
        sys.exit(f"{shlex.join(command)} still ran after {deadline:.0f} s; it said:\n{(late.stdout or b'').decode(errors='replace')}")
    rates = {f"{scene} {settings}": int(rate) for scene, settings, rate in RESULT.findall(done.stdout)}
    if done.returncode != 0 or not rates:
        sys.exit(f"{shlex.join(command)} ended with {done.returncode}; it said:\n{done.stdout}")
    return rates, re.search(r"Device Name:\s*(.*)", done.stdout).group(1)


class Server:
    """A private server for guests in roots of their own, which share /tmp."""

    def __init__(self, pvgpu, environment):
        self._folder = tempfile.TemporaryDirectory(prefix="pvgpu-vkmark-", dir="/tmp")
        self.socket = f"{self._folder.name}/socket"
        read_end, write_end = os.pipe()
        self._process = subprocess.Popen([pvgpu, "serve", "--socket", self.socket, "--log-level", "warn", "--ready-fd", str(write_end)], env=environment,
                                         stdin=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        said = os.read(read_end, 256) if select.select([read_end], [], [], 60)[0] else b""
        os.close(read_end)
        if b"READY=1" not in said:
            self._process.kill()
            sys.exit(f"{pvgpu} serve did not get ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(30)
        self._folder.cleanup()


def layer_variables(chosen):
    return {"VK_ADD_LAYER_PATH": str(chosen.layer.resolve()), "VK_INSTANCE_LAYERS": LAYER}


def measure_natively(chosen, host, deadline):
    layer = {} if chosen.without_layer else layer_variables(chosen)
    if chosen.native_waits:
        layer["PVGPU_HEADLESS_SURFACE_WAITS"] = "1"
    return run([*shlex.split(chosen.native_command), *vkmark_command(chosen)], {**host, **layer}, deadline)


def measure_guest(chosen, host, deadline):
    layer = layer_variables(chosen) if chosen.guest_layer else {}
    if not chosen.guest_command:
        icd = ["--icd", chosen.guest_icd] if chosen.guest_icd else []
        # Of the guest alone, not of its server.
        variables = [f"{name}={value}" for name, value in layer.items()]
        return run([chosen.pvgpu, "run", *icd, "--", "env", *variables, *vkmark_command(chosen)], host, deadline)
    with Server(chosen.pvgpu, host) as server:
        icd = chosen.guest_icd or "/usr/share/vulkan/icd.d/virtio_icd.json"
        guest = {**host, "VN_DEBUG": "vtest", "VTEST_SOCKET_NAME": server.socket, "VK_DRIVER_FILES": icd, "VK_ICD_FILENAMES": icd,
                 "MESA_VK_WSI_DEBUG": "sw", **layer}
        return run([*shlex.split(chosen.guest_command), *vkmark_command(chosen)], guest, deadline)


def check_programs(chosen):
    for words in chosen.pvgpu, chosen.native_command or chosen.vkmark, chosen.guest_command or chosen.vkmark:
        if not shutil.which(shlex.split(words)[0]):
            sys.exit(f"there is no program {shlex.split(words)[0]}")


def table(natively, as_guest):
    """Lines of both sides' rounds, and the median ratio of each scene."""
    scenes = list(natively[0])
    width = max(map(len, scenes))
    lines = [f"{'scene':{width}}  native fps   guest fps  guest / native"]
    ratios = {}
    for scene in scenes:
        own = [rates[scene] for rates in natively]
        guests = [rates[scene] for rates in as_guest]
        each = [guest / native if native else float("nan") for native, guest in zip(own, guests)]
        ratios[scene] = statistics.median(each)
        lines.append(f"{scene:{width}}  {statistics.median(own):10.0f}  {statistics.median(guests):10.0f}  "
                     f"{ratios[scene]:.2f} ({min(each):.2f}–{max(each):.2f})")
    return lines, ratios


def main():
    chosen = options()
    check_programs(chosen)
    host = {name: value for name, value in os.environ.items() if name not in CHOICES}
    # Generous: it only ends a hang. There are 13 default scenes.
    deadline = 120 + 5 * chosen.duration * max(13, len(chosen.scenes))
    natively, as_guest = [], []
    for number in range(chosen.rounds):
        print(f"round {number + 1} of {chosen.rounds}", file=sys.stderr, flush=True)
        # Each side goes first in turn, so that what the first run warms up helps both.
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            if side == 0:
                rates, native_device = measure_natively(chosen, host, deadline)
                natively.append(rates)
            else:
                rates, guest_device = measure_guest(chosen, host, deadline)
                as_guest.append(rates)
    presented = "the layer" if chosen.guest_layer else "Mesa"
    print(f"native: {native_device}{', each present waits for the GPU' if chosen.native_waits else ''}\n"
          f"guest: {guest_device}, presented by {presented}\n{chosen.rounds} rounds, {chosen.size}, {chosen.duration:g} s a scene\n")
    if any(list(rates) != list(natively[0]) for rates in natively + as_guest):
        sys.exit("the sides, or the rounds, have run different scenes")
    lines, ratios = table(natively, as_guest)
    print("\n".join(lines) + "\n")
    for goal in GOALS:
        below = [scene for scene, ratio in ratios.items() if not ratio >= goal]
        print(f"below {goal:g}: {', '.join(below) or 'none'}")


if __name__ == "__main__":
    main()
