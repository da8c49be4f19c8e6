"""Plans, caps, limits and request rates: exactly which calls are refused, and what the refusal says."""
import asyncio
import json
import time
from collections import Counter
from datetime import datetime, timedelta, timezone

from support.http import call
from support.load import all_at_once
from support.process import keep_clear_of, wait_until
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, route

PLANS = {
    "starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
    "rated": {"credits": 20000, "requests": {"per_minute": 60, "burst": 100}},
}
MONTH = {"renews_at": r"\d{4}-\d\d-\d\dT00:00:00Z"}


def chat_request(tollgate, key, **headers):
    body = json.dumps({"model": "gpt-4", "messages": []}).encode()
    return (tollgate.address, "POST", "/v1/chat/completions",
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}, body)


def get_request(tollgate, key, path):
    return (tollgate.address, "GET", path, {"Authorization": f"Bearer {key}"})


class PlanTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        settings = {"plans": PLANS, "rates": {**RATES, "all": {"credits": 20000, "per": "request"}},
                    "routes": [route("everything", "all", {"path": "/v1/everything"}), *ROUTES]}
        cls.pair = [cls.start_tollgate(**settings) for _ in range(2)]
        cls.tollgate = cls.pair[0]
        cls.admin = cls.tollgate.admin

    def use_up_the_plan(self, key):
        self.assertEqual(self.tollgate.call("GET", "/v1/everything", key).status, 200)

    def at_once(self, requests):
        return asyncio.run(all_at_once(requests))

    def metric(self, name, route_name):
        lines = [line for each in self.pair
                 for line in call(each.admin.address, "GET", "/metrics").body.decode().splitlines()]
        return sum(int(line.split()[1]) for line in lines
                   if line.startswith(f'{name}{{route="{route_name}"}}'))

    def expect_refusal(self, reply, status, code, error_type):
        self.assertEqual((reply.status, reply.error_code), (status, code), reply.body)
        body = reply.json()
        self.assertEqual((body["success"], body["type"], body["error"]["type"], body["error"]["param"]),
                         (False, "error", error_type, None))
        self.assertEqual(body["request_id"], reply.headers["x-request-id"])
        if status == 402:
            self.assertNotIn("retry-after", reply.headers)
        return body["error"]


class ChangedTerms(StackTest):
    def test_a_price_that_changes_in_the_file_begins_with_the_next_cycle(self):
        tollgate = self.start_tollgate(plans=PLANS)
        tollgate.admin.put_org("changed", plan="starter")
        config = json.loads(tollgate.config_path.read_text())
        config["plans"]["starter"]["overage_usd"] = 0.03
        tollgate.write_config(config)
        tollgate.popen.send_signal(1)  # SIGHUP
        org = wait_until(lambda: (now := tollgate.admin.expect_success("GET", "/orgs/changed"))["plan_change"] and now,
                         "the change to be planned")
        self.assertEqual(float(org["terms"]["overage_usd"]), 0.02)
        self.assertEqual(float(org["plan_change"]["terms"]["overage_usd"]), 0.03)
        self.assertEqual(org["plan_change"]["at"], org["cycle"]["end"])


class SpendCap(PlanTest):
    def test_50_dollars_pause_non_critical_calls_at_exactly_2500_credits_of_overage(self):
        """500 calls of 10 credits at once, at two sidecars, including critical ones."""
        key = self.admin.new_customer("cap", plan="starter", spend_cap_usd=50)
        self.use_up_the_plan(key)
        critical = [get_request(self.pair[i % 2], key, f"/v1/agents/a{i}/x") for i in range(50)]
        chats = [chat_request(self.pair[i % 2], key) for i in range(500)]

        replies = self.at_once(chats + critical)

        self.assertEqual(Counter(reply.status for reply in replies[500:]), {200: 50})
        balance = self.settled_balance(self.tollgate, "cap")
        charged = sum(reply.status == 200 for reply in replies[:500])
        # Critical calls use part of the cap until it is reached: 5 credits in all.
        self.assertIn(charged, (249, 250))
        self.assertEqual(Counter(reply.status for reply in replies[:500]),
                         {200: charged, 402: 500 - charged})
        self.assertEqual(balance["settled"], 20_000 + charged * 10 + 5)
        self.assertLessEqual(charged * 10, 2_500)
        # One more call of 10 did not fit, to the exact credit.
        self.assertGreater(charged * 10 + 5 + 10, 2_500)
        for each in self.pair:
            self.assertEqual(each.chat(key).status, 402)
            self.assertEqual(each.call("GET", "/v1/agents/a/x", key).status, 200)
            each.verify()

    def test_exactly_2500_when_nothing_else_is_called(self):
        key = self.admin.new_customer("exact", plan="starter", spend_cap_usd=50)
        self.use_up_the_plan(key)
        replies = self.at_once([chat_request(self.pair[i % 2], key) for i in range(500)])
        self.assertEqual(Counter(reply.status for reply in replies), {200: 250, 402: 250})
        balance = self.settled_balance(self.tollgate, "exact")
        self.assertEqual((balance["settled"], balance["available"]), (22_500, -2_500))
        self.assertEqual((balance["overage"]["credits"], balance["overage"]["usd"]), (2_500, 50))
        # Critical calls continue, and the ledger records that they do.
        beyond = self.metric("tollgate_beyond_balance_total", "agents")
        for i in range(20):
            reply = self.pair[i % 2].call("GET", "/v1/agents/a/x", key)
            self.assertEqual(reply.status, 200)
        self.assertEqual(self.settled_balance(self.tollgate, "exact")["settled"], 22_502)
        self.assertEqual(self.metric("tollgate_beyond_balance_total", "agents"), beyond + 20)
        self.tollgate.verify()

    def test_the_refusal_says_what_it_takes(self):
        key = self.admin.new_customer("says", plan="starter", spend_cap_usd=0)
        self.use_up_the_plan(key)
        reply = self.tollgate.chat(key)
        error = self.expect_refusal(reply, 402, "spend_cap_reached", "insufficient_quota")
        self.assertEqual([error[name] for name in ("cap", "required_credits", "room_credits",
                                                   "short_credits")], ["spend_cap_usd", 10, 0, 10])
        self.assertRegex(error["renews_at"], MONTH["renews_at"])
        self.assertIn(error["renews_at"], error["message"])
        self.assertEqual(reply.headers["x-credits-remaining"], "0")
        self.assertEqual(reply.headers["x-credits-charged"], "0")
        reply = self.tollgate.call("POST", "/v1/messages", key, {"model": "claude-3", "messages": []})
        self.expect_refusal(reply, 402, "spend_cap_reached", "billing_error")
        reply = self.tollgate.call("GET", "/v1/things", key)
        self.expect_refusal(reply, 402, "spend_cap_reached", "billing_error")
        self.admin.put_org("says", spend_cap_usd=1)
        self.assertEqual(self.tollgate.chat(key).status, 200)

    def test_without_overage_it_is_the_balance(self):
        key = self.admin.new_customer("balance", plan="starter", overage=False)
        self.use_up_the_plan(key)
        error = self.expect_refusal(self.tollgate.chat(key), 402, "insufficient_credits",
                                    "insufficient_quota")
        self.assertEqual([error[name] for name in ("required_credits", "available_credits",
                                                   "short_credits")], [10, 0, 10])
        self.assertRegex(error["renews_at"], MONTH["renews_at"])
        self.assertNotIn("top_up_pending", error)


class Limits(PlanTest):
    def test_a_limit_of_an_agent_stops_that_agent_alone(self):
        keep_clear_of("day", 30)
        key = self.admin.new_customer("agents", plan="starter", limits=[
            {"agent": "a1", "credits": 50, "per": "day"}])
        replies = self.at_once([chat_request(self.pair[i % 2], key, **{"X-Agent-Id": agent})
                                for i in range(40) for agent in ("a1", "a2")])
        self.assertEqual(Counter(reply.status for reply in replies[::2]), {200: 5, 402: 35})
        self.assertEqual(Counter(reply.status for reply in replies[1::2]), {200: 40})
        reply = self.tollgate.chat(key, headers={"X-Agent-Id": "a1"})
        error = self.expect_refusal(reply, 402, "limit_reached", "insufficient_quota")
        tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
        self.assertEqual([error[name] for name in ("scope", "agent", "per", "limit_credits",
                                                   "room_credits", "short_credits", "resets_at")],
                         ["agent", "a1", "day", 50, 0, 10, tomorrow])
        self.tollgate.verify()

    def test_a_limit_of_each_conversation(self):
        key = self.admin.new_customer("each", plan="starter", limits=[
            {"conversation": "*", "credits": 25, "per": "total"}])
        for name in ("c1", "c2"):
            statuses = [self.tollgate.chat(key, headers={"X-Conversation-Id": name}).status
                        for _ in range(3)]
            self.assertEqual(statuses, [200, 200, 402])
        reply = self.tollgate.chat(key, headers={"X-Conversation-Id": "c2"})
        error = self.expect_refusal(reply, 402, "limit_reached", "insufficient_quota")
        self.assertEqual((error["conversation"], error["room_credits"], error["short_credits"]),
                         ("c2", 5, 5))
        self.assertNotIn("resets_at", error)

    def test_critical_calls_go_on_and_are_recorded(self):
        key = self.admin.new_customer("critical", plan="starter", limits=[
            {"agent": "a9", "credits": 0, "per": "day"}])
        beyond = self.metric("tollgate_beyond_balance_total", "agents")
        self.assertEqual(self.tollgate.call("GET", "/v1/agents/a9/x", key).status, 200)
        self.settled_balance(self.tollgate, "critical")  # a call is counted when it has ended
        self.assertEqual(self.metric("tollgate_beyond_balance_total", "agents"), beyond + 1)


class RequestRate(PlanTest):
    def test_a_burst_passes_and_the_next_is_told_when_to_come_back(self):
        key = self.admin.new_customer("rate", plan="rated")
        began = time.monotonic()
        replies = self.at_once([get_request(self.pair[i % 2], key, "/v1/things")
                                for i in range(150)])
        passed = int(time.monotonic() - began)
        took = Counter(reply.status for reply in replies)
        self.assertEqual(set(took), {200, 429})
        self.assertIn(took[200], range(100, 102 + passed))  # one per second becomes available again
        for reply in replies:
            headers = reply.headers
            self.assertEqual(headers["x-ratelimit-limit"], "60")
            self.assertIn(int(headers["x-ratelimit-remaining"]), range(100))
            self.assertIn(int(headers["x-ratelimit-reset"]) - int(time.time()), range(-5, 103))
            self.assertEqual(headers["ratelimit-policy"],
                             '"credits";q=20000;w=2592000, "requests";q=100;w=100')
            self.assertRegex(headers["ratelimit"],
                             r'^"credits";r=\d+, "requests";r=\d{1,2};t=\d{1,3}$')
        refused = next(reply for reply in replies if reply.status == 429)
        error = self.expect_refusal(refused, 429, "rate_limited", "rate_limit_error")
        self.assertEqual(refused.headers["retry-after"], "1")
        self.assertEqual([error[name] for name in ("limit_per_minute", "burst",
                                                   "retry_after_seconds")], [60, 100, 1])
        self.assertEqual(refused.headers["x-ratelimit-remaining"], "0")
        openai = self.until_refused(key)
        self.expect_refusal(openai, 429, "rate_limited", "requests")
        time.sleep(int(openai.headers["retry-after"]))
        self.assertEqual(self.tollgate.call("GET", "/v1/things", key).status, 200)
        self.assertEqual(self.settled_balance(self.tollgate, "rate")["held"], 0)
        self.tollgate.verify()

    def until_refused(self, key):
        for _ in range(50):  # some may have become available, one per second
            reply = self.tollgate.chat(key)
            if reply.status != 200:
                return reply
        raise AssertionError("no call was refused")

    def test_no_rate_no_fields(self):
        key = self.admin.new_customer("unrated", plan="starter")
        reply = self.tollgate.chat(key)
        self.assertEqual([name for name in reply.headers if name.startswith("x-ratelimit")], [])
        self.assertNotIn("requests", reply.headers["ratelimit"])

    def test_questions_about_the_account_are_not_counted(self):
        key = self.admin.new_customer("asks", plan="rated")
        for _ in range(3):
            self.assertEqual(self.tollgate.call("GET", "/v1/billing/balance", key).status, 200)
        reply = self.tollgate.call("GET", "/v1/things", key)
        self.assertEqual(reply.headers["x-ratelimit-remaining"], "99")
