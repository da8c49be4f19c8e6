"""Upstreams whose addresses, sockets and connections fail: which connection is used, and what is said about it."""
import json
import os
import random
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from support.certificates import Authority
from support.http import BROKEN_OFF, call, split_address
from support.http_stack import PRICE, HttpTest, answering
from support.process import free_port, wait_until
from support.scripted_upstream import Connection, ScriptedUpstream
from support.tollgate import route


def full_listener(test, host="127.0.0.1", port=0):
    """Accepts no further connection, as an address behind which there is nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), backlog=0, family=family)
    test.addClassCleanup(listener.close)
    for _ in range(4):
        waiting = socket.socket(family)
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
        test.addClassCleanup(waiting.close)
    return listener


class Observed(HttpTest):
    """With an access log."""

    def lines(self, org=None):
        """The access log's lines of this test."""
        found = [json.loads(line) for line in Path(self.access_log).read_text().splitlines()]
        return [line for line in found if line.get("org") == (org or self.org)]

    def lines_of(self, calls):
        return wait_until(lambda: len(self.lines()) >= calls and self.lines(), f"{calls} lines")

    def metric(self, name):
        """The samples of a metric: a dict from its labels, as text, to its value."""
        text = call(self.tollgate.admin.address, "GET", "/metrics").body.decode()
        return {line[len(name):].rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in text.splitlines() if line.startswith((name + "{", name + " "))}

    def log(self):
        return Path(self.tollgate.log_path).read_text()

    @classmethod
    def start_tollgate(cls, **changes):
        cls.access_log = str(Path(cls.directory) / "access.log")
        return super().start_tollgate(log={"access": cls.access_log}, **changes)


class Causes(Observed):
    timeouts = {"connect": "700ms", "response_head": "700ms", "idle": "700ms"}
    unreachable = ["refused", "unknown_host", "untrusted_certificate", "tls_error", "timeout_connect", "no_socket"]

    @classmethod
    def more_upstreams(cls):
        authority = Authority(cls.directory, "unknown-authority")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("server", "DNS:localhost,IP:127.0.0.1"))
        secure = cls.start(ScriptedUpstream(cls.scripts, context))
        full = full_listener(cls)
        cls.changing = free_port()
        return {
            "changing": {"url": f"http://127.0.0.1:{cls.changing}"},
            "refused": {"url": f"http://127.0.0.1:{free_port()}"},
            "unknown_host": {"url": "http://nowhere.invalid"},
            "untrusted_certificate": {"url": f"https://{secure.address}"},
            "tls_error": {"url": f"https://{cls.upstream.address}"},
            "timeout_connect": {"url": "http://127.0.0.1:%d" % full.getsockname()[1]},
            "no_socket": {"url": f"http://unix:{cls.directory}/nothing.sock"},
        }

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name)
                for name in [*cls.unreachable, "changing"]]

    def expect(self, cause, upstream, path, status):
        before = self.metric("tollgate_upstream_failures_total")
        if status is None:  # the answer breaks off
            with self.assertRaises(BROKEN_OFF):
                self.tollgate.call("GET", path, self.key)
        else:
            self.assertEqual(self.tollgate.call("GET", path, self.key).status, status)
        line = self.lines_of(1)[-1]
        self.assertEqual(line.get("upstream_failure"), cause)
        label = f'{{upstream="{upstream}",cause="{cause}"}}'
        wait_until(lambda: self.metric("tollgate_upstream_failures_total").get(label, 0) ==
                   before.get(label, 0) + 1, "the metric")
        self.assertIn(f"upstream {upstream} fails: {cause}", self.log())

    def test_without_a_connection(self):
        for number, name in enumerate(self.unreachable):
            with self.subTest(name):
                self.org = f"without-{number}"
                self.key = self.tollgate.admin.new_customer(self.org, credits=100)
                status = 504 if name == "timeout_connect" else 502
                self.expect(name, name, f"/{name}/x", status)
                self.assert_charged(0)

    def test_with_a_connection(self):
        def reset(connection, _):
            connection.reset()
            return True

        def half_an_answer(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
            return True

        def pause(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
            return connection.wait_closed()

        def garbage(connection, _):
            connection.send(b"SSH-2.0-OpenSSH\r\n\r\n")
            return True
        cases = [("reset", reset, 502), ("closed", lambda *_: True, 502),
                 ("timeout_answer", lambda connection, _: connection.wait_closed(), 504),
                 ("bad_answer", garbage, 502), ("closed", half_an_answer, None),
                 ("timeout_body", pause, None)]
        for number, (cause, script, status) in enumerate(cases):
            with self.subTest(cause, number=number):
                self.org = f"with-{number}"
                self.key = self.tollgate.admin.new_customer(self.org, credits=100)
                self.expect(cause, "scripted", self.script(script), status)

    def test_are_logged_when_they_change(self):
        for _ in range(5):
            self.assertEqual(self.tollgate.call("GET", "/changing/x", self.key).status, 502)
        server = socket.create_server(("127.0.0.1", self.changing))
        self.addCleanup(server.close)

        def serve():
            accepted, _ = server.accept()
            connection = Connection(accepted, 1)
            while connection.read_head() is not None:
                connection.reply()
        threading.Thread(target=serve, daemon=True).start()
        for _ in range(3):
            self.assertEqual(self.tollgate.call("GET", "/changing/x", self.key).status, 200)
        wait_until(lambda: "upstream changing answers again" in self.log(), "the line")
        self.assertEqual(self.log().count("upstream changing fails: refused"), 1)
        self.assertEqual(self.log().count("upstream changing answers again"), 1)


class SeveralAddresses(Observed):
    """The first address of the upstream's name never answers."""

    @classmethod
    def more_upstreams(cls):
        library = Path(cls.directory) / "addresses.so"
        source = Path(__file__).with_name("support") / "addresses.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        cls.port = split_address(cls.scripted.address)[1]
        for address in ("127.0.0.2", "::1"):
            full_listener(cls, address, cls.port)
        os.environ["LD_PRELOAD"] = str(library)
        os.environ["SEVERAL_ADDRESSES"] = "::1,127.0.0.2,127.0.0.1"
        return {"several": {"url": f"http://several.test:{cls.port}", "keep_alive": "0s"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        del os.environ["LD_PRELOAD"], os.environ["SEVERAL_ADDRESSES"]

    @classmethod
    def more_routes(cls):
        return [route("several", "api", {"path": "/several/**"}, upstream="several")]

    def test_a_dead_first_address_costs_little_and_once(self):
        path = self.script(answering()).replace("/scripted/", "/several/")
        for number in range(4):
            self.assertEqual(self.tollgate.call("POST", path, self.key, b"x").status, 200)
        waits = [line["total_us"] for line in self.lines_of(4)]
        self.assertLess(waits[0], 2_000_000)
        self.assertLess(max(waits[1:]), 200_000, waits)


class UnixSockets(Observed):
    @classmethod
    def more_upstreams(cls):
        cls.path = str(Path(cls.directory) / "app.sock")
        server = socket.socket(socket.AF_UNIX)
        server.bind(cls.path)
        server.listen(16)
        cls.addClassCleanup(server.close)
        cls.seen = []

        def serve(accepted):
            connection = Connection.__new__(Connection)
            connection.socket, connection.reader = accepted, accepted.makefile("rb")
            while (request := connection.read_head()) is not None:
                connection.read_body(request)
                cls.seen.append(request)
                connection.reply(request.body or b"ok")

        def accept():
            while True:
                try:
                    accepted, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(accepted,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        return {"unix": {"url": f"http://unix:{cls.path}"}, "based": {"url": f"http://unix:{cls.path}:/base/"}}

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name) for name in ("unix", "based")]

    def ends_after_a_head(self, family, half):
        """The address of an upstream that reads a head, not the body, and ends; and the request lines that it got."""
        server = socket.socket(family)
        self.addCleanup(server.close)
        path = str(Path(self.directory) / f"ends-{half}.sock")
        server.bind(path if family == socket.AF_UNIX else ("127.0.0.1", 0))
        server.listen(16)
        lines = []

        def serve(accepted):
            head = b""
            while not head.endswith(b"\r\n\r\n") and (byte := accepted.recv(1)):
                head += byte
            lines.append(head.split(b"\r\n")[0].decode())
            if half:
                accepted.shutdown(socket.SHUT_WR)
                accepted.settimeout(5)
                while accepted.recv(65536):
                    pass
            accepted.close()

        def accept():
            while True:
                try:
                    accepted, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(accepted,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        return f"unix:{path}" if family == socket.AF_UNIX else "127.0.0.1:%d" % server.getsockname()[1], lines

    def test_that_end_after_a_head_get_a_call_once(self):
        """Only TCP tells what its peer received: a unix socket counts a message until all of it was read."""
        seen, upstreams, sizes = {}, {}, (0, 1, 300, 3_000, 20_000)
        for name, family, half in (("unix-half", socket.AF_UNIX, True), ("unix-whole", socket.AF_UNIX, False),
                                   ("tcp-half", socket.AF_INET, True), ("tcp-whole", socket.AF_INET, False)):
            address, seen[name] = self.ends_after_a_head(family, half)
            upstreams[name] = {"url": f"http://{address}"}
        tollgate = self.start_tollgate(threads=1, upstreams=upstreams, routes=[
            route(name, "api", {"path": f"/{name}/**"}, upstream=name) for name in upstreams])
        for name, lines in seen.items():
            for size in sizes:
                reply = tollgate.call("POST", f"/{name}/{size}", self.key, b"x" * size)
                self.assertEqual((reply.status, reply.error_code), (502, "upstream_unreachable"), name)
            self.assertEqual(lines, [f"POST /{name}/{size} HTTP/1.1" for size in sizes])

    def test_are_explained(self):
        done = self.tollgate.command("explain", "http://x/based/y")
        self.assertIn(f"http://unix:{self.path}:/base/based/y", done.stdout)

    def test_are_upstreams(self):
        for size in (3, 3_000_000, 3):
            reply = self.tollgate.call("POST", "/unix/x", self.key, b"x" * size)
            self.assertEqual((reply.status, len(reply.body)), (200, size))
        self.assertEqual(self.tollgate.call("GET", "/based/y", self.key).status, 200)
        self.assertEqual([each.target for each in self.seen], ["/unix/x"] * 3 + ["/base/based/y"])
        self.assertEqual(self.seen[0].values("Host"), ["localhost"])
        self.assertEqual(self.seen[0].values("X-Forwarded-For"), ["127.0.0.1"])
        self.assert_charged(4 * PRICE)


class ClosesIdleConnections(ScriptedUpstream):
    """Answers, and closes a connection on which nothing comes for a while."""

    def __init__(self, idle, announces=None):
        self.idle, self.connections = idle, 0
        self.fields = f"Keep-Alive: timeout={announces}\r\n" if announces else ""
        super().__init__({})

    def serve(self, accepted, number):
        self.connections += 1
        accepted.settimeout(self.idle)
        received = b""
        while True:
            try:
                received += accepted.recv(65536)
            except TimeoutError:
                return
            if not received:
                return
            if b"\r\n\r\nlast" in received:
                received = b""
                accepted.sendall(f"HTTP/1.1 200 OK\r\n{self.fields}Content-Length: 2\r\n\r\nok".encode())


class IdleConnections(Observed):
    @classmethod
    def more_upstreams(cls):
        cls.hasty = cls.start(ClosesIdleConnections(0.001))
        cls.announcing = cls.start(ClosesIdleConnections(30, announces=2))
        cls.configured = cls.start(ClosesIdleConnections(30))
        return {"hasty": {"url": f"http://{cls.hasty.address}"},
                "announcing": {"url": f"http://{cls.announcing.address}"},
                "configured": {"url": f"http://{cls.configured.address}", "keep_alive": "300ms"}}

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name)
                for name in ("hasty", "announcing", "configured")]

    def post(self, connection, upstream):
        connection.send(self.head("POST", f"/{upstream}/x", "Content-Length: 4") + b"last")
        return connection.read_reply().status

    def test_that_are_closed_at_the_moment_of_a_post(self):
        calls, chance = int(os.environ.get("IDLE_CALLS", "1500")), random.Random(1)
        self.tollgate.admin.grant(self.org, calls)
        connection = self.connect()
        failed = 0
        for _ in range(calls):
            if self.post(connection, "hasty") != 200:
                failed += 1
                connection = self.connect()
            until = time.monotonic() + chance.uniform(0.0004, 0.0016)
            while time.monotonic() < until:
                pass
        print(f"{failed} of {calls} calls failed ({100 * failed / calls:.1f} %), "
              f"{self.hasty.connections} connections", flush=True)
        self.assertLessEqual(failed, calls * 0.01)  # a reset does not say what was received

    def test_are_used_as_long_as_was_announced(self):
        connection = self.connect()
        for pause in (0.1, 1.3, 0):
            self.assertEqual(self.post(connection, "announcing"), 200)
            time.sleep(pause)
        self.assertEqual(self.announcing.connections, 2)

    def test_are_used_as_long_as_was_configured(self):
        connection = self.connect()
        for pause in (0.05, 0.5, 0):
            self.assertEqual(self.post(connection, "configured"), 200)
            time.sleep(pause)
        self.assertEqual(self.configured.connections, 2)


class Times(Observed):
    def test_add_up(self):
        pause = 0.15

        def slowly(connection, request):
            connection.read_body(request)
            time.sleep(pause)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            time.sleep(pause)
            connection.send(b"hello")
        path = self.script(slowly)
        connection = self.connect()
        # The body decides the price, so it is read first; then it streams; then there is none.
        chat = b'{"model":"gpt-4"}'
        connection.send(self.head("POST", "/v1/chat/completions", "Content-Type: application/json",
                                  f"Content-Length: {len(chat)}") + chat[:5])
        time.sleep(pause)
        connection.send(chat[5:])
        self.assertEqual(connection.read_reply().status, 200)
        connection.send(self.head("POST", path, "Content-Length: 10") + b"hello")
        time.sleep(pause)
        connection.send(b"hello")
        self.assertEqual(connection.read_reply().status, 200)
        connection.send(self.head("GET", path))
        self.assertEqual(connection.read_reply().status, 200)
        lines = self.lines_of(3)
        parts = ("key_us", "request_us", "store_us", "connect_us", "upstream_us", "response_us", "overhead_us")
        for line in lines:
            self.assertEqual(line["total_us"], sum(line.get(part, 0) for part in parts), line)
            self.assertTrue(all(line.get(part, 0) >= 0 for part in parts), line)
            self.assertGreater(line["store_us"], 0)
            self.assertLess(line["overhead_us"], 50_000)
        slow = pause * 1e6 * 0.9
        chatted, streamed, plain = lines
        self.assertGreater(chatted["request_us"], slow)
        self.assertGreater(chatted["key_us"], 0)
        for line in (streamed, plain):
            self.assertGreater(line["upstream_us"], slow)
            self.assertGreater(line["response_us"], slow)
        self.assertGreater(streamed["request_us"], slow)
        self.assertLess(streamed["upstream_us"], 2 * slow)
        self.assertNotIn("request_us", plain)
        self.assertGreater(chatted["connect_us"], 0)
        self.assertNotIn("connect_us", plain)
        self.check_metrics()

    def check_metrics(self):
        """The sums of the parts and of the overhead are the sum of the total."""
        waited = sum(self.metric("tollgate_request_wait_seconds_sum").values())
        overhead, = self.metric("tollgate_request_overhead_seconds_sum").values()
        total, = self.metric("tollgate_request_seconds_sum").values()
        self.assertGreater(total, 0.5)
        self.assertAlmostEqual(waited + overhead, total, delta=total / 100)
