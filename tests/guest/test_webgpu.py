"""WebGPU through Dawn: the same features and limits as natively, and the same results."""

import pathlib
import re
import unittest

from harness import NATIVE, GuestCase, Server, layer_with_log, messages, run_guest, with_layers
from harness.settings import GUEST_ROOT

DAWN = pathlib.PurePath("/opt/dawn")
PROGRAM = pathlib.Path(__file__).with_name("programs") / "webgpu.mjs"


def results(environment):
    """What the program prints, as a dictionary."""
    text = run_guest(environment, ["node", PROGRAM, DAWN], deadline=120)
    return dict(re.findall(r"^(adapter|features|limits|product|picture): (.*)$", text, re.MULTILINE))


class WebGpu(GuestCase):
    def test_results_are_the_native_ones(self):
        if not (GUEST_ROOT / DAWN.relative_to("/")).exists():
            self.skipTest("no Dawn in the guest: ./dev dawn adds it")
        log = self.folder / "native.log"
        native = results(with_layers(layer_with_log(log), NATIVE))
        known = messages(log.read_text()) if log.exists() else ()
        with Server(self.folder, validation=True, known=known) as server:
            guest = results(server.venus())
        self.assertEqual(len(native), 5)
        self.assertIn("venus", guest.pop("adapter"))
        self.assertIn("llvmpipe", native.pop("adapter"))
        self.assertEqual(guest, native)


if __name__ == "__main__":
    unittest.main()
