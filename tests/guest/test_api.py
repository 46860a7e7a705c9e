"""The corners of Vulkan (api/corners/): what each computes in a guest is what it computes natively, line by line.

What the driver, or the guest's driver, lacks or does wrong is pinned in expected_corner_differences.txt.
"""

import pathlib
import re
import unittest

from harness import NATIVE, PROGRAMS, GuestCase, Program, Server, guest_command, run_guest
from harness.settings import GUEST

CORNERS = PROGRAMS / "corners" / "corners"
EXPECTED = pathlib.Path(__file__).with_name("expected_corner_differences.txt")
# What the layer reports natively as well: more memory at once than lavapipe promises (and gives).
REPORTED_NATIVELY = {"huge_allocation"}
_FAILED = "FAILED: "


def all_corners():
    return run_guest({}, [CORNERS, "--list"]).splitlines()


def run_corners(environment, names, arguments=()):
    """The lines of each corner. One that ends the program has its end among its lines, and the rest runs in another one."""
    results, left = {}, list(names)
    while left:
        with Program(guest_command(environment, [CORNERS, *arguments, *left])) as program:
            try:
                status = program.wait(deadline=200)
            except AssertionError as still_running:
                status = str(still_running).split(";")[0]
            lines = program.lines()
        name, done = None, []
        for line in lines:
            if line.startswith("== "):
                name = line[3:]
                done.append(name)
                results[name] = []
            elif name:
                results[name].append(line)
        if not done:
            raise AssertionError(f"corners did not start (status {status}):\n" + "\n".join(lines))
        if status != 0:
            results[name].append(f"{_FAILED}the program ended with {status}")
        elif done != left:
            raise AssertionError(f"corners ended well before all was done: {done} of {left}")
        left = left[len(done):]
    return results


def failures(results):
    return {name: lines for name, lines in results.items() if any(line.startswith(_FAILED) for line in lines)}


def states(results, native):
    """What there is to say of corners: "absent:WHAT" for what the driver lacks, "differs" from native. Others are not named."""
    said = {}
    for name, lines in results.items():
        assert lines, f"{name} said nothing"
        if lines[-1].startswith("absent: "):
            said[name] = lines[-1].replace(": ", ":").replace(" ", "_")
        elif lines != native[name] and not native[name][-1].startswith("absent: "):
            said[name] = "differs"
    return said


def expected(where):
    """What the file says of `where` (native or guest) in this guest's system: corner -> "absent: WHAT" or "differs"."""
    corners = {}
    for line in EXPECTED.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        systems, places, corner, state, why = re.split(r"\s+", line, maxsplit=4)
        if systems in ("any", GUEST) and places in ("both", where):
            corners[corner] = state
    return corners


def report(results):
    return "\n".join(f"== {name}\n" + "\n".join(lines) for name, lines in sorted(results.items()))


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
        self.assertEqual(states(guest, native), expected("guest"), f"the guest is not as {EXPECTED.name} says; it prints\n"
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
