"""Runs a program as on a kernel without some system calls: python3 older_kernel.py NUMBER... -- PROGRAM ARGUMENTS..."""

import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # Of the kernel's small machine: BPF_LD | BPF_W | BPF_ABS and so on.
NO_SUCH_CALL, ALLOWED = 0x00050000 | 38, 0x7fff0000


def instruction(code, if_true, if_false, value):
    return struct.pack("<HBBI", code, if_true, if_false, value)


def take_away(numbers):
    program = instruction(LOAD, 0, 0, 0)
    for number in numbers:
        program += instruction(EQUAL, 0, 1, number) + instruction(RETURN, 0, 0, NO_SUCH_CALL)
    program += instruction(RETURN, 0, 0, ALLOWED)
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, described, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    end = sys.argv.index("--")
    take_away(map(int, sys.argv[1:end]))
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])
