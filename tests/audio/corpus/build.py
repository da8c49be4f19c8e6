"""Makes the corpus in a directory, two recipes at a time, and keeps it until the recipes change."""
import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .recipe import SOURCES, run

AT_ONCE = 2  # encoders and probes: the machine may have two cores only
HERE = Path(__file__).resolve().parent


def fingerprint():
    """Of everything that decides what the corpus is: the recipes and the oracle."""
    scripts = sorted(HERE.glob("*.py")) + [HERE.parent / "oracle.py", HERE.parent / "isobmff.py"]
    return hashlib.sha256(b"\0".join(script.read_bytes() for script in scripts)).hexdigest()


def in_parallel(function, items):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(function, items))


def waves(cases):
    """The cases in groups, each of which needs only the groups before it."""
    depths = {}

    def depth(name):
        if name not in depths:
            depths[name] = 1 + max(map(depth, cases[name].needs), default=-1)
        return depths[name]

    for wave in range(1 + max(map(depth, cases))):
        yield [case for case in cases.values() if depths[case.name] == wave]


def build(directory, cases):
    """Makes what is missing. A changed script makes everything anew."""
    stamp = directory / "made-by"
    if not stamp.exists() or stamp.read_text() != fingerprint():
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "sources").mkdir(parents=True)
        stamp.write_text(fingerprint())
    for folder in {Path(name).parent for name in cases}:
        (directory / folder).mkdir(exist_ok=True)

    def make(name, recipe):
        out = directory / name
        if out.exists():
            return
        # Made beside its name and then renamed: a build that was interrupted leaves no half file. The
        # suffix stays, ffmpeg chooses the container by it.
        unfinished = out.with_name("unfinished-" + out.name)
        recipe(unfinished)
        unfinished.rename(out)

    in_parallel(lambda source: make(f"sources/{source[0]}", source[1]), SOURCES.items())
    for wave in waves(cases):
        in_parallel(lambda case: make(case.name, lambda out: case.make(directory, out)), wave)


def missing_tools():
    return [tool for tool in ("ffmpeg", "ffprobe", "sox", "lame", "espeak-ng") if not shutil.which(tool)]
