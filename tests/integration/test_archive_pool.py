"""The archive behind PgBouncer in transaction mode, who writes it, and what its tables say about themselves."""
import re
import signal
import time

from support.archive import ArchiveTest, wait_until_stored
from support.http import call
from support.pgbouncer import PgBouncer
from support.process import wait_until
from support.tollgate import Tollgate, configuration

# The tables as version 0.1 made them.
OLD_TABLES = """
create table tollgate_ledger (
  org text not null, ms bigint not null, number bigint not null,
  at timestamptz not null, type text not null, subject text not null,
  amount_micro bigint not null, released_micro bigint not null, overage_micro bigint not null,
  available_micro bigint not null, used bigint not null, cycle bigint not null,
  request_id text not null, route text not null, action text not null, model text not null,
  agent text not null, conversation text not null, key text not null,
  kind text not null, note text not null, primary key (org, ms, number));
create table tollgate_statement (
  org text not null, cycle bigint not null, starts timestamptz not null, ends timestamptz not null,
  statement jsonb not null, primary key (org, cycle));
create table tollgate_usage (
  org text not null, hour timestamptz not null, late boolean not null, route text not null, action text not null,
  model text not null, agent text not null, conversation text not null, key text not null,
  credits_micro bigint not null, calls bigint not null, used bigint not null);
create index tollgate_usage_hour on tollgate_usage (org, hour);
create index tollgate_usage_late on tollgate_usage (org) where late;
create table tollgate_position (
  org text primary key, ms bigint not null, number bigint not null, hour bigint not null, statement bigint not null);
create table tollgate_store (id text not null, one boolean primary key default true check (one));
alter table tollgate_ledger add column billed_us bigint not null default 0;
alter table tollgate_usage add column billed_us bigint not null default 0;
"""


class Pool(ArchiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres = cls.start_postgres()
        cls.pool = cls.start(PgBouncer(cls.cluster, cls.directory))

    def start_archiving(self, url):
        config = configuration(self.redis.url, self.upstream.address, archive={"postgresql": url})
        return self.start(Tollgate(self.directory, config, f"tollgate-{next(self._names)}"))

    def metric(self, tollgate, name):
        text = call(tollgate.admin.address, "GET", "/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)$", text, re.M).group(1))

    def leaders(self, *tollgates):
        return [self.metric(each, "tollgate_archive_leader") for each in tollgates]

    def use(self, tollgate, org):
        key = tollgate.admin.new_customer(org, 100)
        self.assertEqual(tollgate.chat(key).status, 200)
        self.settled_balance(tollgate, org)

    def test_one_writes_and_another_takes_over(self):
        through, also_through = (self.start_archiving(self.pool.url_of()) for _ in range(2))
        self.use(through, "pooled")
        self.wait_until_archived(through, "pooled")
        wait_until(lambda: sum(self.leaders(through, also_through)) == 1, "one leader")
        for _ in range(10):  # with several sessions of the pool, also in turn
            self.assertEqual(sum(self.leaders(through, also_through)), 1)
            time.sleep(0.1)
        # Nothing of the archive's settings stays in a session that others use.
        found = [self.pool.query("select current_setting('statement_timeout'), current_setting('lock_timeout'), "
                                 "(select count(*) from pg_locks where locktype = 'advisory')") for _ in range(9)]
        self.assertEqual(found, [[["0", "0", "0"]]] * 9)

        first = self.leaders(through, also_through).index(1)
        leader, follower = (through, also_through)[first], (through, also_through)[1 - first]
        self.assertEqual(self.metric(follower, "tollgate_archive_lag_seconds"), 0)
        direct = self.start_archiving(self.cluster.url)
        for each in (leader, follower):
            each.kill()
        self.use(direct, "direct")
        self.wait_until_archived(direct, "direct")
        self.assertEqual(self.leaders(direct), [1])
        self.assertIn("archive: this Tollgate writes it now", direct.log())
        direct.stop()

    def test_the_lag_counts_while_the_database_or_the_store_is_away(self):
        self.cluster.query("create database lag")
        pool = PgBouncer(self.cluster, self.directory, "away")
        self.addCleanup(pool.stop)
        tollgate = self.start_archiving(pool.url_of("lag"))
        self.use(tollgate, "lagging")
        self.wait_until_archived(tollgate, "lagging", "lag")
        wait_until(lambda: self.metric(tollgate, "tollgate_archive_lag_seconds") < 2, "nothing to be left")
        pool.popen.send_signal(signal.SIGSTOP)  # the archive blocks the archiver for up to 20 s
        wait_until(lambda: self.metric(tollgate, "tollgate_archive_lag_seconds") > 3, "the lag to count")
        self.assertNotIn("archive unavailable", tollgate.log())
        pool.popen.send_signal(signal.SIGCONT)
        wait_until(lambda: self.metric(tollgate, "tollgate_archive_lag_seconds") < 2, "nothing to be left")
        pool.stop()
        self.wait_until_said(tollgate, "archive unavailable")
        self.assertEqual(self.leaders(tollgate), [0])
        wait_until(lambda: self.metric(tollgate, "tollgate_archive_lag_seconds") > 3, "the lag to count")
        tollgate.stop()


class Tables(ArchiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start_postgres()

    def test_an_archive_of_the_previous_release_is_upgraded(self):
        self.cluster.query(OLD_TABLES)
        tollgate = self.start_tollgate(archive={"postgresql": self.cluster.url})
        key = tollgate.admin.new_customer("old", 100)
        self.assertEqual(tollgate.chat(key).status, 200)
        self.settled_balance(tollgate, "old")
        self.wait_until_archived(tollgate, "old")
        self.assertIn("archive: creating or upgrading its tables", tollgate.log())
        self.assert_described("postgres")
        tollgate.stop()
        again = self.start_tollgate(archive={"postgresql": self.cluster.url})
        wait_until_stored(lambda: "writes it now" in again.log(), "the archive to be written", 30)
        self.assertNotIn("upgrading", again.log())

    def test_a_new_archive(self):
        self.cluster.query("create database fresh")
        tollgate = self.start_tollgate(archive={"postgresql": self.cluster.url_of("fresh")})
        wait_until_stored(lambda: self.cluster.query("select to_regclass('tollgate_lease')", "fresh") != [[""]],
                          "the tables", 20)
        self.assert_described("fresh")
        tollgate.stop()

    def assert_described(self, database):
        """Every table and column has a comment, and a month of one organization needs no scan of all."""
        missing = self.cluster.query(
            "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "left join pg_description d on d.objoid = c.oid and d.objsubid = a.attnum "
            "where c.relname like 'tollgate%' and c.relkind = 'r' and a.attnum > 0 and d.description is null "
            "union all select c.relname, '' from pg_class c where c.relname like 'tollgate%' and c.relkind = 'r' "
            "and obj_description(c.oid) is null", database)
        self.assertEqual(missing, [])
        plan = self.cluster.query(
            "set enable_seqscan = off; explain select sum(amount_micro) from tollgate_ledger "
            "where org = 'acme' and at >= '2026-03-01' and at < '2026-04-01'", database)
        self.assertIn("tollgate_ledger_at", str(plan))
