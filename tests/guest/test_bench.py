"""`pvgpu bench`: every work yields every figure, natively and through pvgpu. What the figures are is nothing a test could tell."""

import json
import os
import subprocess
import unittest

from harness import DEADLINE_SCALE, PVGPU, GuestCase
from harness.server import ON_HOST, sanitizer_environment
from harness.settings import GUEST, GUEST_ROOT, HOST, HOST_DRIVER


class Bench(GuestCase):
    def bench(self, *arguments, expect_status=0):
        """What `pvgpu bench --quick` prints, with the guest in its own root."""
        if HOST != GUEST:
            arguments = [*arguments, "--guest-command", f"chroot {GUEST_ROOT}"]
        done = subprocess.run(
            [*ON_HOST, PVGPU, "bench", "--quick", "--rounds", "1", *arguments], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, env={**os.environ, "VK_DRIVER_FILES": HOST_DRIVER, **sanitizer_environment()}, timeout=120 * DEADLINE_SCALE)
        self.assertEqual(done.returncode, expect_status, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_every_work_yields_its_figures(self):
        page = self.folder / "bench.html"
        report = json.loads(self.bench("--no-peer", "--json", "--html", page))
        self.assertEqual([side["name"] for side in report["sides"]], ["native", "pvgpu"])
        native, guest = (side["gpu"] for side in report["sides"])
        self.assertNotIn("Venus", native)
        self.assertIn("Venus", guest)
        self.assertIn(native, guest)
        self.assertGreaterEqual(len(report["works"]), 14)
        for work in report["works"]:
            self.assertEqual(work["failures"], {}, work["name"])
            for figure in work["figures"]:
                for side in ("native", "pvgpu"):
                    with self.subTest(work=work["name"], figure=figure["name"], side=side):
                        self.assertGreater(figure["rounds"][side][0], 0)
        for work in report["works"]:
            hops = work.get("hops", {})
            with self.subTest(work=work["name"]):
                self.assertEqual("distributions" in work, bool(hops))
                for name in ("pick-up", "decode", "driver", "reply", "span") if hops else ():
                    self.assertGreater(hops[name]["count"], 0, name)
                    self.assertGreaterEqual(hops[name]["most"], hops[name]["p50"], name)
        text = page.read_text()
        self.assertIn("</html>", text)
        self.assertIn("<polyline", text)
        self.assertIn('class="stroke hop-0"', text)

    def test_a_peer_that_is_not_there_is_told(self):
        text = self.bench("--peer", "/nonexistent/server", "--only", "start-up")
        self.assertIn("left out: /nonexistent/server is not installed", text)
        self.assertIn("first", text)

    def test_a_guest_without_its_driver_is_told(self):
        text = self.bench("--no-peer", "--only", "start-up", "--guest-icd", "/nonexistent/virtio.json")
        self.assertRegex(text, "pvgpu failed: .*vkCreateInstance: VK_ERROR_INCOMPATIBLE_DRIVER")


if __name__ == "__main__":
    unittest.main()
