"""A store whose clock is moved while everything runs, and reads as of now. Nothing is swept meanwhile, unless a test
says so."""
import asyncio
import time
from datetime import datetime, timedelta

from support.http import AsyncClient
from support.process import MovableClock, Redis, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

PLANS = {
    "starter": {"credits": 100, "overage_usd": 0.02, "top_up_minimum_usd": 10},
    "dear": {"credits": 100, "overage_usd": 0.02, "top_up_minimum_usd": 50},
}


class ClockTest(StackTest):
    def setUp(self):
        self.name = self.id().rpartition("_")[2]
        self.clock = MovableClock(self.directory, self.name)
        self.store = self.start(Redis(self.directory, self.name, run_with=self.clock.run_with))

    def sidecar(self, name="tollgate", **holds):
        holds = {"sweep_every": "1h", **holds}
        config = configuration(self.store.url, self.upstream.address, plans=PLANS, holds=holds)
        return self.start(Tollgate(self.directory, config, f"{self.name}-{name}"))

    def read(self, tollgate, path, key=None):
        reply = tollgate.call("GET", path, key) if key else tollgate.admin.request("GET", path)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()["data"]

    def expect_now_in(self, cycle):
        start, end = (datetime.fromisoformat(cycle[name].replace("Z", "+00:00")) for name in ("start", "end"))
        self.assertLess(start, self.clock.now())
        self.assertGreater(end, self.clock.now())


class Reads(ClockTest):
    def test_are_as_of_now_when_a_cycle_has_ended(self):
        tollgate = self.sidecar()
        month = self.clock.now().strftime("%Y-%m")
        first_day = self.clock.now().strftime("%Y-%m-01")
        paths = ["balance", "statements", f"statements/{month}", "grants", "usage", "ledger", "projection", ""]
        keys = {}
        for i, _ in enumerate(paths):
            keys[i] = tollgate.admin.new_customer(f"ends-{i}", plan="starter", cycle_anchor=first_day)
            self.assertEqual(tollgate.chat(keys[i]).status, 200)
            self.settled_balance(tollgate, f"ends-{i}")
        next_month = (self.clock.now().replace(day=28) + timedelta(days=4)).replace(day=2)
        self.clock.move(days=(next_month - self.clock.now()).days + 1)  # one cycle ends, and no more
        for i, path in enumerate(paths):
            with self.subTest(path=path):
                data = self.read(tollgate, f"/orgs/ends-{i}" + (f"/{path}" if path else ""))
                if path == "balance":
                    self.assertEqual((data["available"], data["expired"]), (100, 90))
                    self.expect_now_in(data["cycle"])
                elif path == "statements":
                    self.assertGreater(len(data["statements"]), 1)
                elif path.startswith("statements/"):
                    self.assertEqual(data["closed"], True)
                elif path == "ledger":
                    self.assertIn("forfeit", [entry["type"] for entry in data["entries"]])
                elif path == "":
                    self.expect_now_in(data["cycle"])
        for i, path in enumerate(["balance", "statements"]):
            key = keys[i]
            self.clock.move(days=80 + 40 * i)
            data = self.read(tollgate, f"/v1/billing/{path}", key)
            if path == "balance":
                self.expect_now_in(data["cycle"])
            else:
                self.assertGreater(len(data["statements"]), 3)

    def test_are_as_of_now_when_a_grant_has_ended(self):
        tollgate = self.sidecar()
        tollgate.admin.put_org("grant")
        ends = (self.clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        tollgate.admin.grant("grant", 50, expires_at=ends)
        self.assertEqual(tollgate.admin.balance("grant")["available"], 50)
        self.clock.move(hours=2)
        balance = tollgate.admin.balance("grant")
        self.assertEqual((balance["available"], balance["expired"], balance["grants"]), (0, 50, []))

    def test_purchases_are_checked_against_the_plan_in_force(self):
        tollgate = self.sidecar()
        tollgate.admin.put_org("buys", plan="dear", cycle_anchor=self.clock.now().strftime("%Y-%m-01"))
        tollgate.admin.put_org("buys", plan="starter", plan_effective="next_cycle")
        self.clock.move(days=40)
        self.assertEqual(tollgate.admin.buy("buys", 10, "pack-1")["credits"], 500)

    def test_usage_until_now_has_what_was_just_used(self):
        tollgate = self.sidecar()
        key = tollgate.admin.new_customer("used", credits=100)
        self.read(tollgate, "/orgs/used/usage")
        self.clock.move(days=5)
        self.assertEqual(tollgate.chat(key).status, 200)
        wait_until(lambda: self.read(tollgate, "/v1/billing/balance", key)["held"] == 0, "the call to be settled")
        day = (self.clock.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:00:00Z")
        for data in (self.read(tollgate, f"/orgs/used/usage?from={day}"),
                     self.read(tollgate, f"/v1/billing/usage?from={day}", key)):
            self.assertEqual(data["total"]["credits"], 10)


class Jumps(ClockTest):
    def test_ahead_by_days_refuse_nobody(self):
        tollgate = self.sidecar()
        key = tollgate.admin.new_customer("ahead", credits=1000)
        for days in (0, 2.1, 4.2, 400):
            self.clock.move(days=days)
            statuses = [tollgate.chat(key).status for _ in range(6)]
            self.assertEqual(statuses, [200] * 6, f"{days} days ahead")
        # A call may have been settled after a jump that its hold did not outlive: it is charged a little later.
        wait_until(lambda: tollgate.admin.balance("ahead")["settled"] == 240, "all calls to be charged")
        tollgate.verify()

    def test_ahead_by_years_leave_statements_readable(self):
        tollgate = self.sidecar(sweep_every="200ms")
        key = tollgate.admin.new_customer("years", plan="starter")
        months = []
        for days in range(0, 120, 10):
            self.clock.move(days=days)
            self.assertEqual(tollgate.chat(key).status, 200)
            months.append(self.clock.now().strftime("%Y-%m"))
        self.settled_balance(tollgate, "years")
        self.clock.move(days=365 * 6)
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            for path in ("statements", f"statements/{months[5]}", f"usage?from={months[0]}-01", "projection"):
                reply = tollgate.admin.request("GET", f"/orgs/years/{path}")
                self.assertEqual(reply.status, 200, f"{path}: {reply.body}")
            time.sleep(0.02)
        tollgate.verify()

    def test_back_leave_no_hold_of_the_dead(self):
        self.clock.move(hours=3)
        short = {"timeout": "2s", "sweep_every": "200ms"}
        victim, survivor = self.sidecar("victim", **short), self.sidecar("survivor", **short)
        key = survivor.admin.new_customer("back", credits=100)
        time.sleep(0.5)  # the survivor has swept, and knows the store's time
        asyncio.run(self.leave_a_hold(victim, key))
        self.clock.move()
        self.assertEqual(self.settled_balance(survivor, "back")["available"], 100)

    def test_back_while_nobody_ran_leave_no_hold(self):
        self.clock.move(hours=3)
        short = {"timeout": "2s", "sweep_every": "200ms"}
        victim = self.sidecar("victim", **short)
        key = victim.admin.new_customer("back", credits=100)
        asyncio.run(self.leave_a_hold(victim, key))
        self.clock.move()
        late = self.sidecar("late", **short)
        self.assertEqual(self.settled_balance(late, "back")["available"], 100)

    async def leave_a_hold(self, victim, key):
        client = await AsyncClient.open(victim.address)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                   "x-sample-chunks": "300", "x-sample-delay-ms": "100"}
        await client.send("POST", "/v1/chat/completions", headers, b'{"model":"gpt-4","stream":true,"messages":[]}')
        await client.read_head()
        victim.kill()
        client.close()
