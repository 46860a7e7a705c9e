"""vkcube through pvgpu shows what it shows natively."""

import unittest

from cube import FRAMES, draw_cube, draw_native_cube
from harness import Display, GuestCase, Server


class Cube(GuestCase):
    def test_picture_is_the_native_one(self):
        with Display() as display, Server(self.folder) as server:
            native = draw_native_cube(display)
            native.write_png(self.keep("native.png"))
            guest, output = draw_cube(display, server.venus())
            guest.write_png(self.keep("guest.png"))
            other_frame = draw_native_cube(display, FRAMES + 1)
        self.assertIn("Virtio-GPU Venus", output)
        # The yardstick first: the picture is one of something, and the next frame is told apart from it.
        self.assertGreater(native.colors(), 1000)
        self.assertLess(native.most_common_share(), 0.6)
        self.assertGreater(native.difference(other_frame), 0.02)
        self.assertLess(native.difference(guest), 0.0005, f"see {self.keep('guest.png')}")


if __name__ == "__main__":
    unittest.main()
