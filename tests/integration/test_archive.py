"""The archive: every entry once, whoever is killed; the store drops only what is in it, and everybody
reads on behind that.

    TOLLGATE_CHAOS_ROUNDS=60 python3 -B -m unittest -v test_archive.Chaos
"""
import concurrent.futures
import csv
import io
import json
import os
import random
import re
import resource
import shutil
import subprocess
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

from support.http import BROKEN_OFF, call
from support.postgres import Cluster, Postgres
from support.process import Redis, free_port, keep_clear_of, shifted_clock, wait_until
from support.stack import StackTest
from support.tollgate import BINARY, Tollgate, configuration


class ArchiveTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = Cluster()
        cls.addClassCleanup(cls.cluster.remove)

    @classmethod
    def start_postgres(cls):
        return cls.start(Postgres(cls.cluster, cls.directory, f"postgres-{next(cls._names)}"))

    def archived(self, org, database="postgres"):
        """The id of every entry that is in the database."""
        if self.cluster.query("select to_regclass('tollgate_ledger')", database) == [[""]]:
            return []
        return [f"{ms}-{number}" for ms, number in self.cluster.query(
            f"select ms, number from tollgate_ledger where org = '{org}' order by ms, number", database)]

    def wait_until_archived(self, tollgate, org, database="postgres"):
        last = wait_until(lambda: tollgate.admin.ledger(org), "entries")[-1]["id"]
        wait_until(lambda: self.archived(org, database)[-1:] == [last], f"{last} to be archived", timeout=40)

    def dropped(self, org):
        """Up to which entry the store's ledger is gone."""
        found = self.redis.command("HGET", f"tollgate:{{{org}}}:retained", "entries")
        return "" if found == b"-1" else found.decode()

    def assert_refused(self, response, why):
        """As the contract says, and whose fault it is."""
        self.assertEqual(response.status, 503, response.body)
        error = response.json()["error"]
        self.assertEqual(error["code"], "ledger_unavailable")
        self.assertIn(f"the archive {why}", error["message"])
        self.assertIn("retry-after", response.headers)

    def wait_until_said(self, tollgate, what):
        wait_until(lambda: what in tollgate.log(), f"the log to say: {what}", timeout=20)

    def wait_until_dropped(self, org, last):
        """All but the script call that this entry stands in."""
        ms, number = map(int, last.split("-"))
        before = f"{ms}-{number // 1000 * 1000 - 1}" if number >= 1000 else f"{ms - 1}-999999"
        wait_until(lambda: self.dropped(org) == before, "old entries to be dropped", timeout=20)


class Database(ArchiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()
        cls.tollgate = cls.start_tollgate(archive={"postgresql": cls.cluster.url},
                                          retention={"ledger": "2s"})
        cls.admin = cls.tollgate.admin

    def proof(self, org):
        return self.tollgate.command("verify", org).stdout

    def test_what_the_store_drops_is_read_from_the_archive(self):
        key = self.admin.new_customer("acme", 1000)
        for number in range(300):
            headers = {"X-Agent-Id": f"agent-{number % 3}"}
            self.assertEqual(self.tollgate.chat(key, "gpt-3.5", headers=headers).status, 200)
        self.settled_balance(self.tollgate, "acme")
        whole = self.admin.ledger("acme")
        self.assertEqual(len(whole), 601)
        self.wait_until_archived(self.tollgate, "acme")
        last = whole[-1]["id"]
        self.wait_until_dropped("acme", last)
        # In whole nodes of the stream, so some are still there; the last one always is.
        left = self.redis.command("XLEN", "tollgate:{acme}:ledger")
        self.assertTrue(1 <= left < 150, left)

        self.assertEqual(self.admin.ledger("acme"), whole)
        self.assertIn("ok, 601 entries, available 400", self.proof("acme"))
        # The customer's own view, page by page, and as CSV.
        headers = {"Authorization": f"Bearer {key}"}
        after, seen = "0-0", []
        while True:
            page = call(self.tollgate.address, "GET", f"/v1/billing/ledger?after={after}&limit=70",
                        headers).json()["data"]
            seen += page["entries"]
            after = page["next_after"]
            if not page["has_more"]:
                break
        self.assertEqual(seen, whole)
        text = call(self.tollgate.address, "GET", "/v1/billing/ledger?limit=1000",
                    {**headers, "Accept": "text/csv"}).body.decode()
        self.assertEqual([row["id"] for row in csv.DictReader(io.StringIO(text))],
                         [entry["id"] for entry in whole])

        # And life goes on: what comes later stands behind it.
        self.assertEqual(self.tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(self.tollgate, "acme")
        self.assertEqual(self.admin.ledger("acme")[:601], whole)
        self.assertIn("ok, 603 entries", self.proof("acme"))

    def test_text_that_is_no_utf_8_does_not_stop_the_archive(self):
        key = self.admin.new_customer("bytes", 1000)
        names = {"X-Agent-Id": b"caf\xe9 \"quoted\" {a,b} \\".decode("latin-1"),
                 "X-Conversation-Id": "\u00e9\u00e8"}
        self.assertEqual(self.tollgate.chat(key, headers=names).status, 200)
        self.settled_balance(self.tollgate, "bytes")
        self.wait_until_archived(self.tollgate, "bytes")
        (agent,), = self.cluster.query("select agent from tollgate_ledger where org = 'bytes' and type = 'settle'")
        shown = [entry["agent"] for entry in self.admin.ledger("bytes") if entry["type"] == "settle"]
        self.assertEqual([agent], shown)

    def test_entries_that_the_archive_lost_are_missed(self):
        """A database that was brought back from an old backup: nothing is made up, and it is said."""
        key = self.admin.new_customer("lost", 1000)
        for _ in range(300):
            self.assertEqual(self.tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(self.tollgate, "lost")
        last = self.admin.ledger("lost")[-1]["id"]
        self.wait_until_archived(self.tollgate, "lost")
        self.wait_until_dropped("lost", last)
        self.cluster.query("delete from tollgate_ledger where org = 'lost';"
                           "delete from tollgate_position where org = 'lost'")
        self.assert_refused(self.admin.request("GET", "/orgs/lost/ledger"), "does not have what the store has dropped")
        done = self.tollgate.command("verify", "lost")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("the archive does not have", done.stderr)
        # Whoever accepts the loss says so; the books stay without proof.
        ms, number = self.dropped("lost").split("-")
        self.cluster.query(f"insert into tollgate_position values ('lost', {ms}, {number}, 0, 0)")
        done = self.tollgate.command("verify", "lost")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("WRONG", done.stdout)


class Neighbours(ArchiveTest):
    """What is wrong with one organization is its own affair, and it is said."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()

    def test_what_cannot_be_archived_holds_up_nobody_else(self):
        config = configuration(self.redis.url, self.upstream.address, archive={"postgresql": self.cluster.url})
        tollgate = self.start(Tollgate(self.directory, config))
        keys = {org: tollgate.admin.new_customer(org, 1000) for org in ("a", "m-bad", "m-gone", "n-ahead", "z")}
        for org in keys:
            self.wait_until_archived(tollgate, org)
        tollgate.stop()
        # An entry of a later version; settings of one; an archive that goes further than the store.
        self.redis.command("XADD", "tollgate:{m-bad}:ledger", "*", "gift", "1 2 3")
        self.redis.command("HSET", "tollgate:{m-gone}:settings", "options", "no such")
        self.cluster.query("update tollgate_position set ms = ms + 86400000 where org = 'n-ahead'")
        tollgate = self.start(Tollgate(self.directory, config))
        for org in ("a", "z"):
            self.assertEqual(tollgate.chat(keys[org]).status, 200)
            self.settled_balance(tollgate, org)
            self.wait_until_archived(tollgate, org)
        self.assertIn("org=m-bad cannot be archived", tollgate.log())
        self.assertIn("org=n-ahead cannot be archived", tollgate.log())
        tollgate.stop()

        # Without the archive, what the store has dropped is an error, never an end.
        self.redis.command("HSET", "tollgate:{a}:retained", "entries", f"{int(time.time() * 1000)}-0")
        alone = self.start(Tollgate(self.directory, {**config, "archive": {"files": f"{self.directory}/alone"}}))
        refused = alone.admin.request("GET", "/orgs/a/ledger")
        self.assertEqual(refused.status, 503)
        self.assertIn("there is no archive", refused.json()["error"]["message"])
        self.assertEqual(alone.command("verify", "a").returncode, 1)

    def test_hours_are_over_when_the_store_says_so(self):
        """The sidecar's clock is three hours ahead of the store's."""
        behind = shifted_clock(self.directory, datetime.fromtimestamp(time.time() - 3 * 3600, timezone.utc))
        redis = self.start(Redis(self.directory, "behind", run_with=behind))
        self.cluster.query("create database clock")
        config = configuration(redis.url, self.upstream.address,
                               archive={"postgresql": self.cluster.url_of("clock")})
        tollgate = self.start(Tollgate(self.directory, config))
        key = tollgate.admin.new_customer("clock", 1000)
        self.assertEqual(tollgate.chat(key).status, 200)
        self.settled_balance(tollgate, "clock")
        tollgate.stop()  # a new one has not heard of the store's time by the way
        tollgate = self.start(Tollgate(self.directory, config))
        self.wait_until_archived(tollgate, "clock", "clock")
        self.assertEqual(self.cluster.query("select hour from tollgate_position where org = 'clock'", "clock"), [["0"]])


class Stores(ArchiveTest):
    """An archive is one store's, and only as long as that goes on from where it was archived."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()

    def configuration(self, redis, database):
        self.cluster.query(f"create database {database}")
        return configuration(redis.url, self.upstream.address, retention={"ledger": "1s"},
                             archive={"postgresql": self.cluster.url_of(database)})

    def call_and_settle(self, tollgate, org, key, calls=20, agent="a"):
        for _ in range(calls):
            self.assertEqual(tollgate.chat(key, "gpt-3.5", headers={"X-Agent-Id": agent}).status, 200)
        self.settled_balance(tollgate, org)

    @staticmethod
    def dropped_of(redis, org):
        return redis.command("HGET", f"tollgate:{{{org}}}:retained", "entries")

    def test_a_store_that_was_brought_back_from_an_older_copy(self):
        """While a sidecar leads all the time: it only sees its connection break."""
        redis = Redis(self.directory, "copied", persistent=True)
        config = self.configuration(redis, "copied")
        tollgate = self.start(Tollgate(self.directory, config, "copied-tollgate"))
        key, other = (tollgate.admin.new_customer(org, 1000) for org in ("back", "quiet"))
        self.call_and_settle(tollgate, "back", key)
        self.wait_until_archived(tollgate, "back", "copied")
        wait_until(lambda: self.dropped_of(redis, "back") != b"-1", "something to be dropped")
        files, copy = (Path(self.directory) / name for name in ("copied", "copy"))
        shutil.copytree(files, copy)
        self.call_and_settle(tollgate, "back", key)
        self.wait_until_archived(tollgate, "back", "copied")
        redis.kill()
        shutil.rmtree(files)
        shutil.copytree(copy, files)
        redis = self.start(Redis(self.directory, "copied", persistent=True))
        wait_until(tollgate.is_ready, "the store to be there again")
        archived, dropped = self.archived("back", "copied"), self.dropped_of(redis, "back")
        self.assertEqual(tollgate.chat(other, "gpt-3.5").status, 200)
        # New entries are younger than the archive's: that hides nothing.
        for _ in range(5):
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.wait_until_said(tollgate, "org=back cannot be archived, and nothing of it is dropped: the store does not")
        self.assert_refused(tollgate.admin.request("GET", "/orgs/back/ledger"), "has entries that the store does not")
        last = redis.command("HGET", "tollgate:{back}:retained", "entries").decode()
        self.assertEqual(tollgate.admin.request("GET", f"/orgs/back/ledger?after={last}").status, 200)
        done = tollgate.command("verify", "back")
        self.assertEqual((done.returncode, "back: the archive has entries" in done.stderr), (1, True), done.stderr)
        # That is the affair of this one: others are archived.
        self.wait_until_archived(tollgate, "quiet", "copied")
        self.assertEqual(self.archived("back", "copied"), archived)
        self.assertEqual(self.dropped_of(redis, "back"), dropped)
        tollgate.stop()

    def test_another_store_with_the_same_organization(self):
        first, second = (self.start(Redis(self.directory, name)) for name in ("first", "second"))
        config = self.configuration(first, "owned")
        tollgate = self.start(Tollgate(self.directory, config, "first-tollgate"))
        key = tollgate.admin.new_customer("same", 1000)
        self.call_and_settle(tollgate, "same", key, agent="secret")
        self.wait_until_archived(tollgate, "same", "owned")
        wait_until(lambda: self.dropped_of(first, "same") != b"-1", "something to be dropped")
        archived = self.archived("same", "owned")
        tollgate.stop()

        other = self.start(Tollgate(self.directory, {**config, "store": second.url}, "second-tollgate"))
        key = other.admin.new_customer("same", 1000)
        self.call_and_settle(other, "same", key, agent="own")
        own = [entry["id"] for entry in other.admin.ledger("same")]
        self.wait_until_said(other, "it is that of the store")
        # Also where this store has dropped something: what the archive has is not its customers'.
        second.command("HSET", "tollgate:{same}:retained", "entries", own[3], "hour", 10**9)
        for path in ("/v1/billing/ledger?limit=1000", "/v1/billing/usage?group_by=agent"):
            self.assert_refused(other.call("GET", path, key), "is another store's")
        self.assertEqual(other.call("GET", f"/v1/billing/ledger?after={own[3]}", key).status, 200)
        self.assertEqual(self.archived("same", "owned"), archived)

        # The one it belongs to leads beside it; so it does in a database of before there were ids.
        other.stop()
        self.cluster.query("drop table tollgate_store", "owned")
        tollgate = self.start(Tollgate(self.directory, config, "third-tollgate"))
        owner = "select id from tollgate_store"
        wait_until(lambda: self.cluster.query("select to_regclass('tollgate_store')", "owned") != [[""]]
                   and self.cluster.query(owner, "owned"), "the archive to be this store's")
        self.assertEqual(self.cluster.query(owner, "owned"),
                         [[first.command("GET", "tollgate:store_id").decode()]])
        # And when the store is emptied by mistake, over a connection that stays, it is another one.
        first.command("FLUSHALL")
        key = tollgate.admin.new_customer("same", 1000)
        self.call_and_settle(tollgate, "same", key, agent="own")
        self.wait_until_said(tollgate, "it is that of the store")
        self.assertEqual(self.archived("same", "owned"), archived)

    def test_without_the_database_all_that_is_not_in_it_is_answered(self):
        nowhere = f"postgresql://tollgate@127.0.0.1:{free_port()}/postgres"
        tollgate = self.start_tollgate(archive={"postgresql": nowhere}, retention={"ledger": "1s"})
        key = tollgate.admin.new_customer("alone", 1000, plan="starter")
        self.call_and_settle(tollgate, "alone", key)
        paths = ["usage", "usage?group_by=agent,conversation", "usage?granularity=month&from=2024-01-01", "statements",
                 "projection", "ledger", "balance"]
        (cycle,) = tollgate.admin.expect_success("GET", "/orgs/alone/statements")["statements"]
        paths.append(f"statements/{cycle['month']}")
        for path in paths:
            for response in (tollgate.admin.request("GET", f"/orgs/alone/{path}"),
                             tollgate.call("GET", f"/v1/billing/{path}", key)):
                self.assertEqual(response.status, 200, f"{path}: {response.body}")
        self.wait_until_said(tollgate, "the archive cannot be had")


class OldUsage(ArchiveTest):
    """Agents and conversations are kept for a while; then days are, and the archive has the rest."""

    DAY = 86_400

    def setUp(self):
        keep_clear_of("day", 120)  # one more would be dropped

    def write_history(self, org, days):
        """Counters as the ledger's script would have left them, `days` ago and since."""
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
        # Days that are over have been summed up before anybody asked.
        days = range(int(time.time()) // self.DAY - 50, int(time.time()) // self.DAY - 1)
        wait_until(lambda: all(self.redis.command("EXISTS", f"tollgate:{{alone}}:usage_day:{day}") for day in days),
                   "every day to be summed up", timeout=30)
        self.assertEqual(self.usage(tollgate, "alone", 60, "model"), {"gpt-4": 1200})
        by_agent = self.usage(tollgate, "alone", 60, "agent")
        self.assertEqual(sum(by_agent.values()), 1200)
        self.assertEqual((by_agent["a1"], by_agent["a2"]), (400, 400))

    def test_what_the_archive_has_yet_to_read_is_not_summed_up(self):
        """Sums move to the first of their month, and the archive is in the middle of one, and away."""
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
        wait_until(archived, "all usage to be archived", timeout=60)
        tollgate.stop()
        today = int(time.time()) // self.DAY
        middle = (today - 150) * 24 + 5
        self.cluster.query(f"delete from tollgate_usage where org = 'late' and hour >= to_timestamp({middle} * 3600);"
                           f"update tollgate_position set hour = {middle} where org = 'late'")
        postgres.stop()
        tollgate = self.start_tollgate(archive=archive, retention={"usage": "32d", "usage_by_day": "60d"})
        time.sleep(4)  # in which all would be summed up
        postgres = self.start_postgres()
        wait_until(lambda: int(self.redis.command("HGET", "tollgate:{late}:retained", "days_from")) > today - 100,
                   "months to be summed up", timeout=60)
        wait_until(archived, "all usage to be archived", timeout=60)
        self.assertEqual(self.cluster.query("select sum(credits_micro)::bigint from tollgate_usage where org = 'late'"),
                         [[str(200 * 2 * 10_000_000)]])
        self.assertEqual(self.usage(tollgate, "late", 200, "model"), {"gpt-4": 4000})
        tollgate.stop()  # it leads, and keeps usage for 32 days
        postgres.stop()

    def test_older_usage_is_kept_by_the_day_and_by_the_month(self):
        """Months that are whole and old enough are one sum each; what is younger is what it was."""
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
        tollgate.stop()  # it would drop what the other tests' organizations keep for longer


class Statements(ArchiveTest):
    def test_a_statement_is_archived_when_nothing_can_change_it(self):
        """Redis' clock is the ledger's: it goes from noon to shortly before the end of a cycle here."""
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
        rows = wait_until(lambda: self.cluster.query(
            "select cycle, statement from tollgate_statement where org = 'cycle'"),
            "the statement to be archived", timeout=60)
        (cycle, statement), = rows
        self.assertEqual(cycle, "0")
        statement = json.loads(statement)
        shown = tollgate.admin.expect_success("GET", "/orgs/cycle/statements/" + statement["month"])
        self.assertEqual(statement, shown)
        self.assertTrue(statement["final"])


class Files(ArchiveTest):
    @staticmethod
    def events(directory, org):
        """What is written whole; a file may be renamed, and its last line unfinished, while we look."""
        while True:
            files = sorted(directory.glob("*.jsonl"), key=lambda path: (path.name == "current.jsonl", path.name))
            try:
                text = "".join(path.read_text() for path in files)
                break
            except FileNotFoundError:
                continue
        found = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [event for event in found if event["source"] == f"tollgate/orgs/{org}"]

    def test_cloud_events_exactly_once_though_the_writer_is_killed(self):
        directory = Path(self.directory) / "events"
        config = configuration(self.redis.url, self.upstream.address,
                               archive={"files": str(directory), "rotate_size": "64KiB"})
        chance = random.Random(7)
        key = None
        for number in range(6):
            tollgate = self.start(Tollgate(self.directory, config, f"tollgate-{next(self._names)}"))
            key = key or tollgate.admin.new_customer("files", 100000)
            for _ in range(60):
                self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
            time.sleep(chance.random() * 4)
            if number < 5:
                tollgate.kill()
        self.settled_balance(tollgate, "files")
        entries = {entry["id"]: entry for entry in tollgate.admin.ledger("files")}

        def written_all():
            now = self.events(directory, "files")
            return now if len(now) >= len(entries) else None
        written = wait_until(written_all, "all to be written", 30)
        self.assertEqual([event["id"] for event in written], list(entries))
        self.assertGreater(len(list(directory.glob("ledger-*.jsonl"))), 1)
        for event in written:
            self.assertEqual((event["specversion"], event["source"]), ("1.0", "tollgate/orgs/files"))
            self.assertEqual(event["data"], entries[event["id"]])
            self.assertEqual(event["type"], "tollgate.ledger." + event["data"]["type"])

    def test_a_full_disk_is_gone_on_with_when_it_has_space_again(self):
        directory = Path(self.directory) / "full"
        tollgate = self.start_tollgate(archive={"files": str(directory)})
        key = tollgate.admin.new_customer("full", 100000)
        # Nothing has been written yet: the very first write is the one that fails, in the middle.
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(tollgate.pid, resource.RLIMIT_FSIZE, (16 * 1024, most))
        for _ in range(40):
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(tollgate, "full")
        full = "nothing is dropped meanwhile: cannot write: File too large"
        self.wait_until_said(tollgate, full)

        def failures():
            text = call(tollgate.admin.address, "GET", "/metrics").body.decode()
            return int(re.search(r"archive_failures_total (\d+)", text)[1])
        some = failures()
        wait_until(lambda: failures() > some, "it to be tried again")
        self.assertEqual(tollgate.log().count(full), 1)
        self.assertNotIn("there again", tollgate.log())
        resource.prlimit(tollgate.pid, resource.RLIMIT_FSIZE, (most, most))
        ids = [entry["id"] for entry in tollgate.admin.ledger("full")]
        self.wait_until_said(tollgate, "there again")
        wait_until(lambda: len(self.events(directory, "full")) >= len(ids), "all to be written")
        self.assertEqual([event["id"] for event in self.events(directory, "full")], ids)

    def test_the_ledger_is_not_dropped_where_it_could_not_be_read_back(self):
        path = Path(self.directory) / "wrong.yaml"
        path.write_text(json.dumps(configuration("embedded:x", "127.0.0.1:1", retention={"ledger": "30d"},
                                                 archive={"files": "y"}), indent=1))
        done = subprocess.run([BINARY, "check", "--config", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("retention.ledger needs archive.postgresql", done.stdout + done.stderr)


class Frozen(ArchiveTest):
    def test_a_database_that_stands_still_holds_up_nobody(self):
        postgres = self.start_postgres()
        self.addCleanup(postgres.thaw)
        config = configuration(self.redis.url, self.upstream.address, retention={"ledger": "1s"},
                               archive={"postgresql": self.cluster.url})
        tollgate = self.start(Tollgate(self.directory, config))
        key = tollgate.admin.new_customer("acme", 1000)
        for _ in range(200):
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(tollgate, "acme")
        last = tollgate.admin.ledger("acme")[-1]["id"]
        self.wait_until_dropped("acme", last)
        postgres.freeze()
        # Calls, balances, usage and what the store has are answered as ever, what it has not is not.
        self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.assertEqual(tollgate.admin.balance("acme")["settled"], 402)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(tollgate.admin.request, "GET", "/orgs/acme/ledger")
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
            self.assertEqual(tollgate.admin.request("GET", f"/orgs/acme/ledger?after={last}").status, 200)
            self.assert_refused(asked.result(), "cannot be read right now")
        began = time.monotonic()
        tollgate.stop()
        self.assertLess(time.monotonic() - began, 8)

        postgres.thaw()
        tollgate = self.start(Tollgate(self.directory, config))
        self.wait_until_archived(tollgate, "acme")
        self.assertIn("ok, 405 entries", tollgate.verify())


class Chaos(ArchiveTest):
    """Load all the time; PostgreSQL and Tollgates are killed at any moment. Entries are dropped from the
    store after a second. In the end the ledger can be proven from both, and every entry was counted once."""

    rounds = int(os.environ.get("TOLLGATE_CHAOS_ROUNDS") or 6)

    def test_every_entry_exactly_once(self):
        seed = int(os.environ.get("TOLLGATE_SEED") or random.SystemRandom().randrange(2**32))
        print(f"TOLLGATE_SEED={seed} rounds={self.rounds}", end=" ", flush=True)
        chance = random.Random(seed)
        self.postgres = self.start_postgres()
        configs = [configuration(self.redis.url, self.upstream.address, archive={"postgresql": self.cluster.url},
                                 retention={"ledger": "1s"}, holds={"timeout": "2s", "sweep_every": "200ms"})
                   for _ in range(2)]
        self.sidecars = [self.start_sidecar(config) for config in configs]
        orgs = [f"chaos-{number}" for number in range(4)]
        self.keys = [self.sidecars[0].admin.new_customer(org, 10**6) for org in orgs]
        self.over = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            self.served = [0] * 4
            load = [pool.submit(self.call_until_over, number) for number in range(4)]
            try:
                for _ in range(self.rounds):
                    time.sleep(chance.random() * 2)
                    victim = chance.choice(("postgres", "postgres", 0, 1))
                    if victim == "postgres":
                        self.postgres.kill()
                        time.sleep(chance.random() * 2)
                        self.postgres = wait_until(self.try_to_start_postgres, "PostgreSQL to come back", 60)
                    else:
                        self.sidecars[victim].kill()
                        self.sidecars[victim] = self.start_sidecar(configs[victim])
                wait_until(lambda: sum(self.served) > 100, "enough calls to have been served", 120)
            finally:
                self.over.set()
            for each in load:
                each.result()

        tollgate, proven = self.sidecars[0], []
        for org in orgs:
            self.settled_balance(tollgate, org)
            ids = wait_until(lambda: self.ids_if_archived(tollgate, org), f"all of {org} to be archived", 120)
            self.assertEqual(len(ids), len(set(ids)))
            wait_until(lambda: self.dropped(org) != "", f"old entries of {org} to be dropped")
            proven.append(f"{org}: ok, {len(ids)} entries")
        said = tollgate.verify()
        for each in proven:
            self.assertIn(each, said)

    def start_sidecar(self, config):
        return self.start(Tollgate(self.directory, config, f"tollgate-{next(self._names)}"))

    def ids_if_archived(self, tollgate, org):
        """A sidecar that was away may settle late, under another id: so both are looked at again."""
        ids = [entry["id"] for entry in tollgate.admin.ledger(org)]
        return ids if self.archived(org) == ids else None

    def try_to_start_postgres(self):
        try:
            return self.start_postgres()
        except RuntimeError:  # the processes of the one that was killed are not all gone yet
            return None

    def call_until_over(self, number):
        while not self.over.is_set():
            turn = self.served[number] % 2
            try:
                self.served[number] += self.sidecars[turn].chat(self.keys[number], "gpt-3.5").status == 200
            except BROKEN_OFF:
                pass


class Memory(StackTest):
    """What an organization takes in Redis a month: the figures of quota/README.md and proxy/archive/README.md."""

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
        hours = [f"usage:{now // 3600 - back}" for back in (0, 1)]  # it may have turned meanwhile
        counters = sum(size_of(hour) for hour in hours if self.redis.command("EXISTS", f"tollgate:{{acme}}:{hour}"))
        per_counter, per_entry = counters / calls, size_of("ledger") / (2 * calls)
        print(f"{per_counter:.0f} bytes a counter, {per_entry:.0f} bytes an entry", end=" ", flush=True)
        self.assertLess(per_counter, 220)
        self.assertLess(per_entry, 260)
