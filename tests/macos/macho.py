"""Reads what Mach-O files say of themselves: <mach-o/loader.h>, <mach-o/nlist.h>. 64 bits, little endian."""

import dataclasses
import pathlib
import struct

MAGIC_64 = 0xFEEDFACF
CPU_ARM64 = 0x0100000C
EXECUTE, DYLIB = 2, 6

LC_SYMTAB, LC_ID_DYLIB, LC_BUILD_VERSION, LC_CODE_SIGNATURE = 0x2, 0xD, 0x32, 0x1D
LC_DYLD_INFO_ONLY, LC_DYLD_EXPORTS_TRIE = 0x80000022, 0x80000033
# Plain, weak, re-exported, upward.
LC_LOAD_DYLIBS = {0xC, 0x80000018, 0x8000001F, 0x80000023}
PLATFORM_MACOS = 1
N_STAB, N_TYPE, N_EXTERNAL, N_UNDEFINED = 0xE0, 0x0E, 0x01, 0x0


@dataclasses.dataclass
class MachO:
    cpu: int
    kind: int
    platform: int = 0
    minimum_system: tuple = ()
    install_name: str = ""
    signed: bool = False
    libraries: list = dataclasses.field(default_factory=list)
    undefined: set = dataclasses.field(default_factory=set)
    exported: set = dataclasses.field(default_factory=set)


def text_at(data, offset):
    return data[offset:data.index(b"\0", offset)].decode()


def read(path):
    data = pathlib.Path(path).read_bytes()
    magic, cpu, _, kind, commands, _, _, _ = struct.unpack_from("<8I", data)
    if magic != MAGIC_64:
        raise ValueError(f"{path} is no 64-bit Mach-O file")
    file = MachO(cpu, kind)
    at = 32
    for _ in range(commands):
        command, size = struct.unpack_from("<2I", data, at)
        if command in LC_LOAD_DYLIBS | {LC_ID_DYLIB}:
            name = text_at(data, at + struct.unpack_from("<I", data, at + 8)[0])
            if command == LC_ID_DYLIB:
                file.install_name = name
            else:
                file.libraries.append(name)
        elif command == LC_BUILD_VERSION:
            file.platform, version = struct.unpack_from("<2I", data, at + 8)
            file.minimum_system = (version >> 16, version >> 8 & 0xFF)
        elif command == LC_CODE_SIGNATURE:
            file.signed = True
        elif command == LC_SYMTAB:
            file.undefined.update(undefined_symbols(data, *struct.unpack_from("<3I", data, at + 8)))
        elif command in (LC_DYLD_INFO_ONLY, LC_DYLD_EXPORTS_TRIE):
            start, length = struct.unpack_from("<2I", data, at + (40 if command == LC_DYLD_INFO_ONLY else 8))
            if length:
                file.exported |= exported_symbols(data[start:start + length])
        at += size
    return file


def undefined_symbols(data, symbols, count, strings):
    for index in range(count):
        name, kind, _, _, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * index)
        if kind & N_EXTERNAL and not kind & N_STAB and kind & N_TYPE == N_UNDEFINED:
            yield text_at(data, strings + name)


def exported_symbols(trie):
    """What dyld finds: names by common prefixes. A node is what it exports (bytes of it, then these), and its children: how many,
    and of each the letters that lead there and where."""
    found, nodes = set(), [("", 0)]
    while nodes:
        name, at = nodes.pop()
        size, at = number_at(trie, at)
        if size:
            found.add(name)
        at += size
        children, at = trie[at], at + 1
        for _ in range(children):
            letters = text_at(trie, at)
            child, at = number_at(trie, at + len(letters) + 1)
            nodes.append((name + letters, child))
    return found


def number_at(data, at):
    """A ULEB128 number, and what follows it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
