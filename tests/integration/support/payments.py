"""Payment endpoints with books of their own: what was charged under which key.

Both keep their promise: one charge a key, however often it is asked for. How they answer is up to a
test, and may be as bad as it gets.
"""
import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

from .scripted_upstream import Connection, _Listener

SECRET = "whsec_" + base64.b64encode(b"integration-test-payments").decode()


@dataclass
class Charge:
    """Everything that one idempotency key stands for. `verdict` never changes."""
    key: str
    verdict: str
    event: dict
    asked: int = 0
    bodies: set = field(default_factory=set)
    ids: set = field(default_factory=set)


class _Endpoint(_Listener):
    """Answers each request by `behave(endpoint, connection, charge)`, after it has been booked.

    `lose` says whether a request gets lost before it is booked. `failures` are requests that should
    not have come. Both functions may be exchanged at any time.
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
    """Takes webhooks of the type `account.top_up_requested`."""

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


class StripeLike(_Endpoint):
    """The part of Stripe's API that takes payments. A customer's name says how its card behaves:
    cus_paid, cus_pending, cus_declined, cus_action."""

    secret_key = "sk_test_integration"
    statuses = {"paid": "succeeded", "pending": "processing", "action": "requires_action"}

    def __init__(self, tls=None):
        super().__init__(tls=tls)
        self.methods = {}  # customer -> its default payment method

    def take(self, connection, request):
        self.expect(request.values("stripe-version") != [], "Stripe-Version")
        if request.values("authorization") != [f"Bearer {self.secret_key}"]:
            return self.refuse(connection, "401 Unauthorized", "invalid_request_error")
        path, _, query = request.target.partition("?")
        method = request.lines[0].split()[0].decode()
        if (method, path) == ("GET", "/v1/payment_intents/search"):
            return self.search(connection, dict(urllib.parse.parse_qsl(query))["query"])
        if (method, path.rpartition("/")[0]) == ("GET", "/v1/customers"):
            return self.show_customer(connection, path.rpartition("/")[2])
        self.expect((method, path) == ("POST", "/v1/payment_intents"), f"{method} {path}")
        self.create(connection, request)

    def create(self, connection, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))
        [key] = request.values("idempotency-key")
        self.expect(form["off_session"] == form["confirm"] == "true", f"form {form}")
        self.expect(form["currency"] == "usd", f"form {form}")
        self.expect(form.get("payment_method") == self.methods.get(form["customer"]), f"form {form}")
        with self.lock:
            charge = self.books.get(key)
            if charge is None:
                form["org"] = form["metadata[tollgate_org]"]
                charge = self.books[key] = Charge(key, form["customer"].split("_")[1], form)
            charge.asked += 1
            charge.bodies = charge.bodies or {request.body}
        self.expect(key == f"{form['metadata[tollgate_org]']}:{form['metadata[tollgate_top_up]']}", key)
        if request.body not in charge.bodies:
            return self.refuse(connection, "400 Bad Request", "idempotency_error")
        self.behave(self, connection, charge)

    def show_customer(self, connection, customer):
        method = self.methods.get(customer)
        connection.reply(json.dumps({"id": customer, "object": "customer", "invoice_settings": {
            "default_payment_method": method}}).encode())

    def search(self, connection, query):
        with self.lock:
            found = [self.intent(each) for each in self.books.values()
                     if query == f'metadata["tollgate_org"]:"{each.event["org"]}" AND metadata'
                                 f'["tollgate_top_up"]:"{each.event["metadata[tollgate_top_up]"]}"']
        body = json.dumps({"object": "search_result", "data": found, "has_more": False})
        connection.reply(body.encode())

    def intent(self, charge):
        status = self.statuses.get(charge.verdict, "requires_payment_method")
        return {"object": "payment_intent", "id": "pi_" + charge.key, "status": status}

    def answer(self, connection, charge):
        if charge.verdict == "declined":
            return self.refuse(connection, "402 Payment Required", "card_error")
        connection.reply(json.dumps(self.intent(charge)).encode())

    @staticmethod
    def refuse(connection, status, error_type):
        connection.reply(json.dumps({"error": {"type": error_type}}).encode(), status=status)


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
