"""vkmark's scenes run to their end."""

import re
import unittest

from harness import NATIVE, GuestCase, Server, run_guest

SCENE = re.compile(r"^\[(\w+)\] (.*): FPS: (\d+)", re.MULTILINE)


def run_vkmark(environment, *options, deadline=240):
    output = run_guest(environment, ["vkmark", "--winsys", "headless", "--size", "400x300", *options], deadline)
    return output, [(scene, settings) for scene, settings, _ in SCENE.findall(output)]


class VkMark(GuestCase):
    def test_all_default_scenes(self):
        _, native = run_vkmark(NATIVE, "-b", ":duration=0.1")
        self.assertGreaterEqual(len(native), 10)
        with Server(self.folder) as server:
            output, guest = run_vkmark(server.venus(), "-b", ":duration=1.0")
        self.assertIn("Virtio-GPU Venus", output)
        self.assertEqual(guest, native, output)
        self.assertIn("vkmark Score:", output)
        self.keep("guest.txt").write_text(output + "\n")


if __name__ == "__main__":
    unittest.main()
