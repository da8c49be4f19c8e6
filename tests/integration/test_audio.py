"""Seconds of audio through the proxy: held before the upstream can use them, charged as they passed."""
import base64
import gzip
import http.client
import json
import random
import struct
import threading
import time
from decimal import Decimal

from support.http_stack import HttpTest
from support.process import wait_until
from support.tollgate import RATES, route

# Sixty credits a minute: a credit is a second, and figures can be read.
SPEECH = {"credits": 60, "per": "minute", "meter": "response_audio", "increment": "1s"}
UPLOAD = {"credits": 60, "per": "minute", "meter": "request_audio", "increment": "1s"}
HOUR = 3600


def wav(seconds, rate=8000, declared=None):
    """Silence: mono, 8 bit. `declared` is what the header claims instead of the truth."""
    samples = int(seconds * rate)
    size = samples if declared is None else declared
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE", b"fmt ", 16,
                       1, 1, rate, rate, 1, 8, b"data", size)
    return head + b"\x80" * samples


def form(*parts, boundary="b0undary"):
    """A multipart/form-data body of (name, content) pairs, and its content type."""
    body = b""
    for name, content in parts:
        extra = '; filename="a"\r\nContent-Type: application/octet-stream' if name == "file" else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
        body += (content if isinstance(content, bytes) else content.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class AudioTest(HttpTest):
    rates = {**RATES, "tts": SPEECH, "stt": UPLOAD}

    @classmethod
    def start_tollgate(cls, **changes):
        return super().start_tollgate(rates=cls.rates, **changes)

    @classmethod
    def more_routes(cls):
        def speech(name, path, **audio):
            return route(name, "tts", {"method": "POST", "path": path}, audio=audio)
        return [
            speech("speech", "/v1/audio/speech", estimate={"characters": "/input"}),
            route("upload", "stt", {"method": "POST", "path": "/v1/audio/**"}, dialect="openai"),
            {**speech("cut", "/cut/*", on_exhausted="cut"), "upstream": "scripted"},
            {**speech("answers", "/answers/*"), "upstream": "scripted"},
            {**route("uploads", "stt", {"path": "/uploads/*"}), "upstream": "scripted"},
            {**route("lenient", "stt", {"path": "/lenient/*"},
                     audio={"on_unmeasurable": "estimate", "bit_rate": 8000}), "upstream": "scripted"},
            {**route("base64", "stt", {"path": "/base64/*"}, audio={"json": "/input/audio"}),
             "upstream": "scripted"},
            {**route("base64-by-model", "stt", {"path": "/by-model/*", "json": {"model": "*"}},
                     audio={"json": "/input/audio", "on_unmeasurable": "estimate"}),
             "upstream": "scripted"},
            {**route("raw", "stt", {"path": "/raw/*"},
                     audio={"pcm": {"rate": 16000, "channels": 1, "bits": 16}}), "upstream": "scripted"},
        ]

    def customer(self, credits):
        self.org += f"-{credits}"
        self.key = self.tollgate.admin.new_customer(self.org, credits=credits)

    def speak(self, seconds, path="/v1/audio/speech", **headers):
        return self.tollgate.call("POST", path, self.key, {"input": "Hi.", "response_format": "pcm"}
                                  if path == "/v1/audio/speech" else {},
                                  {"x-sample-seconds": str(seconds), **headers})

    def upload(self, body, content_type="audio/wav", path=None, **headers):
        path = path or "/v1/audio/transcriptions"
        return self.tollgate.call("POST", path, self.key, body, {"Content-Type": content_type, **headers})


class Uploads(AudioTest):
    def received(self, complete):
        """A path whose upstream writes down how much of each body came, and whether it was all."""
        def take(connection, request):
            try:
                connection.read_body(request)
                length = int((request.values("content-length") or [len(request.body)])[0])
                complete.append(len(request.body) == length)
                connection.reply(b'{"text":"Hi."}')
            except (OSError, ValueError):
                complete.append(False)
                return True
        return self.script(take).replace("/scripted/", "/uploads/")

    def test_seconds_are_rounded_up_and_told_in_the_head(self):
        body, content_type = form(("model", "whisper-1"), ("file", wav(7.2)))
        reply = self.upload(body, content_type)
        self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, "8"))
        self.assertEqual(reply.headers["x-credits-remaining"], "92")
        self.assert_charged(8)

    def test_what_the_type_says_changes_nothing(self):
        for content_type in ("audio/wav", "audio/mpeg", "application/octet-stream", "video/mp4"):
            self.assertEqual(self.upload(wav(3), content_type).status, 200)
        self.assert_charged(12)

    def test_a_header_that_claims_less_changes_nothing(self):
        self.assertEqual(self.upload(wav(5, declared=0)).status, 200)
        self.assertEqual(self.upload(wav(5, declared=0xFFFFFFFF)).status, 200)
        self.assert_charged(10)

    def test_a_long_upload_in_any_slices(self):
        chance = random.Random(7)
        body, content_type = form(("file", wav(60)), ("model", "whisper-1"))
        connection = self.connect()
        connection.send(self.head("POST", "/v1/audio/transcriptions", f"Content-Type: {content_type}",
                                  "Transfer-Encoding: chunked"))
        while body:
            size = chance.choice((1, 2, 100, 5_000, 70_000))
            connection.send(b"%x\r\n%s\r\n" % (len(body[:size]), body[:size]))
            body = body[size:]
        connection.send(b"0\r\n\r\n")
        reply = connection.read_reply()
        self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, "60"))
        self.assert_charged(60)

    def test_a_compressed_upload(self):
        reply = self.upload(gzip.compress(wav(30)), **{"Content-Encoding": "gzip"})
        self.assertEqual(reply.status, 200)
        self.assert_charged(30)

    def test_audio_in_json(self):
        body = {"model": "x", "input": {"audio": base64.b64encode(wav(9)).decode()}}
        for kind in ("base64", "by-model"):  # one is read to find its route, the other is not
            path = self.received([]).replace("/uploads/", f"/{kind}/")
            self.assertEqual(self.upload(json.dumps(body).encode(), "application/json", path).status, 200)
        self.assert_charged(18)

    def test_a_rate_that_a_caller_claims_is_not_believed(self):
        path = self.received([]).replace("/uploads/", "/raw/")
        for claim in ("audio/L16;rate=4294967295", "audio/L16;rate=192000;channels=8", "audio/pcm"):
            self.assertEqual(self.upload(b"\x01\x00" * 32_000, claim, path).status, 200)
        self.assert_charged(6)

    def test_nothing_of_a_refused_upload_is_taken_for_a_next_request(self):
        self.customer(1)
        hidden = b"GET /sample/echo/smuggled HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + \
            self.key.encode() + b"\r\n\r\n"
        for refused, status in ((wav(300) + hidden, 402), (b"noise" * 100_000 + hidden, 415)):
            connection = self.connect()
            connection.send(self.head("POST", "/v1/audio/transcriptions", "Content-Type: audio/wav",
                                      "Transfer-Encoding: chunked"))
            for piece in (refused[:-len(hidden)], hidden):
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.send(b"0\r\n\r\n")
            self.assertEqual(connection.read_reply().status, status)
            self.assertTrue(connection.is_closed_by_peer())
        self.assertNotIn("/sample/echo/smuggled", json.dumps(self.upstream.stats()["by_path"]))
        self.assert_charged(0)

    def test_an_upstream_that_answers_early_gets_all_of_it(self):
        bodies, body = [], wav(40)

        def early(connection, request):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            bodies.append(connection.read_body(request).body)
            connection.send(b"0\r\n\r\n")
        connection = self.connect()
        connection.send(self.head("POST", self.script(early).replace("/scripted/", "/uploads/"),
                                  f"Content-Length: {len(body)}") + body[:300_000])
        time.sleep(0.3)
        connection.send(body[300_000:])
        self.assertEqual(connection.read_reply().body, b"hello")
        self.assertEqual(bodies, [body])
        self.assert_charged(40)

    def test_an_upload_is_not_repeated_without_its_body(self):
        def once(connection, request):
            connection.read_body(request)
            if len(bodies) == 0:
                connection.reply()
            bodies.append(request.body)
            return len(bodies) > 1  # the second call on this connection gets no answer
        bodies, body = [], wav(40)
        path = self.script(once).replace("/scripted/", "/uploads/")
        call = lambda: self.tollgate.call("PUT", path, self.key, body, {"Content-Type": "audio/wav"})
        self.assertEqual(call().status, 200)
        self.assertEqual(call().status, 502)
        self.assertEqual(bodies, [body, body])
        self.assert_charged(40)

    def test_to_the_last_credit(self):
        self.customer(9)
        self.assertEqual(self.upload(wav(9)).status, 200)
        self.assert_charged(9)
        self.customer("8.999999")
        self.assert_refused(self.upload(wav(9)), 402, "insufficient_credits")
        self.assert_charged(0)

    def test_two_hours_with_credits_for_one(self):
        self.customer(HOUR)
        complete = []
        path = self.received(complete)
        reply = self.upload(wav(2 * HOUR, rate=4000), path=path)
        self.assert_refused(reply, 402, "insufficient_credits")
        self.assert_charged(0)
        self.assertNotIn(True, complete)
        self.assertEqual(self.upload(wav(HOUR, rate=4000), path=path).status, 200)
        self.assertIn(True, complete)
        self.assert_charged(HOUR)

    def test_a_long_upload_as_a_form_is_refused_before_its_end(self):
        self.customer(HOUR)
        body, content_type = form(("model", "whisper-1"), ("file", wav(2 * HOUR, rate=4000)))
        self.assert_refused(self.upload(body, content_type), 402, "insufficient_credits")
        self.assert_charged(0)

    def test_the_last_byte_waits_for_its_credits(self):
        """The upstream has all of an upload but its end, for as long as the rest is not held."""
        so_far, body = [], wav(300)

        def take(connection, request):
            connection.socket.settimeout(1.5)
            got = b""
            try:
                while data := connection.socket.recv(65536):
                    got += data
            except OSError:
                pass
            so_far.append(len(got))
            return True
        path = self.script(take).replace("/scripted/", "/uploads/")
        self.assert_refused(self.upload(body, path=path), 402, "insufficient_credits")
        wait_until(lambda: so_far, "the upstream's connection to end")
        self.assertLess(so_far[0], len(body))
        self.assert_charged(0)

    def test_what_is_no_audio_is_refused_before_the_upstream_sees_it(self):
        before = self.upstream.stats()["requests"]
        chance = random.Random(3)
        for body, content_type in ((chance.randbytes(400_000), "audio/mpeg"), (b"hello", "audio/wav"),
                                   (b"", "audio/wav"), (wav(0), "audio/wav"),
                                   form(("model", "whisper-1")),
                                   form(("file", wav(1)), ("file", wav(20))),
                                   form(("file", b"no audio")),
                                   (wav(1), "multipart/form-data"),
                                   (wav(1), "multipart/form-data; boundary=x")):
            reply = self.upload(body, content_type)
            self.assert_refused(reply, 415, "unmeasurable_audio")
            self.assertEqual(reply.headers.get("x-credits-charged", "0"), "0")
        self.assertEqual(self.upstream.stats()["requests"], before)
        self.assert_charged(0)

    def test_an_unknown_coding_is_refused(self):
        reply = self.upload(wav(1), **{"Content-Encoding": "br"})
        self.assert_refused(reply, 415, "unmeasurable_audio")
        self.assert_charged(0)

    def test_two_content_types_are_refused(self):
        connection = self.connect()
        connection.send(self.head("POST", "/v1/audio/transcriptions", "Content-Type: audio/wav",
                                  "Content-Type: multipart/form-data; boundary=x",
                                  "Content-Length: 5") + b"hello")
        self.assertEqual(connection.read_reply().status, 400)
        self.assert_charged(0)

    def test_a_lenient_route_charges_by_size(self):
        path = self.received([]).replace("/uploads/", "/lenient/")
        self.assertEqual(self.upload(b"x" * 10_500, path=path).status, 200)  # 8 kbit/s
        self.assert_charged(11)

    def test_a_refusal_of_the_upstream_costs_nothing(self):
        self.assertEqual(self.upload(wav(9), **{"x-sample-status": "500"}).status, 500)
        self.assert_charged(0)

    def test_a_client_that_leaves_in_its_upload_pays_nothing(self):
        connection = self.connect()
        body = wav(60)
        connection.send(self.head("POST", "/v1/audio/transcriptions", "Content-Type: audio/wav",
                                  f"Content-Length: {len(body)}") + body[:-5])
        time.sleep(0.3)
        connection.close()
        self.assert_charged(0)

    def test_a_websocket_cannot_be_counted(self):
        connection = self.connect()
        connection.send(self.head("GET", "/uploads/x", "Connection: upgrade", "Upgrade: websocket",
                                  "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
        self.assertEqual(connection.read_reply().status, 415)
        self.assert_charged(0)


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
        """A hundred times as fast as it is spoken, from a hold of one second: the pauses between pieces
        are those of the upstream."""
        self.customer(1000)
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
        direct, size = longest_gap(self.upstream.address, "none")
        through, through_size = longest_gap(self.tollgate.address, self.key)
        self.assertEqual(size, through_size)
        self.assertLess(through, direct + 0.01)
        self.assert_charged(seconds)
        extended = [entry for entry in self.tollgate.admin.ledger(self.org) if entry["type"] == "extend"]
        self.assertTrue(2 <= len(extended) <= 10, f"{len(extended)} steps")

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
        def broken(connection, request):
            connection.read_body(request)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + wav(4)[:-1])
            time.sleep(0.2)
            connection.reset()
            return True
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            self.speak(0, self.scripted_answer(broken))
        self.assert_charged(4)

    def test_events_that_break_off_are_charged_as_far_as_they_came(self):
        """What was counted is not replaced by a guess because an event is incomplete."""
        delta = json.dumps({"type": "speech.audio.delta", "audio": base64.b64encode(b"".join(
            self.pieces(4))).decode()})

        def broken(connection, request):
            connection.read_body(request)
            events = f"data: {delta}\n\ndata: {delta[:len(delta) // 2]}".encode()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                            b"Content-Length: 1000000\r\n\r\n" + events)
            time.sleep(0.2)
            connection.reset()
            return True
        with self.assertRaises((http.client.IncompleteRead, ConnectionResetError)):
            self.speak(0, self.scripted_answer(broken))
        charged = self.settled_balance(self.tollgate, self.org)["settled"]
        self.assertTrue(6 <= charged <= 7, charged)

    def test_an_answer_is_not_asked_for_in_a_coding_that_cannot_be_read(self):
        asked = []

        def whole(connection, request):
            asked.extend(connection.read_body(request).values("accept-encoding"))
            connection.reply(wav(3))
        self.assertEqual(self.speak(0, self.scripted_answer(whole), **{"Accept-Encoding": "br"}).status, 200)
        self.assertEqual(asked, ["identity"])

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
        connection.close()
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


del AudioTest, HttpTest  # not to be collected by themselves
