"""Usage by any grouping = ledger = statement = change of the balance, to the micro-credit.

Twenty random histories, each of a separate organization: calls of many routes, models, agents,
conversations and keys, some refused, some of them by the upstream; grants, corrections, packs. A
failure names the seed of its history; TOLLGATE_SEED runs that one alone.
"""
import concurrent.futures
import csv
import io
import itertools
import os
import random
import time
from collections import defaultdict
from decimal import Decimal

from support.http import call
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, route

SEEDS = [int(os.environ["TOLLGATE_SEED"])] if "TOLLGATE_SEED" in os.environ else range(2026, 2046)
DIMENSIONS = ("action", "model", "agent", "conversation", "key", "route")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati")
PLANS = {"starter": {"credits": 200, "overage_usd": 0.02, "top_up_minimum_usd": 10}}


class History:
    """One organization with random operations."""

    def __init__(self, tollgate, seed):
        self.random = random.Random(seed)
        self.tollgate, self.admin, self.org = tollgate, tollgate.admin, f"history-{seed}"
        self.admin.put_org(self.org, plan="starter", overage=self.random.random() < 0.5)
        self.keys = [self.admin.create_key(self.org)["key"] for _ in range(3)]

    def live(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(*self.step()) for _ in range(60)]:
                done.result()

    def step(self):
        chance = self.random.random()
        number = self.random.randrange(10**9)
        if chance < 0.04:
            return self.admin.grant, self.org, f"{self.random.randrange(1, 10**8) / Decimal(10**6)}"
        if chance < 0.06:
            return self.admin.grant, self.org, f"-{self.random.randrange(1, 9)}.25", "correction"
        if chance < 0.08:
            return self.buy, f"pack-{number}", self.random.randrange(10, 20)
        return self.call, *self.request()

    def buy(self, name, dollars):
        self.admin.buy(self.org, dollars, name)
        self.admin.expect_success("POST", f"/orgs/{self.org}/top_ups/{name}", {"status": "paid"})

    def request(self):
        pick = self.random.choice
        headers = {"Authorization": f"Bearer {pick(self.keys)}"}
        if self.random.random() < 0.8:
            headers["X-Agent-Id"] = pick(["a1", "a2", "=a3", "agént"])
        if self.random.random() < 0.5:
            headers["X-Conversation-Id"] = f"c{self.random.randrange(6)}"
        if self.random.random() < 0.1:
            headers["x-sample-status"] = "500"
        kind = self.random.randrange(6)
        if kind < 2:
            path, body = "/v1/chat/completions", {"model": pick(["gpt-4", "gpt-4o", "gpt-3.5-turbo"]),
                                                  "messages": []}
        elif kind == 2:
            path, body = "/v1/knowledge-bases/k/query", {"queries": ["q"] * self.random.randrange(1, 9)}
        elif kind == 3:
            path, body = "/v1/thirds", {}
        else:
            path, body = f"/v1/agents/a{self.random.randrange(4)}/x", None
        return ("GET" if body is None else "POST"), path, headers, body

    def call(self, method, path, headers, body):
        call(self.tollgate.address, method, path,
             {name: value.encode() for name, value in headers.items()}, body)


class Sums(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        thirds = {"thirds": {"credits": "0.333333", "per": "request"}}
        cls.tollgate = cls.start_tollgate(
            plans=PLANS, rates={**RATES, **thirds},
            routes=[route("thirds", "thirds", {"path": "/v1/thirds"}, action="api"), *ROUTES])
        cls.admin = cls.tollgate.admin
        # Without an end, a report begins with the month, and a month may end during this test.
        cls.since = time.strftime("from=%Y-%m-%d", time.gmtime(time.time() - 86_400))

    def test_twenty_histories(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                history = History(self.tollgate, seed)
                history.live()
                self.settled_balance(self.tollgate, history.org)
                self.check(history.org, history.random)
        self.tollgate.verify()

    def check(self, org, chance):
        ledger = self.admin.ledger(org)
        settled = [entry for entry in ledger if entry["type"] == "settle"]
        used = sum(entry["credits"] for entry in settled)
        self.assertGreater(used, 0)
        balance = self.admin.balance(org)
        self.assertEqual(balance["settled"], used)
        granted = sum(e["credits"] for e in ledger if e["type"] in ("grant", "bill"))
        forfeited = sum(e["credits"] for e in ledger if e["type"] == "forfeit")
        self.assertEqual(balance["available"], granted - forfeited - used, "how the balance has moved")
        self.assertEqual(ledger[-1]["available"], balance["available"])
        self.check_statement(org, balance, used)
        for count in range(len(DIMENSIONS) + 1):
            for group_by in itertools.combinations(DIMENSIONS, count):
                self.check_usage(org, group_by, settled, chance)
        self.check_filters(org, settled, chance)

    def check_statement(self, org, balance, used):
        """The statement's lines add up to the balance, its usage to the settled amount."""
        month = balance["cycle"]["start"][:7]
        one = self.admin.expect_success("GET", f"/orgs/{org}/statements/{month}")
        lines = one["usage"]["lines"]
        self.assertEqual(one["usage"]["credits"], used)
        self.assertEqual(sum(line["credits"] for line in lines) + one["usage"]["other"], used)
        self.assertEqual(one["usage"]["other"], 0)
        self.assertEqual(one["closing"], balance["available"])

    def check_usage(self, org, group_by, settled, chance):
        """Each row is the sum of its ledger entries, for every zone, bucket and page size."""
        expected = defaultdict(lambda: [Decimal(0), 0])
        for entry in settled:
            row = expected[tuple(entry[name] for name in group_by)]
            row[0] += entry["credits"]
            row[1] += 1
        question = (f"{self.since}&granularity={chance.choice(['hour', 'day', 'month', 'total'])}"
                    f"&time_zone={chance.choice(ZONES)}&group_by={','.join(group_by)}")
        rows = self.all_rows(org, question + f"&limit={chance.choice([1, 3, 17, 1000])}", settled)
        found = defaultdict(lambda: [Decimal(0), 0])
        for row in rows:
            group = found[tuple(row[name] for name in group_by)]
            group[0] += row["credits"]
            group[1] += row["calls"]
        self.assertEqual(found, expected, question)

    def all_rows(self, org, question, settled):
        rows, after = [], ""
        while True:
            page = self.admin.expect_success("GET", f"/orgs/{org}/usage?{question}{after}")
            self.assertEqual((page["total"]["credits"], page["total"]["calls"]),
                             (sum(e["credits"] for e in settled), len(settled)), question)
            rows += page["rows"]
            if not page["has_more"]:
                return rows
            after = f"&after={page['next_after']}"

    def check_filters(self, org, settled, chance):
        """Any of some agents and any of some routes: their entries, also in the CSV."""
        agents = chance.sample(["a1", "a2", "=a3", "agént", ""], 2)
        routes = chance.sample(["agents", "thirds", "chat-gpt-4", "knowledge-query"], 2)
        wanted = [e for e in settled if (e["agent"] or "") in agents and e["route"] in routes]
        question = "&".join([self.since, "granularity=total", "group_by=route",
                             *(f"agent={a.replace('é', '%C3%A9')}" for a in agents),
                             *(f"route={r}" for r in routes)])
        reply = self.admin.request("GET", f"/orgs/{org}/usage?{question}", headers={"Accept": "text/csv"})
        rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
        self.assertEqual(sum(Decimal(row["credits"]) for row in rows), sum(e["credits"] for e in wanted))
        for row in rows:
            mine = [e for e in wanted if e["route"] == row["route"]]
            unit, used = ("query", sum(e["used"] for e in mine)) if row["route"] == "knowledge-query" \
                else ("request", len(mine))
            self.assertEqual((row["unit"], int(row["used"])), (unit, used))
