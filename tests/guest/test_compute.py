"""What a device computes and what mapped memory holds, bit by bit."""

import unittest

from harness import NATIVE, PROGRAMS, GuestCase, Server, run_guest


class Compute(GuestCase):
    def test_results_are_the_native_ones(self):
        native, guest = self.folder / "native", self.folder / "guest"
        run_guest(NATIVE, [PROGRAMS / "compute", native])
        with Server(self.folder) as server:
            run_guest(server.venus(), [PROGRAMS / "compute", guest])
        self.assertGreater(native.stat().st_size, 1_000_000)
        self.assertGreater(len(set(native.read_bytes())), 250)
        self.assertTrue(native.read_bytes() == guest.read_bytes(), "guest and native results differ")

    def test_many_mapped_allocations(self):
        with Server(self.folder) as server:
            before = server.resources()
            output = run_guest(server.venus(), [PROGRAMS / "many_allocations", 3000], deadline=120)
            self.assertIn("3000 allocations written and read back", output)
            server.wait_idle(before)


if __name__ == "__main__":
    unittest.main()
