"""Upstreams that misbehave on purpose, or that record every byte they receive."""
import array
import fcntl
import select
import socket
import struct
import termios
import threading
from dataclasses import dataclass, field

from .http import split_address


@dataclass
class Request:
    """A request as it arrived: the lines of its head, and its body without chunk framing."""
    lines: list
    body: bytes = b""
    trailers: list = field(default_factory=list)

    @property
    def target(self):
        return self.lines[0].split()[1].decode()

    def values(self, name):
        """All values of a header, in order."""
        prefix = name.lower().encode() + b":"
        return [line[len(prefix):].strip().decode("latin-1") for line in self.lines[1:]
                if line.lower().startswith(prefix)]


class Connection:
    """One connection that the upstream accepted; a script has full control of it."""

    def __init__(self, accepted, number):
        self.socket, self.number = accepted, number
        self.socket.settimeout(20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def read_head(self):
        """A request without its body; None if the peer has closed."""
        lines = []
        while (line := self.reader.readline()) not in (b"", b"\r\n"):
            lines.append(line.rstrip(b"\r\n"))
        return Request(lines) if line else None

    def read_body(self, request):
        """The body that the head announced, into `request`."""
        if request.values("transfer-encoding"):
            while size := int(self.reader.readline().split(b";")[0], 16):
                request.body += self.reader.read(size)
                self.reader.readline()
            while line := self.reader.readline().rstrip(b"\r\n"):
                request.trailers.append(line)
        elif length := request.values("content-length"):
            request.body = self.reader.read(int(length[0]))
        return request

    def send(self, data):
        self.socket.sendall(data)

    def reply(self, body=b"ok", status="200 OK", fields=""):
        self.send(f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    def wait_closed(self):
        """True if the peer closes or resets; False if it sends bytes, or nothing for a long time."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        # shutdown() reaches the peer even while the reader still holds the descriptor.
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.close()
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.reader.close()
        self.socket.close()


class _Listener:
    """Accepts connections and gives each to a thread of its own."""

    def __init__(self, tls=None, port=0):
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self._number = 0
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._number += 1
            threading.Thread(target=self._serve, args=(accepted, self._number), daemon=True).start()

    def _serve(self, accepted, number):
        try:
            if self._tls:
                accepted = self._tls.wrap_socket(accepted, server_side=True)
            self._open.append(accepted)
            self.serve(accepted, number)
        except (OSError, ValueError):
            pass  # caused by the peer, or by stop()
        finally:
            accepted.close()

    def stop(self):
        self._listener.close()
        for each in self._open:
            each.close()


class ScriptedUpstream(_Listener):
    """Serves `/ANYTHING/NAME` by `scripts[NAME](connection, request)`, once the head has been read.

    A script that returns a true value has finished with the connection; after any other, the next
    request is read. `requests` are those that arrived; `failures` the exceptions of the scripts;
    `closed` counts the connections that have ended.
    """

    def __init__(self, scripts, tls=None):
        self.scripts = scripts
        self.requests, self.failures, self.closed = [], [], 0
        super().__init__(tls)

    def serve(self, accepted, number):
        connection = Connection(accepted, number)
        try:
            while (request := connection.read_head()) is not None:
                self.requests.append(request)
                if self.scripts[request.target.split("/")[2].split("?")[0]](connection, request):
                    return
        except (OSError, ValueError):
            pass  # the peer left, or stop() was called
        except Exception as failure:
            self.failures.append(failure)
            raise
        finally:
            connection.close()
            self.closed += 1


def _unread_bytes(connection):
    count = array.array("i", [0])
    try:
        fcntl.ioctl(connection, termios.FIONREAD, count)
    except OSError:  # closed meanwhile
        return 0
    return count[0]


class Recorder(_Listener):
    """Passes everything on to another server, and records the bytes sent there, by connection."""

    def __init__(self, target):
        self._target = split_address(target)
        self.sent = {}
        self._taking = set()  # connections with bytes that are read but not recorded yet
        super().__init__()

    def at_rest(self):
        """All sent bytes are recorded: none are in the kernel or in transit."""
        if select.select([self._listener], [], [], 0)[0] or len(self._open) < self._number:
            return False
        unread = [each for each in list(self._open) if each.fileno() != -1 and _unread_bytes(each)]
        return not unread and not self._taking  # in this order

    def serve(self, accepted, number):
        self.sent[number] = b""
        with socket.create_connection(self._target) as upstream:
            answers = threading.Thread(target=self._pass_on, args=(upstream, accepted), daemon=True)
            answers.start()
            while accepted.recv(1, socket.MSG_PEEK):
                self._taking.add(number)
                data = accepted.recv(65536)
                self.sent[number] += data
                self._taking.discard(number)
                upstream.sendall(data)
            upstream.shutdown(socket.SHUT_WR)
            answers.join()

    @staticmethod
    def _pass_on(source, destination):
        try:
            while data := source.recv(65536):
                destination.sendall(data)
            destination.shutdown(socket.SHUT_WR)
        except OSError:
            destination.close()
