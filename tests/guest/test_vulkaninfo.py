"""What a guest is told about its GPU."""

import json
import pathlib
import shutil
import unittest

from harness import NATIVE, GuestCase, Server, run_guest

EXPECTED_DIFFERENCES = pathlib.Path(__file__).with_name("expected_extension_differences.txt")


def read_expected(path):
    """Lines of "- NAME  reason" (native only) and "+ NAME  reason" (guest only); # starts a comment."""
    result = {}
    for line in path.read_text().splitlines():
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        sign, name, reason = line.split(None, 2)
        assert sign in "+-" and reason, f"{path}: {line}"
        result[name] = sign
    return result


class VulkanInfo(GuestCase):
    def report(self, environment, name):
        path = self.folder / f"{name}.json"
        run_guest(environment, ["vulkaninfo", "-j", "-o", path])
        shutil.copy(path, self.keep(path.name))
        return json.loads(path.read_text())["capabilities"]["device"]

    def test_level_and_identity(self):
        with Server(self.folder) as server:
            guest = self.report(server.venus(), "guest")
        properties = guest["properties"]["VkPhysicalDeviceProperties"]
        version = properties["apiVersion"]
        self.assertEqual((version >> 22, version >> 12 & 0x3FF), (1, 3), "Mesa 25.0's Venus stops at Vulkan 1.3")
        self.assertIn("Virtio-GPU Venus", properties["deviceName"])
        self.assertIn("llvmpipe", properties["deviceName"], "the host's device is named in the guest's")
        self.assertIn("VK_KHR_swapchain", guest["extensions"])

    def test_extensions_differ_from_native_as_expected(self):
        native = set(self.report(NATIVE, "native")["extensions"])
        with Server(self.folder) as server:
            guest = set(self.report(server.venus(), "guest")["extensions"])
        found = {**{name: "-" for name in native - guest}, **{name: "+" for name in guest - native}}
        expected = read_expected(EXPECTED_DIFFERENCES)
        wrong = [f"{sign} {name}" for name, sign in sorted(found.items()) if expected.get(name) != sign]
        gone = [f"{sign} {name}" for name, sign in sorted(expected.items()) if found.get(name) != sign]
        self.assertFalse(wrong, f"not explained in {EXPECTED_DIFFERENCES.name} (- only native has it, + only the guest)")
        self.assertFalse(gone, f"explained in {EXPECTED_DIFFERENCES.name} but no difference any more")


if __name__ == "__main__":
    unittest.main()
