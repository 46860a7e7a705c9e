"""A raw client of the vtest protocol, for saying what Mesa never would."""

import array
import socket
import struct

from .settings import CHECKOUT, DEADLINE_SCALE

RESOURCE_UNREF, BUSY_WAIT, CREATE_RENDERER, PING, PROTOCOL_VERSION = 3, 7, 8, 10, 11
GET_PARAM, GET_CAPSET, CONTEXT_INIT, RESOURCE_CREATE_BLOB, SUBMIT_CMD2 = 15, 16, 17, 18, 24
CAPSET_VENUS = 4
BLOB_HOST3D, BLOB_MAPPABLE = 2, 1


def words(*values):
    return struct.pack(f"<{len(values)}I", *(value & 0xFFFFFFFF for value in values))


class VtestClient:
    """Connected on construction; handshake() makes it a Venus context. A context manager."""

    def __init__(self, server):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(20 * DEADLINE_SCALE)
        self._socket.connect(str(server.socket))

    def send(self, data):
        """Raw bytes. A server that has already hung up on us is no failure: that is what wait_for_end() looks for."""
        try:
            self._socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def send_message(self, command, payload=b"", length=None):
        """`length` overrides the header's count, in words (in bytes for CREATE_RENDERER)."""
        if length is None:
            length = len(payload) if command == CREATE_RENDERER else len(payload) // 4
        self.send(words(length, command) + payload)

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise AssertionError(f"the server hung up after {len(data)} of {size} bytes")
            data += part
        return data

    def receive_message(self):
        length, command = struct.unpack("<II", self.receive(8))
        return command, self.receive(length * 4)

    def handshake(self, name=b"bad guest"):
        self.send_message(CREATE_RENDERER, name + b"\0")
        self.send_message(PING)
        self.send_message(BUSY_WAIT, words(0, 0))
        assert self.receive_message()[0] == PING
        assert self.receive_message()[0] == BUSY_WAIT
        self.send_message(PROTOCOL_VERSION, words(3))
        assert self.receive_message() == (PROTOCOL_VERSION, words(3))
        self.send_message(GET_CAPSET, words(CAPSET_VENUS, 0))
        command, capset = self.receive_message()
        assert command == GET_CAPSET and capset[:4] == words(1), (command, capset[:8])
        self.send_message(CONTEXT_INIT, words(CAPSET_VENUS))
        return self

    def create_blob(self, size, blob_id=0, flags=BLOB_MAPPABLE, kind=BLOB_HOST3D):
        """A resource's id and descriptor."""
        self.send_message(RESOURCE_CREATE_BLOB, words(kind, flags) + struct.pack("<QQ", size, blob_id))
        command, reply = self.receive_message()
        assert command == RESOURCE_CREATE_BLOB
        descriptors = array.array("i")
        _, ancillary, _, _ = self._socket.recvmsg(1, socket.CMSG_SPACE(4))
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        return struct.unpack("<I", reply)[0], descriptors[0]

    def submit(self, commands, ring_idx=0):
        """One batch of Venus commands on the context stream."""
        count = len(commands) // 4
        self.send_message(SUBMIT_CMD2, words(1, 1, 7, count, 7 + count, 0, ring_idx) + commands)

    def wait_for_end(self):
        """Waits until the server hangs up."""
        while True:
            try:
                if not self._socket.recv(4096):
                    return
            except ConnectionResetError:
                return

    def half_close(self):
        self._socket.shutdown(socket.SHUT_WR)

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
