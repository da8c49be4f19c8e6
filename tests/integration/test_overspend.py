"""With B credits and price p, at most floor(B/p) requests are ever forwarded, however many arrive
at once, at however many sidecars."""
import asyncio
import json
import os
import random
from collections import Counter
from decimal import Decimal

from support.load import all_at_once
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, route

MICRO = Decimal("0.000001")
# Prices without a common divisor: their sums approach a balance in every possible way.
ODD_PRICES = [Decimal(p) for p in
              ("0.000001", "0.1", "0.166667", "0.333333", "1", "1.000001", "7.5", "10", "99.999999")]


def chat_request(tollgate, key):
    body = json.dumps({"model": "gpt-4", "messages": []}).encode()
    return (tollgate.address, "POST", "/v1/chat/completions",
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, body)


class Overspend(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        rates = {**RATES, **{f"odd-{i}": {"credits": str(price), "per": "request"}
                             for i, price in enumerate(ODD_PRICES)}}
        routes = [route(f"odd-{i}", f"odd-{i}", {"path": f"/v1/odd/{i}"})
                  for i in range(len(ODD_PRICES))] + ROUTES
        cls.tollgates = [cls.start_tollgate(rates=rates, routes=routes) for _ in range(2)]

    def test_1000_concurrent_calls_with_100_credits_are_10_calls(self):
        key = self.tollgates[0].admin.new_customer("crowd", credits=100)
        before = self.upstream.stats()["by_path"].get("/v1/chat/completions", 0)

        replies = asyncio.run(all_at_once([chat_request(self.tollgates[i % 2], key)
                                           for i in range(1_000)]))

        self.assertEqual(Counter(reply.status for reply in replies), {200: 10, 402: 990})
        reached = self.upstream.stats()["by_path"]["/v1/chat/completions"] - before
        self.assertEqual(reached, 10)
        for reply in replies:
            if reply.status == 402:
                self.assertEqual(reply.error_code, "insufficient_credits")
        self.expect_settled("crowd", Decimal(100), Decimal(100))

    def test_more_renewals_at_once_than_one_script_call_takes(self):
        """600 calls of one organization, all in the same tick: their holds are renewed together."""
        tollgate = self.start_tollgate(threads=1, holds={"timeout": "1s"})
        key = tollgate.admin.new_customer("renewals", credits=6_000)
        address, method, path, headers, body = chat_request(tollgate, key)
        slow = {**headers, "x-sample-head-delay-ms": "1500"}
        replies = asyncio.run(all_at_once([(address, method, path, slow, body)] * 600))
        self.assertEqual(Counter(reply.status for reply in replies), {200: 600})
        self.expect_settled("renewals", Decimal(6_000), Decimal(6_000))

    def test_twenty_random_mixes(self):
        seed = int(os.environ.get("TOLLGATE_SEED") or random.SystemRandom().randrange(2**32))
        print(f"TOLLGATE_SEED={seed}", end=" ", flush=True)
        rng = random.Random(seed)
        for mix in range(20):
            with self.subTest(seed=seed, mix=mix):
                asyncio.run(self.check_mix(rng, f"mix-{mix}"))

    async def check_mix(self, rng, org):
        routes = rng.sample(range(len(ODD_PRICES)), rng.randint(1, 4))
        sent = [rng.choice(routes) for _ in range(rng.randint(50, 200))]
        everything = sum(ODD_PRICES[i] for i in sent)
        balance = max((everything * rng.randint(1, 110) / 100).quantize(MICRO), MICRO)
        key = self.tollgates[0].admin.new_customer(org, credits=balance)
        failing = rng.random() < 0.5  # in half of the mixes, some calls fail at the upstream

        def request(i):
            headers = {"Authorization": f"Bearer {key}"}
            if failing and rng.random() < 0.3:
                headers["x-sample-status"] = "500"
            return (rng.choice(self.tollgates).address, "GET", f"/v1/odd/{i}", headers)

        replies = await all_at_once([request(i) for i in sent])

        paid = [i for i, reply in zip(sent, replies) if reply.status == 200]
        charged = sum((ODD_PRICES[i] for i in paid), Decimal(0))
        self.assertLessEqual(charged, balance)
        self.assertLessEqual({reply.status for reply in replies}, {200, 402, 500})
        left = self.expect_settled(org, balance, charged)
        if not failing:  # no credits were given back, so a refused call could not be paid at the end either
            for i, reply in zip(sent, replies):
                if reply.status == 402:
                    self.assertLess(left, ODD_PRICES[i])

    def expect_settled(self, org, granted, charged):
        """Settling may end a moment after the reply: waits for the last hold, then compares."""
        balance = self.settled_balance(self.tollgates[1], org)
        self.assertEqual(balance["granted"], granted)
        self.assertEqual(balance["settled"], charged)
        self.assertEqual(balance["available"], granted - charged)
        for tollgate in self.tollgates:
            tollgate.verify()
        return balance["available"]
