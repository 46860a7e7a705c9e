"""The pvgpu program as a user meets it: readiness, socket, errors, run, info."""

import json
import os
import signal
import socket
import stat
import subprocess
import unittest

from harness import DEADLINE_SCALE, PROGRAMS, PVGPU, GuestCase, Server, run_guest
from harness.server import sanitizer_environment
from harness.settings import GUEST_ROOT, HOST_DRIVER


class ServerTest(GuestCase):
    def pvgpu(self, *arguments, environment=None):
        """Runs pvgpu to its end: status, standard output, standard error."""
        variables = {**os.environ, "VK_DRIVER_FILES": HOST_DRIVER, **sanitizer_environment(), **(environment or {})}
        done = subprocess.run([PVGPU, *map(str, arguments)], env=variables, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60 * DEADLINE_SCALE)
        return done.returncode, done.stdout, done.stderr

    def assert_user_error(self, outcome, *words):
        status, _, errors = outcome
        self.assertEqual(status, 2, errors)
        problem, *hint = errors.strip().splitlines()
        self.assertRegex(problem, r"^pvgpu: ")
        self.assertLessEqual(len(hint), 1, errors)
        self.assertTrue(all(line.startswith("  hint: ") for line in hint), errors)
        for word in words:
            self.assertIn(str(word), errors)

    def test_socket_is_its_owners(self):
        with Server(self.folder) as server:
            self.assertEqual(stat.S_IMODE(server.socket.stat().st_mode), 0o600)
            self.assertTrue(stat.S_ISSOCK(server.socket.stat().st_mode))

    def test_stale_socket_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.folder / "socket"))
        with Server(self.folder) as server:
            self.assertIn("filled", run_guest(server.venus(), [PROGRAMS / "tiny"]))

    def test_socket_in_use(self):
        with Server(self.folder) as server:
            self.assert_user_error(self.pvgpu("serve", "--socket", server.socket), server.socket)
            self.assertIn("filled", run_guest(server.venus(), [PROGRAMS / "tiny"]), "the first server was disturbed")

    def test_file_in_the_way(self):
        path = self.folder / "socket"
        path.write_text("mine")
        self.assert_user_error(self.pvgpu("serve", "--socket", path), path)
        self.assertEqual(path.read_text(), "mine")

    def test_no_driver(self):
        for arguments in ["serve", "--socket", self.folder / "socket"], ["info"], ["run", "true"]:
            outcome = self.pvgpu(*arguments, environment={"VK_DRIVER_FILES": "/nowhere.json"})
            self.assert_user_error(outcome, "no Vulkan driver found on this host", "/nowhere.json")

    def test_unknown_option(self):
        status, _, errors = self.pvgpu("serve", "--no-such-option")
        self.assertEqual(status, 2, errors)
        self.assertIn("--no-such-option", errors)

    def test_interrupt_ends_it(self):
        server = Server(self.folder)
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(20 * DEADLINE_SCALE), 0, server.log())
        server.close_log()
        self.assertFalse(server.socket.exists())
        server.check_log()

    def test_tells_the_service_manager(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.folder / "notify"))
            manager.settimeout(30 * DEADLINE_SCALE)
            with Server(self.folder, environment={"NOTIFY_SOCKET": str(self.folder / "notify")}):
                self.assertIn(b"READY=1", manager.recv(4096).splitlines())

    def test_run_gives_a_program_its_gpu(self):
        status, output, errors = self.pvgpu("run", "--", "chroot", GUEST_ROOT, PROGRAMS / "tiny")
        self.assertEqual((status, output), (0, "filled\n"), errors)

    def test_run_passes_the_status_on(self):
        self.assertEqual(self.pvgpu("run", "--", "/bin/sh", "-c", "exit 7")[0], 7)

    def test_run_of_no_program(self):
        status, _, errors = self.pvgpu("run", "--", "/no/such/program")
        self.assertEqual(status, 127, "as a shell would say it")
        self.assertRegex(errors, r"^pvgpu: .*/no/such/program")

    def test_info(self):
        status, text, errors = self.pvgpu("info")
        self.assertEqual(status, 0, errors)
        for word in ("llvmpipe", "host_import"):
            self.assertIn(word, text)
        status, text, errors = self.pvgpu("info", "--json")
        self.assertEqual(status, 0, errors)
        self.assertIn("llvmpipe", json.dumps(json.loads(text)))


if __name__ == "__main__":
    unittest.main()
