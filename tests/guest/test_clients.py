"""Many clients of one server: at once, one after another, and killed."""

import os
import signal
import unittest

from cube import Cube
from harness import PROGRAMS, SANITIZED, Display, GuestCase, Program, Server, guest_command, run_guest
from harness.guest import wait_until

MEMORY_KB = 64 * 1024 if SANITIZED else 1024  # A sanitizer's own bookkeeping grows with what has been.


class Clients(GuestCase):
    def assert_as_before(self, server, before):
        """The server holds what it held before its clients came."""
        after = server.wait_idle(before)
        self.assertEqual((after.descriptors, after.threads, after.children),
                         (before.descriptors, before.threads, before.children))
        self.assertLessEqual(abs(after.memory_kb - before.memory_kb), MEMORY_KB, f"{before} became {after}")

    def hold(self, server):
        program = self.enterContext(Program(guest_command(server.venus(), [PROGRAMS / "hold"])))
        program.wait_for_lines(1)
        return program

    def end_hold(self, program):
        program.process.stdin.close()
        program.process.stdin = None
        self.assertEqual(program.wait(), 0, program.output())
        self.assertEqual(program.lines()[-1], "done")

    def test_two_draw_and_one_is_killed(self):
        with Display() as display, Display() as victims_display, Server(self.folder) as server:
            before = server.resources()
            with Cube(victims_display, server.venus()) as victim, Cube(display, server.venus()) as survivor:
                self.see_it_move(victims_display)
                self.see_it_move(display)
                self.assertEqual(len(server.workers()), before.children + 2)
                victim.program.kill()
                wait_until(lambda: len(server.workers()) == before.children + 1, "the victim's worker ends")
                self.see_it_move(display)
                self.assertEqual(survivor.quit(), 0, survivor.program.output())
            self.assert_as_before(server, before)

    def see_it_move(self, display):
        """Waits for ten different pictures of a cube."""
        seen = 0
        picture = display.picture()
        while seen < 10:
            picture = display.changed_picture(picture)
            seen += picture.colors() > 1000

    def test_twenty_at_once(self):
        with Server(self.folder) as server:
            before = server.resources()
            programs = [self.enterContext(Program(guest_command(server.venus(), [PROGRAMS / "hold"]))) for _ in range(20)]
            for program in programs:
                program.wait_for_lines(1)
            at = [len(program.lines()) for program in programs]
            for program, lines in zip(programs, at):
                program.wait_for_lines(lines + 1)  # Each still works while all the others live.
            self.assertEqual(len(server.workers()), before.children + 20)
            for program in programs:
                self.end_hold(program)
            self.assert_as_before(server, before)

    def test_one_after_another(self):
        count = 100 if SANITIZED else 1000
        loop = 'i=0; while [ $i -lt "$2" ]; do "$1" || exit 1; i=$((i + 1)); done'
        with Server(self.folder, log_level="info") as server:
            before = server.resources()
            output = run_guest(server.venus(), ["/bin/sh", "-c", loop, "sh", PROGRAMS / "tiny", count], deadline=900)
            self.assertEqual(output.splitlines().count("filled"), count)
            self.assert_as_before(server, before)

    def test_killed_at_any_moment(self):
        with Server(self.folder) as server:
            before = server.resources()
            witness = self.hold(server)
            for step in range(30):
                with Program(guest_command(server.venus(), [PROGRAMS / "tiny"])) as program:
                    try:
                        # Not a wait: the moment of the kill is what is tried, from before the handshake to after the end.
                        program.process.wait(step * 0.008)
                    except Exception:
                        pass
            witness.wait_for_lines(len(witness.lines()) + 1)
            self.end_hold(witness)
            self.assert_as_before(server, before)

    def test_ready_workers(self):
        with Server(self.folder, ready_workers=2) as server:
            wait_until(lambda: len(server.ready_workers()) == 2, "two workers are ready")
            ready = server.ready_workers()
            held = [self.hold(server), self.hold(server)]
            self.assertEqual(set(server.workers()), set(ready), "the guests are served by those that were ready")
            wait_until(lambda: len(server.ready_workers()) == 2, "two more are ready")
            for pid in server.ready_workers():
                os.kill(pid, signal.SIGKILL)
            held.append(self.hold(server))
            wait_until(lambda: len(server.ready_workers()) == 2, "two others are ready")
            for program in held:
                self.end_hold(program)
        with Server(self.folder, ready_workers=0) as server:
            self.end_hold(self.hold(server))
            self.assertEqual(server.ready_workers(), [])

    def test_server_stops_under_its_clients(self):
        with Server(self.folder) as server:
            self.hold(server)
            server.stop()


if __name__ == "__main__":
    unittest.main()
