"""Without a journal: a hold whose sidecar disappeared after the answer had begun is settled when it expires."""
import http.client
import threading
import time

from support.process import Redis, wait_until
from support.stack import StackTest
from support.tollgate import ROUTES, RATES, Tollgate, configuration, route

SPEECH = route("speech", "tts", {"method": "POST", "path": "/v1/audio/speech"}, action="tts")


class AnsweredHolds(StackTest):
    def setUp(self):
        name = self.id().rsplit(".", 1)[1].removeprefix("test_")[:20]
        # The store of one test becomes unavailable for a while; this must not affect the others.
        self.name, self.store = name, self.start(Redis(self.directory, name, persistent=True, always=True))
        self.config = configuration(
            self.store.url, self.upstream.address, holds={"timeout": "2s", "sweep_every": "200ms"},
            routes=[SPEECH, *ROUTES],
            rates={**RATES, "tts": {"credits": 60, "per": "minute", "meter": "response_audio", "increment": "1s"}})
        self.tollgate = self.start_sidecar()
        self.key = self.tollgate.admin.new_customer("acme", credits=1000)
        self.replies = []

    def start_sidecar(self):
        return self.start(Tollgate(self.directory, self.config, self.name))

    def store_comes_back(self):
        self.store._log.close()
        self.store = self.start(Redis(self.directory, self.name, persistent=True, always=True))

    def call(self, path, body, **headers):
        """In a thread of its own, because it takes a while."""
        fields = {f"x-sample-{name.replace('_', '-')}": str(value) for name, value in headers.items()}

        def run():
            try:
                self.replies.append(self.tollgate.call("POST", path, self.key, body, headers=fields).status)
            except (OSError, ValueError, AssertionError, http.client.HTTPException):
                self.replies.append(0)
        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join)
        return thread

    def chat(self, **headers):
        return self.call("/v1/chat/completions",
                         {"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "Hi"}]},
                         **headers)

    def told(self):
        """What the ledger would charge for the only open hold, once it has been told."""
        holds = self.tollgate.admin.expect_success("GET", "/orgs/acme/holds")["holds"]
        return holds[0]["charged_on_expiry"] if len(holds) == 1 else None

    def rest(self):
        """A sidecar takes over from another; without a journal, only the ledger knows the charges."""
        self.tollgate = self.start_sidecar()
        balance = self.settled_balance(self.tollgate, "acme")
        self.tollgate.verify()
        return balance["settled"]

    def calls_counted(self):
        usage = self.tollgate.admin.expect_success("GET", "/orgs/acme/usage?granularity=day")
        return sum(row["calls"] for row in usage["rows"])

    def test_a_call_whose_answer_began_is_charged(self):
        self.chat(chunks=100, delay_ms=100)
        self.assertEqual(wait_until(self.told, "the ledger to be told"), 10)
        self.tollgate.kill()
        self.assertEqual(self.rest(), 10)
        self.assertEqual(self.calls_counted(), 1)

    def test_a_call_without_an_answer_is_given_back(self):
        self.chat(head_delay_ms=10_000)
        wait_until(lambda: self.tollgate.admin.balance("acme")["held"] == 10, "the hold")
        time.sleep(1)  # long enough for a renewal
        self.assertIsNone(self.told())
        self.tollgate.kill()
        self.assertEqual(self.rest(), 0)

    def test_seconds_are_charged_as_far_as_the_ledger_was_told(self):
        self.call("/v1/audio/speech", {"input": "x", "response_format": "wav"}, seconds=100, chunks=200, delay_ms=50)
        wait_until(lambda: (self.told() or 0) >= 2, "some seconds to be told")
        self.tollgate.kill()
        self.store.command("PING")
        told = self.rest()
        self.assertGreaterEqual(told, 2)
        self.assertLess(told, 60)

    def test_a_sidecar_that_comes_back_charges_nothing_twice(self):
        """The store is unavailable for longer than the hold lasts, and the call ends meanwhile, or later."""
        for chunks, settled in ((30, 10), (70, 20)):
            call = self.chat(chunks=chunks, delay_ms=100)
            self.assertEqual(wait_until(self.told, "the ledger to be told"), 10)
            self.store.kill()
            time.sleep(2.5)
            self.store_comes_back()
            call.join()
            wait_until(self.tollgate.is_ready, "the store, on every thread")
            balance = self.settled_balance(self.tollgate, "acme")
            self.assertEqual(balance["settled"], settled)
        self.assertEqual(self.replies, [200, 200])
        self.assertEqual(self.calls_counted(), 2)
        self.tollgate.verify()
