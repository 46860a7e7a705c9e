"""Language models through ggml's Vulkan backend: the same tokens as natively, from logits that are the same to the last bit."""

import re
import unittest

from harness import LIBRARY_PROGRAMS, NATIVE, GuestCase, Server, layer_with_log, messages, run_guest, with_layers

# ggml takes a software renderer only if told to.
ANY_DEVICE = {"GGML_VK_VISIBLE_DEVICES": "0"}


def generate(environment, *options):
    """What language_model prints, as a dictionary. Most of its time goes into compiling shaders, until Mesa has them in its cache."""
    text = run_guest({**environment, **ANY_DEVICE}, [LIBRARY_PROGRAMS / "language_model", *options], deadline=400)
    return dict(re.findall(r"^(device|tokens|logits|error|speed): (.*)$", text, re.MULTILINE))


class LanguageModel(GuestCase):
    def test_f16(self):
        self.compare("f16")

    def test_q4_0_fused(self):
        self.compare("q4_0", "fused")

    def test_validation(self):
        log = self.folder / "native.log"
        native = generate(with_layers(layer_with_log(log), NATIVE), "q4_0", "fused")
        known = messages(log.read_text()) if log.exists() else ()
        with Server(self.folder, validation=True, known=known) as server:
            guest = generate(server.venus(), "q4_0", "fused")
        self.assertEqual(guest["tokens"], native["tokens"])

    def compare(self, *options):
        native = generate(NATIVE, *options)
        with Server(self.folder) as server:
            guest = generate(server.venus(), *options)
        self.assertIn("Virtio-GPU Venus", guest["device"])
        self.assertNotIn("Venus", native["device"])
        # The yardstick: a text that does not repeat itself, and logits that ggml's processor backend agrees with.
        tokens = native["tokens"].split()
        self.assertEqual(len(tokens), 64)
        self.assertGreater(len(set(tokens)), 40)
        self.assertLess(float(native["error"]), 0.01)
        self.assertEqual(guest["tokens"], native["tokens"])
        self.assertEqual((guest["logits"], guest["error"]), (native["logits"], native["error"]))
        self.keep("speed.txt").write_text(f"native {native['speed']}\nguest {guest['speed']}\n")


if __name__ == "__main__":
    unittest.main()
