"""Clients that try to lock others out. Each kind runs in a process of its own, beside honest calls:

    python3 -B -m support.hostile KIND ADDRESS KEY SECONDS CONNECTIONS

It keeps that many connections open in its way until the time is over, opens another whenever one is closed, and then
prints what it was told: how many connections it opened, and how often each status was answered."""
import asyncio
import collections
import gzip
import json
import secrets
import socket
import struct
import sys
import zlib

from .http import split_address
from .process import raise_descriptor_limit

MIB = 1 << 20
PAUSE = 0.05  # before a connection that was closed is opened again: it is to be hostile, not a load test


def head(method, path, key, *fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *([f"Authorization: Bearer {key}"] if key else []), *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def json_head(key, length, path="/v1/chat/completions"):
    return head("POST", path, key, "Content-Type: application/json", f"Content-Length: {length}")


class Connection:
    """One connection, which never waits for an answer, but notes it."""

    def __init__(self, said, receive_buffer=None):
        self.said = said
        self.receive_buffer = receive_buffer
        self.socket = None

    async def open(self, address):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        await asyncio.get_running_loop().sock_connect(self.socket, split_address(address))
        self.said["connections"] += 1

    async def send(self, data):
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def read_until_closed(self):
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self.socket, 65536):
            self.note(data)

    def note(self, data):
        at = 0
        while (at := data.find(b"HTTP/1.1 ", at)) >= 0:
            self.said[data[at + 9:at + 12].decode("latin-1")] += 1
            at += 12


async def unfinished_json(connection, key):
    """A body of which the last byte never comes."""
    await connection.send(json_head(key, 8 * MIB) + b'{"model":"gpt-4","messages":[{"role":"user","content":"')
    await connection.send(b"x" * (8 * MIB - 1024))
    await connection.read_until_closed()


async def large_heads(connection, key):
    """A head of which the last line never comes."""
    await connection.send(head("GET", "/sample/echo", key, "X: " + "x" * (60 * 1024))[:-2])
    await connection.read_until_closed()


async def slow_reader(connection, key):
    await connection.send(head("GET", f"/sample/bytes/{1 << 30}", key))
    await asyncio.sleep(3600)


async def slow_reader_of_events(connection, key):
    await connection.send(head("GET", "/v1/billing/events", key))
    await asyncio.sleep(3600)


async def slow_reader_of_pipelined_answers(connection, key):
    one = head("GET", "/sample/echo/x", key, "X: " + "x" * 2000)
    await connection.send(one * 20)
    while True:
        await connection.send(one)
        await asyncio.sleep(0.5)


async def uploads_before_they_are_held(connection, key):
    """A form of which the file never comes: until then it is unclear what it costs."""
    await connection.send(head("POST", "/v1/audio/transcriptions", key,
                               "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {8 * MIB}"))
    await connection.send(b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n' + b"a" * (200 * 1024))
    await connection.read_until_closed()


async def slow_bodies(connection, key):
    await connection.send(json_head(key, 1000))
    for _ in range(999):
        await connection.send(b" ")
        await asyncio.sleep(0.2)


async def full_bodies(connection, key):
    """The largest body that is read before anything is asked; its last bytes never come."""
    await connection.send(json_head(key, 16_000) + b'{"model":"gpt-4","x":"' + b"x" * 15_900)
    await connection.read_until_closed()


async def second_heads(connection, key):
    """A call, and half of the next one."""
    await connection.send(head("GET", "/sample/echo", key) + b"GET / HTTP/1.1\r\nHost:")
    await connection.read_until_closed()


async def unknown_keys(connection, _):
    await connection.send(head("GET", "/sample/echo", f"tg_live_{secrets.token_hex(16)}"))
    await connection.read_until_closed()


def slow_to_decode():
    """4 KB of gzip in gzip. The inner one is a megabyte of blocks (RFC 1951, 3.2.7) with two tables and no content, and
    at the end a chat. Decoders build the tables of each."""
    bits = []

    def put(value, count):
        bits.extend(value >> i & 1 for i in range(count))

    def put_code(code, count):
        bits.extend(code >> i & 1 for i in reversed(range(count)))

    eight, nine, one, repeat = (0b01, 2), (0b10, 2), (0b00, 2), (0b11, 2)
    put(0, 1), put(2, 2), put(0, 5), put(0, 5), put(14, 4)  # 257 and 1 codes; 18 lengths of their lengths follow
    for symbol in (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1):
        put(2 if symbol in (1, 8, 9, 16) else 0, 3)
    put_code(*eight)
    for _ in range(42):
        put_code(*repeat), put(3, 2)  # six times
    for code in (eight, eight, nine, nine, one):
        put_code(*code)
    put_code(0b111111111, 9)  # the end of the block
    packed = [(bits * 8)[at:at + 8] for at in range(0, 8 * len(bits), 8)]
    eight_blocks = bytes(sum(bit << i for i, bit in enumerate(byte)) for byte in packed)
    chat = b'{"model":"gpt-4","messages":[]}'
    last = zlib.compressobj(wbits=-15)
    content = eight_blocks * (MIB // len(eight_blocks) - 1) + last.compress(chat) + last.flush()
    return gzip.compress(b"\x1f\x8b\x08" + bytes(7) + content + struct.pack("<II", zlib.crc32(chat), len(chat)))


async def repeat_request(connection, request):
    loop = asyncio.get_running_loop()
    while True:
        await connection.send(request)
        data = await loop.sock_recv(connection.socket, 65536)
        if not data:
            return
        connection.note(data)


async def bodies_slow_to_decode(connection, key):
    body = slow_to_decode()
    await repeat_request(connection, head("POST", "/v1/chat/completions", key, "Content-Type: application/json",
                                          "Content-Encoding: gzip, gzip", f"Content-Length: {len(body)}") + body)


async def pipelined_without_a_key(connection, _):
    await repeat_request(connection, head("GET", "/", "") * 500)


async def calls(connection, key):
    body = b'{"model":"gpt-4","messages":[]}'
    one = json_head(key, len(body)) + body
    loop = asyncio.get_running_loop()
    while True:
        await connection.send(one)
        data = await loop.sock_recv(connection.socket, 65536)
        if not data:
            return
        connection.note(data)
        await asyncio.sleep(0.1)


KINDS = {
    "unfinished_json": (unfinished_json, None),
    "large_heads": (large_heads, None),
    "slow_reader": (slow_reader, 4096),
    "slow_reader_of_events": (slow_reader_of_events, 4096),
    "slow_reader_of_pipelined_answers": (slow_reader_of_pipelined_answers, 4096),
    "uploads_before_they_are_held": (uploads_before_they_are_held, None),
    "slow_bodies": (slow_bodies, None),
    "full_bodies": (full_bodies, None),
    "second_heads": (second_heads, None),
    "unknown_keys": (unknown_keys, None),
    "bodies_slow_to_decode": (bodies_slow_to_decode, None),
    "pipelined_without_a_key": (pipelined_without_a_key, None),
    "calls": (calls, None),
}


async def keep_one(kind, address, key, said):
    act, receive_buffer = KINDS[kind]
    while True:
        connection = Connection(said, receive_buffer)
        try:
            await connection.open(address)
            await act(connection, key)
        except OSError:
            said["broken"] += 1
        finally:
            connection.socket.close()
        await asyncio.sleep(PAUSE)


async def attack(kind, address, keys, seconds, count):
    said = collections.Counter()
    tasks = []
    for number in range(count):
        tasks.append(asyncio.create_task(keep_one(kind, address, keys[number % len(keys)], said)))
        if number % 20 == 19:
            await asyncio.sleep(0.01)
    print("ready", flush=True)
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    raise_descriptor_limit()
    kind_, address_, keys_, seconds_, count_ = sys.argv[1:]
    asyncio.run(attack(kind_, address_, keys_.split(","), float(seconds_), int(count_)))
