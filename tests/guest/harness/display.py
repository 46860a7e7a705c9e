"""A display without a screen (Xvfb in the guest root): shows what a program draws, and presses its keys."""

import os
import pathlib
import select
import socket
import struct
import subprocess

from .guest import guest_command, wait_until
from .picture import Picture
from .settings import DEADLINE_SCALE

WIDTH, HEIGHT = 640, 640


class Display:
    """A context manager. `environment` is what a guest program needs to draw on it."""

    def __init__(self, width=WIDTH, height=HEIGHT):
        self._size = width, height
        read_end, write_end = os.pipe()
        self._process = subprocess.Popen(
            guest_command({}, ["Xvfb", "-displayfd", write_end, "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp", "-ac", "-noreset"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        number = b""
        while not number.endswith(b"\n"):  # It comes in pieces, and Xvfb ends if nobody reads the last.
            readable, _, _ = select.select([read_end], [], [], 30 * DEADLINE_SCALE)
            piece = os.read(read_end, 16) if readable else b""
            if not piece:
                break
            number += piece
        os.close(read_end)
        number = number.strip().decode()
        if not number:
            self._process.kill()
            raise AssertionError("Xvfb did not start")
        # Software presentation: the guest has no GPU that could share pictures with this X server.
        self.environment = {"DISPLAY": f":{number}", "MESA_VK_WSI_DEBUG": "sw"}
        self._x = _XClient(pathlib.Path("/tmp/.X11-unix") / f"X{number}")

    def picture(self, x=0, y=0, width=None, height=None):
        """What the display shows now, or a part of it."""
        width, height = width or self._size[0], height or self._size[1]
        return Picture.from_bgrx(width, height, self._x.get_image(x, y, width, height))

    def pixels(self, width, height):
        """The upper left corner of what the display shows now: B8G8R8X8, rows without gaps."""
        return self._x.get_image(0, 0, width, height)

    def changed_picture(self, before, deadline=60):
        """The first picture seen that is not `before`; for a program that draws when told to, the next one."""
        return wait_until(lambda: self._unlike(before), "another picture", deadline, interval=0.002)

    def _unlike(self, before):
        picture = self.picture()
        return picture if picture.rgb != before.rgb else None

    def forget_windows(self):
        """Windows created so far are no news for new_window()."""
        self._x.get_image(0, 0, 1, 1)

    def new_window(self):
        """Waits for the next window that a program creates."""
        return self._x.next_created_window()

    def press_key(self, window, keycode):
        """What `window` is told when a key goes down."""
        self._x.send_key(window, keycode, event=2, selected_by=0x1)

    def release_key(self, window, keycode):
        """What `window` is told when a key comes up."""
        self._x.send_key(window, keycode, event=3, selected_by=0x2)

    def close(self):
        self._x.close()
        self._process.terminate()
        self._process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _XClient:
    """As much of the X11 protocol as the display needs. See the X Window System Protocol, version 11: section 8 for the
    connection setup, appendix B for the encoding of requests."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30 * DEADLINE_SCALE)
        self._socket.connect(str(path))
        self._socket.sendall(struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0))
        status, length = struct.unpack("<BxxxxxH", self._receive(8))
        setup = self._receive(length * 4)
        if status != 1:
            raise AssertionError(f"the X server refused the connection: {setup!r}")
        vendor_length, _, _, formats = struct.unpack_from("<HHBB", setup, 16)
        screen = 32 + (vendor_length + 3) // 4 * 4 + formats * 8
        self.root, = struct.unpack_from("<I", setup, screen)

        # ChangeWindowAttributes of the root: event-mask SubstructureNotify, to be told of new windows.
        self._send(2, 0, struct.pack("<III", self.root, 0x800, 0x80000))
        self.get_image(0, 0, 1, 1)  # Its reply tells that the request before it is done.

    def next_created_window(self):
        while True:
            event = self._receive(32)
            if event[0] & 0x7F == 16:  # CreateNotify
                return struct.unpack_from("<I", event, 8)[0]

    def send_key(self, window, keycode, event, selected_by):
        """SendEvent of KeyPress (2) or KeyRelease (3), to who selected it by its event-mask bit."""
        body = struct.pack("<BBHIIIIhhhhHBx", event, keycode, 0, 0, self.root, window, 0, 0, 0, 0, 0, 0, 1)
        self._send(25, 0, struct.pack("<II", window, selected_by) + body)
        self.get_image(0, 0, 1, 1)

    def get_image(self, x, y, width, height):
        self._send(73, 2, struct.pack("<IhhHHI", self.root, x, y, width, height, 0xFFFFFFFF))
        return self._reply()[1][:width * height * 4]

    def _reply(self):
        """The head and the rest of the next reply; events are skipped."""
        while True:
            head = self._receive(32)
            if head[0] == 1:
                return head, self._receive(struct.unpack_from("<I", head, 4)[0] * 4)
            if head[0] == 0:
                raise AssertionError(f"X error {head[1]}")

    def close(self):
        self._socket.close()

    def _send(self, opcode, detail, body):
        self._socket.sendall(struct.pack("<BBH", opcode, detail, 1 + len(body) // 4) + body)

    def _receive(self, size):
        data = bytearray()
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise AssertionError("the X server closed the connection")
            data += part
        return bytes(data)
