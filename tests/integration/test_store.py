"""A store that goes away and comes back, and the store that Tollgate runs itself."""
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


class EmbeddedStore(StackTest):
    def setUp(self):
        self.store = Path(self.directory) / self.id().rpartition(".")[2]

    def start_embedded(self, name):
        config = configuration(f"embedded:{self.store}", self.upstream.address)
        return self.start(Tollgate(self.directory, config, f"{self.store.name}-{name}"))

    def store_pids(self):
        """Every redis-server that was started for this store."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    command = (entry / "cmdline").read_bytes()
                    inside = Path(os.readlink(entry / "cwd")) == self.store
                except OSError:  # it ended while we looked
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
