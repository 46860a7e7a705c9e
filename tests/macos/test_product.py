"""The programs and the library for macOS, by what their headers say: nothing here runs them."""

import os
import pathlib
import re
import unittest

import macho

SOURCE = pathlib.Path(os.environ["PVGPU_SOURCE"])
LIBRARY = pathlib.Path(os.environ["PVGPU_LIBRARY"])
PROGRAMS = [pathlib.Path(path) for path in os.environ["PVGPU_PROGRAMS"].split(":")]

ALLOWED_LIBRARY = re.compile(r"/usr/lib/(libSystem\.B|libc\+\+\.1)\.dylib|/System/Library/Frameworks/.*")
# What Linux has and macOS has not: whoever needs one is not started there.
LINUX_ONLY = re.compile(
    r"_(epoll_\w+|eventfd\w*|memfd_create|signalfd|timerfd_\w+|inotify_\w+|prctl|syscall|accept4|pipe2|pidfd_\w+|ppoll|gettid|"
    r"sched_[gs]etaffinity|mremap|getrandom|sendmmsg|recvmmsg|sigabbrev_np|posix_spawn_file_actions_addclosefrom_np|"
    r"fstatfs64|statx|closefrom|__errno_location|__libc_\w+|secure_getenv|sem_timedwait|pthread_mutex_timedlock|"
    r"clock_nanosleep)$")


# Zig's linker has no list of what to export, and the runtime that it links in is visible: what a compiler calls for arithmetic and
# memory, new and delete, and an exception of fmt's. Nothing of this project.
RUNTIME = re.compile(
    r"__(_\w+|Z(n|d)[aw]\w*|Z(d[al]\w*|T?V?N3fmt\w+))|_(bcmp|mem(cmp|cpy|move|set)|"
    r"(ceil|cos|exp2?|fabs|floor|fma|fmax|fmin|fmod|log|log10|log2|round|sin|sincos|sqrt|tan|trunc)[flq]?)")


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

    def test_library_exports_what_its_header_declares_and_a_runtime(self):
        header = (SOURCE / "include/pvgpu/pvgpu.h").read_text()
        declared = set(re.findall(r"^PVGPU_API [^;(]*?(\w+)\(", header, re.MULTILINE))
        self.assertGreater(len(declared), 10)
        runtime = {name for name in self.library.exported if RUNTIME.fullmatch(name)}
        self.assertLessEqual(runtime, self.library.exported_weak)
        self.assertEqual(self.library.exported - runtime, {"_" + name for name in declared})

    def test_system_waits_and_wakes_are_those_of_macos(self):
        program = macho.read(PROGRAMS[0])
        self.assertLessEqual({"_kqueue", "_kevent", "_shm_open", "_posix_spawnp", "_pthread_set_qos_class_self_np"}, program.undefined)


if __name__ == "__main__":
    unittest.main()
