"""A slice of piglit, the test suite for OpenGL: through zink, each of its tests ends as it does natively."""

import collections
import json
import pathlib
import re
import shlex
import unittest

from harness import LAYER, NATIVE, Display, GuestCase, Server, messages, run_guest, with_layers
from harness.settings import GUEST_ROOT
from test_opengl import ZINK

PIGLIT = pathlib.PurePath("/usr/lib/x86_64-linux-gnu/piglit")
SLICE = pathlib.Path(__file__).with_name("piglit_slice.txt")
# Venus has no VK_EXT_shader_object; without it zink makes the same calls natively as in a guest, with the same reports of the
# validation layer. Kept shaders would hide what happens when one is compiled.
ENVIRONMENT = {**ZINK, "ZINK_DEBUG": "noshobj", "PIGLIT_SOURCE_DIR": str(PIGLIT), "MESA_SHADER_CACHE_DISABLE": "true"}
REPORT = re.compile(r"PIGLIT: (\{.*\})")


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


def reports(text):
    return [json.loads(report) for report in REPORT.findall(text)]


def shader_results(environment, shaders):
    """[(test, how it ended)], and all that was printed."""
    text = run_guest({**environment, **ENVIRONMENT}, [PIGLIT / "bin" / "shader_runner", *shaders, "-auto", "-fbo", "-report-subtests"],
                     deadline=300)
    return [result for report in reports(text) for result in report.get("subtest", {}).items()], text


def program_results(environment, programs):
    """[(command, [all that it reports])], and all that was printed."""
    results, texts = [], []
    for program in programs:
        name, *arguments = shlex.split(program)
        text = run_guest({**environment, **ENVIRONMENT}, [PIGLIT / "bin" / name, *arguments, "-auto", "-fbo"], expect_status=None)
        texts.append(text)
        results.append((program, reports(text)))
    return results, "\n".join(texts)


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
        passed = [program for program, reported in native if reported[-1:] == [{"result": "pass"}]]
        self.assertEqual(sorted(set(programs) - set(passed)), [])
        self.assertEqual(guest, native)

    def native_and_guest(self, results, tests):
        with Display() as display:
            native, text = results(with_layers(LAYER, NATIVE, display.environment), tests)
            with Server(self.folder, validation=True, known=messages(text)) as server:
                guest, _ = results({**server.venus(), **display.environment}, tests)
        return native, guest


if __name__ == "__main__":
    unittest.main()
