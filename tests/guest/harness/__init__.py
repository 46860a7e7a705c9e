"""What the guest tests share. `from harness import ...` gives a test all it needs; docs/testing.md tells how."""

from .case import GuestCase
from .display import Display
from .driver_profile import with_layers
from .guest import GUEST_VENUS, NATIVE, Program, guest_command, run_guest
from .picture import Picture
from .server import Server
from .settings import DEADLINE_SCALE, LIBRARY_PROGRAMS, PROGRAMS, PVGPU, SANITIZED
from .validation import LAYER, layer_with_log, messages
from .vtest import VtestClient
from .wayland import WaylandDisplay
from .weston import Weston

__all__ = [
    "DEADLINE_SCALE", "Display", "GUEST_VENUS", "GuestCase", "LAYER", "LIBRARY_PROGRAMS", "NATIVE", "PROGRAMS", "PVGPU",
    "Picture", "Program", "SANITIZED", "Server", "VtestClient", "WaylandDisplay", "Weston", "guest_command",
    "layer_with_log", "messages", "run_guest", "with_layers",
]
