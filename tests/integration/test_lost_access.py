"""A call that is open when its key is revoked or its organization is suspended ends within 2 s, at every sidecar."""
import socket
import time
from decimal import Decimal

from support.http import RawConnection
from support.http_stack import PRICE, HttpTest, read_head
from support.tollgate import chat_route, route

AT_MOST = 2.0
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
           "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
CLOSED_BY_POLICY = b"\x88"  # an unmasked, final frame of opcode 8


class LostAccess(HttpTest):
    timeouts = {"connect": "8s"}

    @classmethod
    def more_upstreams(cls):
        """One that accepts no connection, as an address behind which there is nothing."""
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        cls.addClassCleanup(full.close)
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
            cls.addClassCleanup(waiting.close)
        return {"full": {"url": "http://127.0.0.1:%d" % full.getsockname()[1]}}

    @classmethod
    def more_routes(cls):
        return [route("full", "api", {"path": "/full/**"}, upstream="full"),
                route("watched", "api", {"path": "/watched/**"}, upstream="scripted", mode="shadow")]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Another sidecar at the same store: it is not told, it looks.
        cls.other = cls.start_tollgate(
            threads=1, upstreams={"sample": {"url": f"http://{cls.upstream.address}"},
                                  "scripted": {"url": f"http://{cls.scripted.address}"}},
            routes=[route("scripted", "api", {"path": "/scripted/**"}, upstream="scripted"),
                    chat_route("chat", "gpt-4", "gpt-4*"), route("api", "api", {"path": "/v1/**"})])

    def setUp(self):
        super().setUp()
        admin = self.tollgate.admin
        self.key_id = admin.expect_success("GET", f"/orgs/{self.org}/keys")["keys"][0]["id"]

    def open(self, request, tollgate=None):
        connection = RawConnection((tollgate or self.tollgate).address, timeout=10)
        self.addCleanup(connection.close)
        connection.send(request)
        return connection

    def revoke(self):
        self.tollgate.admin.revoke_key(self.org, self.key_id)
        return time.monotonic()

    def suspend(self):
        self.tollgate.admin.put_org(self.org, suspended=True)
        return time.monotonic()

    def assert_closed_websocket(self, connection, since):
        opcode, size = connection.reader.read(2)
        self.assertEqual(bytes([opcode]), CLOSED_BY_POLICY)
        content = connection.reader.read(size)
        self.assertLess(time.monotonic() - since, AT_MOST)
        self.assertEqual(int.from_bytes(content[:2], "big"), 1008)
        self.assertIn(b"during the call", content[2:])
        self.assertTrue(connection.is_closed_by_peer())

    def test_a_websocket_is_closed_when_its_key_is_revoked(self):
        sockets = [self.open(self.head("GET", "/v1/realtime", *UPGRADE), each)
                   for each in (self.tollgate, self.other)]
        for socket in sockets:
            self.assertIn("101", read_head(socket)[0])
        since = self.revoke()
        for socket in sockets:
            self.assert_closed_websocket(socket, since)
        self.assert_charged(2 * PRICE)

    def test_a_websocket_is_closed_when_its_organization_is_suspended(self):
        socket = self.open(self.head("GET", "/v1/realtime", *UPGRADE))
        self.assertIn("101", read_head(socket)[0])
        self.assert_closed_websocket(socket, self.suspend())

    def test_an_event_stream_ends_with_an_error(self):
        def events(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n")
            event = b"data: {\"a\":1}\n\n"
            while True:
                connection.send(b"%x\r\n%s\r\n" % (len(event), event))
                time.sleep(0.1)
        stream = self.open(self.head("GET", self.script(events)))
        self.assertIn("200", read_head(stream)[0])
        stream.reader.readline()
        since = self.revoke()
        rest = stream.reader.read()
        self.assertLess(time.monotonic() - since, AT_MOST)
        self.assertIn(b"event: error\n", rest)
        self.assertIn(b"invalid_api_key", rest)
        self.assertTrue(rest.endswith(b"0\r\n\r\n"))
        self.assert_charged(PRICE)

    def test_a_long_answer_breaks_off(self):
        def endless(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                connection.send(b"x" * 100)
                time.sleep(0.1)
        answer = self.open(self.head("GET", self.script(endless)))
        self.assertIn("200", read_head(answer)[0])
        since = self.suspend()
        self.assertLess(len(answer.reader.read()), 1_000_000)
        self.assertLess(time.monotonic() - since, AT_MOST)
        self.assert_charged(PRICE)

    def test_a_call_that_waits_for_its_answer_is_refused(self):
        def silent(connection, _):
            time.sleep(5)
            return True
        waiting = self.open(self.head("GET", self.script(silent)))
        while not self.scripted.requests:
            time.sleep(0.01)
        since = self.suspend()
        self.assert_refused(waiting.read_reply(), 403, "org_suspended")
        self.assertLess(time.monotonic() - since, AT_MOST)
        self.assert_charged(PRICE)  # the upstream has its work: as if the client had left

    def test_a_call_that_waits_for_a_connection_is_refused(self):
        waiting = self.open(self.head("GET", "/full/x"))
        time.sleep(0.2)
        since = self.suspend()
        self.assert_refused(waiting.read_reply(), 403, "org_suspended")
        self.assertLess(time.monotonic() - since, AT_MOST)
        self.assert_charged(0)  # nothing was sent

    def test_a_websocket_is_closed_in_a_frame_that_comes_slowly(self):
        received = []

        def dripping(connection, _):
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            b"Sec-WebSocket-Accept: x\r\n\r\n\x82\x7f" + (10_000_000).to_bytes(8, "big"))
            connection.socket.setblocking(False)
            while True:
                time.sleep(0.05)
                connection.send(b"x" * 100)
                try:
                    if connection.socket.recv(100):
                        received.append(time.monotonic())
                except BlockingIOError:
                    pass
        opened = self.open(self.head("GET", self.script(dripping), *UPGRADE))
        self.assertIn("101", read_head(opened)[0])
        opened.socket.settimeout(0.1)
        since, ended = self.suspend(), None
        while ended is None and time.monotonic() - since < 2 * AT_MOST:
            try:
                opened.send(b"\x81\x82\0\0\0\0hi")
                if not opened.socket.recv(65536):
                    ended = time.monotonic() - since
            except TimeoutError:
                pass
            except OSError:
                ended = time.monotonic() - since
        self.assertIsNotNone(ended, "it stays open")
        self.assertLess(ended, AT_MOST)
        self.assertLess(received[-1] - since, AT_MOST)
        self.assert_charged(PRICE)

    def test_a_shadow_route_refuses_nothing(self):
        def slow(connection, _):
            time.sleep(AT_MOST)
            connection.reply(b"slow")
            return True
        path = self.script(slow)
        waiting = self.open(self.head("GET", path.replace("/scripted/", "/watched/")))
        self.suspend()
        reply = waiting.read_reply()
        self.assertEqual((reply.status, reply.body), (200, b"slow"))
        waiting = self.open(self.head("GET", path))
        self.assert_refused(waiting.read_reply(), 403, "org_suspended")
        self.assert_charged(PRICE)

    def test_other_keys_of_the_organization_go_on(self):
        other = self.tollgate.admin.create_key(self.org)["key"]
        socket = self.open(self.head("GET", "/v1/realtime", *UPGRADE).replace(self.key.encode(), other.encode()))
        self.assertIn("101", read_head(socket)[0])
        self.revoke()
        time.sleep(AT_MOST)
        socket.send(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
        self.assertEqual(socket.reader.read(4), b"\x81\x02hi")
        socket.reset()
        self.assertGreaterEqual(self.settled_balance(self.tollgate, self.org)["settled"], Decimal("0.1"))
