#!/usr/bin/env python3
"""Crafted files: never more than a second heard beyond what is charged; honest ones measured.

    test_crafted.py [--table] [--only TEXT] [--module NAME] [--meter 'PROGRAM ARGUMENT…'] [--directory DIR]

Judged by the samples that ffmpeg decodes (heard.py). The files of all modules in crafted/ are written to
--directory, and are left there.
"""
import argparse
import shutil
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import crafted
from heard import BUILD_DIR, HeardCache, charged_seconds

SKIPPED = 77
TOLERANCE = Fraction(1)      # second
EXACT = Fraction(1, 10)      # of a second: a codec frame, and what a resampler keeps


def written(directory, module, kind, cases):
    """The files of a module, by name."""
    for name, content in cases:
        path = directory / module / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, (bytes, bytearray)):
            path.write_bytes(content)
        else:
            shutil.copyfile(content, path)
        yield path


def verdict(charged, heard):
    if charged is None:
        return "refused"
    if abs(charged - heard) <= EXACT:
        return "exact"
    return "over" if charged > heard else "under"


def complaint(kind, charged, heard):
    if kind == "honest" and charged is None:
        return "honest, and refused"
    if kind == "honest" and charged - heard > TOLERANCE:
        return "honest, and overcharged"
    if charged is not None and heard - charged > TOLERANCE:
        return "more heard than charged"
    return ""


def report(rows, table):
    counts, wrong = {}, 0
    for module, kind, path, charged, heard in rows:
        why = complaint(kind, charged, heard)
        wrong += bool(why)
        result = verdict(charged, heard)
        counts.setdefault((module, kind), Counter())[result] += 1
        if table or why:
            said = "refused" if charged is None else f"{float(charged):.3f}"
            print(f"{module + '/' + kind + '/' + path.name:64} heard {float(heard):10.3f}  charged {said:>10}"
                  f"  {why and '<- ' + why}")
    print(f"\n{'':24} {'files':>6} {'refused':>8} {'exact':>6} {'over':>6} {'under':>6}")
    for (module, kind), results in sorted(counts.items()):
        print(f"{module + ' ' + kind:24} {sum(results.values()):6} {results['refused']:8} {results['exact']:6} "
              f"{results['over']:6} {results['under']:6}")
    print(f"{len(rows)} files, wrong {wrong} (under by more than a second, or honest and refused or dearer)")
    return wrong == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=BUILD_DIR / "audio-crafted")
    parser.add_argument("--meter", default=f"{BUILD_DIR / 'tollgate'} meter")
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--module", default="", help="one module of crafted/")
    parser.add_argument("--table", action="store_true", help="every file, not only those that are wrong")
    options = parser.parse_args()
    if not shutil.which("ffmpeg"):
        print("skipped: no ffmpeg here (deploy/install-packages.sh audio)")
        return SKIPPED
    directory = options.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    wanted = {module: contents for module, contents in crafted.modules().items()
              if options.module == module or not (options.module or getattr(contents, "LONG", False))}
    def files_of(module):
        contents = wanted[module]
        return [(module, kind, path)
                for kind, make in (("crafted", contents.cases), ("honest", getattr(contents, "honest", list)))
                for path in written(directory, module, kind, make()) if options.only in path.name]

    with ThreadPoolExecutor(2) as pool:
        files = [file for each in pool.map(files_of, wanted) for file in each]
    charged = charged_seconds([path for _, _, path in files], options.meter)
    cache = HeardCache(directory / "heard.json")
    # What is refused costs nobody anything, whatever is in it.
    def judge(file):
        _, kind, path = file
        if kind == "crafted" and charged[str(path)] is None and not options.table:
            return Fraction(0)
        return cache.seconds(path)

    with ThreadPoolExecutor(2) as pool:
        heard = list(pool.map(judge, files))
    cache.save()
    rows = [(module, kind, path, charged[str(path)], seconds)
            for (module, kind, path), seconds in zip(files, heard)]
    return 0 if report(rows, options.table) else 1


if __name__ == "__main__":
    sys.exit(main())
