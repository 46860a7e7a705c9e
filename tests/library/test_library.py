"""libpvgpu.so as its users get it: what it exports, and that a VMM builds against an installed one."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["PVGPU_SOURCE"])
BUILD = pathlib.Path(os.environ["PVGPU_BUILD"])
LIBRARY = pathlib.Path(os.environ["PVGPU_LIBRARY"])
FAKE_DRIVER = os.environ["PVGPU_FAKE_DRIVER"]
EXAMPLE = [SOURCE / "examples" / name for name in ("embed.c", "embed_guest.c")]
FLAGS = os.environ["PVGPU_EXTRA_FLAGS"].split()  # sanitizers, which a program needs where its library has them

EMBED_WITH_CMAKE = """
cmake_minimum_required(VERSION 3.25)
project(vmm LANGUAGES C)
find_package(pvgpu 0.1 REQUIRED)
find_package(Threads REQUIRED)
add_executable(embed {sources})
target_link_libraries(embed PRIVATE pvgpu::pvgpu Threads::Threads)
"""


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with status {done.returncode}:\n{done.stdout}")
    return done.stdout


class Exports(unittest.TestCase):
    def declared(self):
        header = (SOURCE / "include/pvgpu/pvgpu.h").read_text()
        return set(re.findall(r"^PVGPU_API [^;(]*?(\w+)\(", header, re.MULTILINE))

    def test_exactly_what_the_header_declares(self):
        lines = run("nm", "-D", "--defined-only", LIBRARY).splitlines()
        symbols = [line.split()[-1] for line in lines if line.split()[1] != "A"]  # A: the version itself
        self.assertGreater(len(symbols), 10)
        for symbol in symbols:
            self.assertTrue(symbol.endswith("@@PVGPU_0.1"), symbol)
        self.assertEqual({symbol.split("@")[0] for symbol in symbols}, self.declared())


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.work = pathlib.Path(cls.folder.name)
        run("cmake", "--install", BUILD, "--component", "embedding", "--prefix", cls.work / "first")
        # Nothing in it may depend on where it was installed to.
        cls.prefix = cls.work / "prefix"
        (cls.work / "first").rename(cls.prefix)
        cls.libraries = next(cls.prefix.rglob("libpvgpu.so")).parent

    def check(self, program):
        output = run(program, FAKE_DRIVER, env=os.environ | {"LD_LIBRARY_PATH": str(self.libraries)})
        self.assertEqual(output.count("vkEnumerateInstanceVersion: 1."), 6, output)

    def test_pkg_config(self):
        environment = os.environ | {"PKG_CONFIG_PATH": str(self.libraries / "pkgconfig")}
        flags = run("pkg-config", "--cflags", "--libs", "pvgpu", env=environment).split()
        self.assertTrue(any(str(self.prefix) in flag for flag in flags), flags)
        program = self.work / "embed"
        said = run("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", *FLAGS, *EXAMPLE, *flags,
                   "-lpthread", "-o", program)
        self.assertEqual(said, "")
        self.check(program)

    def test_cmake(self):
        (self.work / "CMakeLists.txt").write_text(EMBED_WITH_CMAKE.format(sources=" ".join(map(str, EXAMPLE))))
        run("cmake", "-S", self.work, "-B", self.work / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_C_FLAGS={' '.join(FLAGS)}")
        run("cmake", "--build", self.work / "build")
        self.check(self.work / "build/embed")

    def test_module_map_lies_beside_the_header(self):
        include = self.prefix / "include/pvgpu"
        header = re.search(r'header "(.+)"', (include / "module.modulemap").read_text())
        self.assertTrue((include / header[1]).is_file())

    def test_header_in_cplusplus(self):
        source = self.work / "vmm.cc"
        source.write_text("#include <pvgpu/pvgpu.h>\nint main() { return pvgpu_version() == PVGPU_VERSION ? 0 : 1; }\n")
        program = self.work / "vmm"
        run("c++", "-std=c++11", "-pedantic-errors", *FLAGS, "-I", self.prefix / "include",
            source, "-L", self.libraries, "-lpvgpu", "-o", program)
        run(program, env=os.environ | {"LD_LIBRARY_PATH": str(self.libraries)})


if __name__ == "__main__":
    unittest.main()
