"""Guests that break the protocol: each is stopped with a named reason in one line of the log, and nobody else notices."""

import os
import random
import re
import unittest

from harness import PROGRAMS, GuestCase, Program, Server, VtestClient, guest_command, vtest
from harness import venus
from harness.guest import wait_until
from harness.venus import HandDrivenRing, command, create_instance, create_ring, u32
from harness.vtest import words

# The names of src/venus/poison.h.
REASONS = {re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower() for name in re.findall(
    r"^  k(\w+),", (vtest.CHECKOUT / "src" / "venus" / "poison.h").read_text(), re.MULTILINE)}
POISONED = re.compile(r"\b(?:poisoned|stopped): (" + "|".join(REASONS) + r"): ")


# Attacks on the transport: each gets a connected client that has said nothing yet.
def unknown_message(client):
    client.handshake().send_message(99, words(1, 2, 3))


def oversized_message(client):
    client.handshake().send(words(0xFFFFFFFF, vtest.SUBMIT_CMD2))


def oversized_name(client):
    client.send(words(0xFFFFFFFF, vtest.CREATE_RENDERER))


def short_message(client):
    client.handshake().send_message(vtest.RESOURCE_CREATE_BLOB, words(vtest.BLOB_HOST3D))


def ends_inside_a_message(client):
    client.handshake().send(words(100, vtest.SUBMIT_CMD2) + words(1, 1, 7))
    client.half_close()


def submission_before_context(client):
    client.send_message(vtest.CREATE_RENDERER, b"early\0")
    client.submit(command(venus.NOTIFY_RING, venus.RING_ID, u32(0, 0)))


def batch_outside_message(client):
    client.handshake().send_message(vtest.SUBMIT_CMD2, words(1, 1, 7, 0x40000000, 7, 0, 0))


def batch_count_overflows(client):
    client.handshake().send_message(vtest.SUBMIT_CMD2, words(0x2AAAAAAB, 1, 7, 0, 7, 0, 0))


def blob_of_unknown_memory(client):
    client.handshake().send_message(vtest.RESOURCE_CREATE_BLOB, words(vtest.BLOB_HOST3D, vtest.BLOB_MAPPABLE, 4096, 0, 1234, 0))


def blob_too_large(client):
    client.handshake().send_message(vtest.RESOURCE_CREATE_BLOB, words(vtest.BLOB_HOST3D, vtest.BLOB_MAPPABLE, 0, 0x10000000, 0, 0))


TRANSPORT = [
    (unknown_message, ("bad_message", "unknown_command")),
    (oversized_message, ("bad_message", "limit_exceeded")),
    (oversized_name, ("bad_message", "limit_exceeded")),
    (short_message, ("bad_message", "truncated")),
    (ends_inside_a_message, ("bad_message", "truncated")),
    (submission_before_context, ("bad_message",)),
    (batch_outside_message, ("bad_message", "truncated", "bad_range")),
    (batch_count_overflows, ("bad_message", "truncated", "bad_count")),
    (blob_of_unknown_memory, ("unknown_object",)),
    (blob_too_large, ("bad_range", "limit_exceeded")),
]

# Attacks by commands of the context stream. RESOURCE stands for a shared-memory blob of RING_SIZE bytes.
STREAM = {
    "unknown command": (lambda resource: command(60000), ("unknown_command",)),
    "truncated command": (lambda resource: command(venus.NOTIFY_RING, venus.RING_ID), ("truncated",)),
    "ring that is not there": (lambda resource: command(venus.NOTIFY_RING, 4711, u32(0, 0)), ("bad_ring", "unknown_object")),
    "ring in no resource": (lambda resource: create_ring(resource + 99), ("unknown_resource",)),
    "ring past its resource": (lambda resource: create_ring(resource, size=2 * venus.RING_SIZE), ("bad_range", "bad_ring")),
    "ring offset that overflows": (lambda resource: create_ring(resource, offset=2**64 - 64), ("bad_range", "bad_ring")),
    "ring buffer of an odd size": (lambda resource: create_ring(resource, buffer_size=0x1FFFF), ("bad_ring", "bad_range")),
    "ring buffer outside": (lambda resource: create_ring(resource, buffer=2**63), ("bad_ring", "bad_range")),
    "ring words that overlap": (lambda resource: create_ring(resource, tail=venus.HEAD), ("bad_ring",)),
    "ring of an unknown sType": (lambda resource: create_ring(resource).replace(u32(1000384000), u32(7)), ("bad_struct_type",)),
    "chain with an unknown structure": (
        lambda resource: command(venus.CREATE_RING, venus.RING_ID, 1, u32(1000384000), 1, u32(12345), 0), ("unknown_struct",)),
    "streams nested in themselves": (
        lambda resource: command(venus.EXECUTE_COMMAND_STREAMS, u32(1), 1, u32(resource), 2**63, 64, 0, u32(0), 0, u32(0)),
        ("bad_range",)),
}

# Attacks by commands of a ring.
RING = {
    "unknown command": (command(60000), ("unknown_command",)),
    "unknown object": (command(venus.DESTROY_INSTANCE, 777, 0), ("unknown_object",)),
    "null object": (command(venus.ENUMERATE_PHYSICAL_DEVICES, 0, 1, u32(0), 0), ("null_object",)),
    "object of another type": (create_instance(1) + command(venus.DEVICE_WAIT_IDLE, 1), ("wrong_object_type",)),
    "id in use": (create_instance(1) + create_instance(1), ("duplicate_object",)),
    "absent structure": (command(venus.CREATE_INSTANCE, 0, 0, 1, 1), ("bad_presence",)),
    "count without elements": (create_instance(1, extension_count=0x10000000), ("bad_count",)),
    "count that overflows": (create_instance(1, extension_count=0xFFFFFFFF, extension_names=2**64 - 1), ("bad_count", "truncated")),
    "count beyond what is there": (create_instance(1, extension_count=1000, extension_names=1000), ("bad_count", "truncated")),
    "reply to nowhere": (command(venus.ENUMERATE_INSTANCE_VERSION, 1, flags=venus.WANT_REPLY), ("no_reply_stream",)),
    "reply into no resource": (command(venus.SET_REPLY_COMMAND_STREAM, 1, u32(4711), 0, 64), ("unknown_resource",)),
}


class BadGuests(GuestCase):
    def setUp(self):
        super().setUp()
        self.server = self.enterContext(Server(self.folder))
        self.before = self.server.resources()
        self.witness = self.enterContext(Program(guest_command(self.server.venus(), [PROGRAMS / "hold"])))
        self.witness.wait_for_lines(1)

    def poisons(self):
        return [match for match in map(POISONED.search, self.server.log().splitlines()) if match]

    def attack(self, name, action, expected):
        """`action` gets a client; afterwards the log has one more poison line, of an expected reason, and the witness works."""
        with self.subTest(name):
            earlier = len(self.poisons())
            with VtestClient(self.server) as client:
                ring = action(client)
                wait_until(lambda: len(self.poisons()) > earlier,
                           lambda: f"poisoned; the log ends:\n{self.server.log()[-3000:]}")
                if isinstance(ring, HandDrivenRing):
                    wait_until(ring.fatal, lambda: f"the ring shows FATAL; the log ends:\n{self.server.log()[-3000:]}")
            wait_until(lambda: len(self.server.workers()) == self.before.children + 1, "its worker ends")
            self.witness.wait_for_lines(len(self.witness.lines()) + 1)
            lines = self.poisons()[earlier:]
            self.assertEqual(len(lines), 1, [line.string for line in lines])
            self.assertIn(lines[0][1], expected, lines[0].string)

    def finish(self):
        self.witness.process.stdin.close()
        self.witness.process.stdin = None
        self.assertEqual(self.witness.wait(), 0, self.witness.output())
        self.server.wait_idle(self.before)

    def test_transport(self):
        for action, expected in TRANSPORT:
            self.attack(action.__name__, action, expected)
        self.finish()

    def test_context_stream(self):
        for name, (commands, expected) in STREAM.items():
            def action(client, commands=commands):
                resource, descriptor = client.handshake().create_blob(venus.RING_SIZE)
                os.close(descriptor)
                client.submit(commands(resource))
            self.attack(name, action, expected)
        self.finish()

    def test_ring(self):
        for name, (commands, expected) in RING.items():
            def action(client, commands=commands):
                ring = HandDrivenRing(client.handshake())
                ring.send(commands)
                return ring
            self.attack(name, action, expected)

        def tail_beyond_buffer(client):
            ring = HandDrivenRing(client.handshake())
            ring.set_tail(3 * venus.BUFFER_SIZE)
            return ring
        self.attack("tail beyond the buffer", tail_beyond_buffer, ("bad_ring",))
        self.finish()

    def test_a_good_ring_is_served(self):
        # The yardstick for the others: the same hand-driven ring, used well, is not poisoned.
        with VtestClient(self.server) as client:
            ring = HandDrivenRing(client.handshake())
            ring.send(create_instance(1) + command(venus.DESTROY_INSTANCE, 1, 0))
            wait_until(ring.consumed, lambda: f"consumed; the log ends:\n{self.server.log()[-3000:]}")
            self.assertFalse(ring.fatal())
        self.finish()
        self.assertEqual(self.poisons(), [])

    def test_garbage(self):
        """Noise of known seeds, as messages, as commands and in the ring. Some of it may happen to be harmless."""
        for seed in range(24):
            noise = random.Random(seed)
            with self.subTest(seed=seed), VtestClient(self.server) as client:
                if seed % 3 == 0:
                    client.send(noise.randbytes(4096))
                    client.half_close()
                    client.wait_for_end()
                else:
                    ring = HandDrivenRing(client.handshake())
                    # Small command numbers, so that decoders and not only the dispatch see the noise.
                    body = b"".join(u32(noise.randrange(300), noise.randrange(2)) + noise.randbytes(64) for _ in range(20))
                    if seed % 3 == 1:
                        client.submit(body)
                    else:
                        ring.send(body)
                    wait_until(lambda: ring.fatal() or ring.consumed(), lambda: f"the noise is done with; the log ends:\n{self.server.log()[-3000:]}")
        self.witness.wait_for_lines(len(self.witness.lines()) + 1)
        self.assertGreater(len(self.poisons()), 12)
        self.finish()


if __name__ == "__main__":
    unittest.main()
