"""The corners of Vulkan in guests over vtest; corners.py tells what that is."""

import unittest

from corners import EXPECTED, all_corners, expected, failures, report, run_corners, states
from harness import NATIVE, GuestCase, Server
from harness.settings import GUEST

# What the layer reports natively as well: more memory at once than lavapipe promises (and gives).
REPORTED_NATIVELY = {"huge_allocation"}


class Corners(GuestCase):
    maxDiff = None

    def run_both(self, names, arguments=(), venus=None):
        """The corners' lines natively and in the guest."""
        native = run_corners(NATIVE, names, arguments)
        with Server(self.folder) as server:
            return native, run_corners({**server.venus(), **(venus or {})}, names, arguments)

    def test_results_are_the_native_ones(self):
        native, guest = self.run_both(all_corners())
        for where, results in ("native", native), ("guest", guest):
            self.keep(f"{GUEST}-{where}.txt").write_text(report(results))
        self.assertEqual(failures(native), {}, "corners that fail natively")
        self.assertEqual(states(native, native), expected("native"), f"native is not as {EXPECTED.name} says")
        self.assertEqual(states(guest, native), expected("guest", "vtest"), f"the guest is not as {EXPECTED.name} says; it prints\n"
                         + report({name: lines for name, lines in guest.items() if lines != native[name]}))

    def test_pipeline_cache_of_an_earlier_run(self):
        corner = "pipeline_cache_of_an_earlier_run"
        with Server(self.folder) as server:
            first, second = (run_corners(server.venus(), [corner], ["--state", self.folder])[corner] for _ in range(2))
        self.assertEqual(len(first), 1)
        self.assertEqual(second, ["data of an earlier run", *first])

    def test_memory_budget(self):
        # Venus offers the extension, since some version after 25.0, to those who ask for it.
        native, guest = self.run_both(["memory_budget"], venus={"VN_DEBUG": "vtest,mem_budget"})
        self.assertEqual(native, guest)
        self.assertIn("some used", native["memory_budget"][0])

    def test_validation(self):
        with Server(self.folder, validation=True) as server:  # Leaving it looks at its log.
            results = run_corners(server.venus(), [name for name in all_corners() if name not in REPORTED_NATIVELY])
        self.assertEqual({name for name in failures(results)}, set())


if __name__ == "__main__":
    unittest.main()
