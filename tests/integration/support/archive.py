"""Shared by the tests of the archive: one PostgreSQL per class, and where an organization's entries are."""
from .postgres import Cluster, Postgres
from .process import wait_until
from .stack import StackTest


def wait_until_stored(condition, what, timeout):
    """Waits for a condition that asks PostgreSQL: each query starts a program."""
    return wait_until(condition, what, timeout, every=0.2)


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
        wait_until_stored(lambda: self.archived(org, database)[-1:] == [last], f"{last} to be archived", timeout=40)

    def dropped(self, org):
        """The last entry that the store's ledger has dropped."""
        found = self.redis.command("HGET", f"tollgate:{{{org}}}:retained", "entries")
        return "" if found == b"-1" else found.decode()

    @staticmethod
    def drop_first(redis, org, through):
        """The first element of the ledger, and the store says that more has been dropped."""
        ledger = f"tollgate:{{{org}}}:ledger"
        redis.command("XTRIM", ledger, "MAXLEN", redis.command("XLEN", ledger) - 1)
        redis.command("HSET", f"tollgate:{{{org}}}:retained", "entries", through)

    def assert_refused(self, response, why):
        """The refusal has the form of the contract, and names the cause."""
        self.assertEqual(response.status, 503, response.body)
        error = response.json()["error"]
        self.assertEqual(error["code"], "ledger_unavailable")
        self.assertIn(f"the archive {why}", error["message"])
        self.assertIn("retry-after", response.headers)

    def wait_until_said(self, tollgate, what):
        wait_until(lambda: what in tollgate.log(), f"the log to say: {what}", timeout=20)

    def wait_until_dropped(self, org, last):
        """Waits until all entries before the script call of this one are dropped."""
        ms, number = map(int, last.split("-"))
        before = f"{ms}-{number // 1000 * 1000 - 1}" if number >= 1000 else f"{ms - 1}-999999"
        wait_until(lambda: self.dropped(org) == before, "old entries to be dropped", timeout=20)
