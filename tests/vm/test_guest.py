"""What a guest in a virtual machine does with the GPU that pvgpu gives to it: one machine, booted once, for each kind of guest."""

import hashlib
import shlex
import unittest

from vm import ARM, OneMachineCase, least_footprint, processor_seconds
from harness import NATIVE, PROGRAMS, run_guest

from corners import EXPECTED, all_corners, collect, expected, report, run_corners, states, status_of


class Guest(OneMachineCase):
    DEVICE_ARGUMENTS = ("--window", "8G")  # A corner maps more than the 4 GiB that there are unless told.

    def test_kernel_finds_the_device(self):
        console = "\n".join(self.machine.kernel_messages())
        self.assertIn(self.GUEST.kernel_version, console)
        self.assertRegex(console, r"\[drm\] features: \+virgl .*\+resource_blob \+host_visible")
        self.assertRegex(console, r"\[drm\] cap set 0: id 4,")

    def test_vulkaninfo(self):
        text = self.machine.run(["vulkaninfo"], deadline=120)
        self.keep(f"{self.GUEST.name}.txt").write_text(text)
        properties = text[text.index("Device Properties and Extensions"):]
        self.assertRegex(properties, rf"apiVersion\s+= {self.GUEST.vulkan}\.\d+ ")
        self.assertRegex(properties, r"deviceName\s+= Virtio-GPU Venus \(llvmpipe ")

    def test_compute(self):
        native = self.folder / "native"
        run_guest(NATIVE, [PROGRAMS / "compute", native])
        self.machine.run(["compute", "/tmp/results"], deadline=120)
        digest = self.machine.run("sha256sum </tmp/results; rm /tmp/results").split()[0]
        self.assertEqual(digest, hashlib.sha256(native.read_bytes()).hexdigest())

    def test_corners(self):
        native = run_corners(NATIVE, all_corners())
        guest = collect(self._corners, all_corners())
        self.keep(f"{self.GUEST.name}-corners.txt").write_text(report(guest))
        self.assertEqual(states(guest, native), expected("guest", "vm"), f"the guest is not as {EXPECTED.name} says; it prints\n"
                         + report({name: lines for name, lines in guest.items() if lines != native[name]}))

    def _corners(self, names, variables):
        task = self.machine.start(shlex.join([*(f"{name}={value}" for name, value in variables.items()), "corners", *names]))
        return status_of(task), task.lines()

    def test_300_live_mappings(self):
        self.assertIn("300 allocations mapped", self.machine.run(["mapped_memory", 300, 300], deadline=120))

    def test_two_processes_at_once(self):
        programs = [self.machine.start(["mapped_memory", 20, 500]) for _ in range(2)]
        for program in programs:
            program.wait(deadline=120, expect_status=0)

    def test_driver_unbound_and_bound_again(self):
        device = self.machine.run("cd /sys/bus/virtio/drivers/virtio_gpu && echo virtio*").strip()
        for _ in range(3):
            self.machine.run(f"cd /sys/bus/virtio/drivers/virtio_gpu && echo {device} >unbind && test ! -e /dev/dri/renderD128 && echo {device} >bind")
            self.assertIn("filled", self.machine.run(["tiny"]))


class ArmGuest(Guest):
    GUEST = ARM


class Growth(OneMachineCase):
    def test_10000_mappings(self):
        """Neither pvgpu nor QEMU holds more after many than after some."""
        # It goes on while it is looked at for the last time.
        program = self.machine.start(["mapped_memory", 5, 11_000])
        seen, times = [], []
        for thousands in (2, 10):
            program.wait_for_line(f"^round {thousands}000$", deadline=300)
            times.append([processor_seconds(process) for process in self.device.processes()[1:]])
            seen.append({"pvgpu": least_footprint(self.device.processes()), "QEMU": least_footprint([self.machine.qemu])})
        program.wait(expect_status=0)
        print(program.lines()[-1])
        machine, context = (round((after - before) / 8000 * 1e6) for before, after in zip(*times))
        print(f"processor time of the host for a buffer that comes, is mapped, filled and goes: {machine} us for the machine, {context} us for the context")
        for name in seen[0]:
            before, after = (footprints[name] for footprints in seen)
            self.assertLessEqual(after.descriptors, before.descriptors + 8, seen)
            self.assertLessEqual(after.mappings, before.mappings + 64, seen)
            self.assertLess(after.memory_kb, before.memory_kb + 8192, seen)


del OneMachineCase  # The base is no test.

if __name__ == "__main__":
    unittest.main()
