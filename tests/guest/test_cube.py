"""vkcube through pvgpu shows what it shows natively."""

import unittest

from cube import SAME, frames, pairs
from harness import NATIVE, Display, GuestCase, Server
from harness.settings import GUEST, HOST_PROFILE

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
            if one.difference(other) >= SAME:
                name = f"{GUEST}{HOST_PROFILE}-frame-{number}"  # other guests' tests run beside this one
                one.write_png(self.keep(f"{name}-native.png"))
                other.write_png(self.keep(f"{name}-guest.png"))
                self.fail(f"frame {number} differs in {one.difference(other):.4f} of its pixels; see {self.keep('')}")


if __name__ == "__main__":
    unittest.main()
