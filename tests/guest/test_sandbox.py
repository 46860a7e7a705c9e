"""What is left to a worker of a running server, and what users are told of it."""

import os
import pathlib
import platform
import subprocess
import sys
import unittest

from harness import DEADLINE_SCALE, PROGRAMS, PVGPU, GuestCase, Program, Server, guest_command, run_guest
from harness.guest import read_file, wait_until
from harness.server import sanitizer_environment
from harness.settings import GUEST_ROOT, HOST_DRIVER

OLDER_KERNEL = pathlib.Path(__file__).parent / "harness" / "older_kernel.py"
LANDLOCK = "444"
SECCOMP = {"x86_64": "317", "aarch64": "277"}[platform.machine()]
FILES, CALLS = r"files by Landlock \d+", "system calls by seccomp"


def run_pvgpu(*arguments, without=()):
    """On a kernel without these calls: status, standard output, standard error."""
    variables = {**os.environ, "VK_DRIVER_FILES": HOST_DRIVER, **sanitizer_environment()}
    done = subprocess.run([sys.executable, "-B", OLDER_KERNEL, *without, "--", PVGPU, *map(str, arguments)], env=variables,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60 * DEADLINE_SCALE)
    return done.returncode, done.stdout, done.stderr


def sandbox_of(pid):
    """NoNewPrivs, Seccomp of each thread."""
    def of(task):
        status = dict(line.split(":", 1) for line in read_file(task / "status").splitlines())
        return tuple(int(status[name]) for name in ("NoNewPrivs", "Seccomp"))
    return {of(task) for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


class Sandbox(GuestCase):
    def setUp(self):
        super().setUp()
        if "this build of pvgpu has no sandbox" in run_pvgpu("info")[1]:
            self.skipTest("this build of pvgpu has no sandbox")

    def hold(self, server):
        program = self.enterContext(Program(guest_command(server.venus(), [PROGRAMS / "hold"])))
        program.wait_for_lines(1)
        return program

    def test_workers_are_sandboxed(self):
        for ready_workers in 1, 0:
            with self.subTest(ready_workers=ready_workers), Server(self.folder, ready_workers=ready_workers) as server:
                program = self.hold(server)
                workers = server.workers()
                self.assertEqual(len(workers), 1)
                self.assertEqual(sandbox_of(workers[0]), {(1, 2)})
                self.assertEqual(sandbox_of(server.process.pid), {(0, 0)}, "the supervisor starts processes")
                self.assertTrue(server.log_lines(f"DEBUG.* sandboxed: {FILES}, {CALLS}$"), server.log())
                program.kill()

    def test_workers_that_wait_are_sandboxed(self):
        with Server(self.folder) as server:
            wait_until(lambda: [sandbox_of(pid) for pid in server.ready_workers()] == [{(1, 2)}], "the ready worker is sandboxed")

    def test_the_driver_keeps_its_shader_cache(self):
        cache = self.folder / "cache"
        cache.mkdir()

        def size():
            return sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        with Server(self.folder, environment={"XDG_CACHE_HOME": str(cache)}) as server:
            before = size()
            run_guest(server.venus(), [PROGRAMS / "compute", self.folder / "results"])
            self.assertGreater(size(), before, "nothing was cached")

    def test_off(self):
        with Server(self.folder, arguments=["--sandbox", "off"]) as server:
            self.hold(server)
            self.assertEqual([sandbox_of(pid) for pid in server.workers()], [{(0, 0)}])
            self.assertEqual(server.log_lines("sandbox"), [])

    def test_on(self):
        with Server(self.folder, arguments=["--sandbox", "on"]) as server:
            self.assertIn("filled", run_guest(server.venus(), [PROGRAMS / "tiny"]))
        status, _, errors = run_pvgpu("serve", "--socket", self.folder / "socket", "--sandbox=on", "--isolation=thread")
        self.assertEqual(status, 2)
        self.assertIn("--isolation thread", errors)

    def test_a_kernel_that_cannot(self):
        for without, words in (([LANDLOCK], ["this kernel has no Landlock"]), ([SECCOMP], ["this kernel has no seccomp filters"]),
                               ([LANDLOCK, SECCOMP], ["this kernel has no Landlock", "this kernel has no seccomp filters"])):
            with self.subTest(words):
                status, _, errors = run_pvgpu("serve", "--socket", self.folder / "socket", "--sandbox=on", without=without)
                self.assertEqual(status, 2, errors)
                self.assertRegex(errors, f"^pvgpu: workers cannot be sandboxed: {words[0]}\n  hint: --sandbox auto ")
                # By itself the guest is served, and the user told, once.
                status, output, errors = run_pvgpu("run", "--", "chroot", GUEST_ROOT, PROGRAMS / "tiny", without=without)
                self.assertEqual((status, output), (0, "filled\n"), errors)
                for word in words:
                    self.assertEqual(errors.count(word), 1, errors)
                self.assertEqual(errors.count("\n"), 1, errors)
                # Who has said that it may be so is not told.
                status, output, errors = run_pvgpu("run", "--sandbox=off", "--", "chroot", GUEST_ROOT, PROGRAMS / "tiny", without=without)
                self.assertEqual((status, output, errors), (0, "filled\n", ""))

    def test_what_is_there_is_used(self):
        _, text, _ = run_pvgpu("info")
        self.assertRegex(text, f"sandbox of workers: {FILES}, {CALLS}\n")
        _, text, _ = run_pvgpu("info", without=[LANDLOCK])
        self.assertRegex(text, f"sandbox of workers: files not restricted: this kernel has no Landlock, {CALLS}\n")


if __name__ == "__main__":
    unittest.main()
