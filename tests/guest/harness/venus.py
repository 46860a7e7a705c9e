"""Venus commands as bytes, and a ring driven by hand. Numbers and layouts: the venus-protocol repository of Mesa."""

import mmap
import os
import struct

CREATE_INSTANCE, DESTROY_INSTANCE, ENUMERATE_PHYSICAL_DEVICES, ENUMERATE_INSTANCE_VERSION, DEVICE_WAIT_IDLE = 0, 1, 2, 137, 20
SET_REPLY_COMMAND_STREAM, EXECUTE_COMMAND_STREAMS = 178, 180
CREATE_RING, DESTROY_RING, NOTIFY_RING = 188, 189, 190
WANT_REPLY = 1
STATUS_IDLE, STATUS_FATAL, STATUS_ALIVE = 1, 2, 4

RING_ID = 0x7F0012345670
HEAD, TAIL, STATUS, BUFFER = 0, 64, 128, 192
BUFFER_SIZE = 0x20000
RING_SIZE = BUFFER + BUFFER_SIZE + 4


def command(number, *parts, flags=0):
    """A command of `parts`, each bytes or a whole number, which is written as 64 bits."""
    return struct.pack("<II", number, flags) + b"".join(
        part if isinstance(part, bytes) else struct.pack("<Q", part) for part in parts)


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def create_instance(instance_id, extension_count=0, extension_names=0, presence=1):
    """vkCreateInstance with nothing wished for."""
    return command(CREATE_INSTANCE, presence, u32(1), 0, u32(0), 0, u32(0), 0, u32(extension_count), extension_names, 0,
                   1, instance_id)


def create_ring(resource, ring_id=RING_ID, offset=0, size=RING_SIZE, head=HEAD, tail=TAIL, status=STATUS, buffer=BUFFER,
                buffer_size=BUFFER_SIZE, extra=BUFFER + BUFFER_SIZE, extra_size=4):
    return command(CREATE_RING, ring_id, 1, u32(1000384000), 0, u32(0, resource), offset, size, 1_000_000, head, tail, status,
                   buffer, buffer_size, extra, extra_size)


class HandDrivenRing:
    """A ring that we feed ourselves. Made over a client whose handshake is done."""

    def __init__(self, client):
        self._client = client
        self.resource, descriptor = client.create_blob(RING_SIZE)
        self.memory = mmap.mmap(descriptor, RING_SIZE)
        os.close(descriptor)
        self.memory[:] = bytes(RING_SIZE)
        self._tail = 0
        client.submit(create_ring(self.resource))

    def _load(self, offset):
        return struct.unpack_from("<I", self.memory, offset)[0]

    def send(self, commands):
        """Puts commands into the ring and wakes the host."""
        start = BUFFER + self._tail % BUFFER_SIZE
        self.memory[start:start + len(commands)] = commands
        self.set_tail(self._tail + len(commands))

    def set_tail(self, tail):
        self._tail = tail
        struct.pack_into("<I", self.memory, TAIL, tail)
        self._client.submit(command(NOTIFY_RING, RING_ID, u32(tail, 0)))

    def consumed(self):
        """Whether the host has done everything that was sent."""
        return self._load(HEAD) == self._tail

    def fatal(self):
        return bool(self._load(STATUS) & STATUS_FATAL)
