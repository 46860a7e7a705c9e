"""Where the programs under test are. CMake sets these for ctest (tests/guest/CMakeLists.txt); by hand, the release build."""

import os
import pathlib

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("PVGPU_BUILD", CHECKOUT / "build" / "release"))

# The product. PVGPU in the environment picks another one, as a path seen from the build root.
PVGPU = pathlib.Path(os.environ.get("PVGPU") or BUILD / "src" / "cli" / "pvgpu")
# Programs of tests/guest/api. The checkout has the same path in the guest root, read-only.
PROGRAMS = BUILD / "tests" / "guest" / "api"
# The guest's system, seen from the build root; both share /tmp.
GUEST_ROOT = pathlib.Path(os.environ.get("PVGPU_GUEST_ROOT", "/guest"))
# The driver that the server renders on.
HOST_DRIVER = os.environ.get("PVGPU_HOST_DRIVER", "/usr/share/vulkan/icd.d/lvp_icd.json")

# The value of -fsanitize= that the product was built with, or empty.
SANITIZED = os.environ.get("PVGPU_SANITIZE", "")
# How much longer than in a plain build things may take. Deadlines only end a hang; no test waits for one to pass.
DEADLINE_SCALE = 8 if "thread" in SANITIZED else 4 if SANITIZED else 1
