#!/usr/bin/env python3
"""The meters against ffmpeg: every file of the corpus within one codec frame, and the same price.

    test_corpus.py [--table] [--only TEXT] [--meter 'PROGRAM ARGUMENT…'] [--splits PROGRAM]
                   [--directory DIR]

The corpus is made in --directory when it is not there. The meter is `tollgate meter` of the build
directory, or any program that prints the same JSON lines for `--json [--pcm R,C,B] FILE…`. --splits is
the program that gives every small file to the meters in other pieces (split_check.cpp).
"""
import argparse
import json
import math
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import corpus
from corpus.build import build, in_parallel, missing_tools
from exceptions import CREDITS, disagreement_about
from oracle import Truth, truth_of

BUILD_DIR = Path(os.environ.get("TOLLGATE_BUILD_DIR", Path(__file__).resolve().parents[2] / "build/release"))
SKIPPED = 77
SMALL = 400_000          # bytes: such files are also given to the meters byte by byte
CREDITS_PER_MINUTE = 5   # tts, without a configuration


def price(seconds):
    """As quota/rate_card.hpp does it: up to the next second, half up at the micro-credit."""
    micro = math.ceil(seconds) * CREDITS_PER_MINUTE * 1_000_000
    return Fraction((micro + 30) // 60, 1_000_000)


def truths_of(directory, cases):
    """ffmpeg's answers, kept beside the files that they are about."""
    kept = directory / "truths.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    missing = [case for case in cases.values() if case.name not in known]
    answers = in_parallel(lambda case: truth_of(case, directory / case.name), missing)
    known.update((case.name, truth.as_json()) for case, truth in zip(missing, answers))
    kept.write_text(json.dumps(known, indent=0))
    return {name: Truth.from_json(known[name]) for name in cases}


def answers_of(meter, directory, cases):
    """The meter's answers by name: one run for all files, and one for each format of raw samples."""
    by_format = defaultdict(list)
    for case in cases.values():
        by_format[case.pcm].append(case.name)
    answers = {}
    for pcm, names in by_format.items():
        told = ["--pcm", ",".join(map(str, pcm))] if pcm else []
        # In the corpus: there is no configuration, so that the usual price holds.
        done = subprocess.run([*meter, "--json", *told, *names], cwd=directory, text=True,
                              capture_output=True)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(meter)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
        for line in done.stdout.splitlines():
            answer = json.loads(line, parse_float=Fraction)
            answers[answer["file"]] = answer
    return answers


class Comparison:
    """One file: what ffmpeg says, what the meter says, and whether that is all right."""

    def __init__(self, name, truth, answer):
        self.name, self.truth = name, truth
        self.seconds = None if "error" in answer else Fraction(answer["seconds"])
        self.what = f"{answer['container'] or '-'} {answer['codec'] or '-'}"
        self.difference = (self.seconds or Fraction(0)) - truth.seconds
        self.credits_differ = self.seconds is not None and Fraction(answer["credits"]) != price(truth.seconds)

    def is_close(self):
        microsecond = Fraction(1, 1_000_000)  # the meter rounds up to it
        if self.seconds is None and self.truth.seconds > 0:
            return False
        return abs(self.difference) <= self.truth.frame + microsecond

    def complaint(self):
        expected = disagreement_about(self.name)
        if expected is None and not self.is_close():
            return "more than one frame off"
        if expected is None and self.credits_differ and self.name not in CREDITS:
            return "another price"
        if expected is not None and self.is_close():
            return "is listed in exceptions.py and needs not be"
        if expected is not None and not self.is_as_listed(expected.seconds):
            return f"not what exceptions.py says ({expected.seconds})"
        return None

    def is_as_listed(self, seconds):
        if seconds is None or self.seconds is None:
            return seconds is self.seconds
        return abs(float(self.seconds) - seconds) < 0.001

    def row(self):
        measured = "unmeasurable" if self.seconds is None else f"{float(self.seconds):.6f}"
        return (f"{self.name:58} {self.what:24} {float(self.truth.seconds):13.6f} {measured:>13} "
                f"{float(self.difference):+11.6f} {float(self.truth.frame):9.6f}")


HEADING = f"{'file':58} {'meter finds':24} {'ffmpeg s':>13} {'meter s':>13} {'difference':>11} {'frame':>9}"


def report(comparisons, table):
    complaints = [(each, each.complaint()) for each in comparisons]
    print(HEADING)
    for each, complaint in complaints:
        if table or complaint:
            print(each.row() + (f"  <- {complaint}" if complaint else ""))
    wrong = [complaint for _, complaint in complaints if complaint]
    differ = sum(each.credits_differ for each in comparisons)
    refused = sum(each.seconds is None for each in comparisons)
    disagreements = sum(disagreement_about(each.name) is not None for each in comparisons)
    exact = sum(abs(each.difference) < Fraction(1, 10_000) for each in comparisons)
    worst = max((abs(each.difference) for each in comparisons if not disagreement_about(each.name)), default=0)
    print(f"\n{len(comparisons)} files: {exact} to 0.1 ms, the others within {float(worst) * 1000:.1f} ms; "
          f"{refused} unmeasurable, {disagreements} exceptions; another price {differ}; wrong {len(wrong)}")
    if differ > len(comparisons) * 0.01 and len(comparisons) > 100:
        print("more than 1 % of the prices differ")
        return False
    return not wrong


def check_splits(program, directory, cases):
    small = [name for name, case in cases.items()
             if not case.pcm and (directory / name).stat().st_size < SMALL]
    return subprocess.run([program, *small], cwd=directory).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, default=BUILD_DIR / "audio-corpus")
    parser.add_argument("--meter", default=f"{BUILD_DIR / 'tollgate'} meter")
    parser.add_argument("--splits")
    parser.add_argument("--only", default="", help="files whose name contains this")
    parser.add_argument("--table", action="store_true", help="every file, not only those that are wrong")
    options = parser.parse_args()
    if missing := missing_tools():
        print(f"skipped: no {', no '.join(missing)} here (deploy/install-packages.sh audio)")
        return SKIPPED
    directory = options.directory.resolve()
    every = corpus.all_cases()
    build(directory, every)
    cases = {name: case for name, case in every.items() if options.only in name}
    truths = truths_of(directory, cases)
    answers = answers_of(shlex.split(options.meter), directory, cases)
    right = report([Comparison(name, truths[name], answers[name]) for name in cases], options.table)
    if options.splits:
        right = check_splits(options.splits, directory, cases) and right
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
