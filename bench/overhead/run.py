"""What does metering a call cost? Every contender under the same load, in the same run.

One proxy thread on one core; load generator, upstream and Redis on another. The contenders take
turns, round after round, so that whatever else the machine does meets all of them; a ratio compares
measurements of the same round, and the tables show medians over the rounds.
"""
import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests/integration")]

import figures  # noqa: E402
import report  # noqa: E402
from bare_upstream import BareUpstream  # noqa: E402
from contender import Setup, choose_cores  # noqa: E402
from haproxy import Haproxy  # noqa: E402
from nginx import Nginx  # noqa: E402
from nginx_lua import NginxLua  # noqa: E402
from nginx_unbuffered import NginxUnbuffered  # noqa: E402
from question import all_questions  # noqa: E402
from rounds import run_rounds  # noqa: E402
from run_upstream import start_upstream  # noqa: E402
from support.process import raise_descriptor_limit  # noqa: E402
from tollgate import Tollgate, TollgateBefore  # noqa: E402
from tollgate_journal import TollgateJournal  # noqa: E402
from tollgate_unmetered import TollgateUnmetered  # noqa: E402

CONTENDERS = [Nginx, Haproxy, NginxLua, Tollgate, TollgateJournal, TollgateUnmetered]
YARDSTICKS = [BareUpstream, NginxUnbuffered]  # each for one question only
BASELINE = Nginx.name


def run(questions, names, rounds, seconds):
    raise_descriptor_limit()
    asked = {name for question in questions for name in question.contenders} & names
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        setup = Setup(directory, *choose_cores(), organizations=max(each.organizations for each in questions))
        stack.callback(start_upstream(setup).stop)
        contenders = []
        for kind in [*YARDSTICKS, *CONTENDERS, TollgateBefore]:
            if kind.name not in asked:
                continue
            contender = kind()
            stack.callback(contender.stop)
            contender.start(setup)
            contenders.append(contender)
        results = run_rounds(questions, contenders, setup, rounds, seconds)
        return results, {each.name: each.label for each in contenders}, report.machine_facts(setup)


def parse_arguments():
    every = [contender.name for contender in CONTENDERS]
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="2 rounds of 2 s instead of 7 of 5 s")
    options.add_argument("--rounds", metavar="N", type=int, help="many short ones tell two versions apart")
    options.add_argument("--seconds", metavar="S", type=int, help="of each measurement")
    options.add_argument("--json", metavar="FILE", help="everything measured, for machines")
    options.add_argument("--only", metavar="NAME", nargs="+", choices=every, default=every,
                         help=f"some contenders ({', '.join(every)}); {BASELINE} always runs")
    options.add_argument("--organizations", metavar="N", nargs="+", type=int, default=[1, 256, 4096],
                         help="how many take turns, at 64 connections (1 256 4096)")
    options.add_argument("--questions", metavar="NAME", nargs="+",
                         help="some questions: organizations_N, one_connection, open_loop, event_stream")
    options.add_argument("--before", metavar="PROGRAM", type=Path, help="another version's tollgate, to compare with")
    asked = options.parse_args()
    rounds, seconds = (2, 2) if asked.quick else (7, 5)
    asked.rounds, asked.seconds = asked.rounds or rounds, asked.seconds or seconds
    known = all_questions(asked.organizations, (*every, TollgateBefore.name))
    asked.questions = [each for each in known if not asked.questions or each.name in asked.questions]
    if not asked.questions:
        options.error(f"questions are {', '.join(each.name for each in known)}")
    return asked


def print_report(asked, results, labels, facts):
    for question in asked.questions:
        print(report.question_table(question, results[question.name], labels), end="\n\n")
    print(f"Medians of {asked.rounds} interleaved rounds of {asked.seconds} s; ratios are medians of each round's "
          f"ratio to the first proxy.\n{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}; "
          f"{facts['nginx']}, {facts['haproxy']}, Redis {facts['redis']}.\n")
    if asked.before:
        for question in asked.questions:
            compared = report.comparison_with_before(question, results[question.name])
            if compared:
                print(compared)
        print()
    print("In brackets: half of the rounds.\n" + figures.table(results, bool(asked.before)))


def main():
    asked = parse_arguments()
    names = {BASELINE, *(kind.name for kind in YARDSTICKS), *asked.only}
    if asked.before:
        TollgateBefore.program = asked.before.resolve(strict=True)
        names.add(TollgateBefore.name)
    results, labels, facts = run(asked.questions, names, asked.rounds, asked.seconds)
    print_report(asked, results, labels, facts)
    if asked.json:
        Path(asked.json).write_text(json.dumps({
            "machine": facts, "rounds": asked.rounds, "seconds": asked.seconds, "results": results,
            "figures": figures.as_json(results)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
