#!/usr/bin/env python3
"""Sends the recorded requests through two builds of Tollgate, and shows every difference. See README.md."""
import argparse
import difflib
import lzma
import json
import sys
import threading
import time
from pathlib import Path

import recording
from side import CRASHED, Side

from support.process import BUILD_DIR, raise_descriptor_limit


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="PROGRAM", help="the build to compare with")
    parser.add_argument("--after", metavar="PROGRAM", default=BUILD_DIR / "tollgate", help="the build under test")
    parser.add_argument("--record", metavar="FILE", help="writes down what --after does")
    parser.add_argument("--against", metavar="FILE", help="compares --after with what was written down")
    parser.add_argument("--only", metavar="GROUP", nargs="+", default=[], help="only these files of requests/")
    parser.add_argument("--case", metavar="TEXT", help="only cases whose names contain it")
    parser.add_argument("--show", action="store_true", help="prints what --after does, case by case")
    return parser.parse_args()


LANES = 3  # of the groups that want one configuration; they mostly wait
BESIDE = "beside"  # of results: what belongs to no group


class Run(threading.Thread):
    """A build with one configuration, and groups that want it. All runs go on at once: they share nothing."""

    def __init__(self, program, configuration, groups):
        super().__init__(daemon=True)
        self.program, self.configuration, self.groups = program, configuration, groups
        self.results, self.failure = {}, None
        self.start()

    def run(self):
        try:
            side = Side(self.program, self.configuration)
            try:
                first = side.first_metrics()
                self.results = {group.name: side.run(group) for group in self.groups}
                self.results[f"{BESIDE} {self.groups[0].name}"] = {"metrics at the start": first, "the end": side.end()}
            finally:
                side.stop()
        except Exception as failure:
            self.failure = failure


def begin(program, groups):
    runs = []
    for configuration in sorted({group.configuration for group in groups}):
        same = [group for group in groups if group.configuration == configuration]
        runs += [Run(program, configuration, same[lane::LANES]) for lane in range(LANES) if same[lane::LANES]]
    return runs


def finish(runs):
    """{group: {case: lines}}"""
    for run in runs:
        if run.failure:
            raise run.failure
    return {name: cases for run in runs for name, cases in run.results.items()}


def run_builds(programs, groups):
    """What each build has done. All programs are stopped when this ends, also when one run has failed."""
    builds = [begin(program, groups) for program in programs]
    for runs in builds:
        for run in runs:
            run.join()
    return [finish(runs) for runs in builds]


def differences(before, after):
    """{case: the lines of a small diff} of one group."""
    found = {}
    for case in [*after, *(case for case in before if case not in after)]:
        pair = before.get(case, []), after.get(case, [])
        if pair[0] != pair[1]:
            if any(not lines or lines[0].startswith(CRASHED) for lines in pair):  # or it does not know the case
                pair = [lines if len(lines) < 2 else [f"{len(lines)} lines"] for lines in pair]
            found[case] = list(difflib.unified_diff(*pair, "before", "after", lineterm="", n=2))
    return found


def print_differences(name, found):
    for case, lines in found.items():
        print(f"  {name}: {case}")
        print("\n".join("    " + line for line in lines))


def report(groups, before, after):
    """Prints what differs, and returns in how many places."""
    total = 0
    for name in sorted(name for name in after if name.startswith(BESIDE)):
        found = differences(before.get(name, {}), after[name])
        print_differences(name, found)
        total += len(found)
    for group in groups:
        found = differences(before.get(group.name, {}), after[group.name])
        differing = sum(case.requests for case in group.cases if case.name in found)
        verdict = f"{differing} differ" if differing else "the same, but not their metrics or log"
        print(f"{group.name:20} {group.requests:4} requests: {verdict if found else 'all the same'}")
        print_differences(group.name, found)
        total += len(found)
    requests = sum(group.requests for group in groups)
    print(f"{requests} requests: {f'{total} differences' if total else 'all the same'}")
    return total


def selected(results, groups):
    """Of a whole run, what a run of some cases can be compared with."""
    names = {group.name: [case.name for case in group.cases] for group in groups}
    return {group: {case: lines for case, lines in cases.items() if case in names.get(group, [])}
            for group, cases in results.items()}


def read_recorded(path):
    return json.loads(lzma.decompress(Path(path).read_bytes()))


def write_recorded(path, results):
    text = json.dumps(results, indent=0, sort_keys=True).encode()
    Path(path).write_bytes(lzma.compress(text, preset=9))


def show(results):
    for group, cases in results.items():
        for case, lines in cases.items():
            print(f"\n=== {group}: {case}")
            print("\n".join(lines))


def main():
    given = arguments()
    raise_descriptor_limit()
    began = time.monotonic()
    groups = recording.read_groups(given.only, given.case)
    after, *others = run_builds([program for program in (given.after, given.before) if program], groups)
    if given.show:
        show(after)
    if given.record:
        write_recorded(given.record, after)
    failed = sum(report(groups, before, after) for before in others)
    if given.against:
        pair = read_recorded(given.against), after
        if given.only or given.case:
            pair = [selected(results, groups) for results in pair]
        failed += report(groups, *pair)
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
