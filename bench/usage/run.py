#!/usr/bin/env python3
"""How long does a usage report take over a year, and what do its counters cost Redis?

    bench/usage/run.py [--agents 10000] [--hours 20] [--rounds 20] [--check MS]

Starts a Redis and a Tollgate of its own and fills the year up to now with counters as calls would have
left them: each agent is active in so many hours of the year, three of four of them between 7 and 19
o'clock, UTC, with one of three routes and models, one of five keys and a conversation of its own.
Reports are then asked for over HTTP on one connection: `first` before any summary of a day exists,
`again` when there are summaries (the median of the rounds, and the slowest).
"""
import argparse
import http.client
import json
import pathlib
import random
import socket
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from support.process import Redis  # noqa: E402
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration  # noqa: E402

ORG, HOUR, DAYS = "acme", 3600, 365
CALLS = (("chat-gpt-4", "llm", "gpt-4"), ("chat-gpt-3.5", "llm", "gpt-3.5-turbo"), ("agents", "api", ""))
REPORTS = (
    ("a year by day", "granularity=day", 0),
    ("a year by day, in Berlin", "granularity=day&time_zone=Europe/Berlin", 0),
    ("a year by day, action and model", "granularity=day&group_by=action,model", 0),
    ("a year by hour and key, first page", "granularity=hour&group_by=key", 0),
    ("a year by month of one model", "granularity=month&model=gpt-4", 0),
    ("a month by day", "granularity=day", DAYS - 30),
    ("a month by agent, first page", "granularity=total&group_by=agent", DAYS - 30),
    ("a year by agent, first page", "granularity=total&group_by=agent", 0),
    ("a year by day of one agent", "granularity=day&agent=agent-00042", 0),
)


def encode(*arguments):
    parts = [str(argument).encode() for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def counters(agents, hours, first_hour):
    """(hour, field, value), as the ledger's script writes them."""
    chance = random.Random(2026)
    keys = [f"key_{chance.getrandbits(80):020x}" for _ in range(5)]
    for agent in range(agents):
        for _ in range(hours):
            day = chance.randrange(DAYS)
            hour = chance.randrange(7, 19) if chance.random() < 0.75 else chance.randrange(24)
            route, action, model = chance.choice(CALLS)
            calls = chance.randrange(1, 20)
            field = "\t".join((route, action, model, f"agent-{agent:05}",
                               f"conversation-{chance.randrange(10**9):09}", chance.choice(keys)))
            yield first_hour + day * 24 + hour, field, f"{calls * 10_000_000} {calls} {calls}"


def fill(redis, agents, hours, first_hour):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(redis.socket_path)
        replies, waiting, batch = connection.makefile("rb"), 0, []
        total = 0

        def send():
            nonlocal waiting, batch
            connection.sendall(b"".join(batch))
            for _ in range(waiting):
                replies.readline()
            waiting, batch = 0, []
        for hour, field, value in counters(agents, hours, first_hour):
            batch.append(encode("HSET", f"tollgate:{{{ORG}}}:usage:{hour}", field, value))
            waiting, total = waiting + 1, total + int(value.split()[1])
            if waiting == 1000:
                send()
        send()
    return total


def used_memory(redis):
    info = redis.command("INFO", "memory").decode()
    return int(next(line for line in info.splitlines() if line.startswith("used_memory:")).split(":")[1])


class Client:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)

    def ask(self, question):
        began = time.perf_counter()
        self.connection.request("GET", f"/admin/v1/orgs/{ORG}/usage?{question}",
                                headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        reply = self.connection.getresponse()
        body = reply.read()
        took = (time.perf_counter() - began) * 1000
        if reply.status != 200:
            raise SystemExit(f"{question}: {reply.status} {body!r}")
        return took, json.loads(body)["data"], len(body)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=20, help="in which each agent is active, of a year")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--check", type=float, metavar="MS",
                        help="fail when a year by day, again, takes longer than this")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tollgate-") as directory:
        redis = Redis(directory)
        tollgate = Tollgate(directory, configuration(redis.url, "127.0.0.1:1", threads=1))
        try:
            measure(redis, tollgate, arguments)
        finally:
            tollgate.stop()
            redis.stop()


def measure(redis, tollgate, arguments):
    tollgate.admin.put_org(ORG)
    first_hour = int(time.time()) // HOUR // 24 * 24 - DAYS * 24
    empty = used_memory(redis)
    calls = fill(redis, arguments.agents, arguments.hours, first_hour)
    full = used_memory(redis)
    count = arguments.agents * arguments.hours
    print(f"{arguments.agents} agents, each active in {arguments.hours} hours of the year: "
          f"{count} counters, {calls} calls")
    print(f"counters: {(full - empty) / 2**20:.1f} MiB in Redis, {(full - empty) / count:.0f} bytes each, "
          f"{(full - empty) / 12 / 2**20:.2f} MiB a month")
    client, medians = Client(tollgate.admin.address), {}
    print(f"\n{'report':36} {'rows':>6} {'KiB':>7} {'first':>9} {'again':>9} {'slowest':>9}")
    for name, question, from_day in REPORTS:
        start = time.strftime("%Y-%m-%d", time.gmtime((first_hour + from_day * 24) * HOUR))
        question += f"&from={start}"
        first, data, size = client.ask(question)
        if from_day == 0 and "=gpt-4" not in question and "agent=" not in question:
            assert data["total"]["calls"] == calls, (data["total"], calls)
        again = [client.ask(question)[0] for _ in range(arguments.rounds)]
        medians[name] = statistics.median(again)
        print(f"{name:36} {len(data['rows']):6} {size / 1024:7.1f} {first:6.1f} ms "
              f"{medians[name]:6.1f} ms {max(again):6.1f} ms")
    summaries = used_memory(redis) - full
    print(f"\nsummaries of days: {summaries / 2**20:.2f} MiB, {summaries / 12 / 2**10:.0f} KiB a month")
    if arguments.check and medians[REPORTS[0][0]] > arguments.check:
        raise SystemExit(f"{REPORTS[0][0]}: more than {arguments.check} ms")


if __name__ == "__main__":
    main()
