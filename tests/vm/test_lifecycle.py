"""Machines, servers and programs that start anew, end, or are killed, and what goes on beside them."""

import os
import signal
import unittest

from vm import ARM, Device, Machine, VmCase, footprint
from harness.guest import wait_until


class Lifecycle(VmCase):
    def test_reboots(self):
        with Device(self.folder) as device, Machine(self.folder, device, reboots=True) as machine:
            self.assertIn("filled", machine.run(["tiny"]))
            wait_until(device.ready_workers, "a worker is ready again, which the machine's process keeps a descriptor for")
            before = footprint(device.processes())
            for boot in (2, 3):
                holding = machine.start(["hold"])
                holding.wait_for_line("filled")
                machine.start("reboot -f")
                machine.wait_for_boot(boot)
                self.assertIn("filled", machine.run(["tiny"]))
            self.assert_not_grown(before, device)

    def assert_not_grown(self, before, device):
        def small():
            now = footprint(device.processes())
            return now.descriptors <= before.descriptors and now.mappings <= before.mappings + 32
        wait_until(small, lambda: f"pvgpu holds no more than {before}; it holds {footprint(device.processes())}")

    def test_killed_server(self):
        """The guest's program fails instead of waiting for ever, the machine lives on, and QEMU ends as always. (What is started
        afterwards waits for ever, in the guest's kernel: docs/virtual-machines.md.)"""
        with Device(self.folder) as device, Machine(self.folder, device, faults=[r"\*ERROR\*"]) as machine:
            holding = machine.start(["hold"])
            holding.wait_for_line("filled")
            device.kill()
            self.assertNotEqual(holding.wait(deadline=60), 0)
            self.assertEqual(machine.run("echo alive"), "alive")
            machine.power_off()

    def test_killed_worker(self):
        """Its program loses its device; another one in the same guest notices nothing, and new ones start."""
        # What the program still submits is answered with an error, which the kernel tells.
        told = [r"response 0x1200 \(command 0x207\)"]
        with Device(self.folder) as device, Machine(self.folder, device, faults=told) as machine:
            first = machine.start(["hold"])
            first.wait_for_line("filled")
            before = set(device.workers())
            second = machine.start(["hold"])
            second.wait_for_line("filled")
            of_second = set(device.workers()) - before
            self.assertEqual(len(of_second), 1, f"workers of the second program; before it there were {before}")
            os.kill(of_second.pop(), signal.SIGKILL)
            self.assertNotEqual(second.wait(), 0)
            told = len(first.lines())
            wait_until(lambda: len(first.lines()) >= told + 2, "the first program goes on")
            self.assertIsNone(first.status, first.output())
            self.assertIn("filled", machine.run(["tiny"]))
            first.kill()
            first.wait()

    def test_two_machines(self):
        """One server, two machines at once; when one of them is killed, the other goes on."""
        with Device(self.folder) as device, Machine(self.folder, device, name="left") as left:
            with Machine(self.folder, device, name="right") as right:
                works = [machine.start(["compute", "/tmp/results"]) for machine in (left, right)]
                for work in works:
                    work.wait(deadline=120, expect_status=0)
                holding = [machine.start(["hold"]) for machine in (left, right)]
                for program in holding:
                    program.wait_for_line("filled")
                right.kill()
            told = len(holding[0].lines())
            wait_until(lambda: len(holding[0].lines()) >= told + 2, "the program in the other machine goes on")
            self.assertIn("filled", left.run(["tiny"]))

    def test_machines_one_after_another(self):
        """A server serves the next machine as it did the first, and holds nothing of those before."""
        with Device(self.folder) as device:
            counts = []
            for number in range(2):
                # The kind of machine that starts soonest.
                with Machine(self.folder, device, ARM, name=f"vm{number}") as machine:
                    self.assertIn("filled", machine.run(["tiny"]))
                counts.append(wait_until(lambda: self._idle(device), lambda: f"the server is idle; it has {device.workers()}"))
            self.assertEqual(counts[0].descriptors, counts[1].descriptors, counts)

    @staticmethod
    def _idle(device):
        return None if device.workers() else footprint([device.process.pid])


if __name__ == "__main__":
    unittest.main()
