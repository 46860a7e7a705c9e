"""What `pvgpu` says of drivers that do not run here (tests/driver_profiles): what they lack, and which of them it cannot use.

The other tests run on such a driver where PVGPU_HOST_PROFILE names it.
"""

import json
import os
import subprocess
import unittest

from harness import DEADLINE_SCALE, PVGPU, GuestCase
from harness.driver_profile import APPLE_PAGE, profile_environment
from harness.server import ON_HOST, sanitizer_environment
from harness.settings import GUEST_ROOT, HOST_DRIVER, HOST_ROOT

# Of the features that desktop drivers have, what each lacks.
LACKS = {
    "moltenvk": {"geometryShader", "logicOp", "wideLines", "shaderFloat64", "sparseBinding", "nullDescriptor", "VK_EXT_transform_feedback"},
    "kosmickrisp": {"wideLines", "shaderFloat64", "storageInputOutput16", "VK_EXT_transform_feedback", "VK_EXT_graphics_pipeline_library"},
}


class DriverProfiles(GuestCase):
    def pvgpu(self, *arguments, on, but=(), page=APPLE_PAGE):
        """The outcome of pvgpu on the driver `on`, which says `but` in addition."""
        more = self.folder / "more.txt"
        more.write_text("".join(f"{line}\n" for line in but))
        variables = {**os.environ, "VK_DRIVER_FILES": HOST_DRIVER, **sanitizer_environment(), **profile_environment(f"{on}.txt", more),
                     "PVGPU_PAGE_SIZE": str(page)}
        done = subprocess.run([*map(str, ON_HOST), PVGPU, *map(str, arguments)], env=variables, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * DEADLINE_SCALE)
        return done.returncode, done.stdout, done.stderr

    def assert_refused(self, *words, **driver):
        """By every command that needs a driver: one line that says why, and perhaps one that helps."""
        for arguments in ["info"], ["serve", "--socket", self.folder / "socket"], ["run", "true"]:
            with self.subTest(arguments[0]):
                status, output, errors = self.pvgpu(*arguments, **driver)
                self.assertEqual((status, output), (2, ""), errors)
                problem, *hint = errors.strip().splitlines()
                self.assertRegex(problem, r"^pvgpu: ")
                self.assertTrue(len(hint) <= 1 and all(line.startswith("  hint: ") for line in hint), errors)
                for word in words:
                    self.assertIn(word, problem)

    def test_they_are_used(self):
        # So that a refusal is what it is because of what was added.
        for profile in LACKS:
            status, output, errors = self.pvgpu("info", on=profile)
            self.assertEqual((status, errors), (0, ""))
            self.assertIn("Apple M3", output)

    def test_older_moltenvk(self):
        self.assert_refused("MoltenVK 1.4.1", "1.4.2 or newer", on="moltenvk", but=["driver 14 10401 MoltenVK", "driver_info 1.4.1"])

    def test_kosmickrisp_that_imports_no_pointers(self):
        self.assert_refused("Apple M3 has no memory that a guest could share", "without any memory strategy", on="kosmickrisp",
                            but=["without_extension VK_EXT_external_memory_host"])

    def test_pages_that_are_smaller_than_the_driver_wants(self):
        self.assert_refused("without any memory strategy", on="moltenvk", page=4096)

    def test_memory_for_images_is_told_of(self):
        told = {}
        for profile in LACKS:
            _, output, _ = self.pvgpu("info", "--json", on=profile)
            device, = json.loads(output)["devices"]
            told[profile] = [feature["treatment"] for feature in device["features"] if feature["name"] == "memory for images"]
            shared = [memory for memory in device["memory_types"] if memory["strategy"] == "host_import"]
            self.assertEqual(len(shared), 1)
        self.assertEqual(told, {"moltenvk": [], "kosmickrisp": ["emulated"]})

    def test_parity_names_what_the_driver_lacks(self):
        guest = "env -u VK_INSTANCE_LAYERS" + ("" if HOST_ROOT == GUEST_ROOT else f" chroot {GUEST_ROOT}")
        for profile, lacks in LACKS.items():
            with self.subTest(profile):
                status, output, errors = self.pvgpu("info", "--parity", "--json", "--strict", "--guest-command", guest, on=profile)
                self.assertEqual(status, 0, errors)
                table, = json.loads(output)["devices"]
                self.assertLessEqual(lacks, {lack["name"] for lack in table["driver_lacks"]})
                _, text, _ = self.pvgpu("info", "--parity", "--guest-command", guest, on=profile)
                _, _, named = text.partition("no difference: the driver lacks it\n")
                self.assertLessEqual(lacks, set(named.split()))


if __name__ == "__main__":
    unittest.main()
