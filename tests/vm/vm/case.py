"""The base of every test of virtual machines."""

from harness import GuestCase

from .settings import VM_ROOT


class VmCase(GuestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not VM_ROOT.joinpath("usr").is_dir():
            raise RuntimeError(f"no root for virtual machines at {VM_ROOT}: run this through ./dev test, or run ./dev setup vm first")
