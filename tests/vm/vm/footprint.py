"""What processes hold of the system, to see that it does not grow."""

import dataclasses
import os
import re
import time

from harness.guest import read_file


@dataclasses.dataclass
class Footprint:
    descriptors: int
    mappings: int
    memory_kb: int  # of their own, not shared


def footprint(processes):
    held = Footprint(0, 0, 0)
    for process in processes:
        held.descriptors += len(os.listdir(f"/proc/{process}/fd"))
        held.mappings += len(read_file(f"/proc/{process}/maps").splitlines())
        held.memory_kb += int(re.search(r"RssAnon:\s+(\d+)", read_file(f"/proc/{process}/status")).group(1))
    return held


def least_footprint(processes, looks=20, pause=0.01):
    """What they hold at least, of several looks: what is on its way between processes that are at work comes and goes."""
    seen = []
    for _ in range(looks):
        seen.append(footprint(processes))
        time.sleep(pause)
    return Footprint(*(min(column) for column in zip(*map(dataclasses.astuple, seen))))


def processor_seconds(process):
    """What a process has had of processors, with all of its threads."""
    return sum(int(read_file(f"/proc/{process}/task/{task}/schedstat").split()[0]) for task in os.listdir(f"/proc/{process}/task")) / 1e9
