"""Uploads whose index is at the end: kept in a file, read a second time, and sent from it."""
import base64
import gzip
import json
import os
import re
import select
import subprocess
import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path

from support.audio import AudioTest, form, m4a, wav
from support.process import wait_until
from support.tollgate import BINARY

MIB = 1024 * 1024


class Spool(AudioTest):
    spool_directory = None
    plans = {**AudioTest.plans, "slow": {"credits": 0, "requests": {"per_minute": 1, "burst": 1}}}

    @classmethod
    def setUpClass(cls):
        cls.spool_directory = tempfile.mkdtemp(prefix="tollgate-spool-")
        super().setUpClass()

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        os.rmdir(cls.spool_directory)  # shows that it was empty

    @classmethod
    def start_tollgate(cls, **changes):
        spool = {"directory": cls.spool_directory, "upload": "16MiB", "total": "20MiB"}
        return super().start_tollgate(audio={"spool": spool}, **changes)

    def taken(self, bodies, path="uploads"):
        """A path whose upstream keeps each body that it received completely."""
        def take(connection, request):
            connection.read_body(request)
            bodies.append(request.body)
            connection.reply(b'{"text":"Hi."}')
        return self.script(take).replace("/scripted/", f"/{path}/")

    def test_an_index_at_the_end_of_a_long_file(self):
        self.customer(2000)
        bodies, body = [], m4a(320)
        self.assertGreater(len(body), 1_500_000)
        reply = self.upload(body, "audio/mp4", self.taken(bodies))
        self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, "320"))
        self.assertEqual(bodies, [body])
        self.assert_charged(320)

    def test_every_form_of_upload(self):
        self.customer(2000)
        audio, bodies = m4a(96), []
        body, content_type = form(("model", "whisper-1"), ("file", audio), ("language", "en"))
        self.assertEqual(self.upload(body, content_type, self.taken(bodies)).status, 200)
        packed = gzip.compress(audio, 0)  # stored: no compression
        self.assertEqual(self.upload(packed, "audio/mp4", self.taken(bodies),
                                     **{"Content-Encoding": "gzip"}).status, 200)
        document = json.dumps({"input": {"audio": base64.b64encode(audio).decode()}}).encode()
        self.assertEqual(self.upload(document, "application/json", self.taken(bodies, "base64")).status, 200)
        self.assertEqual(bodies, [body, packed, document])
        self.assert_charged(3 * 96)

    def test_chunks_of_any_size(self):
        self.customer(1000)
        bodies, body = [], m4a(96)
        connection = self.connect()
        connection.send(self.head("POST", self.taken(bodies), "Content-Type: audio/mp4",
                                  "Transfer-Encoding: chunked"))
        for size in (1, 7, 300_000, 70_000, len(body)):
            piece, body = body[:size], body[size:]
            if piece:
                connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        self.assertEqual(connection.read_reply().status, 200)
        self.assertEqual(bodies, [m4a(96)])
        self.assert_charged(96)

    def send_in_parts(self, connection, parts):
        """Sends each part separately: Tollgate has one thread, so it answers a request sent after a part only once it
        has read that part."""
        for part in parts:
            connection.send(part)
            self.bystander.send(self.question)
            self.assertEqual(self.bystander.read_reply().status, 200)

    def begin_parts(self):
        """The bystander has an organization of its own."""
        self.customer(10_000)
        self.bystander, self.question = self.connect(), self.head("GET", "/sample/echo/x")
        self.customer(1_000_000)

    def upload_in_parts(self, connection, content_type, parts, chunked):
        size = sum(map(len, parts))
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        if chunked:
            parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts if part] + [b"0\r\n\r\n"]
        connection.send(self.head("POST", "/v1/audio/transcriptions", f"Content-Type: {content_type}", framing))
        self.send_in_parts(connection, [part for part in parts if part])
        return connection.read_reply()

    def test_cut_anywhere(self):
        """TCP may cut the end of an upload anywhere: its index, the part after it, the form's end, the last chunk."""
        self.begin_parts()
        connection = self.connect()
        memo = m4a(8)
        free = memo + b"\0\0\0\x10free" + bytes(8)
        uploads = [(memo, "audio/mp4"), (free, "audio/mp4"),
                   form(("model", "whisper-1"), ("file", memo), ("language", "en")), form(("file", memo))]
        seconds = 0
        for body, content_type in uploads:
            for cut in range(len(body) - 1024, len(body) + 1):
                reply = self.upload_in_parts(connection, content_type, (body[:cut], body[cut:]), chunked=True)
                self.assertEqual((reply.status, cut, content_type), (200, cut, content_type), reply.body)
                seconds += 8
        # The same if it is longer than the part kept in memory.
        memo = m4a(96)
        for body, content_type in ((memo, "audio/mp4"), form(("file", memo), ("model", "whisper-1"))):
            for cut in (*range(len(body) - 1024, len(body), 64), *range(len(body) - 160, len(body) + 1, 8)):
                for chunked in (True, False):
                    reply = self.upload_in_parts(connection, content_type, (body[:cut], body[cut:]), chunked)
                    self.assertEqual((reply.status, cut, chunked), (200, cut, chunked), reply.body)
                    seconds += 96
        self.assert_charged(seconds)

    def test_as_node_sends_a_form(self):
        """fetch of Node with FormData: every head, value and end separately, in chunks or of a known length."""
        self.begin_parts()
        memo, edge = m4a(96), b"--formdata-undici-0123456789\r\nContent-Disposition: form-data; "
        parts = (edge + b'name="file"; filename="memo.m4a"\r\nContent-Type: audio/mp4\r\n\r\n', memo, b"\r\n",
                 edge + b'name="model"\r\n\r\nwhisper-1\r\n', b"--formdata-undici-0123456789--\r\n")
        for chunked in (True, False):
            reply = self.upload_in_parts(self.connect(), "multipart/form-data; boundary=formdata-undici-0123456789",
                                         parts, chunked)
            self.assertEqual(reply.status, 200, reply.body)
        self.assert_charged(2 * 96)

    def test_what_is_in_the_samples_counts(self):
        self.customer(1000)
        body = m4a(320, blocks_a_sample=8, bytes_a_sample=1000)  # 625 samples that claim 64 ms
        self.assertGreater(len(body), 256 * 1024)
        self.assertEqual(self.upload(body, "audio/mp4", self.taken([])).status, 200)
        self.assert_charged(320)
        # The same if it fits into memory, and if the index is at the front.
        for other in (m4a(32, blocks_a_sample=8), m4a(320, 8, 1000, index_first=True)):
            self.assertEqual(self.upload(other, "audio/mp4", self.taken([])).status, 200)
        self.assert_charged(320 + 32 + 320)

    def test_the_command_says_the_same(self):
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "memo.m4a"
            file.write_bytes(m4a(320, blocks_a_sample=8, bytes_a_sample=1000))
            for how in ([str(file)], ["-"]):
                done = subprocess.run([BINARY, "meter", "--json", *how], stdin=file.open("rb"), cwd=directory,
                                      capture_output=True, text=True, check=True)
                self.assertEqual(json.loads(done.stdout)["seconds"], 320)

    def test_all_of_it_is_held_before_the_upstream_gets_any(self):
        self.customer(95)
        before = len(self.scripted.requests)
        reply = self.upload(m4a(96), "audio/mp4", self.taken([]))
        self.assert_refused(reply, 402, "insufficient_credits")
        self.assertEqual(len(self.scripted.requests), before)
        self.assert_charged(0)

    def test_larger_than_is_kept(self):
        self.customer(10_000)
        large = m4a(640, bytes_a_sample=2000)
        self.assertGreater(len(large), 16 * MIB)
        self.assert_refused(self.upload(large, "audio/mp4", self.taken([])), 413, "body_too_large")
        self.assertEqual(self.upload(wav(3)).status, 200)
        # This limit does not apply to uploads that need not be kept.
        self.assertEqual(self.upload(m4a(640, 1, 2000, index_first=True), "audio/mp4", self.taken([])).status, 200)
        self.assert_charged(3 + 640)

    def test_a_route_that_refuses_nothing_estimates_it(self):
        self.customer(10_000)
        large, bodies = m4a(640, bytes_a_sample=2000), []
        self.assertEqual(self.upload(large, "audio/mp4", self.taken(bodies, "shadow")).status, 200)
        self.assertEqual(bodies, [large])

    def test_a_client_that_leaves_gives_its_room_back(self):
        body = m4a(320, bytes_a_sample=3000)  # 15 MB each: there is no room for another
        for _ in range(3):
            connection = self.connect()
            connection.send(self.head("POST", self.taken([]), "Content-Type: audio/mp4",
                                      f"Content-Length: {len(body)}") + body[:-5])
            time.sleep(0.2)
            connection.close()
        self.customer(1000)
        wait_until(lambda: self.upload(body, "audio/mp4", self.taken([])).status == 200, "room for an upload")
        self.assert_charged(320)

    def refused_before_the_end(self, body):
        """The answer to a caller that has sent only the beginning of an upload."""
        connection = self.connect()
        connection.send(self.head("POST", self.taken([]), "Content-Type: audio/mp4",
                                  f"Content-Length: {len(body)}") + body[:300_000])
        return connection.read_reply()

    def test_who_may_not_call_is_told_before_anything_is_kept(self):
        body = m4a(320, bytes_a_sample=3000)
        self.tollgate.admin.put_org(self.org, suspended=True)
        wait_until(lambda: self.tollgate.call("GET", "/sample/echo/x", self.key).status == 403, "the suspension")
        self.assert_refused(self.refused_before_the_end(body), 403, "org_suspended")
        self.org += "-poor"
        self.key = self.tollgate.admin.new_customer(self.org)
        self.assert_refused(self.refused_before_the_end(body), 402, "insufficient_credits")
        self.org += "-often"
        self.key = self.tollgate.admin.new_customer(self.org, credits=1000, plan="slow")
        self.assertEqual(self.tollgate.call("GET", "/sample/echo/x", self.key).status, 200)
        self.assert_refused(self.refused_before_the_end(body), 429, "rate_limited")
        self.assertEqual(self.settled_balance(self.tollgate, self.org)["settled"], Decimal("0.1"))

    def test_the_least_is_held_meanwhile(self):
        self.customer(1000)
        body = m4a(320, bytes_a_sample=3000)
        connection = self.connect()
        connection.send(self.head("POST", self.taken([]), "Content-Type: audio/mp4",
                                  f"Content-Length: {len(body)}") + body[:-5])
        wait_until(lambda: self.tollgate.admin.balance(self.org)["held"] == 1, "one second to be held")
        connection.send(body[-5:])
        reply = connection.read_reply()
        self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, "320"))
        self.assert_charged(320)

    def test_an_organization_takes_its_share_only(self):
        body = m4a(320, bytes_a_sample=2200)  # of 11 MB; the limit for one is 16
        self.customer(1000)
        connection = self.connect()
        connection.send(self.head("POST", self.taken([]), "Content-Type: audio/mp4",
                                  f"Content-Length: {len(body)}") + body[:-5])
        wait_until(lambda: self.tollgate.admin.balance(self.org)["held"] == 1, "the upload to be kept")
        refused = self.upload(body, "audio/mp4", self.taken([]))
        self.assert_refused(refused, 503, "overloaded")
        self.assertIn("of this organization", refused.json()["error"]["message"])
        org, key = self.org, self.key
        self.customer(1000)
        small = m4a(96, bytes_a_sample=2200)  # of 3.3 MB
        self.assertEqual(self.upload(small, "audio/mp4", self.taken([])).status, 200)
        connection.send(body[-5:])
        self.assertEqual(connection.read_reply().status, 200)
        self.assert_charged(96)
        self.org, self.key = org, key
        self.assert_charged(320)

    def test_when_others_take_all_room(self):
        body = m4a(320, bytes_a_sample=3000)
        waiting = self.connect()
        waiting.send(self.head("POST", self.taken([]), "Content-Type: audio/mp4",
                               f"Content-Length: {len(body)}") + body[:-5])
        time.sleep(0.5)
        reply = self.upload(body, "audio/mp4", self.taken([]))
        self.assert_refused(reply, 503, "overloaded")
        self.assertIn("retry-after", reply.headers)
        self.assertEqual(self.upload(wav(3)).status, 200)  # needs no room
        waiting.close()
        self.assert_charged(3)

    def test_memory_stays_what_it_was(self):
        self.customer(10_000)
        body = m4a(320, bytes_a_sample=3000)
        self.upload(body, "audio/mp4", self.taken([]))
        before = self.resident()
        for _ in range(3):
            self.assertEqual(self.upload(body, "audio/mp4", self.taken([])).status, 200)
        self.assertLess(self.resident() - before, 4 * MIB)

    def resident(self):
        status = Path(f"/proc/{self.tollgate.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def test_other_calls_go_on_meanwhile(self):
        """One thread: while a long upload is read again, other calls are answered."""
        self.customer(100_000)
        body, slowest = m4a(5 * 3600, bytes_a_sample=50), []
        upload = threading.Thread(target=lambda: self.upload(body, "audio/mp4", self.taken([])))
        upload.start()
        while upload.is_alive():
            began = time.monotonic()
            self.assertEqual(self.tollgate.call("GET", "/sample/echo/x", self.key).status, 200)
            slowest.append(time.monotonic() - began)
            time.sleep(0.01)
        upload.join()
        self.assertLess(max(slowest), 1.0)
        wait_until(lambda: self.settled_balance(self.tollgate, self.org)["settled"] >= 5 * 3600, "the charge")


class Slow(AudioTest):
    timeouts = {"client_body": "300ms"}  # for all of a kept upload, thirty times as much

    def test_an_upload_that_trickles_is_given_up(self):
        body = m4a(96)
        connection = self.connect()
        connection.send(self.head("POST", "/v1/audio/transcriptions", "Content-Type: audio/mp4",
                                  f"Content-Length: {len(body)}") + body[:-400])
        began = time.monotonic()
        for at in range(len(body) - 400, len(body)):  # each in time
            connection.send(body[at:at + 1])
            if select.select([connection.socket], [], [], 0.04)[0]:
                break
        self.assertGreater(time.monotonic() - began, 9)
        self.assert_refused(connection.read_reply(), 408, "request_timeout")
        self.assertEqual(self.upload(body, "audio/mp4").status, 200)
        self.assert_charged(96)


class WithoutADirectory(AudioTest):
    @classmethod
    def start_tollgate(cls, **changes):
        return super().start_tollgate(audio={"spool": {"directory": "/is/not/there"}}, **changes)

    def test_only_what_must_be_kept_is_refused(self):
        self.customer(1000)
        self.assert_refused(self.upload(m4a(96), "audio/mp4"), 503, "overloaded")
        self.assertEqual(self.upload(m4a(96, index_first=True), "audio/mp4").status, 200)
        self.assertEqual(self.upload(m4a(8), "audio/mp4").status, 200)  # short enough for memory
        self.assert_charged(96 + 8)


class SwitchedOff(AudioTest):
    @classmethod
    def start_tollgate(cls, **changes):
        return super().start_tollgate(audio={"spool": {"upload": 0}}, **changes)

    def test_long_files_with_a_late_index_are_refused(self):
        self.assert_refused(self.upload(m4a(96), "audio/mp4"), 415, "unmeasurable_audio")
        self.assertEqual(self.upload(m4a(8), "audio/mp4").status, 200)
        self.assert_charged(8)


del AudioTest  # prevents unittest from collecting it
