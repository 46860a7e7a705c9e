"""What a guest is shown against native, difference by difference, as `pvgpu info --parity` tells it; and that what the host
lacks is absent in the guest, with the reason in `pvgpu info`.

Each pair of a guest and a host has a file in expected_parity/. A line that is not there, or that is there and is no difference
any more, fails with its name. After a change that is meant, copy the file that the test leaves in its output folder.
"""

import json
import pathlib
import subprocess
import unittest

from harness import DEADLINE_SCALE, PVGPU, GuestCase, Server, run_guest
from harness.driver_profile import HOST_DEVICE, host_environment
from harness.server import ON_HOST, sanitizer_environment
from harness.settings import GUEST, GUEST_ROOT, HOST, HOST_DRIVER, HOST_PROFILE, HOST_ROOT

EXPECTED = pathlib.Path(__file__).with_name("expected_parity")


def pvgpu(on_host, *arguments):
    """Runs pvgpu in the host's system to its end; returns its exit status and output."""
    variables = host_environment(HOST_DRIVER, **sanitizer_environment())
    done = subprocess.run([*map(str, on_host), PVGPU, *map(str, arguments)], env=variables, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120 * DEADLINE_SCALE)
    return done.returncode, done.stdout, done.stderr


def parity(on_host, in_same_root, *arguments):
    """The outcome of `pvgpu info --parity`, with this guest."""
    reach = [] if in_same_root else [f"chroot {GUEST_ROOT}"]
    if HOST_PROFILE:
        reach = ["env -u VK_INSTANCE_LAYERS", *reach]  # the host's
    return pvgpu(on_host, "info", "--parity", *(["--guest-command", " ".join(reach)] if reach else []), *arguments)


def as_lines(table):
    """The differences as {"- extension VK_EXT_shader_object": "the protocol lacks it: ..."}."""
    return {f"{d['sign']} {d['kind']} {d['name']}": f"{d['cause']}: {d['reason']}" for d in table["differences"]}


def to_text(lines):
    """A section for each cause and reason, as in the files of expected_parity."""
    sections = {}
    for line, why in lines.items():
        sections.setdefault(why, []).append(line)
    return "\n".join(f"[{why}]\n" + "".join(f"{line}\n" for line in sorted(found)) for why, found in sorted(sections.items()))


def read_expected(path):
    lines, why = {}, None
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("["):
            why = line[1:-1]
        elif line and not line.startswith("#"):
            lines[line] = why
    return lines


class Comparing(GuestCase):
    def check(self, host, on_host, in_same_root):
        status, output, errors = parity(on_host, in_same_root, "--json", "--strict")
        self.assertEqual(status, 0, f"a difference is unexplained:\n{output}\n{errors}")
        self.assertEqual(errors, "")
        table, = json.loads(output)["devices"]
        self.assertIn(HOST_DEVICE, table["native"]["name"])
        self.assertIn(f"Virtio-GPU Venus ({HOST_DEVICE}", table["guest"]["name"])
        for kind, count in table["counts"].items():
            self.assertGreater(count["native"], 1, kind)
            self.assertGreater(count["guest"], 1, kind)

        found = as_lines(table)
        name = f"{GUEST}-on-{HOST_PROFILE or host}.txt"
        self.keep(name).write_text(to_text(found))
        expected = read_expected(EXPECTED / name)
        appeared = [f"{line} [{found[line]}]" for line in found if line not in expected]
        disappeared = [f"{line} [{expected[line]}]" for line in expected if line not in found]
        other_reason = [f"{line}: [{expected[line]}] -> [{found[line]}]" for line in found
                        if line in expected and expected[line] != found[line]]
        for problem, lines in {f"{name} does not have": appeared, f"only {name} has, which are none any more": disappeared,
                               f"{name} explains otherwise": other_reason}.items():
            self.assertFalse(lines, f"differences that {problem}:\n" + "\n".join(lines))
        return table


class Parity(Comparing):
    def test_differences_are_those_expected(self):
        table = self.check(HOST, ON_HOST, in_same_root=HOST_ROOT == GUEST_ROOT)
        if GUEST == "guest-backports" and not HOST_PROFILE:
            self.assertGreaterEqual(table["counts"]["extension"]["guest"], 165, "fewer extensions than were seen before")

    def test_only_what_is_useless_in_a_guest_is_hidden(self):
        _, output, _ = parity(ON_HOST, HOST_ROOT == GUEST_ROOT, "--json")
        table, = json.loads(output)["devices"]
        hidden = {d["name"] for d in table["differences"] if d["cause"] == "hidden by pvgpu" and d["kind"] == "extension"}
        # Pointers and handles of the host's process, windows of the host, and what this host alone must know of a driver.
        self.assertLessEqual(hidden, {"VK_EXT_external_memory_host", "VK_ANDROID_external_memory_android_hardware_buffer",
                                      "VK_EXT_swapchain_maintenance1", "VK_KHR_portability_subset"})

    def test_what_the_driver_lacks_is_absent_with_the_reason(self):
        lacking = "VK_EXT_conservative_rasterization"
        status, output, errors = pvgpu(ON_HOST, "info", "--json")
        self.assertEqual(status, 0, errors)
        features = {f["name"]: f for f in json.loads(output)["devices"][0]["features"]}
        self.assertEqual((features[lacking]["treatment"], features[lacking]["reason"]), ("absent", "the driver lacks it"))
        _, text, _ = pvgpu(ON_HOST, "info")
        self.assertRegex(text, rf"(?s)\n  absent\n(.*\n)?    the driver lacks it:\n[^:]*{lacking}")
        with Server(self.folder) as server:
            shown = run_guest(server.venus(), ["vulkaninfo"])
        # Both would be shown if the driver had them: this host carries them and the guest's driver passes them on.
        self.assertNotIn(lacking, shown)
        self.assertIn("VK_EXT_extended_dynamic_state3" if HOST_PROFILE else "VK_EXT_transform_feedback", shown)

    def test_text_names_every_difference(self):
        _, output, _ = parity(ON_HOST, HOST_ROOT == GUEST_ROOT, "--json")
        table, = json.loads(output)["devices"]
        status, text, errors = parity(ON_HOST, HOST_ROOT == GUEST_ROOT)
        self.assertEqual(status, 0, errors)
        missing = [line for line in as_lines(table) if f"      {line}" not in text]
        self.assertEqual([], missing)

    def test_errors_say_who_did_not_answer(self):
        status, _, errors = pvgpu(ON_HOST, "info", "--parity", "--guest-command", "false")
        self.assertEqual(status, 2)
        self.assertIn("the guest's driver could not be asked", errors)
        status, _, errors = pvgpu(ON_HOST, "info", "--parity", "--guest-icd", "/nowhere.json")
        self.assertEqual(status, 2)
        self.assertRegex(errors, "the guest does not show llvmpipe|the guest's driver could not be asked")


class OlderHost(Comparing):
    def test_differences_are_those_expected(self):
        self.check("build", [], in_same_root=False)


if __name__ == "__main__":
    unittest.main()
