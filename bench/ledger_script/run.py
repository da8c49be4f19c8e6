#!/usr/bin/env python3
"""What a reservation and its settlement cost Redis, by the size of the batch they travel in.

    bench/ledger_script/run.py [--quick] [FOLDER ...]

A folder holds the files of a script. Each is measured for an account without a plan, and for one that has
a plan with a spend cap, a threshold for top-ups, a request rate and a limit for every agent.

Starts a redis-server of its own and reads the CPU time of its main thread from INFO. Each figure is the
smallest of many short runs: other work on the machine only ever adds. Several scripts are measured in
turns, so that variants can be compared on a busy machine.
"""
import argparse
import os
import pathlib
import random
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
AMOUNT = 10_000_000
BATCHES = (1, 4, 16, 64)
PACK_AFTER = 720  # hours


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


class Account:
    """Encodes batches as quota/redis/ledger_script.cpp does."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def hold_ids(self, count):
        return ["01K0000000" + "".join(self.random.choices(ALPHABET, k=16)) for _ in range(count)]

    def batch(self, sha, ids, operations):
        hour = int(time.time()) // 3600
        prefix = "tollgate:{bench}:"
        keys = [prefix + "account", prefix + "holds", prefix + "ledger", f"{prefix}usage:{hour}",
                *(prefix + part for part in ("grants", "counters", "cycles", "top_ups", "late",
                                             "events")),
                f"{prefix}resolved:{hour}"]
        return encode("EVALSHA", sha, len(keys), *keys, hour, len(ids), PACK_AFTER, hour, *ids, *operations)

    def reserve(self, sha, ids):
        operations = []
        for _ in ids:
            who = f"chat-gpt-4\tllm\tgpt-4o\tagent-7\tconv-{self.random.randrange(50)}\tkey_8f2a61b0"
            operations += ["r0", 11, AMOUNT, 60000, "%032x\t%s" % (self.random.getrandbits(128), who)]
        return self.batch(sha, ids, operations)

    def settle(self, sha, ids):
        return self.batch(sha, ids, ["s", 11, AMOUNT, 1] * len(ids))


    def configure(self, sha):
        terms = f"{10**15} 100 1 20000 1000 1000000 1000000 bench"
        return self.batch(sha, [], ["c", 1, 1, terms, f"1 5000 -1 {10**10} 1000", f"0 1 {10**15} *", ""])


def microseconds_each(redis, messages, operations, expected):
    before = redis.cpu()
    for message in messages:
        answer = redis.send(message)
    spent = redis.cpu() - before
    if answer.split()[1] != expected:
        raise RuntimeError("unexpected answer: " + answer.decode()[:100])
    return spent / operations * 1e6


def measure(redis, account, sha, size, operations):
    redis.call("DEL", "tollgate:{bench}:ledger")
    batches = [account.hold_ids(size) for _ in range(max(operations // size, 4))]
    count = len(batches) * size
    return (microseconds_each(redis, [account.reserve(sha, ids) for ids in batches], count, b"0"),
            microseconds_each(redis, [account.settle(sha, ids) for ids in batches], count, b"3"))


def script_of(folder):
    return "".join(path.read_text() for path in sorted(pathlib.Path(folder).glob("*.lua")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", default=[str(ROOT / "quota/ledger/scripts")])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--aof", action="store_true", help="with an append-only file, as the embedded store")
    chosen = parser.parse_args()
    options = ["--appendonly", "yes", "--appendfsync", "everysec"] if chosen.aof else []
    with tempfile.TemporaryDirectory() as directory:
        redis = Redis(directory, options)
        try:
            loaded = [redis.call("SCRIPT", "LOAD", script_of(path)) for path in chosen.scripts]
            account, best = Account(1), {}
            for plan in ("no plan", "plan"):
                redis.call("FLUSHALL")
                redis.call("HSET", "tollgate:{bench}:account", "granted", 2 * 10**15)
                if plan == "plan":
                    redis.send(account.configure(loaded[0]))
                for _ in range(5 if chosen.quick else 25):
                    for size in BATCHES:
                        for path, sha in zip(chosen.scripts, loaded):
                            now = measure(redis, account, sha, size, 1024)
                            so_far = best.get((path, plan, size), now)
                            best[path, plan, size] = tuple(min(pair) for pair in zip(now, so_far))
        finally:
            redis.stop()
    print("| script | account | batch | reserve, µs | settle, µs | a call, µs |\n|---|---|---|---|---|---|")
    for (path, plan, size), (reserve, settle) in sorted(best.items()):
        name = os.path.basename(path)
        print(f"| {name} | {plan} | {size} | {reserve:.1f} | {settle:.1f} | {reserve + settle:.1f} |")


if __name__ == "__main__":
    main()
