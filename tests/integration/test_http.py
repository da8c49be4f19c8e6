"""HTTP/1.1 as clients and upstreams rely on it: connections, bodies, interim and early answers."""
import http.client
import os
import threading

from support.http import RawConnection, split_address
from support.http_stack import MIB, PRICE, HttpTest, answering, read_head
from support.process import wait_until
from support.tollgate import route


class Connections(HttpTest):
    def test_keep_alive_carries_many_calls(self):
        connection = self.connect()
        for number in range(20):
            connection.send(self.head("GET", f"/sample/echo/{number}"))
            reply = connection.read_reply()
            self.assertEqual(reply.status, 200)
            self.assertEqual(reply.json()["target"], f"/sample/echo/{number}")
        self.assert_charged(20 * PRICE)

    def test_pipelined_calls_are_answered_in_order(self):
        connection = self.connect()
        body = b"x" * 5000
        connection.send(b"".join(
            self.head("GET", f"/sample/echo/{number}") if number % 2 else
            self.head("POST", f"/sample/echo/{number}", f"Content-Length: {len(body)}") + body
            for number in range(30)))
        for number in range(30):
            reply = connection.read_reply()
            self.assertEqual(reply.json()["target"], f"/sample/echo/{number}")
            self.assertEqual(reply.json()["body_bytes"], 0 if number % 2 else len(body))
        self.assert_charged(30 * PRICE)

    def test_a_call_that_is_read_ahead_is_seen_once(self):
        """The next call arrives while the one before waits, and a third during that one."""
        answer = threading.Semaphore(0)

        def when_told(connection, request):
            answer.acquire(timeout=10)
            connection.reply(request.target.encode())
        path = self.script(when_told)
        connection = self.connect()
        connection.send(self.head("GET", path + "?1") + self.head("GET", path + "?2"))
        for number in range(1, 8):
            wait_until(lambda: len(self.scripted.requests) == number, "the call to arrive")
            connection.send(self.head("GET", path + f"?{number + 2}"))
            answer.release()
            self.assertEqual(connection.read_reply().body.decode(), f"{path}?{number}")
        answer.release(2)
        self.assertEqual(connection.read_reply().body.decode(), f"{path}?8")
        self.assertEqual(connection.read_reply().body.decode(), f"{path}?9")
        self.assertEqual(len(self.scripted.requests), 9)
        self.assert_charged(9 * PRICE)

    def test_a_request_may_arrive_byte_by_byte(self):
        connection = self.connect()
        for byte in self.head("POST", "/sample/echo/x", "Transfer-Encoding: chunked") + \
                b"3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n":
            connection.send(bytes([byte]))
        self.assertEqual(connection.read_reply().json()["body_bytes"], 5)
        self.assert_charged(PRICE)

    def test_connection_close_is_heard(self):
        connection = self.connect()
        connection.send(self.head("GET", "/sample/echo/x", "Connection: close"))
        reply = connection.read_reply()
        self.assertEqual((reply.status, reply.headers["connection"]), (200, "close"))
        self.assertTrue(connection.is_closed_by_peer())

    def test_http_1_0_closes_unless_asked(self):
        connection = self.connect()
        connection.send(self.head("GET", "/sample/echo/x", "Connection: keep-alive", version="1.0"))
        self.assertEqual(connection.read_reply().headers["connection"], "keep-alive")
        connection.send(self.head("GET", "/sample/echo/x", version="1.0"))
        self.assertEqual(connection.read_reply().status, 200)
        self.assertTrue(connection.is_closed_by_peer())
        self.assert_charged(2 * PRICE)

    def test_http_1_0_gets_no_chunks(self):
        path = self.script(lambda connection, _: connection.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"))
        connection = self.connect()
        connection.send(self.head("GET", path, "Connection: keep-alive", version="1.0"))
        lines = read_head(connection)
        self.assertNotIn("chunked", "".join(lines))
        self.assertIn("Connection: close", lines)
        self.assertEqual(connection.reader.read(), b"hello")
        self.assert_charged(PRICE)

    def test_empty_lines_before_a_request_are_tolerated(self):
        connection = self.connect()
        connection.send(b"\r\n\r\n" + self.head("GET", "/sample/echo/x"))
        self.assertEqual(connection.read_reply().status, 200)

    def test_upstream_connections_are_used_again(self):
        numbers = []

        def script(connection, _):
            numbers.append(connection.number)
            connection.reply()
        path = self.script(script)
        for _ in range(5):
            self.assertEqual(self.tollgate.call("GET", path, self.key).status, 200)
        self.assertEqual(len(set(numbers)), 1)

    def test_upstream_connection_close_is_heard(self):
        numbers = []

        def script(connection, _):
            numbers.append(connection.number)
            connection.reply(fields="Connection: close\r\n")  # and stays open
        path = self.script(script)
        for _ in range(3):
            self.assertEqual(self.tollgate.call("GET", path, self.key).status, 200)
        self.assertEqual(len(set(numbers)), 3)


class Bodies(HttpTest):
    def test_head_has_no_body_and_keeps_the_connection_in_step(self):
        path = self.script(lambda connection, _: connection.send(
            b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"))
        connection = self.connect()
        connection.send(self.head("HEAD", path) + self.head("GET", "/sample/echo/x"))
        reply = connection.read_reply("HEAD")
        self.assertEqual((reply.status, reply.headers["content-length"]), (200, "12345"))
        self.assertEqual(connection.read_reply().status, 200)
        self.assert_charged(2 * PRICE)

    def test_204_and_304_have_no_body(self):
        for status, fields in (("204 No Content", ""), ("204 No Content", "Content-Length: 0\r\n"),
                               ("304 Not Modified", "Content-Length: 5\r\n"),
                               ("304 Not Modified", "Transfer-Encoding: chunked\r\n")):
            with self.subTest(status=status, fields=fields):
                path = self.script(lambda connection, _: connection.send(
                    f"HTTP/1.1 {status}\r\n{fields}\r\n".encode()))
                connection = self.connect()
                connection.send(self.head("GET", path) + self.head("GET", "/sample/echo/x"))
                reply = connection.read_reply()
                self.assertEqual((reply.status, reply.body), (int(status[:3]), b""))
                if reply.status == 204:
                    self.assertNotIn("content-length", reply.headers)
                self.assertEqual(connection.read_reply().status, 200)

    def test_a_body_without_a_length_is_passed_on_in_chunks(self):
        def script(connection, _):
            connection.send(b"HTTP/1.0 200 OK\r\n\r\nhello")
            return True
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        reply = connection.read_reply()
        self.assertEqual((reply.headers["transfer-encoding"], reply.body), ("chunked", b"hello"))
        connection.send(self.head("GET", "/sample/echo/x"))
        self.assertEqual(connection.read_reply().status, 200)

    def test_request_chunks_and_trailers(self):
        path = self.script(answering())
        connection = self.connect()
        connection.send(self.head("POST", path, "Transfer-Encoding: chunked", "Trailer: X-Sum") +
                        b"5;ext=\"a;b\"\r\nhello\r\n00006\r\n world\r\n0;last\r\n"
                        b"X-Sum: 12\r\nAuthorization: Bearer x\r\nX-Forwarded-For: x\r\n\r\n")
        self.assertEqual(connection.read_reply().status, 200)
        request, = self.scripted.requests
        self.assertEqual(request.body, b"hello world")
        self.assertEqual(request.trailers, [b"X-Sum: 12"])
        self.assertEqual(request.values("content-length"), [])

    def test_response_chunks_and_trailers(self):
        path = self.script(lambda connection, _: connection.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5;x\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Credits-Charged: 0\r\nSet-Cookie: a\r\n\r\n"))
        connection = self.connect()
        connection.send(self.head("GET", path))
        read_head(connection)
        self.assertEqual([connection.reader.readline() for _ in range(5)],
                         [b"5\r\n", b"hello\r\n", b"0\r\n", b"X-Sum: 1\r\n", b"\r\n"])

    def test_large_bodies_arrive_whole_both_ways(self):
        body = os.urandom(MIB) * 8

        def script(connection, request):
            connection.reply(connection.read_body(request).body)
        for framing in ("Content-Length", "Transfer-Encoding"):
            with self.subTest(framing):
                connection = http.client.HTTPConnection(*split_address(self.tollgate.address))
                self.addCleanup(connection.close)
                chunked = framing == "Transfer-Encoding"
                pieces = (body[at:at + 70_000] for at in range(0, len(body), 70_000))
                connection.request("POST", self.script(script), pieces if chunked else body,
                                   {"Authorization": f"Bearer {self.key}",
                                    framing: "chunked" if chunked else str(len(body))},
                                   encode_chunked=chunked)
                self.assertTrue(connection.getresponse().read() == body)
        self.assert_charged(2 * PRICE)

    def test_any_calls_in_any_pieces(self):
        self.check_any_calls_in_any_pieces(self.connect, seeds=20)

    def test_events_are_passed_on_the_moment_they_arrive(self):
        seen = threading.Semaphore(0)

        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                            b"Transfer-Encoding: chunked\r\n\r\n")
            for number in range(20):  # the next one is sent when the client has this one
                event = f"data: {number}\n\n".encode()
                connection.send(b"%x\r\n%s\r\n" % (len(event), event))
                if not seen.acquire(timeout=10):
                    raise AssertionError(f"event {number} was kept back")
            connection.send(b"0\r\n\r\n")
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        read_head(connection)
        for number in range(20):
            size = int(connection.reader.readline(), 16)
            self.assertEqual(connection.reader.read(size), f"data: {number}\n\n".encode())
            connection.reader.readline()
            seen.release()
        self.assertEqual(connection.reader.readline(), b"0\r\n")
        self.assert_charged(PRICE)

    def test_a_body_beyond_the_limit(self):
        connection = self.connect()
        connection.send(self.head("POST", "/sample/sink", f"Content-Length: {65 * MIB}"))
        self.assert_refused(connection.read_reply(), 413, "body_too_large")
        self.assert_charged(0)
        connection = self.connect()
        connection.send(self.head("POST", "/sample/sink", "Transfer-Encoding: chunked"))
        chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        try:
            for _ in range(80):
                connection.send(chunk)
        except OSError:
            pass  # refused and closed during the upload
        self.assert_charged(0)


class Images(HttpTest):
    """In bodies that decide the price: providers take 32 MB and more."""

    @classmethod
    def more_routes(cls):
        return [route("vision", "gpt-3.5", {"method": "POST", "path": "/vision/*", "json": {"model": "gpt-3.5*"}},
                      upstream="scripted", dialect="openai")]

    def test_large_images(self):
        arrived = []

        def script(connection, request):
            arrived.append(len(connection.read_body(request).body))
            connection.reply()
        path = self.script(script).replace("/scripted/", "/vision/")
        with RawConnection(self.tollgate.address, timeout=60) as connection:
            sizes = []
            for mib in (9, 31):
                body = b'{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"' + b"A" * (mib * MIB) + b'"}]}'
                sizes.append(len(body))
                connection.send(self.head("POST", path, "Content-Type: application/json",
                                          f"Content-Length: {len(body)}") + body)
                self.assertEqual(connection.read_reply("POST").status, 200)
            connection.send(self.head("POST", path, "Content-Type: application/json",
                                      f"Content-Length: {33 * MIB}"))
            self.assert_refused(connection.read_reply("POST"), 413, "body_too_large")
        self.assertEqual(arrived, sizes)
        self.assert_charged(4)


class Interim(HttpTest):
    def test_early_hints_are_passed_on(self):
        path = self.script(lambda connection, _: connection.send(
            b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
            b"HTTP/1.1 100 Continue\r\n\r\n"
            b"HTTP/1.1 102 Processing\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        connection = self.connect()
        connection.send(self.head("GET", path))
        first = read_head(connection)
        self.assertEqual((first[0], first[1]), ("HTTP/1.1 103 Early Hints", "Link: </a.css>"))
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 102 Processing")
        self.assertEqual(connection.read_reply().body, b"ok")

        connection = self.connect()
        connection.send(self.head("GET", path, version="1.0"))
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 200 OK")

    def test_expect_continue(self):
        path = self.script(answering())
        connection = self.connect()
        connection.send(self.head("POST", path, "Expect: 100-continue", "Content-Length: 5"))
        self.assertEqual(read_head(connection), ["HTTP/1.1 100 Continue"])
        connection.send(b"hello")
        self.assertEqual(connection.read_reply().status, 200)
        self.assertEqual(self.scripted.requests[0].body, b"hello")
        self.assertEqual(self.scripted.requests[0].values("expect"), [])

        # A body that decides the price is requested in the same way.
        chat = b'{"model":"gpt-4","messages":[]}'
        connection.send(self.head("POST", "/v1/chat/completions", "Expect: 100-continue",
                                  "Content-Type: application/json", f"Content-Length: {len(chat)}"))
        self.assertEqual(read_head(connection), ["HTTP/1.1 100 Continue"])
        connection.send(chat)
        self.assertEqual(connection.read_reply().status, 200)
        self.assert_charged(PRICE + 10)

    def test_a_refusal_comes_instead_of_continue(self):
        connection = self.connect()
        connection.send(b"POST /sample/sink HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer wrong\r\n"
                        b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 401 Unauthorized")
        self.assertTrue(connection.reader.read().startswith(b"{"))  # and the connection ends

    def test_http_1_0_is_never_told_to_continue(self):
        path = self.script(answering())
        connection = self.connect()
        connection.send(self.head("POST", path, "Expect: 100-continue", "Content-Length: 5",
                                  version="1.0") + b"hello")
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 200 OK")


class EarlyAnswers(HttpTest):
    def test_an_answer_during_an_upload(self):
        closed = []

        def script(connection, request):
            connection.reader.read(10)
            connection.reply(b"enough", status="413 Too Large")
            closed.append(connection.wait_closed())
            return True
        connection = self.connect()
        connection.send(self.head("POST", self.script(script), "Content-Length: 1000000") + bytes(10))
        reply = connection.read_reply()
        self.assertEqual((reply.status, reply.body), (413, b"enough"))
        self.assertEqual(reply.headers["connection"], "close")
        self.assertTrue(connection.is_closed_by_peer())
        wait_until(lambda: closed == [True], "the upstream connection to be closed")
        self.assert_charged(0)

    def test_an_answer_that_streams_while_the_upload_does(self):
        def script(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(10):
                connection.send(b"3\r\n" + connection.reader.read(3) + b"\r\n")
            connection.send(b"0\r\n\r\n")
        connection = self.connect()
        connection.send(self.head("POST", self.script(script), "Content-Length: 30"))
        read_head(connection)
        for number in range(10):
            connection.send(b"%03d" % number)
            self.assertEqual(connection.reader.readline(), b"3\r\n")
            self.assertEqual(connection.reader.readline(), b"%03d\r\n" % number)
        self.assertEqual(connection.reader.readline(), b"0\r\n")
        self.assert_charged(PRICE)


class Methods(HttpTest):
    def test_trace_and_connect_are_refused(self):
        for method in ("TRACE", "CONNECT"):
            connection = self.connect()
            connection.send(self.head(method, "/sample/echo/x"))
            self.assert_refused(connection.read_reply(), 400, "invalid_request")
        self.assert_charged(0)

    def test_fields_reach_the_upstream_as_they_should(self):
        path = self.script(answering())
        connection = self.connect()
        connection.send(self.head("GET", path, "X-Api-Key: " + self.key, "X-Request-Id: abc",
                                  "Connection: X-Hop", "X-Hop: 1", "Accept: a", "Accept: b"))
        reply = connection.read_reply()
        self.assertEqual(reply.headers["x-request-id"], "abc")
        request, = self.scripted.requests
        self.assertNotIn(self.key.encode(), b"".join(request.lines))
        self.assertEqual(request.values("x-request-id"), ["abc"])
        self.assertEqual(request.values("accept"), ["a", "b"])
        self.assertEqual(request.values("x-forwarded-for"), ["127.0.0.1"])
        self.assertEqual(request.values("host"), [self.scripted.address])
        for name in ("x-hop", "connection", "authorization"):
            self.assertEqual(request.values(name), [], name)
