#!/usr/bin/env python3
"""Generates the C++ that depends on the Vulkan registry. See docs/architecture.md, "Codegen".

    generate.py --registry DIR --output DIR     write the generated sources
    generate.py --registry DIR --check          only check that the registry fits wire_layout.txt
    generate.py --registry DIR --write-layout   pin what travels now (after a reviewed change)
"""

import argparse
import os
import sys

import jinja2

import capabilities
import protocol
import registry
from registry import CodegenError

FOLDER = os.path.dirname(os.path.abspath(__file__))
LAYOUT = os.path.join(FOLDER, "wire_layout.txt")


def check_layout(model):
    """Everything that was ever pinned must still travel in the same way: Vulkan never changes a
    structure, so a difference is a damaged registry or a bug here, and would be wrong on the wire."""
    now = {}
    for line in model.layout_lines():
        words = line.split(" ")
        key = tuple(words[:3] if words[0] == "command" else words[:2])
        now[key] = words[len(key):]
    for line in open(LAYOUT):
        words = line.rstrip("\n").split(" ")
        key = tuple(words[:3] if words[0] == "command" else words[:2])
        pinned = words[len(key):]
        name = model.registry.aliases.get(key[-1], key[-1])  # promoted since
        key = (*key[:-1], name)
        if key not in now:
            why = model.unserializable.get(name, "the registry no longer has it")
            raise CodegenError(f"{key[0]} {name}: {why} (pinned in wire_layout.txt)")
        if key[0] == "chain":
            gone = [word for word in pinned if word not in now[key]]
            if gone:
                raise CodegenError(f"{name} no longer extends {gone[0]} (pinned in wire_layout.txt)")
        elif now[key] != pinned:
            old, new = set(pinned), set(now[key])
            raise CodegenError(f"{key[0]} {name}: pinned as [{' '.join(w for w in pinned if w not in new)}], "
                               f"now [{' '.join(w for w in now[key] if w not in old)}]; "
                               "a renamed, dropped or changed field would break every guest")


def render(model, described, output):
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(os.path.join(FOLDER, "templates")),
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    os.makedirs(output, exist_ok=True)
    chains = sorted(model.chain_structs(), key=lambda s: s.name)
    context = {
        "model": model,
        "capabilities": described,
        "registry_version": model.registry.version,
        "structs": order(model),
        "chains": chains,
        "chain_index": {s.name: i for i, s in enumerate(chains)},
        "commands": model.commands,
        "unions": model.config["unions"],
        "handles": sorted(model.vk.handles.values(), key=lambda h: h.name),
        "never": [(model.numbers[n], n, why) for n, why in model.config["never"].items()],
    }
    for name in sorted(os.listdir(os.path.join(FOLDER, "templates"))):
        if not name.endswith(".j2"):
            continue
        text = environment.get_template(name).render(context)
        path = os.path.join(output, name[:-3])
        # Unchanged files keep their time, so that a rebuild compiles only what changed.
        if not os.path.exists(path) or open(path).read() != text:
            with open(path, "w") as file:
                file.write(text)


def order(model):
    """Structures sorted so that each follows the ones that it contains."""
    done, result = set(), []

    def visit(info):
        if info.name in done:
            return
        done.add(info.name)
        for made in info.fields:
            if made.wire in ("struct", "union"):
                visit(model.structs[made.type])
        result.append(info)

    for info in sorted(model.structs.values(), key=lambda s: s.name):
        visit(info)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--registry", default="/usr/share/vulkan/registry", help="folder with vk.xml")
    parser.add_argument("--output", help="folder for the generated sources")
    parser.add_argument("--check", action="store_true", help="only check")
    parser.add_argument("--write-layout", action="store_true", help="pin the present layout in wire_layout.txt")
    options = parser.parse_args()
    try:
        model = protocol.Model(registry.load(options.registry), FOLDER).build()
        if model.registry.version < (1, 4, 309):
            raise CodegenError(f"the registry is {'.'.join(map(str, model.registry.version))}; 1.4.309 or newer is needed")
        if options.write_layout:
            with open(LAYOUT, "w") as file:
                file.write("\n".join(model.layout_lines()) + "\n")
        check_layout(model)
        described = capabilities.Capabilities(model)
        if options.output:
            render(model, described, options.output)
    except CodegenError as error:
        print(f"codegen: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
