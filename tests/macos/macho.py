"""Reads what Mach-O files say of themselves: <mach-o/loader.h>, <mach-o/nlist.h>. 64 bits, little endian."""

import dataclasses
import pathlib
import struct

MAGIC_64 = 0xFEEDFACF
CPU_ARM64 = 0x0100000C
EXECUTE, DYLIB = 2, 6

LC_SYMTAB, LC_ID_DYLIB, LC_BUILD_VERSION, LC_CODE_SIGNATURE = 0x2, 0xD, 0x32, 0x1D
# Plain, weak, re-exported, upward.
LC_LOAD_DYLIBS = {0xC, 0x80000018, 0x8000001F, 0x80000023}
PLATFORM_MACOS = 1
N_STAB, N_PRIVATE_EXTERNAL, N_TYPE, N_EXTERNAL, N_UNDEFINED = 0xE0, 0x10, 0x0E, 0x01, 0x0
N_WEAK_DEFINITION = 0x80


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
    exported_weak: set = dataclasses.field(default_factory=set)  # those of `exported` that another library may replace


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
            read_symbols(data, file, *struct.unpack_from("<3I", data, at + 8))
        at += size
    return file


def read_symbols(data, file, symbols, count, strings):
    for index in range(count):
        name, kind, _, described, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * index)
        if kind & N_STAB or not kind & N_EXTERNAL:
            continue
        if kind & N_TYPE == N_UNDEFINED:
            file.undefined.add(text_at(data, strings + name))
        elif not kind & N_PRIVATE_EXTERNAL:
            file.exported.add(text_at(data, strings + name))
            if described & N_WEAK_DEFINITION:
                file.exported_weak.add(text_at(data, strings + name))
