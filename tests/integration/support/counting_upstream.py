"""An upstream that records which calls it has served, by their request ids: HTTP/1.1, keep-alive."""
import asyncio
import random
import threading
import time
from collections import Counter


class CountingUpstream:
    """Runs in a thread of its own. `served` counts the calls that arrived completely and whose answer it began, and
    `began` has the times; `received` those that arrived completely. Every fourth answer is a stream of events; of
    these, a share of `long_answers` lasts for a second or two."""

    def __init__(self, most_delay_ms=30, seed=1, long_answers=0.0):
        self.received, self.served, self.began = Counter(), Counter(), {}
        self._long_answers = long_answers
        self._random = random.Random(seed)
        self._most_delay = most_delay_ms / 1000
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                fields = {name.lower(): value for name, value in fields.items()}
                await reader.readexactly(int(fields.get(b"content-length", 0)))
                await self._answer(fields[b"x-request-id"].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, call, writer):
        self.received[call] += 1
        await asyncio.sleep(self._random.uniform(0, self._most_delay))
        # Bytes written here are in the kernel: the call has been served.
        self.served[call] += 1
        self.began[call] = time.monotonic()
        if self._random.random() < 0.75:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
            return await writer.drain()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        is_long = self._random.random() < self._long_answers
        for _ in range(self._random.randint(10, 20) if is_long else self._random.randint(1, 5)):
            writer.write(b"f\r\ndata: {\"a\":1}\n\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.1 if is_long else self._random.uniform(0, self._most_delay))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
