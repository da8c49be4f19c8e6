"""Seconds of audio in answers: charged as they passed, from a hold that is extended ahead of them."""
import base64
import http.client
import json
import random
import threading
import time

from support.audio import AudioTest, wav
from support.http_stack import read_head


class Answers(AudioTest):
    def scripted_answer(self, script, kind="answers"):
        return self.script(script).replace("/scripted/", f"/{kind}/")

    @staticmethod
    def pieces(count, seconds=1, rate=8000):
        """A WAV of unknown size, piece by piece."""
        yield wav(0, rate, declared=0xFFFFFFFF)
        for _ in range(count):
            yield b"\x80" * int(seconds * rate)

    @classmethod
    def stream(cls, pieces, fields="", pause=0):
        def send(connection, request):
            connection.read_body(request)
            connection.send(f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode())
            for piece in pieces:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(pause)
            connection.send(b"0\r\n\r\n")
        return send

    def test_what_is_spoken_is_charged(self):
        self.assertEqual(self.speak(12.25).status, 200)
        self.assert_charged(13)

    def test_a_stream_that_outruns_its_hold_is_not_held_up(self):
        """A hundred times as fast as speech, from a hold of one second: the pauses between pieces are those of the
        upstream."""
        seconds, pieces, pause_ms = 600, 200, 10

        def longest_gap(address, key):
            host, port = address.split(":")
            connection = http.client.HTTPConnection(host, int(port), timeout=30)
            connection.request("POST", "/v1/audio/speech", json.dumps({"input": "x", "response_format": "mp3"}),
                               {"Content-Type": "application/json", "Authorization": f"Bearer {key}",
                                "x-sample-seconds": str(seconds), "x-sample-chunks": str(pieces),
                                "x-sample-delay-ms": str(pause_ms)})
            reply, last, gaps, size = connection.getresponse(), time.monotonic(), [], 0
            while piece := reply.read1(1 << 20):
                now = time.monotonic()
                gaps.append(now - last)
                last, size = now, size + len(piece)
            connection.close()
            return sorted(gaps)[len(gaps) * 95 // 100], size
        for attempt in range(1, 4):  # a busy machine adds pauses of its own: not three times, and only here
            self.customer(1000 * attempt)
            direct, size = longest_gap(self.upstream.address, "none")
            through, through_size = longest_gap(self.tollgate.address, self.key)
            self.assertEqual(size, through_size)
            self.assert_charged(seconds)
            extended = [entry for entry in self.tollgate.admin.ledger(self.org) if entry["type"] == "extend"]
            # Doubled each time, but by a minute at most, and the rest is given back at the end.
            self.assertTrue(2 <= len(extended) <= 20, f"{len(extended)} steps")
            if through < direct + 0.01:
                break
        self.assertLess(through, direct + 0.01)

    def test_beyond_the_credits_it_is_finished_and_is_overage(self):
        self.customer(20)
        reply = self.speak(50)
        self.assertEqual(len(reply.body), 50 * 24_000 * 2)
        self.assert_charged(50)
        self.assertEqual(self.tollgate.admin.balance(self.org)["available"], -30)
        self.assert_refused(self.speak(1), 402, "insufficient_credits")
        self.tollgate.verify()

    def test_or_it_is_cut_where_the_route_says_so(self):
        self.customer(20)
        path = self.scripted_answer(self.stream(self.pieces(50), pause=0.01), "cut")
        with self.assertRaises(http.client.IncompleteRead) as broken:
            self.speak(0, path)
        received = len(broken.exception.partial) - 44
        self.assertEqual(self.settled_balance(self.tollgate, self.org)["settled"], 20)
        self.assertEqual(received // 8000, 20)

    def test_events_that_are_cut_say_why(self):
        self.customer(5)

        def events():
            for piece in self.pieces(30):
                delta = {"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()}
                yield f"data: {json.dumps(delta)}\n\n".encode()
        path = self.scripted_answer(
            self.stream(events(), "Content-Type: text/event-stream\r\n", pause=0.01), "cut")
        reply = self.speak(0, path)
        last = reply.body.decode().strip().split("\n\n")[-1]
        self.assertTrue(last.startswith("event: error\ndata: "), last[:80])
        self.assertEqual(json.loads(last.partition("data: ")[2])["error"]["code"], "insufficient_credits")
        self.assert_charged(5)

    def test_the_charge_comes_in_a_trailer_for_who_can_read_it(self):
        for te, expected in (("TE: trailers", b"X-Credits-Charged: 13"), ("X-Nothing: 1", None)):
            connection = self.connect()
            body = b'{"input":"x","response_format":"opus"}'
            fields = [te, "Connection: TE"] if expected else [te]
            connection.send(self.head("POST", "/v1/audio/speech", "Content-Type: application/json",
                                      "x-sample-seconds: 12.5", f"Content-Length: {len(body)}",
                                      *fields) + body)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += connection.reader.read(1)
            self.assertNotIn(b"X-Credits-Charged: ", head)
            self.assertEqual(b"Trailer: X-Credits-Charged" in head, expected is not None)
            while size := int(connection.reader.readline(), 16):
                connection.reader.read(size + 2)
            trailers = []
            while line := connection.reader.readline().strip():
                trailers.append(line)
            self.assertEqual(trailers, [expected] if expected else [])
        self.assert_charged(26)

    def test_a_length_gives_way_to_a_trailer(self):
        def whole(connection, request):
            connection.read_body(request)
            connection.reply(wav(3))
        path = self.scripted_answer(whole)
        connection = self.connect()
        connection.send(self.head("POST", path, "TE: trailers", "Connection: TE", "Content-Length: 0"))
        reply = connection.read_reply()
        self.assertEqual((reply.headers.get("transfer-encoding"), reply.body), ("chunked", wav(3)))
        self.assert_charged(3)

    def test_an_answer_that_breaks_off_is_charged_as_far_as_it_came(self):
        self.break_off_after(wav(4)[:-1])
        self.assert_charged(4)

    def break_off_after(self, body, fields=b""):
        """Resets once the client has all of it: a reset would overtake bytes that are still in transit."""
        came = threading.Event()

        def broken(connection, request):
            connection.read_body(request)
            connection.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 1000000\r\n\r\n" + body)
            came.wait(10)
            connection.reset()
            return True
        connection = self.connect()
        connection.send(self.head("POST", self.scripted_answer(broken), "Content-Length: 0"))
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 200 OK")
        self.assertEqual(connection.reader.read(len(body)), body)
        came.set()
        self.assertTrue(connection.is_closed_by_peer())

    def test_events_that_break_off_are_charged_as_far_as_they_came(self):
        """The counted usage is not replaced by an estimate because an event is incomplete."""
        delta = json.dumps({"type": "speech.audio.delta", "audio": base64.b64encode(b"".join(
            self.pieces(4))).decode()})

        half = delta[:len(delta) // 2]
        complete = len(half.partition('"audio": "')[2]) // 4 * 3  # bytes of samples, of the second
        self.break_off_after(f"data: {delta}\n\ndata: {half}".encode(), b"Content-Type: text/event-stream\r\n")
        self.assert_charged(-(-(4 * 8000 + complete) // 8000))

    def test_an_answer_is_not_asked_for_in_a_coding_that_cannot_be_read(self):
        asked = []

        def whole(connection, request):
            asked.extend(connection.read_body(request).values("accept-encoding"))
            connection.reply(wav(3))
        self.assertEqual(self.speak(0, self.scripted_answer(whole), **{"Accept-Encoding": "br"}).status, 200)
        self.assertEqual(asked, ["identity"])

    def test_an_answer_is_asked_for_whole(self):
        """Without its beginning the length of audio cannot be known."""
        asked = []

        def whole(connection, request):
            head = connection.read_body(request)
            asked.extend(head.values(name) for name in ("range", "if-range", "accept_encoding", "accept-encoding"))
            connection.reply(wav(3))
        fields = {"Range": "bytes=44-", "If-Range": '"x"', "Accept_Encoding": "br"}
        self.assertEqual(self.speak(0, self.scripted_answer(whole), **fields).status, 200)
        self.assertEqual(asked, [[], [], [], ["identity"]])
        self.assert_charged(3)

    def test_a_client_that_leaves_pays_for_what_it_got(self):
        gone = threading.Event()

        def endless(connection, request):
            connection.read_body(request)
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in self.pieces(3):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            gone.wait(10)
            connection.wait_closed()
            return True
        connection = self.connect()
        connection.send(self.head("POST", self.scripted_answer(endless), "Content-Length: 0"))
        got = 0
        while got < 3 * 8000:
            got += len(connection.socket.recv(65536))
        time.sleep(0.2)
        connection.reset()
        gone.set()
        self.assert_charged(3)

    def test_an_answer_that_cannot_be_measured_is_charged_by_its_size(self):
        def noise(connection, request):
            connection.read_body(request)
            connection.reply(random.Random(5).randbytes(80_001))  # 64 kbit/s: 10.000125 s
        self.assertEqual(self.speak(0, self.scripted_answer(noise)).status, 200)
        self.assert_charged(11)

    def test_refusals_of_the_upstream_cost_nothing(self):
        self.assertEqual(self.speak(9, **{"x-sample-status": "429"}).status, 429)
        self.assert_charged(0)

    def test_a_format_without_a_container_is_told_by_its_type(self):
        def raw(connection, request):
            connection.read_body(request)
            connection.reply(b"\x01\x02" * 16_000 * 3, fields="Content-Type: audio/L16;rate=16000\r\n")
        self.assertEqual(self.speak(0, self.scripted_answer(raw)).status, 200)
        self.assert_charged(3)


del AudioTest  # prevents unittest from collecting it
