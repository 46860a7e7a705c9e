"""What a guest's own vulkaninfo says of its GPU. What else differs from native is test_parity's matter."""

import re
import unittest

from harness import GuestCase, Server, run_guest
from harness.driver_profile import HOST_DEVICE
from harness.settings import GUEST

# Mesa 25.0's Venus stops at Vulkan 1.3.
LEVEL = "1.3" if GUEST == "guest" else "1.4"


class VulkanInfo(GuestCase):
    def test_level_and_identity(self):
        with Server(self.folder) as server:
            # Plain text: the JSON that it writes of a Mesa 26 guest is broken.
            text = run_guest(server.venus(), ["vulkaninfo"])
        self.keep("guest.txt").write_text(text)
        properties = text[text.index("Device Properties and Extensions"):]
        self.assertRegex(properties, rf"apiVersion\s+= {re.escape(LEVEL)}\.\d+ ")
        self.assertRegex(properties, rf"deviceName\s+= Virtio-GPU Venus \({HOST_DEVICE}[ )]")
        self.assertRegex(properties, r"\n\s*VK_KHR_swapchain\s+: extension revision \d+")


if __name__ == "__main__":
    unittest.main()
