#!/usr/bin/env python3
"""Records what guest programs send, for pvgpu_replay: bench/recordings/NAME.pvgpu. Needs the roots of ./dev and their lavapipe.

    ./dev build
    ./dev shell bench/record.py                the recordings that the repository keeps
    ./dev shell bench/record.py --into build/recordings --client record --client descriptors
                                               works of `pvgpu bench`, by name

The guest is guest-backports, the newest stock Mesa that the tests have. A recording is good for as long as the wire format is.
"""

import argparse
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
os.environ["PVGPU_GUEST"] = "guest-backports"
sys.path.insert(0, str(HERE.parent / "tests" / "guest"))
from harness import LIBRARY_PROGRAMS, PVGPU, Server, run_guest  # noqa: E402

def client(work):
    return ([PVGPU.parent / "pvgpu-bench-client", "--quick", "--deadline", "60", "--gpu", "llvmpipe", "--nth", "0", "--work", work], {})


# Short: what a program does in its first frames it goes on doing.
KEPT = {
    "draws": client("draws"),
    "vkmark": (["vkmark", "--winsys", "headless", "--size", "64x64",
                *(word for scene in ("shading:shading=phong", "effect2d:kernel=none", "desktop:windows=4", "cube")
                  for word in ("-b", f"{scene}:duration=0.5"))], {}),
    "ggml": ([LIBRARY_PROGRAMS / "language_model", "q4_0", "fused"], {"GGML_VK_VISIBLE_DEVICES": "0"}),
}


def record(name, command, environment, folder):
    path = folder / f"{name}.pvgpu"
    with tempfile.TemporaryDirectory() as scratch:
        with Server(scratch, arguments=["--record", str(pathlib.Path(scratch) / "recording")], log_level="info") as server:
            # Without a cache of pipelines from earlier runs.
            run_guest({**server.venus(), "MESA_SHADER_CACHE_DISABLE": "1", **environment}, command, deadline=400)
        # Programs that look around first connect more than once: the one that worked has sent most.
        made = max(pathlib.Path(scratch).glob("recording*"), key=lambda file: file.stat().st_size)
        path.write_bytes(made.read_bytes())
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--into", type=pathlib.Path, default=HERE / "recordings")
    parser.add_argument("--only", choices=KEPT, action="append", help="not all that are kept")
    parser.add_argument("--client", action="append", default=[], metavar="WORK", help="a work of `pvgpu bench` instead")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    wanted = {name: KEPT[name] for name in options.only or KEPT}
    if options.client:
        wanted = {work: client(work) for work in options.client}
    for name, (command, environment) in wanted.items():
        record(name, command, environment, options.into)


if __name__ == "__main__":
    main()
