"""Usage and statements in the archive: what is merged and when, what is final, and how much space it needs."""
import concurrent.futures
import json
import time
from datetime import datetime, timezone

from support.archive import ArchiveTest, wait_until_stored
from support.process import Redis, keep_clear_of, shifted_clock, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration


class OldUsage(ArchiveTest):
    """Agents and conversations are kept for a while; then only days are, and the archive has the rest."""

    DAY = 86_400

    def setUp(self):
        keep_clear_of("day", 120)  # one more would be dropped

    def write_history(self, org, days):
        """Counters as the ledger's script would have left them, from `days` ago until now."""
        now = int(time.time())
        self.redis.command("HSET", f"tollgate:{{{org}}}:settings", "created", (now - days * self.DAY) * 1000)
        for day in range(days, 0, -1):
            hour = (now - day * self.DAY) // 3600
            for agent in ("a1", "a2"):
                self.redis.command("HSET", f"tollgate:{{{org}}}:usage:{hour}",
                                   f"chat-gpt-4\tllm\tgpt-4\t{agent}\tc{day}\tkey_1", "10000000 1 1")

    def usage(self, tollgate, org, days, group):
        start = time.strftime("%Y-%m-%d", time.gmtime(time.time() - (days + 1) * self.DAY))
        end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + self.DAY))
        path = f"/orgs/{org}/usage?from={start}&to={end}&granularity=month&group_by={group}&limit=1000"
        found = {}
        for row in tollgate.admin.expect_success("GET", path)["rows"]:
            name = row[group]
            found[name] = found.get(name, 0) + row["credits"]
        return found

    def hours_left(self, org):
        hours = (int(time.time()) - 100 * self.DAY) // 3600
        return sum(self.redis.command("EXISTS", f"tollgate:{{{org}}}:usage:{hour}")
                   for hour in range(hours, hours + 101 * 24))

    def test_with_an_archive_nothing_is_missing(self):
        self.start_postgres()
        tollgate = self.start_tollgate(archive={"postgresql": self.cluster.url}, retention={"usage": "40d"})
        tollgate.admin.put_org("old")
        self.write_history("old", 60)
        tollgate.stop()
        tollgate = self.start_tollgate(archive={"postgresql": self.cluster.url}, retention={"usage": "40d"})
        before = {"a1": 600, "a2": 600}
        wait_until(lambda: self.hours_left("old") == 40, "details of 20 days to be dropped", timeout=30)
        self.assertEqual(self.usage(tollgate, "old", 60, "agent"), before)
        self.assertEqual(self.usage(tollgate, "old", 60, "model"), {"gpt-4": 1200})
        self.assertEqual(len(self.usage(tollgate, "old", 60, "conversation")), 60)

    def test_without_one_the_totals_stay(self):
        tollgate = self.start_tollgate(retention={"usage": "40d"})
        tollgate.admin.put_org("alone")
        self.write_history("alone", 60)
        tollgate.stop()
        tollgate = self.start_tollgate(retention={"usage": "40d"})
        wait_until(lambda: self.hours_left("alone") == 40, "details of 20 days to be dropped", timeout=30)
        # Past days have been summed up before the first request for them.
        days = range(int(time.time()) // self.DAY - 50, int(time.time()) // self.DAY - 1)
        wait_until(lambda: all(self.redis.command("EXISTS", f"tollgate:{{alone}}:usage_day:{day}") for day in days),
                   "every day to be summed up", timeout=30)
        self.assertEqual(self.usage(tollgate, "alone", 60, "model"), {"gpt-4": 1200})
        by_agent = self.usage(tollgate, "alone", 60, "agent")
        self.assertEqual(sum(by_agent.values()), 1200)
        self.assertEqual((by_agent["a1"], by_agent["a2"]), (400, 400))

    def test_what_the_archive_has_yet_to_read_is_not_summed_up(self):
        """Sums move to the first of their month while the archive is in the middle of one, and unavailable."""
        postgres = self.start_postgres()
        tollgate = self.start_tollgate()
        tollgate.admin.put_org("late")
        self.write_history("late", 200)
        tollgate.stop()
        archive = {"postgresql": self.cluster.url}
        tollgate = self.start_tollgate(archive=archive, retention={"usage": "32d"})

        def archived():
            if self.cluster.query("select to_regclass('tollgate_position')") == [[""]]:
                return False
            rows = self.cluster.query("select hour from tollgate_position where org = 'late'")
            return bool(rows) and int(rows[0][0]) >= int(time.time()) // 3600 - 1
        wait_until_stored(archived, "all usage to be archived", timeout=60)
        tollgate.stop()
        today = int(time.time()) // self.DAY
        middle = (today - 150) * 24 + 5
        self.cluster.query(f"delete from tollgate_usage where org = 'late' and hour >= to_timestamp({middle} * 3600);"
                           f"update tollgate_position set hour = {middle} where org = 'late'")
        postgres.stop()
        tollgate = self.start_tollgate(archive=archive, retention={"usage": "32d", "usage_by_day": "60d"})
        time.sleep(4)  # long enough to merge everything
        postgres = self.start_postgres()
        wait_until(lambda: int(self.redis.command("HGET", "tollgate:{late}:retained", "days_from")) > today - 100,
                   "months to be summed up", timeout=60)
        wait_until_stored(archived, "all usage to be archived", timeout=60)
        self.assertEqual(self.cluster.query("select sum(credits_micro)::bigint from tollgate_usage where org = 'late'"),
                         [[str(200 * 2 * 10_000_000)]])
        self.assertEqual(self.usage(tollgate, "late", 200, "model"), {"gpt-4": 4000})
        tollgate.stop()  # it leads, and keeps usage for 32 days
        postgres.stop()

    def test_older_usage_is_kept_by_the_day_and_by_the_month(self):
        """Complete months that are old enough are one sum each; newer usage is unchanged."""
        tollgate = self.start_tollgate()
        tollgate.admin.put_org("coarse")
        self.write_history("coarse", 100)

        def rows(granularity, since):
            start = time.strftime("%Y-%m-%d", time.gmtime(since * self.DAY))
            return tollgate.admin.expect_success("GET", f"/orgs/coarse/usage?from={start}&granularity={granularity}"
                                                 "&group_by=model,key&limit=1000")["rows"]
        today = int(time.time()) // self.DAY
        months, days = rows("month", today - 101), rows("day", today - 31)
        tollgate.stop()
        tollgate = self.start_tollgate(retention={"usage": "32d", "usage_by_hour": "33d", "usage_by_day": "60d"})

        def month_of(day):
            return time.strftime("%Y-%m", time.gmtime(day * self.DAY))
        old = today - 60
        kept = {month_of(day) if month_of(day) != month_of(old) else day for day in range(today - 100, old)}

        def summaries():
            return sum(self.redis.command("EXISTS", f"tollgate:{{coarse}}:usage_day:{day}")
                       for day in range(today - 101, old))
        wait_until(lambda: summaries() == len(kept), f"{len(kept)} sums to be left", timeout=30)
        wait_until(lambda: self.redis.command("HGET", "tollgate:{coarse}:retained", "hours_from") != b"-1",
                   "hours to be summed up", timeout=30)
        self.assertEqual(rows("month", today - 101), months)
        self.assertEqual(rows("day", today - 31), days)
        self.assertEqual(sum(row["credits"] for row in rows("day", today - 101)), 100 * 20)
        tollgate.stop()  # it would drop usage that the organizations of other tests keep for longer


class Statements(ArchiveTest):
    def test_a_statement_is_archived_when_nothing_can_change_it(self):
        """Redis' clock is the ledger's: here it moves from noon to shortly before the end of a cycle."""
        self.start_postgres()
        noon = datetime(2026, 2, 27, 12, tzinfo=timezone.utc)
        almost = datetime(2026, 2, 27, 23, 59, 57, tzinfo=timezone.utc)

        def redis_at(moment):
            return self.start(Redis(self.directory, "late", persistent=True,
                                    run_with=shifted_clock(self.directory, moment)))
        redis = redis_at(noon)
        config = configuration(redis.url, self.upstream.address, plans={"pro": {
            "credits": 500, "overage_usd": 0.01, "rollover": {"up_to": "100%", "cycles": 1}}},
            archive={"postgresql": self.cluster.url})
        tollgate = self.start(Tollgate(self.directory, config, f"tollgate-{next(self._names)}"))
        tollgate.admin.put_org("cycle", plan="pro", cycle_anchor="2026-01-28")
        key = tollgate.admin.create_key("cycle")["key"]
        self.assertEqual(tollgate.chat(key).status, 200)
        self.settled_balance(tollgate, "cycle")
        self.wait_until_archived(tollgate, "cycle")
        redis.stop()
        redis_at(almost)
        rows = wait_until_stored(lambda: self.cluster.query(
            "select cycle, statement from tollgate_statement where org = 'cycle'"),
            "the statement to be archived", timeout=60)
        (cycle, statement), = rows
        self.assertEqual(cycle, "0")
        statement = json.loads(statement)
        shown = tollgate.admin.expect_success("GET", "/orgs/cycle/statements/" + statement["month"])
        self.assertEqual(statement, shown)
        self.assertTrue(statement["final"])


class Memory(StackTest):
    """The memory of an organization in Redis per month: the figures of quota/README.md and proxy/archive/README.md."""

    def test_counters_and_entries_take_what_is_said(self):
        tollgate = self.start_tollgate()
        key = tollgate.admin.new_customer("acme", 10**6)
        calls = 2_000
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            def one(number):
                return tollgate.chat(key, "gpt-3.5", headers={"X-Agent-Id": f"agent-{number % 500}",
                                                              "X-Conversation-Id": f"conversation-{number}"}).status
            self.assertEqual(set(pool.map(one, range(calls))), {200})
        self.settled_balance(tollgate, "acme")

        def size_of(name):
            return self.redis.command("MEMORY", "USAGE", f"tollgate:{{acme}}:{name}", "SAMPLES", 0)
        now = int(time.time())
        hours = [f"usage:{now // 3600 - back}" for back in (0, 1)]  # the day may have changed meanwhile
        counters = sum(size_of(hour) for hour in hours if self.redis.command("EXISTS", f"tollgate:{{acme}}:{hour}"))
        per_counter, per_entry = counters / calls, size_of("ledger") / (2 * calls)
        print(f"{per_counter:.0f} bytes a counter, {per_entry:.0f} bytes an entry", end=" ", flush=True)
        self.assertLess(per_counter, 220)
        self.assertLess(per_entry, 260)
