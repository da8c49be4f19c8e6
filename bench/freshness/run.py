#!/usr/bin/env python3
"""How long does it take from the end of a call until it is seen?

    bench/freshness/run.py [--rate 2000] [--seconds 30] [--orgs 8] [--threads 2] [--json FILE]

Starts a Redis, a sample upstream and a Tollgate of its own. wrk calls at a steady rate, for many agents
of several organizations. One of these also makes calls that are watched for, one after the other, at a
price that nothing else has: how many of them a total contains can be read off its decimals. From the
moment the client has the whole answer it is measured when the call is in

    usage API        a report asked for over and over, by the admin and by the customer
    event stream     one open connection each, of the admin and of the customer
    dashboard        what the page shows in a headless Chromium

A machine that stands still (other guests of its host, a disk) makes everything late: the longest stop that
a thread saw which only sleeps is told, and a run with one of half a second is repeated, twice at most.

Exit status 1: the 99th percentile of any is 2 seconds or more, a call was never seen, calls failed, or
the rate was not reached. 77 (a skip for ctest): wrk, Node.js or Chromium is not here.
"""
import argparse
import bisect
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from decimal import Decimal

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "browser")]
import run as browser_tests  # noqa: E402
from support import node  # noqa: E402
from support.events import EventStream  # noqa: E402
from support.http import parse_json, split_address  # noqa: E402
from support.process import Redis, wait_until  # noqa: E402
from support.tollgate import ADMIN_TOKEN, RATES, ROUTES, Tollgate, configuration, route  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

LIMIT_S = 2.0
WATCHED = "org-0"
PRICE = Decimal("0.0001")  # of a watched call; all other calls cost whole credits
PROBE_EVERY_S, REPORT_EVERY_S = 0.1, 0.05
CONNECTIONS = 64
PATIENCE_S = 10
ATTEMPTS, LONG_STOP_S = 3, 0.5


def watched_in(credits):
    """How many watched calls are in a sum of credits."""
    return int(credits % 1 / PRICE)


class Seen:
    """When a view first showed so many watched calls."""

    def __init__(self, name):
        self.name, self.times, self.counts = name, [], []

    def note(self, at, credits):
        count = watched_in(Decimal(credits))
        if not self.counts or count > self.counts[-1]:
            self.times.append(at)
            self.counts.append(count)

    def delays(self, ends):
        """In seconds; infinite where it was never seen."""
        out = []
        for number, ended in enumerate(ends, 1):
            place = bisect.bisect_left(self.counts, number)
            out.append(self.times[place] - ended if place < len(self.times) else float("inf"))
        return out


class Watcher(threading.Thread):
    """Looks at one view until it is told to stop."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.seen, self.stopping, self.failure = Seen(name), threading.Event(), None

    def run(self):
        try:
            self.watch()
        except Exception as failure:  # reported at the end
            self.failure = failure

    def stop(self):
        self.stopping.set()
        self.join(PATIENCE_S)


class ReportWatcher(Watcher):
    def __init__(self, name, address, path, secret):
        super().__init__(name)
        day = time.strftime("%Y-%m-%d", time.gmtime())
        self.address, self.secret = address, secret
        self.path = f"{path}?granularity=total&from={day}"

    def watch(self):
        connection = http.client.HTTPConnection(*split_address(self.address), timeout=PATIENCE_S)
        while not self.stopping.wait(REPORT_EVERY_S):
            connection.request("GET", self.path, headers={"Authorization": f"Bearer {self.secret}"})
            reply = parse_json(connection.getresponse().read())
            self.seen.note(time.time(), reply["data"]["total"]["credits"])


class StreamWatcher(Watcher):
    def __init__(self, name, address, path, secret):
        super().__init__(name)
        self.stream = EventStream(address, path, {"Authorization": f"Bearer {secret}"})
        assert self.stream.status == 200, self.stream.body

    def watch(self):
        while not self.stopping.is_set():
            try:
                event = self.stream.next(timeout=0.5)
            except TimeoutError:
                continue
            if event is None:
                raise ConnectionError("the stream ended")
            if event[1] == "balance":
                self.seen.note(time.time(), event[2]["data"]["settled"])


class DashboardWatcher:
    """A browser in a process of its own, which notes by the same clock what the page shows."""

    def __init__(self, tollgate, directory):
        self.seen, self.failure = Seen("dashboard"), None
        shutil.copy(HERE / "dashboard.mjs", directory)
        self.process = subprocess.Popen(
            [node.program("node"), "dashboard.mjs"], cwd=directory, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "CHROMIUM": node.program("chromium"), "ORG": WATCHED,
                 "ADMIN_URL": f"http://{tollgate.admin.address}", "ADMIN_TOKEN": ADMIN_TOKEN})
        if self.process.stdout.readline() != "ready\n":
            self.process.wait()
            raise SystemExit("the dashboard cannot be opened")

    def start(self):
        pass

    def stop(self):
        out, _ = self.process.communicate(timeout=60)
        for line in out.splitlines():
            at, credits = line.split()
            self.seen.note(int(at) / 1000, credits)


class Stops(threading.Thread):
    """For how long the machine let nobody run: how late a short sleep ended at most."""

    def __init__(self):
        super().__init__(daemon=True)
        self.longest, self.stopping = 0.0, threading.Event()

    def run(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - began - 0.01)


def probe(tollgate, key, seconds):
    """Watched calls, one after the other; when each had ended."""
    connection = http.client.HTTPConnection(*split_address(tollgate.address), timeout=PATIENCE_S)
    ends, begin = [], time.monotonic()
    while time.monotonic() < begin + seconds:
        connection.request("GET", "/v1/watched", headers={"Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        reply.read()
        ends.append(time.time())
        if reply.status != 200:
            raise SystemExit(f"a watched call: {reply.status}")
        time.sleep(max(0, begin + len(ends) * PROBE_EVERY_S - time.monotonic()))
    return ends


def start_load(tollgate, keys, rate, seconds):
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", HERE / "paced.lua",
         f"http://{tollgate.address}"], text=True, stdout=subprocess.PIPE,
        env={**os.environ, "FRESHNESS_RATE": str(rate), "FRESHNESS_KEYS": " ".join(keys)})


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(tollgate, redis, keys, arguments, directory):
    billing, admin = "/v1/billing", f"/admin/v1/orgs/{WATCHED}"
    sides = (("admin", tollgate.admin.address, admin, ADMIN_TOKEN),
             ("customer", tollgate.address, billing, keys[0]))
    watchers = [kind(f"{what}, {who}", address, path + page, secret)
                for kind, what, page in ((ReportWatcher, "usage API", "/usage"),
                                         (StreamWatcher, "event stream", "/events"))
                for who, address, path, secret in sides]
    watchers.append(DashboardWatcher(tollgate, directory))
    for watcher in watchers:
        watcher.start()
    before = {process.name: cpu_seconds(process) for process in (tollgate, redis)}
    load = start_load(tollgate, keys, arguments.rate, arguments.seconds + 2)
    time.sleep(1)  # until it has reached its rate
    ends = probe(tollgate, keys[0], arguments.seconds)
    said = load.communicate(timeout=60)[0]
    result = json.loads(next(line for line in said.splitlines()
                             if line.startswith("RESULT ")).removeprefix("RESULT "))
    cpu = {process.name.split("-")[0]: (cpu_seconds(process) - before[process.name]) / result["seconds"]
           for process in (tollgate, redis)}
    time.sleep(LIMIT_S)  # anything later is too late
    for watcher in watchers:
        watcher.stop()
    return watchers, ends, result, cpu


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def judge(watchers, ends, load, cpu, arguments):
    """What was measured, as it goes into the file; `failures` says what is wrong with it."""
    views, failures = {}, []
    for watcher in watchers:
        delays = watcher.seen.delays(ends)
        view = {"p50_s": percentile(delays, 0.5), "p99_s": percentile(delays, 0.99), "max_s": max(delays)}
        views[watcher.seen.name] = view
        if watcher.failure:
            failures.append(f"{watcher.seen.name}: {watcher.failure!r}")
        if view["p99_s"] >= LIMIT_S:
            failures.append(f"{watcher.seen.name}: {view['p99_s']:.3f} s at the 99th percentile")
    rate = load["requests"] / load["seconds"]
    if load["failed"]:
        failures.append(f"{load['failed']} calls failed")
    if rate < 0.95 * arguments.rate:
        failures.append(f"{rate:,.0f} calls/s were reached, not {arguments.rate:,}")
    return {"rate": rate, "wanted_rate": arguments.rate, "load": load, "cores": cpu,
            "watched_calls": len(ends), "views": views, "failures": failures}


def show(result):
    load = result["load"]
    print(f"{result['rate']:,.0f} calls/s for {load['seconds']:.0f} s ({result['wanted_rate']:,} wanted), "
          f"{load['failed']} failed, p99 {load['p99_ms']:.1f} ms; {result['watched_calls']} watched calls; "
          + ", ".join(f"{name} {share:.0%} of a core" for name, share in result["cores"].items())
          + f"; the machine stood still for {result['longest_stop_s']:.2f} s at most")
    print(f"\n{'from the end of a call to its presence in':42} {'p50':>8} {'p99':>8} {'max':>8}")
    for name, view in result["views"].items():
        print(f"{name:42} {view['p50_s']:6.3f} s {view['p99_s']:6.3f} s {view['max_s']:6.3f} s")
    for failure in result["failures"]:
        print(f"FAILED: {failure}")


def attempt(arguments, modules):
    """Everything from the start: one measurement, and the books after it."""
    with ExitStack() as stack:
        def start(process):
            stack.callback(process.stop)
            return process
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-"))
        redis = start(Redis(directory))
        upstream = start(SampleUpstream(directory))
        tollgate = start(Tollgate(directory, configuration(
            redis.url, upstream.address, threads=arguments.threads,
            rates={**RATES, "watched": {"credits": str(PRICE), "per": "request"}},
            routes=[route("watched", "watched", {"path": "/v1/watched"}), *ROUTES])))
        keys = [tollgate.admin.new_customer(f"org-{number}", credits=1_000_000_000)
                for number in range(arguments.orgs)]
        stops = Stops()
        stops.start()
        result = judge(*measure(tollgate, redis, keys, arguments, modules), arguments)
        stops.stopping.set()
        result["longest_stop_s"] = stops.longest
        for number in range(arguments.orgs):
            wait_until(lambda: tollgate.admin.balance(f"org-{number}")["held"] == 0, "no hold is left")
        charged = watched_in(tollgate.admin.balance(WATCHED)["settled"])
        if charged != result["watched_calls"]:
            result["failures"].append(f"{charged} of {result['watched_calls']} watched calls were charged")
        tollgate.verify()
        return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=2000, help="calls a second")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--orgs", type=int, default=8, help="organizations that share them")
    parser.add_argument("--threads", type=int, default=2, help="of Tollgate")
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.seconds / PROBE_EVERY_S * float(PRICE) >= 1:
        parser.error("the decimals do not hold so many watched calls")
    node.main(lambda: run(arguments), ("wrk", "node", "npm", "chromium"), "browser")


def run(arguments):
    modules = browser_tests.install_browser_tests()
    for _ in range(ATTEMPTS):
        result = attempt(arguments, modules)
        show(result)
        if not result["failures"] or result["longest_stop_s"] < LONG_STOP_S:
            break
        print("once more\n")
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=1))
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    main()
