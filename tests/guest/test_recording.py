"""`--record`: what stock Mesa sends is decoded again from the file alone. `--latency`: how long its commands took us."""

import json
import re
import subprocess
import unittest

from harness import PROGRAMS, GuestCase, Server, run_guest
from harness.settings import BUILD


class Recording(GuestCase):
    def test_a_program_is_recorded_and_replayed(self):
        path = self.folder / "recording"
        with Server(self.folder, arguments=["--record", path]) as server:
            for _ in range(2):
                run_guest(server.venus(), [PROGRAMS / "compute", self.folder / "results"])
        # The server waits for its workers, who complete their files.
        for file in (path, path.with_name("recording.2")):
            listed = subprocess.run([BUILD / "bench" / "pvgpu_replay", file, "--list"], capture_output=True, text=True)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertRegex(listed.stdout, re.compile(r"^ +\d+ vkCmdDispatch", re.MULTILINE))
            replayed = subprocess.run([BUILD / "bench" / "pvgpu_replay", file], capture_output=True, text=True)
            self.assertEqual((replayed.returncode, replayed.stderr), (0, ""))
            self.assertIn("M commands/s", replayed.stdout)

    def test_a_folder_that_is_not_there_costs_the_recording_alone(self):
        with Server(self.folder, arguments=["--record", "/nonexistent/recording"]) as server:
            run_guest(server.venus(), [PROGRAMS / "tiny"])
            self.assertTrue(server.log_lines("cannot write the recording /nonexistent/recording: no such file or directory"))

    def test_latencies_are_told_when_guests_end(self):
        path = self.folder / "latency"
        with Server(self.folder, arguments=["--latency", path]) as server:
            for _ in range(2):
                run_guest(server.venus(), [PROGRAMS / "tiny"])
        guests = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertEqual(len(guests), 2)
        for guest in guests:
            for hop in ("pick-up", "decode", "driver", "reply", "span"):
                found = guest["hops"][hop]
                self.assertGreater(found["count"], 0)
                self.assertEqual(found["count"], sum(count for _, count in found["buckets"]))
                self.assertLessEqual(found["p50_ns"], found["p99_ns"])
                self.assertLessEqual(found["p99_ns"], found["most_ns"])
            # Each command that is told of by itself has passed all hops.
            self.assertEqual(guest["hops"]["decode"]["count"], guest["hops"]["reply"]["count"])
            self.assertEqual(guest["hops"]["pick-up"]["count"], guest["hops"]["span"]["count"])

    def test_latencies_as_a_table(self):
        with Server(self.folder, arguments=["--latency", "-"]) as server:
            run_guest(server.venus(), [PROGRAMS / "tiny"])
        self.assertTrue(server.log_lines(r"^latency of pid \d+, in µs"), server.log())
        self.assertTrue(server.log_lines(r"^pick-up +\d+ +[\d.]+ +[\d.]+"), server.log())


if __name__ == "__main__":
    unittest.main()
