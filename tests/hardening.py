#!/usr/bin/env python3
"""A release has Debian's hardening: what the compiler and the linker left in the program says so.

Usage: hardening.py PROGRAM...
"""
import re
import subprocess
import sys
from pathlib import Path


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], check=True, text=True, capture_output=True).stdout


def code_of(program):
    """The bytes of .text, and its address."""
    found = re.search(r"\] \.text +PROGBITS +(\w+) (\w+) (\w+)", readelf("-S", program))
    address, offset, size = (int(number, 16) for number in found.groups())
    return Path(program).read_bytes()[offset:offset + size], address


def functions_of(program, symbols, code, address):
    """The first bytes of Tollgate's own functions."""
    for line in symbols.splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[3] == "FUNC" and "8tollgate" in fields[7] and int(fields[2], 0) > 0:
            at = int(fields[1], 16) - address
            if 0 <= at < len(code):
                yield code[at:at + 4]


def problems(program):
    header, segments, dynamic = readelf("-h", program), readelf("-l", program), readelf("-d", program)
    symbols = readelf("-s", program)
    code, address = code_of(program)
    if not re.search(r"Type: +DYN", header) or not re.search(r"FLAGS_1.*PIE", dynamic):
        yield "is not position independent (-pie)"
    if "GNU_RELRO" not in segments:
        yield "has no read-only relocations (-z relro)"
    if not re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic):
        yield "is not bound at its start (-z now)"
    if not re.search(r"GNU_STACK.* RW ", segments):
        yield "has an executable stack (-z noexecstack)"
    if "__stack_chk_fail" not in symbols:
        yield "has no stack protector (-fstack-protector-strong)"
    if not re.search(r"__(mem|str|v?s?n?printf|read|recv|poll|fdelt)\w*_chk@", symbols):
        yield "has no fortified functions (-D_FORTIFY_SOURCE=2)"
    if "__glibcxx_assert_fail" not in symbols:
        yield "has no checks of the C++ library (-D_GLIBCXX_ASSERTIONS)"
    if "X86-64" in header:
        if code.count(b"\x48\x83\x0c\x24\x00") < 5:  # orq $0,(%rsp): each page of a large frame is touched
            yield "has no stack-clash protection (-fstack-clash-protection)"
        # Not every function is called through a pointer. The C runtime of Debian 12 has no such marks, so the linker
        # does not mark the program as a whole.
        begins = list(functions_of(program, symbols, code, address))
        marked = sum(first == b"\xf3\x0f\x1e\xfa" for first in begins)
        if not begins or marked < len(begins) / 2:
            yield f"has no control-flow protection (-fcf-protection): {marked} of {len(begins)} functions"


def main():
    found = [f"{program} {problem}" for program in sys.argv[1:] for problem in problems(program)]
    print("\n".join(found) or f"{len(sys.argv) - 1} hardened")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
