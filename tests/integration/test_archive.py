"""The archive: every entry once; the store drops only archived entries, and readers continue in the archive."""
import csv
import io
import shutil
import time
from datetime import datetime, timezone
from pathlib import Path

from support.archive import ArchiveTest, wait_until_stored
from support.http import call
from support.process import Redis, free_port, shifted_clock, wait_until
from support.tollgate import Tollgate, configuration


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
        # Entries are dropped in whole nodes of the stream, so some remain; the last one always does.
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

        # Later entries follow the archived ones.
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
        """A database that was restored from an old backup: the gap is reported, and no entry is invented."""
        key = self.admin.new_customer("lost", 1000)
        for _ in range(300):
            self.assertEqual(self.tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(self.tollgate, "lost")
        last = self.admin.ledger("lost")[-1]["id"]
        self.wait_until_archived(self.tollgate, "lost")
        self.wait_until_dropped("lost", last)
        self.cluster.query("delete from tollgate_ledger where org = 'lost';"
                           "delete from tollgate_position where org = 'lost'")
        self.assert_refused(self.admin.request("GET", "/orgs/lost/ledger"), "lacks data that the store has dropped")
        done = self.tollgate.command("verify", "lost")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("the archive lacks", done.stderr)
        # An operator who accepts the loss says so; the books cannot be verified any more.
        ms, number = self.dropped("lost").split("-")
        self.cluster.query(f"insert into tollgate_position values ('lost', {ms}, {number}, 0, 0)")
        done = self.tollgate.command("verify", "lost")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("WRONG", done.stdout)


class Neighbours(ArchiveTest):
    """A fault in one organization does not affect the others, and it is reported."""

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
        # An entry of a later version; settings of a later version; an archive that is ahead of the store.
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

        # Without the archive, entries that the store has dropped are an error, never an end.
        self.drop_first(self.redis, "a", f"{int(time.time() * 1000)}-0")
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
        tollgate.stop()  # a new one has not received the store's time by accident
        tollgate = self.start(Tollgate(self.directory, config))
        self.wait_until_archived(tollgate, "clock", "clock")
        self.assertEqual(self.cluster.query("select hour from tollgate_position where org = 'clock'", "clock"), [["0"]])


class Stores(ArchiveTest):
    """An archive belongs to one store, and only as long as the store continues from the archived state."""

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
        """A sidecar leads all the time: it only sees its connection break."""
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
        # New entries are newer than the archive's: that must not hide the gap.
        for _ in range(5):
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.wait_until_said(tollgate, "org=back cannot be archived, its retention is paused: the store does not")
        self.assert_refused(tollgate.admin.request("GET", "/orgs/back/ledger"), "has entries that the store lacks")
        last = redis.command("HGET", "tollgate:{back}:retained", "entries").decode()
        self.assertEqual(tollgate.admin.request("GET", f"/orgs/back/ledger?after={last}").status, 200)
        done = tollgate.command("verify", "back")
        self.assertEqual((done.returncode, "back: the archive has entries" in done.stderr), (1, True), done.stderr)
        # This affects only that organization: others are archived.
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
        self.wait_until_said(other, "it belongs to the store")
        # Even if this store has dropped entries: the archive's entries belong to other customers.
        self.drop_first(second, "same", own[3])
        second.command("HSET", "tollgate:{same}:retained", "hour", 10**9)
        for path in ("/v1/billing/ledger?limit=1000", "/v1/billing/usage?group_by=agent"):
            self.assert_refused(other.call("GET", path, key), "belongs to another store")
        self.assertEqual(other.call("GET", f"/v1/billing/ledger?after={own[3]}", key).status, 200)
        self.assertEqual(self.archived("same", "owned"), archived)

        # The archive's own store leads beside it, also with a database from before there were ids.
        other.stop()
        self.cluster.query("drop table tollgate_store", "owned")
        tollgate = self.start(Tollgate(self.directory, config, "third-tollgate"))
        owner = "select id from tollgate_store"
        wait_until_stored(lambda: self.cluster.query("select to_regclass('tollgate_store')", "owned") != [[""]]
                          and self.cluster.query(owner, "owned"), "the archive to be this store's", timeout=30)
        self.assertEqual(self.cluster.query(owner, "owned"),
                         [[first.command("GET", "tollgate:store_id").decode()]])
        # A store that is emptied by mistake, while the connection stays open, counts as another store.
        first.command("FLUSHALL")
        key = tollgate.admin.new_customer("same", 1000)
        self.call_and_settle(tollgate, "same", key, agent="own")
        self.wait_until_said(tollgate, "it belongs to the store")
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
        self.wait_until_said(tollgate, "archive unavailable, retention paused")
