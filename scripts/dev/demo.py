"""What `./dev demo` shows: a server on the software driver, vkcube in the guest root drawing through it, a picture of it."""

import pathlib
import re
import sys
import tempfile
import time

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "guest"))
sys.dont_write_bytecode = True

from cube import SAME, frames, pairs  # noqa: E402
from harness import NATIVE, Display, Server, run_guest  # noqa: E402

SHOWN_FRAME = 20
TIMED_FRAMES = 600


def summary(environment):
    """What vulkaninfo in the guest root says: device, driver, Vulkan version."""
    text = run_guest(environment, ["vulkaninfo", "--summary"])
    return {key: re.search(rf"^\s*{key}\s*=\s*(.+?)\s*$", text, re.MULTILINE)[1]
            for key in ("deviceName", "driverName", "driverInfo", "apiVersion")}


def frames_per_second(display, environment):
    """Over the frames beyond the first, so that starting up does not count."""
    def seconds(count):
        start = time.monotonic()
        run_guest({**environment, **display.environment}, ["vkcube", "--wsi", "xcb", "--present_mode", 0, "--c", count], 300)
        return time.monotonic() - start
    return TIMED_FRAMES / max(seconds(TIMED_FRAMES + 1) - seconds(1), 1e-3)


def main():
    folder = CHECKOUT / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    picture_path = folder / "vkcube.png"
    with tempfile.TemporaryDirectory(prefix="pvgpu-demo-") as temporary, Display() as display:
        native_fps = frames_per_second(display, NATIVE)
        native, _ = frames(display, NATIVE, SHOWN_FRAME)
        with Server(temporary, log_level="info") as server:
            print(f"server    pvgpu serve --socket {server.socket}, on this machine's software driver", flush=True)
            seen = summary(server.venus())
            print(f"guest     {seen['deviceName']}; driver {seen['driverName']}, {seen['driverInfo']}")
            print(f"          Vulkan {seen['apiVersion']}", flush=True)
            guest, _ = frames(display, server.venus(), SHOWN_FRAME)
            guest[-1].write_png(picture_path)
            fps = frames_per_second(display, server.venus())
        (folder / "server.log").write_text(server.log())
    same = all(one.difference(other) < SAME for one, other in pairs(native, guest))
    print(f"vkcube    {SHOWN_FRAME} frames, {'each the same picture as' if same else 'NOT the pictures that are drawn'} without pvgpu")
    print(f"          {fps:.0f} frames a second through pvgpu, {native_fps:.0f} without")
    print(f"picture   {picture_path.relative_to(CHECKOUT)}    server's log   {(folder / 'server.log').relative_to(CHECKOUT)}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
