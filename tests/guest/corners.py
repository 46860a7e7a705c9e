"""The corners of Vulkan (api/corners/): what each computes in a guest is what it computes natively, line by line.

What the driver, or the guest's driver, lacks or does wrong is pinned in expected_corner_differences.txt.
"""

import pathlib
import re

from harness import PROGRAMS, Program, guest_command, run_guest
from harness.settings import GUEST, HOST_PROFILE

CORNERS = PROGRAMS / "corners" / "corners"
# Mesa's guests write the value of a semaphore that they signal into their memory after they have told the host, which may have counted on
# meanwhile: the value goes back and whoever waits in the guest hangs, in some 10 of 100 runs where processors are few. Not if they ask the host.
ASKING = {"timeline_from_threads": {"VN_PERF": "no_semaphore_feedback"}}
EXPECTED = pathlib.Path(__file__).with_name("expected_corner_differences.txt")
_FAILED = "FAILED: "


def all_corners():
    return run_guest({}, [CORNERS, "--list"]).splitlines()


def run_corners(environment, names, arguments=()):
    """The lines of each corner, natively or in a guest with this environment."""
    def run(left, more):
        with Program(guest_command({**more, **environment}, [CORNERS, *arguments, *left])) as program:
            return status_of(program), program.lines()
    return collect(run, names)


def status_of(program, deadline=200):
    """The exit status, or what is wrong with it."""
    try:
        return program.wait(deadline)
    except AssertionError as still_running:
        return str(still_running).split(";")[0]


def collect(run, names):
    """The lines of each corner, from `run`, which runs a program with the corners and variables that it is given and returns its status and
    lines. A corner that ends the program has its end among its lines, and the rest runs in another one."""
    results = _collect(lambda left: run(left, {}), [name for name in names if name not in ASKING])
    for name in ASKING.keys() & set(names):
        results |= _collect(lambda left: run(left, ASKING[name]), [name])
    return {name: results[name] for name in names}


def _collect(run, names):
    results, left = {}, list(names)
    while left:
        status, lines = run(left)
        name, done = None, []
        for line in lines:
            if line.startswith("== "):
                name = line[3:]
                done.append(name)
                results[name] = []
            elif name:
                results[name].append(line)
        if not done:
            raise AssertionError(f"corners did not start (status {status}):\n" + "\n".join(lines))
        if status != 0:
            results[name].append(f"{_FAILED}the program ended with {status}")
        elif done != left:
            raise AssertionError(f"corners ended well before all was done: {done} of {left}")
        left = left[len(done):]
    return results


def failures(results):
    return {name: lines for name, lines in results.items() if any(line.startswith(_FAILED) for line in lines)}


def states(results, native):
    """What there is to say of corners: "absent:WHAT" for what the driver lacks, "fails", "differs" from native. Others are not named."""
    said = {}
    for name, lines in results.items():
        assert lines, f"{name} said nothing"
        if lines[-1].startswith("absent: "):
            said[name] = lines[-1].replace(": ", ":").replace(" ", "_")
        elif name in failures({name: lines}):
            said[name] = "fails"
        elif lines != native[name] and not native[name][-1].startswith("absent: "):
            said[name] = "differs"
    return said


def expected(*where):
    """What the file says of `where` (native, guest, and how a guest is reached) in this guest's system: corner -> "absent:WHAT",
    "fails" or "differs"."""
    corners = {}
    # The later ones hold against the earlier ones.
    for system in ["any", GUEST, *([HOST_PROFILE, f"{HOST_PROFILE}/{GUEST}"] if HOST_PROFILE else [])]:
        for line in EXPECTED.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            systems, places, corner, state, why = re.split(r"\s+", line, maxsplit=4)
            if systems == system and places in ("both", *where):
                corners[corner] = state
    return {corner: state for corner, state in corners.items() if state != "there"}


def report(results):
    return "\n".join(f"== {name}\n" + "\n".join(lines) for name, lines in sorted(results.items()))
