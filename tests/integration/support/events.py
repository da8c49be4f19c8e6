"""One open stream of server-sent events, read as an HTTP client would read it."""
import json
import socket
import time
from decimal import Decimal

from .http import split_address


class EventStream:
    """`status` and `headers` are those of the answer; `body` is the answer if it is not a stream."""

    def __init__(self, address, path, headers=None, version="1.1", method="GET", tls=None,
                 receive_buffer=None, timeout=10):
        self._socket = socket.socket()
        if receive_buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(timeout)
        self._socket.connect(split_address(address))
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._raw, self._text = b"", b""
        self.comments, self.ended, self.complete, self.last_id, self.last_text = 0, False, False, None, None
        lines = [f"{method} {path} HTTP/{version}", "Host: test"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._read_head(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._socket.close()

    def send(self, data):
        self._socket.sendall(data)

    def next(self, timeout=5):
        """(id, event, data) of the next event; None at the end; TimeoutError if there is none."""
        deadline = time.monotonic() + timeout
        while True:
            while b"\n\n" in self._text:
                block, self._text = self._text.split(b"\n\n", 1)
                if (event := self._read_block(block.decode())):
                    return event
            if self.ended:
                return None
            self._receive(deadline)

    def until(self, wanted, timeout=5):
        """All events up to the first for which `wanted` is true."""
        seen, deadline = [], time.monotonic() + timeout
        while True:
            event = self.next(max(deadline - time.monotonic(), 0.001))
            if event is None:
                raise AssertionError(f"the stream ended after {seen}")
            seen.append(event)
            if wanted(*event):
                return seen

    def wait_end(self, timeout=5):
        """The events until the end of the stream."""
        seen, deadline = [], time.monotonic() + timeout
        while event := self.next(max(deadline - time.monotonic(), 0.001)):
            seen.append(event)
        return seen

    def _read_head(self, timeout):
        deadline = time.monotonic() + timeout
        while b"\r\n\r\n" not in self._raw:
            self._receive(deadline, into_text=False)
            if self.ended:
                raise ConnectionError(f"no answer: {self._raw!r}")
        head, self._raw = self._raw.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(status_line.split()[1])
        fields = (line.split(":", 1) for line in lines)
        self.headers = {name.lower(): value.strip() for name, value in fields}
        self._chunked = self.headers.get("transfer-encoding") == "chunked"
        self._decode()
        length = self.headers.get("content-length")
        self.body = None
        while length is not None and len(self._text) < int(length):
            self._receive(deadline)
        if length is not None:
            self.body = self._text

    def _receive(self, deadline, into_text=True):
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.ended = self.ended or not data
        self._raw += data
        if into_text:
            self._decode()

    def _decode(self):
        if not self._chunked:
            self._text, self._raw = self._text + self._raw, b""
            return
        while b"\r\n" in self._raw:
            size_line, rest = self._raw.split(b"\r\n", 1)
            size = int(size_line.split(b";")[0], 16)
            if len(rest) < size + 2:
                return
            self._text, self._raw = self._text + rest[:size], rest[size + 2:]
            if size == 0:
                self.ended = self.complete = True
                return

    def _read_block(self, block):
        lines = block.split("\n")
        self.comments += sum(line.startswith(":") for line in lines)
        fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
        self.last_id = fields.get("id", self.last_id)
        if "data" not in fields:
            return None
        self.last_text = fields["data"]
        return (fields["id"], fields["event"], json.loads(fields["data"], parse_float=Decimal))
