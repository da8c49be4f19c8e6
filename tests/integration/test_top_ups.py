"""Bought credits: one payment per need, whatever crashes between the request and its result.

The short form of the chaos runs with all other tests. The long form kills sidecars in 200 rounds:

    TOLLGATE_CHAOS_ROUNDS=200 python3 -B -m unittest -v test_top_ups.Chaos
"""
import asyncio
import json
import os
import random
import ssl
import threading
import time
from collections import Counter
from decimal import Decimal

from support import payments
from support.certificates import Authority
from support.http import BROKEN_OFF, call, split_address
from support.load import all_at_once
from support.payments import PaymentEndpoint
from support.process import wait_until
from support.top_ups import PLANS, TINY, TopUpTest
from support.tollgate import Tollgate, configuration

def chat_request(tollgate, key, model="gpt-3.5"):
    body = json.dumps({"model": model, "messages": []}).encode()
    return (tollgate.address, "POST", "/v1/chat/completions",
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, body)


class Webhook(TopUpTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.endpoint = cls.start(PaymentEndpoint())
        cls.pair = cls.start_pair({"timeout": "2s", "webhook": {
            "url": f"http://{cls.endpoint.address}/pay?from=test", "secret": payments.SECRET}})
        cls.tollgate = cls.pair[0]

    def setUp(self):
        self.org = self.id().split(".")[-1].replace("_", "-")[:60]

    def tearDown(self):
        self.endpoint.behave = lambda endpoint, connection, charge: endpoint.answer(connection, charge)
        self.endpoint.decide = lambda event: "paid"
        self.assertEqual(self.endpoint.failures, [])

    def new_customer(self, **fields):
        return self.tollgate.admin.new_customer(self.org, **{**TINY, **fields})

    def metric(self, verdict):
        lines = [line for each in self.pair
                 for line in call(each.admin.address, "GET", "/metrics").body.decode().splitlines()]
        return sum(int(line.split()[1]) for line in lines
                   if line.startswith(f'tollgate_top_ups_total{{verdict="{verdict}"}}'))

    def test_1000_calls_at_once_that_cross_the_threshold_buy_once(self):
        key = self.new_customer(plan="starter",
                                auto_top_up={"threshold_credits": 1000, "amount_usd": 10})

        replies = asyncio.run(all_at_once([chat_request(self.pair[i % 2], key)
                                           for i in range(1_000)]))

        self.assertEqual(Counter(reply.status for reply in replies), {200: 1_000})
        [top_up] = self.resolved(self.tollgate, self.org)
        self.assertEqual((top_up["status"], top_up["amount_usd"], top_up["credits"]),
                         ("paid", Decimal("10.00"), 500))
        [charge] = self.endpoint.of(self.org)
        self.assertEqual((charge.key, charge.asked), (f"{self.org}:{top_up['id']}", 1))
        self.assertEqual(charge.event["type"], "account.top_up_requested")
        self.assertEqual(charge.event["data"],
                         {"top_up": top_up["id"], "amount_usd": "10.00", "credits": "500"})
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, self.org)], [500])
        balance = self.settled_balance(self.tollgate, self.org)
        self.assertEqual((balance["granted"], balance["available"]), (2_500, 500))
        self.tollgate.verify()

    def test_declined_is_not_asked_for_again_at_once(self):
        self.endpoint.decide = lambda event: "declined"
        before = self.metric("declined")
        key = self.new_customer()
        for _ in range(5):
            self.assertEqual(self.tollgate.chat(key).status, 200)
        [top_up] = self.resolved(self.tollgate, self.org)
        self.assertEqual(top_up["status"], "declined")
        time.sleep(1.5)  # three sweeps
        self.assertEqual([each.asked for each in self.endpoint.of(self.org)], [1])
        self.assertEqual(self.bought(self.tollgate, self.org), [])
        self.assertEqual(self.metric("declined"), before + 1)

    def test_pending_is_confirmed_once(self):
        self.endpoint.decide = lambda event: "pending"
        key = self.new_customer()
        self.assertEqual(self.tollgate.chat(key).status, 200)
        [top_up] = self.resolved(self.tollgate, self.org)
        self.assertEqual(top_up["status"], "pending")
        while (reply := self.tollgate.chat(key)).status == 200:
            pass
        self.assertEqual(reply.error_code, "insufficient_credits")
        self.assertIs(reply.json()["error"]["top_up_pending"], True)
        self.assertEqual(self.bought(self.tollgate, self.org), [])

        path = f"/orgs/{self.org}/top_ups/{top_up['id']}"
        for each in self.pair:
            confirmed = each.admin.expect_success("POST", path, {"status": "paid"})
            self.assertEqual(confirmed["status"], "paid")
        self.assertEqual(self.tollgate.admin.request("POST", path, {"status": "declined"}).status, 409)
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, self.org)], [500])
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.assertEqual([each.asked for each in self.endpoint.of(self.org)], [1])
        self.tollgate.verify()

    def test_what_is_no_answer_is_asked_for_again_under_the_same_key(self):
        bad = {each.__name__.replace("_", "-"): each for each in (
            payments.never, payments.broken, payments.closing, payments.resetting, payments.half,
            payments.mute, payments.in_other_words, payments.not_there, payments.elsewhere,
            payments.endless)}

        def behave(endpoint, connection, charge):
            first = charge.asked == 1
            (bad[charge.event["org"]] if first else PaymentEndpoint.answer)(endpoint, connection, charge)
        self.endpoint.behave = behave
        failed = self.metric("failed")
        for org in bad:
            key = self.tollgate.admin.new_customer(org, **TINY)
            self.assertEqual(self.tollgate.chat(key).status, 200)
        for org in bad:
            with self.subTest(org):
                [top_up] = self.resolved(self.tollgate, org, timeout=30)
                self.assertEqual((top_up["status"], top_up["attempts"]), ("paid", 2))
                [charge] = self.endpoint.of(org)
                self.assertEqual((charge.asked, len(charge.bodies), len(charge.ids)), (2, 1, 1))
                self.assertEqual([credits for _, credits in self.bought(self.tollgate, org)], [500])
        self.assertEqual(self.metric("failed"), failed + len(bad))
        log = "".join(each.log() for each in self.pair)
        self.assertNotIn(payments.SECRET, log)
        self.assertEqual(log.count("top-up failed: "), len(bad))

    def test_a_pack_bought_by_hand_twice_with_the_same_key_is_one(self):
        self.new_customer(auto_top_up=None)
        for each in self.pair:
            pack = each.admin.buy(self.org, 25, "pack-1")
            self.assertEqual((pack["id"], pack["credits"]), ("pack-1", 1_250))
        [pack] = self.resolved(self.tollgate, self.org)
        self.assertEqual((pack["status"], pack["automatic"]), ("paid", False))
        [charge] = self.endpoint.of(self.org)
        self.assertEqual((charge.key, charge.event["data"]["amount_usd"]),
                         (f"{self.org}:pack-1", "25.00"))
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, self.org)], [1_250])


class Nobody(TopUpTest):
    def test_without_a_payment_endpoint_a_top_up_waits_to_be_confirmed(self):
        with self.alone() as tollgate:
            key = tollgate.admin.new_customer("nobody", **TINY)
            self.assertEqual(tollgate.chat(key).status, 200)
            time.sleep(1)
            [top_up] = tollgate.admin.top_ups("nobody")
            self.assertEqual((top_up["status"], top_up["attempts"]), ("requested", 0))
            tollgate.admin.expect_success("POST", f"/orgs/nobody/top_ups/{top_up['id']}",
                                          {"status": "paid"})
            self.assertEqual([credits for _, credits in self.bought(tollgate, "nobody")], [500])

    def test_a_reload_names_one(self):
        endpoint = self.start(PaymentEndpoint())
        with self.alone() as tollgate:
            key = tollgate.admin.new_customer("reload", **TINY)
            self.assertEqual(tollgate.chat(key).status, 200)
            config = json.loads(tollgate.config_path.read_text())
            config["payments"] = {"webhook": {"url": f"http://{endpoint.address}/",
                                              "secret": payments.SECRET}}
            tollgate.write_config(config)
            tollgate.popen.send_signal(1)  # SIGHUP
            [top_up] = self.resolved(tollgate, "reload")
            self.assertEqual(top_up["status"], "paid")


class TakeOver(TopUpTest):
    def test_a_delivery_does_not_hold_up_a_restart_and_is_taken_over(self):
        endpoint = self.start(PaymentEndpoint())
        endpoint.behave = payments.never
        settings = {"timeout": "4s", "webhook": {"url": f"http://{endpoint.address}/",
                                                 "secret": payments.SECRET}}
        with self.alone(payments=settings) as first:
            key = first.admin.new_customer("over", **TINY)
            self.assertEqual(first.chat(key).status, 200)
            wait_until(lambda: endpoint.of("over"), "the endpoint to be asked")
            began = time.monotonic()
            first.stop()
            self.assertLess(time.monotonic() - began, 2)
        endpoint.behave = PaymentEndpoint.answer
        with self.alone(payments=settings) as second:
            [top_up] = self.resolved(second, "over")
            self.assertEqual((top_up["status"], top_up["attempts"]), ("paid", 2))
            self.assertEqual([credits for _, credits in self.bought(second, "over")], [500])
        [charge] = endpoint.of("over")
        self.assertEqual((charge.asked, len(charge.bodies)), (2, 1))


class Tls(TopUpTest):
    def test_only_a_trusted_endpoint_is_told(self):
        authority, stranger = (Authority(self.directory, name) for name in ("pay", "pay-stranger"))
        for name, issuer, names, trusted in (
                ("good", authority, "DNS:localhost", True),
                ("wrong-name", authority, "DNS:elsewhere.example", False),
                ("wrong-authority", stranger, "DNS:localhost", False)):
            with self.subTest(name):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*issuer.issue(name, names))
                endpoint = self.start(PaymentEndpoint(tls=context))
                with self.alone(payments={"webhook": {
                        "url": f"https://localhost:{split_address(endpoint.address)[1]}/hook",
                        "secret": payments.SECRET,
                        "ca_file": str(authority.certificate)}}) as tollgate:
                    key = tollgate.admin.new_customer(name, **TINY)
                    self.assertEqual(tollgate.chat(key).status, 200)
                    if trusted:
                        [top_up] = self.resolved(tollgate, name)
                        self.assertEqual(top_up["status"], "paid")
                    else:
                        wait_until(lambda: "top-up failed" in tollgate.log(), "the attempt to fail")
                        self.assertEqual(endpoint.books, {})
                self.assertEqual(endpoint.failures, [])


class Chaos(TopUpTest):
    """Sidecars are killed at any moment, and the endpoint answers in every faulty way. In the end every charge in the
    endpoint's books is a paid top-up and a grant, and the reverse."""

    rounds = int(os.environ.get("TOLLGATE_CHAOS_ROUNDS") or 12)
    bad_answers = [payments.never, payments.late(0.3), payments.late(1.5), payments.twice,
                   payments.broken, payments.closing, payments.resetting, payments.half, payments.mute]

    def test_every_charge_is_granted_once_and_nothing_else_is(self):
        seed = int(os.environ.get("TOLLGATE_SEED") or random.SystemRandom().randrange(2**32))
        print(f"TOLLGATE_SEED={seed} rounds={self.rounds}", end=" ", flush=True)
        self.chance = random.Random(seed)
        self.endpoint = self.start(PaymentEndpoint())
        self.endpoint.decide = lambda event: self.chance.choices(
            ("paid", "declined", "pending"), (80, 10, 10))[0]
        self.endpoint.behave = self.misbehave
        self.endpoint.lose = lambda: self.chance.random() < 0.1
        self.configs = [self.config() for _ in range(2)]
        self.sidecars = [None, None]
        self.restart()
        self.orgs = []
        for number in range(self.rounds):
            self.round(f"chaos-{number}")
        self.endpoint.lose = lambda: False
        self.settle_all()
        self.compare_books()

    def config(self):
        return configuration(self.redis.url, self.upstream.address, plans=PLANS,
                             holds={"timeout": "2s", "sweep_every": "200ms"},
                             payments={"timeout": "500ms", "webhook": {
                                 "url": f"http://{self.endpoint.address}/pay",
                                 "secret": payments.SECRET}})

    def misbehave(self, endpoint, connection, charge):
        """Faulty most of the time; but at most twice in a row for the same key, because the pauses between the attempts
        grow."""
        bad = charge.asked <= 2 and self.chance.random() < 0.7
        (self.chance.choice(self.bad_answers) if bad else PaymentEndpoint.answer)(
            endpoint, connection, charge)

    def restart(self):
        """Starts those that do not run, both at the same time."""
        def start(index):
            name = f"chaos-{index}-{next(self._names)}"
            self.sidecars[index] = self.start(Tollgate(self.directory, self.configs[index], name))
        starting = [threading.Thread(target=start, args=(index,))
                    for index, each in enumerate(self.sidecars) if each is None or not each.running()]
        for each in starting:
            each.start()
        for each in starting:
            each.join()

    def round(self, org):
        """A new need at each sidecar, and one process is killed during delivery."""
        self.orgs.append(org)
        key = self.sidecars[0].admin.new_customer(org, **TINY)
        victims = self.chance.choice(([], [0], [1], [0, 1], [0, 1]))
        moment = self.chance.choice((0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.6))
        needs = [threading.Thread(target=self.ask_for_credits, args=(each, org, key))
                 for each in self.sidecars]
        for each in needs:
            each.start()
        time.sleep(moment * self.chance.random())
        for victim in victims:
            self.sidecars[victim].kill()
        for each in needs:
            each.join()
        self.restart()

    @staticmethod
    def ask_for_credits(tollgate, org, key):
        try:
            tollgate.chat(key)
            tollgate.admin.buy(org, 10, "pack")
        except (*BROKEN_OFF, ValueError, AssertionError):
            pass  # it was killed, and the books show the result

    def settle_all(self):
        """Requests lost top-ups again, and waits until every top-up has been answered."""
        admin = self.sidecars[0].admin
        for org in self.orgs:
            admin.buy(org, 10, "pack")

        def waiting():
            return [each for org in self.orgs for each in admin.top_ups(org)
                    if each["status"] == "requested"]
        try:
            wait_until(lambda: not waiting(), "every top-up to be resolved", 120, every=0.5)
        except TimeoutError:
            self.fail(f"still waiting: {waiting()}")
        for charge in list(self.endpoint.books.values()):
            if charge.verdict == "pending":
                path = f"/orgs/{charge.event['org']}/top_ups/{charge.event['data']['top_up']}"
                for each in self.sidecars:
                    each.admin.expect_success("POST", path, {"status": "paid"})
                charge.verdict = "paid"

    def compare_books(self):
        tollgate = self.sidecars[1]
        top_ups = {f"{org}:{each['id']}": each for org in self.orgs
                   for each in tollgate.admin.top_ups(org)}
        paid = {key for key, each in top_ups.items() if each["status"] == "paid"}
        self.assertEqual(paid, self.endpoint.charged())
        self.assertEqual(set(top_ups), set(self.endpoint.books))
        granted = [(f"{org}:{identity.removeprefix('top-up:')}", credits) for org in self.orgs
                   for identity, credits in self.bought(tollgate, org)]
        self.assertEqual(Counter(granted), Counter((key, 500) for key in paid))  # each once
        for charge in self.endpoint.books.values():
            self.assertEqual((len(charge.bodies), len(charge.ids)), (1, 1), charge.key)
        self.assertEqual(self.endpoint.failures, [])
        asked = Counter(each.asked for each in self.endpoint.books.values())
        print(f"payments={len(top_ups)} paid={len(paid)} asked={sorted(asked.items())}", end=" ",
              flush=True)
        for org in self.orgs:
            self.settled_balance(tollgate, org)
        tollgate.verify()
