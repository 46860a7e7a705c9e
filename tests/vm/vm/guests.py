"""The guest systems that run in virtual machines: whose files they are made of."""

import dataclasses
import pathlib

from harness.settings import BUILD, GUEST, PROGRAMS

from .settings import VM_ROOT

_API = ("compute", "tiny", "hold", "mapped_memory", "random_sequences", "scanout", "corners/corners")


@dataclasses.dataclass(frozen=True)
class Guest:
    name: str
    machine: str  # as QEMU's programs name it
    triplet: str
    kernel: pathlib.Path  # a folder as scripts/dev/vm_files.sh makes it
    root: pathlib.Path  # the system that libraries and programs come from
    busybox: pathlib.Path
    programs: tuple[pathlib.Path, ...]  # those of tests/guest/api
    vulkan: str  # the level that its driver reaches
    files: tuple[str, ...] = ()  # more of its system than every guest has

    @property
    def kernel_version(self):
        return self.kernel.joinpath("version").read_text().strip()


_KERNELS = VM_ROOT / "guests"
_GUESTS = VM_ROOT.parent


def _x86(name, release, root, vulkan):
    return Guest(name, "x86_64", "x86_64-linux-gnu", _KERNELS / f"amd64-{release}", _GUESTS / root, VM_ROOT / "usr/bin/busybox",
                 tuple(PROGRAMS / program for program in (*_API, "present")), vulkan)


STABLE = _x86("x86_64", "trixie", "guest", "1.3")
BACKPORTS = _x86("x86_64-backports", "trixie-backports", "guest-backports", "1.4")
ARM = Guest("aarch64", "aarch64", "aarch64-linux-gnu", _KERNELS / "arm64-trixie", _KERNELS / "arm64", _KERNELS / "arm64/usr/bin/busybox",
            tuple(BUILD / "tests" / "vm" / "aarch64" / pathlib.Path(program).name for program in _API), "1.3")

# The one that tests run in unless they name another: what PVGPU_GUEST says, as for tests/guest.
GUEST_SYSTEM = STABLE if GUEST == "guest" else BACKPORTS


def with_desktop(guest):
    """The same with Weston, as much of it as a screen without input devices needs: for guests whose system has it."""
    libraries = f"usr/lib/{guest.triplet}"
    backend, = guest.root.glob(f"{libraries}/libweston-*/drm-backend.so")
    return dataclasses.replace(guest, name=f"{guest.name}-desktop", files=(
        *guest.files, "usr/bin/weston", str(backend.relative_to(guest.root)), f"{libraries}/weston/kiosk-shell.so"))
