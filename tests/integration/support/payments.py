"""Payment endpoints with books of their own: the charge under each key.

Both guarantee one charge per key, however often it is requested. A test decides how they answer, and may
use any fault.
"""
import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field

from .scripted_upstream import Connection, _Listener

SECRET = "whsec_" + base64.b64encode(b"integration-test-payments").decode()


@dataclass
class Charge:
    """Everything under one idempotency key. `verdict` never changes."""
    key: str
    verdict: str
    event: dict
    asked: int = 0
    bodies: set = field(default_factory=set)
    ids: set = field(default_factory=set)


class _Endpoint(_Listener):
    """Answers each request by `behave(endpoint, connection, charge)`, after it has been booked.

    `lose` decides whether a request is lost before it is booked. `failures` are requests that should
    not have arrived. Both functions may be replaced at any time.
    """

    def __init__(self, verdict="paid", tls=None):
        self.books, self.failures = {}, []
        self.decide = lambda event: verdict
        self.lose = lambda: False
        self.behave = lambda endpoint, connection, charge: endpoint.answer(connection, charge)
        self.lock = threading.Lock()
        super().__init__(tls)

    def serve(self, accepted, number):
        connection = Connection(accepted, number)
        try:
            request = connection.read_head()
            if request is not None and not self.lose():
                self.take(connection, connection.read_body(request))
        finally:
            connection.close()

    def expect(self, truth, what):
        if not truth:
            self.failures.append(what)

    def of(self, org):
        """The charges of one organization."""
        with self.lock:
            return [each for each in self.books.values() if each.event["org"] == org]

    def charged(self):
        """The keys under which money was taken."""
        with self.lock:
            return {key for key, each in self.books.items() if each.verdict == "paid"}


class PaymentEndpoint(_Endpoint):
    """Accepts webhooks of the type `account.top_up_requested`."""

    def take(self, connection, request):
        self.check_signatures(request)
        key = request.values("idempotency-key")[0]
        event = json.loads(request.body)
        with self.lock:
            charge = self.books.get(key)
            if charge is None:
                charge = self.books[key] = Charge(key, self.decide(event), event)
            charge.asked += 1
            charge.bodies.add(request.body)
            charge.ids.update(request.values("webhook-id"))
        self.expect(key == f"{event['org']}:{event['data']['top_up']}", f"key {key} of {event}")
        self.behave(self, connection, charge)

    def check_signatures(self, request):
        secret = base64.b64decode(SECRET.removeprefix("whsec_"))
        [identity], [seconds] = request.values("webhook-id"), request.values("webhook-timestamp")
        signed = f"{identity}.{seconds}.".encode() + request.body
        standard = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
        platform = hmac.new(secret, request.body, hashlib.sha256).hexdigest()
        self.expect(request.values("webhook-signature") == [f"v1,{standard}"], "webhook-signature")
        self.expect(request.values("x-8bit-signature-256") == [f"sha256={platform}"], "x-8bit-...")
        self.expect(abs(time.time() - int(seconds)) < 30, f"webhook-timestamp {seconds}")
        self.expect(json.loads(request.body)["id"] == identity, "webhook-id")

    def answer(self, connection, charge):
        body = json.dumps({"success": True, "data": {"status": charge.verdict}})
        connection.reply(body.encode(), fields="Content-Type: application/json\r\n")


# --- Ways to answer, all after the charge was booked ---------------------------------------------

def never(endpoint, connection, charge):
    connection.wait_closed()


def late(seconds):
    def behave(endpoint, connection, charge):
        time.sleep(seconds)
        endpoint.answer(connection, charge)
    return behave


def twice(endpoint, connection, charge):
    endpoint.answer(connection, charge)
    endpoint.answer(connection, charge)


def broken(endpoint, connection, charge):
    connection.reply(b'{"status":"error"}', status="500 Internal Server Error")


def closing(endpoint, connection, charge):
    pass


def resetting(endpoint, connection, charge):
    connection.reset()


def half(endpoint, connection, charge):
    connection.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":"pa')


def mute(endpoint, connection, charge):
    connection.reply(b"")


def in_other_words(endpoint, connection, charge):
    connection.reply(b'{"result":"paid"}')


def not_there(endpoint, connection, charge):
    connection.reply(b'{"status":"paid"}', status="404 Not Found")


def elsewhere(endpoint, connection, charge):
    connection.reply(b'{"status":"paid"}', status="307 Temporary Redirect",
                     fields=f"Location: http://{endpoint.address}/elsewhere\r\n")


def endless(endpoint, connection, charge):
    connection.reply(b'{"status":"paid","more":"' + b"x" * 70_000 + b'"}')
