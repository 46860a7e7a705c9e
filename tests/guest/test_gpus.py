"""Several GPUs on the host: software drivers from two versions of Mesa, and one driver installed twice."""

import json
import os
import re
import shutil
import subprocess
import unittest

from harness import DEADLINE_SCALE, PROGRAMS, PVGPU, GuestCase, Server, run_guest
from harness.server import ON_HOST, sanitizer_environment
from harness.settings import HOST_DRIVER, HOST_ROOT

# The guest shows them in the order of the server, not in one that its loader or layers make up.
AS_GIVEN = {"VK_LOADER_DISABLE_SELECT": "1", "NODEVICE_SELECT": "1"}


class Gpus(GuestCase):
    def setUp(self):
        super().setUp()
        manifest = json.loads((HOST_ROOT / HOST_DRIVER.lstrip("/")).read_text())
        library = manifest["ICD"]["library_path"]
        if "/" not in library:
            library = f"/usr/lib/x86_64-linux-gnu/{library}"
        self.version = manifest["ICD"]["api_version"]
        self.own = HOST_ROOT / library.lstrip("/")

    def driver(self, name, library):
        """A manifest for a copy of `library`, as a driver of its own."""
        copy = self.folder / f"{name}.so"
        shutil.copy(library, copy)
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps({"file_format_version": "1.0.0", "ICD": {"api_version": self.version, "library_path": str(copy)}}))
        return str(path)

    def pvgpu(self, drivers, *arguments, expect_status=0):
        variables = {**os.environ, "VK_DRIVER_FILES": ":".join(drivers), **sanitizer_environment()}
        done = subprocess.run([*map(str, ON_HOST), PVGPU, *arguments], env=variables, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * DEADLINE_SCALE)
        self.assertEqual(done.returncode, expect_status, done.stderr)
        return done.stdout if expect_status == 0 else done.stderr

    def listed(self, drivers):
        """What selects each GPU, in the order of the indices."""
        lines = self.pvgpu(drivers, "--list-gpus").splitlines()
        self.assertEqual([line.split()[0] for line in lines], [str(index) for index in range(len(lines))])
        return [line.split()[-1] for line in lines]

    def info(self, drivers, *selectors):
        """The drivers of the GPUs that guests would see, in their order."""
        options = [f"--gpu={selector}" for selector in selectors]
        return [device["driver_info"] for device in json.loads(self.pvgpu(drivers, "info", "--json", *options))["devices"]]

    def in_guest(self, drivers, *selectors):
        """How many extensions each GPU has that the guest sees, all of which it then uses at once."""
        with Server(self.folder, arguments=[f"--gpu={selector}" for selector in selectors],
                    environment={"VK_DRIVER_FILES": ":".join(drivers)}) as server:
            output = run_guest({**server.venus(), **AS_GIVEN}, [PROGRAMS / "gpus"])
        extensions = list(map(int, re.findall(r"^\d+: .*Venus.*, (\d+) extensions$", output, re.MULTILINE)))
        self.assertIn(f"{len(extensions)} computed", output)
        self.assertIn(f"{len(extensions)} groups", output)
        return extensions

    def test_one_driver_twice(self):
        drivers = [self.driver("first", self.own), self.driver("second", self.own)]
        first, second = self.listed(drivers)
        uuid = first.removesuffix("#0")
        self.assertEqual((first, second), (f"{uuid}#0", f"{uuid}#1"))
        for ambiguous in (uuid, "llvmpipe"):
            self.assertIn(f'"{ambiguous}" matches 2 GPUs', self.pvgpu(drivers, "info", "--gpu", ambiguous, expect_status=2))
        for selector in (first, second, "0", "1", "llvmpipe#1"):
            self.assertEqual(len(self.info(drivers, selector)), 1)
        self.assertEqual(len(self.info(drivers)), 2)
        self.assertEqual(len(self.in_guest(drivers)), 2)
        self.assertEqual(len(self.in_guest(drivers, second)), 1)

    def test_two_drivers(self):
        older = "/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so"  # of the build root; the server's own Mesa is newer
        self.assertNotEqual(os.path.realpath(older), os.path.realpath(self.own), "for the guest with a newer Mesa")
        drivers = [self.driver("older", older), self.driver("newer", self.own)]
        infos = dict(zip(self.listed(drivers), self.info(drivers)))
        self.assertEqual(len(infos), 2)
        self.assertEqual(len(set(infos.values())), 2, infos)
        for order in (drivers, drivers[::-1]):
            uuids = self.listed(order)
            self.assertEqual(set(uuids), set(infos))
            for index, uuid in enumerate(uuids):
                self.assertEqual(self.info(order, uuid), [infos[uuid]], "a UUID selects the same driver in whatever order")
                self.assertEqual(self.info(order, str(index)), [infos[uuid]])
            self.assertEqual(self.info(order, *reversed(uuids)), [infos[uuid] for uuid in reversed(uuids)])
        one, other = infos
        both = self.in_guest(drivers, one, other)
        self.assertNotEqual(both[0], both[1], "the two are to be told apart")
        self.assertEqual(self.in_guest(drivers, other, one), both[::-1])
        self.assertEqual(self.in_guest(drivers[::-1], other), both[1:])
        self.assertEqual(sorted(self.in_guest(drivers)), sorted(both))


if __name__ == "__main__":
    unittest.main()
