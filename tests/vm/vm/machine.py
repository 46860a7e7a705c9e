"""A virtual machine: stock QEMU with a stock kernel, and programs that run in it."""

import os
import pathlib
import re
import select
import shlex
import signal
import socket
import subprocess
import threading

from harness.guest import read_file
from harness.settings import DEADLINE_SCALE, PVGPU

from .guests import GUEST_SYSTEM
from .image import image_of
from .settings import VM_ROOT, accelerator

# After which QEMU is killed even if the test that should do so is gone.
_LONGEST_LIFE = 600 * DEADLINE_SCALE
# What each architecture's machine is.
_BOARD = {"x86_64": ("q35", "max", "ttyS0"), "aarch64": ("virt", "cortex-a72", "ttyAMA0")}
# Kernel messages that no test may cause. The driver's own errors start with the first.
_FAULT = re.compile(r"\*ERROR\*|BUG:|WARNING:|Oops|Kernel panic|stuck in|hung task|blocked for more than|insmod")
# The driver's words for a device without a scanout.
_NO_SCANOUT = r"\*ERROR\* Failed to register client: -95"


def agent_options(socket_path):
    """QEMU's options for what the test talks to the guest through."""
    return ["-chardev", f"socket,id=agent,path={socket_path}", "-device", "virtio-serial-pci", "-device",
            "virtserialport,chardev=agent,name=pvgpu"]


class Task:
    """A program in the machine. What it prints, to either stream, are its `lines`."""

    def __init__(self, machine, number, command):
        self._machine, self._number, self.command = machine, number, command
        self._lines = []
        self.status = None

    def lines(self):
        with self._machine.changed:
            return list(self._lines)

    def output(self):
        return "\n".join(self.lines())

    def wait_for_line(self, pattern, deadline=60):
        """Waits until it has printed a line in which `pattern` is found, and returns the match."""
        def found():
            return next(filter(None, (re.search(pattern, line) for line in self._lines)), None)
        self._machine.wait(lambda: found() or self.status is not None, lambda: f"{self.command} prints {pattern!r}; {self._said()}", deadline)
        match = found()
        if not match:
            raise self._machine.error(f"{self.command} ended before it printed {pattern!r}; {self._said()}")
        return match

    def wait(self, deadline=60, expect_status=None):
        """The exit status; fails the test if another one was expected."""
        self._machine.wait(lambda: self.status is not None, lambda: f"{self.command} ends; {self._said()}", deadline)
        if expect_status not in (None, self.status):
            raise self._machine.error(f"{self.command} ended with {self.status}, not {expect_status}; {self._said()}")
        return self.status

    def kill(self):
        self._machine.send(f"kill {self._number}")

    def _said(self):
        return f"its output:\n{self.output()}"


class Machine:
    """Starts on construction and runs programs when that returns. Use it as a context manager: the end powers it off and fails the
    test if it, its kernel or QEMU did not go well. Errors that it raises, or that it is left with, tell what console, QEMU and pvgpu said.

    `gpu` is a Device, or a list of QEMU's options; without, the machine has no GPU. `faults` are patterns of
    kernel messages that the test causes on purpose. With `reboots`, a reboot of the guest does not end QEMU. `root` is where QEMU is,
    `environment` what it needs."""

    def __init__(self, folder, gpu=None, guest=GUEST_SYSTEM, memory=256, processors=1, faults=(), reboots=False, append="", name="vm",
                 environment=None, root=VM_ROOT):
        self.guest, self._faults, self._device = guest, faults, None if isinstance(gpu, list) else gpu
        folder = pathlib.Path(folder)
        self.console_path, self._errors_path = folder / f"{name}-console.log", folder / f"{name}-qemu.log"
        self.changed = threading.Condition()
        self._tasks, self._boots, self._gone, self._stream = {}, 0, False, None
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / f"{name}-agent"))
        listener.listen()
        self.console_path.write_bytes(b"")
        with listener, open(self._errors_path, "wb") as errors:
            command = self._command(root, gpu, listener.getsockname(), memory, processors, append, reboots)
            variables = [f"{key}={value}" for key, value in (environment or {}).items()]
            # A QEMU that waits for a device of its own forever ignores SIGTERM.
            self.process = subprocess.Popen(["timeout", "-k", "5", str(_LONGEST_LIFE), "env", *variables, *map(str, command)],
                                            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True)
            try:
                self._connect(listener)
                self.wait_for_boot(1)
            except BaseException:
                self.leave()
                raise

    def _command(self, root, gpu, agent, memory, processors, append, reboots):
        machine = self.guest.machine
        _, _, console = _BOARD[machine]
        kernel, initrd = image_of(self.guest)
        return [
            "chroot", root, f"qemu-system-{machine}", "-nodefaults", *self._machine(gpu, memory, processors),
            *(() if reboots else ("-no-reboot",)),
            "-kernel", kernel, "-initrd", initrd,
            "-append", f"console={console} panic=-1 quiet {append}",
            "-chardev", f"file,id=console,path={self.console_path}", "-serial", "chardev:console", *agent_options(agent),
        ]

    def _machine(self, gpu, memory, processors):
        machine = self.guest.machine
        how = accelerator(machine)
        if gpu is not None and not isinstance(gpu, list):
            # What users are told to give to QEMU.
            told = subprocess.run([PVGPU, "qemu-args", "--arch", machine, "--accel", how, "--socket", gpu.socket, "--memory", f"{memory}M",
                                   "--cpus", str(processors)], check=True, stdout=subprocess.PIPE, text=True).stdout
            return ["-display", "none", *shlex.split(told)]
        board, processor, _ = _BOARD[machine]
        return ["-M", board, "-accel", how + (",thread=multi" if how == "tcg" else ""), "-cpu", "host" if how == "kvm" else processor,
                "-smp", processors, "-m", memory, *(["-display", "none"] if gpu is None else gpu)]

    def _connect(self, listener):
        """QEMU connects as soon as it reads its options, or says what is wrong with them and ends."""
        while not select.select([listener], [], [], 0.2)[0]:
            if self.process.poll() is not None:
                raise self.error(f"QEMU ended with {self.process.returncode} before the machine started")
        self._stream, _ = listener.accept()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._stream.makefile(encoding="utf-8", errors="replace", newline="\n"):
            what, number, rest = (line.rstrip("\n").split(" ", 2) + ["", ""])[:3]
            with self.changed:
                if what == "ready":
                    self._boots += 1
                elif what == "out":
                    self._tasks[int(number)]._lines.append(rest)
                elif what == "end":
                    self._tasks[int(number)].status = int(rest)
                self.changed.notify_all()
        with self.changed:
            self._gone = True
            self.changed.notify_all()

    def wait(self, condition, what, deadline):
        """Waits until `condition` holds, which is looked at whenever the guest has said something."""
        with self.changed:
            in_time = self.changed.wait_for(lambda: condition() or self._gone, deadline * DEADLINE_SCALE)
            if condition():
                return
        why = f"QEMU ended{self._status()}" if in_time else f"{deadline * DEADLINE_SCALE} s passed"
        raise self.error(f"{why} before this: {what() if callable(what) else what}")

    def _status(self):
        try:
            return f" with {self.process.wait(10)}"
        except subprocess.TimeoutExpired:
            return "'s talk with the test, but not QEMU itself,"

    def send(self, line):
        try:
            self._stream.sendall(line.encode() + b"\n")
        except OSError:
            raise self.error(f"QEMU ended{self._status()} before this: {line}") from None

    def start(self, command):
        """Runs a program of the guest: a list, or a line for its shell. Returns the Task at once."""
        line = command if isinstance(command, str) else shlex.join(map(str, command))
        assert "\n" not in line, line
        with self.changed:
            number = len(self._tasks) + 1
            task = self._tasks[number] = Task(self, number, line)
        self.send(f"run {number} {line}")
        return task

    def run(self, command, deadline=120, expect_status=0):
        """Runs a program to its end and returns its output; fails the test unless it exits with `expect_status` (None: any)."""
        task = self.start(command)
        task.wait(deadline, expect_status)
        return task.output()

    def wait_for_boot(self, count, deadline=180):
        """Waits until the guest has started `count` times in all."""
        self.wait(lambda: self._boots >= count, f"start {count} of the guest", deadline)

    def console(self):
        return read_file(self.console_path)

    def said(self):
        """What QEMU has printed."""
        return read_file(self._errors_path)

    def kernel_messages(self):
        return self.run(["dmesg"]).splitlines()

    @property
    def qemu(self):
        """QEMU's process, which `timeout` has started."""
        return int(read_file(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()[0])

    def check_kernel(self):
        """Fails the test on messages that tell of a fault in the guest's kernel, or in what its driver was told."""
        bad = [line for line in self.kernel_messages() + self.console().splitlines()
               if _FAULT.search(line) and not any(re.search(known, line) for known in (_NO_SCANOUT, *self._faults))]
        if bad:
            raise self.error("the guest's kernel reports:\n" + "\n".join(bad))

    def power_off(self):
        """Powers the guest off; fails the test unless QEMU ends by itself with status 0."""
        self.start("poweroff -f")
        self.wait_for_end()

    def wait_for_end(self, deadline=30):
        try:
            status = self.process.wait(deadline * DEADLINE_SCALE)
        except subprocess.TimeoutExpired:
            raise self.error(f"QEMU still ran after {deadline * DEADLINE_SCALE} s") from None
        if status != 0:
            raise self.error(f"QEMU ended with {status}")

    def error(self, message):
        """An error for the test to end with."""
        error = AssertionError(message)
        self.explain(error)
        return error

    def explain(self, error):
        """Adds to an error what everyone said, once."""
        if getattr(error, "__notes__", None):
            return
        error.add_note(f"the console of the {self.guest.name} guest ends:\n" + _end_of(self.console()))
        error.add_note("QEMU said:\n" + _end_of(read_file(self._errors_path)))
        if self._device:
            error.add_note("pvgpu's log ends:\n" + _end_of(self._device.log()))

    def kill(self):
        """As a power cut, or a killed QEMU."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def leave(self):
        """Ends QEMU if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()  # timeout passes it on, and kills 5 s later.
            self.process.wait()
        if self._stream:
            self._stream.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if error is not None:
                self.explain(error)
            elif self.process.poll() is None:
                self.check_kernel()
                self.power_off()
        finally:
            self.leave()


def _end_of(text):
    return "\n".join(text.splitlines()[-40:])
