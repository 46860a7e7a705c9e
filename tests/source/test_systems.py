"""What one operating system has and another has not stays in src/platform: no other code asks which system this is, includes a
system's own headers or reads its own files. Of the CMake files only src/platform's asks."""

import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLATFORM = ROOT / "src/platform"
# Measurements, and the tests that run stock Mesa, virtual machines or the fuzzer, are built on Linux alone.
ON_LINUX_ALONE = [ROOT / folder for folder in ("bench", "tests/fuzz", "tests/guest", "tests/library", "tests/vm")]

SYSTEM = re.compile(
    r"""^\s*\#\s*(?:el)?if(?:n?def)?\b.*\b(?:__linux(?:__)?|linux|__gnu_linux__|__GLIBC__|__APPLE__|__MACH__|TARGET_OS_\w+|
    __(?:Free|Net|Open)BSD__|__unix(?:__)?|_WIN32|__CYGWIN__|__ANDROID__)\b
    |^\s*\#\s*include\s*<(?:linux/|asm/|mach/|mach-o/|os/|libproc\.h|sys/(?:epoll|eventfd|signalfd|timerfd|inotify|memfd|prctl|
    syscall|sysinfo|sendfile|auxv|random|event|sysctl|proc_info)\.h)
    |"/(?:proc|sys|dev/(?:kvm|dri|shm|udmabuf))\b""", re.VERBOSE)
SYSTEM_IN_CMAKE = re.compile(r"\b(?:CMAKE_(?:HOST_)?SYSTEM_NAME|APPLE|LINUX|UNIX|WIN32|BSD|DARWIN)\b")


def is_below(path, folders):
    return any(path.is_relative_to(folder) for folder in folders)


def sources(*suffixes):
    for folder in ("src", "include", "codegen", "examples", "tests", "bench", "packaging"):
        yield from (path for suffix in suffixes for path in sorted((ROOT / folder).rglob("*" + suffix)))


def findings(paths, pattern):
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if pattern.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


class Systems(unittest.TestCase):
    def test_code_outside_the_platform_names_no_system(self):
        paths = [path for path in sources(".c", ".cc", ".h", ".py.in", ".h.in") if not is_below(path, [PLATFORM, *ON_LINUX_ALONE])]
        self.assertGreater(len(paths), 300)
        self.assertEqual(list(findings(paths, SYSTEM)), [])

    def test_of_the_build_only_the_platform_asks_for_the_system(self):
        paths = [path for path in [ROOT / "CMakeLists.txt", *sources("CMakeLists.txt", ".cmake")] if path.parent != PLATFORM]
        self.assertGreater(len(paths), 10)
        self.assertEqual(list(findings(paths, SYSTEM_IN_CMAKE)), [])

    def test_each_systems_folder_has_only_its_own(self):
        """posix/ is what is said to be everywhere: it may ask, but include nothing that only some have."""
        own = re.compile(r"#\s*include\s*<(?:linux/|mach|libproc\.h|sys/(?:epoll|eventfd|signalfd|prctl|syscall|event|sysctl)\.h)")
        self.assertEqual(list(findings(sorted((PLATFORM / "posix").iterdir()), own)), [])
        self.assertTrue(list(findings(sorted((PLATFORM / "linux").iterdir()), own)))
        self.assertTrue(list(findings(sorted((PLATFORM / "darwin").iterdir()), own)))

    def test_the_patterns_find_what_they_are_for(self):
        for line in ("#ifdef __linux__", "#if defined(__APPLE__) && X", "# elif !defined(_WIN32)", "#include <sys/epoll.h>",
                     "#include <linux/sockios.h>", "#include <mach/mach.h>", '  std::ifstream file("/proc/cpuinfo");',
                     '::access("/dev/kvm", R_OK)'):
            self.assertTrue(SYSTEM.search(line), line)
        for line in ("#ifdef __cplusplus", "#include <sys/socket.h>", "// as /proc does", "#include <sys/events_of_ours.h>"):
            self.assertFalse(SYSTEM.search(line), line)
        for line in ("if(APPLE)", 'if(CMAKE_SYSTEM_NAME STREQUAL "Linux")', "elseif (NOT WIN32)"):
            self.assertTrue(SYSTEM_IN_CMAKE.search(line), line)
        self.assertFalse(SYSTEM_IN_CMAKE.search("set(PVGPU_APPLE_PIE 1)"))


if __name__ == "__main__":
    unittest.main()
