"""`pvgpu vm`: the device and QEMU, started together."""

import pathlib
import signal
import unittest

from vm import VM_ROOT, Machine, VmCase, accelerator, agent_options, image_of
from harness.guest import wait_until
from harness.server import sanitizer_environment
from harness.settings import HOST_DRIVER, PVGPU


class StartedByVm(Machine):
    """A machine that `pvgpu vm` has started; QEMU's messages are what it says and the guest's console."""

    def _command(self, root, gpu, agent, memory, processors, append, reboots):
        kernel, initrd = image_of(self.guest)
        return [PVGPU, "vm", "--arch", self.guest.machine, "--accel", accelerator(self.guest.machine), "--qemu", gpu[0], "--kernel", kernel,
                "--initrd", initrd, "--memory", f"{memory}M", "--append", "panic=-1 quiet", "--", "-no-reboot", *agent_options(agent)]


class VmCommand(VmCase):
    def setUp(self):
        super().setUp()
        # QEMU is in a root of its own, which has the same /tmp.
        self.qemu = pathlib.Path(self.folder) / "qemu"
        self.qemu.write_text(f'#!/bin/sh\nexec chroot {VM_ROOT} qemu-system-x86_64 "$@"\n')
        self.qemu.chmod(0o755)
        self.temporary = pathlib.Path(self.folder) / "temporary"
        self.temporary.mkdir()

    def start(self):
        return StartedByVm(self.folder, [self.qemu], environment={
            "VK_DRIVER_FILES": HOST_DRIVER, "XDG_RUNTIME_DIR": self.temporary, **sanitizer_environment()})

    def test_computes(self):
        with self.start() as machine:
            machine.run(["compute", "/tmp/results"])
            self.assertEqual(len(list(self.temporary.iterdir())), 1)
        self.assertIn("pvgpu: x86_64 machine on QEMU 11.", machine.said())
        self.assertIn(" with kvm" if accelerator("x86_64") == "kvm" else " emulated (TCG)", machine.said())
        self.assertEqual(list(self.temporary.iterdir()), [])

    def test_a_signal_ends_all(self):
        """It reaches QEMU, which ends as it does on its own; no process and no file stays."""
        machine = self.start()
        try:
            machine.process.send_signal(signal.SIGTERM)
            self.assertEqual(machine.process.wait(60), 0)
        finally:
            machine.leave()
        wait_until(lambda: not list(self.temporary.iterdir()), "its folder is gone")


if __name__ == "__main__":
    unittest.main()
