"""`--record`: what stock Mesa sends is decoded again from the file alone."""

import re
import subprocess
import unittest

from harness import PROGRAMS, GuestCase, Server, run_guest
from harness.settings import BUILD


class Recording(GuestCase):
    def test_a_program_is_recorded_and_replayed(self):
        path = self.folder / "recording"
        with Server(self.folder, arguments=["--record", path]) as server:
            before = server.resources()
            for _ in range(2):
                run_guest(server.venus(), [PROGRAMS / "compute", self.folder / "results"])
            server.wait_idle(before)  # a worker completes its file when it ends
        for file in (path, path.with_name("recording.2")):
            listed = subprocess.run([BUILD / "bench" / "pvgpu_replay", file, "--list"], capture_output=True, text=True)
            self.assertEqual(listed.returncode, 0, listed.stderr)
            self.assertRegex(listed.stdout, re.compile(r"^ +\d+ vkCmdDispatch", re.MULTILINE))
            replayed = subprocess.run([BUILD / "bench" / "pvgpu_replay", file], capture_output=True, text=True)
            self.assertEqual(replayed.returncode, 0, replayed.stderr)
            self.assertIn("M commands/s", replayed.stdout)

    def test_a_folder_that_is_not_there_costs_the_recording_alone(self):
        with Server(self.folder, arguments=["--record", "/nonexistent/recording"]) as server:
            run_guest(server.venus(), [PROGRAMS / "tiny"])
            self.assertTrue(server.log_lines("cannot write the recording /nonexistent/recording: no such file or directory"))


if __name__ == "__main__":
    unittest.main()
