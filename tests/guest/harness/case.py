"""The base of every guest test: a folder of its own below /tmp, which both roots see."""

import pathlib
import shutil
import tempfile
import unittest

from .settings import BUILD, GUEST_ROOT, PVGPU


class GuestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not GUEST_ROOT.joinpath("usr").is_dir():
            raise RuntimeError(f"no guest root at {GUEST_ROOT}: run this through ./dev test or in ./dev shell")
        if not PVGPU.exists():
            raise RuntimeError(f"no {PVGPU}: run ./dev build, or set PVGPU")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pvgpu-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def keep(self, name):
        """A path for what a person may want to look at after the test: pictures, logs."""
        kept = BUILD / "tests" / "guest" / "output" / self.id().split(".", 1)[0]
        kept.mkdir(parents=True, exist_ok=True)
        return kept / name
