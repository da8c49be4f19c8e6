"""HTTP messages as bytes: read strictly, and with nothing of them lost."""
import re
from dataclasses import dataclass, field


@dataclass
class Message:
    head: bytes  # with its line ends
    body: bytes = b""
    trailers: bytes = b""
    fault: str = ""  # what is wrong with its framing, or where it broke off
    raw: bool = False  # no more HTTP behind the head

    @property
    def first_line(self):
        return self.head.split(b"\r\n", 1)[0]

    @property
    def status(self):
        return int(self.first_line.split()[1])

    def value(self, name):
        found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r\n]*)", self.head, re.I)
        return found[1].decode("latin-1") if found else None


@dataclass
class Buffer:
    """What has been received, and how far it has been read."""
    data: bytearray = field(default_factory=bytearray)
    at: int = 0
    ended: bool = False

    def line(self, start):
        """(line, what stands behind it), or None when it has not come yet."""
        end = self.data.find(b"\r\n", start)
        return None if end < 0 else (bytes(self.data[start:end]), end + 2)

    def head(self):
        end = self.data.find(b"\r\n\r\n", self.at)
        return None if end < 0 else Message(bytes(self.data[self.at:end + 4]))


def take_chunks(buffer, message, start):
    """Where the message ends; None when not all of it has come."""
    body = bytearray()
    while found := buffer.line(start):
        line, start = found
        if not re.fullmatch(rb"[0-9a-fA-F]+(;.*)?", line):
            message.fault = f"malformed chunk header {line[:40]!r}"
            return len(buffer.data)
        size = int(line.split(b";")[0], 16)
        if size == 0:
            return take_trailers(buffer, message, bytes(body), start)
        if len(buffer.data) < start + size + 2:
            break
        if buffer.data[start + size:start + size + 2] != b"\r\n":
            message.fault = "no line end behind a chunk"
        body += buffer.data[start:start + size]
        start += size + 2
    if buffer.ended:
        rest = buffer.data[found[1]:] if found else b""
        message.body = bytes(body + rest)
        message.fault = "broken off in its chunks"
        return len(buffer.data)
    return None


def take_trailers(buffer, message, body, start):
    first = start
    while found := buffer.line(start):
        line, start = found
        if not line:
            message.body, message.trailers = body, bytes(buffer.data[first:start - 2])
            return start
    if buffer.ended:
        message.body, message.fault = body, "broken off in its trailers"
        return len(buffer.data)
    return None


def take_sized(buffer, message, start, size):
    have = len(buffer.data) - start
    if have < size and not buffer.ended:
        return None
    message.body = bytes(buffer.data[start:start + size])
    if have < size:
        message.fault = f"broken off, {have} of {size} bytes"
    return min(start + size, len(buffer.data))


def take_body(buffer, message, start, is_reply):
    coding = message.value(b"Transfer-Encoding")
    if coding and coding.lower().endswith("chunked"):
        return take_chunks(buffer, message, start)
    size = message.value(b"Content-Length")
    if size is not None and size.isdigit():
        return take_sized(buffer, message, start, int(size))
    if not is_reply:
        return start
    if not buffer.ended:
        return None
    message.body = bytes(buffer.data[start:])
    return len(buffer.data)


def take_reply(buffer, method):
    """The next reply, or None when it has not come whole. What broke off is a reply, too."""
    message = buffer.head()
    if message is None:
        if buffer.ended and buffer.at < len(buffer.data):
            message = Message(bytes(buffer.data[buffer.at:]), fault="broken off in its head", raw=True)
            buffer.at = len(buffer.data)
        return message
    start = buffer.at + len(message.head)
    if not re.match(rb"HTTP/1\.[01] [1-5]\d\d ", message.head):
        message.fault, message.raw, end = "no HTTP", True, start
    elif message.status == 101:
        message.raw, end = True, start
    elif message.status < 200 or message.status in (204, 304) or method == b"HEAD":
        end = start
    else:
        end = take_body(buffer, message, start, is_reply=True)
    if end is None:
        return None
    buffer.at = end
    return message
