#!/usr/bin/env python3
"""Checks the modules of the ledger's library: check_modules.py LUAC LUACHECK MODULE...

Besides what luac and luacheck find: no call may leave anything behind in a module, because the next call would find
it so. kept_state.py reads that from the compiled code. library.lua keeps its modules, which the first call makes.
"""
import pathlib
import subprocess
import sys

from kept_state import complaints_about

CONFIGURATION = pathlib.Path(__file__).with_name("scripts") / ".luacheckrc"
ALLOWED = {("library", "changes apply"), ("library", "changes apply_usual")}


def main():
    luac, luacheck, *modules = sys.argv[1:]
    failed = False
    for module, line, complaint in complaints_about(luac, [pathlib.Path(module) for module in modules]):
        if (module, complaint) not in ALLOWED:
            print(f"{module}.lua:{line}: a function {complaint}, which the next call would find so")
            failed = True
    found = subprocess.run([luacheck, "--config", CONFIGURATION, "--no-color", "--quiet", *modules], check=False)
    sys.exit(1 if failed or found.returncode else 0)


if __name__ == "__main__":
    main()
