#!/usr/bin/env python3
"""What a reservation and its settlement cost Redis, by the size of the batch they travel in.

    bench/ledger_script/run.py [--quick] [--aof] [--before WHAT]

Measures the ledger's library of the built `tollgate`; with --before also that of another version, in turns, and prints
both side by side. WHAT is a program (its `library` command prints the text), or the source tree of a version before
there was a library, whose script is called by EVALSHA.

Each is measured for an account without a plan, and for one that has a plan with a spend cap, a threshold for top-ups, a
request rate and a limit for every agent. `1, alone` is one operation a call and one call at a time, so it includes
Redis' reads and writes of the socket. `1, pipelined` sends many calls in one write. In `1 of each of N`, N organizations
share a call, as in quota/redis/usual_call.cpp.

Starts a redis-server of its own and reads the CPU time of its main thread from INFO. Each figure is the smallest of many
short runs: other work on the machine only ever adds.
"""
import argparse
import itertools
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TOLLGATE_BUILD_DIR", ROOT / "build/release")) / "tollgate"
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
AMOUNT = 10_000_000
PACK_AFTER = 720  # hours


@dataclass(frozen=True)
class Way:
    """How operations travel: in batches of one organization, or one each of several organizations in one call."""
    label: str
    batch: int = 1
    organizations: int = 1
    pipelined: bool = False


WAYS = (Way("1, pipelined", pipelined=True), Way("1, alone"), Way("4", 4), Way("16", 16), Way("64", 64),
        *(Way(f"1 of each of {count}", organizations=count, pipelined=True) for count in (1, 4, 16, 32)))


def encode(*arguments):
    out = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        text = argument if isinstance(argument, bytes) else str(argument).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(text), text))
    return b"".join(out)


class Redis:
    def __init__(self, directory, options):
        path = os.path.join(directory, "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory] + options,
            stdout=subprocess.DEVNULL)
        while True:
            try:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.05)
        self.file = self.socket.makefile("rb")

    def read(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        return rest

    def call(self, *arguments):
        return self.send(encode(*arguments))

    def pipeline(self, messages):
        """The last answer."""
        self.socket.sendall(b"".join(messages))
        for _ in messages:
            answer = self.read()
        return answer

    def send(self, encoded):
        self.socket.sendall(encoded)
        return self.read()

    def cpu(self):
        """Seconds of the main thread, which is the one that runs scripts."""
        fields = dict(line.split(":") for line in self.call("INFO", "cpu").decode().split() if ":" in line)
        return float(fields["used_cpu_user_main_thread"]) + float(fields["used_cpu_sys_main_thread"])

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()


class Ledger:
    """How one version's ledger is called."""

    def __init__(self, redis, what):
        scripts = pathlib.Path(what) / "quota/ledger/scripts"
        if scripts.is_dir():
            text = "".join(path.read_text() for path in sorted(scripts.glob("*.lua")))
            self.command, self.name = "EVALSHA", redis.call("SCRIPT", "LOAD", text)
        else:
            text = subprocess.run([what, "library"], capture_output=True, text=True, check=True).stdout
            self.command, self.name = "FCALL", redis.call("FUNCTION", "LOAD", "REPLACE", text)
        self.shares_calls = "'_usual'" in text

    def goes(self, way, plan):
        """Calls for several organizations are for accounts without limits."""
        return not way.label.startswith("1 of") or (self.shares_calls and plan == "no plan")


class Account:
    """Encodes batches as quota/redis/ledger_protocol.cpp does."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def hold_ids(self, count):
        return ["01K0000000" + "".join(self.random.choices(ALPHABET, k=16)) for _ in range(count)]

    @staticmethod
    def keys(org, parts):
        hour = int(time.time()) // 3600
        return hour, [f"tollgate:{{bench-{org}}}:" + part.format(hour=hour) for part in parts]

    def call(self, ledger, org, ids, operations):
        hour, keys = self.keys(org, ("account", "holds", "ledger", "usage:{hour}", "grants", "counters", "cycles",
                                     "top_ups", "late", "events", "resolved:{hour}"))
        arguments = [hour, len(ids), PACK_AFTER, hour, *ids, *operations]
        return encode(ledger.command, ledger.name, len(keys), *keys, *arguments)

    def shared_call(self, ledger, ids, operations):
        """An id and an operation of each organization."""
        keys, arguments = [], []
        for org, (id, operation) in enumerate(zip(ids, operations)):
            hour, of_org = self.keys(org, ("account", "holds", "ledger", "usage:{hour}", "resolved:{hour}"))
            keys += of_org
            arguments += [1 + len(operation), id, *operation]
        return encode(ledger.command, ledger.name + b"_usual", len(keys), *keys, hour, *arguments)

    def batch(self, ledger, way, ids, operations):
        if way.label.startswith("1 of"):
            return self.shared_call(ledger, ids, operations)
        return self.call(ledger, 0, ids, list(itertools.chain(*operations)))

    def reserve(self, ledger, way, ids):
        operations = []
        for _ in ids:
            who = f"chat-gpt-4\tllm\tgpt-4o\tagent-7\tconv-{self.random.randrange(50)}\tkey_8f2a61b0"
            operations.append(["r0", 11, AMOUNT, 60000, "%032x\t%s" % (self.random.getrandbits(128), who)])
        return self.batch(ledger, way, ids, operations)

    def settle(self, ledger, way, ids):
        return self.batch(ledger, way, ids, [["s", 11, AMOUNT, 1]] * len(ids))

    def configure(self, ledger, org, plan):
        """As the admin API does: every organization has at least a cycle."""
        if plan == "no plan":
            return self.call(ledger, org, [], ["c", 1, 30, "0 0 0 0 0 0 0 ", "1 -1 -1 -1 0", "", ""])
        terms = f"{10**15} 100 1 20000 1000 1000000 1000000 bench"
        return self.call(ledger, org, [], ["c", 1, 1, terms, f"1 5000 -1 {10**10} 1000", f"0 1 {10**15} *", ""])


def microseconds_each(redis, messages, operations, expected, pipelined):
    before = redis.cpu()
    if pipelined:
        answer = redis.pipeline(messages)
    else:
        for message in messages:
            answer = redis.send(message)
    spent = redis.cpu() - before
    if any(line.split()[1:2] != [expected] for line in answer.split(b"\n")):
        raise RuntimeError("unexpected answer: " + answer.decode()[:100])
    return spent / operations * 1e6


def measure(redis, account, ledger, way, operations):
    redis.call("DEL", "tollgate:{bench-0}:ledger")
    size = way.batch * way.organizations
    batches = [account.hold_ids(size) for _ in range(max(operations // size, 4))]
    count = len(batches) * size
    reserves = [account.reserve(ledger, way, ids) for ids in batches]
    settles = [account.settle(ledger, way, ids) for ids in batches]
    return (microseconds_each(redis, reserves, count, b"0", way.pipelined),
            microseconds_each(redis, settles, count, b"3", way.pipelined))


def measure_all(redis, ledgers, rounds):
    """(name of the ledger, kind of account, way) -> the smallest times of a reservation and a settlement."""
    account, best = Account(1), {}
    for plan, _, (name, ledger) in itertools.product(("no plan", "plan"), range(rounds), ledgers.items()):
        redis.call("FLUSHALL")
        organizations = range(max(way.organizations for way in WAYS))
        for org in organizations:
            redis.call("HSET", f"tollgate:{{bench-{org}}}:account", "granted", 2 * 10**15)
            redis.send(account.configure(ledger, org, plan))
        time.sleep(0.005)
        for org in organizations:  # does what is due behind the change of terms
            redis.send(account.call(ledger, org, [], ["x", 0]))
        for way in WAYS:
            if ledger.goes(way, plan):
                now = measure(redis, account, ledger, way, 512)
                so_far = best.get((name, plan, way), now)
                best[name, plan, way] = tuple(min(pair) for pair in zip(now, so_far))
    return best


def print_table(best, names):
    before = "| before, µs | ratio " if "before" in names else ""
    print(f"| account | operations a call | reserve, µs | settle, µs | a call, µs {before}|")
    print("|---|---|--:|--:|--:" + "|--:|--:" * bool(before) + "|")
    for plan, way in itertools.product(("no plan", "plan"), WAYS):
        if ("now", plan, way) not in best:
            continue
        reserve, settle = best["now", plan, way]
        line = f"| {plan} | {way.label} | {reserve:.1f} | {settle:.1f} | {reserve + settle:.1f} |"
        if before:
            was = sum(best["before", plan, way]) if ("before", plan, way) in best else None
            line += f" {was:.1f} | {(reserve + settle) / was:.2f} |" if was else " – | – |"
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="WHAT", help="a program, or the source tree of a version without a library")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--aof", action="store_true", help="with an append-only file, as the embedded store")
    chosen = parser.parse_args()
    options = ["--appendonly", "yes", "--appendfsync", "everysec"] if chosen.aof else []
    with tempfile.TemporaryDirectory() as directory:
        redis = Redis(directory, options)
        try:
            ledgers = {"now": Ledger(redis, PROGRAM)}
            if chosen.before:
                ledgers["before"] = Ledger(redis, chosen.before)
            best = measure_all(redis, ledgers, 5 if chosen.quick else 25)
        finally:
            redis.stop()
    print_table(best, ledgers)


if __name__ == "__main__":
    main()
