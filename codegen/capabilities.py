"""What a physical device can be asked about itself, derived from the registry: every structure that extends one of
the answers below, with what it takes to be there, and every format. Unlike protocol.py this is not limited to what
the Venus protocol carries: it describes native devices and guests alike, for `pvgpu info --parity`.
"""

import re
from dataclasses import dataclass, field

from registry import CodegenError

# What is asked for, by the structure that heads the chain.
ROOTS = {
    "VkPhysicalDeviceFeatures2": "Features",
    "VkPhysicalDeviceProperties2": "Properties",
    "VkFormatProperties2": "Format",
    "VkQueueFamilyProperties2": "QueueFamily",
    "VkPhysicalDeviceMemoryProperties2": "Memory",
}
# The parts of these structures that are older than chains.
PLAIN = ["VkPhysicalDeviceFeatures", "VkPhysicalDeviceProperties", "VkFormatProperties", "VkQueueFamilyProperties",
         "VkPhysicalDeviceMemoryProperties"]
# Arrays whose length older registries tell in words only.
LENGTHS = {
    "VkPhysicalDeviceMemoryProperties.memoryTypes": "memoryTypeCount",
    "VkPhysicalDeviceMemoryProperties.memoryHeaps": "memoryHeapCount",
}


@dataclass
class Member:
    name: str
    kind: str  # the function of the reader that takes it: value, flags, version, text, bytes, list, structure, array
    length: str = ""  # of lists and arrays: a C++ expression over `s`


@dataclass
class Structure:
    name: str
    s_type: str
    protect: str  # the preprocessor's word without which headers do not have it, or ""
    members: list
    core: str = "0"  # the VK_API_VERSION that brings it, or "0"
    extensions: list = field(default_factory=list)  # any of which brings it


@dataclass
class Format:
    name: str
    core: str
    extensions: list


class Capabilities:
    def __init__(self, model):
        registry = model.registry
        self.registry = registry
        self.vk = registry.vk
        self.structures = {}  # all that have members, each after those that it contains
        self.unread = []  # members that nothing here knows how to read, of registries to come
        self.chains = {title: [] for title in ROOTS.values()}
        for name in PLAIN:
            self._structure(name)
        for source in sorted(self.vk.structs.values(), key=lambda s: s.name):
            for parent in source.extends or []:
                title = ROOTS.get(registry.aliases.get(parent, parent))
                if title and (source.version or registry.extensions_of(source.name)):
                    self.chains[title].append(self._structure(source.name))
        for info, extension in model.later_structs:
            made = Structure(info.name, info.s_type, "", [Member(f.name, "value") for f in info.fields], "0", [extension])
            self.structures[info.name] = made
            for title in (ROOTS[p] for p in info.extends if p in ROOTS):
                self.chains[title].append(made)
        self.extensions = sorted({*self.vk.extensions, *model.later})
        for title, chain in self.chains.items():
            if not chain:
                raise CodegenError(f"the registry has no structures for {title}")
        # Formats of extensions that never came have their author's tag and no extension.
        tags = {name.split("_")[1] for name in self.vk.extensions}
        self.formats = [self._format(f) for f in self.vk.enums["VkFormat"].fields
                        if f.name != "VK_FORMAT_UNDEFINED" and (f.extensions or f.name.rsplit("_", 1)[1] not in tags)]

    def _structure(self, name):
        if name in self.structures:
            return self.structures[name]
        source = self.vk.structs[name]
        members = [self._member(source, m) for m in source.members if m.name not in ("sType", "pNext")]
        members = [m for m in members if m]
        made = Structure(name, source.sType or "", source.protect or "", members)
        made.core = api_version(source.version)
        made.extensions = self._known(self.registry.extensions_of(name))
        self.structures[name] = made
        return made

    def _member(self, owner, member):
        """The Member, or None for a pointer to who knows how much."""
        where = f"{owner.name}.{member.name}"
        struct = member.type in self.vk.structs
        if struct:
            self._structure(member.type)
        if member.fixedSizeArray:
            if len(member.fixedSizeArray) != 1:
                self.unread.append(where)
                return None
            if member.type == "char":
                return Member(member.name, "text")
            if member.type == "uint8_t":
                return Member(member.name, "bytes")
            length = LENGTHS.get(where, member.length or "")
            by_member = any(m.name == length for m in owner.members)
            return Member(member.name, "list", f"s.{length}" if by_member else member.fixedSizeArray[0])
        if "*" in member.cDeclaration:
            if not member.length or not re.fullmatch(r"\w+", member.length) or member.type == "void":
                self.unread.append(where)
                return None
            return Member(member.name, "array", f"s.{member.length}")
        if member.name == "apiVersion":
            return Member(member.name, "version")
        return Member(member.name, "structure" if struct else "flags" if "Flags" in member.type else "value")

    def _known(self, extensions):
        return sorted(name for name in extensions if name in self.vk.extensions)

    def _format(self, source):
        # Scripts of up to 1.4.309 hold objects here, later ones names.
        extensions = self._known(getattr(e, "name", e) for e in source.extensions or [])
        promoted = (str(self.vk.extensions[name].promotedTo) for name in extensions)
        core = min((version for version in promoted if re.fullmatch(r"VK_VERSION_\d_\d", version)), default=None)
        return Format(source.name, api_version(core), extensions)


def api_version(version):
    """"VK_API_VERSION_1_2" of the registry's version, which scripts of up to 1.4.309 hold as an object; "0" of none."""
    name = getattr(version, "name", version)
    return re.sub("^VK_(API_)?", "VK_API_", name) if name else "0"
