"""The cost of a call that ends while the upstream works on it: because the client leaves, a drain runs out, or a
sidecar is killed and restarted. All three cost the same, by the route's settlement."""
import json
import threading
import time
from pathlib import Path

from support.audio import SPEECH, UPLOAD, wav
from support.http import RawConnection
from support.process import wait_until
from support.scripted_upstream import ScriptedUpstream
from support.stack import StackTest
from support.tollgate import RATES, Tollgate, configuration, route

RATE = 8000  # of the answers' samples, of 8 bits
TEXT = json.dumps({"input": "x" * 150}).encode()  # takes ten seconds to speak
JSON = "Content-Type: application/json"
ESTIMATE = {"estimate": {"characters": "/input", "at_least": "3s"}}


class Case:
    """One organization with one call that does not end by itself."""

    def __init__(self, name, path, body, costs, content_type=JSON, announced=0, waits_for=None):
        self.org, self.path, self.body, self.costs = name, path, body, costs
        self.content_type, self.announced, self.waits_for = content_type, announced, waits_for

    def request(self, key):
        size = self.announced or len(self.body)
        return (f"POST {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{self.content_type}\r\n"
                f"Content-Length: {size}\r\n\r\n").encode() + self.body


def cases():
    """The upstream has all of the request, and its answer has not begun: waiting. `void` is a route on which that costs
    nothing."""
    sound = "Content-Type: audio/wav"
    return [
        Case("call", "/call/waits", b"{}", 10),
        Case("call-void", "/void-call/waits", b"{}", 0),
        Case("call-early", "/call/early", b"{}", 0, announced=9),
        Case("speech", "/speech/waits", TEXT, 10),
        Case("speech-untold", "/speech/waits", b"{}", 3),
        Case("speech-without-text", "/plain/waits", b"{}", 1),
        Case("speech-void", "/void-speech/waits", TEXT, 0),
        Case("speech-begun", "/speech/begun", TEXT, 10, waits_for=(b"\r\n\r\n", 1)),
        Case("speech-head-of-file", "/speech/silent", TEXT, 10, waits_for=(b"data", 1)),
        Case("speech-of-two-seconds", "/speech/two", TEXT, 2, waits_for=(b"\x80", 2 * RATE)),
        Case("speech-that-is-none", "/speech/text", TEXT, 20, waits_for=(b"~", 160_000)),  # by its size
        Case("upload", "/upload/waits", wav(4), 4, sound),
        Case("upload-void", "/void-upload/waits", wav(4), 0, sound),
        Case("upload-early", "/upload/early", wav(4, declared=400 * RATE), 0, sound, announced=400 * RATE + 44),
    ]


class Leaving(StackTest):
    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1].removeprefix("test_")
        self.over = threading.Event()
        self.upstreams = self.start(ScriptedUpstream({
            "waits": self.take(b""), "early": self.take_nothing, "begun": self.take(b"", begins=True),
            "silent": self.take(wav(0, declared=0xFFFFFFFF)),
            "text": self.take(b"~" * 160_000),
            "two": self.take(wav(0, declared=0xFFFFFFFF) + b"\x80" * (2 * RATE))}))
        self.addCleanup(self.over.set)
        void = {"settlement": {"client_gone_waiting": "void"}}

        def scripted(name, rate, **more):
            return {**route(name, rate, {"path": f"/{name}/*"}, **more), "upstream": "scripted"}
        self.config = configuration(
            self.redis.url, self.upstream.address, journal=str(Path(self.directory) / f"{self.name}.journal"),
            timeouts={"drain": "100ms"}, rates={**RATES, "call": {"credits": 10, "per": "request"},
                                                "tts": SPEECH, "stt": UPLOAD},
            upstreams={"sample": {"url": f"http://{self.upstream.address}"},
                       "scripted": {"url": f"http://{self.upstreams.address}"}},
            routes=[scripted("call", "call"), scripted("void-call", "call", **void),
                    scripted("plain", "tts"), scripted("speech", "tts", audio=ESTIMATE),
                    scripted("void-speech", "tts", audio=ESTIMATE, **void),
                    scripted("upload", "stt"), scripted("void-upload", "stt", **void)])

    def take(self, body, begins=False):
        def script(connection, request):
            connection.read_body(request)
            if body or begins:
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nTransfer-Encoding: chunked\r\n\r\n")
            if body:
                connection.send(b"%x\r\n%s\r\n" % (len(body), body))
            self.over.wait(60)
            return True
        return script

    def take_nothing(self, connection, _request):
        self.over.wait(60)
        return True

    def check(self, end_by):
        tollgate = self.start(Tollgate(self.directory, self.config, self.name))
        connections = []
        for case in cases():
            case.org = f"{self.name}-{case.org}".replace("_", "-")
            key = tollgate.admin.new_customer(case.org, credits=1000)
            connection = RawConnection(tollgate.address, timeout=20)
            self.addCleanup(connection.close)
            connection.send(case.request(key))
            connections.append((case, connection))
        wait_until(lambda: len(self.upstreams.requests) == len(connections), "all calls to arrive")
        for case, connection in connections:
            answer = b""
            while case.waits_for and answer.count(case.waits_for[0]) < case.waits_for[1]:
                answer += connection.socket.recv(65536)
        time.sleep(0.2)  # received bytes are recorded, and the last bytes of requests have been sent
        end_by(tollgate, [connection for _, connection in connections])
        if not tollgate.running():
            was_killed = tollgate.popen.returncode < 0
            tollgate = self.start(Tollgate(self.directory, self.config, f"{self.name}-again"))
            if was_killed:
                wait_until(lambda: "settled (" in tollgate.log(), "the journal to be settled")
        self.assertEqual({case.org: self.settled_balance(tollgate, case.org)["settled"] for case, _ in connections},
                         {case.org: case.costs for case, _ in connections})
        tollgate.verify()

    def test_clients_leave(self):
        self.check(lambda _, connections: [each.reset() for each in connections])

    def test_the_drain_runs_out(self):
        self.check(lambda tollgate, _: tollgate.stop(any_status=True))

    def test_the_sidecar_is_killed(self):
        self.config["holds"] = {"timeout": "2s", "sweep_every": "200ms"}
        self.check(lambda tollgate, _: tollgate.kill())
