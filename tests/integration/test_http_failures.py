"""Upstreams and clients that fail: what the other side sees, and what is charged."""
import http.client
import threading

from support.http_stack import MIB, PRICE, HttpTest, answering, read_head
from support.process import free_port, wait_until
from support.tollgate import route


class DeadConnections(HttpTest):
    def closing_the_second_time(self, arrived):
        """Answers the first call of each connection, and closes it when the second has arrived."""
        served = set()

        def script(connection, request):
            arrived.append(request.lines[0].split()[0].decode())
            if connection.number in served:
                return True
            served.add(connection.number)
            connection.reply()
        return self.script(script)

    def test_an_idempotent_call_is_sent_again(self):
        for method in ("GET", "PUT", "DELETE"):
            with self.subTest(method):
                arrived = []
                path = self.closing_the_second_time(arrived)
                self.assertEqual(self.tollgate.call(method, path, self.key).status, 200)
                self.assertEqual(self.tollgate.call(method, path, self.key).status, 200)
                self.assertEqual(len(arrived), 3)
        self.assert_charged(6 * PRICE)

    def test_another_call_is_not(self):
        arrived = []
        path = self.closing_the_second_time(arrived)
        self.assertEqual(self.tollgate.call("POST", path, self.key).status, 200)
        self.assert_refused(self.tollgate.call("POST", path, self.key), 502, "upstream_unreachable")
        self.assertEqual(len(arrived), 2)
        self.assert_charged(PRICE)

    def test_a_fresh_connection_is_tried_once(self):
        arrived = []

        def script(connection, request):
            arrived.append(connection.number)
            return True
        path = self.script(script)
        self.assert_refused(self.tollgate.call("GET", path, self.key), 502, "upstream_unreachable")
        self.assertLessEqual(len(arrived), 2)  # one pooled connection that was dead, one new one
        self.assert_charged(0)

    def test_a_closed_idle_connection_is_not_used(self):
        numbers = []

        def script(connection, _):
            numbers.append(connection.number)
            connection.reply()
            return True  # closes without announcing it
        path = self.script(script)
        for _ in range(5):
            ended = self.scripted.closed
            self.assertEqual(self.tollgate.call("POST", path, self.key).status, 200)
            wait_until(lambda: self.scripted.closed > ended, "the upstream to close")
        self.assertEqual(len(set(numbers)), 5)
        self.assert_charged(5 * PRICE)

    def test_what_an_upstream_sends_unasked_is_nobodys_answer(self):
        sent = threading.Semaphore(0)

        def script(connection, _):
            connection.reply(b"mine")
            connection.reply(b"somebody else's")
            sent.release()
        path = self.script(script)
        for _ in range(3):
            self.assertEqual(self.tollgate.call("GET", path, self.key).body, b"mine")
            # Once another call is in progress, the answer cannot be assigned to a call.
            self.assertTrue(sent.acquire(timeout=10))

    def test_a_body_after_head_is_nobodys_answer(self):
        path = self.script(lambda connection, request: connection.reply(
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"))
        connection = self.connect()
        for _ in range(3):
            connection.send(self.head("HEAD", path))
            self.assertEqual(connection.read_reply("HEAD").status, 200)
        self.assertNotEqual(self.tollgate.call("GET", self.script(answering()), self.key).body, b"evil")


class BadUpstreams(HttpTest):
    garbage = {
        "no HTTP": b"SSH-2.0-OpenSSH\r\n\r\n",
        "no HTTP, no line": b"garbage\n\n",
        "HTTP/2": b"HTTP/2 200\r\n\r\n",
        "HTTP/0.9": b"HTTP/0.9 200 OK\r\n\r\n",
        "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
        "a status below 100": b"HTTP/1.1 099 Low\r\n\r\n",
        "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "a folded field": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
        "a space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
        "NUL": b"HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 0\r\n\r\n",
        "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "a list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 0, 0\r\n\r\n",
        "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "another encoding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "an upgrade nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
        "an endless head": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000,
        "endless interim answers, then nothing": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + b"x\r\n\r\n",
    }

    def test_garbage_is_a_bad_gateway_and_free(self):
        for name, data in self.garbage.items():
            with self.subTest(name):
                def script(connection, _, data=data):
                    connection.send(data)
                    return True
                connection = self.connect()
                connection.send(self.head("GET", self.script(script), "Connection: close"))
                while (lines := read_head(connection))[0].startswith("HTTP/1.1 1"):
                    pass
                self.assertEqual(lines[0], "HTTP/1.1 502 Bad Gateway")
                self.assertIn(b'"bad_upstream_response"', connection.reader.read())
        self.assert_charged(0)

    def test_a_status_line_without_a_reason_is_accepted(self):
        for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200"):
            with self.subTest(line):
                def script(connection, _, line=line):
                    connection.send(line + b"\r\nContent-Length: 2\r\n\r\nok")
                    return True
                reply = self.tollgate.call("GET", self.script(script), self.key)
                self.assertEqual((reply.status, reply.body), (200, b"ok"))
        self.assert_charged(3 * PRICE)

    def test_a_refused_connection(self):
        reply = self.tollgate.call("GET", "/refused/x", self.key)
        self.assert_refused(reply, 502, "upstream_unreachable")
        self.assert_charged(0)

    def test_a_host_that_does_not_exist(self):
        reply = self.tollgate.call("GET", "/unknown/x", self.key)
        self.assert_refused(reply, 502, "upstream_unreachable")
        self.assert_charged(0)

    @classmethod
    def more_upstreams(cls):
        return {"refused": {"url": f"http://127.0.0.1:{free_port()}"},
                "unknown": {"url": "http://nowhere.invalid"}}

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name)
                for name in ("refused", "unknown")]

    def test_a_body_that_breaks_off(self):
        begun = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"
        chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        malformed = chunk + b"zz\r\n"
        endless = chunk + b"1;" + b"x" * 100_000
        for data in (begun, chunk, malformed, endless):
            for how in ("close", "reset"):
                with self.subTest(data=data[:80], how=how):
                    came = threading.Event()  # a reset would overtake the bytes before it

                    def script(connection, _, data=data, how=how, came=came):
                        connection.send(data)
                        if how == "reset":
                            came.wait(10)
                            connection.reset()
                        return True
                    connection = self.connect()
                    connection.send(self.head("GET", self.script(script)))
                    with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
                        connection.read_reply(at_head=came.set)
                    self.assertTrue(came.is_set(), "there was no answer to break off")
        self.assert_charged(8 * PRICE)  # delivered audio counts as used

    def test_a_body_that_breaks_off_is_no_whole_one_for_http_1_0(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            return True
        connection = self.connect()
        connection.send(self.head("GET", self.script(script), version="1.0"))
        with self.assertRaises(ConnectionResetError):
            read_head(connection)
            connection.reader.read()

    def test_an_error_is_free_and_passes(self):
        path = self.script(answering(b"{}", status="500 Oops"))
        reply = self.tollgate.call("GET", path, self.key)
        self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (500, "0"))
        self.assert_charged(0)


class ClientsThatLeave(HttpTest):
    def leave(self, script, *more):
        """Sends a call, runs `script` upstream, then leaves; returns what the upstream saw afterwards."""
        leave, closed = threading.Event(), []

        def until_closed(connection, request):
            script(connection, request)
            leave.set()
            closed.append(connection.wait_closed())
            return True
        connection = self.connect()
        connection.send(self.head("POST", self.script(until_closed), *more))
        self.assertTrue(leave.wait(10))
        return connection, closed

    def test_before_the_head(self):
        connection, closed = self.leave(lambda *_: None)
        connection.reset()
        wait_until(lambda: closed == [True], "the upstream call to be cancelled", timeout=3)
        self.assert_charged(PRICE)  # the upstream had all of it

    def test_before_the_head_and_after_an_upload(self):
        leave, closed = threading.Event(), []

        def until_closed(upstream, request):
            upstream.read_body(request)
            leave.set()
            closed.append(upstream.wait_closed())
            return True
        connection = self.connect()
        connection.send(self.head("POST", self.script(until_closed), "Content-Length: 5") + b"hel")
        wait_until(lambda: self.scripted.requests, "the call to arrive")
        connection.send(b"lo")
        self.assertTrue(leave.wait(10))
        connection.reset()
        wait_until(lambda: closed == [True], "the upstream call to be cancelled", timeout=3)
        self.assert_charged(PRICE)

    def test_during_an_upload(self):
        connection, closed = self.leave(lambda *_: None, "Content-Length: 1000")
        connection.send(b"hello")
        connection.close()
        # Half an upload arrives before the end of the connection.
        wait_until(lambda: closed, "the upstream call to be cancelled", timeout=3)
        self.assert_charged(0)

    def test_during_the_body_the_call_is_paid(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
        connection, closed = self.leave(script)
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 200 OK")
        connection.reset()
        wait_until(lambda: closed == [True], "the upstream call to be cancelled", timeout=3)
        self.assert_charged(PRICE)

    def test_during_the_body_of_an_error_nothing_is(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 500 Oops\r\nContent-Length: %d\r\n\r\n" % (64 * MIB))
            connection.socket.settimeout(3)
            try:
                connection.send(bytes(64 * MIB))
            except OSError:
                pass
        path = self.script(script)
        connection = self.connect()
        connection.send(self.head("GET", path))
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 500 Oops")
        connection.reader.read(MIB)
        connection.close()
        self.assert_charged(0)
