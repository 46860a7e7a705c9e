"""A VNC viewer (RFC 6143) that looks and does nothing else."""

import socket
import struct

from harness import DEADLINE_SCALE, Picture


class Viewer:
    """A connection to a VNC server without a password. A context manager."""

    def __init__(self, port, host="127.0.0.1", deadline=60):
        self._socket = socket.create_connection((host, port), deadline * DEADLINE_SCALE)
        version = self._read(12)
        assert version.startswith(b"RFB 003.00"), version
        self._socket.sendall(b"RFB 003.008\n")
        kinds = self._read(self._read(1)[0])
        assert 1 in kinds, f"the server wants a password: {kinds}"
        self._socket.sendall(b"\1")
        assert self._read(4) == bytes(4), "the server refuses"
        self._socket.sendall(b"\1")  # Others may look too.
        self._size = struct.unpack(">HH", self._read(4))
        self._read(16)
        self.name = self._read(struct.unpack(">I", self._read(4))[0]).decode()
        # Pixels as B8G8R8X8, raw, and the screen's new sizes.
        self._socket.sendall(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self._socket.sendall(struct.pack(">BxHii", 2, 2, 0, -223))
        self._pixels = bytearray(4 * self._size[0] * self._size[1])

    def look(self):
        """The whole screen as it is now."""
        self._socket.sendall(struct.pack(">BBHHHH", 3, 0, 0, 0, *self._size))
        assert self._read(1) == b"\0", "not an update"
        for _ in range(struct.unpack(">xH", self._read(3))[0]):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self._read(12))
            if encoding == -223:
                self._size = width, height
                self._pixels = bytearray(4 * width * height)
                continue
            assert encoding == 0, encoding
            for line in range(y, y + height):
                at = 4 * (line * self._size[0] + x)
                self._pixels[at:at + 4 * width] = self._read(4 * width)
        return Picture.from_bgrx(*self._size, bytes(self._pixels))

    def _read(self, count):
        data = b""
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise AssertionError("the VNC server hung up")
            data += piece
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
