"""The Khronos validation layer: what makes a program (a server, or a native one) load it, and what it said."""

import re

# With synchronization validation, which is off unless asked for.
LAYER = {"VK_INSTANCE_LAYERS": "VK_LAYER_KHRONOS_validation", "VK_KHRONOS_VALIDATION_VALIDATE_SYNC": "true"}

_MESSAGE = re.compile(r"Validation (?:Error|Warning|Performance Warning): \[ (\S+) \]")


def layer_with_log(path):
    """The environment for a program that prints results of its own: the layer's words go to the file `path`. Each instance that the
    program creates writes the file anew; for a program that creates several, LAYER, and the program's output."""
    return {**LAYER, "VK_KHRONOS_VALIDATION_LOG_FILENAME": str(path)}


def messages(log):
    """The names of what the layer found: VUIDs, hazards, warnings. How often, and on which object, is left out."""
    return set(_MESSAGE.findall(log))
