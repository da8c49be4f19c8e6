"""A proxy in front of a real Redis, for faults that a real one cannot be made to have.

It listens on TCP, at one address for its whole life, like the address of a service. What it does with connections
and with replies can be changed at any time.
"""
import asyncio
import random
import socket
import struct
import threading

from .process import free_port


def split_commands(data):
    """The complete commands as (name, bytes), and the rest."""
    found, at = [], 0
    while (end := data.find(b"\r\n", at)) >= 0:
        name, next_at = None, end + 2
        for _ in range(int(data[at + 1:end])):
            size_end = data.find(b"\r\n", next_at)
            if size_end < 0:
                return found, data[at:]
            size = int(data[next_at + 1:size_end])
            name = name or data[size_end + 2:size_end + 2 + size].upper()
            next_at = size_end + 2 + size + 2
        if next_at > len(data):
            break
        found.append((name, data[at:next_at]))
        at = next_at
    return found, data[at:]


def _end_of_reply(data, at):
    end = data.index(b"\r\n", at) + 2
    kind, number = data[at:at + 1], data[at + 1:end - 2]
    if kind == b"$" and number != b"-1":
        return end + int(number) + 2
    for _ in range(int(number) if kind == b"*" else 0):
        end = _end_of_reply(data, end)
    return end


def split_replies(data):
    """Replies that have arrived together; none of them may be incomplete."""
    at = 0
    while at < len(data):
        end = _end_of_reply(data, at)
        yield data[at:end]
        at = end


class FaultyStore:
    """`target` is the path of a Redis' unix socket: connections that are made later go to another if it changes."""

    def __init__(self, target, seed=1):
        self.target, self.port = target, free_port()
        self.delay = 0.0             # of every reply
        self.answers = True          # False: connections are accepted, and nothing is ever forwarded
        self.alter = None            # a function of a reply's bytes: the bytes to send instead, or None: reset
        self.instead = None          # a function of a command's name: an answer, and it is not forwarded, or None
        self.chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._open = set()
        self._listener = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.accept(True)

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def stop(self):
        if self._thread.is_alive():
            self.accept(False)
            self.reset_all()
            self._run(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def accept(self, wanted):
        """Whether the port takes connections."""
        self._run(self._listen(wanted))

    def reset_all(self):
        """Every open connection ends with a reset."""
        self._run(self._reset_all())

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self, wanted):
        if self._listener is not None and not wanted:
            self._listener.close()
            self._listener = None
        elif self._listener is None and wanted:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def _reset_all(self):
        for writer in list(self._open):
            self._reset(writer)

    async def _end(self):
        for each in asyncio.all_tasks() - {asyncio.current_task()}:
            each.cancel()
        await asyncio.sleep(0)

    @staticmethod
    def _reset(writer):
        end = writer.get_extra_info("socket")
        if end is not None and end.fileno() >= 0:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _serve(self, reader, writer):
        self._open.add(writer)
        store = None
        try:
            if not self.answers:
                while await reader.read(65536):
                    pass
                return
            from_store, store = await asyncio.open_unix_connection(self.target)
            back = asyncio.ensure_future(self._pass_replies(from_store, writer))
            rest = b""
            while data := await reader.read(65536):
                commands, rest = split_commands(rest + data)
                for name, encoded in commands:
                    answer = self.instead and self.instead(name)
                    if answer:
                        self._write(writer, answer)
                    else:
                        store.write(encoded)
            back.cancel()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            for each in (writer, store):
                if each is not None:
                    each.close()

    async def _pass_replies(self, reader, writer):
        """In order, also when the delay becomes shorter."""
        replies = asyncio.Queue()
        delivery = asyncio.ensure_future(self._deliver(replies, writer))
        try:
            while data := await reader.read(65536):
                if self.alter is not None:
                    data = self.alter(data)
                if data is None:
                    return self._reset(writer)
                replies.put_nowait((self._loop.time() + self.delay, data))
        except OSError:
            pass
        finally:
            replies.put_nowait((0, None))
            await delivery

    async def _deliver(self, replies, writer):
        while True:
            due, data = await replies.get()
            if data is None:
                return writer.close()
            await asyncio.sleep(due - self._loop.time())  # returns at once if that is over
            self._write(writer, data)

    @staticmethod
    def _write(writer, data):
        if not writer.is_closing():
            writer.write(data)
