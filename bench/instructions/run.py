#!/usr/bin/env python3
"""How many instructions does the proxy execute for a call, outside the kernel? Counted by valgrind.

    bench/instructions/run.py [--before PROGRAM] [--functions N]

Unlike the processor's time, the number hardly depends on what else the machine does, so it shows changes of one per
cent. It leaves out the kernel, which has more than half of a call's time. The same small chat completion as in
bench/overhead. `--functions` lists what changed most. How many calls share a batch varies with 64 connections: repeat it.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "overhead"), str(HERE.parents[1] / "tests/integration")]

import tollgate  # noqa: E402
from contender import Setup, choose_cores, pinned  # noqa: E402
from measure import load  # noqa: E402
from question import Question  # noqa: E402
from run_upstream import start_upstream  # noqa: E402
from support.process import raise_descriptor_limit  # noqa: E402
from tollgate import Tollgate, TollgateBefore  # noqa: E402

SECONDS = 8  # valgrind executes some 500 calls a second


class Counted:
    """A Tollgate under callgrind, which counts only when it is told to."""

    def __init__(self, kind, setup):
        self.setup, self.proxy, self.dumps = setup, kind(), 0
        self.file = setup.directory / f"{kind.name}.callgrind"
        # The system-call filter allows no ptrace, and callgrind_control needs a process that may be looked at.
        if kind is Tollgate:
            self.proxy.changes = {"hardening": {"system_call_filter": False, "core_dumps": True}}

    def start(self):
        def under_callgrind(core, command):
            return pinned(core, ["valgrind", "--tool=callgrind", "--instr-atstart=no",
                                 f"--callgrind-out-file={self.file}", *command])
        tollgate.pinned = under_callgrind
        try:
            self.proxy.start(self.setup)
        finally:
            tollgate.pinned = pinned

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.proxy.process.pid)], check=True, capture_output=True)

    def of_a_call(self, question):
        """{function: instructions}"""
        load(self.proxy, self.setup, question, 2)
        self.control("-i", "on")
        calls = load(self.proxy, self.setup, question, SECONDS)["requests"]
        self.control("-i", "off")
        self.control("-d")
        self.dumps += 1
        return self.read(f"{self.file}.{self.dumps}", calls)

    @staticmethod
    def read(dump, calls):
        listed = subprocess.run(["callgrind_annotate", "--threshold=100", "--auto=no", "--show=Ir", dump],
                                check=True, capture_output=True, text=True).stdout
        found = Counter()
        for line in listed.splitlines():
            row = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+(?:[^:\s]*:)?(.*?)(?:'\d+)?(?: \[.*)?$", line)
            if row and "PROGRAM TOTALS" not in line:
                found[row[2]] += int(row[1].replace(",", "")) / calls
        return found


def table(questions, found):
    lines = ["| instructions of one call, outside the kernel | before | now | |", "|---|--:|--:|--:|"]
    for question in questions:
        now = sum(found[Tollgate][question].values())
        before = sum(found[TollgateBefore][question].values()) if TollgateBefore in found else None
        lines.append(f"| {question.label} | {f'{before:,.0f}' if before else '–'} | {now:,.0f} | "
                     f"{f'{now / before:.3f}' if before else ''} |")
    return "\n".join(lines)


def changes(now, before, most):
    """The functions that changed most: a line each."""
    largest = sorted(now.keys() | before.keys(), key=lambda name: -abs(now[name] - before[name]))[:most]
    return "\n".join(f"{now[name] - before[name]:+8.0f} {before[name]:8.0f} {now[name]:8.0f}  {name[:160]}"
                     for name in largest)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--before", metavar="PROGRAM", type=Path, help="another version's tollgate, to compare with")
    options.add_argument("--functions", metavar="N", type=int, default=0, help="with --before: list what changed most")
    asked = options.parse_args()
    questions = [Question(f"connections_{number}", f"1 organization, {number} connection{'s' * (number > 1)}", (),
                          connections=number) for number in (1, 64)]
    questions.append(Question("organizations_256", "256 organizations, 64 connections", (), organizations=256))
    kinds = [Tollgate]
    if asked.before:
        TollgateBefore.program = asked.before.resolve(strict=True)
        kinds.insert(0, TollgateBefore)
    raise_descriptor_limit()
    found = {}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        setup = Setup(directory, *choose_cores(), organizations=256)
        stack.callback(start_upstream(setup).stop)
        for kind in kinds:
            counted = Counted(kind, setup)
            stack.callback(counted.proxy.stop)
            counted.start()
            found[kind] = {question: counted.of_a_call(question) for question in questions}
    print(table(questions, found))
    for question in questions if asked.before and asked.functions else ():
        print(f"\n{question.label}: change, before, now")
        print(changes(found[Tollgate][question], found[TollgateBefore][question], asked.functions))


if __name__ == "__main__":
    main()
