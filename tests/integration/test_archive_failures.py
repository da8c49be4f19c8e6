"""The archive while writers, databases and disks fail: every entry once, and no other work is delayed.

    TOLLGATE_CHAOS_ROUNDS=60 python3 -B -m unittest -v test_archive_failures.Chaos
"""
import concurrent.futures
import json
import os
import random
import re
import resource
import subprocess
import threading
import time
from pathlib import Path

from support.archive import ArchiveTest, wait_until_stored
from support.http import BROKEN_OFF, call
from support.process import wait_until
from support.tollgate import BINARY, Tollgate, configuration


class Files(ArchiveTest):
    @staticmethod
    def events(directory, org):
        """Complete lines; a file may be renamed, and its last line incomplete, during the read."""
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
        # Nothing has been written yet: the very first write fails in the middle.
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(tollgate.pid, resource.RLIMIT_FSIZE, (16 * 1024, most))
        for _ in range(40):
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(tollgate, "full")
        full = "retention paused: cannot write: File too large"
        self.wait_until_said(tollgate, full)

        def failures():
            text = call(tollgate.admin.address, "GET", "/metrics").body.decode()
            return int(re.search(r"archive_failures_total (\d+)", text)[1])
        some = failures()
        wait_until(lambda: failures() > some, "it to be tried again")
        self.assertEqual(tollgate.log().count(full), 1)
        self.assertNotIn("archive reachable again", tollgate.log())
        resource.prlimit(tollgate.pid, resource.RLIMIT_FSIZE, (most, most))
        ids = [entry["id"] for entry in tollgate.admin.ledger("full")]
        self.wait_until_said(tollgate, "archive reachable again")
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
        self.assertEqual(tollgate.admin.ledger("acme")[-1]["id"], last)  # reads from both
        postgres.freeze()
        # Calls, balances, usage and everything in the store are answered as usual, the rest is not.
        self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.assertEqual(tollgate.admin.balance("acme")["settled"], 402)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            began = time.monotonic()
            asked = pool.submit(tollgate.admin.request, "GET", "/orgs/acme/ledger")
            self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
            self.assertEqual(tollgate.admin.request("GET", f"/orgs/acme/ledger?after={last}").status, 200)
            self.assert_refused(asked.result(), "is unavailable")
            self.assertLess(time.monotonic() - began, 5)  # a question takes 3 s at most
        self.wait_until_said(tollgate, "archive unavailable for reading: no answer in 3 s")
        began = time.monotonic()
        tollgate.stop()
        self.assertLess(time.monotonic() - began, 8)

        postgres.thaw()
        tollgate = self.start(Tollgate(self.directory, config))
        self.wait_until_archived(tollgate, "acme")
        self.assertIn("ok, 405 entries", tollgate.verify())


class Young(ArchiveTest):
    def test_what_the_store_has_is_answered_without_the_database(self):
        """No entry is as old as `retention.ledger`: the ledger is whole in the store, and is read and proven there."""
        postgres = self.start_postgres()
        self.addCleanup(postgres.thaw)
        config = configuration(self.redis.url, self.upstream.address, retention={"ledger": "30d"},
                               archive={"postgresql": self.cluster.url})
        tollgate = self.start(Tollgate(self.directory, config))
        key = tollgate.admin.new_customer("young", 1000)
        self.assertEqual(tollgate.chat(key, "gpt-3.5").status, 200)
        self.settled_balance(tollgate, "young")
        self.wait_until_archived(tollgate, "young")
        postgres.freeze()
        # The second as an earlier version has recorded it, without dropping anything.
        for recorded in ("", f"{int(time.time() * 1000)}-999999"):
            if recorded:
                self.redis.command("HSET", "tollgate:{young}:retained", "entries", recorded)
            began = time.monotonic()
            self.assertEqual(self.dropped("young"), recorded)
            self.assertEqual(len(tollgate.admin.ledger("young")), 3)
            self.assertEqual(tollgate.call("GET", "/v1/billing/ledger", key).status, 200)
            self.assertLess(time.monotonic() - began, 2)
            self.assertIn("ok, 3 entries", tollgate.verify())


class Chaos(ArchiveTest):
    """Constant load; PostgreSQL and Tollgates are killed at any moment. Entries are dropped from the store after a
    second. In the end the ledger can be verified from both, and every entry was counted once."""

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
            ids = wait_until_stored(lambda: self.ids_if_archived(tollgate, org), f"all of {org} to be archived", 120)
            self.assertEqual(len(ids), len(set(ids)))
            wait_until(lambda: self.dropped(org) != "", f"old entries of {org} to be dropped")
            proven.append(f"{org}: ok, {len(ids)} entries")
        said = tollgate.verify()
        for each in proven:
            self.assertIn(each, said)

    def start_sidecar(self, config):
        return self.start(Tollgate(self.directory, config, f"tollgate-{next(self._names)}"))

    def ids_if_archived(self, tollgate, org):
        """A sidecar that was unavailable may settle late, under another id: so both are checked again."""
        ids = [entry["id"] for entry in tollgate.admin.ledger(org)]
        return ids if self.archived(org) == ids else None

    def try_to_start_postgres(self):
        try:
            return self.start_postgres()
        except RuntimeError:  # some processes of the killed server still exist
            return None

    def call_until_over(self, number):
        while not self.over.is_set():
            turn = self.served[number] % 2
            try:
                self.served[number] += self.sidecars[turn].chat(self.keys[number], "gpt-3.5").status == 200
            except BROKEN_OFF:
                pass
