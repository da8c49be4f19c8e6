"""Bodies of any size in bounded memory, and events that are delivered as they arrive."""
import asyncio
import json
import re
import socket
import time
import zlib

from support.http import AsyncClient, RawConnection
from support.process import SANITIZED
from support.stack import StackTest

GIB = 1 << 30
MEMORY_LIMIT_KIB = 64 * 1024
STREAMS = 100 if SANITIZED else 1_000
INTERVAL_MS = 1_000
EVENTS = 5
SENT_US = re.compile(rb'"sample_sent_us":(\d+)')


class BigBodies(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate()
        cls.key = cls.tollgate.admin.new_customer("bulk", credits=100)

    def expect_little_memory(self):
        if not SANITIZED:  # memory used by a sanitizer does not count
            self.assertLess(self.tollgate.peak_memory_kib(), MEMORY_LIMIT_KIB)

    def upload(self, framing, encode):
        block = bytes(range(256)) * 4096  # 1 MiB
        crc = 0
        with RawConnection(self.tollgate.address, timeout=60) as connection:
            connection.send(f"PUT /sample/sink HTTP/1.1\r\nHost: test\r\n"
                            f"Authorization: Bearer {self.key}\r\n{framing}\r\n\r\n".encode())
            for _ in range(GIB // len(block)):
                connection.send(encode(block))
                crc = zlib.crc32(block, crc)
            connection.send(encode(b""))
            reply = connection.read_reply()
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.json(), {"bytes": GIB, "crc32": crc})
        self.expect_little_memory()

    def test_upload_of_declared_length(self):
        self.upload(f"Content-Length: {GIB}", lambda block: block)

    def test_chunked_upload(self):
        self.upload("Transfer-Encoding: chunked",
                    lambda block: b"%x\r\n%b\r\n" % (len(block), block))

    def test_download(self):
        with RawConnection(self.tollgate.address, timeout=60) as connection:
            connection.send(f"GET /sample/bytes/{GIB} HTTP/1.1\r\nHost: test\r\n"
                            f"Authorization: Bearer {self.key}\r\n\r\n".encode())
            head = b"".join(iter(connection.reader.readline, b"\r\n"))
            self.assertIn(b"HTTP/1.1 200", head)
            self.assertIn(b"content-length: %d\r\n" % GIB, head.lower())
            left, space = GIB, bytearray(1 << 20)
            while left and (got := connection.reader.readinto(space)):
                left -= got
        self.assertEqual(left, 0)
        self.expect_little_memory()

    def test_a_client_that_does_not_read_holds_the_upstream_back(self):
        with RawConnection(self.tollgate.address) as connection:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
            connection.send(f"GET /sample/bytes/{GIB} HTTP/1.1\r\nHost: test\r\n"
                            f"Authorization: Bearer {self.key}\r\n\r\n".encode())
            time.sleep(1)
            self.assertEqual(self.upstream.stats()["in_flight"], 1)
            self.expect_little_memory()


class EventStreams(StackTest):
    def test_every_event_of_1000_streams_is_delivered_as_it_comes(self):
        tollgate = self.start_tollgate()
        key = tollgate.admin.new_customer("events", credits=10 * STREAMS)
        delays_ms = asyncio.run(self.read_streams(tollgate, key))

        self.assertEqual(len(delays_ms), STREAMS * EVENTS)
        delays_ms.sort()
        median, last = delays_ms[len(delays_ms) // 2], delays_ms[-1]
        print(f"median {median:.1f} ms, slowest {last:.1f} ms, "
              f"{tollgate.peak_memory_kib() // 1024} MiB", end=" ", flush=True)
        # An event that waited for the next one would arrive a whole interval late.
        self.assertLess(last, INTERVAL_MS)
        self.assertLess(median, INTERVAL_MS / 4)
        balance = self.settled_balance(tollgate, "events")
        self.assertEqual(balance["available"], 0)
        tollgate.verify()

    async def read_streams(self, tollgate, key):
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                   "x-sample-chunks": str(EVENTS - 1), "x-sample-delay-ms": str(INTERVAL_MS)}
        body = json.dumps({"model": "gpt-4", "stream": True, "messages": []}).encode()
        clients = [await AsyncClient.open(tollgate.address) for _ in range(STREAMS)]
        for client in clients:
            await client.send("POST", "/v1/chat/completions", headers, body)
        delays = await asyncio.gather(*(self.read_stream(client) for client in clients))
        for client in clients:
            client.close()
        return [delay for of_stream in delays for delay in of_stream]

    async def read_stream(self, client):
        status, headers = await client.read_head()
        self.assertEqual(status, 200)
        delays = []
        async for piece in client.read_pieces(headers):
            arrived_us = time.monotonic_ns() // 1_000
            delays += [(arrived_us - int(sent)) / 1_000 for sent in SENT_US.findall(piece)]
        return delays

