"""What `./dev mac-check` does: builds pvgpu on this Mac, or takes what was built for it, and prints one line for each thing that was
tried. Needs nothing but the python3 that comes with Apple's command line tools (3.9)."""

import argparse
import json
import os
import pathlib
import platform
import re
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
# What is built with here. The last three are not needed to build: a Vulkan loader, a driver, and pictures of displays.
FORMULAE = ["cmake", "ninja", "fmt", "cli11", "nlohmann-json", "googletest", "glslang", "vulkan-headers", "vulkan-loader", "molten-vk", "libpng"]
PYTHON_MODULES = ["jinja2", "pyparsing"]
SECONDS = 120  # that anything but the build may take


class Wrong(Exception):
    """What a check says when it does not pass."""


def require(condition, why):
    if not condition:
        raise Wrong(why)


def run(*command, status=0, environment=None, seconds=SECONDS):
    """What it prints, both streams together; another exit status is wrong."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=seconds, env={**os.environ, **(environment or {})})
    except OSError as error:
        raise Wrong(f"{command[0]}: {error.strerror}")
    except subprocess.TimeoutExpired:
        raise Wrong(f"{pathlib.Path(command[0]).name} did not end in {seconds} s")
    text = done.stdout.decode(errors="replace")
    if done.returncode != status:
        last = " / ".join(text.strip().splitlines()[-3:])
        raise Wrong(f"{pathlib.Path(command[0]).name} ended with {done.returncode} rather than {status}: {last}")
    return text


class Checks:
    def __init__(self, built):
        self.built = built
        self.failed = []
        self.passed = 0
        self.gpu = None  # what `pvgpu info --json` says, once it has

    def check(self, name, function):
        try:
            said = function()
        except Wrong as error:
            self.failed.append(name)
            print(f"FAILED  {name}: {error}", flush=True)
        else:
            self.passed += 1
            print(f"passed  {name}" + (f": {said}" if said else ""), flush=True)

    def file(self, name):
        found = self.built / name
        require(found.exists(), f"{found} is missing")
        return found

    @property
    def pvgpu(self):
        return self.file("src/cli/pvgpu")

    @property
    def library(self):
        return self.file("src/library/libpvgpu.0.dylib" if sys.platform == "darwin" else "src/library/libpvgpu.so.0")

    @property
    def fake_driver(self):
        for suffix in ("dylib", "so"):
            found = sorted((self.built / "tests/fake_driver").glob("*." + suffix))
            if found:
                return found[0]
        raise Wrong(f"there is no fake driver in {self.built}/tests/fake_driver")

    # What this machine is.

    def system(self):
        require(sys.platform == "darwin", f"this is {platform.system()}, not macOS")
        version = platform.mac_ver()[0]
        require(int(version.split(".")[0]) >= 13, f"macOS {version}; 13 or newer is needed")
        require(platform.machine() == "arm64", f"{platform.machine()}; Apple Silicon is needed")
        return f"macOS {version}, arm64"

    def pages(self):
        size = os.sysconf("SC_PAGESIZE")
        require(size == 16384, f"pages of {size} bytes")
        return f"{size} bytes"

    # What was built.

    def signatures(self):
        for file in (self.pvgpu, self.library):
            run("codesign", "--verify", "--verbose=1", file)

    def libraries(self):
        """Nothing that another Mac has not, unless it was built here with Homebrew's."""
        said = run("otool", "-L", self.library)
        found = re.findall(r"^\s+(\S+) \(", said, re.MULTILINE)
        return ", ".join(found[1:])

    def exports(self):
        said = run("nm", "-gU", self.library)
        names = {line.split()[-1] for line in said.splitlines() if line.strip()}
        others = sorted(name for name in names if not name.startswith("_pvgpu_"))
        require(names and not others, f"it also exports {', '.join(others[:5])}" if names else "it exports nothing")
        return f"{len(names)} functions"

    def version(self):
        said = run(self.pvgpu, "--version").strip()
        require(re.fullmatch(r"pvgpu \d+\.\d+\.\d+", said), f"it says {said!r} of its version")
        return said

    def unit_tests(self, program):
        said = run(program, seconds=600)
        count = re.search(r"\[  PASSED  \] (\d+) tests?", said)
        require(count and int(count[1]) > 0, "no test ran")
        skipped = sorted(set(re.findall(r"\[  SKIPPED \] (\S+\.\S+)", said)))
        return f"{count[1]} tests" + (f", skipped: {', '.join(skipped)}" if skipped else "")

    # What it does with the driver.

    def info(self):
        try:
            self.gpu = json.loads(run(self.pvgpu, "info", "--json"))
        except ValueError as error:
            raise Wrong(f"pvgpu info says nothing that can be read: {error}")
        devices = self.gpu["devices"]
        require(devices, "no device")
        return "; ".join(f"{device['name']}, {device['driver']} {device['driver_info']}, Vulkan {device['vulkan']}, "
                         f"guests see {device['guest_vulkan_from_mesa_25_1']}" for device in devices)

    def memory(self):
        """The verdict of the self-test on each memory type that guests may map."""
        require(self.gpu, "there is no device to ask")
        verdicts = []
        for device in self.gpu["devices"]:
            shared = [kind for kind in device["memory_types"] if "HOST_VISIBLE" in kind["flags"] and not kind["hidden"]]
            require(shared, f"guests can map no memory of {device['name']}: " + "; ".join(kind["verdict"] for kind in device["memory_types"]))
            verdicts += [f"type {kind['index']} {kind['verdict']}" for kind in shared]
        return "; ".join(verdicts)

    def embedded(self, *driver):
        program = self.file("examples/embed")
        said = run(program, *driver)
        require(said.count("vkEnumerateInstanceVersion: 1.") == 6, "the guests' calls were not answered: " + " / ".join(said.splitlines()[-3:]))
        return "three machines in one process"

    def no_driver(self):
        said = run(self.pvgpu, "info", status=2, environment={"PVGPU_VULKAN_LOADER": "/nonexistent/libvulkan.dylib"})
        lines = [line for line in said.splitlines() if "/nonexistent/libvulkan.dylib" in line]
        require(lines, "the library is not named: " + said.strip())
        return "exit status 2, and the library is named"

    # What it does as a server.

    def server(self):
        with tempfile.TemporaryDirectory(prefix="pvgpu-") as folder:
            socket = pathlib.Path(folder) / "socket"
            read_end, write_end = os.pipe()
            # As few descriptors as macOS gives programs that Finder starts.
            process = subprocess.Popen(["sh", "-c", 'ulimit -S -n 256; exec "$@"', "sh", str(self.pvgpu), "serve", "--socket", str(socket),
                                        "--ready-fd", str(write_end)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[write_end])
            os.close(write_end)
            try:
                ready = select.select([read_end], [], [], SECONDS)[0] and b"READY=1" in os.read(read_end, 64)
                if ready:
                    require(stat.S_IMODE(socket.stat().st_mode) == 0o600, "others may connect to its socket")
                process.send_signal(signal.SIGTERM)
                said = process.communicate(timeout=SECONDS)[1].decode(errors="replace")
            except subprocess.TimeoutExpired:
                raise Wrong(f"it did not stop in {SECONDS} s")
            finally:
                process.kill()
                process.wait()
                os.close(read_end)
            require(ready, "it did not get ready: " + " / ".join(said.strip().splitlines()[-3:]))
            require(process.returncode == 0, f"it ended with {process.returncode}")
            require(not socket.exists(), "its socket is still there")
        return "ready, private, stopped by SIGTERM"

    def all(self):
        self.check("system", self.system)
        self.check("pages", self.pages)
        self.check("signatures", self.signatures)
        self.check("linked libraries", self.libraries)
        self.check("exported functions", self.exports)
        self.check("program starts", self.version)
        for program in sorted(path for path in self.built.rglob("*_test") if path.is_file() and os.access(str(path), os.X_OK)):
            self.check(f"unit tests {program.name}", lambda: self.unit_tests(program))
        self.check("library with the fake driver", lambda: self.embedded(self.fake_driver))
        self.check("a missing loader is told", self.no_driver)
        self.check("driver", self.info)
        self.check("memory shared with guests", self.memory)
        self.check("library with the driver", self.embedded)
        self.check("server", self.server)
        print(f"{self.passed} passed, {len(self.failed)} failed" + (": " + ", ".join(self.failed) if self.failed else ""))
        return 1 if self.failed else 0


def build(folder):
    """With Homebrew's packages and Apple's compiler. Raises Wrong."""
    require(shutil.which("brew"), "Homebrew is not there: build on Linux (./dev build macos) and use --built FOLDER")
    missing = sorted(set(FORMULAE) - set(run("brew", "list", "--formula", "-1").split()))
    require(not missing, "first run: brew install " + " ".join(missing))
    prefix = run("brew", "--prefix").strip()
    venv = folder / "python"
    if not venv.exists():
        print("Python modules that the code generator needs", flush=True)
        run(sys.executable, "-m", "venv", venv)
        run(venv / "bin/pip", "install", *PYTHON_MODULES, seconds=600)
    print(f"building in {folder}", flush=True)
    for command in (["cmake", "-S", CHECKOUT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", f"-DCMAKE_PREFIX_PATH={prefix}",
                     f"-DPython3_EXECUTABLE={venv}/bin/python3", f"-DPVGPU_VULKAN_REGISTRY={prefix}/share/vulkan/registry"],
                    ["cmake", "--build", folder]):
        require(subprocess.run([str(word) for word in command]).returncode == 0, f"{' '.join(map(str, command[:2]))} failed")


def main():
    parser = argparse.ArgumentParser(prog="./dev mac-check", description=__doc__)
    parser.add_argument("--built", metavar="FOLDER", type=pathlib.Path,
                        help="take what was built there, such as build/macos of a Linux machine, instead of building it here")
    parser.add_argument("--formulae", action="store_true", help="print Homebrew's packages that building takes, and end")
    arguments = parser.parse_args()
    if arguments.formulae:
        print(" ".join(FORMULAE))
        return 0
    folder = (arguments.built or CHECKOUT / "build/mac").absolute()
    if not arguments.built:
        try:
            build(folder)
        except Wrong as error:
            print(f"FAILED  build: {error}")
            return 1
    elif not folder.is_dir():
        print(f"FAILED  there is no folder {folder}")
        return 2
    return Checks(folder).all()


if __name__ == "__main__":
    sys.exit(main())
