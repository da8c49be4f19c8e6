#!/usr/bin/env python3
"""Every kind of trouble of the store, one after the other: what callers get, what /readyz and the log say, how long
healing takes, whether memory stays flat and whether the books are right. Prints a table.

    tests/integration/store_trouble.py --seconds 30 --callers 16 [--only NAME]

Each kind has a Redis, a Tollgate and an account of its own (support/store_troubles.py). `test_store_trouble.py` is the
short form.
"""
import argparse
import concurrent.futures
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from support.faulty_store import FaultyStore
from support.http import BROKEN_OFF, call
from support.process import SANITIZED, Redis, free_port, wait_until
from support.store_troubles import ALL
from support.tollgate import Tollgate, configuration
from support.upstream import SampleUpstream

TIMEOUT_S = 1.0                            # store.timeout
SLACK_S = 4.0 if SANITIZED else 1.5        # of a busy machine, for an answer
HEAL_S = 6.0 if SANITIZED else 2.0
MOST_GROWTH_KIB = 24 * 1024
PRICE = 10


class World:
    """One Redis, a second one where a kind needs it, a proxy, and a Tollgate."""

    def __init__(self, trouble, base, upstream, number):
        self.trouble, self.upstream = trouble, upstream
        self.directory = tempfile.mkdtemp(prefix=f"{number}-", dir=base)
        self.wait_until, self.second, self.thread, self.proxy = wait_until, None, None, None
        self.started = []
        self.port = free_port()
        self.redis = self.keep(self._redis("a", "--port", str(self.port)))
        self.names_file = Path(self.directory) / "names"
        trouble.prepare(self)
        config = configuration(self._url(), upstream.address, threads=2)
        config["store"] = {"url": config["store"], "timeout": f"{round(TIMEOUT_S * 1000)}ms"}
        self.tollgate = self.keep(Tollgate(self.directory, config, environment=self._names()))
        self.new_account()

    def keep(self, process):
        self.started.append(process)
        return process

    def _redis(self, name, *options, wait=True):
        return Redis(self.directory, name, persistent=self.trouble.persistent, wait=wait,
                     options=(*options, *self.trouble.redis))

    def _url(self):
        if self.trouble.user:
            return f"redis://{self.trouble.user}127.0.0.1:{self.port}"
        if not self.trouble.proxied:
            return self.redis.url
        self.proxy = self.keep(FaultyStore(self.redis.socket_path))
        return self.proxy.url.replace("127.0.0.1", "store.test") if self.trouble.by_name else self.proxy.url

    def _names(self):
        if not self.trouble.by_name:
            return {}
        library = Path(self.directory) / "names.so"
        source = Path(__file__).parent / "support" / "names.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
        self.add_name()
        return {"LD_PRELOAD": str(library), "NAMES_FILE": str(self.names_file)}

    def add_name(self):
        self.names_file.touch()

    def new_account(self):
        self.key = self.tollgate.admin.new_customer("acme", credits=1_000_000)

    def restart_redis(self, *options, wait=True):
        self.redis = self.keep(self._redis("a", "--port", str(self.port), *options, wait=wait))

    def wait_until_loaded(self):
        wait_until(self.redis.is_ready, "the store to be loaded", every=0.02)

    def start_second(self):
        self.second = self.keep(self._redis("b"))

    def ready(self):
        """The status and the cause that /readyz says."""
        try:
            reply = call(self.tollgate.admin.address, "GET", "/readyz", timeout=5)
        except BROKEN_OFF:
            return 0, None
        return reply.status, reply.json().get("cause")

    def metric(self, name):
        text = call(self.tollgate.admin.address, "GET", "/metrics", timeout=5).body.decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if re.match(rf"{name}(_total)?[ {{]", line))

    def resident_kib(self):
        status = Path(f"/proc/{self.tollgate.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def store_lines(self):
        return [line for line in self.tollgate.log().splitlines() if " store: " in line]

    def stop(self):
        for each in reversed(self.started):
            each.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass
class Call:
    begun: float
    took: float
    status: int
    odd: bytes = b""  # the body of an answer that nobody expects


class Callers:
    """They call all the time, each with one call at a time."""

    def __init__(self, world, count):
        self.world, self.calls, self.ended = world, [], threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for each in self.threads:
            each.start()

    def _run(self):
        while not self.ended.is_set():
            begun = time.monotonic()
            try:
                reply = self.world.tollgate.chat(self.world.key, timeout=20)
                status, odd = reply.status, reply.body if reply.status >= 500 else b""
            except BROKEN_OFF:
                status, odd = 0, b""
            self.calls.append(Call(begun, time.monotonic() - begun, status, odd))
            self.ended.wait(0.002)

    def end(self):
        self.ended.set()
        for each in self.threads:
            each.join(30)
        return self.calls


@dataclass
class Report:
    name: str
    statuses: str = ""
    slowest: float = 0
    causes: str = ""
    lines: int = 0
    healed: float = 0
    pending: int = 0
    growth_kib: int = 0
    problems: list = field(default_factory=list)

    def require(self, holds, problem):
        if not holds:
            self.problems.append(problem)


def wait_for(condition, seconds):
    """The time until it holds; None: it did not in time. A condition that was true in time counts."""
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        if condition():
            return asked - began
        if asked - began > seconds:
            return None
        time.sleep(0.02)


def see_trouble(world, report, seconds):
    """Waits until it is seen, and a while longer. The causes that were given."""
    trouble, seen = world.trouble, set()

    def look():
        status, cause = world.ready()
        if status == 503:
            seen.add(cause)
        return status == 503
    if trouble.causes and not trouble.instant:
        report.require(wait_for(look, TIMEOUT_S + SLACK_S + 1) is not None, "/readyz stays 200")
    began = time.monotonic()
    while time.monotonic() - began < seconds and not trouble.heals_alone:
        look()
        time.sleep(0.05)
    return seen, began


def check_reports(world, report):
    """Reports, of the customer and of the administrator, are answered in time, too."""
    def customer():
        return world.tollgate.call("GET", "/v1/billing/usage", world.key, timeout=20)

    def administrator():
        return world.tollgate.admin.request("GET", "/orgs/acme/balance")
    for ask in (customer, administrator):
        began = time.monotonic()
        status = ask().status
        took = time.monotonic() - began
        report.require(took <= TIMEOUT_S + SLACK_S, f"a report took {took:.1f} s")
        report.require(status in {200, 401, 404, 503}, f"a report got {status}")


def check_calls(report, trouble, calls, seen_at, ended_at):
    during = [each for each in calls if each.begun >= seen_at and each.begun + each.took <= ended_at]
    statuses = {each.status for each in during}
    report.statuses = ",".join(map(str, sorted(statuses)))
    report.slowest = max((each.took for each in calls), default=0)
    report.require(statuses <= trouble.statuses, f"callers got {sorted(statuses - trouble.statuses)}")
    others = {each.status for each in calls} - trouble.statuses - {200, 503}
    report.require(not others, f"callers got {others}: {[each.odd for each in calls if each.status in others][:3]}")
    report.require(report.slowest <= TIMEOUT_S + SLACK_S, f"a call took {report.slowest:.1f} s")


def check_lines(report, trouble, lines):
    causes = [re.search(r"cause=(\w+)", line)[1] for line in lines if "unavailable" in line]
    report.causes, report.lines = ",".join(dict.fromkeys(causes)), len(lines)
    report.require(set(causes) <= trouble.causes, f"the log gives {causes}")
    if not trouble.causes:
        return report.require(not lines, f"the log says {lines}")
    report.require(bool(causes), "the log does not say it")
    report.require(bool(lines) and "ready again" in lines[-1], "the log does not say that it is over")
    if 200 not in trouble.statuses:  # a store that comes and goes is told each time
        report.require(len(lines) <= len(trouble.causes) + 2, f"the log says {lines}")
    return None


def check_books(report, world, calls):
    """The last balance counts: a connection that is idle may read an old replica until it is checked, for a second."""
    paid, last = calls.count(200) * PRICE, {}

    def right():
        reply = world.tollgate.admin.request("GET", "/orgs/acme/balance")
        last.update(reply.json().get("data") or {"held": "unknown", "settled": "unknown"})
        return last["held"] == 0 and (world.trouble.accounts_lost or last["settled"] == paid)
    try:
        world.wait_until(right, "the books to be right", 20)
        world.tollgate.verify()
    except TimeoutError:
        report.problems.append(f"held {last['held']}, settled {last['settled']}; calls got through for {paid}")
    except AssertionError as error:
        report.problems.append(str(error))


def suffer(world, report, seconds, callers):
    trouble = world.trouble
    calling = Callers(world, callers)
    wait_for(lambda: len(calling.calls) >= 3 * callers, 10)
    before, lines_before = world.resident_kib(), len(world.store_lines())
    if trouble.quiet_begin:
        first = calling.end()
        check_books(report, world, [each.status for each in first])
    trouble.begin(world)
    began = time.monotonic()
    if trouble.seen_first:
        report.require(wait_for(lambda: world.ready()[0] == 503, 5) is not None, "/readyz stays 200")
    if trouble.quiet_begin:
        calling = Callers(world, callers)
        calling.calls += first
    seen, seen_at = see_trouble(world, report, seconds)
    if not trouble.heals_alone:
        check_reports(world, report)
    report.pending = int(world.metric("tollgate_pending_settlements"))
    held_until = time.monotonic()
    trouble.end(world)
    ended_at = began + trouble.heals_alone if trouble.heals_alone else time.monotonic()
    time.sleep(max(ended_at - time.monotonic(), 0))

    def healed():
        return world.ready()[0] == 200 and world.tollgate.chat(world.key, timeout=20).status == 200
    extra = []
    after = wait_for(lambda: healed() and (extra.append(200) or True), 30)
    report.healed = time.monotonic() - ended_at if after is not None else 99
    report.require(after is not None and after <= HEAL_S, f"healing took {report.healed:.1f} s")
    calls = calling.end()
    report.require(seen <= trouble.causes, f"/readyz gives {seen}")
    check_calls(report, trouble, calls, seen_at, held_until)
    if not trouble.unknown:
        report.require(report.pending <= 2 * callers, f"{report.pending} voids or settlements wait")
    # An idle connection may notice later than the others, and has healed as soon.
    wait_for(lambda: not trouble.causes or ([""] + world.store_lines())[-1].find("ready again") > 0, HEAL_S)
    check_lines(report, trouble, world.store_lines()[lines_before:])
    report.growth_kib = world.resident_kib() - before
    report.require(report.growth_kib <= MOST_GROWTH_KIB, f"memory grew by {report.growth_kib} KiB")
    check_books(report, world, [each.status for each in calls] + extra)


def run_one(number, trouble, base, upstream, seconds, callers):
    world, report = None, Report(trouble.name)
    try:
        world = World(trouble, base, upstream, number)
        suffer(world, report, seconds, callers)
    except Exception as error:  # one kind that cannot be made does not hide the others
        report.problems.append(f"{type(error).__name__}: {error}")
    if world is None:
        return report
    told = [line for line in world.tollgate.log().splitlines() if " admin " not in line]
    try:
        world.stop()
    except (AssertionError, RuntimeError) as error:
        report.problems.append(f"it does not end: {str(error).splitlines()[0]}")
    if report.problems:
        report.problems.append("log:\n" + "\n".join(told[-12:]))
    return report


def run(troubles, seconds, callers, at_once):
    """A report of each, in order."""
    base = tempfile.mkdtemp(prefix="tollgate-")
    upstream = SampleUpstream(base)
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            work = [pool.submit(run_one, number, trouble, base, upstream, seconds, callers)
                    for number, trouble in enumerate(troubles)]
            return [each.result() for each in work]
    finally:
        upstream.stop()
        shutil.rmtree(base, ignore_errors=True)


def table(reports):
    lines = [f"{'trouble':26} {'status':12} {'slowest':>8} {'cause':28} {'lines':>5} {'healed':>7} {'waiting':>7} "
             f"{'KiB':>7}"]
    for each in reports:
        lines.append(f"{each.name:26} {each.statuses:12} {each.slowest:7.2f}s {each.causes:28} {each.lines:5} "
                     f"{each.healed:6.2f}s {each.pending:7} {each.growth_kib:7}"
                     + ("  FAILED" if each.problems else ""))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="how long each trouble lasts")
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--only", help="a part of a name")
    options = parser.parse_args()
    chosen = [each for each in ALL if not options.only or options.only in each.name]
    reports = run(chosen, options.seconds, options.callers, options.at_once)
    print(table(reports))
    for each in reports:
        for problem in each.problems:
            print(f"{each.name}: {problem}")
    return 1 if any(each.problems for each in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
