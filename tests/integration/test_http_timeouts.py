"""Slow peers: each wait has a limit, and slowness of one side is not charged to another."""
import http.client
import select
import socket
import threading
import time

from support.http_stack import MIB, PRICE, HttpTest, answering, read_head
from support.process import wait_until
from support.tollgate import route


class Timeouts(HttpTest):
    timeouts = {"client_head": "1s", "client_body": "2s", "client_write": "3s", "connect": "500ms",
                "response_head": "700ms", "idle": "700ms", "keep_alive": "2s"}

    @classmethod
    def more_upstreams(cls):
        # A listener with a full queue accepts no further connection.
        cls.full = socket.create_server(("127.0.0.1", 0), backlog=0)
        cls.addClassCleanup(cls.full.close)
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(cls.full.getsockname())
            cls.addClassCleanup(waiting.close)
        return {"full": {"url": "http://127.0.0.1:%d" % cls.full.getsockname()[1]}}

    @classmethod
    def more_routes(cls):
        return [route("full", "api", {"path": "/full/**"}, upstream="full")]

    def test_no_connection_in_time(self):
        self.assert_refused(self.tollgate.call("GET", "/full/x", self.key), 504, "upstream_timeout")
        self.assert_charged(0)

    def test_no_head_in_time(self):
        closed = []

        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\n")
            closed.append(connection.wait_closed())
            return True
        reply = self.tollgate.call("GET", self.script(script), self.key)
        self.assert_refused(reply, 504, "upstream_timeout")
        wait_until(lambda: closed == [True], "the upstream call to be cancelled")
        self.assert_charged(0)

    def test_an_upstream_that_takes_nothing_in(self):
        def script(connection, _):
            threading.Event().wait(10)
            return True
        chat = b'{"model":"gpt-4","x":"' + b"y" * (7 * MIB) + b'"}'
        path = self.script(script)
        started = time.monotonic()
        reply = self.tollgate.call("PUT", path, self.key, chat)
        self.assert_refused(reply, 504, "upstream_timeout")
        self.assertLess(time.monotonic() - started, 8)
        self.assert_charged(0)

    def test_an_upload_may_take_longer_than_the_answer(self):
        connection = self.connect()
        connection.send(self.head("POST", self.script(answering()), "Content-Length: 20"))
        for _ in range(4):
            time.sleep(0.5)  # longer in total than the upstream's time limit for its head
            connection.send(b"hello")
        self.assertEqual(connection.read_reply().status, 200)
        self.assert_charged(PRICE)

    def test_a_body_that_stalls(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
            connection.wait_closed()
            return True
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        with self.assertRaises(http.client.IncompleteRead):
            connection.read_reply()
        self.assert_charged(PRICE)

    def test_a_slow_reader_is_not_held_against_the_upstream(self):
        size = 32 * MIB
        connection = self.connect()
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        connection.send(self.head("GET", f"/sample/bytes/{size}"))
        read_head(connection)
        received = 0
        while received < size:
            if received < 12 * MIB:
                time.sleep(1)  # longer than `idle`, much shorter than `client_write`
            received += len(connection.reader.read(min(4 * MIB, size - received)))
        self.assertEqual(received, size)
        self.assert_charged(PRICE)

    def test_a_client_that_reads_nothing(self):
        connection = self.connect()
        connection.send(self.head("GET", f"/sample/bytes/{256 * MIB}"))
        read_head(connection)
        self.assert_charged(PRICE)  # no hold is left: the call has ended, unread
        self.assertEqual(self.upstream.stats()["in_flight"], 0)

    def test_a_head_that_trickles(self):
        connection = self.connect()
        started = time.monotonic()
        with self.assertRaises(OSError):
            for byte in self.head("GET", "/sample/echo/x", "X-Long: " + "x" * 1000):
                connection.send(bytes([byte]))
                time.sleep(0.02)
        self.assertLess(time.monotonic() - started, 5)
        self.assert_charged(0)

    def test_a_body_that_trickles_to_an_end(self):
        connection = self.connect()
        connection.send(self.head("POST", "/sample/sink", "Content-Length: 100") + b"hello")
        self.assertTrue(connection.is_closed_by_peer())
        connection = self.connect()
        connection.send(self.head("POST", "/v1/chat/completions", "Content-Type: application/json",
                                  "Content-Length: 100") + b'{"model":')
        self.assertTrue(connection.is_closed_by_peer())
        self.assert_charged(0)

    def test_an_idle_connection_is_closed(self):
        connection = self.connect()
        connection.send(self.head("GET", "/sample/echo/x"))
        self.assertEqual(connection.read_reply().status, 200)
        self.assertTrue(connection.is_closed_by_peer())


class TotalTimeout(HttpTest):
    timeouts = {"total": "1500ms"}

    def test_an_answer_that_never_ends(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.send(b"1\r\nx\r\n")
                time.sleep(0.1)
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            connection.read_reply()
        self.assert_charged(PRICE)

    def test_a_body_that_never_ends(self):
        connection = self.connect()
        connection.send(self.head("POST", "/v1/chat/completions", "Content-Type: application/json",
                                  "Content-Length: 1000"))
        started = time.monotonic()
        while not select.select([connection.socket], [], [], 0.1)[0]:
            connection.send(b" ")
            self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(connection.read_reply().status, 408)
        self.assertTrue(connection.is_closed_by_peer())
        self.assert_charged(0)
