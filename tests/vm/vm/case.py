"""The bases of the tests of virtual machines."""

import pathlib
import shutil
import tempfile

from harness import GuestCase

from .device import Device
from .guests import GUEST_SYSTEM
from .machine import Machine
from .settings import VM_ROOT


class VmCase(GuestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not VM_ROOT.joinpath("usr").is_dir():
            raise RuntimeError(f"no root for virtual machines at {VM_ROOT}: run this through ./dev test, or run ./dev setup vm first")


class OneMachineCase(VmCase):
    """All tests of the class run in one machine, `self.machine`, whose GPU is `self.device`: each leaves it as it found it."""
    GUEST = GUEST_SYSTEM
    DEVICE_ARGUMENTS = ()
    FAULTS = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="pvgpu-test-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.device = cls.enterClassContext(Device(folder, arguments=cls.DEVICE_ARGUMENTS))
        cls.machine = cls.enterClassContext(Machine(folder, cls.device, cls.GUEST, faults=cls.FAULTS))
