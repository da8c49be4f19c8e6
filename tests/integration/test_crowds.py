"""Too many connections, too few descriptors, too many wrong logins: who pays and who administers is served."""
import itertools
import json
import os
import re
import resource
import signal
import socket
import threading
import time
from pathlib import Path

from support.http import BROKEN_OFF, RawConnection, call, encode_request, split_address
from support.process import free_port, wait_until
from support.stack import StackTest
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration


class CrowdTest(StackTest):
    def begin(self, descriptors=None, **changes):
        run_with = ["prlimit", f"--nofile={descriptors}"] if descriptors else []
        config = configuration(self.redis.url, self.upstream.address, threads=1, **changes)
        tollgate = Tollgate(self.directory, config, f"tollgate-{next(self._names)}", run_with)
        self.start(tollgate)
        tollgate.key = tollgate.admin.new_customer(f"org-{next(self._names)}", credits=100)
        return tollgate

    def crowd(self, address, count, sends=b""):
        """That many connections; those that are closed again are not opened again."""
        for _ in range(count):
            each = socket.create_connection(split_address(address), 10)
            self.addCleanup(each.close)
            if sends:
                each.sendall(sends)

    def honest_calls(self, tollgate, count=10):
        """The statuses of calls, each on a connection of its own."""
        def status():
            try:
                return tollgate.call("GET", "/sample/echo", tollgate.key, timeout=10).status
            except BROKEN_OFF as error:
                return repr(error)
        return [status() for _ in range(count)]

    def wait_for_room(self, tollgate):
        """Right after a crowd has come, its calls may wait for the store or the upstream, and a search that has found
        nothing to close is not repeated for 50 ms."""
        wait_until(lambda: self.honest_calls(tollgate, 1) == [200], "an honest call is served", timeout=3)

    def assert_administered(self, tollgate):
        self.assertEqual(call(tollgate.admin.address, "GET", "/healthz", timeout=10).status, 200)
        self.assertEqual(tollgate.admin.request("GET", "/orgs").status, 200)


class Connections(CrowdTest):
    def test_idle_ones_without_a_key_make_room(self):
        tollgate = self.begin(limits={"connections": 100})
        self.crowd(tollgate.address, 200)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)
        self.assertRegex(tollgate.log(), r"warning a thread has all of its 100 connections \(limits.connections\): "
                                         r"\d+ that waited were closed, 0 new ones refused")

    def test_heads_that_never_end_make_room(self):
        tollgate = self.begin(limits={"connections": 100})
        self.crowd(tollgate.address, 200, b"GET / HTTP/1.1\r\nHost: x\r\n")
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_wrong_requests_make_room(self):
        """They are answered, and then wait for their client to close."""
        tollgate = self.begin(limits={"connections": 100})
        self.crowd(tollgate.address, 200, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + b"nonsense\r\n\r\n")
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_refused_calls_and_half_a_head_make_room(self):
        tollgate = self.begin(limits={"connections": 100})
        self.crowd(tollgate.address, 200, b"GET /sample/echo HTTP/1.1\r\nHost: x\r\nx-api-key: wrong\r\n\r\nGET /")
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    HALF_A_CHAT = ("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                   "Content-Length: 1000\r\nAuthorization: Bearer {}\r\n\r\n{{").format

    def test_bodies_that_never_end_make_room(self):
        """One organization cannot take the connections of another."""
        for terms in ({}, {"suspended": True}, {"credits": 100}):
            with self.subTest(**terms):
                tollgate = self.begin(limits={"connections": 100})
                key = tollgate.admin.new_customer(f"slow-{next(self._names)}", **terms)
                self.crowd(tollgate.address, 200, self.HALF_A_CHAT(key).encode())
                self.wait_for_room(tollgate)
                self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_uploads_that_never_end_make_room(self):
        """They hold credits, and have reached the upstream; they are not charged."""
        tollgate = self.begin(limits={"connections": 100})
        org = f"slow-{next(self._names)}"
        key = tollgate.admin.new_customer(org, credits=100)
        self.crowd(tollgate.address, 200, (f"POST /sample/sink HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\n"
                                           "Content-Length: 1000\r\n\r\nx").encode())
        self.wait_for_room(tollgate)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)
        self.assertEqual(tollgate.admin.balance(org)["settled"], 0)

    def test_calls_in_progress_make_no_room(self):
        tollgate = self.begin(limits={"connections": 20})
        with RawConnection(tollgate.address) as connection:
            body = b'{"model":"gpt-4","messages":[]}'
            connection.send(encode_request("POST", "/v1/chat/completions", {
                "Authorization": f"Bearer {tollgate.key}", "Content-Type": "application/json",
                "x-sample-head-delay-ms": "1000"}, body))
            key = tollgate.admin.new_customer(f"slow-{next(self._names)}")
            self.crowd(tollgate.address, 100, self.HALF_A_CHAT(key).encode())
            self.assertEqual(connection.read_reply("POST").status, 200)

    def test_second_heads_that_never_end_make_room(self):
        tollgate = self.begin(limits={"connections": 100})
        key = tollgate.admin.new_customer(f"slow-{next(self._names)}")
        self.crowd(tollgate.address, 200, (f"GET /sample/echo HTTP/1.1\r\nHost: x\r\nx-api-key: {key}\r\n\r\n"
                                           "GET / HTTP/1.1\r\nHost:").encode())
        self.wait_for_room(tollgate)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_those_that_are_refused_are_told_so(self):
        """Although head and body come in two pieces, as http.client sends them."""
        tollgate = self.begin(limits={"connections": 4})
        busy = [RawConnection(tollgate.address) for _ in range(4)]
        for each in busy:
            self.addCleanup(each.close)
            each.send(encode_request("GET", "/sample/echo", {
                "x-api-key": tollgate.key, "x-sample-head-delay-ms": "3000"}))
        wait_until(lambda: self.upstream.stats()["in_flight"] == 4, "all connections are in use")
        for _ in range(20):
            reply = tollgate.call("POST", "/sample/sink", tollgate.key, b"x" * 9_000)
            self.assertEqual((reply.status, reply.error_code, reply.headers["retry-after"]), (503, "overloaded", "1"))
        self.assertEqual([each.read_reply().status for each in busy], [200] * 4)

    def test_few_wait_for_a_store_that_hangs(self):
        tollgate = self.begin(limits={"connections": 100}, store={"url": self.redis.url, "timeout": "5s"})
        os.kill(self.redis.pid, signal.SIGSTOP)
        try:
            for number in range(20):
                self.crowd(tollgate.address, 50, f"GET / HTTP/1.1\r\nHost: x\r\nx-api-key: {number}\r\n\r\n".encode())
            metrics = call(tollgate.admin.address, "GET", "/metrics").body.decode()
            self.assertLessEqual(int(re.search(r"^tollgate_connections (\d+)$", metrics, re.MULTILINE)[1]), 113)
        finally:
            os.kill(self.redis.pid, signal.SIGCONT)
        self.wait_for_room(tollgate)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_few_descriptors_are_shared(self):
        tollgate = self.begin(descriptors=128)
        self.assertRegex(tollgate.log(), r"warning 128 file descriptors allow \d+ connections from clients, not 16384")
        self.assertRegex(tollgate.log(), r"up to \d+ connections \(128 descriptors\)")
        self.crowd(tollgate.address, 200)
        self.assert_administered(tollgate)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)
        self.crowd(tollgate.admin.address, 100)
        self.assert_administered(tollgate)
        self.assertEqual(self.honest_calls(tollgate), [200] * 10)

    def test_the_soft_limit_is_raised(self):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        tollgate = self.begin(descriptors=f"256:{hard}")
        self.assertEqual(resource.prlimit(tollgate.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def test_none_left_takes_no_processor_time(self):
        tollgate = self.begin()
        wait_until(lambda: not self.has_connections(tollgate.admin.address), "none is given back later")
        usual = resource.prlimit(tollgate.pid, resource.RLIMIT_NOFILE)
        is_open = {int(path.name) for path in Path(f"/proc/{tollgate.pid}/fd").iterdir()}
        lowest_free = next(number for number in itertools.count() if number not in is_open)
        resource.prlimit(tollgate.pid, resource.RLIMIT_NOFILE, (lowest_free, usual[1]))
        waiting = socket.create_connection(split_address(tollgate.address), 10)
        self.addCleanup(waiting.close)
        wait_until(lambda: "cannot accept a connection: Too many open files" in tollgate.log(), "it is logged")
        before, began = self.processor_time(tollgate), time.monotonic()
        time.sleep(2)
        took = self.processor_time(tollgate) - before
        self.assertLess(took / (time.monotonic() - began), 0.2)
        self.assertEqual(tollgate.log().count("cannot accept a connection"), 1)
        resource.prlimit(tollgate.pid, resource.RLIMIT_NOFILE, usual)
        waiting.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertTrue(waiting.recv(100).startswith(b"HTTP/1.1 401"))

    @staticmethod
    def has_connections(address):
        """Whether its server has open ones, also those that their clients have closed."""
        established, close_wait = "01", "08"
        port = f":{split_address(address)[1]:04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any(line[1].endswith(port) and line[3] in (established, close_wait) for line in lines)

    @staticmethod
    def processor_time(tollgate):
        fields = Path(f"/proc/{tollgate.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


class Administrators(CrowdTest):
    def log_in(self, tollgate, secret):
        return call(tollgate.admin.address, "POST", "/dashboard/session",
                    {"Origin": f"http://{tollgate.admin.address}"}, {"secret": secret}, timeout=20).status

    def test_wrong_logins_lock_nobody_out(self):
        tollgate = self.begin()
        stop, statuses = threading.Event(), []

        def attack():
            while not stop.is_set():
                try:
                    statuses.append(self.log_in(tollgate, "wrong"))
                except BROKEN_OFF:
                    statuses.append("broken off")
                stop.wait(0.05)

        attackers = [threading.Thread(target=attack) for _ in range(40)]
        for each in attackers:
            each.start()
        try:
            wait_until(lambda: 429 in statuses, "some of them are refused at once")
            self.assertEqual([self.log_in(tollgate, ADMIN_TOKEN) for _ in range(10)], [201] * 10)
            self.assertEqual([self.log_in(tollgate, tollgate.key) for _ in range(3)], [201] * 3)
            self.assertEqual([tollgate.admin.request("GET", "/orgs").status for _ in range(10)], [200] * 10)
        finally:
            stop.set()
            for each in attackers:
                each.join()
        self.assertNotIn(201, statuses)

    def test_logins_that_never_end_lock_nobody_out(self):
        tollgate = self.begin()
        head = (f"POST /dashboard/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"Content-Length: 100\r\n\r\n").encode()
        self.crowd(tollgate.admin.address, 300, head + b"{")
        self.assert_administered(tollgate)
        self.assertEqual(self.log_in(tollgate, ADMIN_TOKEN), 201)

    def test_answers_that_are_not_read_lock_nobody_out(self):
        tollgate = self.begin()
        ask = b"GET /chart.min.js HTTP/1.1\r\nHost: x\r\n\r\n" * 20
        self.crowd(tollgate.admin.address, 300, ask)
        self.assert_administered(tollgate)


class Monitoring(CrowdTest):
    def test_a_listener_of_its_own(self):
        address = f"127.0.0.1:{free_port()}"
        tollgate = self.begin(metrics={"listen": address})
        self.assertIn(f"metrics on {address}", tollgate.log())
        self.assertEqual(call(address, "GET", "/healthz").status, 200)
        self.assertEqual(call(address, "GET", "/readyz").status, 200)
        scraped = call(address, "GET", "/metrics", {"Accept": "application/openmetrics-text"})
        self.assertEqual(scraped.status, 200)
        self.assertTrue(scraped.body.endswith(b"# EOF\n"))
        for method, path in (("GET", "/"), ("GET", "/admin/v1/orgs"), ("POST", "/dashboard/session"),
                             ("PUT", "/admin/v1/orgs/x"), ("GET", "/index.html")):
            reply = call(address, method, path, {"Authorization": f"Bearer {ADMIN_TOKEN}"})
            self.assertIn(reply.status, (404, 405), path)
        self.crowd(address, 400)
        self.assertEqual(call(address, "GET", "/healthz").status, 200)
        self.assertEqual(json.loads(call(address, "GET", "/nowhere").body)["error"]["code"], "not_found")
