"""A receiver of webhooks that records its deliveries, and answers as a test requires."""
import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from dataclasses import dataclass

from .process import free_port
from .scripted_upstream import Connection, Request, _Listener


@dataclass
class Delivery:
    """One request; the function that answers it decides whether it is acknowledged."""
    path: str
    id: str
    event: dict
    body: bytes
    request: Request
    at: float


def signatures(secret, identity, seconds, body):
    """The required values of both headers: Standard Webhooks', and the platform's own."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identity}.{seconds}.".encode() + body
    standard = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{standard}", "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def check_signatures(delivery, *secrets):
    """Signed with each of the secrets, newest first, and just now; the platform's header, with the oldest alone. An
    assertion otherwise."""
    values = delivery.request.values
    [identity], [seconds] = values("webhook-id"), values("webhook-timestamp")
    expected = [signatures(secret, identity, seconds, delivery.body) for secret in secrets]
    assert values("webhook-signature") == [" ".join(each[0] for each in expected)], expected
    assert values("x-8bit-signature-256") == [expected[-1][1]], expected
    assert abs(delivery.at - int(seconds)) < 30, seconds
    assert identity == delivery.event["id"], identity


def first_arrivals(deliveries):
    """The ids in the order of their first arrival."""
    return list(dict.fromkeys(each.id for each in deliveries))


class WebhookReceiver(_Listener):
    """Records each delivery, then answers it by `behave(connection, delivery)`.

    Different paths are different endpoints. `behave` may be replaced at any time.
    """

    def __init__(self, tls=None):
        self.deliveries = []
        self.behave = acknowledge
        super().__init__(tls, free_port())  # reserved while it is down

    def url(self, path, scheme="http", host=None):
        return f"{scheme}://{host or '127.0.0.1'}:{self.address.split(':')[1]}/{path}"

    def serve(self, accepted, number):
        connection = Connection(accepted, number)
        try:
            request = connection.read_head()
            if request is None:
                return
            connection.read_body(request)
            delivery = Delivery(request.target[1:], request.values("webhook-id")[0],
                                json.loads(request.body), request.body, request, time.time())
            self.deliveries.append(delivery)
            self.behave(connection, delivery)
        finally:
            connection.close()

    def of(self, path):
        return [each for each in list(self.deliveries) if each.path == path]

    def go_down(self):
        """Stops listening: connections are refused."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def come_back(self):
        host, port = self.address.split(":")
        self._listener = socket.create_server((host, int(port)), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()


# --- Ways to answer --------------------------------------------------------------------------------

def acknowledge(connection, delivery):
    connection.reply(b"")


def answer(status, fields="", body=b"no"):
    return lambda connection, delivery: connection.reply(body, status=status, fields=fields)


def never(connection, delivery):
    connection.wait_closed()


def late(seconds):
    def behave(connection, delivery):
        time.sleep(seconds)
        connection.reply(b"")
    return behave


def closing(connection, delivery):
    pass


def resetting(connection, delivery):
    connection.reset()


def raw(answer, pause=0):
    """Exact bytes, at once or one by one; then the connection ends."""
    def behave(connection, delivery):
        for piece in [answer] if not pause else [bytes([byte]) for byte in answer]:
            connection.send(piece)
            time.sleep(pause)
    return behave


def bare(status, pause=0):
    """Without the blank that should follow the number."""
    return raw(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode(), pause)


def dying_after_200(connection, delivery):
    """The head is sent; the body that it announces never comes."""
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    time.sleep(0.05)  # a reset discards bytes that the peer has not read
    connection.reset()
