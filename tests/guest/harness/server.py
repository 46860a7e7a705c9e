"""A `pvgpu serve` on a socket of its own, with its log and what it holds of the system."""

import dataclasses
import os
import pathlib
import re
import select
import signal
import subprocess

from .driver_profile import ON_PROFILE, REFUSAL, with_layers
from .guest import GUEST_VENUS, read_file, wait_until
from .settings import CHECKOUT, DEADLINE_SCALE, HOST_DRIVER, HOST_ROOT, PVGPU, SANITIZED
from .validation import LAYER, messages

_SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error: |(Address|Undefined|Thread)\w*Sanitizer:DEADLYSIGNAL")
_SUPPRESSIONS = CHECKOUT / "tests" / "guest" / "sanitizer_suppressions"


@dataclasses.dataclass
class Resources:
    """What the supervisor holds: open descriptors, threads, kilobytes of memory of its own, processes below it."""
    descriptors: int
    threads: int
    memory_kb: int
    children: int


def _is_ready(pid):
    """Whether a worker has yet to get a guest."""
    try:
        # While it is being executed it has no arguments, nor has it once it ended.
        while not (arguments := read_file(f"/proc/{pid}/cmdline")):
            if read_file(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] in "ZX":
                return False
        return "\0--ready\0" in arguments and read_file(f"/proc/{pid}/comm").strip() != "pvgpu-worker"
    except OSError:
        return False


# What a host's command starts with.
ON_HOST = [] if HOST_ROOT == pathlib.Path("/") else ["chroot", HOST_ROOT]


class Server:
    """Starts on construction and is ready for clients when that returns. Use it as a context manager: the end stops it and
    fails the test if it did not stop cleanly, or if a sanitizer or the validation layer reported anything.
    `known` are names of the layer's messages that are no news, because the guest's program causes them natively too."""
    SUBCOMMAND = "serve"
    # One worker is ready before the server says that it is, so that what a server holds is the same at all times without guests.
    # None: this kind of server keeps none.
    READY_WORKERS = 1

    def __init__(self, folder, validation=False, arguments=(), environment=None, log_level="debug", known=(), ready_workers=None):
        folder = pathlib.Path(folder)
        self._ready_workers = self.READY_WORKERS if ready_workers is None else ready_workers
        if self._ready_workers is not None:
            arguments = [*arguments, f"--ready-workers={self._ready_workers}"]
        self.socket = folder / "socket"
        self.log_path = folder / "server.log"
        self._known = set(known)
        self._log = open(self.log_path, "wb")
        variables = {**os.environ, "VK_DRIVER_FILES": HOST_DRIVER, **sanitizer_environment(),
                     **with_layers(LAYER if validation else {}, ON_PROFILE), **(environment or {})}
        read_end, write_end = os.pipe()
        self.process = subprocess.Popen(
            [*ON_HOST, PVGPU, self.SUBCOMMAND, "--socket", self.socket, "--log-level", log_level, "--ready-fd", str(write_end), *arguments],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, pass_fds=[write_end], env=variables,
            start_new_session=True)
        os.close(write_end)
        try:
            self._wait_ready(read_end)
        except BaseException:
            self.kill()
            raise
        finally:
            os.close(read_end)

    def _wait_ready(self, read_end):
        """Until the server has said so and closed its end, which is the last thing that it does before it serves."""
        said = b""
        while select.select([read_end], [], [], 30 * DEADLINE_SCALE)[0]:
            piece = os.read(read_end, 256)
            if not piece:
                break
            said += piece
        if b"READY=1" not in said.splitlines():
            raise AssertionError(f"the server did not get ready (said {said!r}); its log:\n{self.log()}")

    def venus(self):
        """The environment of a guest program that uses this server."""
        return GUEST_VENUS(self.socket)

    def log(self):
        return read_file(self.log_path)

    def log_lines(self, pattern):
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def workers(self):
        """The processes below the supervisor that serve guests."""
        return [pid for pid in self.children() if not _is_ready(pid)]

    def ready_workers(self):
        """Those that wait for a guest."""
        return [pid for pid in self.children() if _is_ready(pid)]

    def children(self):
        """All processes below the supervisor."""
        found, queue = [], [self.process.pid]
        while queue:
            parent = queue.pop()
            for task in pathlib.Path(f"/proc/{parent}/task").glob("*"):
                try:
                    children = list(map(int, read_file(task / "children").split()))
                except OSError:
                    continue
                found += children
                queue += children
        return found

    def resources(self):
        status = dict(line.split(":", 1) for line in read_file(f"/proc/{self.process.pid}/status").splitlines())
        own = sum(int(status[name].split()[0]) for name in ("RssAnon", "RssShmem"))
        return Resources(len(os.listdir(f"/proc/{self.process.pid}/fd")), int(status["Threads"]), own, len(self.workers()))

    def wait_idle(self, before, deadline=60):
        """Waits until the server holds no more processes, threads and descriptors than `before`; returns what it holds."""
        def idle():
            now = self.resources()
            return now if (len(self.ready_workers()) == (self._ready_workers or 0) and now.children <= before.children and now.threads <= before.threads
                           and now.descriptors <= before.descriptors) else None
        return wait_until(idle, lambda: f"idle again as {before}; it holds {self.resources()}; its log ends:\n"
                          + "\n".join(self.log().splitlines()[-30:]), deadline)

    def stop(self):
        """SIGTERM; fails the test unless the server ends by itself with status 0 and leaves nothing behind."""
        workers = self.children()
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20 * DEADLINE_SCALE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end on SIGTERM; its log:\n{self.log()}") from None
        if status != 0:
            raise AssertionError(f"the server ended with {status} on SIGTERM; its log:\n{self.log()}")
        if self.socket.exists():
            raise AssertionError("the server left its socket behind")
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in workers), "the server's workers end with it")

    def check_log(self):
        """Fails the test on any report of a sanitizer, of the validation layer, or of a driver that was asked for what it does not show."""
        reports = [line for line in self.log().splitlines() if _SANITIZER_REPORT.search(line)]
        reports += sorted(messages(self.log()) - self._known)
        reports += [line for line in self.log().splitlines() if REFUSAL in line]
        if reports:
            raise AssertionError("reports in the server's log:\n" + "\n".join(reports[:20]) + f"\nthe whole log:\n{self.log()[-20000:]}")

    def kill(self):
        """SIGKILL to all of its processes."""
        for pid in [self.process.pid, *self.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # Workers end when they see that the supervisor has.
        self.process.wait()
        self.close_log()

    def close_log(self):
        self._log.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.kill()
            return
        if self.process.poll() is None:
            self.stop()
        self.close_log()
        self.check_log()


def sanitizer_environment():
    """Reports go to the log and end the process; what the host's driver itself does is not our finding."""
    if not SANITIZED:
        return {}
    return {
        "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
        "LSAN_OPTIONS": f"suppressions={_SUPPRESSIONS}/leak.txt:print_suppressions=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "TSAN_OPTIONS": f"suppressions={_SUPPRESSIONS}/thread.txt:ignore_noninstrumented_modules=1:second_deadlock_stack=1",
    }
