"""The programs and the library for macOS, by what their headers say: nothing here runs them."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import macho

SOURCE = pathlib.Path(os.environ["PVGPU_SOURCE"])
CLANG = os.environ["PVGPU_CLANG"]
LIBRARY = pathlib.Path(os.environ["PVGPU_LIBRARY"])
PROGRAMS = [pathlib.Path(path) for path in os.environ["PVGPU_PROGRAMS"].split(":")]

ALLOWED_LIBRARY = re.compile(r"/usr/lib/(libSystem\.B|libc\+\+\.1)\.dylib|/System/Library/Frameworks/.*")
# What Linux has and macOS has not: whoever needs one is not started there.
LINUX_ONLY = re.compile(
    r"_(epoll_\w+|eventfd\w*|memfd_create|signalfd|timerfd_\w+|inotify_\w+|prctl|syscall|accept4|pipe2|pidfd_\w+|ppoll|gettid|"
    r"sched_[gs]etaffinity|mremap|getrandom|sendmmsg|recvmmsg|sigabbrev_np|posix_spawn_file_actions_addclosefrom_np|"
    r"fstatfs64|statx|closefrom|__errno_location|__libc_\w+|secure_getenv|sem_timedwait|pthread_mutex_timedlock|"
    r"clock_nanosleep)$")


class Product(unittest.TestCase):
    def check(self, path, kind):
        file = macho.read(path)
        self.assertEqual(file.cpu, macho.CPU_ARM64)
        self.assertEqual(file.kind, kind)
        self.assertEqual(file.platform, macho.PLATFORM_MACOS)
        self.assertEqual(file.minimum_system, (13, 0))
        self.assertTrue(file.libraries)
        self.assertEqual([name for name in file.libraries if not ALLOWED_LIBRARY.fullmatch(name) and name != self.library.install_name], [])
        self.assertGreater(len(file.undefined), 20)
        self.assertEqual(sorted(name for name in file.undefined if LINUX_ONLY.fullmatch(name)), [])
        # The processor's kernel runs nothing that has no signature, be it one that says nothing.
        self.assertTrue(file.signed)
        return file

    @classmethod
    def setUpClass(cls):
        cls.library = macho.read(LIBRARY)

    def test_programs(self):
        self.assertGreaterEqual(len(PROGRAMS), 3)
        for path in PROGRAMS:
            with self.subTest(path.name):
                self.check(path, macho.EXECUTE)

    def test_library(self):
        self.check(LIBRARY, macho.DYLIB)
        self.assertEqual(self.library.install_name, "@rpath/libpvgpu.0.dylib")

    def test_library_exports_what_its_header_declares(self):
        header = (SOURCE / "include/pvgpu/pvgpu.h").read_text()
        declared = set(re.findall(r"^PVGPU_API [^;(]*?(\w+)\(", header, re.MULTILINE))
        self.assertGreater(len(declared), 10)
        self.assertEqual(self.library.exported, {"_" + name for name in declared})

    def test_programs_export_nothing(self):
        """Weak symbols of a program (new, delete) would take the place of those of the driver's own C++ runtime."""
        for path in PROGRAMS:
            with self.subTest(path.name):
                self.assertLessEqual(macho.read(path).exported, {"__mh_execute_header"})

    def test_system_waits_and_wakes_are_those_of_macos(self):
        program = macho.read(PROGRAMS[0])
        self.assertLessEqual({"_kqueue", "_kevent", "_shm_open", "_posix_spawnp", "_pthread_set_qos_class_self_np"}, program.undefined)

    def test_header_is_a_module(self):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "vmm.c"
            source.write_text("#pragma clang module import pvgpu\nint main(void) { return pvgpu_version() == PVGPU_VERSION ? 0 : 1; }\n")
            # A folder without the module map must not do.
            for include, works in ((SOURCE / "include/pvgpu", True), (folder, False)):
                done = subprocess.run([CLANG, "-fmodules", f"-fmodules-cache-path={folder}/modules", f"-I{include}", "-c", source,
                                       "-o", f"{folder}/vmm.o"], stderr=subprocess.PIPE, text=True)
                self.assertEqual(done.returncode == 0, works, done.stderr)


if __name__ == "__main__":
    unittest.main()
