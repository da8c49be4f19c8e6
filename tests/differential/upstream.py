"""The upstream: a real server that answers as the case says, and writes down every request that arrives."""
import select
import socket
import struct
import threading

import recording
import wire

from support.scripted_upstream import _Listener, _unread_bytes

PATIENCE = 10  # seconds: what has not come by then does not come
DEFAULT = [recording.Step("reply", r'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n'
                                   r'Content-Length: {length}\r\n\r\n{"ok":true}')]


class Conversation:
    """What is said in one case, seen from both ends. The client and the upstream wait for each other by it."""

    def __init__(self, case, variables):
        self.case, self.variables = case, variables
        self.changed = threading.Condition()
        self.at_client, self.at_upstream = bytearray(), bytearray()
        self.arrived = []  # (connection, message, what became of it)
        self.connections = []
        self.answers = list(case.answers)
        self.problems = []
        self.closed_here = False  # the upstream closed a connection that Tollgate may still have in its pool

    def received(self, where, data):
        with self.changed:
            where += data
            self.changed.notify_all()

    def wait_for(self, where, text, what):
        needle = recording.expand(text, self.variables)
        with self.changed:
            if not self.changed.wait_for(lambda: needle in where, PATIENCE):
                self.problems.append(f"{what} has not got {text!r}")

    def next_answer(self):
        return self.answers.pop(0) if self.answers else DEFAULT


class Ended(Exception):
    pass


class Upstream(_Listener):
    def __init__(self):
        self.conversation = None
        self.busy = 0
        self.alive = set()
        self.lock = threading.Lock()
        super().__init__()

    def at_rest(self):
        """Everything that has been sent here is written down."""
        if select.select([self._listener], [], [], 0)[0] or len(self._open) < self._number:
            return False
        unread = [each for each in list(self._open) if each.fileno() != -1 and _unread_bytes(each)]
        return not unread and self.busy == 0  # in this order

    def begin(self, conversation):
        self.conversation = conversation

    def serve(self, accepted, number):
        accepted.settimeout(PATIENCE * 6)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.alive.add(number)
        try:
            _Served(self, accepted, number).run()
        finally:
            self.alive.discard(number)


class _Served:
    """One connection. It is busy from the first byte of a request until that is answered."""

    def __init__(self, upstream, accepted, number):
        self.upstream, self.socket, self.number = upstream, accepted, number
        self.buffer = wire.Buffer()
        self.conversation = None

    def run(self):
        try:
            while self.wait_for_request():
                with self.upstream.lock:
                    self.upstream.busy += 1
                try:
                    self.serve_one()
                finally:
                    with self.upstream.lock:
                        self.upstream.busy -= 1
        except (Ended, OSError):
            pass

    def wait_for_request(self):
        """It is not read yet: it is unread until this connection is busy."""
        return self.buffer.at < len(self.buffer.data) or bool(self.socket.recv(1, socket.MSG_PEEK))

    def receive(self):
        """False when the peer has closed."""
        try:
            data = self.socket.recv(262_144)
        except ConnectionResetError:
            data = b""
        if not data:
            self.buffer.ended = True
            return False
        self.buffer.data += data
        conversation = self.conversation or self.upstream.conversation
        conversation.received(conversation.at_upstream, data)
        return True

    def serve_one(self):
        self.conversation = self.upstream.conversation
        try:
            answer = self.conversation.next_answer()
            if answer and answer[0].kind == "head":
                message = self.read_head()
                self.note(message, "answered at its head")
            else:
                message = self.read_request()
            for step in answer:
                self.perform(step, message)
        finally:
            self.conversation = None

    def note(self, message, what=""):
        label = self.conversation.connections
        if self.number not in label:
            label.append(self.number)
        self.conversation.arrived.append((chr(ord("A") + label.index(self.number)), message, what))

    def read_head(self):
        while (message := self.buffer.head()) is None:
            if not self.receive():
                self.note(wire.Message(bytes(self.buffer.data[self.buffer.at:]), fault="broken off in its head"))
                raise Ended
        return message

    def read_request(self):
        message = self.read_head()
        start = self.buffer.at + len(message.head)
        while (end := wire.take_body(self.buffer, message, start, is_reply=False)) is None:
            self.receive()
        self.buffer.at = end
        self.note(message)
        if message.fault.startswith("broken off"):
            raise Ended
        return message

    def perform(self, step, message):
        kind, rest = step.kind, step.text
        if kind == "reply":
            self.socket.sendall(recording.expand(rest, self.conversation.variables))
        elif kind == "until":  # until client TEXT: it has got so far
            self.conversation.wait_for(self.conversation.at_client, rest.split(" ", 1)[1], "the client")
        elif kind == "got":  # got TEXT: so much of the request has arrived, which is not read otherwise
            while recording.expand(rest, {}) not in self.buffer.data[self.buffer.at:]:
                if not self.receive():
                    break
        elif kind == "take":  # take N: bytes behind the head, of a tunnel, which are written down
            self.take_raw(message, int(rest))
        elif kind == "closed":
            while self.receive():
                pass
            self.conversation.arrived.append((self.conversation.arrived[-1][0], None, "then Tollgate closed it"))
            raise Ended
        elif kind in ("close", "reset"):
            self.conversation.closed_here = True
            self.hang_up(kind)
            raise Ended
        elif kind != "head":
            self.conversation.problems.append(f"unknown step of the upstream: {kind}")

    def take_raw(self, message, size):
        start = self.buffer.at
        while len(self.buffer.data) < start + size and self.receive():
            pass
        self.buffer.at = min(start + size, len(self.buffer.data))
        self.note(wire.Message(b"", bytes(self.buffer.data[start:self.buffer.at])), "in the tunnel")

    def hang_up(self, how):
        if how == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
            return
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
