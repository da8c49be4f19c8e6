"""Makes the reader programs of each language in the build directory, from versions that are pinned."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = Path(os.environ.get("TOLLGATE_BUILD_DIR", ROOT / "build" / "release")) / "readers"
SKIPPED = 77


def run(*command, **options):
    subprocess.run([str(each) for each in command], check=True, stdout=sys.stderr, **options)


def is_made(stamp, *sources):
    """Whether what was made of these very files is there; `done()` remembers it."""
    content = b"\0".join(each.read_bytes() for each in sources)

    def done():
        stamp.write_bytes(content)
    return stamp.exists() and stamp.read_bytes() == content, done


def first_of(*names):
    return next((found for name in names if (found := shutil.which(name))), None)


def tool(*names):
    """Debian's own by its path where it is there, else the one on the path."""
    found = first_of(*names)
    if found is None:
        raise FileNotFoundError(names[-1])
    return found


def python():
    directory, wanted = BUILD / "python", HERE / "python" / "requirements.txt"
    made, done = is_made(BUILD / "python.made", wanted)
    if not made:
        shutil.rmtree(directory, ignore_errors=True)
        run(tool("/usr/bin/python3", "python3"), "-m", "venv", directory)
        run(directory / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "-r", wanted)
        done()
    return [directory / "bin" / "python", "-W", "ignore", HERE / "python" / "readers.py"]


def node():
    directory, lock = BUILD / "node", HERE / "node" / "package-lock.json"
    directory.mkdir(parents=True, exist_ok=True)
    node_, npm = tool("/usr/bin/node", "node"), tool("/usr/bin/npm", "npm")
    made, done = is_made(BUILD / "node.made", lock)
    shutil.copy(HERE / "node" / "readers.mjs", directory)
    if not made:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, directory)
        run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier", "--engine-strict",
            cwd=directory)
        done()
    return [node_, directory / "readers.mjs"]


def compiled_c(source, *libraries):
    out = BUILD / source.stem
    run(tool("cc"), "-O2", "-o", out, source, *[f"-l{each}" for each in libraries])
    return [out]


def c():
    return compiled_c(HERE / "c" / "cjson_jsonc.c", "cjson", "json-c")


def jansson():
    return compiled_c(HERE / "c" / "jansson.c", "jansson")


def go():
    run(tool("/usr/lib/go-1.19/bin/go", "/usr/bin/go", "go"), "build", "-o", BUILD / "go-readers", ".",
        cwd=HERE / "go", env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"})
    return [BUILD / "go-readers"]


def rust():
    directory = BUILD / "rust"
    run(tool("/usr/bin/cargo", "cargo"), "build", "--release", "--locked", "--quiet", "--target-dir", directory,
        cwd=HERE / "rust")
    return [directory / "release" / "readers"]


def java():
    directory = BUILD / "java"
    run(tool("/usr/bin/mvn", "mvn"), "-q", "-B", f"-Dreaders.build={directory}", "package", cwd=HERE / "java")
    return [tool("/usr/bin/java", "java"), "-cp", f"{directory}/classes:{directory}/lib/*", "Readers"]


LANGUAGES = {"python": [python], "node": [node], "c": [c, jansson], "go": [go], "rust": [rust], "java": [java]}


def commands(languages, allow_missing):
    """(name, command) of every program."""
    BUILD.mkdir(parents=True, exist_ok=True)
    out = []
    for language in languages:
        try:
            out += [(make.__name__, [str(each) for each in make()]) for make in LANGUAGES[language]]
        except (FileNotFoundError, subprocess.CalledProcessError) as wrong:
            if not allow_missing:
                raise
            print(f"without {language}: {wrong}", file=sys.stderr)
    if not out:
        print("skipped: none of these languages is here (deploy/install-packages.sh readers)")
        sys.exit(SKIPPED)
    return out
