"""Kills the sidecar, its Redis, or both, in rounds, under load; after each round compares the calls that
the upstream served with the calls that the ledger charged.

    kill_rounds.py --rounds 200 --seed 1              with the journal: 0 uncharged, 0 overcharged
    kill_rounds.py --rounds 20 --seed 1 --no-journal  without: counts what is not charged. While the store is there,
                                                      a call whose answer began long ago is charged all the same
    kill_rounds.py --rounds 200 --seed 1 --shipped    likewise, under the settlement policy of a route that says
                                                      nothing of it
"""
import argparse
import asyncio
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from support.counting_upstream import CountingUpstream
from support.http import AsyncClient
from support.process import Redis, wait_until
from support.tollgate import Tollgate, configuration

CLIENTS = 12
PRICE = 1
ROUNDS_OF_AN_ORG = 10
# Holds last for 2 s here, so the ledger is told of an answer 67 ms after it began, plus a tick of 50 ms; the rest
# allows for a busy machine.
TOLD_AFTER = 0.7
BODY = b'{"model":"any"}'


class Load:
    """Calls from a few clients, each one call after the other, until it is stopped."""

    def __init__(self, address, key, prefix):
        self._address, self._key, self._prefix = address, key, prefix
        self._stopping = threading.Event()
        self.answers = Counter()  # status -> calls; 0: broken off
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def stop(self):
        self._stopping.set()
        self._thread.join()

    async def _run(self):
        await asyncio.gather(*(self._client(number) for number in range(CLIENTS)))

    async def _client(self, number):
        client, count = None, 0
        while not self._stopping.is_set():
            count += 1
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json",
                       "X-Request-Id": f"{self._prefix}-{number}-{count}"}
            try:
                client = client or await AsyncClient.open(self._address)
                reply = await asyncio.wait_for(client.call("POST", "/v1/calls", headers, BODY), 30)
                self.answers[reply.status] += 1
                if reply.status >= 500:
                    await asyncio.sleep(0.02)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError):
                self.answers[0] += 1
                if client:
                    client.close()
                client = None
                await asyncio.sleep(0.02)
        if client:
            client.close()


class Rounds:
    def __init__(self, directory, seed, journal, most_away, policy):
        self.directory, self.random, self.most_away = Path(directory), random.Random(seed), most_away
        self.upstream = CountingUpstream(seed=seed, long_answers=0.0 if journal else 0.5)
        self.redis = self.start_redis()
        config = configuration(
            self.redis.url, self.upstream.address,
            routes=[{"name": "calls", "match": {"path": "/v1/calls"}, "upstream": "sample", "action": "test",
                     "rate": "call", **policy}],
            rates={"call": {"credits": PRICE, "per": "request"}},
            holds={"timeout": "2s", "sweep_every": "300ms"}, timeouts={"drain": "300ms"},
            **({"journal": str(self.directory / "journal")} if journal else {}))
        self.config, self.journal = config, journal
        self.starts = 0
        self.tollgate = self.start_tollgate()
        self.kinds, self.uncharged, self.overcharged, self.charged = Counter(), 0, 0, 0
        self.not_as_documented, self.killed_at = [], None
        self.answers = Counter()
        self.org = self.key = self.after = None
        self.settled = Counter()
        self.checked = set()

    # --- processes ---

    def start_redis(self):
        manifest = self.directory / "redis" / "appendonly.aof.manifest"
        if manifest.exists():  # as operators of their own Redis do after a crash
            subprocess.run(["redis-check-aof", "--fix", manifest], input=b"y\n", stdout=subprocess.DEVNULL, check=True)
        return Redis(self.directory, persistent=True, always=True)

    def start_tollgate(self):
        self.starts += 1
        return Tollgate(self.directory, self.config, "tollgate")

    def spawn_tollgate(self):
        """Does not wait until it is ready."""
        return subprocess.Popen([str(part) for part in (self.tollgate.popen.args)], cwd=self.directory,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        for process in (self.tollgate, self.redis):
            if process.running():
                process.kill()
            process._log.close()
        self.upstream.stop()

    # --- the kinds of rounds ---

    def sidecar(self):
        self.killed_at = time.monotonic()
        self.tollgate.kill()

    def store(self):
        self.redis.kill()
        time.sleep(self.random.uniform(0, 0.5))
        self.redis = self.start_redis()
        time.sleep(self.random.uniform(0, 0.3))

    def both(self):
        first, second = self.random.sample([self.tollgate, self.redis], 2)
        first.kill()
        time.sleep(self.random.uniform(0, 0.1))
        second.kill()

    def store_away(self):
        """Calls end while the store is unavailable and cannot be settled; then the sidecar is killed."""
        self.redis.kill()
        away = self.random.choice([0.2, 0.5, 1, 3, self.most_away])
        time.sleep(self.random.uniform(0, away))
        self.tollgate.kill()

    def drain_runs_out(self):
        """An ordinary stop while the store is unavailable."""
        self.redis.kill()
        time.sleep(0.1)
        self.tollgate.stop(any_status=True)
        log = self.tollgate.log()
        wanted = "they are in the journal" if self.journal else "and there is no journal"
        assert "settlements" not in log or wanted in log, log

    def in_replay(self):
        """The sidecar that settles another one's charges is killed too, more than once."""
        self.redis.kill()
        time.sleep(self.random.uniform(0.05, 0.3))
        self.tollgate.kill()
        self.redis = self.start_redis()
        for _ in range(self.random.randint(1, 3)):
            again = self.spawn_tollgate()
            time.sleep(self.random.uniform(0.02, 0.25))
            again.kill()
            again.wait()

    def run(self, number):
        if self.org is None or number % ROUNDS_OF_AN_ORG == 0:
            self.org, self.after = f"rounds{number}", "0-0"
            self.key = self.tollgate.admin.new_customer(self.org, credits=1_000_000)
        kind = self.random.choices(KINDS, WEIGHTS)[0]
        self.kinds[kind] += 1
        self.killed_at = None
        load = Load(self.tollgate.address, self.key, f"r{number}")
        time.sleep(self.random.uniform(0.3, 0.9))
        getattr(self, kind)()
        time.sleep(self.random.uniform(0, 0.1))
        load.stop()
        self.answers += load.answers
        if not self.redis.running():
            self.redis._log.close()
            self.redis = self.start_redis()
        if not self.tollgate.running():
            self.tollgate._log.close()
            self.tollgate = self.start_tollgate()
        return kind, self.compare(number)

    # --- the comparison ---

    def read_ledger(self):
        while True:
            page = self.tollgate.admin.expect_success("GET", f"/orgs/{self.org}/ledger?after={self.after}&limit=1000")
            for entry in page["entries"]:
                if entry["type"] == "settle":
                    self.settled[entry["request_id"]] += entry["credits"]
            self.after = page["next_after"] if page["entries"] else self.after
            if not page["has_more"]:
                return

    def open_calls(self, number):
        """Calls of this round that were served and are not charged."""
        self.read_ledger()
        prefix = f"r{number}-"
        served = [call for call in list(self.upstream.served) if call.startswith(prefix)]
        return [call for call in served if call not in self.settled]

    def compare(self, number):
        def at_rest():
            balance = self.tollgate.admin.request("GET", f"/orgs/{self.org}/balance")
            if balance.status != 200:  # the store is still unavailable
                return False
            held = balance.json()["data"]["held"]
            left = self.open_calls(number)
            return held == 0 and (not left or not self.journal)
        try:
            wait_until(at_rest, "every call to be charged", timeout=12, every=0.1)
        except TimeoutError:
            pass
        left = self.open_calls(number)
        prefix = f"r{number}-"
        mine = {call: amount for call, amount in self.settled.items() if call.startswith(prefix)}
        wrong = [call for call, amount in mine.items() if amount != PRICE or call not in self.upstream.received]
        self.uncharged += len(left)
        if self.killed_at is not None:
            self.not_as_documented += [call for call in left if self.upstream.began[call] < self.killed_at - TOLD_AFTER]
        self.overcharged += len(wrong)
        self.charged += len(mine)
        done = self.tollgate.command("verify", self.org)
        assert done.returncode == 0, done.stdout + done.stderr
        self.settled.clear()
        return left, wrong


KINDS = ["sidecar", "store", "both", "store_away", "drain_runs_out", "in_replay"]
WEIGHTS = [30, 20, 20, 12, 4, 14]
# A call that the upstream has completely is charged, whichever side ends it.
POLICY = {"settlement": {"client_gone_early": "settle"}}
SHIPPED = {}


def run(rounds, seed, journal=True, most_away=20.0, policy=POLICY, out=sys.stdout):
    """The figures: (uncharged, overcharged, charged). Without a journal, only the documented cases may be uncharged."""
    directory = tempfile.mkdtemp(prefix="tollgate-")
    all_rounds = Rounds(directory, seed, journal, most_away, policy)
    try:
        for number in range(rounds):
            kind, (left, wrong) = all_rounds.run(number)
            if left or wrong or (number + 1) % 10 == 0:
                print(f"round {number + 1} ({kind}): uncharged {left[:5]} of {len(left)}, overcharged {wrong[:5]}",
                      file=out, flush=True)
        done = all_rounds.tollgate.command("verify")
        print(done.stdout.splitlines()[-1] if done.stdout else done.stderr, file=out)
    except BaseException:
        print(all_rounds.tollgate.log()[-4000:], file=out)
        raise
    finally:
        all_rounds.stop()
        shutil.rmtree(directory, ignore_errors=True)
    served = sum(all_rounds.upstream.served.values())
    print(f"seed {seed}, {'with' if journal else 'WITHOUT'} the journal: {rounds} rounds "
          f"({', '.join(f'{n} {kind}' for kind, n in sorted(all_rounds.kinds.items()))}), {served} calls served, "
          f"{all_rounds.charged} charged, {all_rounds.uncharged} uncharged, {all_rounds.overcharged} overcharged, "
          f"{all_rounds.answers[0]} broken off", file=out, flush=True)
    assert not all_rounds.not_as_documented, all_rounds.not_as_documented
    return all_rounds.uncharged, all_rounds.overcharged, all_rounds.charged


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    arguments.add_argument("--rounds", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--no-journal", action="store_true")
    arguments.add_argument("--shipped", action="store_true")
    arguments.add_argument("--away", type=float, default=20.0, help="seconds that Redis is away at most")
    options = arguments.parse_args()
    uncharged, overcharged, _ = run(options.rounds, options.seed, not options.no_journal, options.away,
                                    SHIPPED if options.shipped else POLICY)
    sys.exit(1 if overcharged or (uncharged and not options.no_journal) else 0)


if __name__ == "__main__":
    main()
