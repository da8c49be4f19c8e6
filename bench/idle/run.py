#!/usr/bin/env python3
"""How many commands a second does an idle Tollgate send to a store with many organizations?

    bench/idle/run.py [--orgs 10000] [--sweep-every 500ms] [--sidecars 1] [--seconds 10]
                      [--program FILE]

Their cycles end in ten days. The first walk over all organizations, at the start, is not counted.
"""
import argparse
import pathlib
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from support import tollgate as support  # noqa: E402
from support.process import Redis  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402


def encode(*arguments):
    parts = [str(argument).encode() for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def fill(redis, orgs):
    """As an administrator would have left them yesterday, with a cycle that ends in ten days."""
    now = int(time.time() * 1000)
    created, due = now - 86_400_000, now + 10 * 86_400_000
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(redis.socket_path)
        replies = connection.makefile("rb")
        for i in range(orgs):
            org = f"org-{i:06}"
            connection.sendall(encode("ZADD", "tollgate:orgs", 0, org) +
                               encode("HSET", f"tollgate:{{{org}}}:settings", "created", created, "suspended", 0) +
                               encode("HSET", f"tollgate:{{{org}}}:account", "schema", 2, "granted", 10**9,
                                      "next_due", due))
            for _ in range(3):
                replies.readline()


def count(redis, name):
    info = redis.command("INFO", "stats").decode()
    return int(next(line for line in info.splitlines() if line.startswith(f"{name}:")).split(":")[1])


def commands_a_second(redis, seconds):
    before, began = count(redis, "total_commands_processed"), time.monotonic()
    time.sleep(seconds)
    return (count(redis, "total_commands_processed") - before) / (time.monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orgs", type=int, default=10_000)
    parser.add_argument("--sweep-every", default="500ms")
    parser.add_argument("--sidecars", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--program", help="another tollgate, for example that of the last release")
    arguments = parser.parse_args()
    if arguments.program:
        support.BINARY = pathlib.Path(arguments.program).resolve()
    with tempfile.TemporaryDirectory(prefix="tollgate-") as directory:
        started = [redis := Redis(directory), upstream := SampleUpstream(directory)]
        try:
            fill(redis, arguments.orgs)
            for i in range(arguments.sidecars):
                config = support.configuration(redis.url, upstream.address, threads=1,
                                               holds={"sweep_every": arguments.sweep_every})
                started.append(support.Tollgate(directory, config, f"sidecar-{i}"))
            rates = []
            while len(rates) < 3 or rates[-1] < rates[-2] / 2:  # until the first walk is over
                rates.append(commands_a_second(redis, arguments.seconds))
            print(f"{arguments.orgs} organizations, sweep_every {arguments.sweep_every}, {arguments.sidecars} idle: "
                  f"{rates[-1]:.0f} commands/s (first {arguments.seconds:.0f} s: {rates[0]:.0f})")
        finally:
            for process in reversed(started):
                process.stop()


if __name__ == "__main__":
    main()
