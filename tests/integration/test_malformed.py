"""Requests that two servers could read in two ways, and their results.

Every case is sent on a raw connection, by an organization of its own, through a Tollgate in front of
the sample upstream. A recorder between the two keeps every byte sent upstream. After each case

- the answers are those in the table, and the connection ended or continued as expected;
- the upstream got as many complete requests as the table says, however leniently its bytes are read;
- as many calls were settled, for the credits in the table, and no hold is left.
"""
import re
import time

from support import malformed_cases as cases
from support.http import RawConnection, call
from support.malformed_cases import KEY, OK
from support.process import wait_until
from support.scripted_upstream import Recorder
from support.stack import StackTest
from support.tollgate import ROUTES, route


def size_of_chunks(body):
    """The length up to the end of the last chunk and its trailers; more than the length of `body` if that is
    missing."""
    at = 0
    while line := re.match(rb"([0-9a-f]+)[^\n]*\n", body[at:]):
        size = int(line[1], 16)
        at += line.end() + size + 2
        if size == 0:
            trailers = re.match(rb"(?:[^\r\n]+\r\n)*\r\n", body[at - 2:])
            return at - 2 + trailers.end() if trailers else len(body) + 1
    return len(body) + 1


def requests_in(sent, ends_line=rb"\r\n", length_wins=False):
    """The number of complete requests that a server which reads `sent` in this way finds, and the remaining bytes."""
    whole = 0
    while match := re.search(ends_line + ends_line, sent):
        lines, rest = re.split(ends_line, sent[:match.start()]), sent[match.end():]
        fields = [line.partition(b":") for line in lines[1:]]
        named = {name.strip().lower().replace(b"_", b"-"): value.strip() for name, _, value in fields}
        size = int(re.sub(rb"\D", b"", named.get(b"content-length", b"")) or b"0")
        if b"chunked" in named.get(b"transfer-encoding", b"") and not (length_wins and size):
            size = size_of_chunks(rest)
        if size > len(rest):
            break
        whole, sent = whole + 1, rest[size:]
    return whole, sent


class Malformed(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recorder = cls.start(Recorder(cls.upstream.address))
        cls.tollgate = cls.start_tollgate(
            threads=1, limits={"head": "16KiB"}, timeouts={"client_head": "2s", "keep_alive": "5s"},
            upstreams={"sample": {"url": f"http://{cls.recorder.address}"}},
            routes=[route("priced", "gpt-4", {"path": "/v1/priced", "json": {"model": "gpt-4*"}}),
                    route("tier-by-query", "gpt-4", {"path": "/v1/tier", "query": {"tier": "gold"}}),
                    route("tier-by-field", "claude", {"path": "/v1/tier", "headers": {"X-Tier": "gold"}}),
                    *ROUTES])
        cls.numbers = iter(range(10_000))

    def run_all(self, table):
        for case in table:
            with self.subTest(case.name):
                self.run_case(case)

    def run_case(self, case):
        org = f"case-{next(self.numbers)}"
        key = self.tollgate.admin.new_customer(org, credits=1000)
        self.upstream.reset_stats()
        wait_until(self.recorder.at_rest, "the end of what came before")
        before = {number: len(sent) for number, sent in dict(self.recorder.sent).items()}
        with RawConnection(self.tollgate.address) as connection:
            self.send(connection, case.data.replace(KEY, key.encode()))
            if not case.leaves:
                for expected in case.answers:
                    self.expect_answer(connection, expected)
                self.expect_end(connection, case.ends)
        if case.leaves:
            self.wait_until_it_is_noticed()
        self.assert_books(case, org, before)

    def wait_until_it_is_noticed(self):
        """Tollgate has no connection left. Its gauges lag by a tick of 50 ms, so this checks twice."""
        for _ in range(2):
            time.sleep(0.1)
            wait_until(lambda: self.metric("tollgate_connections") == 0, "the connection is closed")

    def metric(self, name):
        lines = call(self.tollgate.admin.address, "GET", "/metrics").body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if re.match(name + r"[ {]", line))

    @staticmethod
    def send(connection, data):
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was refused before it was sent completely: the answer says so

    def expect_answer(self, connection, expected):
        reply = connection.read_reply()
        self.assertIsNotNone(reply, f"closed instead of {expected}")
        code = reply.error_code if reply.status >= 400 else None
        self.assertEqual((reply.status, code), expected, reply.body)

    def expect_end(self, connection, ends):
        if ends:
            self.assertTrue(connection.is_closed_by_peer(), "the connection goes on")
            return
        # The next request is read from its beginning: any byte left over would become part of it.
        connection.send(b"GET /in-step HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer in-step\r\n\r\n")
        self.expect_answer(connection, (401, "invalid_api_key"))

    def assert_books(self, case, org, before):
        balance = self.settled_balance(self.tollgate, org)
        wait_until(self.recorder.at_rest, "what was sent to be written down")
        wait_until(lambda: self.upstream.stats()["in_flight"] == 0, "the upstream is at rest")
        settled = [e for e in self.tollgate.admin.ledger(org) if e["type"] == "settle"]
        self.assertEqual(balance["settled"], case.credits)
        self.assertEqual(len(settled), case.requests)
        sent = {number: data[before.get(number, 0):] for number, data in dict(self.recorder.sent).items()}
        for reading in ({}, {"ends_line": rb"\r?\n"}, {"length_wins": True}):
            found = [requests_in(data, **reading) for data in sent.values()]
            self.assertEqual(sum(whole for whole, _ in found), case.requests, reading)
            if not case.leaves and case.answers[-1] == OK:
                self.assertEqual(b"".join(rest for _, rest in found), b"")

    def test_heads(self):
        self.run_all(cases.HEADS)

    def test_lengths(self):
        self.run_all(cases.LENGTHS)

    def test_smuggling(self):
        self.run_all(cases.SMUGGLING)

    def test_chunks(self):
        self.run_all(cases.CHUNKS)

    def test_targets(self):
        self.run_all(cases.TARGETS)

    def test_bodies(self):
        self.run_all(cases.BODIES)

    def test_credentials(self):
        self.run_all(cases.CREDENTIALS)

    def test_expectations(self):
        self.run_all(cases.EXPECTATIONS)

    def test_departures(self):
        self.run_all(cases.DEPARTURES)

    def test_the_books_hold_afterwards(self):
        self.tollgate.verify()

    def test_a_head_that_never_ends_is_not_waited_for(self):
        started = time.monotonic()
        with RawConnection(self.tollgate.address) as connection:
            connection.send(b"GET /sample/echo/x HTTP/1.1\r\nHost: te")
            self.assertTrue(connection.is_closed_by_peer())
        self.assertLess(time.monotonic() - started, 4)
