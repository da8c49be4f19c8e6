"""The charge equals the usage: every way in which a call can end, and its cost."""
import asyncio
import json
from collections import Counter
from decimal import Decimal

from support.http import AsyncClient
from support.process import free_port, wait_until
from support.stack import StackTest
from support.tollgate import ROUTES, route

CHAT = {"model": "gpt-4", "messages": []}


class Settlement(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        nowhere = {"url": f"http://127.0.0.1:{free_port()}"}
        routes = [{**route("nowhere", "gpt-4", {"path": "/nowhere"}), "upstream": "nowhere"},
                  route("shadow", "gpt-4", {"path": "/v1/shadow"}, mode="shadow"),
                  *ROUTES]
        cls.tollgate = cls.start_tollgate(
            routes=routes, timeouts={"response_head": "2s"},
            upstreams={"sample": {"url": f"http://{cls.upstream.address}"}, "nowhere": nowhere})

    def setUp(self):
        self.org = self.id().rpartition(".")[2][:60]
        self.key = self.tollgate.admin.new_customer(self.org, credits=100)

    def expect_charged(self, credits, entries):
        """The balance, and the number of entries of each type beside the grant.

        A call is settled concurrently with its reply, so entries of successive calls may change places.
        """
        balance = self.settled_balance(self.tollgate, self.org)
        self.assertEqual(balance["settled"], Decimal(credits))
        self.assertEqual(balance["available"], 100 - Decimal(credits))
        types = [entry["type"] for entry in self.tollgate.admin.ledger(self.org)]
        self.assertEqual(Counter(types), Counter(["grant", *entries]))
        self.tollgate.verify()

    def call(self, path, body=None, method="POST", **headers):
        return self.tollgate.call(method, path, self.key, body, headers)

    def chat(self, **headers):
        return self.call("/v1/chat/completions", CHAT, **headers)

    def test_success_is_settled_and_says_so_in_the_head(self):
        reply = self.chat()
        self.assertEqual(reply.status, 200)
        self.assertEqual(reply.headers["x-credits-charged"], "10")
        self.assertEqual(reply.headers["x-credits-remaining"], "90")
        self.assertIn("x-request-id", reply.headers)
        self.expect_charged(10, ["reserve", "settle"])

    def test_refusals_of_the_upstream_cost_nothing(self):
        for status in (400, 404, 429, 500, 503):
            self.assertEqual(self.chat(**{"x-sample-status": str(status)}).status, status)
        self.expect_charged(0, ["reserve", "void"] * 5)

    def test_redirects_cost_nothing(self):
        self.assertEqual(self.chat(**{"x-sample-status": "307"}).status, 307)
        self.expect_charged(0, ["reserve", "void"])

    def test_an_unreachable_upstream_costs_nothing(self):
        reply = self.call("/nowhere", {})
        self.assertEqual((reply.status, reply.error_code), (502, "upstream_unreachable"))
        self.expect_charged(0, ["reserve", "void"])

    def test_a_late_head_is_a_timeout_and_costs_nothing(self):
        reply = self.chat(**{"x-sample-head-delay-ms": "10000"})
        self.assertEqual((reply.status, reply.error_code), (504, "upstream_timeout"))
        self.expect_charged(0, ["reserve", "void"])

    def test_an_upstream_that_hangs_up_costs_nothing(self):
        reply = self.chat(**{"x-sample-break-after": "0"})
        self.assertEqual(reply.status, 502)
        self.expect_charged(0, ["reserve", "void"])

    def test_queries_are_counted(self):
        path = "/v1/knowledge-bases/k/query"
        for body, price in (({"query": "one"}, "1"), ({"queries": []}, "1"),
                            ({"queries": ["a", "b", "c"]}, "3")):
            reply = self.call(path, body)
            self.assertEqual((reply.status, reply.headers["x-credits-charged"]), (200, price))
        self.expect_charged(5, ["reserve", "settle"] * 3)

    def test_no_route_no_key_wrong_key_never_reach_the_upstream(self):
        before = self.upstream.stats()["requests"]
        self.assertEqual(self.call("/v2/anything", {}).error_code, "no_route")
        self.assertEqual(self.tollgate.call("GET", "/v1/models").error_code, "missing_api_key")
        self.assertEqual(self.tollgate.call("GET", "/v1/models", "tg_x").error_code,
                         "invalid_api_key")
        self.assertEqual(self.upstream.stats()["requests"], before)
        self.expect_charged(0, [])

    def test_the_key_is_never_forwarded(self):
        reply = self.call("/sample/echo", {"a": 1})
        self.assertEqual(reply.status, 200)
        self.assertNotIn(self.key.encode(), reply.body)

    def test_critical_and_shadow_calls_go_below_zero(self):
        for _ in range(10):
            self.chat()
        self.assertEqual(self.chat().status, 402)
        self.assertEqual(self.call("/v1/agents/a1", method="GET").status, 200)
        self.assertEqual(self.call("/v1/shadow", method="GET").status, 200)
        balance = self.settled_balance(self.tollgate, self.org)
        self.assertEqual(balance["available"], Decimal("-10.1"))
        self.assertEqual(balance["overage"]["credits"], Decimal("10.1"))
        self.tollgate.verify()

    def test_agent_and_conversation_are_recorded(self):
        self.chat(**{"X-Agent-Id": "a7", "X-Conversation-Id": "c9"})
        self.settled_balance(self.tollgate, self.org)  # so that it precedes the next one
        self.call("/v1/agents/a8/tools", method="GET")
        self.settled_balance(self.tollgate, self.org)
        settled = [e for e in self.tollgate.admin.ledger(self.org) if e["type"] == "settle"]
        self.assertEqual([(e["agent"], e["conversation"]) for e in settled],
                         [("a7", "c9"), ("a8", None)])
        self.assertEqual([e["model"] for e in settled], ["gpt-4", None])

    async def begin(self, headers, **body):
        client = await AsyncClient.open(self.tollgate.address)
        await client.send("POST", "/v1/chat/completions",
                          {"Authorization": f"Bearer {self.key}",
                           "Content-Type": "application/json", **headers},
                          json.dumps({**CHAT, **body}).encode())
        return client

    def expect_aborted(self, before):
        """The upstream notices that no client waits any more, so it does not work in vain."""
        wait_until(lambda: self.upstream.stats()["aborted"] > before, "the upstream to be cancelled")

    def test_client_gone_before_the_head_pays_and_cancels(self):
        before = self.upstream.stats()
        aborted = before["aborted"]

        async def leave():
            client = await self.begin({"x-sample-head-delay-ms": "1500"})
            await asyncio.to_thread(wait_until, lambda: self.upstream.stats()["requests"] > before["requests"],
                                    "the call to arrive", every=0.01)
            client.reset()
        asyncio.run(leave())
        self.expect_aborted(aborted)
        self.expect_charged(10, ["reserve", "settle"])

    def test_client_gone_during_the_body_pays_and_cancels(self):
        aborted = self.upstream.stats()["aborted"]

        async def leave():
            client = await self.begin({"x-sample-chunks": "300", "x-sample-delay-ms": "100"},
                                      stream=True)
            _, headers = await client.read_head()
            await anext(client.read_pieces(headers))
            client.close()
        asyncio.run(leave())
        self.expect_aborted(aborted)
        self.expect_charged(10, ["reserve", "settle"])

    def test_an_upstream_that_breaks_off_is_paid_and_seen_as_broken(self):
        async def read():
            client = await self.begin({"x-sample-break-after": "3", "x-sample-delay-ms": "20"},
                                      stream=True)
            with self.assertRaises((asyncio.IncompleteReadError, ConnectionResetError, ValueError)):
                await client.read_reply()
            client.close()
        asyncio.run(read())
        self.expect_charged(10, ["reserve", "settle"])

    def test_two_tollgates_see_a_revoked_key_within_two_seconds(self):
        other = self.start_tollgate()
        made = self.tollgate.admin.create_key(self.org)
        for tollgate in (self.tollgate, other):
            self.assertEqual(tollgate.call("GET", "/v1/models", made["key"]).status, 200)
        self.tollgate.admin.revoke_key(self.org, made["id"])
        wait_until(lambda: all(t.call("GET", "/v1/models", made["key"]).status == 401
                               for t in (self.tollgate, other)),
                   "both to refuse the revoked key", timeout=2)
