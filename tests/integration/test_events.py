"""What happens to an account, told as it happens: alerts, the end of the credits, usage and balance."""
import json
import time

from support.http import call
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, route

PLANS = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10}}


def read_stream(body):
    """The events of a text/event-stream: (id, event, data)."""
    events = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            events.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return events


class Events(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate(
            plans=PLANS, rates={**RATES, "half": {"credits": 10000, "per": "request"}},
            routes=[route("half", "half", {"path": "/v1/half"}), *ROUTES])
        cls.admin = cls.tollgate.admin

    def events(self, org, last=None):
        headers = {"Last-Event-ID": last} if last else {}
        reply = self.admin.request("GET", f"/orgs/{org}/events", headers=headers)
        self.assertEqual(reply.status, 200, reply.body)
        self.assertTrue(reply.headers["content-type"].startswith("text/event-stream"))
        self.assertTrue(reply.body.startswith(b"retry: 1000\n\n"))
        return read_stream(reply.body)

    def test_alerts_fire_once_at_the_crossing_and_a_stream_resumes(self):
        self.admin.put_org("e-1", plan="starter", alerts=[50, 80, {"credits": 15000}])
        key = self.admin.create_key("e-1")["key"]
        (start, kind, balance), = self.events("e-1")
        self.assertEqual((kind, balance["available"]), ("balance", 20000))

        self.assertEqual(self.tollgate.call("GET", "/v1/half", key).status, 200)
        self.settled("e-1", 10000)
        first = self.events("e-1", start)
        self.assertEqual([kind for _, kind, _ in first], ["account.usage_threshold", "usage", "balance"])
        alert = first[0][2]
        self.assertEqual((alert["type"], alert["org"], alert["data"]),
                         ("account.usage_threshold", "e-1",
                          {"threshold_percent": 50, "used_credits": 10000, "of_credits": 20000}))
        self.assertEqual(first[1][2]["data"], {"credits": 10000, "calls": 1})
        self.assertEqual(first[2][2]["available"], 10000)

        # Nothing new: nothing is told. From further back: the same again, with the same ids.
        self.assertEqual(self.events("e-1", first[-1][0]), [])
        self.assertEqual(self.events("e-1", start)[0], first[0])

        self.assertEqual(self.tollgate.call("GET", "/v1/half", key).status, 200)
        self.settled("e-1", 20000)
        second = self.events("e-1", first[-1][0])
        told = [(kind, data.get("data", {}).get("threshold_percent"), data.get("data", {}).get("credits"))
                for _, kind, data in second if kind.startswith("account.")]
        self.assertEqual(told, [("account.usage_threshold", 80, None), ("account.usage_threshold", None, 15000),
                                ("account.balance_exhausted", None, None)])

    def test_a_customer_sees_its_own_by_its_key(self):
        for org in ("e-2", "e-3"):
            self.admin.put_org(org, plan="starter", alerts=[10])
        keys = {org: self.admin.create_key(org)["key"] for org in ("e-2", "e-3")}
        headers = {"Authorization": f"Bearer {keys['e-3']}"}
        start = read_stream(call(self.tollgate.address, "GET", "/v1/billing/events", headers).body)[0][0]
        self.assertEqual(self.tollgate.call("GET", "/v1/half", keys["e-2"]).status, 200)
        self.settled("e-2", 10000)
        reply = call(self.tollgate.address, "GET", "/v1/billing/events",
                     {**headers, "Last-Event-ID": start})
        self.assertEqual((reply.status, read_stream(reply.body)), (200, []))
        reply = call(self.tollgate.address, "GET", "/v1/billing/events", {**headers, "Last-Event-ID": "x"})
        self.assertEqual((reply.status, reply.error_code), (400, "invalid_request"))

    def test_what_a_call_used_is_seen_within_two_seconds(self):
        self.admin.put_org("e-4", plan="starter")
        key = self.admin.create_key("e-4")["key"]
        last = self.events("e-4")[0][0]
        self.assertEqual(self.tollgate.call("GET", "/v1/half", key).status, 200)
        ended = time.monotonic()
        while not (seen := self.events("e-4", last)) or seen[-1][2].get("settled") != 10000:
            self.assertLess(time.monotonic() - ended, 1)  # and a client comes every second
            time.sleep(0.02)

    def settled(self, org, credits):
        for _ in range(200):
            if self.admin.balance(org)["settled"] == credits:
                return
            time.sleep(0.02)
        self.fail(f"{org} never settled {credits}")
