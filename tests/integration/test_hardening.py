"""What a running Tollgate has given up. Every other test here runs with the filter of system calls on."""
import os
import signal
import unittest
from pathlib import Path

from support.process import SANITIZED, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

FILTERED, UNFILTERED = "2", "0"


def status_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def children_of(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


@unittest.skipIf(SANITIZED, "the sanitizers make system calls of their own")
class Hardening(StackTest):
    def begin(self, **changes):
        name = f"tollgate-{next(self._names)}"
        config = configuration(f"embedded:{self.directory}/{name}", self.upstream.address, **changes)
        return self.start(Tollgate(self.directory, config, name))

    def test_every_thread_and_the_embedded_store_are_filtered(self):
        tollgate = self.begin()
        self.assertNotIn("system calls are not filtered", tollgate.log())
        for task in Path(f"/proc/{tollgate.pid}/task").iterdir():
            status = status_of(task.name)
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), (FILTERED, "1"), status["Name"])
        [server] = children_of(tollgate.pid)
        self.assertEqual(status_of(server)["Seccomp"], FILTERED)

    def test_the_embedded_store_can_be_started_again(self):
        tollgate = self.begin()
        key = tollgate.admin.new_customer("restarted", credits=10)
        [server] = children_of(tollgate.pid)
        os.kill(server, signal.SIGKILL)
        wait_until(lambda: children_of(tollgate.pid) not in ([], [server]), "another server")
        wait_until(tollgate.is_ready, "it is ready")
        self.assertEqual(tollgate.call("GET", "/sample/echo", key).status, 200)

    def test_it_can_be_turned_off(self):
        tollgate = self.begin(hardening={"system_call_filter": False, "core_dumps": True})
        status = status_of(tollgate.pid)
        self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), (UNFILTERED, "1"))
