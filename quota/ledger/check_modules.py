#!/usr/bin/env python3
"""Checks the modules of the ledger's library: check_modules.py LUAC LUACHECK MODULE...

Besides what luac and luacheck find: no call may leave anything behind in a module, because the next call would find
it so. kept_state.py reads that from the compiled code. library.lua keeps its modules, which the first call makes.

And library.lua has a list of all commands that the modules send: a connection is checked for permission to send them.
"""
import pathlib
import re
import subprocess
import sys

from kept_state import complaints_about

CONFIGURATION = pathlib.Path(__file__).with_name("scripts") / ".luacheckrc"
ALLOWED = {("library", "changes apply"), ("library", "changes apply_usual")}


def complaints_about_commands(modules):
    """Of texts by name."""
    sent = {command for text in modules.values() for command in re.findall(r"\b(?:call|send)\('([A-Z]+)'", text)}
    listed = set(re.findall(r"'([A-Z]+)'", re.search(r"COMMANDS = {([^}]*)}", modules["library"])[1]))
    for command in sorted(sent ^ listed):
        yield f"{command} is {'not ' if command in sent else ''}in library.lua's COMMANDS, but the modules " \
              f"{'' if command in sent else 'do not '}send it"


def main():
    luac, luacheck, *modules = sys.argv[1:]
    failed = False
    for module, line, complaint in complaints_about(luac, [pathlib.Path(module) for module in modules]):
        if (module, complaint) not in ALLOWED:
            print(f"{module}.lua:{line}: a function {complaint}, which the next call would find so")
            failed = True
    for complaint in complaints_about_commands({path.stem: path.read_text() for path in map(pathlib.Path, modules)}):
        print(complaint)
        failed = True
    found = subprocess.run([luacheck, "--config", CONFIGURATION, "--no-color", "--quiet", *modules], check=False)
    sys.exit(1 if failed or found.returncode else 0)


if __name__ == "__main__":
    main()
