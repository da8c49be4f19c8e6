"""The part of Stripe's API that takes payments, with its memory for idempotency keys; and its events.

Like Stripe it keeps the first answer under a key, including errors, and repeats it; a different request
under the same key is an `idempotency_error`; a search does not show the most recent changes.
"""
import hashlib
import hmac
import itertools
import json
import time
import urllib.parse
from dataclasses import dataclass, field

from .payments import Charge, _Endpoint

SECRET = "whsec_integration_test_stripe"


@dataclass
class Stored(Charge):
    """The stored request and answer of a key."""
    answer: tuple = ()  # status line, object
    replays: int = 0


@dataclass
class Intent:
    id: str
    status: str
    form: dict
    created: float = field(default_factory=time.time)
    last_error: dict = None

    @property
    def metadata(self):
        return {name[9:-1]: value for name, value in self.form.items() if name.startswith("metadata[")}

    def shown(self):
        paid = self.status == "succeeded"
        return {"object": "payment_intent", "id": self.id, "status": self.status,
                "amount": int(self.form["amount"]), "amount_received": int(self.form["amount"]) if paid else 0,
                "currency": self.form["currency"], "customer": self.form["customer"],
                "created": int(self.created), "metadata": self.metadata,
                "last_payment_error": self.last_error}


class StripeLike(_Endpoint):
    """A customer's name determines how its card behaves: cus_paid, cus_pending, cus_declined, cus_action; one in
    `cardless` has none until `methods` names one. `store` may return the answer to store under a key, instead of the
    usual one, before anything is paid. `may_search`: whether the key may use the search."""

    secret_key = "sk_test_integration"
    statuses = {"paid": "succeeded", "pending": "processing", "action": "requires_action",
                "declined": "requires_payment_method"}
    page = 100  # payments on a page of a list, at most

    def __init__(self, tls=None):
        self.methods = {}  # customer -> its default payment method
        self.shown_methods = {}  # customer -> those that were requested
        self.cardless = set()
        self.intents, self.calls = [], []
        self.store = lambda form: None
        self.may_search = True
        self.search_shows = lambda intent: time.time() - intent.created > 60
        self._ids = itertools.count(1)
        super().__init__(tls=tls)

    def take(self, connection, request):
        self.expect(request.values("stripe-version") != [], "Stripe-Version")
        if request.values("authorization") != [f"Bearer {self.secret_key}"]:
            return self.refuse(connection, "401 Unauthorized", "invalid_request_error")
        path, _, query = request.target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        method = request.lines[0].split()[0].decode()
        self.calls.append((method, path))
        parts = path.split("/")[2:]
        match (method, *parts):
            case ("POST", "payment_intents"):
                self.create(connection, request)
            case ("POST", "payment_intents", identity, "cancel"):
                self.cancel(connection, identity)
            case ("GET", "payment_intents"):
                self.list(connection, query)
            case ("GET", "payment_intents", "search"):
                self.search(connection, query["query"])
            case ("GET", "payment_intents", identity):
                self.show(connection, identity)
            case ("GET", "customers", customer):
                self.show_customer(connection, customer)
            case _:
                self.expect(False, f"{method} {path}")
                self.refuse(connection, "404 Not Found", "invalid_request_error")

    # --- payments ---

    def add(self, form, status, **more):
        intent = Intent(f"pi_{next(self._ids)}", status, form, **more)
        self.intents.append(intent)
        return intent

    def payments(self, org, status="succeeded"):
        """Those of one organization."""
        with self.lock:
            return [each for each in self.intents
                    if each.metadata.get("tollgate_org") == org and status in (None, each.status)]

    # --- the API ---

    def create(self, connection, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))
        [key] = request.values("idempotency-key")
        self.expect(form["off_session"] == form["confirm"] == "true", f"form {form}")
        self.expect(form["currency"] == "usd", f"form {form}")
        self.expect(form.get("payment_method") in self.shown_methods.get(form["customer"], ()), f"form {form}")
        with self.lock:
            charge = self.books.get(key)
            if charge is None:
                form["org"] = form["metadata[tollgate_org]"]
                charge = self.books[key] = Stored(key, form["customer"].split("_")[1], form)
                charge.answer = self.store(form) or self.execute(form)
            else:
                charge.replays += 1
            charge.asked += 1
            charge.bodies = charge.bodies or {request.body}
        owner, _, top_up = key.partition(":")
        generation = owner.partition("/")[2]
        self.expect((owner.split("/")[0], top_up) == (form["metadata[tollgate_org]"],
                                                      form["metadata[tollgate_top_up]"]), key)
        self.expect(form.get("metadata[tollgate_key]", "") == generation, f"{key} {form}")
        if request.body not in charge.bodies:
            return self.refuse(connection, "400 Bad Request", "idempotency_error")
        self.behave(self, connection, charge)

    def execute(self, form):
        """The result of a request with a new key."""
        kind = form["customer"].split("_")[1]
        if form["customer"] in self.cardless and "payment_method" not in form:
            return self.error("400 Bad Request", "invalid_request_error", code="parameter_missing")
        status = self.statuses[kind]
        if kind == "declined":
            self.add(form, status, last_error={"type": "card_error"})
            return self.error("402 Payment Required", "card_error", code="card_declined")
        return "200 OK", self.add(form, status).shown()

    def list(self, connection, query):
        with self.lock:
            found = [each for each in reversed(self.intents)
                     if each.form["customer"] == query.get("customer", each.form["customer"])
                     and each.created >= int(query.get("created[gte]", 0))]
        ids = [each.id for each in found]
        start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        size = min(int(query.get("limit", 10)), self.page)
        self.reply(connection, "200 OK", {"object": "list", "has_more": start + size < len(found),
                                          "data": [each.shown() for each in found[start:start + size]]})

    def search(self, connection, query):
        if not self.may_search:
            return self.refuse(connection, "403 Forbidden", "invalid_request_error")
        with self.lock:
            found = [each.shown() for each in self.intents if self.search_shows(each) and query ==
                     f'metadata["tollgate_org"]:"{each.metadata.get("tollgate_org")}" AND metadata'
                     f'["tollgate_top_up"]:"{each.metadata.get("tollgate_top_up")}"']
        self.reply(connection, "200 OK", {"object": "search_result", "data": found, "has_more": False})

    def find(self, identity):
        return next((each for each in self.intents if each.id == identity), None)

    def show(self, connection, identity):
        intent = self.find(identity)
        if intent is None:
            return self.refuse(connection, "404 Not Found", "invalid_request_error")
        self.reply(connection, "200 OK", intent.shown())

    def cancel(self, connection, identity):
        intent = self.find(identity)
        if intent.status in ("succeeded", "canceled", "processing"):
            return self.refuse(connection, "400 Bad Request", "invalid_request_error")
        intent.status = "canceled"
        self.reply(connection, "200 OK", intent.shown())

    def show_customer(self, connection, customer):
        method = self.methods.get(customer)
        self.shown_methods.setdefault(customer, set()).add(method)
        self.reply(connection, "200 OK", {"id": customer, "object": "customer", "invoice_settings": {
            "default_payment_method": method}})

    def answer(self, connection, charge):
        status, what = charge.answer
        self.reply(connection, status, what, "Idempotent-Replayed: true\r\n" if charge.replays else "")

    @staticmethod
    def error(status, error_type, **more):
        return status, {"error": {"type": error_type, **more}}

    @staticmethod
    def reply(connection, status, what, fields=""):
        connection.reply(json.dumps(what).encode(), status=status, fields=fields)

    @classmethod
    def refuse(cls, connection, status, error_type):
        cls.reply(connection, *cls.error(status, error_type))


# --- Events ----------------------------------------------------------------------------------------

def event(kind, shown, identity=None):
    """The bytes of an event about an object."""
    return json.dumps({"id": identity or f"evt_{time.monotonic_ns()}", "object": "event", "type": kind,
                       "created": int(time.time()), "data": {"object": shown}}).encode()


def signature(body, *secrets, at=None):
    """Stripe-Signature, with one signature per secret."""
    at = int(time.time() if at is None else at)
    signed = [hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
              for secret in secrets or (SECRET,)]
    return ",".join([f"t={at}"] + [f"v1={each}" for each in signed])


def charge_of(intent, refunded=0):
    return {"object": "charge", "id": f"ch_{intent.id}", "payment_intent": intent.id,
            "amount": int(intent.form["amount"]), "amount_refunded": refunded,
            "currency": intent.form["currency"], "metadata": intent.metadata, "status": "succeeded"}


def dispute_of(intent, cents):
    return {"object": "dispute", "id": f"dp_{intent.id}", "charge": f"ch_{intent.id}",
            "payment_intent": intent.id, "amount": cents, "currency": intent.form["currency"],
            "metadata": {}, "status": "needs_response"}
