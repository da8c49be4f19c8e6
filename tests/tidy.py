#!/usr/bin/env python3
"""Includes go strictly downward: proxy -> config -> routes -> quota, and in proxy from layer to layer.

`quota` and `routes` are pure except quota/redis: nothing else below `proxy` may include Asio's sockets. Some
libraries, and quota/redis, are confined to directories. Classes of proxy have a maximum size: files and functions are
small, so a large object would not be noticed in them. Commands of quota/redis go through account_commands.
"""
import re
import sys
from pathlib import Path

from class_sizes import classes

ROOT = Path(__file__).resolve().parent.parent
ORDER = ["quota", "routes", "config", "proxy"]  # each may include itself and those before it
OUTSIDE = {"tests", "bench", "deploy"}          # may include anything; nothing includes them
BASE = ["text", "net", "metrics", "account"]    # of proxy, each may include those before it
JOBS = ["archive", "webhooks", "payments"]      # may include BASE, but not each other
LAYERS = {**{layer: BASE[:i] for i, layer in enumerate(BASE)}, **{job: BASE for job in JOBS},
          "gateway": BASE, "admin": BASE + JOBS, "cli": BASE + JOBS + ["gateway", "admin"],
          "app": BASE + JOBS + ["gateway", "admin", "cli"]}
CONFINED = {"yaml-cpp/": ["config"], "hiredis/": ["quota/redis"], "simdjson": ["routes", "proxy/text"],
            "zstd": ["routes/readers"], "brotli/": ["routes/readers"], "spdlog/": ["proxy"], "prometheus/": ["proxy"],
            "libpq-fe": ["proxy/archive", "config/read_archive.cpp"], "pqxx/": ["proxy/archive"]}
MOST_MEMBERS, MOST_FUNCTIONS, MOST_SOURCES = 15, 30, 2  # of a class of proxy
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaint_about_layers(name, included):
    """Complains about an include of one file of proxy in another, or of quota/redis."""
    layer = name.split("/")[1]
    if included.startswith("quota/redis/"):
        if layer != "app":
            return f"{name}: only proxy/app includes quota/redis"
    elif included.startswith("proxy/"):
        target = included.split("/")[1]
        if target not in LAYERS:
            return f"{included} is in no layer"
        if target != layer and target not in LAYERS[layer]:
            return f"proxy/{layer} may not include proxy/{target}"
    return None


def complaints_about(path):
    name = path.relative_to(ROOT).as_posix()
    directory = name.split("/")[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        quote, included = found.groups()
        target = included.split("/")[0]
        if quote == '"' and target in OUTSIDE:
            yield f"{name}:{number}: includes {included}: nothing includes {target}/"
        elif quote == '"' and target in ORDER and ORDER.index(target) > ORDER.index(directory):
            yield f"{name}:{number}: includes {included}: {directory} is below {target}"
        elif quote == '"' and directory == "proxy":
            why = complaint_about_layers(name, included)
            if why:
                yield f"{name}:{number}: includes {included}: {why}"
        for library, homes in CONFINED.items():
            if quote == "<" and included.startswith(library) and not name.startswith(tuple(homes)):
                yield f"{name}:{number}: includes <{included}>, which only {' and '.join(homes)} may"


# Files of quota/redis that may send commands directly; others use account_commands, which checks the schema.
SENDERS = {"account_commands.cpp", "connection.cpp", "ledger_library.cpp", "store_schema.cpp"}
SENDS = re.compile(r"connection_?\.(?:call|call_all|call_now)\(")


def complaints_about_commands():
    """Commands that do not check whether a later version has written the account."""
    for path in sorted((ROOT / "quota/redis").glob("*.cpp")):
        if path.name in SENDERS:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if SENDS.search(line) and "redis.call(" not in line:
                yield f"quota/redis/{path.name}:{number}: sends a command of its own; use account_commands.hpp"


MODULE = re.compile(r"from '\./(\w+\.js)'")


def complaints_about_modules():
    """Modules of the dashboard must not import each other in a cycle."""
    imports = {path.name: MODULE.findall(path.read_text())
               for path in (ROOT / "proxy/admin/dashboard/web").glob("*.js")}
    done = set()

    def follow(name, way):
        if name in way:
            yield "dashboard modules import each other: " + " -> ".join([*way[way.index(name):], name])
        elif name not in done:
            for each in imports.get(name, []):
                yield from follow(each, [*way, name])
            done.add(name)

    for name in sorted(imports):
        yield from follow(name, [])


def complaints_about_classes():
    for each in classes(["proxy"]):
        if each.members > MOST_MEMBERS or each.functions > MOST_FUNCTIONS or len(each.sources) > MOST_SOURCES:
            yield (f"{each.file}: {each.name} has {each.members} data members and {each.functions} functions in "
                   f"{len(each.sources)} .cpp files; at most {MOST_MEMBERS}, {MOST_FUNCTIONS}, {MOST_SOURCES}")


def main():
    files = [p for directory in ORDER for p in sorted((ROOT / directory).rglob("*")) if p.suffix in (".hpp", ".cpp")]
    complaints = [each for path in files for each in complaints_about(path)] + [
        *complaints_about_classes(), *complaints_about_commands(), *complaints_about_modules()]
    print("\n".join(complaints) or f"{len(files)} files in order")
    return 1 if complaints or len(files) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
