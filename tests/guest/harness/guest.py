"""Runs programs in the guest root: on its own software driver (native), or on Venus through a server of ours."""

import os
import pathlib
import signal
import subprocess
import threading
import time

from .driver_profile import NATIVE_PROFILE
from .settings import DEADLINE_SCALE, GUEST_ROOT

_BASE = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": "/tmp"}
NATIVE = {"VK_DRIVER_FILES": "/usr/share/vulkan/icd.d/lvp_icd.json", **NATIVE_PROFILE}


def GUEST_VENUS(socket):
    """The environment of a guest program that reaches the server at `socket`."""
    return {
        "VK_DRIVER_FILES": "/usr/share/vulkan/icd.d/virtio_icd.json",
        "VN_DEBUG": "vtest",
        "VTEST_SOCKET_NAME": str(socket),
        **({"VN_PERF": "no_fence_feedback,no_semaphore_feedback"} if os.environ.get("PVGPU_GUESTS_ASK") else {}),
    }


def guest_command(environment, command):
    variables = [f"{name}={value}" for name, value in {**_BASE, **environment}.items()]
    return ["chroot", str(GUEST_ROOT), "/usr/bin/env", "-i", *variables, *map(str, command)]


class Program:
    """A running program whose output lines can be waited for. A context manager: what still runs at its end is killed."""

    def __init__(self, command, **popen):
        self.command = list(map(str, command))
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", start_new_session=True, **popen)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    @property
    def pid(self):
        return self.process.pid

    def lines(self):
        with self._changed:
            return list(self._lines)

    def output(self):
        return "\n".join(self.lines())

    def wait_for_lines(self, count, deadline=60):
        """Waits until the program has printed `count` lines in all."""
        with self._changed:
            in_time = self._changed.wait_for(lambda: len(self._lines) >= count or self._ended, deadline * DEADLINE_SCALE)
            if len(self._lines) >= count:
                return
        why = "ended" if in_time else f"printed nothing more within {deadline * DEADLINE_SCALE} s"
        raise AssertionError(f"{self.command[-1]} {why} before line {count}; its output:\n{self.output()}")

    def wait(self, deadline=60):
        """The exit status; kills the program and fails the test when the deadline passes."""
        try:
            status = self.process.wait(deadline * DEADLINE_SCALE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{' '.join(self.command)} still ran after {deadline * DEADLINE_SCALE} s; its output:\n{self.output()}"
            ) from None
        self._reader.join(10)
        return status

    def kill(self):
        """SIGKILL, to the program and all that it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        self._reader.join(10)
        self.process.stdout.close()
        if self.process.stdin:
            self.process.stdin.close()


def run_guest(environment, command, deadline=60, expect_status=0):
    """Runs a guest program to its end and returns its output; fails the test unless it exits with `expect_status`."""
    with Program(guest_command(environment, command)) as program:
        status = program.wait(deadline)
    if expect_status is not None and status != expect_status:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {status}, not {expect_status}; "
                             f"its output:\n{program.output()}")
    return program.output()


def wait_until(condition, what, deadline=60, interval=0.02):
    """For what no event tells: looks at `condition` until it holds; fails the test when the deadline passes."""
    end = time.monotonic() + deadline * DEADLINE_SCALE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline * DEADLINE_SCALE} s: {what() if callable(what) else what}")
        time.sleep(interval)


def read_file(path):
    return pathlib.Path(path).read_text(errors="replace")
