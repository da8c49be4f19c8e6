"""What does metering a call cost? Every contender under the same load, in the same run.

One proxy thread on one core; load generator, upstream and Redis on another. The contenders take
turns, round after round, so that whatever else the machine does meets all of them; a ratio compares
measurements of the same round, and the table shows medians over the rounds.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, stdev

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests/integration")]

from contender import Setup, choose_cores, is_listening  # noqa: E402
from haproxy import Haproxy  # noqa: E402
from measure import CONNECTIONS, load, measure  # noqa: E402
from nginx import Nginx, start_nginx  # noqa: E402
from nginx_lua import NginxLua  # noqa: E402
from support.process import raise_descriptor_limit, wait_until  # noqa: E402
from tollgate import Tollgate, TollgateBefore  # noqa: E402
from tollgate_journal import TollgateJournal  # noqa: E402
from tollgate_unmetered import TollgateUnmetered  # noqa: E402

CONTENDERS = [Nginx, Haproxy, NginxLua, Tollgate, TollgateJournal, TollgateUnmetered]
BASELINE = Nginx.name
PRICE_MICRO = 10 * 10**6
TOLERATED_STEAL = 0.02  # of the seconds of one core
TRIES = 4


def start_upstream(setup):
    setup.upstream = setup.free_address()
    upstream = start_nginx(setup.directory, "upstream", HERE / "upstream.conf.in", setup.load_core,
                           LISTEN=setup.upstream)
    upstream.wait_ready(lambda: is_listening(setup.upstream))
    return upstream


def check_books(contender, requests):
    """A contender that meters must have charged every call; wrk leaves some unanswered at its end."""
    def books_agree():
        calls = contender.settled_micro() / PRICE_MICRO
        return requests <= calls <= requests + CONNECTIONS * contender.runs
    wait_until(books_agree, f"{contender.name} to have settled {requests} calls", timeout=20)


def measure_undisturbed(contender, setup, seconds, answered):
    """A measurement during which the machine was ours, or the best of a few."""
    tries = []
    while len(tries) < TRIES:
        time.sleep(0.3)  # the settlements of the one before are through
        tries.append(measure(contender, setup, seconds))
        contender.runs += 1
        answered[contender.name] += tries[-1]["requests"]
        if tries[-1]["stolen"] <= TOLERATED_STEAL:
            break
        print(f"  {contender.name}: {tries[-1]['stolen']:.0%} of the time was stolen by another guest",
              file=sys.stderr, flush=True)
    return min(tries, key=lambda result: result["stolen"])


def run_rounds(contenders, setup, rounds, seconds):
    results = {contender.name: [] for contender in contenders}
    answered = dict.fromkeys(results, 0)
    for contender in contenders:
        contender.runs = 1
        answered[contender.name] += load(contender, setup, 1)["requests"]  # warms up
    for number in range(rounds):
        # Another one begins each round, so that no contender always follows the same neighbour.
        turn = contenders[number % len(contenders):] + contenders[:number % len(contenders)]
        for contender in turn:
            result = measure_undisturbed(contender, setup, seconds, answered)
            results[contender.name].append(result)
            print(f"  round {number + 1}/{rounds}  {contender.name:20} {result['proxy_us']:6.1f} µs"
                  f"  {result['rps']:7.0f}/s", file=sys.stderr, flush=True)
    for contender in contenders:
        if contender.settled_micro:
            check_books(contender, answered[contender.name])
    return results


def median_ratio(runs, base, field):
    return median(a[field] / b[field] for a, b in zip(runs, base))


def ratio_with_error(runs, base, field):
    """The median, and the standard error of the mean: how far another run may be from this one."""
    ratios = [a[field] / b[field] for a, b in zip(runs, base)]
    error = f" ± {stdev(ratios) / len(ratios) ** 0.5:.3f}" if len(ratios) > 1 else ""
    return f"{median(ratios):.3f}{error}"


def compare_with_before(results):
    before = results[TollgateBefore.name]
    for name, runs in results.items():
        if name != TollgateBefore.name and runs[0]["redis_us"] is not None:
            print(f"{name} to the version before: CPU of the proxy {ratio_with_error(runs, before, 'proxy_us')}, "
                  f"of Redis {ratio_with_error(runs, before, 'redis_us')}")


def summarize(contenders, results):
    rows = []
    for contender in contenders:
        runs, base = results[contender.name], results[BASELINE]
        row = {"name": contender.name, "label": contender.label, "runs": runs}
        for field in ("proxy_us", "redis_us", "rps", "p50_ms", "p99_ms", "proxy_core_busy"):
            values = [run[field] for run in runs if run[field] is not None]
            row[field] = median(values) if values else None
            if field in ("proxy_us", "rps", "p50_ms", "p99_ms"):
                row[f"{field}_ratio"] = median_ratio(runs, base, field)
        rows.append(row)
    return rows


def version(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def machine_facts(setup):
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "nginx": version("nginx", "-v").removeprefix("nginx version: "),
        "haproxy": " ".join(version("haproxy", "-v").split()[:3]),
        "redis": version("redis-server", "--version").split()[2].removeprefix("v="),
        "proxy_core": setup.proxy_core,
        "load_core": setup.load_core,
        "connections": CONNECTIONS,
    }


def table(rows):
    def ratio(row, field):
        return f"{row[f'{field}_ratio']:.2f}"
    lines = ["| Contender | proxy CPU / request | vs nginx | Redis CPU / request | requests/s | vs nginx "
             "| p50 | p99 | proxy core busy |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        redis = "–" if row["redis_us"] is None else f"{row['redis_us']:.1f} µs"
        lines.append(f"| {row['label']} | {row['proxy_us']:.1f} µs | {ratio(row, 'proxy_us')} | {redis} "
                     f"| {row['rps']:,.0f} | {ratio(row, 'rps')} | {row['p50_ms']:.2f} ms "
                     f"| {row['p99_ms']:.2f} ms | {row['proxy_core_busy']:.0%} |")
    return "\n".join(lines)


def run(names, rounds, seconds):
    raise_descriptor_limit()
    chosen = [contender for contender in [*CONTENDERS, TollgateBefore] if contender.name in names]
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        setup = Setup(directory, *choose_cores())
        stack.callback(start_upstream(setup).stop)
        contenders = []
        for kind in chosen:
            contender = kind()
            stack.callback(contender.stop)
            contender.start(setup)
            contenders.append(contender)
        results = run_rounds(contenders, setup, rounds, seconds)
        return {"machine": machine_facts(setup), "rounds": rounds, "seconds": seconds,
                "contenders": summarize(contenders, results)}


def main():
    every = [contender.name for contender in CONTENDERS]
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="2 rounds of 3 s instead of 7 of 8 s")
    options.add_argument("--rounds", metavar="N", type=int, help="many short ones tell two versions apart")
    options.add_argument("--seconds", metavar="S", type=int, help="of each round")
    options.add_argument("--json", metavar="FILE", help="everything measured, for machines")
    options.add_argument("--only", metavar="NAME", nargs="+", choices=every, default=every,
                         help=f"some contenders ({', '.join(every)}); {BASELINE} always runs")
    options.add_argument("--before", metavar="PROGRAM", type=Path, help="another version's tollgate, to compare with")
    asked = options.parse_args()
    rounds, seconds = (2, 3) if asked.quick else (7, 8)
    rounds, seconds = asked.rounds or rounds, asked.seconds or seconds

    names = {BASELINE, *asked.only}
    if asked.before:
        TollgateBefore.program = asked.before.resolve(strict=True)
        names.add(TollgateBefore.name)
    report = run(names, rounds, seconds)
    facts = report["machine"]
    print(table(report["contenders"]))
    print(f"\nMedians of {rounds} interleaved rounds of {seconds} s, {facts['connections']} keep-alive "
          f"connections; ratios are medians of each round's ratio.\n{facts['cpu']}, "
          f"{facts['cores']} cores, Linux {facts['kernel']}; {facts['nginx']}, {facts['haproxy']}, "
          f"Redis {facts['redis']}.")
    if asked.before:
        compare_with_before({row["name"]: row["runs"] for row in report["contenders"]})
    if asked.json:
        Path(asked.json).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
