"""Seconds of audio in uploads: held before the upstream has all of them."""
import base64
import gzip
import json
import random
import threading
import time

from support.audio import HOUR, AudioTest, form, wav
from support.process import wait_until


class Uploads(AudioTest):
    def received(self, complete):
        """A path whose upstream records how much of each body arrived, and whether it was complete."""
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
        for kind in ("base64", "by-model"):  # the body of one is read to find its route, the other's is not
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

    def while_it_is_processed(self, seconds, look):
        """Uploads that many seconds without announcing the end, and calls `look` while the upstream has all of it."""
        arrived, seen = threading.Event(), threading.Event()

        def process(connection, request):
            connection.read_body(request)
            arrived.set()
            seen.wait(10)
            connection.reply(b'{"text":"Hi."}')
        connection, body = self.connect(), wav(seconds)
        connection.send(self.head("POST", self.script(process).replace("/scripted/", "/uploads/"),
                                  "Content-Type: audio/wav", "Transfer-Encoding: chunked"))
        for at in range(0, len(body), 8_000):
            connection.send(b"%x\r\n%s\r\n" % (len(body[at:at + 8_000]), body[at:at + 8_000]))
        connection.send(b"0\r\n\r\n")
        self.assertTrue(arrived.wait(10))
        look()
        seen.set()
        self.assertEqual(connection.read_reply().status, 200)

    def test_it_holds_little_more_than_it_costs(self):
        """Forty seconds and a chat of ten credits, with credits for both and at most twice the first."""
        self.customer(90)
        balance = lambda: self.tollgate.admin.balance(self.org)

        def look():
            wait_until(lambda: balance()["held"] == 40, "what is held beyond its price to be given back")
            self.assertEqual(self.tollgate.chat(self.key).status, 200)
        self.while_it_is_processed(40, look)
        self.assert_charged(50)
        extended = [entry for entry in self.tollgate.admin.ledger(self.org) if entry["type"] == "extend"]
        held = 1 + sum(entry["credits"] for entry in extended if entry["credits"] > 0)
        self.assertLessEqual(held, 80)
        self.tollgate.verify()

    def test_what_is_only_held_buys_nothing(self):
        self.org += "-plan"
        self.key = self.tollgate.admin.new_customer(
            self.org, plan="starter", auto_top_up={"threshold_credits": 19_960, "amount_usd": 10})
        self.while_it_is_processed(40, lambda: None)
        self.assert_charged(40)
        top_ups = lambda: self.tollgate.admin.top_ups(self.org)
        self.assertEqual(top_ups(), [])
        self.while_it_is_processed(1, lambda: None)
        self.assert_charged(41)
        self.assertEqual(len(top_ups()), 1)

    def test_the_last_byte_waits_for_its_credits(self):
        """The upstream has all of an upload except its end until the rest is held."""
        so_far, body = [], wav(300)

        def take(connection, request):
            connection.socket.settimeout(5)
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

    def test_a_content_type_in_other_letters_is_refused(self):
        """CGI and its successors treat these as the same, and in some the last one wins."""
        for field in ("Content_Type: multipart/form-data; boundary=x", "content_encoding: gzip"):
            reply_to = self.connect()
            reply_to.send(self.head("POST", "/v1/audio/transcriptions", "Content-Type: audio/wav", field,
                                    f"Content-Length: {len(wav(1))}") + wav(1))
            self.assertEqual(reply_to.read_reply().status, 400)
        self.assert_charged(0)

    def test_a_lenient_route_charges_by_size(self):
        path = self.received([]).replace("/uploads/", "/lenient/")
        self.assertEqual(self.upload(b"x" * 10_500, path=path).status, 200)  # 8 kbit/s
        self.assert_charged(11)
        self.assertEqual(self.upload(b"", path=path + "?url=x").status, 200)
        self.assert_charged(12)  # never zero

    def test_shadow_refuses_nothing(self):
        self.customer(5)
        path = self.received([]).replace("/uploads/", "/shadow/")
        self.assertEqual(self.upload(b"x" * 10_500, path=path).status, 200)  # 64 kbit/s: 1.3125 s
        self.assertEqual(self.upload(wav(300), path=path).status, 200)
        self.assert_charged(302)

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


del AudioTest  # prevents unittest from collecting it
