"""A store that becomes unavailable and returns, and the store that Tollgate runs itself."""
import os
import signal
import time
from pathlib import Path

from support.http import call
from support.process import Redis, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration


class StoreAway(StackTest):
    def test_nothing_passes_unmetered_and_service_comes_back(self):
        redis = self.start(Redis(self.directory, "lasting", persistent=True))
        tollgate = self.start(Tollgate(self.directory,
                                       configuration(redis.url, self.upstream.address), "away"))
        key = tollgate.admin.new_customer("away", credits=100)
        self.assertEqual(tollgate.chat(key).status, 200)
        reached = self.upstream.stats()["requests"]

        redis.kill()
        began = time.monotonic()
        reply = tollgate.chat(key)
        self.assertLess(time.monotonic() - began, 1)
        self.assertEqual((reply.status, reply.error_code), (503, "ledger_unavailable"))
        self.assertIn("retry-after", reply.headers)
        self.assertEqual(self.upstream.stats()["requests"], reached)
        self.assertEqual(call(tollgate.admin.address, "GET", "/readyz").status, 503)
        self.assertEqual(call(tollgate.admin.address, "GET", "/healthz").status, 200)

        self.start(Redis(self.directory, "lasting", persistent=True))
        wait_until(lambda: tollgate.chat(key).status == 200, "service to come back")
        self.assertEqual(self.settled_balance(tollgate, "away")["settled"], 20)
        tollgate.verify()


class CommandsThatOpenTheStore(StackTest):
    def test_a_command_says_why_and_does_not_wait_for_what_only_an_operator_can_change(self):
        locked = self.start(Redis(self.directory, "locked", options=("--requirepass", "secret"), wait=False))
        wait_until(lambda: Path(locked.socket_path).exists(), "the server")
        tollgate = self.start_tollgate()
        for store, said in ((locked.url, "(no_auth): NOAUTH Authentication required"),
                            (self.redis.url + "?db=99", "(other): ERR DB index is out of range")):
            with self.subTest(said):
                tollgate.write_config(configuration(store, self.upstream.address))
                began = time.monotonic()
                done = tollgate.command("verify")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"tollgate: the store is unavailable {said}", done.stderr)
                self.assertLess(time.monotonic() - began, 8)  # it waits 10 s for a store that may come back


class AccountOfALaterVersion(StackTest):
    REFUSED = ("the account of ahead is of schema 3; this version of Tollgate knows schemas up to 2: "
               "use one that knows schema 3")

    def test_nothing_reads_or_changes_it_and_others_go_on(self):
        redis = self.start(Redis(self.directory, "later"))
        tollgate = self.start(Tollgate(self.directory, configuration(redis.url, self.upstream.address), "later"))
        ahead, kept = (tollgate.admin.new_customer(org, credits=100) for org in ("ahead", "kept"))
        self.assertEqual(tollgate.chat(ahead).status, 200)
        self.settled_balance(tollgate, "ahead")
        redis.command("HSET", "tollgate:{ahead}:account", "schema", "3")

        reply = tollgate.chat(ahead)
        self.assertEqual((reply.status, reply.error_code), (503, "ledger_unavailable"))
        path = "/orgs/ahead"
        for method, what, body in (("GET", "", None), ("PUT", "", {"suspended": True}), ("GET", "/balance", None),
                                   ("GET", "/usage", None), ("GET", "/ledger", None), ("GET", "/keys", None),
                                   ("GET", "/webhooks", None), ("GET", "/statements", None),
                                   ("POST", "/grants", {"credits": 1, "kind": "promotion"})):
            with self.subTest(f"{method} {what}"):
                self.assertEqual(tollgate.admin.request(method, path + what, body).status, 503)
        self.assertNotEqual(redis.command("HGET", "tollgate:{ahead}:account", "suspended"), b"1")
        self.assertIn(self.REFUSED, tollgate.log())

        self.assertEqual(tollgate.chat(kept).status, 200)
        self.settled_balance(tollgate, "kept")
        redis.command("DEL", "tollgate:schema")  # of an older version
        done = tollgate.command("verify")
        self.assertEqual(done.returncode, 1)
        self.assertIn("kept: ok", done.stdout)
        self.assertIn(self.REFUSED, done.stderr)
        self.assertIn(self.REFUSED, tollgate.command("verify", "ahead").stderr)
        self.assertEqual(redis.command("EXISTS", "tollgate:schema"), 0)  # it only reads


class EmbeddedStore(StackTest):
    def setUp(self):
        self.store = Path(self.directory) / self.id().rpartition(".")[2]

    def start_embedded(self, name):
        config = configuration(f"embedded:{self.store}", self.upstream.address)
        return self.start(Tollgate(self.directory, config, f"{self.store.name}-{name}"))

    def store_pids(self):
        """Every redis-server started for this store."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                    inside = Path(os.readlink(entry / "cwd")) == self.store
                except OSError:  # it ended during the check
                    continue
                if b"redis-server" in command and (inside or str(self.store).encode() in command):
                    found.append(int(entry.name))
        return found

    def test_restart_loses_nothing(self):
        first = self.start_embedded("first")
        key = first.admin.new_customer("kept", credits=100)
        self.assertEqual(first.chat(key).status, 200)
        self.settled_balance(first, "kept")
        first.stop()
        self.assertEqual(self.store_pids(), [])

        second = self.start_embedded("second")
        self.assertEqual(second.admin.balance("kept")["available"], 90)
        self.assertEqual(second.chat(key).status, 200)
        second.verify()

    def test_kill_loses_nothing(self):
        first = self.start_embedded("first")
        key = first.admin.new_customer("killed", credits=100)
        self.assertEqual(first.chat(key).status, 200)
        self.settled_balance(first, "killed")
        first.kill()

        second = self.start_embedded("second")
        self.assertEqual(second.admin.balance("killed")["available"], 90)
        second.verify()

    def test_a_server_that_hangs_is_said_and_does_not_keep_the_process(self):
        tollgate = self.start_embedded("only")
        key = tollgate.admin.new_customer("hangs", credits=100)
        wait_until(lambda: any((self.store / "checksums").iterdir()), "the server to be watched")
        self.assertEqual(tollgate.chat(key).status, 200)
        (pid,) = self.store_pids()
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: "redis-server does not answer, and it has not ended" in tollgate.log(), "the warning")
        os.kill(pid, signal.SIGCONT)
        wait_until(lambda: "redis-server answers again" in tollgate.log(), "the end of it")
        os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        tollgate.stop()
        self.assertLess(time.monotonic() - began, 30)  # of TimeoutStopSec=60, of which a drain takes a part
        self.assertIn("redis-server has not ended yet; it is killed after 10 s", tollgate.log())
        self.assertEqual(self.store_pids(), [])

    def test_a_directory_that_is_moved_is_said(self):
        tollgate = self.start_embedded("only")
        wait_until(lambda: any((self.store / "checksums").iterdir()), "the log to be followed")
        self.store.rename(self.store.with_suffix(".moved"))
        wait_until(lambda: f"redis-server are gone from {self.store}" in tollgate.log(), "the warning")
        self.assertEqual(tollgate.log().count("are gone from"), 1)

    def test_a_dead_server_is_restarted(self):
        tollgate = self.start_embedded("only")
        key = tollgate.admin.new_customer("again", credits=100)
        (pid,) = self.store_pids()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: tollgate.chat(key).status == 200, "service to come back")
        self.assertNotEqual(self.store_pids(), [pid])
        tollgate.verify()

    def test_one_directory_one_tollgate(self):
        self.start_embedded("first")
        with self.assertRaisesRegex(RuntimeError, "exited with [1-9]"):
            Tollgate(self.directory, configuration(f"embedded:{self.store}", self.upstream.address),
                     "intruder")
