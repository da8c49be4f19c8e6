"""Honest calls beside hostile ones, in little memory: all of them succeed, and none waits long.

The long form keeps each attack up for longer, with more connections:

    LOCK_OUT_SECONDS=30 LOCK_OUT_TIMES=3 python3 -B -m unittest -v test_lock_out"""
import collections
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from support.http import BROKEN_OFF, RawConnection, call, encode_request
from support.process import SANITIZED, wait_until
from support.slow_store import SlowStore
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, Tollgate, configuration, route
from support.upstream import SampleUpstream

MIB = 1 << 20
SECONDS = float(os.environ.get("LOCK_OUT_SECONDS", 1.5))
TIMES = float(os.environ.get("LOCK_OUT_TIMES", 1))
MEMORY = 128 * MIB
HONEST = 4  # connections, one call after the other
SLOWER_AT_MOST = 10
SHORTEST_P99 = 0.01  # what a busy machine may take for itself: the bound is not below ten times this
CONNECTIONS, THREADS = 2048, 2  # limits.connections in MEMORY
MORE_THAN_ALL = CONNECTIONS + 400


def chat_body(text):
    return json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": text}]}).encode()


class Honest(threading.Thread):
    """Calls one after the other on a connection, and notes how long each took."""

    def __init__(self, address, key, body):
        super().__init__(daemon=True)
        self.address = address
        self.request = encode_request("POST", "/v1/chat/completions",
                                      {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, body)
        self.took, self.failures = [], []
        self.over = threading.Event()

    def run(self):
        with RawConnection(self.address, timeout=20) as connection:
            try:
                while not self.over.is_set():
                    self.call(connection)
                    time.sleep(0.002)
            except OSError as error:
                self.failures.append(error)

    def call(self, connection):
        began = time.monotonic()
        connection.send(self.request)
        reply = connection.read_reply("POST")
        self.took.append(time.monotonic() - began)
        if reply is None:
            raise ConnectionResetError("closed without an answer")
        if reply.status != 200:
            self.failures.append((reply.status, reply.body))


class LockOut(StackTest):
    DELAY = 0  # of the store's answers
    LIMITS = {}
    BODY = chat_body("Hi")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        store = cls.redis
        if cls.DELAY:
            store = cls.start(SlowStore(f"{cls.directory}/slow.sock", cls.redis.socket_path, cls.DELAY))
        config = configuration(
            store.url, cls.upstream.address, limits=cls.LIMITS,
            rates={**RATES, "stt": {"credits": 3, "per": "minute", "meter": "request_audio"}},
            # Tollgate is tested, not the capacity of one upstream.
            upstreams={"sample": {"url": f"http://{cls.upstream.address}"},
                       "other": {"url": f"http://{cls.start(SampleUpstream(cls.directory, 'other')).address}"}},
            routes=[route("large", "api", {"path": "/sample/**"}, upstream="other"),
                    route("transcriptions", "stt", {"method": "POST", "path": "/v1/audio/transcriptions"}),
                    *(each for each in ROUTES if each["name"] != "sample")])
        cls.tollgate = cls.start_bounded(config)
        admin = cls.tollgate.admin
        cls.honest_key = admin.new_customer("honest", credits=10_000_000)
        cls.poor_key = admin.new_customer("poor")
        cls.suspended_key = admin.new_customer("suspended", credits=1_000, suspended=True)
        cls.rich_keys = [admin.new_customer(f"rich-{number}", credits=10_000_000) for number in range(6)]
        cls.idle_p99 = cls.p99(cls.honest_calls(2))
        print(f"\nidle: p99 {cls.idle_p99 * 1000:.1f} ms", file=sys.stderr)

    @classmethod
    def start_bounded(cls, config):
        """Allocations beyond MEMORY fail. Like the memory of a control group, this counts what was written to, and
        not the program's file; unlike there, also what was only reserved, such as the stacks of threads."""
        limits = [] if SANITIZED else ["prlimit", f"--data={MEMORY}"]
        return cls.start(Tollgate(cls.directory, config, "tollgate", limits))

    @classmethod
    def honest_calls(cls, seconds):
        clients = [Honest(cls.tollgate.address, cls.honest_key, cls.BODY) for _ in range(HONEST)]
        for client in clients:
            client.start()
        time.sleep(seconds)
        for client in clients:
            client.over.set()
        for client in clients:
            client.join()
        failures = [failure for client in clients for failure in client.failures]
        if failures:
            raise AssertionError(f"{len(failures)} honest calls failed: {failures[:3]}")
        return [took for client in clients for took in client.took]

    @staticmethod
    def p99(took):
        return statistics.quantiles(took, n=100)[98]

    def memory(self):
        if not self.tollgate.running():
            raise AssertionError(f"Tollgate has ended: {self.tollgate.popen.returncode}\n{self.tollgate.log()}")
        return self.tollgate.peak_memory_kib() * 1024

    def hostile(self, kind, keys, connections):
        """A process that keeps that many hostile connections open."""
        hostile = subprocess.Popen(
            [sys.executable, "-B", "-m", "support.hostile", kind, self.tollgate.address, ",".join(keys),
             str(SECONDS + 1), str(int(connections * TIMES))],
            cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True)
        self.assertEqual(hostile.stdout.readline(), "ready\n")
        return hostile

    def under_attack(self, kind, keys, connections):
        """Honest calls while that many hostile connections are kept open; what they were told."""
        log_before = len(self.tollgate.log())
        with self.hostile(kind, keys, connections) as hostile:
            took = self.honest_calls(SECONDS)
            said = collections.Counter(json.loads(hostile.stdout.readline()))
        p99, most = self.p99(took), self.memory()
        self.assertNotIn("ended by an exception", self.tollgate.log()[log_before:])
        print(f"\n{kind}: p99 {p99 * 1000:.1f} ms of {len(took)} calls, peak {most / MIB:.0f} MiB, told {said}",
              file=sys.stderr)
        if not SANITIZED:
            self.assertLess(most, MEMORY)
            self.assertLess(p99, SLOWER_AT_MOST * max(self.idle_p99, SHORTEST_P99))
        return said


class Bounded(LockOut):
    @unittest.skipIf(SANITIZED, "runs without a limit")
    def test_the_bounds_are_said_at_start(self):
        log = self.tollgate.log()
        self.assertIn("32 MiB for bodies and buffers, a share of the limit of the process, 128 MiB", log)
        self.assertIn(f"at most {CONNECTIONS} connections from clients", log)

    def test_unfinished_bodies_of_a_key_without_credits(self):
        said = self.under_attack("unfinished_json", [self.poor_key, self.suspended_key], 100)
        self.assertGreater(said["402"], 0)
        self.assertGreater(said["403"], 0)
        self.assertFalse(said.get("503"))

    def test_unfinished_bodies_of_keys_with_credits(self):
        said = self.under_attack("unfinished_json", self.rich_keys, 100)
        self.assertGreater(said["503"], 0)

    def test_large_heads(self):
        said = self.under_attack("large_heads", [""], 1000)
        self.assertGreater(said["503"], 0)

    def test_slow_readers_of_large_answers(self):
        self.under_attack("slow_reader", self.rich_keys, 300)

    def test_slow_readers_of_events(self):
        self.under_attack("slow_reader_of_events", [self.honest_key], 300)

    def test_slow_readers_of_pipelined_answers(self):
        self.under_attack("slow_reader_of_pipelined_answers", self.rich_keys, 40)

    def test_uploads_before_they_are_held(self):
        said = self.under_attack("uploads_before_they_are_held", self.rich_keys[:1], 60)
        self.assertGreater(said["503"], 0)

    def test_bodies_that_take_long_to_decode(self):
        said = self.under_attack("bodies_slow_to_decode", [self.poor_key], 4)
        self.assertGreater(said["402"], 0)

    def test_pipelined_requests_without_a_key(self):
        said = self.under_attack("pipelined_without_a_key", [""], 8)
        self.assertGreater(said["401"], 0)

    def test_slow_bodies(self):
        self.under_attack("slow_bodies", [self.poor_key, *self.rich_keys], 500)

    def test_slow_bodies_in_all_connections(self):
        for keys in ([self.poor_key], [self.suspended_key, *self.rich_keys]):
            with self.subTest(keys=len(keys)):
                said = self.under_attack("slow_bodies", keys, MORE_THAN_ALL)
                self.assertGreater(said["broken"], 0)  # all were in use

    def test_second_heads_in_all_connections(self):
        said = self.under_attack("second_heads", [self.poor_key], MORE_THAN_ALL)
        self.assertGreater(said["402"], CONNECTIONS)

    def test_unknown_keys_in_all_connections(self):
        said = self.under_attack("unknown_keys", [""], MORE_THAN_ALL)
        self.assertGreater(said["401"], CONNECTIONS)

    def test_unknown_keys_while_the_store_hangs(self):
        """Nobody is served meanwhile. Each call that waits for the store takes memory."""
        log_before = len(self.tollgate.log())
        with self.hostile("unknown_keys", [""], MORE_THAN_ALL) as hostile:
            os.kill(self.redis.pid, signal.SIGSTOP)
            try:
                time.sleep(SECONDS)
                metrics = call(self.tollgate.admin.address, "GET", "/metrics").body.decode()
                connections = int(re.search(r"^tollgate_connections (\d+)$", metrics, re.MULTILINE)[1])
            finally:
                os.kill(self.redis.pid, signal.SIGCONT)
            hostile.wait()
        most = self.memory()
        print(f"\nunknown keys while the store hangs: peak {most / MIB:.0f} MiB, {connections} connections",
              file=sys.stderr)
        self.assertLessEqual(connections, CONNECTIONS + CONNECTIONS // 8 + THREADS)
        if not SANITIZED:
            self.assertLess(most, MEMORY)
        self.assertNotIn("bad_alloc", self.tollgate.log()[log_before:])
        wait_until(self.is_served, "honest calls are served again")
        self.honest_calls(0.5)

    def is_served(self):
        try:
            return self.tollgate.chat(self.honest_key).status == 200
        except BROKEN_OFF:
            return False


class BoundedWithLittleMemory(LockOut):
    """All connections could fill the memory for bodies with small ones."""
    LIMITS = {"buffered": "16MiB"}
    BODY = chat_body("x" * 9_000)

    def test_full_bodies_in_all_connections(self):
        said = self.under_attack("full_bodies", [self.poor_key], MORE_THAN_ALL)
        self.assertGreater(said["503"], 0)


class BoundedWithASlowStore(LockOut):
    """Commands of the store wait for it; they are as many as there are calls."""
    DELAY = 0.1

    def test_many_calls(self):
        self.under_attack("calls", [self.poor_key, *self.rich_keys], 300)

    def test_unknown_keys_in_all_connections(self):
        self.under_attack("unknown_keys", [""], MORE_THAN_ALL)


del LockOut  # only its subclasses are tests
