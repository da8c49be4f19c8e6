#!/usr/bin/env python3
"""Everything that is fetched by name has an exact version, and runs on Debian 12's own tools.

npm packages are installed by `npm ci` from a lock file, Python's from `requirements*.txt` with `==`, Go's modules from
`go.mod` and `go.sum`, Java's from a `pom.xml` without ranges and with the sums of its jars, Rust's from
`Cargo.lock`. Container images have a tag that does not move. Debian's packages are those of one release, which
deploy/check-bare.sh installs from scratch.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEBIANS_NODE, DEBIANS_GO = 18, (1, 19)
EXACT = re.compile(r"^\d+\.\d+\.\d+(-[\w.-]+)?$")
# Commands that install whatever version is the newest.
NEWEST = re.compile(r"""\bnpm["', ]+(install|i|add)\b|\bnpx\b|\bpip3?["', ]+install\b(?!["', ]+(-\S+["', ]+)*(-r|--requirement)\b)"""
                    r"""|@latest\b|\bplaywright["', ]+install\b""")
SCRIPTS = {".sh", ".py", ".mjs", ".js", ".cmake", ".txt", ".yaml", ""}


def tracked():
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    found = [ROOT / name for name in names if name] or [p for p in ROOT.rglob("*") if "build" not in p.parts]
    return [path for path in found if path.is_file()]


def node_packages(path):
    wanted = json.loads(path.read_text())
    for name, version in {**wanted.get("dependencies", {}), **wanted.get("devDependencies", {})}.items():
        if not EXACT.match(version):
            yield f"{name} {version}: no exact version"
    lock = path.with_name("package-lock.json")
    if not lock.exists():
        yield "no package-lock.json beside it"
        return
    for name, locked in json.loads(lock.read_text())["packages"].items():
        if not name:
            if locked.get("dependencies", {}) != wanted.get("dependencies", {}):
                yield "package-lock.json is of other dependencies"
            continue
        if "integrity" not in locked:
            yield f"{name}: no integrity in package-lock.json"
        engines = locked.get("engines", {})  # some old packages have a list
        needed = engines.get("node", "") if isinstance(engines, dict) else ""
        least = re.match(r"^>=? ?(\d+)", needed)
        if least and int(least[1]) > DEBIANS_NODE:
            yield f"{name} needs Node.js {needed}, Debian 12 has {DEBIANS_NODE}"


def python_packages(path):
    for line in path.read_text().split("\n"):
        line = line.split("#")[0].strip().rstrip("\\").strip()
        if line and not line.startswith("--") and not re.match(r"^[\w.\[\]-]+==[\w.]+( --hash=.*)?$", line):
            yield f"{line}: no exact version"


def go_modules(path):
    text = path.read_text()
    language = re.search(r"^go (\d+)\.(\d+)", text, re.M)
    if not language or (int(language[1]), int(language[2])) > DEBIANS_GO:
        yield "needs a Go that Debian 12 does not have"
    if "require" in text and not path.with_name("go.sum").exists():
        yield "no go.sum beside it"


def maven(path):
    for version in re.findall(r"<version>([^<]*)</version>", path.read_text()):
        if not re.match(r"^[\w.-]+$", version) or version in ("LATEST", "RELEASE") or "SNAPSHOT" in version:
            yield f"version {version} is no exact one"
    if not path.with_name("jars.sha256").exists():
        yield "no jars.sha256 beside it"


def crates(path):
    """Version 3 of the lock file is the last one that Debian's cargo reads."""
    wanted = re.split(r"^\[", path.read_text().split("[dependencies]")[-1], flags=re.M)[0]
    for name, version in re.findall(r'^([\w-]+) = (?:\{.*version = )?"([^"]*)"', wanted, re.M):
        if not EXACT.match(version.removeprefix("=")) or not version.startswith("="):
            yield f"{name} {version}: no exact version"
    lock = path.with_name("Cargo.lock")
    if not lock.exists() or "\nversion = 3\n" not in lock.read_text():
        yield "no Cargo.lock beside it that Debian's cargo reads"


def images(path):
    text = path.read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.M))
    own = {"tollgate"}  # built here
    for image in re.findall(r"^FROM (\S+)|^\s*(?:- )?image: *(\S+)", text, re.M):
        image = image[0] or image[1]
        if image in stages | own | {"scratch"}:
            continue
        tag = image.rpartition(":")[2] if ":" in image else ""
        if tag not in ("bookworm", "bookworm-slim") and not re.search(r"\d+\.\d+", tag):
            yield f"image {image}: no exact version"


def newest(path):
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if NEWEST.search(line.split("#")[0] if path.suffix in (".sh", ".py", "") else line):
            yield f"line {number} takes the newest of something: {line.strip()}"


def checks_of(path):
    if path.name == "package.json":
        yield node_packages
    elif re.match(r"requirements.*\.txt$", path.name):
        yield python_packages
    elif path.name == "go.mod":
        yield go_modules
    elif path.name == "pom.xml":
        yield maven
    elif path.name == "Cargo.toml":
        yield crates
    elif path.name.startswith("Dockerfile") or path.suffix in (".yaml", ".yml"):
        yield images
    if path.suffix in SCRIPTS and path != Path(__file__).resolve() and "corpus" not in path.parts:
        yield newest


def main():
    complaints, looked_at = [], 0
    for path in tracked():
        for check in checks_of(path):
            looked_at += 1
            try:
                complaints += [f"{path.relative_to(ROOT)}: {each}" for each in check(path)]
            except UnicodeDecodeError:
                pass  # no text
    print("\n".join(complaints) or f"{looked_at} checks, everything has a version")
    return 1 if complaints or looked_at < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
