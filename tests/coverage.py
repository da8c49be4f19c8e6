#!/usr/bin/env python3
"""Reads what gcov counted: coverage.py BUILD_DIRECTORY prints the lines of proxy/gateway that ran, and exits 1 below
the share that is asked for with --at-least."""
import argparse
import collections
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def counted_lines(directory):
    """The lines that could run, by file: whether they did, in any unit that contains them."""
    lines = collections.defaultdict(dict)
    for notes in sorted(directory.rglob("*.gcno")):
        said = subprocess.run(["gcov", "--json-format", "--stdout", str(notes)], cwd=notes.parent, check=True,
                              capture_output=True, text=True).stdout
        for text in said.splitlines():
            unit = json.loads(text)
            for each in unit["files"]:
                path = (Path(unit["current_working_directory"]) / each["file"]).resolve()
                if not path.is_relative_to(ROOT / "proxy/gateway"):
                    continue
                of_file = lines[path.relative_to(ROOT).as_posix()]
                for line in each["lines"]:
                    of_file[line["line_number"]] = of_file.get(line["line_number"], False) or line["count"] > 0
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--at-least", type=float, default=0, metavar="PERCENT")
    given = arguments.parse_args()
    lines = counted_lines(given.directory.resolve())
    ran = every = 0
    for name, of_file in sorted(item for item in lines.items() if item[1]):
        done = sum(of_file.values())
        ran, every = ran + done, every + len(of_file)
        print(f"{done:5} of {len(of_file):5} lines {100 * done / len(of_file):6.1f} %  {name}")
    share = 100 * ran / every if every else 0
    print(f"{ran:5} of {every:5} lines {share:6.1f} %  in all")
    return 0 if share >= given.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
