"""Drives the dashboard in Debian's Chromium against a real Tollgate.

Installs playwright-core and axe-core, as package-lock.json names them, into the build directory, starts
Redis, the sample upstream, a payment endpoint that says "paid" and Tollgate, and runs `node --test`.
Screenshots of every page are written to build/screenshots. Exit status 77 (a skip for ctest): no Node.js or
no Chromium here.
"""
import os
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support import payments  # noqa: E402
from support.node import install, main, program, run_script  # noqa: E402
from support.process import BUILD_DIR, Redis  # noqa: E402
from support.tollgate import ADMIN_TOKEN, RATES, Tollgate, configuration  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

TESTS = ["dashboard.test.mjs", "pages.test.mjs"]  # in this order: pages shows what the first did
SHOWN_RATES = {**RATES, "claude": {"credits": 45, "per": "request"}}  # so that few calls show
PLANS = {
    "starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
    "pro": {"credits": 200000, "overage_usd": 0.01, "top_up_minimum_usd": 25,
            "rollover": {"up_to": "100%", "cycles": 1}},
}


MERGE = """
local counters = redis.call('HGETALL', KEYS[1])
for i = 1, #counters, 2 do
  local a, b, c = counters[i + 1]:match('(%d+) (%d+) (%d+)')
  local x, y, z = (redis.call('HGET', KEYS[2], counters[i]) or '0 0 0'):match('(%d+) (%d+) (%d+)')
  redis.call('HSET', KEYS[2], counters[i], ('%d %d %d'):format(a + x, b + y, c + z))
end
return redis.call('DEL', KEYS[1])
"""


class History:
    """Calls of earlier days: made now, and their counters moved to the hour they are to have been of. So
    the account, its ledger and the counters agree."""

    def __init__(self, tollgate, redis, org):
        self.tollgate, self.redis, self.org = tollgate, redis, org
        self.key = tollgate.admin.create_key(org)["key"]
        self.pick = random.Random(7)
        self.moved = {}  # the hour they are to have been of -> the hour they were made in

    def write(self, days):
        for day in range(days, 0, -1):
            began = hour_now()
            weekend = time.gmtime((began - 24 * day) * 3600).tm_wday >= 5
            for agent in ("support", "sales", "research"):
                self.call_all_day(agent, f"{agent}-{day % 4}", 2 if weekend else 8)
            while self.tollgate.admin.balance(self.org)["held"] != 0:
                time.sleep(0.01)
            for hour in {began, hour_now()}:
                self.move(hour, hour - 24 * day)

    def call_all_day(self, agent, conversation, most):
        headers = {"X-Agent-Id": agent, "X-Conversation-Id": conversation}

        def some():
            return range(self.pick.randint(1, most))

        replies = [self.tollgate.chat(self.key, model, headers=headers)
                   for model in ("gpt-4", "gpt-3.5-turbo") for _ in some()]
        message = {"model": "claude-sonnet-4", "max_tokens": 9,
                   "messages": [{"role": "user", "content": "Hi"}]}
        replies += [self.tollgate.call("POST", "/v1/messages", self.key, message, headers)
                    for _ in some()]
        queries = {"queries": ["q"] * self.pick.randint(5, 10 * most)}
        replies.append(self.tollgate.call("POST", "/v1/knowledge-bases/k/query", self.key, queries,
                                          headers))
        assert {reply.status for reply in replies} == {200}, replies

    def move(self, hour, to):
        if self.redis.command("EXISTS", self.counters(hour)) == 1:
            self.redis.command("RENAME", self.counters(hour), self.counters(to))
            self.moved[to] = hour

    def undo(self):
        """Back where they were made: `tollgate verify` begins with the hour of the first entry."""
        for to, hour in self.moved.items():
            self.redis.command("EVAL", MERGE, 2, self.counters(to), self.counters(hour))
            self.redis.command("DEL", f"tollgate:{{{self.org}}}:usage_day:{to // 24}")

    def counters(self, hour):
        return f"tollgate:{{{self.org}}}:usage:{hour}"


def hour_now():
    return int(time.time()) // 3600


def prepare(tollgate, redis):
    """Organizations for the overview, and one with a past."""
    admin = tollgate.admin
    admin.put_org("northwind", plan="starter", cycle_anchor=anchor(20), spend_cap_usd=40,
                  alerts=[50, 80, {"spend_cap_percent": 90}, {"agent": "*", "percent": 20}])
    admin.put_org("globex", plan="pro", suspended=True)
    admin.put_org("initech", plan="starter", mode="shadow")
    admin.put_org("umbrella", plan="starter", overage=False)
    for number in range(30):
        admin.put_org(f"customer-{number:02}")
    admin.grant("umbrella", -19990, kind="correction")
    past = History(tollgate, redis, "northwind")
    past.write(17)
    tollgate.chat(past.key, headers={"X-Agent-Id": "support"})
    return past


def anchor(days_ago):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days_ago * 86400))


def install_browser_tests():
    directory = BUILD_DIR / "browser"
    install([HERE / name for name in [*TESTS, "support.mjs"]], HERE / "package.json", directory)
    return directory


def run():
    directory = install_browser_tests()
    with ExitStack() as stack:
        def start(process):
            stack.callback(process.stop)
            return process

        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-"))
        redis = start(Redis(place))
        upstream = start(SampleUpstream(place))
        endpoint = payments.PaymentEndpoint(verdict="paid")
        tollgate = start(Tollgate(place, configuration(
            redis.url, upstream.address, plans=PLANS, rates=SHOWN_RATES,
            payments={"webhook": {"url": f"http://{endpoint.address}/pay", "secret": payments.SECRET}})))
        past = prepare(tollgate, redis)
        screenshots = BUILD_DIR.parent / "screenshots"
        shutil.rmtree(screenshots, ignore_errors=True)
        screenshots.mkdir(parents=True)
        environment = {
            **os.environ,
            "CHROMIUM": program("chromium"),
            "TOLLGATE_URL": f"http://{tollgate.address}",
            "ADMIN_URL": f"http://{tollgate.admin.address}",
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "SCREENSHOTS": str(screenshots),
        }
        statuses = [run_script(test, directory, environment)
                    for test in TESTS]
        charges = endpoint.of("shop")
        past.undo()
        tollgate.verify()
        if [charge.verdict for charge in charges] != ["paid"] or endpoint.failures:
            print(f"the payment endpoint saw {charges} {endpoint.failures}")
            return 1
        return 1 if any(statuses) else 0


if __name__ == "__main__":
    main(run, ("node", "npm", "chromium"), "browser")
