"""The client of one case: sends what was recorded, and writes down every answer."""
import re
import socket
import struct

import recording
import wire
from upstream import PATIENCE

from support.http import split_address

# Sent when all has been answered: it shows whether the connection goes on, and that both ends agree where it stands.
IN_STEP = b"GET /in-step HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer in-step\r\nConnection: close\r\n\r\n"


class Client:
    def __init__(self, conversation, addresses, wait_until_settled):
        self.conversation, self.addresses = conversation, addresses
        self.wait_until_settled = wait_until_settled
        self.socket = self.buffer = None
        self.seen = []  # (what, message)

    def run(self):
        for step in self.conversation.case.steps:
            getattr(self, step.kind.replace(" ", "_"))(step.text)
        self.finish()
        return self.seen

    # --- the words of a case

    def client(self, listener):
        """Another connection, to `data` or `admin`."""
        self.finish()
        self.open(listener)

    def open(self, listener="data"):
        self.socket = socket.create_connection(split_address(self.addresses[listener]), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.methods = wire.Buffer(), []
        self.is_raw = False

    def send(self, text):
        if self.socket is None:
            self.open()
        data = recording.expand(text, self.conversation.variables)
        self.methods.append(data.lstrip(b"\r\n").split(b" ", 1)[0])
        self.transmit(data)

    def send_more(self, text):
        self.transmit(recording.expand(text, self.conversation.variables))

    def transmit(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent: the answer says so
        except TimeoutError:
            self.seen.append(("what was sent is not read", None))

    def answer(self, _):
        """One message, which may be an interim one."""
        message = self.next_reply()
        if message is not None:
            self.seen.append(("answer", message))
            if self.methods and message.status >= 200:
                self.methods.pop(0)
        return message

    def read(self, text):
        """Until so much of the answer has come; it is written down when it ends, or where the client leaves."""
        needle = recording.expand(text, self.conversation.variables)
        while needle not in self.buffer.data[self.buffer.at:] and self.receive():
            pass
        found = needle in self.buffer.data[self.buffer.at:]
        self.seen.append((f"{'has' if found else 'has not'} got {text}", None))

    def rest(self, _):
        """Everything until the connection ends: of a tunnel, and of what is no HTTP."""
        while self.receive():
            pass
        self.seen.append(("rest", wire.Message(b"", bytes(self.buffer.data[self.buffer.at:]))))
        self.buffer.at, self.is_raw = len(self.buffer.data), True

    def take(self, text):
        """take NAME REGEX: a value of the last answer, for the requests to come."""
        name, expression = text.split(" ", 1)
        last = next(message for _, message in reversed(self.seen) if message is not None)
        found = re.search(expression.encode(), last.head + last.body)
        self.conversation.variables[name] = found[1].decode() if found else "not-found"
        if not found:
            self.seen.append((f"no {name} in the answer", None))

    def until(self, text):
        """until upstream TEXT: so much has arrived there."""
        self.conversation.wait_for(self.conversation.at_upstream, text.split(" ", 1)[1], "the upstream")

    def settled(self, _):
        """What was sent so far is settled before anything else is."""
        self.wait_until_settled()

    def leave(self, text):
        """So that it is known at once: nobody is there who could read an answer."""
        if text != "quietly":
            self.note_what_came()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def close(self, _):
        self.note_what_came()
        self.hang_up()

    def end(self, _):
        """Closes one half: there is nothing more to send."""
        self.socket.shutdown(socket.SHUT_WR)
        self.conversation.received(self.conversation.at_client, b"(end)")  # so that the upstream can wait for it
        self.read_outstanding()
        self.read_to_the_end()

    # --- reading

    def receive(self):
        try:
            data = self.socket.recv(262_144)
        except ConnectionResetError:
            data = b""
        except TimeoutError:
            self.seen.append((f"nothing more within {PATIENCE} s", None))
            return False
        if not data:
            self.buffer.ended = True
            return False
        self.buffer.data += data
        self.conversation.received(self.conversation.at_client, data)
        return True

    def next_reply(self):
        while True:
            message = wire.take_reply(self.buffer, self.methods[0] if self.methods else b"GET")
            if message is not None or self.buffer.ended:
                self.is_raw = self.is_raw or (message is not None and message.raw)
                return message
            if not self.receive() and not self.buffer.ended:
                return None

    def read_outstanding(self):
        while self.methods and not self.is_raw:
            if self.answer("") is None:
                return

    def read_to_the_end(self):
        while not self.is_raw and self.answer("") is not None:
            pass
        self.seen.append(("the connection ends" if self.buffer.ended else "the connection stays", None))
        self.hang_up()

    def note_what_came(self):
        rest = bytes(self.buffer.data[self.buffer.at:])
        if rest:
            self.buffer.ended = True
            message = wire.take_reply(self.buffer, self.methods[0] if self.methods else b"GET")
            self.seen.append(("so far", message))

    def finish(self):
        if self.socket is None:
            return
        self.read_outstanding()
        if self.is_raw:
            self.hang_up()
            return
        if not self.buffer.ended:
            self.transmit(IN_STEP)
            self.seen.append(("in step?", None))
        self.read_to_the_end()

    def hang_up(self):
        self.socket.close()
        self.socket = None
