"""Makes the reader programs of each language in the build directory, from versions that are pinned."""
import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
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
    """Debian's cargo reads only crates.io's index in git, several hundred megabytes, if it is not told that it
    knows another way. So it fetches what the lock file names in one step, and builds that in the next."""
    directory, lock = BUILD / "rust", HERE / "rust" / "Cargo.lock"
    vendor = directory / "vendor"
    cargo = tool("/usr/bin/cargo", "cargo")
    environment = {**os.environ, "RUSTC": tool("/usr/bin/rustc", "rustc")}
    made, done = is_made(BUILD / "rust.made", lock)
    if not made:
        shutil.rmtree(vendor, ignore_errors=True)
        run(cargo, "vendor", "-Z", "sparse-registry", "--quiet", "--locked", vendor, cwd=HERE / "rust",
            env={**environment, "RUSTC_BOOTSTRAP": "1", "CARGO_UNSTABLE_SPARSE_REGISTRY": "true",
                 "CARGO_REGISTRIES_CRATES_IO_PROTOCOL": "sparse"})
        done()
    run(cargo, "build", "--release", "--locked", "--offline", "--quiet", "--target-dir", directory,
        "--config", 'source.crates-io.replace-with="vendored"', "--config", f'source.vendored.directory="{vendor}"',
        cwd=HERE / "rust", env=environment)
    return [directory / "release" / "readers"]


def java():
    directory, sources = BUILD / "java", HERE / "java"
    locked = sources / "jars.sha256"
    made, done = is_made(BUILD / "java.made", sources / "pom.xml", sources / "src" / "Readers.java", locked)
    if not made:
        shutil.rmtree(directory, ignore_errors=True)
        run(tool("/usr/bin/mvn", "mvn"), "-q", "-B", "-C", f"-Dreaders.build={directory}", "package", cwd=sources)
        jars = sums_of(directory / "lib")
        if jars != locked.read_text():
            print(jars, file=sys.stderr)
            raise ValueError(f"these are other jars than {locked} names")
        done()
    return [tool("/usr/bin/java", "java"), "-cp", f"{directory}/classes:{directory}/lib/*", "Readers"]


def sums_of(directory):
    """As sha256sum writes it."""
    return "".join(f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n"
                   for each in sorted(directory.iterdir()))


LANGUAGES = {"python": [python], "node": [node], "c": [c, jansson], "go": [go], "rust": [rust], "java": [java]}


def commands(languages, allow_missing):
    """(name, command) of every program. They are made side by side: most of it is waiting for downloads."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        making = [(language, make.__name__, pool.submit(make)) for language in languages
                  for make in LANGUAGES[language]]
    out = []
    for language, name, made in making:
        try:
            out.append((name, [str(each) for each in made.result()]))
        except (FileNotFoundError, subprocess.CalledProcessError) as wrong:
            if not allow_missing:
                raise
            print(f"without {language}: {wrong}", file=sys.stderr)
    if not out:
        print("skipped: none of these languages is here (deploy/install-packages.sh readers)")
        sys.exit(SKIPPED)
    return out
