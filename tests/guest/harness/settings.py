"""Where the programs under test are. CMake sets these for ctest (tests/guest/CMakeLists.txt); by hand, the release build."""

import os
import pathlib

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("PVGPU_BUILD", CHECKOUT / "build" / "release"))

# The product. PVGPU in the environment picks another one, as a path seen from the build root.
PVGPU = pathlib.Path(os.environ.get("PVGPU") or BUILD / "src" / "cli" / "pvgpu")
# Programs of tests/guest/api. The checkout has the same path in the guest root, read-only.
PROGRAMS = BUILD / "tests" / "guest" / "api"
# Those of tests/guest/programs.
LIBRARY_PROGRAMS = BUILD / "tests" / "guest" / "programs"
# The guests' systems, seen from the build root; all share /tmp. PVGPU_GUEST names the one that tests run their programs in.
_GUESTS = pathlib.Path(os.environ.get("PVGPU_GUESTS", "/guests"))
GUEST = os.environ.get("PVGPU_GUEST", "guest")
GUEST_ROOT = _GUESTS / GUEST
# The system whose driver the server renders on: the build root, or that of a guest with a newer Mesa, so that "native" in that
# guest is the same driver.
HOST = os.environ.get("PVGPU_HOST", "build" if GUEST == "guest" else GUEST)
HOST_ROOT = pathlib.Path("/") if HOST == "build" else _GUESTS / HOST
# The driver that the server renders on, in that system.
HOST_DRIVER = os.environ.get("PVGPU_HOST_DRIVER", "/usr/share/vulkan/icd.d/lvp_icd.json")
# What that driver is made to look like, a file of tests/driver_profiles without its ending; empty: as it is.
HOST_PROFILE = os.environ.get("PVGPU_HOST_PROFILE", "")

# The value of -fsanitize= that the product was built with, or empty.
SANITIZED = os.environ.get("PVGPU_SANITIZE", "")
# How much longer than in a plain build things may take. Deadlines only end a hang; no test waits for one to pass.
DEADLINE_SCALE = 8 if "thread" in SANITIZED else 4 if SANITIZED else 1
