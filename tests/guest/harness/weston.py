"""Weston without a screen, with Xwayland beside it: a real compositor, whose screenshots show what programs present."""

import os
import pathlib
import re

from .guest import Program, guest_command, run_guest, wait_until
from .picture import png_to_bgrx

WIDTH, HEIGHT = 640, 480


class Weston:
    """A context manager, for guests that have Weston. Windows of the output's size cover it. `environment` is what Wayland
    programs need, `x11_environment` what X11 programs do."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        os.makedirs("/tmp/.X11-unix", exist_ok=True)
        runtime = {"XDG_RUNTIME_DIR": str(folder)}
        # --debug lets anyone take screenshots.
        self._program = Program(guest_command(runtime, [
            "weston", "--backend=headless", "--renderer=pixman", "--shell=kiosk-shell.so", "--no-config", "--socket=weston",
            "--xwayland", "--debug", f"--width={WIDTH}", f"--height={HEIGHT}", "--idle-time=0"]))
        try:
            number = wait_until(lambda: re.search(r"listening on display (:\d+)", self._program.output()),
                                lambda: f"weston is ready; it says:\n{self._program.output()}").group(1)
        except BaseException:
            self._program.__exit__()
            raise
        self.environment = {**runtime, "WAYLAND_DISPLAY": "weston", "MESA_VK_WSI_DEBUG": "sw"}
        self.x11_environment = {"DISPLAY": number, "MESA_VK_WSI_DEBUG": "sw"}

    def pixels(self, width=WIDTH, height=HEIGHT):
        """What the output shows now: B8G8R8X8, rows without gaps."""
        assert (width, height) == (WIDTH, HEIGHT)
        folder = self._folder / "screenshots"
        folder.mkdir(exist_ok=True)
        run_guest({**self.environment}, ["sh", "-c", f"cd {folder} && exec weston-screenshooter"])
        picture, = folder.glob("*.png")
        found_width, found_height, data = png_to_bgrx(picture.read_bytes())
        picture.unlink()
        assert (found_width, found_height) == (WIDTH, HEIGHT), (found_width, found_height)
        return data

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self._program.process.terminate()
        self._program.wait()
        self._program.__exit__(*arguments)
