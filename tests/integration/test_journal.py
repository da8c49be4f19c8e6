"""The journal: unsettled usage when a sidecar is killed or the store is unavailable."""
import json
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from support.process import Redis, wait_until
from support.scripted_upstream import ScriptedUpstream
from support.stack import StackTest
from support.tollgate import BINARY, Tollgate, configuration


class Journal(StackTest):
    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1].removeprefix("test_")[:20]
        # The store of one test becomes unavailable for a while; this must not affect the others.
        self.store = self.start(Redis(self.directory, self.name, persistent=True, always=True))
        self.journal = Path(self.directory) / f"{self.name}.journal"
        self.arrived = threading.Semaphore(0)  # released once per call that has reached the upstream
        self.answered = threading.Event()
        upstream = self.start(ScriptedUpstream({"chat": self.answer_when_told}))
        self.config = configuration(self.store.url, upstream.address, journal=str(self.journal),
                                    timeouts={"drain": "100ms"}, holds={"timeout": "2s", "sweep_every": "200ms"})

    def answer_when_told(self, connection, request):
        connection.read_body(request)
        self.arrived.release()
        self.answered.wait(60)
        connection.reply(b'{"choices":[]}', fields="Content-Type: application/json\r\n")

    def start_sidecar(self):
        return self.start(Tollgate(self.directory, self.config, self.name))

    def store_comes_back(self):
        self.store._log.close()
        self.store = self.start(Redis(self.directory, self.name, persistent=True, always=True))

    def segments(self):
        return sorted(self.journal.glob("*.journal"))

    def serve_while_the_store_goes(self, tollgate, key, calls=4):
        """Calls that hold credits, are served while the store is unavailable, and cannot be settled."""
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(tollgate.chat(key).status)) for _ in range(calls)]
        for thread in threads:
            thread.start()
        for _ in range(calls):  # a hold in the balance is not enough: the sidecar may not have its reply yet
            self.assertTrue(self.arrived.acquire(timeout=60))
        self.assertEqual(tollgate.admin.balance("acme")["held"], 10 * calls)
        self.store.kill()
        self.answered.set()
        for thread in threads:
            thread.join()
        self.assertEqual(replies, [200] * calls)

    def assert_charged(self, tollgate, calls=4):
        wait_until(lambda: tollgate.admin.balance("acme")["settled"] == 10 * calls, "the calls to be charged")
        balance = wait_until(lambda: self.balance_without_holds(tollgate, "acme"), "no hold is left")
        self.assertEqual(balance["settled"], 10 * calls)
        tollgate.verify()

    def test_a_killed_sidecar_settles_at_its_next_start(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.kill()
        self.store_comes_back()
        time.sleep(2.5)  # the holds have expired meanwhile
        tollgate = self.start_sidecar()
        self.assert_charged(tollgate)
        wait_until(lambda: "4 settled (40 credits)" in tollgate.log(), "it to say so")
        tollgate.stop()
        self.assertEqual(self.segments(), [])
        tollgate = self.start_sidecar()
        self.assert_charged(tollgate)

    def test_a_drain_that_runs_out_leaves_them_in_the_journal(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.stop(any_status=True)
        self.assertIn(f"did not confirm 4 settlements; they are in the journal {self.journal}", tollgate.log())
        self.store_comes_back()
        self.assert_charged(self.start_sidecar())

    def test_replay_from_the_command_line(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        in_use = tollgate.command("journal", "replay", self.journal)
        self.assertEqual(in_use.returncode, 1)
        self.assertIn(f"{self.journal}: another Tollgate (pid {tollgate.pid}) uses it", in_use.stderr)
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.kill()
        self.store_comes_back()
        moved = self.journal.rename(self.journal.with_suffix(".moved"))
        tollgate.write_config({**self.config, "store": self.store.url + "?db=99"})
        elsewhere = tollgate.command("journal", "replay", moved)
        self.assertEqual((elsewhere.returncode, elsewhere.stdout), (1, ""))
        self.assertIn("the store is unavailable (other): ERR DB index is out of range; the journal is unchanged",
                      elsewhere.stderr)
        tollgate.write_config(self.config)
        first = tollgate.command("journal", "replay", moved)
        self.assertEqual(first.returncode, 0, first.stderr)
        self.assertIn("4 settled (40 credits)", first.stdout)
        second = tollgate.command("journal", "replay", moved)
        self.assertIn("0 settled", second.stdout)
        self.assertEqual(tollgate.command("journal", "replay").returncode, 1)  # there is no such directory
        self.assert_charged(self.start_sidecar())

    def test_another_store_gets_nothing(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        wait_until(lambda: self.store.command("GET", "tollgate:store_id"), "the store's id")
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.kill()
        self.store_comes_back()
        own = self.store.command("GET", "tollgate:store_id").decode()
        another = self.start(Redis(self.directory, "another"))
        elsewhere = {**self.config, "store": another.url}

        tollgate.write_config(elsewhere)
        refused = tollgate.command("journal", "replay")
        self.assertEqual((refused.returncode, refused.stdout), (1, ""))
        self.assertIn(f"4 calls are of the store {own}, and this is a store without an id", refused.stderr)
        self.assertEqual(another.command("EXISTS", "tollgate:store_id"), 0)  # it is not named by a look

        wrong = self.start(Tollgate(self.directory, elsewhere, "elsewhere"))  # it serves: they are kept for their store
        wait_until(lambda: f"4 calls are of the store {own}, and this is the store " in wrong.log(), "the error")
        self.assertEqual(wrong.chat(wrong.admin.new_customer("beta", credits=1000)).status, 200)
        wrong.stop()
        self.assertEqual(another.command("EXISTS", "tollgate:{acme}:ledger"), 0)

        tollgate = self.start_sidecar()
        self.assert_charged(tollgate)
        self.assertIn("4 settled (40 credits)", tollgate.log())

    def test_force_settles_in_another_store(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        wait_until(lambda: self.store.command("GET", "tollgate:store_id"), "the store's id")
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.kill()
        self.store_comes_back()
        self.store.command("DEL", "tollgate:store_id")  # as in a copy from before it had one
        self.assertEqual(tollgate.command("journal", "replay").returncode, 1)
        forced = tollgate.command("journal", "replay", "--force")
        self.assertEqual(forced.returncode, 0, forced.stderr)
        self.assertIn("4 settled (40 credits)", forced.stdout)
        self.assert_charged(self.start_sidecar())

    def test_damage_is_named_and_the_rest_is_settled(self):
        tollgate = self.start_sidecar()
        key = tollgate.admin.new_customer("acme", credits=1000)
        self.serve_while_the_store_goes(tollgate, key)
        tollgate.kill()
        self.store_comes_back()
        damaged = next(each for each in self.segments() if b"acme" in each.read_bytes() and self.spoil(each))
        tollgate = self.start_sidecar()
        self.assertIn(f"DAMAGED: {damaged}: ", tollgate.log())
        wait_until(lambda: "known to the ledger already" in tollgate.log(), "the rest to be settled")
        self.assertTrue(damaged.with_name(damaged.name + ".damaged").exists())
        # One record cannot be read: the other three calls are charged, and the hold of that one expires.
        self.assert_charged(tollgate, calls=3)
        self.assertIn("3 settled (30 credits)", tollgate.log())

    @staticmethod
    def spoil(segment):
        """The first record's organization, if another record follows."""
        content = bytearray(segment.read_bytes())
        first = content.index(b"acme")
        if content.find(b"acme", first + 4) < 0:
            return False
        content[first] ^= 1
        segment.write_bytes(content)
        return True

    def failed_start(self, directory, run_with=()):
        path = Path(self.directory) / f"{self.name}-bad.yaml"
        path.write_text(self.start_config(directory))
        done = subprocess.run([*run_with, BINARY, "run", "--config", path], text=True, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f" journal: {directory}", done.stderr)
        return done.stderr

    def start_config(self, directory):

        return json.dumps({**self.config, "journal": str(directory)})

    def test_a_directory_that_cannot_be_used_is_named_at_the_start(self):
        tollgate = self.start_sidecar()
        self.assertIn("another Tollgate", self.failed_start(self.journal))
        other = tempfile.mkdtemp(prefix="tg-")
        self.addCleanup(shutil.rmtree, other, ignore_errors=True)
        (Path(other) / "file").touch()
        self.assertIn("cannot make the directory", self.failed_start(f"{other}/file/journal"))
        # A disk without room for the journal.
        no_room = self.failed_start(f"{other}/journal", run_with=["prlimit", "--fsize=1000000"])
        self.assertIn("cannot write there", no_room)
        tollgate.stop()

    def test_without_one_it_says_so(self):
        del self.config["journal"]
        tollgate = self.start_sidecar()
        self.assertIn("there is no journal", tollgate.log())
