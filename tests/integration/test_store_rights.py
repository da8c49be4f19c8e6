"""A user of the store that may not send everything: what calls do not need does not end their connections, and the log
and /readyz say what is missing."""
import time

from support.http import BROKEN_OFF, call
from support.process import Redis, free_port, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration


class Started(Tollgate):
    """It need not be ready."""

    def is_ready(self):
        try:
            return call(self.admin.address, "GET", "/healthz", timeout=2).status == 200
        except BROKEN_OFF:
            return False


class StoreRights(StackTest):
    def setUp(self):
        port = free_port()
        self.store = self.start(Redis(self.directory, f"store-{next(self._names)}", options=("--port", port)))
        self.allow("on", ">secret", "~*", "+@all")
        self.config = configuration(f"redis://sidecar:secret@127.0.0.1:{port}", self.upstream.address, threads=2,
                                    holds={"sweep_every": "100ms"})
        tollgate = self.restarted()
        self.key = tollgate.admin.new_customer("acme", 1_000_000)
        tollgate.stop()

    def allow(self, *rules):
        self.store.command("ACL", "SETUSER", "sidecar", *rules)

    def restarted(self, kind=Tollgate):
        return self.start(kind(self.directory, self.config, f"tollgate-{next(self._names)}"))

    @staticmethod
    def ready(tollgate):
        reply = call(tollgate.admin.address, "GET", "/readyz")
        return reply.status, reply.json().get("cause")

    def test_what_only_jobs_need_does_not_disturb_calls(self):
        for name in ("ZADD", "ZRANGE"):
            with self.subTest(name):
                self.allow("+@all", f"-{name.lower()}")
                tollgate = self.restarted()
                missing = f"the user may not send {name}: "
                until = time.monotonic() + 2  # rounds of the sweep, and checks of the connection
                while time.monotonic() < until or missing not in tollgate.log():
                    self.assertEqual(tollgate.chat(self.key, "gpt-3.5").status, 200)
                    self.assertEqual(self.ready(tollgate), (200, None))
                    self.assertLess(time.monotonic(), until + 20, tollgate.log())
                self.assertEqual(tollgate.log().count(missing), 1)
                self.assertNotIn("unavailable", tollgate.log())
                tollgate.stop()

    def test_terms_that_are_not_known_have_a_cause(self):
        def plans_of_another_type():
            self.store.command("DEL", "tollgate:plans")
            self.store.command("SET", "tollgate:plans", "x")
        for begin, end, cause, why in (
                (lambda: self.allow("-eval", "-evalsha"), lambda: self.allow("+@all"), "no_permission", "'eval'"),
                (plans_of_another_type, lambda: self.store.command("DEL", "tollgate:plans"), "other", "WRONGTYPE")):
            with self.subTest(why):
                begin()
                tollgate = self.restarted(Started)
                line = "plans: the store does not say which terms are in force"
                wait_until(lambda: line in tollgate.log(), "the log to say it", 20)
                self.assertIn(why, next(each for each in tollgate.log().splitlines() if line in each))
                self.assertEqual(self.ready(tollgate), (503, cause))
                end()
                wait_until(lambda: self.ready(tollgate) == (200, None), "it to be ready", 20)
                self.assertEqual(tollgate.log().count(line), 1)
                self.assertIn("plans: the store says again which terms are in force", tollgate.log())
                tollgate.stop()
