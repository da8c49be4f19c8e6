#!/usr/bin/env python3
"""Checks the modules of the ledger's library, each by itself: check_modules.py LUAC LUACHECK MODULE...

Besides what luac and luacheck find: no function may change a variable or a table of its module, because the next call
would find it so. library.lua assigns one variable, once.
"""
import pathlib
import re
import subprocess
import sys

CONFIGURATION = pathlib.Path(__file__).with_name("scripts") / ".luacheckrc"
ALLOWED = {"library.lua": {"apply"}}


def changes(luac, module):
    """(line, name) of each assignment to a variable of the module, or to a member of one, within a function."""
    listing = subprocess.run([luac, "-l", "-l", "-p", module], capture_output=True, text=True, check=True).stdout
    functions = re.split(r"^(?=(?:main|function) <)", listing, flags=re.M)[1:]
    of_module = set(re.findall(r"^\t\d+\t(\S+)\t\d+\t\d+$", functions[0].partition("\nlocals (")[2], flags=re.M))
    for function in functions[1:]:
        in_register = {}  # register -> the module variable that it contains
        for line, operation, first, name in re.findall(
                r"^\t\d+\t\[(\d+)\]\t(\w+)\s*\t(-?\d+)[^;\n]*(?:; (\S+))?", function, flags=re.M):
            if operation == "SETUPVAL" and name in of_module:
                yield line, name
            elif operation == "SETTABLE" and in_register.get(first) in of_module:
                yield line, in_register[first]
            elif operation == "GETUPVAL":
                in_register[first] = name
            elif operation not in ("SETTABLE", "SETUPVAL"):
                in_register.pop(first, None)


def main():
    luac, luacheck, *modules = sys.argv[1:]
    failed = False
    for module in modules:
        name = pathlib.Path(module).name
        for line, variable in changes(luac, module):
            if variable not in ALLOWED.get(name, ()):
                print(f"{name}:{line}: a function changes {variable}, which the next call would find so")
                failed = True
    found = subprocess.run([luacheck, "--config", CONFIGURATION, "--no-color", "--quiet", *modules], check=False)
    sys.exit(1 if failed or found.returncode else 0)


if __name__ == "__main__":
    main()
