"""What an organization that has nothing may do: critical calls, questions about its account, and the store's memory."""
from support.http import call
from support.process import Redis, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

CRITICAL = "/v1/agents/a1/run"  # 0.1 credits


class CriticalCalls(StackTest):
    def statuses(self, tollgate, key, count):
        return [tollgate.call("GET", CRITICAL, key).status for _ in range(count)]

    def test_they_end_at_the_floor(self):
        tollgate = self.start_tollgate(critical={"overdraft_credits": 1, "requests": "unlimited"})
        key = tollgate.admin.new_customer("floor")
        self.assertEqual(self.statuses(tollgate, key, 12), [200] * 10 + [402] * 2)
        self.assertEqual(tollgate.call("GET", CRITICAL, key).error_code, "insufficient_credits")
        self.assertEqual(self.settled_balance(tollgate, "floor")["available"], -1)
        tollgate.admin.put_org("floor", critical_overdraft_credits=1.2)
        self.assertEqual(self.statuses(tollgate, key, 3), [200, 200, 402])
        tollgate.admin.grant("floor", 10)
        self.assertEqual(self.statuses(tollgate, key, 3), [200] * 3)
        tollgate.verify()

    def test_they_have_a_rate_beyond_the_balance(self):
        tollgate = self.start_tollgate(critical={"requests": {"per_minute": 1, "burst": 3}})
        key = tollgate.admin.new_customer("hurried", credits=0.2)
        self.assertEqual(self.statuses(tollgate, key, 6), [200] * 5 + [429])
        reply = tollgate.call("GET", CRITICAL, key)
        self.assertEqual(reply.error_code, "rate_limited")
        self.assertGreater(int(reply.headers["retry-after"]), 30)
        tollgate.admin.grant("hurried", 10)
        self.assertEqual(self.statuses(tollgate, key, 6), [200] * 6)
        self.settled_balance(tollgate, "hurried")
        tollgate.verify()

    def test_without_any_bound_if_configured_so(self):
        tollgate = self.start_tollgate(critical={"overdraft_credits": "unlimited", "requests": "unlimited"})
        key = tollgate.admin.new_customer("open")
        self.assertEqual(self.statuses(tollgate, key, 30), [200] * 30)


class Billing(StackTest):
    def test_requests_have_a_rate(self):
        tollgate = self.start_tollgate(billing={"requests": {"per_minute": 1, "burst": 3}})
        one, other = (tollgate.admin.new_customer(org, credits=100) for org in ("asks", "other"))

        def ask(key):
            return tollgate.call("GET", "/v1/billing/balance", key)

        self.assertEqual([ask(one).status for _ in range(3)], [200] * 3)
        refused = ask(one)
        self.assertEqual((refused.status, refused.error_code), (429, "rate_limited"))
        self.assertGreater(int(refused.headers["retry-after"]), 30)
        self.assertEqual(ask(other).status, 200)
        self.assertEqual(tollgate.chat(one).status, 200)


class Memory(StackTest):
    def test_the_log_says_when_the_store_is_nearly_full(self):
        store = self.start(Redis(self.directory, "small"))
        store.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        store.command("CONFIG", "SET", "maxmemory", "1gb")
        tollgate = self.start(Tollgate(self.directory, configuration(store.url, self.upstream.address), "small"))
        wait_until(lambda: "maxmemory-policy is allkeys-lru" in tollgate.log(), "the policy in the log")
        self.assertNotIn("(maxmemory) are used", tollgate.log())
        used = int(next(line for line in store.command("INFO", "memory").decode().splitlines()
                        if line.startswith("used_memory:")).split(":")[1])
        store.command("CONFIG", "SET", "maxmemory", str(int(used * 1.1)))
        wait_until(lambda: "warn" in tollgate.log() and "(maxmemory) are used" in tollgate.log(), "the memory in the log")
        metrics = call(tollgate.admin.address, "GET", "/metrics").body.decode()
        self.assertIn(f"tollgate_store_memory_max_bytes {int(used * 1.1)}", metrics)
