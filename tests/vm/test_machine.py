"""The machines themselves, without a GPU: what the other tests rely on."""

import unittest

from vm import Machine, VmCase


class Machines(VmCase):
    def test_plain_boot(self):
        with Machine(self.folder) as machine:
            self.assertEqual(machine.run(["uname", "-r"]), machine.guest.kernel_version)


if __name__ == "__main__":
    unittest.main()
