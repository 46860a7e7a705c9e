"""A display without a screen (Xvfb in the guest root) that shows what a program last drew, also after the program has ended.

The trick: below the program's window lies one of ours with no background. When the program ends and its window goes, X has
nothing to paint there, so the program's last frame stays, and a program told to draw N frames leaves exactly frame N."""

import os
import pathlib
import select
import socket
import struct
import subprocess

from .guest import guest_command
from .picture import Picture
from .settings import DEADLINE_SCALE

WIDTH, HEIGHT = 640, 640


class Display:
    """A context manager. `environment` is what a guest program needs to draw on it."""

    def __init__(self):
        read_end, write_end = os.pipe()
        self._process = subprocess.Popen(
            guest_command({}, ["Xvfb", "-displayfd", write_end, "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp", "-ac"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[write_end])
        os.close(write_end)
        readable, _, _ = select.select([read_end], [], [], 30 * DEADLINE_SCALE)
        number = os.read(read_end, 16).strip().decode() if readable else ""
        os.close(read_end)
        if not number:
            self._process.kill()
            raise AssertionError("Xvfb did not start")
        # Software presentation: the guest has no GPU that could share pictures with this X server.
        self.environment = {"DISPLAY": f":{number}", "MESA_VK_WSI_DEBUG": "sw"}
        self._x = _XClient(pathlib.Path("/tmp/.X11-unix") / f"X{number}")
        self._canvas = self._x.map_unpainted_window(WIDTH, HEIGHT)

    def picture(self, x=0, y=0, width=WIDTH, height=HEIGHT):
        """What the display shows now."""
        return Picture.from_bgrx(width, height, self._x.get_image(x, y, width, height))

    def wipe(self):
        """Paints everything black."""
        self._x.fill(self._canvas, WIDTH, HEIGHT)

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
        self._next_id, = struct.unpack_from("<I", setup, 4)
        vendor_length, _, _, formats = struct.unpack_from("<HHBB", setup, 16)
        screen = 32 + (vendor_length + 3) // 4 * 4 + formats * 8
        self.root, = struct.unpack_from("<I", setup, screen)

    def map_unpainted_window(self, width, height):
        window = self._new_id()
        # CreateWindow, copying depth and visual; background-pixmap None, override-redirect.
        self._send(1, 0, struct.pack("<IIhhHHHHIIII", window, self.root, 0, 0, width, height, 0, 1, 0, 0x1 | 0x200, 0, 1))
        self._send(8, 0, struct.pack("<I", window))
        self.fill(window, width, height)
        return window

    def fill(self, window, width, height):
        context = self._new_id()
        self._send(55, 0, struct.pack("<III", context, window, 0))  # CreateGC: foreground 0
        self._send(70, 0, struct.pack("<IIhhHH", window, context, 0, 0, width, height))  # PolyFillRectangle
        self._send(60, 0, struct.pack("<I", context))
        self.get_image(0, 0, 1, 1)  # Its reply tells that the requests before it are done.

    def get_image(self, x, y, width, height):
        self._send(73, 2, struct.pack("<IhhHHI", self.root, x, y, width, height, 0xFFFFFFFF))
        while True:
            head = self._receive(32)
            if head[0] == 1:
                return self._receive(struct.unpack_from("<I", head, 4)[0] * 4)[:width * height * 4]
            if head[0] == 0:
                raise AssertionError(f"X error {head[1]}")

    def close(self):
        self._socket.close()

    def _new_id(self):
        self._next_id += 1
        return self._next_id

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
