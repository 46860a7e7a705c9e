"""A slice of piglit, the test suite for OpenGL: through zink, each of its tests ends as it does natively."""

import collections
import json
import pathlib
import re
import shlex
import unittest

from harness import NATIVE, Display, GuestCase, Server, run_guest
from harness.settings import GUEST_ROOT
from test_opengl import ZINK

PIGLIT = pathlib.PurePath("/usr/lib/x86_64-linux-gnu/piglit")
SLICE = pathlib.Path(__file__).with_name("piglit_slice.txt")
# Kept shaders would hide what happens when one is compiled.
ENVIRONMENT = {**ZINK, "PIGLIT_SOURCE_DIR": str(PIGLIT), "MESA_SHADER_CACHE_DISABLE": "true"}
REPORT = re.compile(r"^PIGLIT: (\{.*\})", re.MULTILINE)


def named_tests():
    """The paths of shader tests, and the commands of programs, that piglit_slice.txt names."""
    shaders, programs = [], []
    specifications = GUEST_ROOT / PIGLIT.relative_to("/") / "tests" / "spec"
    for line in filter(None, (line.partition("#")[0].strip() for line in SLICE.read_text().splitlines())):
        name = line.split()[0]
        if name.endswith("/"):
            found = sorted((specifications / name).rglob("*.shader_test"))
            if not found:
                raise AssertionError(f"piglit has no shader tests in {name}")
            shaders += [PIGLIT / path.relative_to(GUEST_ROOT / PIGLIT.relative_to("/")) for path in found]
        elif name.endswith(".shader_test"):
            shaders.append(PIGLIT / "tests" / "spec" / name)
        else:
            programs.append(line)
    return shaders, programs


def shader_results(environment, shaders):
    """[(test, how it ended)]"""
    text = run_guest({**environment, **ENVIRONMENT}, [PIGLIT / "bin" / "shader_runner", *shaders, "-auto", "-fbo", "-report-subtests"],
                     deadline=300)
    reports = [json.loads(report) for report in REPORT.findall(text)]
    return [result for report in reports for result in report.get("subtest", {}).items()]


def program_results(environment, programs):
    """[(command, [all that it reports])]"""
    results = []
    for program in programs:
        text = run_guest({**environment, **ENVIRONMENT}, [PIGLIT / "bin" / part if i == 0 else part for i, part in
                                                          enumerate([*shlex.split(program), "-auto", "-fbo"])],
                         expect_status=None)
        results.append((program, [json.loads(report) for report in REPORT.findall(text)] or text))
    return results


class Piglit(GuestCase):
    def test_shaders(self):
        shaders, _ = named_tests()
        native, guest = self.native_and_guest(shader_results, shaders)
        self.assertGreaterEqual(len(native), 400)
        counts = collections.Counter(result for _, result in native)
        self.keep("native.txt").write_text(str(counts))
        self.assertGreater(counts["pass"], 0.95 * len(native), counts)
        self.assertEqual(guest, native)

    def test_programs(self):
        _, programs = named_tests()
        native, guest = self.native_and_guest(program_results, programs)
        passed = [program for program, reports in native if reports[-1] == {"result": "pass"}]
        self.assertEqual(sorted(set(programs) - set(passed)), [])
        self.assertEqual(guest, native)

    def native_and_guest(self, results, tests):
        with Display() as display, Server(self.folder) as server:
            return (results({**NATIVE, **display.environment}, tests),
                    results({**server.venus(), **display.environment}, tests))


if __name__ == "__main__":
    unittest.main()
