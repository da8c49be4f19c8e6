"""Usage reports over counters of many days: zones, pages, and the summaries of days behind them.

The counters are written as the ledger's script would have left them; the expected reports are computed
here, with Python's own time zones.
"""
import itertools
import random
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

from support.process import Redis, shifted_clock
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

DAYS = 500
NOTHING = b"-1"  # the harness' text for a missing key
NAMES = ("route", "action", "model", "agent", "conversation", "key")


def moment(hour):
    return datetime.fromtimestamp(hour * 3600, timezone.utc)


class UsageTest(StackTest):
    orgs = (f"year-{n}" for n in itertools.count())

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate()
        cls.admin = cls.tollgate.admin
        cls.today = int(time.time()) // 86400
        cls.first_hour = (cls.today - DAYS) * 24

    def setUp(self):
        self.org = next(self.orgs)
        self.admin.put_org(self.org)
        chance = random.Random(2026)
        self.counters = []
        for _ in range(1500):
            hour = self.first_hour + chance.randrange(DAYS * 24)
            who = (chance.choice(["chat-gpt-4", "agents"]), chance.choice(["llm", "api"]),
                   chance.choice(["gpt-4", ""]), f"a{chance.randrange(9)}", f"c{chance.randrange(99)}",
                   f"key_{chance.randrange(3)}")
            self.count(hour, who, chance.randrange(10**7), chance.randrange(1, 5))

    def count(self, hour, who, micro, calls):
        packed = f"{micro} {calls} {calls}"
        if self.redis.command("HSET", self.key(f"usage:{hour}"), "\t".join(who), packed) == 1:
            self.counters.append((hour, dict(zip(NAMES, who)), Decimal(micro) / 10**6, calls))

    def key(self, name):
        return f"tollgate:{{{self.org}}}:{name}"

    def since(self):
        return moment(self.first_hour).strftime("%Y-%m-%d")

    def rows(self, question):
        rows, after = [], ""
        while True:
            page = self.admin.expect_success(
                "GET", f"/orgs/{self.org}/usage?from={self.since()}&limit=10000&{question}{after}")
            rows += page["rows"]
            if not page["has_more"]:
                return rows
            after = f"&after={page['next_after']}"

    def expect(self, question, key_of, found_of=lambda row: row["start"]):
        expected, found = Counter(), Counter()
        for hour, who, credits, _ in self.counters:
            expected[key_of(hour, who)] += credits
        for row in self.rows(question):
            found[found_of(row)] += row["credits"]
        self.assertEqual({k: v for k, v in found.items() if v}, {k: v for k, v in expected.items() if v})


class Reports(UsageTest):
    def test_days_and_months_of_zones(self):
        for name in ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Havana",
                     "Pacific/Kiritimati", "Asia/Kolkata", "Australia/Lord_Howe"):
            zone = ZoneInfo(name)
            with self.subTest(zone=name):
                self.expect(f"granularity=day&time_zone={name}",
                            lambda hour, _: moment(hour).astimezone(zone).strftime("%Y-%m-%d"),
                            lambda row: row["start"][:10])
                self.expect(f"granularity=month&time_zone={name}&group_by=agent",
                            lambda hour, who: (moment(hour).astimezone(zone).strftime("%Y-%m"),
                                               who["agent"]),
                            lambda row: (row["start"][:7], row["agent"]))
                self.expect(f"granularity=hour&time_zone={name}",
                            lambda hour, _: moment(hour).astimezone(zone).isoformat())

    def test_until_now_is_until_the_stores_now(self):
        """Also in a sidecar's first request; its clock is two days ahead of the store's."""
        behind = datetime.fromtimestamp(time.time() - 2 * 86400, timezone.utc)
        redis = self.start(Redis(self.directory, "behind", run_with=shifted_clock(self.directory, behind)))
        config = configuration(redis.url, self.upstream.address)
        first = self.start(Tollgate(self.directory, config, "first"))
        key = first.admin.new_customer("clock", 10)
        first.stop()
        second = self.start(Tollgate(self.directory, config, "second"))
        for reply in (second.admin.request("GET", "/orgs/clock/usage"),
                      second.call("GET", "/v1/billing/usage", key)):
            ends = datetime.fromisoformat(reply.json()["data"]["to"].replace("Z", "+00:00"))
            self.assertLess(abs(ends - behind), timedelta(hours=2), ends)

    def test_groups_and_filters(self):
        for _ in range(2):  # the second time from summaries
            self.expect("granularity=total&group_by=model,key",
                        lambda _, who: (who["model"] or None, who["key"]),
                        lambda row: (row["model"], row["key"]))
        rows = self.rows("granularity=total&agent=a1&agent=a2&key=key_0&model=")
        mine = [c for c in self.counters if c[1]["agent"] in ("a1", "a2")
                and c[1]["key"] == "key_0" and c[1]["model"] == ""]
        self.assertEqual(rows[0]["credits"], sum(c[2] for c in mine))
        self.assertEqual(rows[0]["calls"], sum(c[3] for c in mine))

    def test_the_next_page_of_a_csv(self):
        path = f"/admin/v1/orgs/{self.org}/usage"
        question, lines, pages = f"?from={self.since()}&group_by=agent&limit=300", [], 0
        while question:
            reply = self.admin.request("GET", path.removeprefix("/admin/v1") + question,
                                       headers={"Accept": "text/csv"})
            self.assertEqual(reply.status, 200, reply.body)
            lines += reply.body.decode().splitlines()[1:]
            question = reply.headers.get("link", "").partition(">")[0].removeprefix("<")
            pages += 1
        self.assertGreater(pages, 3)
        self.assertEqual(len(lines), len(set(lines)))
        self.assertEqual(sum(Decimal(line.split(",")[2]) for line in lines),
                         sum(c[2] for c in self.counters))


class Summaries(UsageTest):
    def summary(self, day):
        return self.redis.command("GET", self.key(f"usage_day:{day}"))

    def total(self):
        return sum(row["credits"] for row in self.rows("granularity=day"))

    def expected(self):
        return sum(c[2] for c in self.counters)

    def test_kept_once_a_day_is_over_and_not_before(self):
        who = ("agents", "api", "", "a1", "", "key_0")
        self.count(self.today * 24, who, 5_000_000, 1)
        self.assertEqual(self.total(), self.expected())
        self.assertTrue(self.summary(self.counters[0][0] // 24).startswith(b"1\n="))
        self.assertEqual(self.summary(self.today), NOTHING)
        self.count(self.today * 24, (*who[:3], "a2", *who[4:]), 7_000_000, 2)
        self.assertEqual(self.total(), self.expected(), "today is still read from its counters")

    def test_days_without_use_leave_nothing(self):
        self.total()
        days = {hour // 24 for hour, *_ in self.counters}
        kept = self.redis.command("EVAL", "return #redis.call('KEYS', ARGV[1])", 0,
                                  self.key("usage_day:*"))
        # In the first hour after midnight the previous day is not stored yet.
        self.assertIn(kept, (len(days - {self.today}), len(days - {self.today, self.today - 1})))

    def test_made_again_when_lost_or_not_understood(self):
        self.assertEqual(self.total(), self.expected())
        days = sorted({hour // 24 for hour, *_ in self.counters})
        good = self.summary(days[0])
        self.redis.command("DEL", self.key(f"usage_day:{days[1]}"))
        for broken in ("", "9\nfrom the future", good.decode()[:-4] + "x\n"):
            self.redis.command("SET", self.key(f"usage_day:{days[0]}"), broken)
            self.assertEqual(self.total(), self.expected(), broken)
            self.assertEqual(self.summary(days[0]), good)

    def test_late_calls_of_closed_cycles_are_added(self):
        self.assertEqual(self.total(), self.expected())
        hour, who = self.counters[0][0], self.counters[0][1]
        self.redis.command("HSET", self.key("late"), "\t".join([str(hour), *who.values()]), "1500000 1 1")
        self.assertEqual(self.total(), self.expected() + Decimal("1.5"))
        self.assertEqual(sum(row["credits"] for row in self.rows("granularity=month&group_by=agent")),
                         self.expected() + Decimal("1.5"))

    def test_statement_and_projection_read_them_too(self):
        month = self.admin.balance(self.org)["cycle"]["start"][:7]
        lines = self.admin.expect_success("GET", f"/orgs/{self.org}/statements/{month}")["usage"]["lines"]
        self.assertEqual(sum(line["credits"] for line in lines),
                         sum(c[2] for c in self.counters if c[0] // 24 >= self.cycle_start()))
        projection = self.admin.expect_success("GET", f"/orgs/{self.org}/projection")
        self.assertEqual(projection["observed_days"], 56)
        self.assertLess(projection["credits"]["low"], projection["credits"]["high"])

    def cycle_start(self):
        start = self.admin.balance(self.org)["cycle"]["start"]
        return int(datetime.fromisoformat(start.replace("Z", "+00:00")).timestamp()) // 86400
