#!/usr/bin/env python3
"""What does a limit in total on every conversation cost Redis, before and after idle totals are packed?

    bench/totals/run.py [--conversations 1000000]

Runs the ledger's library in a Redis of its own, with a clock of its own: each conversation makes one call of 1 to 10
credits and never another. Of the counters of the organization it prints what Redis' MEMORY USAGE says of them, and
what the script takes of Redis for each new conversation.
"""
import argparse
import os
import pathlib
import random
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("TOLLGATE_BUILD_DIR", ROOT / "build/release")) / "tollgate"
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from support.process import Redis  # noqa: E402

BATCH, START_MS, HOUR_MS = 20, 1_800_000_000_000, 3_600_000
PARTS = ("account", "holds", "ledger", "usage:{hour}", "grants", "counters", "cycles", "top_ups", "late", "events")
TERMS = "0 0 0 0 0 0 0 free"


def encode(*arguments):
    parts = [str(argument).encode() for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class Ledger:
    def __init__(self, redis, pack_after):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(redis.socket_path)
        self.replies = self.socket.makefile("rb")
        self.pack_after, self.now, self.random = pack_after, START_MS, random.Random(1)
        library = subprocess.run([PROGRAM, "library"], capture_output=True, text=True, check=True).stdout
        self.name = self.command("FUNCTION", "LOAD", library.replace("call('TIME')", "call('HMGET', 'clock', 's', 'us')"))
        self.call([], ["g", "credits", 4 * 10**15, "purchase", "", 0, ""])
        self.call([], ["c", 1, 0, TERMS, "0 -1 -1 -1 0", f"1 3 {100 * 10**6} *", ""])

    def command(self, *arguments):
        self.socket.sendall(encode(*arguments))
        line = self.replies.readline().rstrip()
        if line[:1] == b"$":
            return self.replies.read(int(line[1:]) + 2)[:-2].decode()
        if line[:1] == b"-":
            raise RuntimeError(line.decode())
        return line[1:].decode()

    def cpu(self):
        """Seconds of Redis' main thread: other work on the machine does not count."""
        lines = dict(line.split(":", 1) for line in self.command("INFO", "cpu").splitlines() if ":" in line)
        return float(lines["used_cpu_user_main_thread"]) + float(lines["used_cpu_sys_main_thread"])

    def call(self, ids, operations):
        self.command("HSET", "clock", "s", self.now // 1000, "us", self.now % 1000 * 1000)
        hour = self.now // HOUR_MS
        names = [f"tollgate:{{acme}}:{part.format(hour=hour)}" for part in PARTS]
        names.append(f"tollgate:{{acme}}:resolved:{hour}")
        answer = self.command("FCALL", self.name, len(names), *names, hour, len(ids), self.pack_after, hour, *ids,
                              *operations)
        assert not answer.startswith("again"), answer

    def conversations(self, first, count):
        ids, operations = [], []
        for number in range(first, first + count):
            amount = self.random.randrange(1, 11) * 10**6
            hold, who = f"{number:026}", f"q\tchat\tllm\tgpt-4\t\tconversation-{number * 7919 % 10**9:09}\tkey_1"
            ids += [hold, hold]
            operations += ["r0", 11, amount, 60_000, who, "s", 11, amount, 1]
        self.call(ids, operations)


def measure(name, conversations, pack_after):
    with tempfile.TemporaryDirectory() as directory:
        redis = Redis(directory)
        try:
            ledger = Ledger(redis, pack_after)
            began = ledger.cpu()
            for first in range(0, conversations, BATCH):
                ledger.conversations(first, BATCH)
                ledger.now += 100 * HOUR_MS * BATCH // conversations  # a hundred hours in total
                if first % 100_000 == 0:
                    for key in ("ledger", "holds"):  # not measured here
                        ledger.command("DEL", f"tollgate:{{acme}}:{key}")
            key = "tollgate:{acme}:counters"
            size, fields = int(ledger.command("MEMORY", "USAGE", key, "SAMPLES", 0)), ledger.command("HLEN", key)
            print(f"{name:<16} {size / conversations:7.1f} bytes a conversation, {size / 2**20:7.1f} MiB in all, "
                  f"{fields} fields, "
                  f"{(ledger.cpu() - began) / conversations * 1e6:.0f} µs of Redis a conversation", flush=True)
        finally:
            redis.stop()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--conversations", type=int, default=1_000_000)
    conversations = arguments.parse_args().conversations
    measure("never packed", conversations, 0)
    measure("packed after 1 h", conversations, 1)


if __name__ == "__main__":
    main()
