"""Where QEMU and the guests' files are, and how machines run."""

import os
import pathlib
import platform

from harness.settings import BUILD, GUEST_ROOT

# Has QEMU, kernels, a compiler for ARM and that architecture's files (scripts/dev/vm_files.sh); seen from the build root.
VM_ROOT = GUEST_ROOT.parent / "vm"
IMAGES = BUILD / "tests" / "vm" / "images"
TESTS = pathlib.Path(__file__).resolve().parents[1]


def accelerator(machine):
    """QEMU's accelerator for guests of this architecture: PVGPU_VM_ACCELERATOR (tcg or kvm), or KVM where this processor has
    the means for it. A /dev/kvm alone tells nothing: in a virtual machine it may be there and run no ordinary kernel."""
    told = os.environ.get("PVGPU_VM_ACCELERATOR")
    if told:
        return told
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    real = machine == platform.machine() == "x86_64" and (" vmx" in flags or " svm" in flags)
    return "kvm" if real and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"
