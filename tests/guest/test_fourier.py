"""Fourier transforms through VkFFT: right (the program compares them with the processor's) and to the last bit as natively."""

import unittest

from harness import LIBRARY_PROGRAMS, NATIVE, GuestCase, Server, layer_with_log, messages, run_guest, with_layers


def transforms(environment):
    """The lines that tell of a transform. The layer announces itself among them."""
    output = run_guest(environment, [LIBRARY_PROGRAMS / "fourier"], deadline=120)
    return [line for line in output.splitlines() if line[0].isdigit()]


class Fourier(GuestCase):
    def test_results_are_the_native_ones(self):
        log = self.folder / "native.log"
        native = transforms(with_layers(layer_with_log(log), NATIVE))
        known = messages(log.read_text()) if log.exists() else ()
        with Server(self.folder, validation=True, known=known) as server:
            guest = transforms(server.venus())
        self.assertEqual(len(native), 8)
        self.assertEqual(guest, native)


if __name__ == "__main__":
    unittest.main()
