"""Alerts of agents, conversations and keys, through a running Tollgate, with their counters in Redis."""
from decimal import Decimal

from support.process import wait_until
from support.stack import StackTest
from support.tollgate import RATES, ROUTES, route

ALL_EVENTS = """
    local lines = {}
    for _, element in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
      lines[#lines + 1] = element[2][1] .. ': ' .. element[2][2]
    end
    return table.concat(lines, '\\n')"""


class Alerts(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate(
            rates={**RATES, "big": {"credits": 4000, "per": "request"}},
            routes=[route("big", "big", {"path": "/v1/big"}), *ROUTES])
        cls.admin = cls.tollgate.admin

    def told(self, org):
        text = self.redis.command("EVAL", ALL_EVENTS, 1, f"tollgate:{{{org}}}:events").decode()
        return [line.split(": ", 1)[1] for line in text.split("\n") if line.startswith("usage_threshold")]

    def use(self, org, key, settled, path="/v1/big", **names):
        headers = {"X-Agent-Id": names.get("agent"), "X-Conversation-Id": names.get("conversation")}
        headers = {name: value for name, value in headers.items() if value is not None}
        self.assertEqual(self.tollgate.call("GET", path, key, headers=headers).status, 200)
        wait_until(lambda: self.admin.balance(org)["settled"] == settled, f"{org} to settle {settled}", every=0.02)

    def test_each_agent_and_key_is_told_of_once_at_the_crossing(self):
        self.admin.put_org("a-1", plan="starter")
        keys = [self.admin.create_key("a-1") for _ in range(2)]
        alerts = [{"agent": "*", "percent": 20}, {"agent": "my agent", "percent": 40}, 50,
                  {"key": keys[1]["id"], "credits": 4000}, {"conversation": "c1", "credits": 9000.5}]
        self.assertEqual(self.admin.put_org("a-1", alerts=alerts)["alerts"], alerts)
        self.assertEqual(self.admin.expect_success("GET", "/orgs/a-1")["alerts"], alerts)

        self.use("a-1", keys[0]["key"], 4000, agent="my agent", conversation="c1")
        self.assertEqual(self.told("a-1"), ["percent 20 used 4000000000 of 20000000000 agent my agent"])
        self.use("a-1", keys[0]["key"], 8000, agent="a2", conversation="c1")
        self.assertEqual(self.told("a-1")[1:], ["percent 20 used 4000000000 of 20000000000 agent a2"])
        self.use("a-1", keys[1]["key"], 12000, agent="my agent", conversation="c1")
        self.assertEqual(self.told("a-1")[2:], [
            "percent 40 used 8000000000 of 20000000000 agent my agent",
            f"credits 4000000000 used 4000000000 of 20000000000 key {keys[1]['id']}",
            "credits 9000500000 used 12000000000 of 20000000000 conversation c1",
            "percent 50 used 12000000000 of 20000000000"])
        self.use("a-1", keys[1]["key"], 16000)
        self.assertEqual(self.told("a-1")[6:], ["percent 20 used 4000000000 of 20000000000 agent "])

        # New credits arm alerts again whose level rises above the usage: 40 % of 30,000 are 12,000, but 20 % are 6,000.
        self.admin.grant("a-1", 10000)
        self.use("a-1", keys[1]["key"], 20000, agent="my agent")
        self.assertEqual(self.told("a-1")[7:], ["percent 40 used 12000000000 of 30000000000 agent my agent"])

    def test_an_agent_named_by_the_path_counts(self):
        key = self.admin.new_customer("a-2", plan="starter", alerts=[{"agent": "a7", "credits": 0.1}])
        self.use("a-2", key, Decimal("0.1"), path="/v1/agents/a7/tools")
        self.assertEqual(self.told("a-2"), ["credits 100000 used 100000 of 20000000000 agent a7"])

    def test_counters_of_names_that_are_gone_are_forgotten(self):
        key = self.admin.new_customer("a-3", plan="starter", alerts=[{"conversation": "*", "credits": 0.1}])
        counters = "tollgate:{a-3}:counters"
        for i in range(300):
            self.redis.command("HSET", counters, f"a1\t*\tgone-{i}", "-1 5 1 0 0")  # of an earlier cycle
        for i in range(40):
            self.assertEqual(self.tollgate.call("GET", "/v1/api", key, headers={"X-Conversation-Id": f"c-{i}"}).status,
                             200)
        wait_until(lambda: self.admin.balance("a-3")["settled"] == 4, "40 calls to settle")
        # Four are checked for each of the forty new ones.
        left = int(self.redis.command("HLEN", counters))
        self.assertLess(left, 40 + 300 - 60)
        for i in range(40):
            counter = self.redis.command("HGET", counters, f"a1\t*\tc-{i}")
            self.assertTrue(counter.startswith(b"0 100000 ") and counter.endswith(b" 0 100000"), counter)
        self.assertEqual(len(self.told("a-3")), 40)
