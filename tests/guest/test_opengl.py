"""OpenGL through zink, Mesa's GL on Vulkan: what it offers and draws is what it offers and draws natively."""

import collections
import re
import unittest

from harness import NATIVE, Display, GuestCase, Server, layer_with_log, messages, run_guest, with_layers

# The device is a software renderer, which zink takes only if told that software will do.
ZINK = {"MESA_LOADER_DRIVER_OVERRIDE": "zink", "LIBGL_ALWAYS_SOFTWARE": "true"}
# What a guest lacks, and why.
MISSING = {
    "GL_AMD_pinned_memory": "needs VK_EXT_external_memory_host, whose pointers would be of the host's process",
    "GL_ARB_sparse_buffer": "needs sparse binding, which is hidden where all memory is imported (src/host/sparse.h)",
    "GL_ARB_sparse_texture": "the same",
    "GL_EXT_semaphore": "needs VK_KHR_external_semaphore_fd, which Venus offers over virtio-gpu only",
    "GL_EXT_semaphore_fd": "the same",
    "GL_NV_timeline_semaphore": "the same",
}
# The one line in which a guest is told apart, and what changes from one moment to the next.
DEVICE = re.compile(r"zink Vulkan [\d.]+\((.*)\)")
PASSING = re.compile(r"(free memory|free aux\. memory|Currently available dedicated video memory).*")
SCENE = re.compile(r"^\[(\w+)\] (.*): Validation: (\w+)", re.MULTILINE)


def offered(environment):
    """The device's name, and all else that glxinfo tells: versions, extensions, limits, visuals."""
    text = run_guest({**environment, **ZINK}, ["glxinfo", "-l"])
    rest = DEVICE.sub("DEVICE", PASSING.sub("", text))
    return DEVICE.search(text)[1], collections.Counter(filter(None, map(str.strip, re.split(r"[,\n]", rest))))


def validated_scenes(environment):
    """[(scene, its settings, what glmark2 says of its picture)]. A few scenes have nothing that it could check: Unknown."""
    text = run_guest({**environment, **ZINK}, ["glmark2", "--validate"], deadline=120)
    return text, SCENE.findall(text)


class OpenGL(GuestCase):
    def test_offers_what_it_offers_natively(self):
        with Display() as display, Server(self.folder) as server:
            native_device, native = offered({**NATIVE, **display.environment})
            guest_device, guest = offered({**server.venus(), **display.environment})
        self.assertIn("llvmpipe", native_device)
        self.assertNotIn("Venus", native_device)
        self.assertIn("Virtio-GPU Venus", guest_device)
        self.assertGreater(len(native), 800)
        self.assertTrue(any(line.startswith("OpenGL core profile version string: 4.") for line in native), native)
        self.assertEqual(set(native - guest), set(MISSING))
        self.assertEqual(guest - native, collections.Counter())

    def test_glmark2(self):
        with Display() as display:
            log = self.folder / "native.log"
            native_text, native = validated_scenes(with_layers(layer_with_log(log), NATIVE, display.environment))
            with Server(self.folder, validation=True, known=messages(log.read_text())) as server:
                guest_text, guest = validated_scenes({**server.venus(), **display.environment})
        self.keep("guest.txt").write_text(guest_text)
        self.assertIn("Virtio-GPU Venus", guest_text)
        self.assertGreaterEqual([result for _, _, result in native].count("Success"), 25, native_text)
        self.assertEqual(guest, native)


if __name__ == "__main__":
    unittest.main()
