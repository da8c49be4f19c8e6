#!/usr/bin/env python3
"""How often does a call allocate? Counted in a running Tollgate, when it has served for a while.

    bench/allocations/run.py [--quick] [--before PROGRAM]

A library that counts is preloaded into the program, so that a build of an earlier version can be compared
(`--before`). The same small chat completion as in bench/overhead, with one connection and with 64. What
is counted is malloc, calloc, realloc and operator new, whoever calls them. Fails when a call allocates more often
than it did before.
"""
import argparse
import mmap
import struct
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "overhead"), str(HERE.parents[1] / "tests/integration")]

from contender import Setup, choose_cores  # noqa: E402
from measure import load  # noqa: E402
from question import Question  # noqa: E402
from run_upstream import start_upstream  # noqa: E402
from support.process import BUILD_DIR, raise_descriptor_limit  # noqa: E402
from tollgate import Tollgate, TollgateBefore  # noqa: E402

COUNTER = BUILD_DIR / "bench_count_allocations.so"
TOLERANCE = 1.02  # how many calls share a batch varies by chance, and so do the batch's allocations


class Counts:
    """The counter's file, mapped: how many allocations and bytes there have been."""

    def __init__(self, path):
        path.write_bytes(bytes(16))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 16)

    def read(self):
        return struct.unpack("QQ", self.memory[:])


class Counted:
    """A Tollgate that serves, with its counter."""

    def __init__(self, kind, setup):
        path = setup.directory / f"{kind.name}.counts"
        self.setup, self.counts, self.proxy = setup, Counts(path), kind()
        self.proxy.environment = {"LD_PRELOAD": str(COUNTER), "ALLOCATION_COUNTS": str(path)}

    def of_a_call(self, question, seconds):
        """[allocations, bytes]"""
        before = self.counts.read()
        calls = load(self.proxy, self.setup, question, seconds)["requests"]
        return [(after - earlier) / calls for after, earlier in zip(self.counts.read(), before)]


def count(questions, kinds, setup, rounds, seconds):
    """{kind: {question: medians of [allocations, bytes]}}; the versions take turns."""
    found = {kind: {question: [] for question in questions} for kind in kinds}
    with ExitStack() as stack:
        counted = {}
        for kind in kinds:
            counted[kind] = Counted(kind, setup)
            stack.callback(counted[kind].proxy.stop)
            counted[kind].proxy.start(setup)
        for question in questions:
            for each in counted.values():
                load(each.proxy, setup, question, 1)  # warm-up
            for _ in range(rounds):
                for kind, each in counted.items():
                    found[kind][question].append(each.of_a_call(question, seconds))
    return {kind: {question: [median(each) for each in zip(*runs)] for question, runs in answers.items()}
            for kind, answers in found.items()}


def table(questions, now, before):
    lines = ["| of one call | allocations before | now | bytes before | now |", "|---|--:|--:|--:|--:|"]
    for question in questions:
        numbers, bytes_ = now[question]
        earlier, bytes_earlier = (f"{before[question][0]:.1f}", f"{before[question][1]:,.0f}") if before else "––"
        lines.append(f"| {question.label} | {earlier} | {numbers:.1f} | {bytes_earlier} | {bytes_:,.0f} |")
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="1 round of 1 s instead of 5 of 3 s")
    options.add_argument("--before", metavar="PROGRAM", type=Path, help="another version's tollgate, to compare with")
    asked = options.parse_args()
    rounds, seconds = (1, 1) if asked.quick else (5, 3)
    questions = [Question(f"connections_{number}", f"1 organization, {number} connection{'s' * (number > 1)}", (),
                          connections=number) for number in (1, 64)]
    questions.append(Question("organizations_256", "256 organizations, 64 connections", (), organizations=256))
    raise_descriptor_limit()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        setup = Setup(directory, *choose_cores(), organizations=256)
        stack.callback(start_upstream(setup).stop)
        kinds = [Tollgate]
        if asked.before:
            TollgateBefore.program = asked.before.resolve(strict=True)
            kinds.insert(0, TollgateBefore)
        found = count(questions, kinds, setup, rounds, seconds)
    now, before = found[Tollgate], found.get(TollgateBefore, {})
    print(table(questions, now, before))
    if any(now[each][0] > earlier[0] * TOLERANCE for each, earlier in before.items()):
        raise SystemExit("a call allocates more often than before")


if __name__ == "__main__":
    main()
