"""`./dev mac-check` on this Linux build: what a Mac alone has fails with a line of its own, and all the rest passes; nothing passes
that does not work."""

import os
import pathlib
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["PVGPU_SOURCE"])
BUILD = pathlib.Path(os.environ["PVGPU_BUILD"])
OF_A_MAC = {"system", "pages", "signatures", "linked libraries", "exported functions"}
USED = ["src/cli/pvgpu", "src/library/libpvgpu.so.0", "tests/fake_driver", "examples/embed", "src/platform/platform_test"]


class MacCheck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in USED:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).symlink_to(BUILD / name)

    def check(self):
        """What passed and what failed, with what was said of it."""
        done = subprocess.run([SOURCE / "dev", "mac-check", "--built", self.folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = done.stdout.splitlines()
        found = {"passed": {}, "FAILED": {}}
        for line in lines[:-1]:
            kind, told = line.split("  ", 1)
            name, _, said = told.partition(": ")
            found[kind][name] = said
        self.assertEqual(lines[-1].split(":")[0], f"{len(found['passed'])} passed, {len(found['FAILED'])} failed", done.stdout)
        self.assertEqual(done.returncode, 1)
        return found["passed"], found["FAILED"]

    def test_all_but_what_a_mac_alone_has_passes(self):
        passed, failed = self.check()
        self.assertEqual(set(failed), OF_A_MAC, failed)
        self.assertEqual(set(passed), {"program starts", "unit tests platform_test", "library with the fake driver", "a missing loader is told",
                                       "driver", "memory shared with guests", "library with the driver", "server"})
        self.assertIn("Vulkan 1.", passed["driver"])
        self.assertIn("coherent both ways", passed["memory shared with guests"])

    def test_what_does_nothing_passes_nothing(self):
        for name in ("src/cli/pvgpu", "examples/embed", "src/platform/platform_test"):
            (self.folder / name).unlink()
            (self.folder / name).symlink_to("/bin/true")
        self.assertEqual(self.check()[0], {})

    def test_what_is_missing_is_named(self):
        (self.folder / "src/cli/pvgpu").unlink()
        (self.folder / "tests/fake_driver").unlink()
        passed, failed = self.check()
        self.assertEqual(set(passed), {"unit tests platform_test", "library with the driver"})
        self.assertIn("src/cli/pvgpu is missing", failed["server"])

    def test_a_folder_that_is_not_there(self):
        done = subprocess.run([SOURCE / "dev", "mac-check", "--built", self.folder / "none"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no folder", done.stdout)


if __name__ == "__main__":
    unittest.main()
