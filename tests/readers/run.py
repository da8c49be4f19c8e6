"""Compares what bodies are priced by with what the readers of upstreams see in them: see README.md.

Usage: run.py [--seconds N | --minutes N] [--seed N] [--readers python,node,...] [--cases N] [--allow-missing]

Every reader is shown every body, side by side: half an hour of all is half an hour of each.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import compare  # noqa: E402
import mutants  # noqa: E402
import programs  # noqa: E402
import table  # noqa: E402

BATCH = 100


def block(content):
    return struct.pack(">I", len(content)) + content


class Reader:
    """A program that reads cases and answers a line for each."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)

    def ask(self, cases):
        """Answers, in order, as soon as they are wanted."""
        data = b"".join(block(each) for case in cases for each in case)
        writer = threading.Thread(target=self.write, args=(data,))
        writer.start()

        def answers():
            for case in cases:
                line = self.process.stdout.readline()
                if not line:
                    raise SystemExit(f"the reader {self.name} ended at {case!r}")
                yield json.loads(line)
            writer.join()
        return answers()

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Comparison:
    def __init__(self, price, readers):
        self.price, self.readers = price, readers
        self.cases = self.priced = 0
        self.read = {}
        self.found = []

    def run(self, cases):
        """Gives for every case how it was priced."""
        prices = list(self.price.ask(cases))
        taken = [(kind, compare.sent_type(priced), body, given, priced)
                 for (kind, given, body), priced in zip(cases, prices) if compare.is_priced(priced)]
        self.cases += len(cases)
        self.priced += len(taken)
        answers = [(each, each.ask([case[:3] for case in taken])) for each in self.readers]
        for program, all_seen in answers:
            for (kind, _, body, given, priced), seen in zip(taken, all_seen):
                self.judge(program, (kind, given, body), priced, seen)
        return prices

    def judge(self, program, case, priced, seen):
        for reader, what in seen.items():
            name = f"{program.name}: {reader}"
            if what is not None:
                self.read[name] = self.read.get(name, 0) + 1
            for finding in compare.findings(priced, what):
                self.found.append((name, finding, case))

    def report(self, seconds):
        print(f"{self.cases} bodies in {seconds:.0f} s, {self.priced} of them priced; read by")
        for name, count in sorted(self.read.items()):
            print(f"  {count:8d}  {name}")
        shown = {}
        for name, finding, case in self.found:
            shown.setdefault(name, []).append((finding, case))
        for name, each in shown.items():
            for finding, (kind, content_type, body) in each[:5]:
                print(f"{name} sees {finding}\n  {content_type!r}\n  {body!r}")
        print(f"{len(self.found)} findings")


def check_table(comparison):
    """The cases that are known: what must be refused, and what honest clients send."""
    wrong = 0
    for expected, cases in (("refused", table.REFUSED), ("priced", table.PRICED)):
        for case, priced in zip(cases, comparison.run(cases)):
            if compare.is_priced(priced) != (expected == "priced"):
                print(f"must be {expected}: {case!r}")
                wrong += 1
    return wrong


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--minutes", type=lambda text: 60 * float(text), dest="seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=10**12, help="no more than so many")
    parser.add_argument("--readers", default=",".join(programs.LANGUAGES))
    parser.add_argument("--allow-missing", action="store_true", help="go on without a language that is not here")
    return parser.parse_args()


def main():
    asked = options()
    price = Reader("price", [os.environ.get("TOLLGATE_READERS_PRICE", str(programs.BUILD / "price"))])
    commands = programs.commands(asked.readers.split(","), asked.allow_missing)
    comparison = Comparison(price, [Reader(*each) for each in commands])
    wrong = check_table(comparison)
    began, seed = time.monotonic(), asked.seed
    while time.monotonic() - began < asked.seconds and seed < asked.seed + asked.cases:
        comparison.run([mutants.case(each) for each in range(seed, seed + BATCH)])
        seed += BATCH
    comparison.report(time.monotonic() - began)
    for each in comparison.readers + [price]:
        each.stop()
    sys.exit(1 if wrong or comparison.found else 0)


if __name__ == "__main__":
    main()
