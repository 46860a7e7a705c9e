"""The machines themselves, without a GPU: what the other tests rely on."""

import unittest

from vm import ARM, Machine, VmCase


class Machines(VmCase):
    def test_boots_runs_and_powers_off(self):
        with Machine(self.folder) as machine:
            self.assertEqual(machine.run(["uname", "-r"]), machine.guest.kernel_version)
            self.assertEqual(machine.run("echo out; echo err >&2"), "out\nerr")
            self.assertIn("no device", machine.run(["tiny"], expect_status=1))
            self.assert_reports_a_wrong_status(machine)
            self.assert_runs_and_kills_tasks_beside_each_other(machine)

    def assert_reports_a_wrong_status(self, machine):
        with self.assertRaises(AssertionError) as caught:
            machine.run("echo said this; exit 3")
        self.assertIn("ended with 3, not 0", str(caught.exception))
        self.assertIn("said this", str(caught.exception))
        self.assertIn("pvgpu-vm: ready", "\n".join(caught.exception.__notes__))

    def assert_runs_and_kills_tasks_beside_each_other(self, machine):
        first, second = (machine.start("while true; do echo here; sleep 0.1; done") for _ in range(2))
        for task in (first, second):
            task.wait_for_line("^here$")
        first.kill()
        self.assertEqual(first.wait(), 128 + 9)
        self.assertIsNone(second.status)
        second.kill()
        second.wait()

    def test_faults_of_the_kernel_are_reported(self):
        with self.assertRaisesRegex(AssertionError, "kernel reports:\n.*BUG: of the test"):
            with Machine(self.folder, guest=ARM) as machine:  # which starts sooner
                machine.run("echo 'BUG: of the test' >/dev/kmsg")

    def test_a_panic_is_reported(self):
        with self.assertRaisesRegex(AssertionError, "QEMU ended with 0 before this: sleep 60 ends") as caught:
            with Machine(self.folder, guest=ARM) as machine:
                task = machine.start("sleep 60")
                machine.start("echo c >/proc/sysrq-trigger")
                task.wait()
        self.assertRegex("\n".join(caught.exception.__notes__), r"Kernel panic|panic\+0x")


if __name__ == "__main__":
    unittest.main()
