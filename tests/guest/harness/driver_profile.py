"""Drivers that do not run here: lavapipe under a layer that shows and refuses what such a driver does (tests/driver_profiles).
PVGPU_HOST_PROFILE names the one that the server renders on, and that "native" is. Host memory has the pages of Apple Silicon then."""

import os

from .settings import BUILD, CHECKOUT, HOST_PROFILE

LAYER_NAME = "VK_LAYER_PVGPU_driver_profile"
# What the layer says of whatever is asked against the profile begins with this.
REFUSAL = "driver profile: "
_PROFILES = CHECKOUT / "tests" / "driver_profiles"
APPLE_PAGE = 16384


def profile_environment(*files):
    """The variables of a program on the driver that `files` say, the later against the earlier."""
    return {
        "VK_ADD_LAYER_PATH": str(BUILD / "tests" / "driver_profiles"),
        "VK_INSTANCE_LAYERS": LAYER_NAME,
        "PVGPU_DRIVER_PROFILE": ":".join(str(_PROFILES / file) for file in files),
    }


def with_layers(*environments):
    """The variables of all, and the layers of all: those of the first lie on top."""
    merged = {name: value for environment in environments for name, value in environment.items()}
    layers = [environment["VK_INSTANCE_LAYERS"] for environment in environments if "VK_INSTANCE_LAYERS" in environment]
    return {**merged, "VK_INSTANCE_LAYERS": ":".join(layers)} if layers else merged


def _device(profile):
    """The name of its device."""
    lines = (_PROFILES / f"{profile}.txt").read_text().splitlines()
    return next(line.split(maxsplit=1)[1] for line in lines if line.startswith("device "))


# What the device's name begins with.
HOST_DEVICE = _device(HOST_PROFILE) if HOST_PROFILE else "llvmpipe"

# Of the server, and of programs that use the driver natively, which do not all ask for portability drivers.
ON_PROFILE = {**profile_environment(f"{HOST_PROFILE}.txt"), "PVGPU_PAGE_SIZE": str(APPLE_PAGE)} if HOST_PROFILE else {}
NATIVE_PROFILE = profile_environment(f"{HOST_PROFILE}.txt", "plain.txt") if HOST_PROFILE else {}


def host_environment(driver, **more):
    """The variables of pvgpu on the host."""
    return {**os.environ, "VK_DRIVER_FILES": driver, **ON_PROFILE, **more}
