"""Random sequences of Vulkan calls leave the same bytes natively and through pvgpu."""

import unittest

from harness import NATIVE, PROGRAMS, SANITIZED, GuestCase, Server, run_guest

COUNT = 200 if SANITIZED else 1000


def digests(environment, first, count):
    """What each sequence left in memory, as "SEED DIGEST" lines."""
    return run_guest(environment, [PROGRAMS / "random_sequences", first, count], deadline=300).splitlines()


class RandomSequences(GuestCase):
    def test_results_are_the_native_ones(self):
        native = digests(NATIVE, 1, COUNT)
        self.assertEqual(len({line.split()[1] for line in native}), COUNT, "two sequences left the same: they do too little")
        with Server(self.folder) as server:
            guest = digests(server.venus(), 1, COUNT)
        for one, other in zip(native, guest, strict=True):
            self.assertEqual(one, other, f"`random_sequences {one.split()[0]} 1` shows it")

    def test_the_validation_layer_is_silent(self):
        with Server(self.folder, validation=True) as server:
            self.assertEqual(len(digests(server.venus(), 5000, 60)), 60)


if __name__ == "__main__":
    unittest.main()
