"""`store: embedded:DIR`: a private Redis that needs no administration."""
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from pathlib import Path

from support.process import wait_until
from support.stack import StackTest
from support.tollgate import BINARY, Tollgate, configuration


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, or before it was read
        return False


def each_that_stays(paths, look):
    """Yields look(path) for each path; paths that disappear meanwhile are skipped."""
    for path in paths:
        try:
            yield look(path)
        except (FileNotFoundError, ProcessLookupError):
            pass


def children_of(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for children in each_that_stays(tasks, lambda task: (task / "children").read_text())
            for child in children.split()]


def tcp_sockets_of(pid):
    owned = {re.fullmatch(r"socket:\[(\d+)\]", link)
             for link in each_that_stays(Path(f"/proc/{pid}/fd").iterdir(), os.readlink)}
    tcp = {line.split()[9] for table in ("tcp", "tcp6")
           for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]}
    return {match[1] for match in owned if match} & tcp


class Embedded(StackTest):
    def setUp(self):
        self.store = Path(tempfile.mkdtemp(prefix="tg-")) / "store"
        self.addCleanup(shutil.rmtree, self.store.parent, ignore_errors=True)

    def start_embedded(self, name, store=None):
        config = configuration(f"embedded:{store or self.store}", self.upstream.address)
        return self.start(Tollgate(self.directory, config, f"{self.id().rsplit('.', 1)[1]}-{name}"))

    def server_pid(self, tollgate):
        """The pid of the only child. A new child runs another program until its exec."""
        def only_child():
            children = children_of(tollgate.pid)
            names = list(each_that_stays(children, lambda pid: Path(f"/proc/{pid}/cmdline").read_text()))
            return children if len(children) == 1 and "redis-server" in "".join(names) else None
        [pid] = wait_until(only_child, "the server to be the only child")
        return pid

    def test_a_restart_loses_nothing(self):
        first = self.start_embedded("first")
        key = first.admin.new_customer("keep", credits=100)
        for _ in range(3):
            self.assertEqual(first.chat(key).status, 200)
        before = self.settled_balance(first, "keep")
        entries = first.admin.ledger("keep")
        server = self.server_pid(first)
        first.stop()
        self.assertFalse(is_alive(server), "it stops last, but it stops")

        second = self.start_embedded("second")
        self.assertEqual(second.admin.balance("keep"), before)
        self.assertEqual(second.admin.ledger("keep"), entries)
        self.assertEqual(second.chat(key).status, 200)

    def test_nobody_else_gets_in(self):
        tollgate = self.start_embedded("one")
        self.assertEqual(stat.S_IMODE(self.store.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((self.store / "redis.sock").stat().st_mode), 0o700)
        server = self.server_pid(tollgate)
        self.assertEqual(tcp_sockets_of(server), set())
        self.assertNotEqual(os.getsid(server), os.getsid(tollgate.pid),
                            "an interrupt at the terminal does not reach it")

        config = configuration(f"embedded:{self.store}", self.upstream.address)
        path = Path(self.directory) / "second-on-one.yaml"
        path.write_text(json.dumps(config))
        second = subprocess.run([BINARY, "run", "--config", path], text=True, capture_output=True,
                                timeout=120)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"another Tollgate (pid {tollgate.pid})", second.stderr)
        self.assertEqual(tollgate.admin.request("PUT", "/orgs/fine", {}).status, 201)

    def test_a_killed_tollgate_leaves_no_server_and_loses_nothing(self):
        first = self.start_embedded("first")
        first.admin.new_customer("killed", credits=100)
        server = self.server_pid(first)
        first.kill()
        second = self.start_embedded("second")
        self.assertEqual(second.admin.balance("killed")["granted"], 100)
        self.assertFalse(is_alive(server))
        second.verify()

    def test_a_server_that_was_left_over_is_stopped_first(self):
        # As if the kernel had not signalled the server that its Tollgate died.
        first = self.start_embedded("first")
        first.admin.new_customer("left", credits=100)
        server = self.server_pid(first)
        os.kill(server, signal.SIGSTOP)  # a stopped process does not handle the signal
        first.kill()
        resumed = subprocess.Popen(["sh", "-c", f"sleep 1; kill -CONT {server}"])
        second = self.start_embedded("second")
        resumed.wait()
        self.assertFalse(is_alive(server), "two servers never write one file")
        self.assertEqual(second.admin.balance("left")["granted"], 100)

    def test_a_dead_server_is_started_again(self):
        tollgate = self.start_embedded("one")
        key = tollgate.admin.new_customer("dead", credits=100)
        for _ in range(2):
            server = self.server_pid(tollgate)
            os.kill(server, signal.SIGKILL)
            wait_until(lambda: not is_alive(server), "the server to die")
            wait_until(tollgate.is_ready, "another to serve")
            wait_until(lambda: tollgate.chat(key).status == 200, "calls to go on")
        wait_until(tollgate.is_ready, "the admin API's connection, too")
        self.assertIn("starting it again", tollgate.log())
        self.assertEqual(self.settled_balance(tollgate, "dead")["granted"], 100)
        tollgate.verify()

    def test_verify_with_and_without_a_tollgate(self):
        tollgate = self.start_embedded("one")
        tollgate.admin.new_customer("proof", credits=100)
        self.assertIn("proof: ok", tollgate.verify())
        tollgate.stop()
        self.assertIn("proof: ok", tollgate.verify())
        self.assertFalse((self.store / "redis.sock").exists(), "it leaves nothing running")

    def test_a_directory_that_cannot_be_used(self):
        for store, hint in ((self.store.parent / ("x" * 120), "too long for a unix socket"),
                            ("/dev/null/store", "cannot make the directory")):
            config = configuration(f"embedded:{store}", self.upstream.address)
            path = Path(self.directory) / "unusable.yaml"
            path.write_text(json.dumps(config))
            done = subprocess.run([BINARY, "run", "--config", path], text=True, timeout=120,
                                  capture_output=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn(hint, done.stderr)

    def test_a_damaged_file_is_named(self):
        tollgate = self.start_embedded("one")
        tollgate.admin.new_customer("broken", credits=100)
        tollgate.stop()
        part = next((self.store / "appendonlydir").glob("*.incr.aof"))
        part.write_bytes(b"garbage" + part.read_bytes())
        done = subprocess.run([BINARY, "run", "--config", tollgate.config_path], text=True,
                              capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 1)
        self.assertIn("appendonly.aof.1.incr.aof is damaged at offset 0: not a command", done.stderr)
        self.assertIn("redis-check-aof", done.stderr)
