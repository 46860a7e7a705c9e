"""The protocol's model: what travels for every structure and command, derived from the registry.

Wire rules: Venus protocol reference, section 3. Each member becomes a Field with one of the kinds
below; the templates print one call per field, and the codecs in src/venus/codec give the calls
their meaning (decode, encode, print, ...). Whatever does not fit raises CodegenError with its name:
wrong code is never generated.
"""

import csv
import json
import os
import re
from dataclasses import dataclass, field

from registry import CodegenError

SCALARS = {
    "char": "i8", "int8_t": "i8", "uint8_t": "u8", "int16_t": "i16", "uint16_t": "u16",
    "int32_t": "i32", "uint32_t": "u32", "int": "i32", "int64_t": "i64", "uint64_t": "u64",
    "float": "f32", "double": "f64", "size_t": "u64", "VkBool32": "u32", "VkFlags": "u32",
    "VkFlags64": "u64", "VkDeviceSize": "u64", "VkDeviceAddress": "u64", "VkSampleMask": "u32",
}
# Scalars that look in memory as on the wire.
WIRE_SIZES = {"i32": 4, "u32": 4, "f32": 4, "i64": 8, "u64": 8, "f64": 8}
# Members that the protocol never carries although the structure does travel: only NULL is legal.
NULL_ONLY = {"VkAllocationCallbacks"}


@dataclass
class Field:
    name: str
    kind: str  # see Model.classify
    type: str  # C type without const and pointers
    wire: str  # u32, handle, struct, ...: what wire_layout.txt pins
    length: str = ""  # C++ expression over `s` for arrays
    row_length: str = ""  # for arrays of arrays: over `s` and `i`
    optional: bool = False  # NULL (or an empty array) is legal
    null_elements: bool = False  # VK_NULL_HANDLE is legal (for arrays: as an element)
    is_count: bool = False  # is the length of another member
    selector: str = ""  # for unions
    declaration: str = ""  # for private structures
    mode: str = "in"  # for parameters: in, inout, out
    const: bool = False


@dataclass
class StructInfo:
    name: str
    fields: list  # wire order, without sType and pNext
    s_type: str = ""
    extends: list = field(default_factory=list)
    is_union: bool = False
    private: bool = False
    value: int = 0  # sType of private structures
    returned_only: bool = False
    selections: list = field(default_factory=list)  # per union field, selector values
    condition: str = ""  # preprocessor-free: set when the structure needs another one


@dataclass
class CommandInfo:
    name: str
    number: int
    returns: str
    params: list
    level: str  # instance, device, protocol
    aliases: list
    private: bool = False
    handling: str = "plain"  # plain, create, destroy, special
    ids: bool = False
    file: str = ""

    @property
    def args(self):
        return self.name[2:] + "Args"


class Model:
    def __init__(self, registry, folder):
        self.registry = registry
        self.vk = registry.vk
        self.config = json.load(open(os.path.join(folder, "special_commands.json")))
        self.mesa = json.load(open(os.path.join(folder, "mesa_protocol.json")))
        self.known_extensions = {row["name"]: int(row["number"])
                                 for row in csv.DictReader(open(os.path.join(folder, "venus_extensions.csv")))}
        self.numbers = {row["name"]: int(row["number"])
                        for row in csv.DictReader(open(os.path.join(folder, "venus_commands.csv")))}
        later = json.load(open(os.path.join(folder, "later_extensions.json")))["extensions"]
        self.later = {e["name"]: e for e in later if e["name"] not in self.vk.extensions}
        self.later_structs = []  # (StructInfo, extension)
        self.structs = {}
        self.unserializable = {}  # name -> why
        self.commands = []
        self.missing_commands = []  # numbers that this registry does not define
        self.extensions = []
        self.private_structs = []
        self._visiting = set()
        self.enum_names = {**{e: 32 for e in self.vk.enums},
                           **{b.name: b.bitWidth for b in self.vk.bitmasks.values()},
                           **{b.flagName: b.bitWidth for b in self.vk.bitmasks.values()}}
        self.enum_names.update({e.name: e.bitWidth for e in self.vk.enums.values()})

    # -- types ---------------------------------------------------------------------------------

    def build(self):
        self._load_extensions()
        self._load_private_structs()
        self._load_later_structs()
        self._load_commands()
        self._load_chains()
        self._check_configuration()
        return self

    def _load_extensions(self):
        withheld = self.config["withheld_extensions"]
        for name, number in sorted(self.known_extensions.items(), key=lambda item: item[1]):
            if name in withheld or name in ("VK_EXT_command_serialization", "VK_MESA_venus_protocol"):
                continue
            if name in self.vk.extensions:
                extension = self.vk.extensions[name]
                self.extensions.append((number, name, extension.specVersion, extension.instance))
            elif name in self.later:
                self.extensions.append((number, name, 1, False))
        self.carried = {name for _, name, _, _ in self.extensions}

    def _load_later_structs(self):
        """Structures of extensions that this registry does not have yet."""
        for extension in self.later.values():
            for entry in extension.get("structs", []):
                number = self.known_extensions[extension["name"]]
                self._add_declared_struct({**entry, "value": 1000000000 + 1000 * (number - 1)})
                self.later_structs.append((self.structs[entry["name"]], extension["name"]))

    def uncarried(self):
        """(name, why) of the extensions that the protocol knows and this build does not carry."""
        withheld = self.config["withheld_extensions"]
        newer = f"newer than this build's Vulkan registry, {'.'.join(map(str, self.registry.version))}"
        for name in sorted(set(self.known_extensions) - self.carried):
            yield name, f"withheld: {withheld[name]}" if name in withheld else newer

    def is_carried(self, struct):
        """Core structures, and those of an extension that the protocol carries."""
        return struct.version is not None or not struct.extensions or any(
            name in self.carried for name in self.registry.extensions_of(struct.name))

    def scalar_wire(self, type_name):
        if type_name in SCALARS:
            return SCALARS[type_name]
        if type_name in self.enum_names:
            return "u64" if self.enum_names[type_name] == 64 else "i32" if type_name in self.vk.enums else "u32"
        if re.fullmatch(r"Vk\w*Flags\w*", type_name):  # flag types without bits yet
            return "u32"
        return None

    def classify(self, owner, member, siblings, declaration=None):
        """The Field of one structure member or command parameter. Raises Unserializable."""
        type_name = self.registry.aliases.get(member.type, member.type)
        c_decl = (declaration or member.cDeclaration).strip()
        stars = c_decl.count("*")
        where = f"{owner}::{member.name}"
        out = Field(member.name, "", type_name, "", declaration=c_decl, const=member.const)
        out.optional = bool(member.optional or member.noAutoValidity)
        if re.search(r":\s*\d+\s*$", c_decl):
            raise Unserializable(f"{where} is a bit-field")
        if type_name in NULL_ONLY:
            out.kind, out.wire = "null", "null"
            return out
        if type_name.startswith("PFN_"):
            raise Unserializable(f"{where} is a function pointer")

        base = self._base(type_name, where, allow_void=stars > 0)
        out.wire = base
        if member.fixedSizeArray:
            out.kind = "fixed_string" if type_name == "char" else "fixed_blob" if type_name == "uint8_t" else "fixed"
            out.length = "*".join(member.fixedSizeArray)
            return out
        if stars == 0:
            out.kind = {"handle": "handle", "struct": "struct", "union": "union"}.get(base, "scalar")
            out.null_elements = out.optional
            return out
        if member.nullTerminated:
            out.kind = "string_array" if member.length else "string"
            if member.length:
                out.length = self._length(where, member.length, siblings)
            return out
        if not member.length:
            if type_name == "void" and out.optional:  # the guest can only send NULL
                out.kind, out.wire = "null", "null"
                return out
            if type_name == "void":
                raise Unserializable(f"{where} is a pointer of unknown size")
            if stars > 1:
                raise Unserializable(f"{where} is a pointer to a pointer")
            out.kind = "pointer"
            out.null_elements = bool(member.optionalPointer or member.noAutoValidity)
            return out
        lengths = member.length.split(",")
        out.length = self._length(where, lengths[0], siblings)
        out.null_elements = bool(member.optionalPointer or member.noAutoValidity)
        if stars > 1:
            row = lengths[1] if len(lengths) > 1 else self.config["row_lengths"].get(where.replace("::", "."))
            if row is None or type_name == "void":
                raise Unserializable(f"{where} is an array of arrays whose row length is unknown")
            out.kind = "rows"
            out.row_length = self._length(where, row, siblings, index="i")
            return out
        out.kind = "blob" if type_name in ("void", "uint8_t") else "array"
        return out

    def _base(self, type_name, where, allow_void):
        if type_name in self.vk.handles:
            return "handle"
        if type_name == "void" and allow_void:
            return "blob"
        wire = self.scalar_wire(type_name)
        if wire:
            return wire
        if type_name in self.structs or type_name in self.vk.structs:
            return "union" if self.struct(type_name, where).is_union else "struct"
        raise Unserializable(f"{where} has the type {type_name}, which does not travel")

    def _length(self, where, text, siblings, index=None):
        """A registry length expression as C++ over `s`; unknown names are an error."""
        names = {m.name: m for m in siblings}
        text = text.replace("::", "->")

        def replace(match):
            word = match.group(0)
            if word.isdigit() or word.startswith("VK_"):
                return word
            head = re.split(r"->|\.|\[", word)[0]
            if head not in names:
                raise CodegenError(f"{where}: its length '{text}' names '{head}', which is no member or parameter")
            member = names[head]
            if "[]" in word:
                return "s." + word.replace("[]", f"[{index}]")
            if "->" in word or "." in word:
                return "s." + word
            return f"deref(s.{word})" if "*" in member.cDeclaration else f"s.{word}"

        return re.sub(r"[A-Za-z_]\w*(?:\[\])?(?:(?:->|\.)\w+)*|\d+", replace, text)

    def struct(self, name, where=""):
        """The StructInfo of a structure; raises Unserializable if it cannot travel."""
        if name in self.structs:
            return self.structs[name]
        if name in self.unserializable:
            raise Unserializable(self.unserializable[name])
        if name not in self.vk.structs:
            raise CodegenError(f"{where}: the registry has no structure {name}")
        source = self.vk.structs[name]
        if name in self._visiting:
            raise CodegenError(f"{name} contains itself")
        self._visiting.add(name)
        try:
            info = self._make_struct(source)
        except Unserializable as reason:
            self.unserializable[name] = str(reason)
            raise
        finally:
            self._visiting.discard(name)
        self.structs[name] = info
        return info

    def _make_struct(self, source):
        info = StructInfo(source.name, [], source.sType or "", list(source.extends or []), source.union,
                          returned_only=source.returnedOnly)
        if source.union:
            return self._make_union(source, info)
        for member in source.members:
            if member.name in ("sType", "pNext") and source.sType:
                continue
            made = self.classify(source.name, member, source.members)
            if made.kind == "union":
                made.selector = self.registry.selectors.get((source.name, member.name), "")
                if made.type in self.config["unions"]:
                    made.selector = ""
                elif not made.selector:
                    raise Unserializable(f"{source.name}::{member.name} is a union without a selector")
            info.fields.append(made)
        mark_counts(source.name, info.fields, source.members)
        swap_late_lengths(info.fields)
        return info

    def _make_union(self, source, info):
        configured = self.config["unions"].get(source.name)
        for index, member in enumerate(source.members):
            values = self.registry.selections.get((source.name, member.name))
            if configured is not None and index not in configured["accept"]:
                continue
            if configured is None and not values:
                raise Unserializable(f"{source.name}::{member.name} has no selection")
            info.fields.append(self.classify(source.name, member, source.members))
            info.selections.append([str(index)] if configured is not None else values)
        return info

    # -- pNext -----------------------------------------------------------------------------------

    def _load_chains(self):
        """Takes in every carried structure that extends one that travels, until nothing is added."""
        while True:
            before = len(self.structs)
            for name, source in self.vk.structs.items():
                if name in self.structs or name in self.unserializable or not source.extends:
                    continue
                parents = [self.registry.aliases.get(p, p) for p in source.extends]
                if source.sType and self.is_carried(source) and any(p in self.structs for p in parents):
                    try:
                        self.struct(name)
                    except Unserializable:
                        pass
            if len(self.structs) == before:
                break
        for info in self.structs.values():
            parents = (self.registry.aliases.get(p, p) for p in info.extends)
            info.extends = sorted({p for p in parents if p in self.structs and self.structs[p].s_type})

    def union_write_tag(self, name):
        """The tag that guests write for a union without a selector."""
        return self.config["unions"].get(name, {}).get("write", 0)

    def chain_structs(self):
        return [s for s in self.structs.values() if s.s_type and s.extends]

    def wire_bytes(self, fields, handle_bytes=0):
        """How many bytes the fields always take on the wire, if each is a scalar that looks in memory as there, or a structure of
        such scalars, or a handle where that has a size; else 0."""
        total = 0
        for made in fields:
            if made.kind == "struct":
                info = self.structs[made.type]
                size = 0 if info.s_type or info.is_union else self.wire_bytes(info.fields)
            elif made.kind == "handle":
                size = handle_bytes
            else:
                size = WIRE_SIZES.get(made.wire, 0) if made.kind == "scalar" and not made.is_count else 0
            if not size:
                return 0
            total += size
        return total

    def request_bytes(self, command):
        """The same for a command's arguments, if all are inputs."""
        return self.wire_bytes(command.params, handle_bytes=8) if all(p.mode == "in" for p in command.params) else 0

    def packed_bytes(self, info):
        """The same for a structure without handles."""
        return 0 if info.s_type or info.is_union else self.wire_bytes(info.fields)

    # -- private part ------------------------------------------------------------------------------

    def _parse_declaration(self, entry):
        text = entry["decl"]
        match = re.fullmatch(r"(const )?(\w+)(\*?) (\w+)", text)
        if not match:
            raise CodegenError(f"mesa_protocol.json: cannot read the declaration '{text}'")
        return PrivateMember(match[4], match[2], bool(match[1]), entry.get("len"), bool(match[3]),
                             entry.get("optional", False), text)

    def _load_private_structs(self):
        for entry in self.mesa["structs"]:
            if not entry.get("needs") or entry["needs"] in self.vk.structs:
                self._add_declared_struct(entry)

    def _add_declared_struct(self, entry):
        members = [self._parse_declaration(m) for m in entry["members"]]
        info = StructInfo(entry["name"], [], entry.get("sType", ""), entry.get("extends", []), private=True,
                          value=entry.get("value", 0), returned_only=entry.get("returnedOnly", False))
        self.structs[info.name] = info
        info.fields = [self.classify(info.name, m, members) for m in members]
        mark_counts(info.name, info.fields, members)
        self.private_structs.append(info)

    # -- commands ------------------------------------------------------------------------------------

    def _load_commands(self):
        aliases = {}
        for command in self.vk.commands.values():
            if command.alias:
                aliases.setdefault(command.alias, []).append(command.name)
        private = {c["name"]: c for c in self.mesa["commands"]}
        for name, number in sorted(self.numbers.items(), key=lambda item: item[1]):
            if name in self.config["never"]:
                continue
            if name in private:
                entry = private[name]
                if entry.get("needs") and entry["needs"] not in self.vk.structs:
                    self.missing_commands.append((number, name))
                    continue
                params = [self._parse_declaration(p) for p in entry["params"]]
                self._add_command(name, number, entry.get("returns", "void"), params, [], True)
                continue
            source = self.vk.commands.get(name)
            if source is None:
                self.missing_commands.append((number, name))
                continue
            self._add_command(name, number, source.returnType, source.params, sorted(aliases.get(name, [])), False)

    def _add_command(self, name, number, returns, params, aliases, private):
        command = CommandInfo(name, number, returns, [], "protocol", aliases, private)
        if returns not in ("void", "VkResult") and self.scalar_wire(returns) is None:
            raise CodegenError(f"{name} returns {returns}, which does not travel")
        for param in params:
            try:
                made = self.classify(name, param, params)
            except Unserializable as reason:
                raise CodegenError(f"{name} cannot be carried: {reason}; if it must never travel, "
                                   "list it under 'never' in special_commands.json") from reason
            command.params.append(made)
        mark_counts(name, command.params, params)
        for made in command.params:
            pointer = made.kind in ("pointer", "array", "blob", "string", "string_array", "rows")
            if pointer and not made.const:
                made.mode = "inout" if made.is_count or (name, made.name) == ("vkRegisterCustomBorderColorEXT", "pIndex") else "out"
        first = params[0].type
        if first in ("VkInstance", "VkPhysicalDevice"):
            command.level = "instance"
        elif first in self.vk.handles:
            command.level = "device"
        elif not private:
            command.level = "global"
        self._classify_handling(command)
        self.commands.append(command)

    def _classify_handling(self, command):
        special = self.config["special"].get(command.name)
        outs = [p for p in command.params if p.mode == "out" and p.wire == "handle"]
        if special:
            command.handling, command.ids, command.file = "special", special.get("ids", False), special["file"]
        elif command.level in ("protocol", "global"):
            raise CodegenError(f"{command.name} needs a hand-written handler: list it in special_commands.json")
        elif outs:
            if len(outs) != 1 or outs[0].kind != "pointer" or command.params[-1] is not outs[0] or command.returns != "VkResult":
                raise CodegenError(f"{command.name} creates objects in a way that needs a hand-written handler")
            command.handling = "create"
        elif re.match(r"vkDestroy", command.name):
            command.handling, command.ids = "destroy", True
            if len(command.params) != 3 or command.params[1].kind != "handle":
                raise CodegenError(f"{command.name} destroys objects in a way that needs a hand-written handler")

    def _check_configuration(self):
        known = set(self.numbers)
        for section in ("special", "never"):
            for name in self.config[section]:
                if name not in known:
                    raise CodegenError(f"special_commands.json lists {name}, which has no command number")
        for name in self.config["unions"]:
            if name not in self.vk.structs:
                raise CodegenError(f"special_commands.json configures the union {name}, which the registry lacks")

    # -- dispatch --------------------------------------------------------------------------------------

    def dispatch_entries(self, level):
        """(name, aliases) of the driver functions of one level that the host calls."""
        entries = [(c.name, c.aliases) for c in self.commands if c.level == level and not c.private]
        listed = {name for name, _ in entries}
        for name in self.config["host_only"]:
            source = self.vk.commands.get(name)
            if source is None:
                raise CodegenError(f"special_commands.json lists {name} as host_only, which the registry lacks")
            own = "instance" if source.params[0].type in ("VkInstance", "VkPhysicalDevice") or name == "vkGetDeviceProcAddr" else "device"
            if own == level and name not in listed:
                aliases = [c.name for c in self.vk.commands.values() if c.alias == name]
                entries.append((name, sorted(aliases)))
        return entries

    # -- layout pin ------------------------------------------------------------------------------------

    def layout_lines(self):
        """What travels, as text: one line per structure and command. wire_layout.txt pins it."""
        lines = []
        for info in sorted(self.structs.values(), key=lambda s: s.name):
            word = "union" if info.is_union else "struct"
            lines.append(f"{word} {info.name} {' '.join(describe(f) for f in info.fields)}".rstrip())
        for info in sorted(self.chain_structs(), key=lambda s: s.name):
            lines.append(f"chain {info.name} {' '.join(info.extends)}")
        for command in self.commands:
            lines.append(f"command {command.number} {command.name} {command.returns} "
                         f"{' '.join(p.mode + '.' + describe(p) for p in command.params)}".rstrip())
        return lines


class Unserializable(Exception):
    """The structure cannot travel; chains drop it, commands that need it are an error."""


@dataclass
class PrivateMember:
    name: str
    type: str
    const: bool
    length: str
    pointer: bool
    optional: bool
    cDeclaration: str
    noAutoValidity: bool = False
    nullTerminated: bool = False
    optionalPointer: bool = False
    fixedSizeArray: tuple = ()


def describe(made):
    text = f"{made.name}:{made.kind}:{made.wire}"
    if made.wire in ("struct", "union"):
        text += f"({made.type})"
    if made.length:
        text += f"[{made.length}]".replace(" ", "")
    if made.row_length:
        text += f"[{made.row_length}]".replace(" ", "")
    return text


def mark_counts(owner, fields, members):
    """Marks the members that are lengths of others: they travel even where only shapes do."""
    by_name = {f.name: f for f in fields}
    for made in fields:
        if made.kind not in ("array", "blob", "rows", "string_array"):
            continue
        for word in re.findall(r"s\.(\w+)\b(?!\.|->|\[)", made.length + " " + made.row_length):
            if word in by_name and by_name[word] is not made:
                by_name[word].is_count = True


def swap_late_lengths(fields):
    """A length that follows its array in C (VkHostAddressRangeEXT) precedes it on the wire."""
    for index, made in enumerate(fields):
        match = re.fullmatch(r"s\.(\w+)", made.length) if made.kind in ("blob", "array") else None
        if match:
            at = next((i for i, f in enumerate(fields) if f.name == match[1]), None)
            if at is not None and at > index:
                fields.insert(index, fields.pop(at))
                return swap_late_lengths(fields)
    return None
