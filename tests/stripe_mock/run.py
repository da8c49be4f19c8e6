"""Every request that Tollgate sends to Stripe, checked by stripe-mock, which knows the schema of Stripe's API.

stripe-mock is built from the Go module proxy, as go.sum locks it, with Debian 12's Go 1.19. It keeps nothing
and answers with examples; so a relay in front of it puts in what Stripe would know: metadata and states.
Exit status 77 (a skip for ctest): no Go here.
"""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support.http import call  # noqa: E402
from support.process import BUILD_DIR, Process, Redis, free_port, wait_until  # noqa: E402
from support.stripe import dispute_of, event, signature, SECRET, Intent  # noqa: E402
from support.tollgate import Tollgate, configuration  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

# Debian's own before any other.
GO = "/usr/bin/go" if os.path.exists("/usr/bin/go") else shutil.which("go")


def build():
    directory = BUILD_DIR / "stripe_mock"
    directory.mkdir(parents=True, exist_ok=True)
    binary = directory / "stripe-mock"
    subprocess.run([GO, "build", "-mod=readonly", "-o", binary, "github.com/stripe/stripe-mock"],
                   cwd=HERE, check=True, env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": ""})
    return binary


class Relay(ThreadingHTTPServer):
    """Passes every request on to stripe-mock, and `complete`s its answers. `seen` has both."""

    def __init__(self, mock_port):
        self.mock_port, self.seen = mock_port, []
        self.complete = lambda method, path, form, answer: (200, answer)
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self):
        self.shutdown()
        self.server_close()

    def of(self, method, path):
        return [each for each in self.seen if (each[0], each[1]) == (method, path)]


class Handler(BaseHTTPRequestHandler):
    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mock = http.client.HTTPConnection("127.0.0.1", self.server.mock_port, timeout=10)
        mock.request(self.command, self.path, body, dict(self.headers))
        reply = mock.getresponse()
        text = reply.read()
        path = self.path.partition("?")[0]
        form = dict(urllib.parse.parse_qsl(body.decode()))
        self.server.seen.append((self.command, path, reply.status, text.decode()))
        status, answer = reply.status, json.loads(text)
        if status == 200:
            status, answer = self.server.complete(self.command, path, form, answer)
        out = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(out)))
        if status >= 500:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(out)

    do_GET = do_POST = relay

    def log_message(self, *_):
        """`seen` has it."""


def metadata_of(form):
    return {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}


class StripeMock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        stack = ExitStack()
        cls.addClassCleanup(stack.close)

        def start(process):
            stack.callback(lambda: process.stop(any_status=True) if isinstance(process, Process) else process.stop())
            return process

        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-"))
        port = free_port()
        mock = start(Process("stripe-mock", [cls.binary, "-http-addr", f"127.0.0.1:{port}"], place))

        def listens():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0
        mock.wait_ready(listens)
        cls.relay = start(Relay(port))
        cls.tollgate = start(Tollgate(place, configuration(
            start(Redis(place)).url, start(SampleUpstream(place)).address,
            plans={"packs": {"credits": 2000, "overage_usd": 0.02}}, holds={"sweep_every": "200ms"},
            payments={"timeout": "5s", "stripe": {"url": cls.relay.url, "secret_key": "sk_test_123",
                                                  "webhook_secret": SECRET}}), "tollgate"))

    def setUp(self):
        self.relay.seen.clear()

    def tearDown(self):
        """Each request was one that Stripe's API knows."""
        for method, path, status, text in self.relay.seen:
            self.assertEqual(status, 200, f"{method} {path}: {text}")

    def buy(self, org, status):
        self.tollgate.admin.put_org(org, plan="packs", stripe_customer="cus_mock")
        self.tollgate.admin.buy(org, 10, "pack-1")

        def known():
            [top_up] = self.tollgate.admin.top_ups(org)
            return top_up if top_up["status"] == status else None
        return wait_until(known, f"{org} to be {status}", 30)

    def test_a_payment(self):
        def complete(method, path, form, answer):
            if method == "POST":
                self.assertEqual((answer["amount"], answer["currency"]), (1000, "usd"))
                answer.update(status="succeeded", amount_received=1000, metadata=metadata_of(form))
            return 200, answer
        self.relay.complete = complete
        self.assertEqual(self.buy("paid", "paid")["credits"], 500)
        for method, path in (("GET", "/v1/payment_intents"), ("GET", "/v1/payment_intents/search"),
                             ("GET", "/v1/customers/cus_mock"), ("POST", "/v1/payment_intents")):
            self.assertEqual(len(self.relay.of(method, path)), 1, path)

    def test_a_payment_that_takes_its_time_and_is_disputed(self):
        known = {}

        def complete(method, path, form, answer):
            if (method, path) == ("POST", "/v1/payment_intents"):
                known.update(metadata_of(form), id=answer["id"])
            ours = {"status": "processing" if method == "POST" else "succeeded", "id": known.get("id"),
                    "metadata": {name: known[name] for name in known if name != "id"},
                    "amount": 1000, "amount_received": 1000}
            if path == "/v1/payment_intents" and method == "GET" and known:
                answer["data"] = [{**answer["data"][0], **ours}]
            elif path.startswith("/v1/payment_intents") and "search" not in path:
                answer.update(ours)
            return 200, answer
        self.relay.complete = complete
        self.buy("slow", "paid")
        payment = Intent(known["id"], "succeeded", {"amount": "1000", "currency": "usd"})
        body = event("charge.dispute.created", dispute_of(payment, 600))
        reply = call(self.tollgate.address, "POST", "/payments/stripe", {"Stripe-Signature": signature(body)}, body)
        self.assertEqual(reply.status, 200)
        self.assertEqual(self.tollgate.admin.balance("slow")["available"], 2200)
        self.assertEqual(len(self.relay.of("GET", f"/v1/payment_intents/{known['id']}")), 1)
        # One whose payment nobody knows: then its charge is asked.
        stray = {**dispute_of(payment, 600), "payment_intent": None}
        body = event("charge.dispute.created", stray)
        call(self.tollgate.address, "POST", "/payments/stripe", {"Stripe-Signature": signature(body)}, body)
        self.assertEqual(len(self.relay.of("GET", f"/v1/charges/ch_{known['id']}")), 1)

    def test_a_key_that_is_spent(self):
        tries = []

        def complete(method, path, form, answer):
            if (method, path) == ("POST", "/v1/payment_intents"):
                tries.append(metadata_of(form))
                if len(tries) == 1:
                    return 500, {"error": {"type": "api_error"}}
                answer.update(status="succeeded", amount_received=1000, metadata=tries[-1])
            if (method, path) == ("GET", "/v1/payment_intents") and tries:
                # The example is one that nobody has tried to pay.
                answer["data"][0].update(metadata=tries[0], amount=1000, id="pi_untried")
            return 200, answer
        self.relay.complete = complete
        self.buy("spent", "paid")
        self.assertEqual([each.get("tollgate_key") for each in tries], [None, "1"])
        self.assertEqual(len(self.relay.of("POST", "/v1/payment_intents/pi_untried/cancel")), 1)


if __name__ == "__main__":
    if not GO:
        print("skipped: no Go here (deploy/install-packages.sh clients)")
        sys.exit(77)
    StripeMock.binary = build()
    unittest.main(verbosity=2)
