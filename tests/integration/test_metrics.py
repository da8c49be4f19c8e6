"""Every family of metrics moves when what it counts happens, and is documented; every line of the logs and every CSV
can be read by another language's readers, whatever bytes callers send."""
import csv
import io
import json
import re
import signal
import threading
from pathlib import Path

from support.audio import SPEECH, UPLOAD
from support.http import RawConnection, call
from support.process import Redis, free_port, wait_until
from support.scripted_upstream import ScriptedUpstream
from support.stack import StackTest
from support.stripe import SECRET, StripeLike, event, signature
from support.tollgate import RATES, ROUTES, Tollgate, configuration, route
from support.webhooks import WebhookReceiver, answer

README = Path(__file__).resolve().parents[2] / "proxy" / "metrics" / "README.md"

# Families that this scenario does not move, and the test that does.
EXCEPTED = {
    "tollgate_webhook_forgotten": "an endpoint is forgotten after 10,000 events: unit test of webhook_dispatcher",
    "tollgate_journal_unwritten": "needs a full journal: unit tests of the journal",
    "tollgate_access_log_lost_lines": "needs a log that cannot be written: unit test of access_log",
    "tollgate_archive_statements": "needs a month that ends: integration_archive",
    "tollgate_archive_failures": "needs an archive that fails: integration_archive_failures",
    "tollgate_payment_mismatches": "needs a payment that is unlike its request: integration_stripe_events",
    "tollgate_voids_given_up": "needs a store that refuses a void for long: integration_store",
    "tollgate_plans_unconfirmed": "needs plans that another Tollgate has changed: integration_plan_agreement",
    "tollgate_plan_terms_pending": "needs a store in trouble while terms change: integration_plan_agreement",
    "tollgate_store_memory_max_bytes": "0: this Redis has no limit",
    "tollgate_buffered_bytes": "only while a body is being read",
}


class MetricsTest(StackTest):
    def scrape(self, tollgate=None):
        """name of each family -> the samples, as (labels, value)."""
        text = call((tollgate or self.tollgate).admin.address, "GET", "/metrics").body.decode()
        families = {name: [] for name in re.findall(r"^# TYPE (\S+) ", text, re.M)}
        for name, labels, value in re.findall(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$", text, re.M):
            family = re.sub(r"_(total|bucket|sum|count|info)$", "", name)
            families[name if name in families else family].append((labels, float(value)))
        return families

    def value(self, family, *labels, tollgate=None):
        return sum(value for text, value in self.scrape(tollgate)[family] if all(each in text for each in labels))

    def wait_for(self, family, *labels):
        return wait_until(lambda: self.value(family, *labels), f"{family} {labels}")


class EveryFamily(MetricsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.redis = cls.start(Redis(cls.directory, "kept", persistent=True))
        cls.stripe, cls.receiver = cls.start(StripeLike()), cls.start(WebhookReceiver())
        cls.served = []
        cls.scripted = cls.start(ScriptedUpstream({"once": cls.answer_once}))
        plans = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
                 "tiny": {"credits": 105, "overage_usd": 0.02, "top_up_minimum_usd": 10},
                 "none": {"credits": 0}}
        routes = [
            {**route("shadow", "api", {"path": "/v1/shadow"}, mode="shadow", action="api")},
            {**route("dead", "api", {"path": "/dead/**"}), "upstream": "dead"},
            {**route("once", "api", {"path": "/scripted/**"}), "upstream": "scripted"},
            {**route("speech", "tts", {"method": "POST", "path": "/v1/audio/speech"},
                     audio={"estimate": {"characters": "/input"}})},
            {**route("by-size", "stt", {"method": "POST", "path": "/v1/audio/**"},
                     audio={"on_unmeasurable": "estimate", "bit_rate": 8000})}, *ROUTES]
        upstream = {"url": f"http://{cls.upstream.address}"}
        cls.config = configuration(
            cls.redis.url, cls.upstream.address, plans=plans, threads=1, routes=routes,
            rates={**RATES, "tts": SPEECH, "stt": UPLOAD},
            upstreams={"sample": upstream, "dead": {"url": f"http://127.0.0.1:{free_port()}"},
                       "scripted": {"url": f"http://{cls.scripted.address}"}},
            holds={"timeout": "2s", "sweep_every": "200ms"}, archive={"files": f"{cls.directory}/archive"},
            log={"access": f"{cls.directory}/access.log"},
            webhooks={"timeout": "1s", "retries": ["0s"], "allow_http": True, "allow_private": True},
            payments={"timeout": "2s", "stripe": {"url": f"http://{cls.stripe.address}", "webhook_secret": SECRET,
                                                  "secret_key": StripeLike.secret_key}})
        cls.tollgate = cls.start(Tollgate(cls.directory, cls.config))
        cls.seen = {}

    @classmethod
    def answer_once(cls, connection, request):
        """Answers the first request of a connection, and closes it when the second has arrived."""
        if connection in cls.served:
            return True
        cls.served.append(connection)
        connection.reply()
        return False

    def note(self, tollgate=None):
        """Remembers which families have had a value other than 0."""
        for family, samples in self.scrape(tollgate).items():
            self.seen[family] = self.seen.get(family, False) or any(value for _, value in samples)

    def beside(self, *arguments, **more):
        """A call that is under way until the returned thread is joined."""
        calling = threading.Thread(target=lambda: self.tollgate.call(*arguments, **more))
        calling.start()
        self.addCleanup(calling.join)
        return calling

    def test_every_family_moves_and_is_documented(self):
        admin = self.tollgate.admin
        key = admin.new_customer("acme", credits=10_000, plan="starter")
        self.calls_that_end_in_every_way(key)
        self.a_hold_that_is_renewed(key)
        self.a_top_up_and_its_events()
        self.a_sidecar_that_dies(key)
        self.reloads()
        self.note()
        self.a_store_that_dies(key)
        self.a_drain(key)
        families = set(self.seen)
        self.assertEqual({name for name, moved in self.seen.items() if not moved} - set(EXCEPTED), set())
        self.assertEqual(self.documented(), families)

    @staticmethod
    def documented():
        """The families in the first cells of the table."""
        cells = re.findall(r"^\| (`[^|]+) \|", README.read_text(), re.M)
        return {re.sub("_(total|info)$", "", name) for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}

    def calls_that_end_in_every_way(self, key):
        tollgate, admin = self.tollgate, self.tollgate.admin
        self.assertEqual(tollgate.chat(key).status, 200)
        self.assertEqual(tollgate.chat("no such key").status, 401)
        self.assertEqual(tollgate.chat(key, headers={"x-sample-status": "503"}).status, 503)  # voided
        self.assertEqual(tollgate.call("GET", "/dead/x", key).status, 502)
        self.assertEqual(tollgate.call("GET", "/nowhere", key).status, 404)
        poor = admin.new_customer("poor", plan="none")
        self.assertEqual(tollgate.call("GET", "/v1/agents/a/x", poor).status, 200)  # critical: beyond balance
        self.assertEqual(tollgate.call("GET", "/v1/shadow", poor).status, 200)
        self.assertEqual(tollgate.chat(poor).status, 402)
        for _ in range(2):  # the second one finds a connection that closes, and is repeated
            self.assertEqual(tollgate.call("GET", "/scripted/once", key).status, 200)
        # Less than was held is released; for more, the hold is extended while the answer comes.
        for text, seconds in (("x" * 150, "0.1"), ("Hi.", "5")):
            reply = tollgate.call("POST", "/v1/audio/speech", key, {"input": text, "response_format": "pcm"},
                                  {"x-sample-seconds": seconds, "x-sample-chunks": "5", "x-sample-delay-ms": "100"})
            self.assertEqual(reply.status, 200)
        reply = tollgate.call("POST", "/v1/audio/x", key, b"x" * 9000, {"Content-Type": "audio/wav"})
        self.assertIn(reply.status, (200, 404))  # seconds estimated by size
        self.settled_balance(tollgate, "acme")
        self.assertEqual(self.value("tollgate_refusals", 'code="upstream_unreachable"'), 0)
        self.assertEqual(self.value("tollgate_refusals", 'route="chat-gpt-4"', 'code="insufficient_credits"'), 1)
        self.assertEqual(self.value("tollgate_shadow_refusals", 'route="shadow"'), 1)
        self.assertEqual(self.value("tollgate_beyond_balance", 'route="agents"'), 1)
        self.assertEqual(self.value("tollgate_upstream_connect_failures", 'upstream="dead"'), 1)
        self.assertEqual(self.value("tollgate_upstream_retries", 'upstream="scripted"'), 1)
        self.assertEqual(self.value("tollgate_upstream_responses", 'upstream="sample"', 'status="5xx"'), 1)
        self.note()

    def a_hold_that_is_renewed(self, key):
        slow = self.beside("GET", "/v1/slow", key, headers={"x-sample-head-delay-ms": "2500"})
        with RawConnection(self.tollgate.address) as stream:
            stream.send(f"GET /v1/billing/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
            self.wait_for("tollgate_event_streams")
            self.assertEqual(self.wait_for("tollgate_open_holds"), 1)
            self.assertEqual(self.value("tollgate_upstream_connections_active", 'upstream="sample"'), 1)
            self.note()
        self.wait_for("tollgate_hold_renewals", 'route="api"')
        slow.join()
        wait_until(lambda: not self.value("tollgate_open_holds"), "no open hold")
        self.assertEqual(self.value("tollgate_upstream_connections_active"), 0)

    def a_top_up_and_its_events(self):
        admin = self.tollgate.admin
        self.receiver.behave = answer("500 Internal Server Error")
        admin.put_org("buyer", plan="tiny")
        admin.expect_success("POST", "/orgs/buyer/webhooks", {"url": self.receiver.url("buyer")})
        key = admin.new_customer("buyer", plan="tiny", overage=False, stripe_customer="cus_paid",
                                 auto_top_up={"threshold_credits": 100, "amount_usd": 10})
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.wait_for("tollgate_top_ups", 'verdict="paid"')
        self.wait_for("tollgate_webhook_dead_letters")
        body = event("customer.created", {"id": "cus_1", "object": "customer"})
        reply = call(self.tollgate.address, "POST", "/payments/stripe", {"Stripe-Signature": signature(body)}, body)
        self.assertEqual(reply.status, 200, reply.body)
        self.wait_for("tollgate_payment_events")
        self.wait_for("tollgate_archive_entries")

    def a_sidecar_that_dies(self, key):
        """Its hold expires and is given back by the other one."""
        config = {**self.config, **{name: configuration("", "")[name] for name in ("listen", "admin")},
                  "archive": {"files": f"{self.directory}/other"}, "log": {"access": "off"}}
        other = self.start(Tollgate(self.directory, config, "other"))
        slow = threading.Thread(target=lambda: self.call_that_breaks(other, key))
        slow.start()
        wait_until(lambda: self.value("tollgate_open_holds", tollgate=other), "a hold")
        other.kill()
        slow.join()
        self.wait_for("tollgate_credits_expired_holds")

    @staticmethod
    def call_that_breaks(tollgate, key):
        try:
            tollgate.call("GET", "/v1/slow", key, headers={"x-sample-head-delay-ms": "20000"})
        except OSError:
            pass

    def reloads(self):
        self.tollgate.config_path.write_text("no configuration")
        self.tollgate.popen.send_signal(signal.SIGHUP)
        self.wait_for("tollgate_config_reload_failures")
        self.assertEqual(self.value("tollgate_config_last_reload_successful"), 0)
        self.tollgate.write_config(self.config)
        before = self.value("tollgate_upstream_connects", 'upstream="sample"')
        self.tollgate.popen.send_signal(signal.SIGHUP)
        self.wait_for("tollgate_config_last_reload_successful")
        self.assertGreaterEqual(self.value("tollgate_upstream_connects", 'upstream="sample"'), before)

    def a_store_that_dies(self, key):
        """With a settlement under way, whose outcome stays unknown. Calls are then refused, by their route."""
        slow = self.beside("GET", "/v1/slow", key, headers={"x-sample-head-delay-ms": "1000"})
        self.wait_for("tollgate_open_holds")
        self.redis.popen.send_signal(signal.SIGSTOP)
        self.wait_for("tollgate_pending_settlements")
        self.redis.kill()
        self.wait_for("tollgate_store_failures")
        slow.join()
        self.assertEqual(self.tollgate.call("GET", "/v1/x", "tg_unknown").status, 503)
        self.assertEqual(self.tollgate.chat("tg_unknown").status, 503)
        self.assertEqual(self.value("tollgate_refusals", 'code="ledger_unavailable"', 'route="api"'), 1)
        # Its body, which is not read for a caller that is not known, would decide between two routes.
        self.assertEqual(self.value("tollgate_refusals", 'code="ledger_unavailable"', 'route="chat-gpt-4"'), 1)
        self.note()
        self.start(Redis(self.directory, "kept", persistent=True))
        wait_until(lambda: not self.value("tollgate_pending_settlements"), "the settlement")

    def a_drain(self, key):
        slow = self.beside("GET", "/v1/slow", key, headers={"x-sample-head-delay-ms": "1500"})
        self.wait_for("tollgate_open_holds")
        self.tollgate.popen.send_signal(signal.SIGTERM)
        self.wait_for("tollgate_draining")
        self.note()
        slow.join()
        wait_until(lambda: not self.tollgate.running(), "Tollgate to end")
        lines = Path(f"{self.directory}/access.log").read_text().splitlines()
        self.assertGreater(len([json.loads(line) for line in lines]), 15)


class AnyBytes(MetricsTest):
    """Names, paths and agents of every kind of bytes, in everything that writes them."""

    NAMES = [b"caf\xe9", b"caf\xc3\xa9", b"\xff\xfe", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa9", b'"quoted"', b"a,b;c",
             b"=1+1", b"@x", b"-2", b"\\", b"{}", b"\xc2\x85next", b"\xe2\x80\xa8line", b"\xef\xbf\xbe", b"\x80" * 40,
             b"a\tb", b"'", b"%00", b"\xc0\x80"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate(log={"access": f"{cls.directory}/access.log"}, threads=2)

    def send(self, key, name, path=b"/v1/x"):
        with RawConnection(self.tollgate.address) as connection:
            connection.send(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key.encode() +
                            b"\r\nX-Agent-Id: " + name + b"\r\nX-Conversation-Id: " + name[::-1] +
                            b"\r\nX-Request-Id: " + name + b"\r\nConnection: close\r\n\r\n")
            return connection.read_reply().status

    def test_logs_csv_and_json_can_be_read(self):
        admin = self.tollgate.admin
        key = admin.new_customer("bytes", credits=1000)
        accepted = sum(self.send(key, name) == 200 for name in self.NAMES)
        self.assertGreater(accepted, len(self.NAMES) // 2)
        for name in self.NAMES:
            self.send(key, b"plain", b"/v1/" + name.replace(b" ", b"") + b"?" + name)
        self.settled_balance(self.tollgate, "bytes")
        wait_until(lambda: Path(f"{self.directory}/access.log").read_bytes().count(b"\n") >= accepted, "the log")
        self.tollgate.stop()
        raw = Path(f"{self.directory}/access.log").read_bytes()
        lines = [json.loads(line) for line in raw.decode("utf-8", errors="strict").split("\n")[:-1]]
        agents = {line["agent"] for line in lines if "agent" in line}
        self.assertIn("caf\ufffd", agents)
        self.assertIn("caf\u00e9", agents)
        for line in self.tollgate.log().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z [a-z]+ ")

        again = self.start(Tollgate(self.directory, json.loads(self.tollgate.config_path.read_text()), "again"))
        ledger = again.admin.ledger("bytes")
        named = {entry["agent"] for entry in ledger if entry.get("agent")}
        for what, count in (("ledger?limit=1000", len(ledger)), ("usage?group_by=agent,conversation", accepted)):
            reply = again.admin.request("GET", f"/orgs/bytes/{what}", headers={"Accept": "text/csv"})
            text = reply.body.decode("utf-8", errors="strict")
            rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
            self.assertGreaterEqual(len(rows), count if "ledger" in what else 1)
            self.assertTrue(all(None not in row and None not in row.values() for row in rows), what)
            if "ledger" in what:
                shown = {row["agent"] for row in rows if row["agent"]}
                self.assertEqual({re.sub("^'(?=[=+@-])", "", each) for each in shown}, named)
        done = again.command("ledger", "bytes", "--csv")
        list(csv.reader(io.StringIO(done.stdout, newline=""), strict=True))
