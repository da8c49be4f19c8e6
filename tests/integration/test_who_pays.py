"""Which party pays when a call fails: clients that leave, half-closed ones, and invalid answers."""
import gzip
import threading
import time

from support.http import BROKEN_OFF, RawConnection, call
from support.http_stack import PRICE, HttpTest, answering
from support.process import wait_until
from support.tollgate import route

STREAM = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
ERROR = b'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'
TEXT = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def streaming(*events, end=b"0\r\n\r\n", fields=""):
    """A script that answers with a stream of events; without its end, the connection breaks off."""
    def script(connection, request):
        connection.read_body(request)
        connection.send(f"HTTP/1.1 200 OK\r\n{fields}{STREAM}\r\n".encode())
        for event in events:
            connection.send(chunk(event))
        connection.send(end)
        return not end
    return script


class WhoPays(HttpTest):
    @classmethod
    def more_routes(cls):
        other = {"client_gone_waiting": "void", "redirected": "settle", "stream_error": "settle",
                 "empty": "settle"}
        return [route("otherwise", "api", {"path": "/otherwise/**"}, upstream="scripted", settlement=other),
                route("as-before", "api", {"path": "/as-before/**"}, upstream="scripted",
                      settlement={"client_gone_early": "void"}),
                route("based", "api", {"path": "/based/**"}, upstream="based")]

    @classmethod
    def more_upstreams(cls):
        return {"based": {"url": f"http://{cls.scripted.address}/base"}}

    def call(self, script, method="POST", prefix="/scripted/", **headers):
        path = self.script(script).replace("/scripted/", prefix)
        return self.tollgate.call(method, path, self.key, b"{}" if method == "POST" else None, headers)

    def attempt(self, script):
        """A call whose answer may break off."""
        try:
            return self.call(script)
        except BROKEN_OFF:
            return None

    def ends(self, route_name, end):
        """The number of calls that ended this way."""
        page = call(self.tollgate.admin.address, "GET", "/metrics").body.decode()
        return sum(int(line.split()[1]) for line in page.splitlines()
                   if line.startswith(f'tollgate_requests_total{{route="{route_name}"') and f'end="{end}"' in line)

    def leave_while_it_works(self, leave, prefix="/scripted/"):
        """Calls, and leaves by `leave` when the upstream has all of the request. True: the upstream was told."""
        arrived, told = threading.Event(), []

        def script(connection, request):
            arrived.set()
            connection.socket.settimeout(0.5)
            told.append(connection.wait_closed())
            connection.reply()
            return True
        path = self.script(script).replace("/scripted/", prefix)
        connection = self.connect()
        connection.send(self.head("POST", path, "Content-Length: 0"))
        self.assertTrue(arrived.wait(10))
        leave(connection)
        wait_until(lambda: told, "the upstream to notice, or not")
        return told[0]

    # --- clients that leave

    def test_a_client_that_leaves_when_the_upstream_has_its_request_pays(self):
        self.assertTrue(self.leave_while_it_works(RawConnection.reset))  # noticed at once: the upstream stops
        self.assert_charged(PRICE)

    def test_a_client_that_closes_its_connection_pays_too(self):
        """It may have closed only one half, so the upstream continues."""
        for number in range(5):
            self.assertFalse(self.leave_while_it_works(RawConnection.close))
            self.assert_charged((number + 1) * PRICE)

    def test_per_route_a_client_that_leaves_pays_nothing(self):
        for prefix in ("/otherwise/", "/as-before/"):
            self.leave_while_it_works(RawConnection.reset, prefix)
            self.assert_charged(0)

    def test_a_client_that_leaves_before_the_upstream_has_its_request_pays_nothing(self):
        for leave in (RawConnection.reset, RawConnection.close):
            arrived = threading.Event()

            def script(connection, request):
                arrived.set()
                connection.wait_closed()
                return True
            connection = self.connect()
            connection.send(self.head("POST", self.script(script), "Content-Length: 9"))
            self.assertTrue(arrived.wait(10))
            connection.send(b"1234")
            leave(connection)
            self.assert_charged(0)

    # --- half-closed ones

    def late(self, connection, request):
        connection.read_body(request)
        time.sleep(0.2)
        connection.reply(request.body or b"ok")

    def test_a_half_closed_client_is_answered(self):
        for number in range(10):
            connection = self.connect()
            path, body = self.script(self.late), b"x" * (number * 50_000)
            sent = (self.head("POST", path, "Transfer-Encoding: chunked") + chunk(body) + b"0\r\n\r\n"
                    if number % 2 else
                    self.head("POST", path, f"Content-Length: {len(body)}",
                              version="1.0" if number % 4 else "1.1") + body)
            connection.send(sent)
            connection.end_sending()
            reply = connection.read_reply()
            self.assertEqual((reply.status, reply.body), (200, body or b"ok"))
            self.assertTrue(connection.is_closed_by_peer())
        self.assert_charged(10 * PRICE)

    def test_all_that_a_half_closed_client_has_asked_is_answered(self):
        connection = self.connect()
        connection.send(self.head("GET", self.script(self.late)) * 3)
        connection.end_sending()
        self.assertEqual([connection.read_reply().status for _ in range(3)], [200] * 3)
        self.assertTrue(connection.is_closed_by_peer())
        self.assert_charged(3 * PRICE)

    def test_a_half_closed_client_gets_a_whole_stream(self):
        def script(connection, request):
            connection.send(f"HTTP/1.1 200 OK\r\n{STREAM}\r\n".encode())
            for _ in range(5):
                connection.send(chunk(TEXT))
                time.sleep(0.05)
            connection.send(chunk(DONE) + b"0\r\n\r\n")
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        connection.end_sending()
        self.assertEqual(connection.read_reply().body, 5 * TEXT + DONE)
        self.assert_charged(PRICE)

    def test_a_request_that_ends_early_is_told_so(self):
        connection = self.connect()
        connection.send(self.head("POST", self.script(answering()), "Content-Length: 9") + b"1234")
        connection.end_sending()
        self.assert_refused(connection.read_reply(), 400, "invalid_request")
        self.assert_charged(0)

    def test_a_half_closed_client_that_leaves_after_all_ends_its_stream(self):
        ended = threading.Event()

        def script(connection, request):
            connection.send(f"HTTP/1.1 200 OK\r\n{STREAM}\r\n".encode())
            try:
                while True:
                    connection.send(chunk(TEXT))
                    time.sleep(0.02)
            finally:
                ended.set()
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        connection.end_sending()
        connection.reader.readline()
        connection.close()
        self.assertTrue(ended.wait(10))
        self.assert_charged(PRICE)

    # --- invalid answers

    def test_a_stream_that_carries_only_an_error_costs_nothing(self):
        packed = gzip.compress(ERROR)
        for script in (streaming(ERROR), streaming(ERROR, DONE), streaming(ERROR, end=b""),
                       streaming(packed, fields="Content-Encoding: gzip\r\n"),
                       streaming(b"event: error\n", b'data: {"type":"error"}\n\n')):
            self.attempt(script)
            self.assert_charged(0)
        self.assertEqual(self.call(streaming(ERROR), prefix="/otherwise/").status, 200)
        self.assert_charged(PRICE)

    def test_a_client_that_leaves_at_the_error_pays_nothing(self):
        gone = threading.Event()

        def script(connection, request):
            streaming(ERROR, end=b"")(connection, request)
            gone.wait(10)
            return True
        connection = self.connect()
        connection.send(self.head("GET", self.script(script)))
        while b"overloaded" not in connection.reader.readline():
            pass
        connection.reset()
        gone.set()
        self.assert_charged(0)

    def test_a_stream_that_carries_nothing_costs_nothing(self):
        for script in (streaming(), streaming(end=b""), streaming(b": hello\n\n", DONE)):
            self.attempt(script)
            self.assert_charged(0)
        self.call(streaming(), prefix="/otherwise/")
        self.assert_charged(PRICE)

    def test_a_stream_whose_last_event_came_is_complete(self):
        broken = self.ends("scripted", "upstream_failed")
        reply = self.call(streaming(TEXT, DONE, end=b""))  # and ends regularly for the client
        self.assertEqual((reply.status, reply.body), (200, TEXT + DONE))
        self.assert_charged(PRICE)
        self.assertEqual(self.ends("scripted", "upstream_failed"), broken)

    def test_an_empty_answer_costs_nothing_where_content_was_asked_for(self):
        empty = answering(b"")
        for method in ("POST", "GET"):
            reply = self.call(empty, method)
            self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, "0"))
        self.assert_charged(0)
        for number, method in enumerate(("PUT", "DELETE", "PATCH")):
            self.assertEqual(self.call(empty, method).headers["x-credits-charged"], "0.1")
            self.assert_charged((number + 1) * PRICE)
        self.assertEqual(self.call(empty, prefix="/otherwise/").headers["x-credits-charged"], "0.1")

    # --- redirects

    def redirecting(self, to, status="307 Temporary Redirect"):
        return answering(b"", status=status, fields=f"Location: {to}\r\n")

    def test_a_redirect_costs_nothing_and_shows_our_own_address(self):
        origin = f"http://{self.scripted.address}"
        for to, seen in ((f"{origin}/scripted/x/?a=b", "/scripted/x/?a=b"), ("/scripted/x/", "/scripted/x/"),
                         ("https://files.example.com/x", "https://files.example.com/x")):
            reply = self.call(self.redirecting(to))
            self.assertEqual((reply.status, reply.headers["location"]), (307, seen))
            self.assertEqual(reply.headers["x-credits-charged"], "0")
        self.assert_charged(0)
        self.call(self.redirecting("/x"), prefix="/otherwise/")
        self.assert_charged(PRICE)

    def test_a_location_loses_the_base_path(self):
        name = self.script(self.redirecting(f"http://{self.scripted.address}/base/based/x/"))
        self.scripts["based"] = self.scripts[name.rpartition("/")[2]]
        self.assertEqual(self.tollgate.call("GET", "/based/x", self.key).headers["location"], "/based/x/")

    def test_work_that_was_done_is_charged(self):
        for number, status in enumerate(("303 See Other", "304 Not Modified")):
            self.call(self.redirecting("/result", status), "GET")
            self.assert_charged((number + 1) * PRICE)
