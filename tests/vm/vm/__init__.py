"""What the tests of virtual machines share, besides the harness of the guest tests (tests/guest/harness), which is found through
this package. `from vm import ...` gives a test all it needs; docs/testing.md tells how."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "guest"))

from .case import OneMachineCase, VmCase  # noqa: E402
from .device import Device  # noqa: E402
from .footprint import footprint, least_footprint, processor_seconds  # noqa: E402
from .guests import ARM, BACKPORTS, GUEST_SYSTEM, STABLE, with_desktop  # noqa: E402
from .image import image_of  # noqa: E402
from .machine import Machine, agent_options  # noqa: E402
from .screen import Screen  # noqa: E402
from .settings import VM_ROOT, accelerator  # noqa: E402
from .viewer import Viewer  # noqa: E402

__all__ = ["ARM", "BACKPORTS", "Device", "GUEST_SYSTEM", "Machine", "OneMachineCase", "STABLE", "Screen", "VM_ROOT", "Viewer",
           "VmCase", "accelerator", "agent_options", "footprint", "image_of", "least_footprint", "processor_seconds", "with_desktop"]
