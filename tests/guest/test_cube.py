"""vkcube through pvgpu shows what it shows natively."""

import unittest

from cube import SAME, frames, pairs
from harness import NATIVE, Display, GuestCase, Server

FRAMES = 12


class VkCube(GuestCase):
    def test_frames_are_the_native_ones(self):
        with Display() as display, Server(self.folder) as server:
            native, _ = frames(display, NATIVE, FRAMES)
            guest, output = frames(display, server.venus(), FRAMES)
        native[-1].write_png(self.keep("native.png"))
        guest[-1].write_png(self.keep("guest.png"))
        self.assertIn("Virtio-GPU Venus", output)
        # The yardstick first: a frame is a picture of something, and is told apart from the next one.
        self.assertLess(native[-1].most_common_share(), 0.6)
        for frame, following in zip(native, native[1:]):
            self.assertGreater(frame.difference(following), 0.02)
        for number, (one, other) in enumerate(pairs(native, guest), 1):
            self.assertLess(one.difference(other), SAME, f"frame {number}; the last ones are in {self.keep('')}")


if __name__ == "__main__":
    unittest.main()
