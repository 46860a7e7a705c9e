"""Reads vk.xml through Khronos's own vulkan_object.py.

Khronos's object model leaves out what the wire format needs of unions (`selector`, `selection`) and
the aliases of types, so these are read from the same parsed tree.
"""

import contextlib
import io
import os
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass


class CodegenError(Exception):
    """The registry and what this project knows of the protocol do not fit together."""


@dataclass
class Registry:
    vk: object  # vulkan_object.VulkanObject
    version: tuple  # (major, minor, patch) of the header
    selectors: dict  # (struct, member) -> name of the selector member
    selections: dict  # (union, member) -> list of selector values
    aliases: dict  # any type's alias -> the type
    type_extensions: dict  # a type's name -> the names of the extensions that define it by that name

    def extensions_of(self, name):
        """The extensions that define the type, by this name or by an alias. What has an extension's suffix in one registry may be an
        alias in a later one, of another extension or of the core."""
        names = [name] + [alias for alias, original in self.aliases.items() if original == name]
        return {extension for each in names for extension in self.type_extensions.get(each, ())}


def load(folder):
    """Loads FOLDER/vk.xml with the scripts that lie beside it, or with the installed ones."""
    scripts = folder if os.path.exists(os.path.join(folder, "vulkan_object.py")) else "/usr/share/vulkan/registry"
    xml_path = os.path.join(folder, "vk.xml")
    if not os.path.exists(xml_path):
        raise CodegenError(f"no vk.xml in {folder}: install the Vulkan registry (Debian: libvulkan-dev)")
    sys.path.insert(0, scripts)
    import base_generator  # noqa: E402 (lies beside the registry)
    import reg  # noqa: E402

    base_generator.SetTargetApiName("vulkan")
    base_generator.SetMergedApiNames(None)
    base_generator.SetOutputFileName("unused")
    base_generator.SetOutputDirectory("")

    result = {}

    class Capture(base_generator.BaseGenerator):
        def generate(self):
            result["vk"] = self.vk

        def beginFile(self, options):  # writes nothing
            super().beginFile(options)

    options = base_generator.BaseGeneratorOptions(customFileName="/dev/null", customDirectory="")
    options.directory = None
    options.filename = None
    generator = Capture()
    tree = ElementTree.parse(xml_path)
    with contextlib.redirect_stdout(io.StringIO()):
        registry = reg.Registry(generator, options)
        registry.loadElementTree(tree)
        registry.apiGen()
    if "vk" not in result:
        raise CodegenError(f"{xml_path} yields no objects: is it a Vulkan registry?")

    vk = result["vk"]
    # Scripts of up to 1.4.309 hold objects here, later ones names.
    for thing in (*vk.commands.values(), *vk.structs.values()):
        thing.extensions = [getattr(extension, "name", extension) for extension in thing.extensions]
    selectors, selections, aliases = {}, {}, {}
    for element in tree.getroot().findall("./types/type"):
        name = element.get("name") or (element.find("name").text if element.find("name") is not None else None)
        if element.get("alias"):
            aliases[name] = element.get("alias")
        for member in element.findall("member"):
            member_name = member.find("name").text
            if member.get("selector"):
                selectors[(name, member_name)] = member.get("selector")
            if member.get("selection"):
                selections[(name, member_name)] = member.get("selection").split(",")
    type_extensions = {}
    for extension in tree.getroot().findall("./extensions/extension"):
        for element in extension.findall("./require/type"):
            type_extensions.setdefault(element.get("name"), set()).add(extension.get("name"))
    newest = max((tuple(int(part) for part in v.split("_")[2:]) for v in vk.versions), default=(1, 0))
    return Registry(vk, (newest[0], newest[1], int(vk.headerVersion)), selectors, selections, aliases,
                    type_extensions)
