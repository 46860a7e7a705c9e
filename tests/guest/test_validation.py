"""The Khronos validation layer, on the host's driver, has nothing to say about what we do on a guest's behalf."""

import unittest

from cube import frames
from harness import NATIVE, PROGRAMS, Display, GuestCase, Server, layer_with_log, messages, run_guest, with_layers
from harness.guest import wait_until
from test_vkmark import run_vkmark


class Validation(GuestCase):
    """Leaving a Server fails the test when the layer reported anything (harness/server.py)."""

    def test_the_layer_is_there(self):
        # Without this, silence would prove nothing: calls that Vulkan forbids, made by the guest, are reported on the host.
        server = Server(self.folder, validation=True)
        try:
            run_guest(server.venus(), [PROGRAMS / "misuse"])
            wait_until(lambda: {"VUID-vkCmdFillBuffer-dstOffset-00025", "SYNC-HAZARD-WRITE-AFTER-WRITE"} <= messages(server.log()),
                       lambda: f"the layer's reports; the log:\n{server.log()}")
        finally:
            server.stop()
            server.close_log()

    def test_cube(self):
        with Display() as display, Server(self.folder, validation=True) as server:
            frames(display, server.venus(), 5)
            run_guest({**server.venus(), **display.environment}, ["vkcube", "--wsi", "xcb", "--c", 60])

    def test_compute(self):
        with Server(self.folder, validation=True) as server:
            run_guest(server.venus(), [PROGRAMS / "compute", self.folder / "output"])
            run_guest(server.venus(), [PROGRAMS / "many_allocations", 200])

    def test_vkmark(self):
        # vkmark's own render pass has a hazard; natively it is reported too.
        log, scenes = self.folder / "native.log", ["-b", "texture:duration=0.1", "-b", "desktop:duration=0.1"]
        run_vkmark(with_layers(layer_with_log(log), NATIVE), *scenes)
        with Server(self.folder, validation=True, known=messages(log.read_text())) as server:
            _, scenes = run_vkmark(server.venus(), *scenes)
            self.assertEqual([scene for scene, _ in scenes], ["texture", "desktop"])


if __name__ == "__main__":
    unittest.main()
