"""What a guest shows on the display that the device gives to it, as pictures (pvgpu device --display png:FOLDER)."""

import pathlib
import shutil
import tempfile
import unittest

from vm import Device, GUEST_SYSTEM, Machine, Screen, Viewer, VmCase
from harness import Picture
from harness.guest import wait_until

from frames import expected as frame

SIZE = WIDTH, HEIGHT = 800, 600
CELL = 8, 16  # of the kernel's font, in pixels
CURSOR = 64


def cell(picture, column, row):
    """The pixels of a character of a console."""
    left, top = column * CELL[0], row * CELL[1]
    return b"".join(picture.rgb[3 * (y * picture.width + left):][:3 * CELL[0]] for y in range(top, top + CELL[1]))


def computed(seed, pointer=None):
    """What tests/guest/api/scanout.cc shows."""
    rgb = bytearray(byte for y in range(HEIGHT) for x in range(WIDTH) for byte in (x & 255, y & 255, (x ^ y) + seed & 255))
    if pointer:
        left, top = pointer
        for y in range(top, top + CURSOR):
            rgb[3 * (y * WIDTH + left):3 * (y * WIDTH + left + CURSOR)] = b"\xff" * 3 * CURSOR
    return bytes(rgb)


class DisplayCase(VmCase):
    """All in one machine."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pvgpu-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.screen = Screen(folder / "pictures" / "vm-1")
        device = cls.enterClassContext(
            Device(folder, arguments=["--display", f"png:{folder / 'pictures'}", "--display-size", f"{WIDTH}x{HEIGHT}"]))
        cls.machine = cls.enterClassContext(Machine(folder, device))


class Display(DisplayCase):
    def test_monitor(self):
        self.assertEqual(self.machine.run("cat /sys/class/drm/card0-*/modes").split()[0], f"{WIDTH}x{HEIGHT}")
        edid = bytes.fromhex(self.machine.run("hexdump -v -e '1/1 \"%02x\"' /sys/class/drm/card0-*/edid"))
        self.assertEqual(sum(edid) % 256, 0)
        self.assertIn(b"PearVisor\n", edid)

    def test_console(self):
        """The kernel's console, drawn with the kernel's font."""
        # Clears the screen, hides the cursor, writes to the upper left and to the lower right.
        self.machine.run(r"printf '\033[2J\033[?25l\033[HABBA A\033[37;99HBA' >/dev/tty1")
        picture = self.screen.wait_for(lambda shown: any(cell(shown, 99, 36)) and not any(cell(shown, 50, 18)), "the text is to be seen")
        picture.write_png(self.keep(f"{GUEST_SYSTEM.name}-console.png"))
        self.assertEqual((picture.width, picture.height), SIZE)
        a, b = cell(picture, 0, 0), cell(picture, 1, 0)
        self.assertEqual([cell(picture, column, 0) for column in range(6)], [a, b, b, a, bytes(len(a)), a])
        self.assertEqual([cell(picture, column, 36) for column in (98, 99)], [b, a])
        self.assertNotEqual(a, b)
        for letter in (a, b):
            self.assertEqual(len(set(zip(letter[0::3], letter[1::3], letter[2::3]))), 2, "a letter is of two colours")
        self.assertGreater(picture.most_common_share(), 0.99)

    def check_scanout(self, how, seed, expected):
        program = self.machine.start(["scanout", how, seed])
        program.wait_for_line(f"shown: {WIDTH} x {HEIGHT}")
        try:
            picture = self.screen.wait_for(lambda shown: shown.rgb == expected, "the picture that Vulkan has computed is to be seen")
        except AssertionError:
            if self.screen.newest:
                self.screen.newest.write_png(self.keep(f"{GUEST_SYSTEM.name}-{how}-wrong.png"))
            raise
        picture.write_png(self.keep(f"{GUEST_SYSTEM.name}-{how}.png"))
        program.kill()
        program.wait()

    def test_vulkan_memory(self):
        """Memory that Vulkan has written, shown where it lies (SET_SCANOUT_BLOB): pixel by pixel what was computed."""
        for seed in (17, 99):
            self.check_scanout("memory", seed, computed(seed))

    def test_vulkan_copied(self):
        """The same through a picture of the guest's kernel (a 2D resource), with a pointer over it."""
        self.check_scanout("copy", 5, computed(5, (100, 50)))


class Swapchain(DisplayCase):
    """For guests whose Venus can take a screen: not Mesa 25.0's."""

    def test_swapchain(self):
        """A swapchain for the whole screen (VK_EXT_acquire_drm_display)."""
        program = self.machine.start("{ echo open 0 0 fifo 3 2; echo draw 0 20; cat; } | present display")
        program.wait_for_line("drew 20, ")
        shown = self.screen.wait_for(lambda picture: picture.rgb == Picture.from_bgrx(WIDTH, HEIGHT, frame(20, WIDTH, HEIGHT)).rgb,
                                     "the last frame is on the screen")
        shown.write_png(self.keep(f"{GUEST_SYSTEM.name}-display.png"))
        program.kill()
        program.wait()


class Vnc(VmCase):
    def test_console(self):
        """What a viewer sees is the console, in two machines at once."""
        with Device(self.folder, arguments=["--display", "vnc:localhost:5950"]) as device, \
                Machine(self.folder, device, name="left") as left, Machine(self.folder, device, name="right") as right:
            for number, (machine, text) in enumerate(((left, "AA"), (right, "BBB")), 1):
                machine.run(rf"printf '\033[2J\033[?25l\033[H{text}' >/dev/tty1")
                line, = device.log_lines(rf"the display of machine {number} is at vnc://localhost:")
                with Viewer(int(line.rsplit(":", 1)[1])) as viewer:
                    self.assertEqual(viewer.name, "PearVisor")

                    def written():
                        screen = viewer.look()
                        seen = "".join("x" if any(cell(screen, column, 0)) else " " for column in range(5))
                        return screen if seen.rstrip() == "x" * len(text) else None
                    screen = wait_until(written, f"{text} is to be seen", deadline=60, interval=0.2)
                    self.assertEqual((screen.width, screen.height), (1280, 800))
                    self.assertEqual(cell(screen, 0, 0), cell(screen, 1, 0))
                    screen.write_png(self.keep(f"{GUEST_SYSTEM.name}-vnc-{machine.console_path.stem}.png"))


del DisplayCase  # The base is no test.

if __name__ == "__main__":
    unittest.main()
