"""HTTP for tests: a plain call, exact bytes on a raw socket, and many calls at once."""
import asyncio
import http.client
import json
import socket
import struct
from dataclasses import dataclass
from decimal import Decimal


def parse_json(text):
    """Credits are exact decimals; tests must not convert them to floating point either."""
    return json.loads(text, parse_float=Decimal)


# The exceptions of a call whose server dies: before its answer, or during it.
BROKEN_OFF = (OSError, http.client.HTTPException)


@dataclass
class Reply:
    status: int
    headers: dict  # names in lower case; the last of equal names wins
    body: bytes

    def json(self):
        return parse_json(self.body)

    @property
    def error_code(self):
        return self.json()["error"]["code"]


def split_address(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def call(address, method, path, headers=None, body=None, timeout=30):
    """One request on a connection of its own. A `body` that is not bytes is sent as JSON."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    connection = http.client.HTTPConnection(*split_address(address), timeout=timeout)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()},
                     reply.read())
    finally:
        connection.close()


class RawConnection:
    """Sends exactly the given bytes, and reads replies one by one."""

    def __init__(self, address, timeout=10):
        self.socket = socket.create_connection(split_address(address), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def reset(self):
        """Leaves so that the server notices at once; close() may end only one half."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def send(self, data):
        self.socket.sendall(data)

    def end_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def read_reply(self, to_method="GET", at_head=lambda: None):
        """The next reply, or None if the peer has closed instead. `at_head` is called between the head and the body."""
        try:
            reply = http.client.HTTPResponse(self.socket, method=to_method)
            reply.fp.close()
            reply.fp = self.reader  # one buffer for all replies of this connection
            reply._close_conn = lambda: None
            reply.begin()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return None
        at_head()
        return Reply(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())

    def is_closed_by_peer(self):
        """Waits for the end; any bytes that still arrive mean: not closed."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def encode_request(method, path, headers, body=b""):
    head = [f"{method} {path} HTTP/1.1", "Host: test"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    if body or method in ("POST", "PUT", "PATCH"):
        head.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


class AsyncClient:
    """One connection of many: opened first, so that all requests can be sent at the same moment."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, address):
        return cls(*await asyncio.open_connection(*split_address(address)))

    async def send(self, method, path, headers, body=b""):
        self.writer.write(encode_request(method, path, headers, body))
        await self.writer.drain()

    async def read_head(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.rstrip("\r\n").split("\r\n")
        fields = (line.split(":", 1) for line in lines)
        return int(status_line.split()[1]), {n.strip().lower(): v.strip() for n, v in fields}

    async def read_pieces(self, headers):
        """The body as it arrives: chunk by chunk, or in one piece if its length is declared."""
        if headers.get("transfer-encoding") != "chunked":
            yield await self.reader.readexactly(int(headers.get("content-length", 0)))
            return
        while size := int((await self.reader.readline()).split(b";")[0], 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        while (await self.reader.readline()).strip():  # trailers
            pass

    async def read_reply(self):
        status, headers = await self.read_head()
        return Reply(status, headers, b"".join([p async for p in self.read_pieces(headers)]))

    async def call(self, *request):
        await self.send(*request)
        return await self.read_reply()

    def close(self):
        self.writer.close()

    def reset(self):
        """Leaves so that the server notices that no client can read an answer."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
