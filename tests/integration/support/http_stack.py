"""A Tollgate in front of the sample upstream and of scripted ones, for tests of HTTP itself."""
import random
import re
import time
import zlib
from decimal import Decimal

from .http import RawConnection
from .scripted_upstream import ScriptedUpstream
from .stack import StackTest
from .tollgate import ROUTES, route

PRICE = Decimal("0.1")  # of every scripted route
MIB = 1024 * 1024


class HttpTest(StackTest):
    """One Tollgate with one thread. Each test has an organization of its own, with 100 credits."""

    timeouts = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.scripts = {}
        cls.scripted = cls.start(ScriptedUpstream(cls.scripts))
        cls.tollgate = cls.start_tollgate(
            threads=1, timeouts=cls.timeouts, limits={"body": "64MiB"},
            upstreams={"sample": {"url": f"http://{cls.upstream.address}"},
                       "scripted": {"url": f"http://{cls.scripted.address}"},
                       **cls.more_upstreams()},
            routes=[route("scripted", "api", {"path": "/scripted/**"}, upstream="scripted"),
                    *cls.more_routes(), *ROUTES])

    @classmethod
    def more_upstreams(cls):
        return {}

    @classmethod
    def more_routes(cls):
        return []

    def setUp(self):
        self.org = self.id().split(".")[-1].replace("_", "-")[:60]
        self.key = self.tollgate.admin.new_customer(self.org, credits=100)
        self.scripted.requests.clear()
        self.scripted.failures.clear()

    def tearDown(self):
        self.assertEqual(self.scripted.failures, [])

    def script(self, function):
        """Makes the scripted upstream run `function` for the returned path."""
        name = f"{self.org}-{len(self.scripts)}"
        self.scripts[name] = function
        return f"/scripted/{name}"

    def connect(self):
        connection = RawConnection(self.tollgate.address, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def head(self, method, path, *fields, version="1.1"):
        lines = [f"{method} {path} HTTP/{version}", "Host: test", f"Authorization: Bearer {self.key}",
                 *fields]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def assert_charged(self, credits):
        self.assertEqual(self.settled_balance(self.tollgate, self.org)["settled"], credits)

    def assert_refused(self, reply, status, code):
        self.assertEqual((reply.status, reply.error_code), (status, code))

    def any_call(self, chance, number):
        """A call with a random body in a random framing, and that body."""
        path, size = f"/sample/echo/{number}", chance.choice((0, 1, 10, 5_000, 70_000, 300_000))
        body = chance.randbytes(size)
        framing = chance.randrange(3)
        if framing == 0 or size == 0:
            return self.head("GET", path), b""
        if framing == 1:
            return self.head("POST", path, f"Content-Length: {size}") + body, body
        pieces, at = [], 0
        while at < size:
            piece = body[at:at + chance.choice((1, 100, 10_000, 100_000))]
            pieces.append(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
            at += len(piece) if len(pieces) < 50 else size
        sent = b"".join(pieces)
        body = b"".join(re.sub(rb"^[0-9a-f]+;x=y\r\n", b"", piece)[:-2] for piece in pieces)
        return self.head("POST", path, "Transfer-Encoding: chunked") + sent + b"0\r\n\r\n", body

    def check_any_calls_in_any_pieces(self, connect, seeds):
        """Pipelined calls, split anywhere, arrive complete and in order."""
        for seed in range(seeds):
            with self.subTest(seed=seed):
                chance = random.Random(seed)
                calls = [self.any_call(chance, number) for number in range(8)]
                stream = b"".join(sent for sent, _ in calls)
                connection = connect()
                while stream:
                    size = chance.choice((1, 50, 3_000, 40_000, 200_000))
                    connection.send(stream[:size])
                    stream = stream[size:]
                    if chance.random() < 0.2:
                        time.sleep(0.001)
                for number, (_, body) in enumerate(calls):
                    echo = connection.read_reply().json()
                    self.assertEqual((echo["target"], echo["body_bytes"], echo["body_crc32"]),
                                     (f"/sample/echo/{number}", len(body), zlib.crc32(body)))
        self.assert_charged(seeds * 8 * PRICE)


def read_head(connection):
    """Status line and fields, unchanged, including interim answers."""
    lines = []
    while (line := connection.reader.readline().rstrip(b"\r\n")):
        lines.append(line.decode("latin-1"))
    return lines


def answering(body=b"ok", **more):
    def script(connection, request):
        connection.read_body(request)
        connection.reply(body, **more)
    return script
