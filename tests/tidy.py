#!/usr/bin/env python3
"""The house keeps its order: includes go strictly downward, proxy -> config -> routes -> quota.

`quota` and `routes` are pure but for quota/redis: nothing else below `proxy` may include Asio's sockets,
and yaml-cpp, hiredis and simdjson each stay in their room.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["quota", "routes", "config", "proxy"]  # each may include itself and what stands before it
OUTSIDE = {"tests", "bench", "deploy"}          # see all, are seen by nobody
CLOSETS = {"yaml-cpp/": ["config"], "hiredis/": ["quota/redis"], "simdjson": ["routes", "proxy/admin"],
           "spdlog/": ["proxy"], "prometheus/": ["proxy"]}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaints_about(path):
    name = path.relative_to(ROOT).as_posix()
    room = name.split("/")[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, included = found.groups()
        target = included.split("/")[0]
        if quote == '"' and target in OUTSIDE:
            yield f"{name}:{number}: includes {included}: nobody sees {target}/"
        elif quote == '"' and target in ORDER and ORDER.index(target) > ORDER.index(room):
            yield f"{name}:{number}: includes {included}: {room} sits below {target}"
        for library, homes in CLOSETS.items():
            if quote == "<" and included.startswith(library) and not name.startswith(tuple(homes)):
                yield f"{name}:{number}: includes <{included}>, which stays in {' and '.join(homes)}"


def main():
    files = [p for room in ORDER for p in sorted((ROOT / room).rglob("*")) if p.suffix in (".hpp", ".cpp")]
    complaints = [each for path in files for each in complaints_about(path)]
    print("\n".join(complaints) or f"{len(files)} files in order")
    return 1 if complaints or len(files) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
