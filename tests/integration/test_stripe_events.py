"""Events sent by Stripe: which senders are accepted, and the effect of the events."""
import contextlib
import json
import time

from support.http import RawConnection, call
from support.process import Redis, free_port, wait_until
from support.stripe import SECRET, StripeLike, charge_of, dispute_of, event, signature
from support.tollgate import Tollgate, configuration
from support.top_ups import PLANS, TINY, TopUpTest

NEW = "whsec_the_new_one"


class EventsTest(TopUpTest):
    settings = {"webhook_secret": SECRET}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stripe = cls.start(StripeLike())
        cls.tollgate = cls.start_tollgate(**cls.sidecar_settings(**cls.settings))
        cls.to = cls.tollgate.address

    @classmethod
    def sidecar_settings(cls, **stripe):
        return {"plans": {**PLANS, "packs": {"credits": 2000, "overage_usd": 0.02}}, "holds": {"sweep_every": "1h"},
                "payments": {"timeout": "2s", "stripe": {"url": f"http://{cls.stripe.address}",
                                                         "secret_key": StripeLike.secret_key, **stripe}}}

    def setUp(self):
        self.org = self.id().split(".")[-1].replace("_", "-")[:60]

    def tearDown(self):
        self.assertEqual(self.stripe.failures, [])

    def tell(self, body, header=None, to=None, method="POST", path="/payments/stripe"):
        header = signature(body) if header is None else header
        return call(to or self.to, method, path, {"Stripe-Signature": header}, body)

    def told(self, body, **more):
        reply = self.tell(body, **more)
        self.assertEqual((reply.status, reply.json()["data"]), (200, {"received": True}))

    def bought_pack(self, customer="cus_paid", amount=10, plan="packs"):
        """A pack that has been requested, and its payment."""
        self.tollgate.admin.put_org(self.org, plan=plan, stripe_customer=customer)
        self.tollgate.admin.buy(self.org, amount, "pack-1")
        self.resolved(self.tollgate, self.org)
        [intent] = self.stripe.payments(self.org, None)
        return intent

    def top_up(self):
        [top_up] = self.tollgate.admin.top_ups(self.org)
        return top_up

    def available(self):
        return self.tollgate.admin.balance(self.org)["available"]

    def counted(self, line):
        metrics = call(self.tollgate.admin.address, "GET", "/metrics").body.decode().splitlines()
        return sum(int(each.split()[1]) for each in metrics if each.startswith(line))


class WhoMayTell(EventsTest):
    """On the data listener, before a route that would take every path."""

    def setUp(self):
        super().setUp()
        self.intent = self.bought_pack("cus_pending")
        shown = self.intent.shown()
        self.body = event("payment_intent.succeeded",
                          {**shown, "status": "succeeded", "amount_received": shown["amount"]})

    def assertRefused(self, reply, status=400, code="invalid_signature"):
        self.assertEqual((reply.status, reply.error_code), (status, code))
        self.assertEqual(self.top_up()["status"], "pending")

    def test_only_stripe(self):
        at = time.time()
        for header in ("", "nonsense", "t=1,v1=", f"t={int(at)}", signature(self.body, "whsec_other"),
                       signature(self.body + b" "), signature(self.body, at=at - 301),
                       signature(self.body, at=at + 400), signature(self.body).replace("v1=", "v0="),
                       f"t={int(at)}," + signature(self.body, at=at - 10), "t=" + "9" * 5000):
            with self.subTest(header[:60]):
                self.assertRefused(self.tell(self.body, header))
        self.told(self.body, header="v0=00," + signature(self.body, at=at - 290) + ",v1=00")
        self.assertEqual(self.top_up()["status"], "paid")

    def test_only_by_post_only_there_and_only_so_much(self):
        self.assertRefused(self.tell(self.body, method="PUT"), 405, "method_not_allowed")
        self.assertRefused(self.tell(b"{}"), 400, "invalid_request")
        self.assertRefused(self.tell(b"no JSON"), 400, "invalid_request")
        large = event("payment_intent.succeeded", {**self.intent.shown(), "note": "x" * 300_000})
        self.assertRefused(self.tell(large), 413, "body_too_large")
        # On other listeners it is an ordinary call without a payer.
        self.assertRefused(self.tell(self.body, path="/payments/stripe/"), 401, "missing_api_key")
        with RawConnection(self.to) as raw:  # chunked, in pieces
            raw.send(b"POST /payments/../payments/stripe HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
                     b"Stripe-Signature: " + signature(self.body).encode() + b"\r\n\r\n")
            for piece in (self.body[:7], self.body[7:]):
                raw.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            raw.send(b"0\r\n\r\n")
            self.assertEqual(raw.read_reply("POST").status, 200)
        self.assertEqual(self.top_up()["status"], "paid")

    def test_it_is_neither_charged_nor_forwarded(self):
        before = self.upstream_requests()
        self.told(self.body)
        self.told(event("invoice.paid", {"id": "in_1", "object": "invoice"}))
        self.assertEqual(self.upstream_requests(), before)
        self.assertEqual(self.tollgate.admin.balance(self.org)["settled"], 0)

    def upstream_requests(self):
        return call(self.upstream.address, "GET", "/sample/stats").json()["requests"]


class WhatIsTold(EventsTest):
    def test_a_payment_that_succeeds_later_is_granted_once(self):
        intent = self.bought_pack("cus_pending")
        intent.status = "succeeded"
        body = event("payment_intent.succeeded", intent.shown())
        for each in (body, body, event("payment_intent.succeeded", intent.shown())):
            self.told(each)
        self.assertEqual(self.top_up()["status"], "paid")
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, self.org)], [500])
        self.assertGreaterEqual(self.counted('tollgate_payment_events_total{result="repeated"}'), 1)
        self.told(event("payment_intent.payment_failed", {**intent.shown(), "status": "requires_payment_method"}))
        self.assertEqual(self.top_up()["status"], "paid")

    def test_a_payment_that_fails_or_is_canceled_is_declined(self):
        for kind in ("payment_failed", "canceled"):
            self.org = f"ends-{kind.replace('_', '-')}"
            intent = self.bought_pack("cus_pending")
            self.told(event(f"payment_intent.{kind}", {**intent.shown(), "status": "canceled"}))
            self.assertEqual(self.top_up()["status"], "declined")

    def test_what_fails_under_a_key_that_was_given_up_changes_nothing(self):
        intent = self.bought_pack("cus_pending")
        shown = intent.shown()
        shown["metadata"] = {**shown["metadata"], "tollgate_key": "1"}
        self.told(event("payment_intent.payment_failed", shown))
        self.assertEqual(self.top_up()["status"], "pending")

    def test_what_is_refunded_is_taken_back_in_proportion_and_once(self):
        intent = self.bought_pack()
        self.assertEqual(self.available(), 2500)
        for refunded, available in ((300, 2350), (300, 2350), (250, 2350), (1000, 2000), (1000, 2000), (300, 2000)):
            self.told(event("charge.refunded", charge_of(intent, refunded)))
            self.assertEqual(self.available(), available)
        corrections = [(entry["subject"], entry["credits"]) for entry in self.tollgate.admin.ledger(self.org)
                       if entry["type"] == "grant" and entry["kind"] == "correction"]
        self.assertEqual(corrections, [("top-up:pack-1:refund:300", -150), ("top-up:pack-1:refund:1000", -350)])
        self.assertEqual((self.top_up()["status"], self.top_up()["taken_back"]), ("paid", 500))
        self.tollgate.verify()

    def test_what_came_back_of_a_second_payment_takes_nothing_back(self):
        """Nor does a dispute about a payment that only Stripe knows."""
        intent = self.bought_pack()
        second = self.stripe.add(dict(intent.form), "succeeded")
        line = 'tollgate_payment_mismatches_total{what="paid_twice"}'
        before = self.counted(line)
        self.told(event("payment_intent.succeeded", intent.shown()))
        self.assertEqual(self.counted(line), before)
        self.told(event("payment_intent.succeeded", second.shown()))
        self.assertEqual(self.counted(line), before + 1)
        self.assertIn(f"the credits are for \"{intent.id}\", refund the others", self.tollgate.log())
        self.told(event("charge.refunded", charge_of(second, 1000)))
        self.told(event("charge.dispute.created", dispute_of(second, 1000)))
        self.assertEqual(self.available(), 2500)
        self.assertIn("they are for another payment", self.tollgate.log())
        self.told(event("charge.dispute.created", dispute_of(intent, 1000)))
        self.assertEqual(self.available(), 2000)
        self.tollgate.verify()

    def test_a_statement_tells_what_was_paid_without_what_came_back(self):
        intent = self.bought_pack()
        self.told(event("charge.refunded", charge_of(intent, 300)))
        self.told(event("charge.dispute.created", dispute_of(intent, 200)))
        [statement] = self.tollgate.admin.expect_success("GET", f"/orgs/{self.org}/statements")["statements"]
        self.assertEqual(statement["paid"], {"packs_usd": 5, "automatic_top_ups_usd": 0, "overage_usd": 0,
                                             "total_usd": 5})

    def test_what_is_disputed_is_taken_back(self):
        intent = self.bought_pack()
        self.told(event("charge.refunded", charge_of(intent, 400)))
        for _ in range(2):
            self.told(event("charge.dispute.created", dispute_of(intent, 600)))
            self.assertEqual(self.available(), 2000)
        self.tollgate.verify()

    def test_what_is_refunded_first_and_told_to_be_paid_then(self):
        intent = self.bought_pack("cus_pending")
        intent.status = "succeeded"
        self.told(event("charge.refunded", charge_of(intent, 500)))
        self.assertEqual(self.available(), 2000)
        self.told(event("payment_intent.succeeded", intent.shown()))
        self.assertEqual(self.available(), 2250)
        self.tollgate.verify()

    def test_what_was_not_asked_for_is_not_granted_but_counted(self):
        intent = self.bought_pack("cus_pending")
        paid = {**intent.shown(), "status": "succeeded", "amount_received": 1000}
        for what, odd in (("amount", {"amount": 999}), ("amount", {"amount_received": 999}),
                          ("currency", {"currency": "jpy"})):
            line = f'tollgate_payment_mismatches_total{{what="{what}"}}'
            before = self.counted(line)
            self.told(event("payment_intent.succeeded", {**paid, **odd}))
            self.assertEqual(self.top_up()["status"], "pending")
            self.assertEqual(self.counted(line), before + 1)
        self.assertIn("payment mismatch", self.tollgate.log())

    def test_what_is_none_of_ours_is_acknowledged(self):
        intent = self.bought_pack("cus_pending")
        shown = {**intent.shown(), "status": "succeeded"}
        strays = 'tollgate_payment_mismatches_total{what="metadata"}'
        before = self.counted(strays)
        for metadata in ({}, {"order": "7"}, {"tollgate_org": self.org, "tollgate_top_up": "pack-2"},
                         {"tollgate_org": "nobody-here", "tollgate_top_up": "pack-1"},
                         {"tollgate_org": "a b{}", "tollgate_top_up": "pack-1"}):
            self.told(event("payment_intent.succeeded", {**shown, "metadata": metadata}))
        self.assertEqual(self.counted(strays), before + 3)
        stray = dispute_of(intent, 100)
        self.told(event("charge.dispute.created", {**stray, "payment_intent": None, "charge": None}))
        self.told(event("customer.created", {"id": "cus_1", "object": "customer"}))
        self.assertEqual(self.top_up()["status"], "pending")


class Policy(EventsTest):
    settings = {"webhook_secret": [NEW, SECRET], "refunds": "keep", "disputes": "keep"}

    def test_credits_may_be_kept(self):
        intent = self.bought_pack()
        self.told(event("charge.refunded", charge_of(intent, 1000)))
        self.told(event("charge.dispute.created", dispute_of(intent, 1000)))
        self.assertEqual(self.available(), 2500)
        self.assertIn("credits are kept", self.tollgate.log())

    def test_either_secret_signs_while_one_replaces_the_other(self):
        intent = self.bought_pack("cus_pending")
        ignored = event("payment_intent.created", intent.shown())
        for secrets in ((NEW,), (SECRET,), (NEW, SECRET)):
            self.told(ignored, header=signature(ignored, *secrets))
        self.assertEqual(self.tell(ignored, signature(ignored, "whsec_third")).status, 400)


class Listener(EventsTest):
    """A separate address: the data listener does not serve it."""

    @classmethod
    def setUpClass(cls):
        cls.settings = {"webhook_secret": SECRET, "listen": f"127.0.0.1:{free_port()}"}
        super().setUpClass()
        cls.to = cls.settings["listen"]

    def test_events_and_nothing_else(self):
        intent = self.bought_pack("cus_pending")
        intent.status = "succeeded"
        body = event("payment_intent.succeeded", intent.shown())
        self.assertEqual(self.tell(body, to=self.tollgate.address).error_code, "missing_api_key")
        self.assertEqual(self.tell(body, path="/v1/chat/completions").status, 404)
        self.assertEqual(self.tell(body, "t=1,v1=00").error_code, "invalid_signature")
        self.assertEqual(self.tell(b"x" * 300_000).status, 413)
        self.assertEqual(self.top_up()["status"], "pending")
        with RawConnection(self.to) as raw:  # one connection takes several
            for _ in range(2):
                raw.send(b"POST /payments/stripe HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\nStripe-Signature: "
                         % len(body) + signature(body).encode() + b"\r\n\r\n" + body)
                self.assertEqual(raw.read_reply("POST").status, 200)
        self.assertEqual(self.top_up()["status"], "paid")

    def test_connections_that_say_nothing_do_not_keep_stripe_out(self):
        body = event("customer.created", {"id": "cus_1", "object": "customer"})
        with contextlib.ExitStack() as idle:
            for _ in range(80):
                idle.enter_context(RawConnection(self.to))
            begun = idle.enter_context(RawConnection(self.to))
            begun.send(b"POST /payments/stripe HTTP/1.1\r\nHost: t\r\n")
            for _ in range(80):
                idle.enter_context(RawConnection(self.to))
            self.told(body)
            # A request that has begun is closed after idle connections.
            begun.send(b"Content-Length: %d\r\nStripe-Signature: " % len(body) + signature(body).encode()
                       + b"\r\n\r\n" + body)
            self.assertEqual(begun.read_reply("POST").status, 200)

    def test_one_that_says_nothing_is_closed_soon(self):
        with RawConnection(self.to) as raw:
            begun = time.monotonic()
            self.assertEqual(raw.socket.recv(1), b"")
            self.assertLess(time.monotonic() - begun, 8)

    def test_a_reload_changes_the_secrets(self):
        intent = self.bought_pack("cus_pending")
        ignored = event("payment_intent.created", intent.shown())
        self.assertEqual(self.tell(ignored, signature(ignored, NEW)).status, 400)
        config = json.loads(self.tollgate.config_path.read_text())
        config["payments"]["stripe"]["webhook_secret"] = [NEW, SECRET]
        self.tollgate.write_config(config)
        self.tollgate.popen.send_signal(1)  # SIGHUP
        wait_until(lambda: self.tell(ignored, signature(ignored, NEW)).status == 200, "the reload")
        self.told(ignored)


class Away(EventsTest):
    def test_while_the_store_is_away_it_is_to_be_told_again(self):
        redis = self.start(Redis(self.directory, "lasting", persistent=True))
        self.tollgate = self.start(Tollgate(self.directory, configuration(
            redis.url, self.upstream.address, **self.sidecar_settings(**self.settings)), "away"))
        self.to = self.tollgate.address
        intent = self.bought_pack("cus_pending")
        intent.status = "succeeded"
        body = event("payment_intent.succeeded", intent.shown())
        redis.kill()
        reply = self.tell(body)
        self.assertEqual((reply.status, reply.error_code), (503, "ledger_unavailable"))
        self.start(Redis(self.directory, "lasting", persistent=True))
        wait_until(lambda: self.tell(body).status == 200, "the event to be taken")
        self.assertEqual(self.top_up()["status"], "paid")
