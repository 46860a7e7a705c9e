"""A desktop as people have it: Weston on the guest's screen (KMS) and in it vkcube, looked at from outside. Always in the guest with
Debian's backports, whose system has Weston."""

import contextlib
import unittest

from vm import BACKPORTS, Device, Machine, Screen, Viewer, VmCase, with_desktop
from cube import frames
from harness import NATIVE, Display
from harness.guest import wait_until

SIZE = WIDTH, HEIGHT = 400, 300
LEFT, TOP = 100, 100  # where vkcube puts its window on an X display
TURN = 90  # frames, after which vkcube shows the first again
SHOWN = 80  # of these at most, by a cube that ends by itself
# Without a seat service and a keyboard, which the machine has not; its Mesa presents through the CPU, as Weston draws there.
WESTON = ("LIBSEAT_BACKEND=builtin SEATD_VTBOUND=0 exec weston --backend=drm --renderer=pixman --continue-without-input --no-config "
          "--shell=kiosk-shell.so --idle-time=0 --socket=weston")
VKCUBE = f"WAYLAND_DISPLAY=weston MESA_VK_WSI_DEBUG=sw exec vkcube --wsi wayland --width {WIDTH} --height {HEIGHT}"


class Desktop(VmCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with Display(LEFT + WIDTH, TOP + HEIGHT) as display:
            shown, _ = frames(display, NATIVE, TURN, "--width", WIDTH, "--height", HEIGHT)
        native = [picture.part(LEFT, TOP, WIDTH, HEIGHT) for picture in shown]
        cls.native = {picture.rgb: number for number, picture in enumerate(native, 1)}
        # The yardstick: each is a picture of something, and unlike the others.
        assert len(cls.native) == TURN and all(picture.most_common_share() < 0.9 for picture in native)

    @contextlib.contextmanager
    def desktop(self, display):
        """A machine whose screen shows Weston, and the device."""
        with Device(self.folder, arguments=["--display", display, "--display-size", f"{WIDTH}x{HEIGHT}"]) as device, \
                Machine(self.folder, device, with_desktop(BACKPORTS)) as machine:
            weston = machine.start(WESTON)
            weston.wait_for_line(f"{WIDTH}x{HEIGHT}@.*current")
            weston.wait_for_line("Loading module .*kiosk-shell.so")
            yield machine, device
            weston.kill()
            weston.wait()

    def number_of(self, picture):
        """Which of vkcube's frames it is, pixel by pixel; None if it shows no cube."""
        number = self.native.get(picture.rgb)
        if number is None and picture.colors() > 1000:
            picture.write_png(self.keep("no-frame.png"))
            self.fail(f"the screen shows what is no frame of vkcube: {self.keep('no-frame.png')}")
        return number

    def test_pictures(self):
        """Every picture of the screen that has a cube is a frame of it, whole, and they come in order."""
        with self.desktop(f"png:{self.folder / 'pictures'}") as (machine, _):
            said = machine.run(f"{VKCUBE} --c {SHOWN}")
            self.assertIn("Virtio-GPU Venus", said)
            screen = Screen(self.folder / "pictures" / "vm-1")
            screen.wait_for(lambda picture: picture.colors() < 10, "vkcube is gone from the screen")
            cubes = [(number, picture) for picture in screen.pictures() if (number := self.number_of(picture))]
            numbers = [number for number, _ in cubes]
            self.assertEqual(numbers, sorted(numbers))
            self.assertGreaterEqual(len(set(numbers)), 3, numbers)
        cubes[-1][1].write_png(self.keep("vkcube.png"))

    def test_viewer(self):
        """A viewer sees a frame of vkcube."""
        with self.desktop("vnc:localhost:5970") as (machine, device):
            line, = device.log_lines(r"the display of machine 1 is at vnc://localhost:")
            with Viewer(int(line.rsplit(":", 1)[1])) as viewer:
                cube = machine.start(VKCUBE)
                wait_until(lambda: viewer.look().colors() > 1000, lambda: f"a cube is to be seen; vkcube says:\n{cube.output()}", deadline=60)
                # Only what stands still comes whole: a viewer is sent lines while others are drawn.
                machine.run("kill -STOP $(pidof vkcube)")
                shown = wait_until(lambda: picture if (picture := viewer.look()).rgb in self.native else None,
                                   "a frame of vkcube is to be seen", deadline=60, interval=0.2)
                shown.write_png(self.keep("vkcube-vnc.png"))
                cube.kill()
                cube.wait()


if __name__ == "__main__":
    unittest.main()
