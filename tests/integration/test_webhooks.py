"""Account events, delivered as signed webhooks: each at least once, in order, whatever the endpoint does.

The short form of the chaos runs with all other tests. The long form:

    TOLLGATE_CHAOS_ROUNDS=100 python3 -B -m unittest -v test_webhooks.Chaos
"""
import json
import os
import random
import signal
import ssl
import subprocess
import threading
import time
from datetime import datetime, timedelta

from support import webhooks
from support.certificates import Authority
from support.http import call
from support.process import Process, wait_until
from support.stack import StackTest
from support.tollgate import BINARY, Tollgate, configuration
from support.webhooks import WebhookReceiver, acknowledge, check_signatures, first_arrivals

PLANS = {"starter": {"credits": 20, "overage_usd": 0.02, "top_up_minimum_usd": 10}}
ALLOWED = {"allow_http": True, "allow_private": True}
TIMEOUT = 0.5
LEASE = TIMEOUT + 5  # how long nobody delivers to an endpoint whose sidecar was killed


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class WebhookTest(StackTest):
    settings = {"timeout": "500ms", "retries": ["0s", "600ms", "600ms", "1h"], **ALLOWED}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receiver = cls.start(WebhookReceiver())
        cls.tollgate = cls.start_sidecar()
        cls.admin = cls.tollgate.admin

    @classmethod
    def start_sidecar(cls, **changes):
        return cls.start_tollgate(plans=PLANS, holds={"sweep_every": "200ms"},
                                  webhooks={**cls.settings, **changes})

    def setUp(self):
        self.org = self.id().split(".")[-1].replace("_", "-")[:60]
        self.receiver.behave = acknowledge

    def new_org(self):
        self.admin.put_org(self.org, plan="starter")

    def new_endpoint(self, path=None, receiver=None, **fields):
        """An organization with one endpoint: what the API says of it. Its path is the organization's."""
        self.new_org()
        receiver = receiver or self.receiver
        return self.admin.expect_success(
            "POST", f"/orgs/{self.org}/webhooks", {"url": receiver.url(path or self.org), **fields})

    def show(self, endpoint):
        return self.admin.expect_success("GET", f"/orgs/{self.org}/webhooks/{endpoint['id']}")

    def change(self, endpoint, **fields):
        return self.admin.expect_success("PUT", f"/orgs/{self.org}/webhooks/{endpoint['id']}", fields)

    def post(self, endpoint, what):
        return self.admin.expect_success("POST", f"/orgs/{self.org}/webhooks/{endpoint['id']}/{what}")

    def cause_events(self, count, first=0, admin=None):
        """Each top-up that is asked for is one event."""
        for number in range(first, first + count):
            (admin or self.admin).buy(self.org, 10, f"pack-{number}")

    def events(self, of_type="account."):
        """What has happened to the organization, by the stream of events: bodies by id, in order."""
        bodies, last = [], "0-0.0-0"
        while True:  # an answer has so many of them at most
            reply = self.admin.request("GET", f"/orgs/{self.org}/events?last_event_id={last}")
            blocks = [block for block in reply.body.decode().split("\n\n")
                      if "\nevent: account." in block]
            if not blocks:
                break
            bodies += [block.split("data: ", 1)[1] for block in blocks]
            last = blocks[-1].split("\n")[0].removeprefix("id: ")
        return {json.loads(body)["id"]: body for body in bodies
                if json.loads(body)["type"].startswith(of_type)}

    def arrived(self, count, path=None, receiver=None, timeout=15):
        """The deliveries to a path, once so many different events have come."""
        def enough():
            got = (receiver or self.receiver).of(path or self.org)
            return got if len(first_arrivals(got)) >= count else None
        return wait_until(enough, f"{count} events at {path or self.org}", timeout)

    def packs(self, deliveries):
        """The packs that they tell of, in the order of their first arrival."""
        told = {each.id: each.event["data"].get("top_up") for each in deliveries}
        return [told[each] for each in first_arrivals(deliveries)]

    def assertArrived(self, count, **more):
        got = self.arrived(count, **more)
        self.assertEqual(self.packs(got), [f"pack-{number}" for number in range(count)])
        return got


class Delivery(WebhookTest):
    def test_each_event_arrives_once_signed_and_in_order(self):
        endpoint = self.new_endpoint()
        self.cause_events(20)
        got = self.assertArrived(20)
        self.assertEqual(len(got), 20)
        told = self.events("account.top_up_requested")
        for each in got:
            check_signatures(each, endpoint["secret"])
            self.assertEqual(each.request.values("content-type"), ["application/json"])
            self.assertEqual(each.body.decode(), told[each.id])
        shown = self.show(endpoint)
        self.assertEqual((shown["pending"], shown["attempts"], shown["next_attempt_at"]), (0, 0, None))
        self.assertEqual((shown["last_attempt"]["status"], shown["last_attempt"]["error"]), (200, None))

    def test_a_call_that_crosses_a_threshold_is_told_at_once(self):
        self.new_endpoint(events=["account.usage_threshold"])
        self.admin.put_org(self.org, alerts=[50])
        key = self.admin.create_key(self.org)["key"]
        before = time.time()
        self.assertEqual(self.tollgate.chat(key).status, 200)
        [alert] = self.arrived(1)
        self.assertEqual(alert.event["data"]["threshold_percent"], 50)
        self.assertLess(alert.at - before, 2)

    def test_an_endpoint_begins_with_what_happens_next(self):
        self.new_org()
        self.cause_events(3)
        endpoint = self.new_endpoint()
        self.assertEqual(self.show(endpoint)["pending"], 0)
        self.cause_events(1, first=3)
        self.assertEqual(self.packs(self.arrived(1)), ["pack-3"])

    def test_an_endpoint_gets_what_it_asked_for(self):
        self.new_endpoint("all", events=["*"])
        self.new_endpoint("account", events=["account.*"])
        self.new_endpoint("failed", events=["account.top_up_failed"])
        self.cause_events(2)
        self.admin.expect_success("POST", f"/orgs/{self.org}/top_ups/pack-1", {"status": "declined"})
        everything = self.arrived(3, "all")
        self.assertEqual([each.event["type"] for each in everything],
                         ["account.top_up_requested"] * 2 + ["account.top_up_failed"])
        self.assertEqual(first_arrivals(self.arrived(3, "account")), first_arrivals(everything))
        [failed] = self.arrived(1, "failed")
        self.assertEqual(failed.event["data"]["top_up"], "pack-1")
        self.assertEqual(len(self.receiver.of("failed")), 1)

    def test_while_a_secret_is_rotated_both_sign(self):
        endpoint = self.new_endpoint()
        rotated = self.post(endpoint, "rotate")
        self.assertNotEqual(rotated["secret"], endpoint["secret"])
        self.assertIsNotNone(rotated["old_valid_until"])
        self.cause_events(1)
        check_signatures(self.arrived(1)[0], rotated["secret"], endpoint["secret"])
        shown = self.show(endpoint)
        self.assertEqual([each["valid_until"] for each in shown["secrets"]],
                         [None, rotated["old_valid_until"]])
        for secret in (endpoint["secret"], rotated["secret"]):
            self.assertNotIn(secret, json.dumps(shown))


class Tls(WebhookTest):
    @classmethod
    def start_sidecar(cls, **changes):
        cls.authority = Authority(cls.directory, "hooks")
        return super().start_sidecar(allow_http=False, ca_file=str(cls.authority.certificate))

    def test_only_who_can_prove_its_name_is_told(self):
        stranger = Authority(self.directory, "stranger")
        self.new_org()
        receivers, endpoints = {}, {}
        for name, by, names in (("known", self.authority, "IP:127.0.0.1"),
                                ("unknown", stranger, "IP:127.0.0.1"),
                                ("misnamed", self.authority, "DNS:other.example")):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*by.issue(name, names))
            receivers[name] = self.start(WebhookReceiver(tls=context))
            endpoints[name] = self.admin.expect_success(
                "POST", f"/orgs/{self.org}/webhooks", {"url": receivers[name].url(name, "https")})
        self.cause_events(1)
        [told] = self.arrived(1, "known", receivers["known"])
        check_signatures(told, endpoints["known"]["secret"])
        for name in ("unknown", "misnamed"):
            wait_until(lambda: self.show(endpoints[name])["attempts"] > 0, f"an attempt at {name}")
            self.assertEqual(receivers[name].deliveries, [])


class BadEndpoints(WebhookTest):
    def failed(self, endpoint):
        """The endpoint, once an attempt at it has failed."""
        def shown():
            now = self.show(endpoint)
            return now if now["last_attempt"] and now["last_attempt"]["error"] else None
        return wait_until(shown, "an attempt to fail")

    def test_an_endpoint_that_was_down_gets_everything_in_order(self):
        receiver = self.start(WebhookReceiver())
        endpoint = self.new_endpoint(receiver=receiver)
        receiver.go_down()
        self.cause_events(5)
        shown = self.failed(endpoint)
        self.assertIsNone(shown["last_attempt"]["status"])
        self.assertIn("refused", shown["last_attempt"]["error"])
        self.assertEqual(shown["pending"], 5)
        receiver.come_back()
        self.assertArrived(5, receiver=receiver)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "nothing to wait")

    def test_after_a_long_time_the_next_attempt_is_far_and_retry_does_not_wait_for_it(self):
        receiver = self.start(WebhookReceiver())
        endpoint = self.new_endpoint(receiver=receiver)
        receiver.go_down()
        self.cause_events(3)
        shown = wait_until(lambda: (now := self.show(endpoint))["attempts"] == 3 and now,
                           "three attempts")
        head = json.loads(next(iter(self.events("account.top_up_requested").values())))
        waits = moment(shown["next_attempt_at"]) - moment(head["created_at"])
        self.assertEqual(waits, timedelta(hours=1, milliseconds=1200))
        receiver.come_back()
        self.cause_events(1, first=3)  # does not overtake those that wait
        time.sleep(1)
        self.assertEqual(receiver.deliveries, [])
        self.post(endpoint, "retry")
        self.assertArrived(4, receiver=receiver, timeout=3)

    def test_a_slow_endpoint_is_given_up_on_and_tried_again(self):
        endpoint = self.new_endpoint()
        self.receiver.behave = webhooks.never
        self.cause_events(2)
        shown = self.failed(endpoint)
        self.assertIn("timeout", shown["last_attempt"]["error"])
        self.receiver.behave = webhooks.late(TIMEOUT / 2)
        got = self.assertArrived(2)
        self.assertGreaterEqual(len(got), 3)  # the first came again, as it was
        self.assertEqual(got[0].body, got[1].body)
        self.assertEqual(got[0].id, got[1].id)

    def test_a_slow_endpoint_does_not_hold_up_the_others(self):
        self.new_endpoint("slow")
        self.new_endpoint("quick")
        self.receiver.behave = lambda connection, delivery: (
            webhooks.never if delivery.path == "slow" else acknowledge)(connection, delivery)
        self.cause_events(10)
        self.assertArrived(10, path="quick", timeout=5)
        self.assertEqual(self.packs(self.receiver.of("slow")), ["pack-0"])

    def test_redirects_are_not_followed(self):
        target = self.start(WebhookReceiver())
        endpoint = self.new_endpoint()
        for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
            self.receiver.behave = webhooks.answer(status, f"Location: {target.url('elsewhere')}\r\n")
            before = len(self.receiver.of(self.org))
            if before == 0:
                self.cause_events(1)
            else:
                self.post(endpoint, "retry")
            wait_until(lambda: len(self.receiver.of(self.org)) > before, f"an attempt for {status}")
            wait_until(lambda: self.show(endpoint)["last_attempt"]["status"] == int(status[:3]), status)
        self.assertEqual(target.deliveries, [])

    def test_410_disables_and_nothing_is_lost(self):
        endpoint = self.new_endpoint()
        self.receiver.behave = webhooks.answer("410 Gone")
        self.cause_events(1)
        shown = wait_until(lambda: (now := self.show(endpoint))["disabled"] and now, "it to be disabled")
        self.assertEqual(shown["disabled_reason"], "it answered 410 Gone")
        self.cause_events(2, first=1)
        self.post(endpoint, "retry")
        self.assertEqual(len(self.receiver.of(self.org)), 1)
        self.receiver.behave = acknowledge
        self.change(endpoint, disabled=False)
        self.assertArrived(3)

    def test_an_endpoint_that_dies_after_its_200_has_got_it(self):
        endpoint = self.new_endpoint()
        self.receiver.behave = webhooks.dying_after_200
        self.cause_events(3)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "all to be written down")
        self.assertEqual(len(self.assertArrived(3)), 3)

    def test_every_kind_of_bad_answer_is_tried_again(self):
        endpoint = self.new_endpoint()
        bad = [webhooks.closing, webhooks.resetting, webhooks.answer("500 Internal Server Error"),
               webhooks.answer("404 Not Found"), webhooks.answer("200 nonsense", "\x00: bad\r\n")]
        for number, behave in enumerate(bad):
            self.receiver.behave = behave
            self.cause_events(1, first=number)
            self.failed(endpoint)
            self.receiver.behave = acknowledge
            self.post(endpoint, "retry")
            self.assertArrived(number + 1)
            wait_until(lambda: self.show(endpoint)["pending"] == 0, "it to be delivered")

    def test_no_more_than_the_head_of_an_answer_is_read(self):
        self.receiver.behave = webhooks.answer("200 OK", body=b"x" * 2_000_000)
        self.new_endpoint()
        self.cause_events(2)
        self.assertEqual(len(self.assertArrived(2)), 2)


class AsShipped(WebhookTest):
    settings = ALLOWED

    def test_the_second_attempt_comes_after_five_seconds(self):
        self.receiver.behave = webhooks.answer("503 Service Unavailable")
        endpoint = self.new_endpoint()
        self.cause_events(1)
        wait_until(lambda: self.show(endpoint)["attempts"] == 1, "the first attempt to be written down")
        self.receiver.behave = acknowledge
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "the second")
        first, second = self.receiver.of(self.org)
        created = moment(first.event["created_at"]).timestamp()
        self.assertLess(first.at - created, 1)
        self.assertGreater(second.at - created, 4.9)
        self.assertLess(second.at - created, 7)


class AnHour(WebhookTest):
    """The shipped pauses, 1,200 times as fast: an hour is three seconds."""
    pauses = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)  # seconds
    settings = {"timeout": "500ms", "retries": [f"{p * 1000 // 1200}ms" for p in pauses], **ALLOWED}

    def test_down_for_an_hour(self):
        receiver = self.start(WebhookReceiver())
        endpoint = self.new_endpoint(receiver=receiver)
        receiver.go_down()
        for number in range(6):
            self.cause_events(1, first=number)
            time.sleep(0.5)
        receiver.come_back()
        got = self.assertArrived(6, receiver=receiver)
        # The head was tried at its own times, none of which fell into the rest of the hour; the others
        # came right behind it, and not at times of their own.
        head = moment(got[0].event["created_at"]).timestamp()
        expected = sum(self.pauses[:5]) / 1200
        self.assertGreater(got[0].at - head, expected - 0.1)
        self.assertLess(got[0].at - head, expected + 4)
        self.assertLess(got[-1].at - got[0].at, 2)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "all to be written down")


class DeadLetters(WebhookTest):
    settings = {"timeout": "500ms", "retries": ["0s", "300ms"], **ALLOWED}

    def letters(self, endpoint, query=""):
        path = f"/orgs/{self.org}/webhooks/{endpoint['id']}/dead_letters{query}"
        return self.admin.expect_success("GET", path)

    def test_are_listed_and_sent_again(self):
        endpoint = self.new_endpoint()
        refuse = {"pack-0", "pack-2"}
        self.receiver.behave = lambda connection, delivery: (
            webhooks.answer("503 Busy") if delivery.event["data"]["top_up"] in refuse else acknowledge)(
                connection, delivery)
        self.cause_events(4)
        self.arrived(4)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "the queue to go on")
        listed = self.letters(endpoint)
        self.assertEqual([each["event"]["data"]["top_up"] for each in listed["dead_letters"]],
                         ["pack-0", "pack-2"])
        first, second = listed["dead_letters"]
        self.assertEqual((first["status"], first["error"], first["attempts"]),
                         (503, "it answered 503", 2))
        self.assertEqual(first["id"], first["event"]["id"])
        page = self.letters(endpoint, "?limit=1")
        self.assertEqual((len(page["dead_letters"]), page["has_more"]), (1, True))
        rest = self.letters(endpoint, f"?limit=1&after={page['next_after']}")
        self.assertEqual((rest["dead_letters"], rest["has_more"]), ([second], False))

        again = self.post(endpoint, f"dead_letters/{first['id']}/resend")
        self.assertEqual((again["delivered"], again["status"]), (False, 503))
        self.assertEqual(len(self.letters(endpoint)["dead_letters"]), 2)
        refuse.clear()
        again = self.post(endpoint, f"dead_letters/{first['id']}/resend")
        self.assertEqual(again, {"event": first["id"], "delivered": True, "status": 200, "error": None})
        self.assertEqual(self.letters(endpoint)["dead_letters"], [second])
        bodies = {each.body for each in self.receiver.of(self.org) if each.id == first["id"]}
        self.assertEqual(len(bodies), 1)
        check_signatures(self.receiver.of(self.org)[-1], endpoint["secret"])

        path = f"/orgs/{self.org}/webhooks/{endpoint['id']}/dead_letters"
        for wrong in (first["id"], "evt_1-0", "nonsense"):
            reply = self.admin.request("POST", f"{path}/{wrong}/resend")
            self.assertEqual((reply.status, reply.error_code), (404, "dead_letter_not_found"))
        metrics = call(self.admin.address, "GET", "/metrics").body.decode()
        self.assertIn("\ntollgate_webhook_dead_letters_total 2", metrics)
        self.assertIn('\ntollgate_webhook_deliveries_total{verdict="delivered"} 3', metrics)
        failed = first["attempts"] + second["attempts"] + 1
        self.assertIn(f'\ntollgate_webhook_deliveries_total{{verdict="failed"}} {failed}', metrics)


class Addresses(WebhookTest):
    def test_by_default_only_https_to_public_addresses(self):
        strict = self.start_sidecar(allow_http=False, allow_private=False)
        self.addCleanup(strict.stop)
        self.new_org()
        for url, why in (("http://hooks.example/", "webhooks.allow_http"),
                         ("https://127.0.0.1/", "webhooks.allow_private"),
                         ("https://[::1]:8443/", "webhooks.allow_private"),
                         ("https://169.254.169.254/latest/", "webhooks.allow_private"),
                         ("https://user:password@hooks.example/", "https:// URL"),
                         ("gopher://hooks.example/", "https:// URL")):
            reply = strict.admin.request("POST", f"/orgs/{self.org}/webhooks", {"url": url})
            self.assertEqual((reply.status, reply.json()["error"]["param"]), (400, "url"), url)
            self.assertIn(why, reply.json()["error"]["message"])

    def test_a_name_is_connected_to_only_when_its_address_is_public(self):
        self.tollgate.kill()  # this one would deliver
        try:
            guarded = self.start_sidecar(allow_private=False)
            self.addCleanup(guarded.stop)
            guarded.admin.put_org(self.org, plan="starter")
            # Also in the ways of writing an address that only a resolver understands.
            for host in ("localhost", "2130706433", "0x7f.1"):
                made = guarded.admin.expect_success(
                    "POST", f"/orgs/{self.org}/webhooks", {"url": self.receiver.url(self.org, host=host)})
                tried = guarded.admin.expect_success(
                    "POST", f"/orgs/{self.org}/webhooks/{made['id']}/test")
                self.assertEqual((tried["delivered"], tried["status"], tried["error"]),
                                 (False, None, "the host has no public address"), host)
            self.cause_events(1, admin=guarded.admin)

            def all_tried():
                known = guarded.admin.expect_success("GET", f"/orgs/{self.org}/webhooks")["webhooks"]
                return all(each["attempts"] > 0 for each in known)
            wait_until(all_tried, "every endpoint to be tried")
            self.assertEqual(self.receiver.of(self.org), [])
        finally:
            type(self).tollgate = self.start_sidecar()
            type(self).admin = self.tollgate.admin

    def test_what_a_reload_forbids_is_not_called_any_more(self):
        sidecar = self.tollgate
        endpoint = self.new_endpoint()
        config = json.loads(sidecar.config_path.read_text())
        sidecar.write_config({**config, "webhooks": {**config["webhooks"], "allow_private": False}})
        sidecar.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "is in force" in sidecar.log(), "the reload")
        tried = self.post(endpoint, "test")
        self.assertIn("webhooks.allow_private", tried["error"])
        sidecar.write_config(config)
        sidecar.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: sidecar.log().count("is in force") == 2, "the reload")
        self.assertTrue(self.post(endpoint, "test")["delivered"])


class Api(WebhookTest):
    def test_the_life_of_an_endpoint(self):
        made = self.new_endpoint(events=["account.*"], description="the first")
        self.assertTrue(made["id"].startswith("we_"))
        self.assertTrue(made["secret"].startswith("whsec_"))
        shown = self.show(made)
        self.assertEqual(
            {name: shown[name] for name in ("url", "events", "description", "disabled",
                                            "disabled_reason", "last_attempt", "pending")},
            {"url": self.receiver.url(self.org), "events": ["account.*"], "description": "the first",
             "disabled": False, "disabled_reason": None, "last_attempt": None, "pending": 0})
        self.assertNotIn("whsec_", json.dumps(shown))
        changed = self.change(made, events=["account.cycle_closed"], disabled=True)
        self.assertEqual((changed["events"], changed["disabled"], changed["description"]),
                         (["account.cycle_closed"], True, "the first"))
        listed = self.admin.expect_success("GET", f"/orgs/{self.org}/webhooks")["webhooks"]
        self.assertEqual(listed, [changed])
        path = f"/orgs/{self.org}/webhooks/{made['id']}"
        self.admin.expect_success("DELETE", path)
        for method, rest in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/rotate"),
                             ("POST", "/retry"), ("POST", "/test"), ("GET", "/dead_letters"),
                             ("POST", "/dead_letters/evt_1-0/resend")):
            reply = self.admin.request(method, path + rest)
            self.assertEqual((reply.status, reply.error_code), (404, "webhook_not_found"), path + rest)

    def test_what_is_wrong_is_said(self):
        self.new_org()
        for body, param in (({}, "url"), ({"url": 1}, "url"), ({"url": "nonsense"}, "url"),
                            ({"url": self.receiver.url("a"), "events": []}, "events"),
                            ({"url": self.receiver.url("a"), "events": ["account.usage"]}, "events"),
                            ({"url": self.receiver.url("a"), "events": "*"}, "events"),
                            ({"url": self.receiver.url("a"), "description": 1}, "description"),
                            ({"url": self.receiver.url("a"), "secret": "mine"}, "secret")):
            reply = self.admin.request("POST", f"/orgs/{self.org}/webhooks", body)
            self.assertEqual((reply.status, reply.json()["error"]["param"]), (400, param), body)
        reply = self.admin.request("POST", f"/orgs/{self.org}/webhooks",
                                   {"url": self.receiver.url("a"), "events": ["account.usage_treshold"]})
        self.assertIn("account.usage_threshold", reply.json()["error"]["message"])

    def test_creating_twice_under_one_key_makes_one(self):
        self.new_org()
        body, key = {"url": self.receiver.url("a")}, {"Idempotency-Key": "endpoint-1"}
        path = f"/orgs/{self.org}/webhooks"
        first, second = (self.admin.expect_success("POST", path, body, key) for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(len(self.admin.expect_success("GET", path)["webhooks"]), 1)
        reply = self.admin.request("POST", path, {"url": self.receiver.url("b")}, key)
        self.assertEqual((reply.status, reply.error_code), (422, "idempotency_key_reused"))

    def test_there_are_at_most_16(self):
        for _ in range(16):
            self.new_endpoint()
        reply = self.admin.request("POST", f"/orgs/{self.org}/webhooks", {"url": self.receiver.url("a")})
        self.assertEqual(reply.status, 400)
        self.assertIn("16", reply.json()["error"]["message"])

    def test_a_sample_is_sent_when_asked_for(self):
        endpoint = self.new_endpoint(events=["account.cycle_closed"])
        tried = self.post(endpoint, "test")
        self.assertEqual((tried["delivered"], tried["status"]), (True, 200))
        [sample] = self.receiver.of(self.org)
        self.assertEqual((sample.event["type"], sample.event["org"], sample.id),
                         ("webhook.test", self.org, tried["event"]))
        check_signatures(sample, endpoint["secret"])


class CommandLine(WebhookTest):
    def json(self, *arguments):
        done = self.tollgate.command("webhook", *arguments, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_command(self):
        self.new_org()
        made = self.json("create", self.org, self.receiver.url(self.org), "--event",
                         "account.top_up_requested", "--description", "by hand")
        endpoint = made["id"]
        self.assertEqual(self.json("list", self.org)["webhooks"][0]["id"], endpoint)
        self.assertEqual(self.json("show", self.org, endpoint)["description"], "by hand")
        self.assertTrue(self.json("set", self.org, endpoint, "--disable")["disabled"])
        self.assertFalse(self.json("set", self.org, endpoint, "--enable")["disabled"])
        self.assertTrue(self.json("rotate", self.org, endpoint)["secret"].startswith("whsec_"))
        self.assertTrue(self.json("test", self.org, endpoint)["delivered"])
        self.assertEqual(self.json("retry", self.org, endpoint)["id"], endpoint)
        self.assertEqual(self.json("dead-letters", self.org, endpoint), [])
        done = self.tollgate.command("webhook", "resend", self.org, endpoint, "evt_1-0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no dead letter", done.stderr)
        for command in ("list", "show"):
            text = self.tollgate.command("webhook", command, self.org,
                                         *([endpoint] if command == "show" else []))
            self.assertIn(self.receiver.url(self.org), text.stdout)
        self.json("delete", self.org, endpoint)
        self.assertEqual(self.json("list", self.org)["webhooks"], [])

    def listen(self, name, *arguments):
        return Process(name, [BINARY, "webhook", "listen", *arguments], self.directory)

    def test_listen_shows_events_with_one_command(self):
        self.new_org()
        listener = self.listen("listen", self.org, "--config", self.tollgate.config_path)
        self.addCleanup(listener.stop)
        path = f"/orgs/{self.org}/webhooks"
        wait_until(lambda: self.admin.expect_success("GET", path)["webhooks"], "it to register")
        self.cause_events(2)
        wait_until(lambda: listener.log().count("account.top_up_requested") == 2, "both events")
        self.assertIn('"top_up":"pack-1"', listener.log())
        listener.popen.send_signal(signal.SIGINT)
        self.assertEqual(listener.popen.wait(10), 0)
        self.assertEqual(self.admin.expect_success("GET", path)["webhooks"], [])

    def test_listen_refuses_what_is_not_signed_by_its_secret(self):
        listener = self.listen("listen-alone", "--secret", "whsec_" + "A" * 43 + "=")
        self.addCleanup(listener.stop)
        wait_until(lambda: "listening at" in listener.log(), "it to listen")
        self.new_org()
        url = listener.log().split("listening at ")[1].split()[0]
        made = self.admin.expect_success("POST", f"/orgs/{self.org}/webhooks", {"url": url})
        tried = self.post(made, "test")
        self.assertEqual((tried["delivered"], tried["status"]), (False, 400))
        wait_until(lambda: "refused: webhook-signature is not of this secret" in listener.log(), "a word")

    def test_listen_says_what_to_change(self):
        strict = self.start_sidecar(allow_private=False)
        self.addCleanup(strict.stop)
        self.new_org()
        done = subprocess.run([BINARY, "webhook", "listen", self.org, "--config", strict.config_path],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("allow_private: true", done.stderr)
        self.assertEqual(self.tollgate.command("webhook", "listen").returncode, 2)


class Sidecars(WebhookTest):
    """Several at once, and some that die."""

    def test_two_deliver_in_order_and_lose_nothing(self):
        other = self.start_sidecar()
        endpoint = self.new_endpoint()
        turns = [threading.Thread(target=self.cause_events, args=(40, 40 * i, each.admin))
                 for i, each in enumerate((self.tollgate, other))]
        for each in turns:
            each.start()
        for each in turns:
            each.join()
        got = self.arrived(80)
        self.assertEqual(first_arrivals(got), list(self.events("account.top_up_requested")))
        self.assertEqual(len(got), 80)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "all to be written down")

    def test_killed_between_the_200_and_writing_it_down(self):
        victim = self.start_sidecar()
        self.tollgate.stop()
        try:
            self.admin = victim.admin
            self.new_endpoint()

            def acknowledge_to_a_dying_one(connection, delivery):
                victim.popen.send_signal(signal.SIGSTOP)  # it will never read the answer
                connection.reply(b"")
                victim.kill()
                self.receiver.behave = acknowledge
            self.receiver.behave = acknowledge_to_a_dying_one
            try:
                self.cause_events(3)
            except OSError:
                pass  # it may be gone before it has heard of all three
            wait_until(lambda: not victim.running(), "it to die")
        finally:
            del self.admin
            type(self).tollgate = self.start_sidecar()
            type(self).admin = self.tollgate.admin
        self.cause_events(3)  # those that got lost; the others are known
        got = self.assertArrived(3, timeout=LEASE + 5)
        self.assertEqual([each.id for each in got].count(got[0].id), 2)
        self.assertEqual(got[0].body, got[1].body)
        self.assertEqual(len(got), 4)


class Chaos(WebhookTest):
    """The endpoint and the sidecars die at any moment. In the end every event has arrived, for the first
    time in its order."""
    settings = {"timeout": "500ms", "retries": ["0s"] + ["300ms"] * 31, **ALLOWED}
    rounds = int(os.environ.get("TOLLGATE_CHAOS_ROUNDS") or 6)
    bad_answers = [webhooks.never, webhooks.closing, webhooks.resetting, webhooks.dying_after_200,
                   webhooks.late(0.2), webhooks.answer("500 Internal Server Error"),
                   webhooks.answer("302 Found", "Location: /elsewhere\r\n")]

    def test_every_event_arrives_and_in_order(self):
        seed = int(os.environ.get("TOLLGATE_SEED") or random.SystemRandom().randrange(2**32))
        print(f"TOLLGATE_SEED={seed} rounds={self.rounds}", end=" ", flush=True)
        self.chance = random.Random(seed)
        self.sidecars = [self.tollgate, self.start_sidecar()]
        endpoint = self.new_endpoint()
        self.receiver.behave = self.misbehave
        for number in range(self.rounds):
            self.round(number)
        self.receiver.behave = acknowledge
        self.cause_events(5 * self.rounds)  # those that got lost on the way; the others are known
        caused = list(self.events("account.top_up_requested"))
        self.assertEqual(len(caused), 5 * self.rounds)
        got = self.arrived(len(caused), timeout=60)
        self.assertEqual(first_arrivals(got), caused)
        for each in got:
            check_signatures(each, endpoint["secret"])
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "nothing to wait", LEASE + 5)

    def misbehave(self, connection, delivery):
        bad = self.chance.random() < 0.3
        (self.chance.choice(self.bad_answers) if bad else acknowledge)(connection, delivery)

    def round(self, number):
        victims = self.chance.choice(([], [0], [1], [0, 1]))
        causing = [threading.Thread(target=self.cause, args=(each.admin, 5 * number))
                   for each in self.sidecars]
        for each in causing:
            each.start()
        time.sleep(self.chance.choice((0, 0.01, 0.05, 0.2, 0.6)))
        if down := self.chance.random() < 0.4:
            self.receiver.go_down()
        for victim in victims:
            self.sidecars[victim].kill()
        for each in causing:
            each.join()
        for victim in victims:
            self.sidecars[victim] = self.start_sidecar()
        self.admin = self.sidecars[0].admin
        if down:
            self.receiver.come_back()

    def cause(self, admin, first):
        try:
            self.cause_events(5, first, admin)
        except (OSError, ValueError, AssertionError):
            pass  # it was killed
