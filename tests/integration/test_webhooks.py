"""Account events, delivered as signed webhooks; the endpoints, by the admin API and from a shell."""
import json
import signal
import ssl
import subprocess
import time

from support.certificates import Authority
from support.process import Process, wait_until
from support.tollgate import BINARY
from support.webhook_stack import WebhookTest
from support.webhooks import WebhookReceiver, check_signatures, first_arrivals


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

    def test_a_suspension_is_told(self):
        self.new_endpoint(events=["account.suspended", "account.resumed"])
        for suspended in (True, True, False):
            self.admin.put_org(self.org, suspended=suspended)
        self.assertEqual([(each.event["type"], each.event["org"], each.event["data"])
                          for each in self.arrived(2)],
                         [("account.suspended", self.org, {}), ("account.resumed", self.org, {})])

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


class Addresses(WebhookTest):
    def test_by_default_only_https_to_public_addresses(self):
        strict = self.start_sidecar(allow_http=False, allow_private=False)
        self.addCleanup(strict.stop)
        self.new_org()
        for url, why in (("http://hooks.example/", "webhooks.allow_http"),
                         ("https://127.0.0.1/", "webhooks.allow_private"),
                         ("https://[::1]:8443/", "webhooks.allow_private"),
                         ("https://169.254.169.254/latest/", "webhooks.allow_private"),
                         ("https://user:password@hooks.example/", "must be https://"),
                         ("gopher://hooks.example/", "must be https://")):
            reply = strict.admin.request("POST", f"/orgs/{self.org}/webhooks", {"url": url})
            self.assertEqual((reply.status, reply.json()["error"]["param"]), (400, "url"), url)
            self.assertIn(why, reply.json()["error"]["message"])

    def test_a_name_is_connected_to_only_when_its_address_is_public(self):
        self.tollgate.kill()  # this one could deliver
        try:
            guarded = self.start_sidecar(allow_private=False)
            self.addCleanup(guarded.stop)
            guarded.admin.put_org(self.org, plan="starter")
            # Also in notations of an address that only a resolver understands.
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
        wait_until(lambda: "configuration reloaded" in sidecar.log(), "the reload")
        tried = self.post(endpoint, "test")
        self.assertIn("webhooks.allow_private", tried["error"])
        sidecar.write_config(config)
        sidecar.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: sidecar.log().count("configuration reloaded") == 2, "the reload")
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
                             ("POST", "/finish_rotation"), ("POST", "/retry"), ("POST", "/test"), ("GET", "/dead_letters"),
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
        for other in ({"url": self.receiver.url("b")}, {**body, "description": "another"},
                      {**body, "events": ["account.cycle_closed"]}):
            reply = self.admin.request("POST", path, other, key)
            self.assertEqual((reply.status, reply.error_code), (422, "idempotency_key_reused"), other)

    def test_one_that_is_made_disabled_is_told_once_it_is_enabled(self):
        endpoint = self.new_endpoint(disabled=True)
        self.assertTrue(self.show(endpoint)["disabled"])
        self.cause_events(2)
        self.assertEqual(self.show(endpoint)["pending"], 2)
        self.assertEqual(self.receiver.of(self.org), [])
        self.change(endpoint, disabled=False)
        self.arrived(2)

    def test_rotating_twice_under_one_key_makes_one_secret_and_no_secret_ends_early(self):
        endpoint = self.new_endpoint()
        path = f"/orgs/{self.org}/webhooks/{endpoint['id']}/rotate"

        def rotate(key):
            return self.admin.request("POST", path, headers={"Idempotency-Key": key})
        made = [rotate(key).json()["data"] for key in ("a", "a", "b", "c")]
        self.assertEqual(made[0], made[1])
        self.assertEqual(len({each["secret"] for each in made}), 3)
        refused = rotate("d")
        self.assertEqual((refused.status, refused.error_code), (409, "too_many_secrets"))
        shown = self.show(endpoint)["secrets"]
        self.assertEqual(len(shown), 4)
        self.assertIn(shown[-1]["valid_until"], refused.json()["error"]["message"])
        self.assertEqual(rotate("b").json()["data"]["secret"], made[2]["secret"])
        self.cause_events(1)
        check_signatures(self.arrived(1)[0], made[3]["secret"], made[2]["secret"], made[0]["secret"],
                         endpoint["secret"])

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
        made = self.json("create", "--event", "account.top_up_requested", "--event",
                         "account.top_up_failed", self.org, self.receiver.url(self.org),
                         "--description", "by hand")
        endpoint = made["id"]
        self.assertEqual(self.json("list", self.org)["webhooks"][0]["id"], endpoint)
        self.assertEqual(self.json("show", self.org, endpoint)["description"], "by hand")
        self.assertTrue(self.json("set", self.org, endpoint, "--disable")["disabled"])
        self.assertFalse(self.json("set", self.org, endpoint, "--enable")["disabled"])
        self.assertTrue(self.json("rotate", self.org, endpoint)["secret"].startswith("whsec_"))
        self.assertEqual(len(self.json("finish-rotation", self.org, endpoint)["secrets"]), 1)
        self.assertTrue(self.json("test", self.org, endpoint)["delivered"])
        self.assertEqual(self.json("retry", self.org, endpoint)["id"], endpoint)
        self.assertEqual(self.json("dead-letters", self.org, endpoint), [])
        done = self.tollgate.command("webhook", "resend", self.org, endpoint, "evt_1-0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no such dead letter", done.stderr)
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

    def registered(self):
        return self.admin.expect_success("GET", f"/orgs/{self.org}/webhooks")["webhooks"]

    def test_listen_forgets_its_endpoint_however_it_ends(self):
        # If this runs under nohup, its child processes would ignore the signal too.
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))
        self.new_org()
        command = [BINARY, "webhook", "listen", self.org, "--config", self.tollgate.config_path]
        hung_up = self.listen("listen-hup", *command[3:])
        self.addCleanup(hung_up.stop)
        wait_until(self.registered, "it to register")
        hung_up.popen.send_signal(signal.SIGHUP)
        self.assertEqual(hung_up.popen.wait(10), 0)
        self.assertEqual(self.registered(), [])

        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unread:
            wait_until(self.registered, "it to register")
            unread.stdout.close()  # as `| head` does
            self.cause_events(2)
            self.assertEqual(unread.wait(10), 1)  # its output cannot be written
        self.assertEqual(self.registered(), [])

    def test_listen_that_cannot_forget_says_what_to_run(self):
        self.new_org()
        listener = self.listen("listen-alone-in-the-end", self.org, "--config",
                               self.tollgate.config_path)
        self.addCleanup(lambda: listener.stop(any_status=True))
        endpoint = wait_until(self.registered, "it to register")[0]["id"]
        self.tollgate.kill()
        try:
            listener.popen.send_signal(signal.SIGINT)
            self.assertEqual(listener.popen.wait(10), 1)
            self.assertIn(f"tollgate webhook delete {self.org} {endpoint} --config ", listener.log())
        finally:
            type(self).tollgate = self.start_sidecar()
            type(self).admin = self.tollgate.admin

    def test_listen_refuses_what_is_not_signed_by_its_secret(self):
        listener = self.listen("listen-alone", "--secret", "whsec_" + "A" * 43 + "=")
        self.addCleanup(listener.stop)
        wait_until(lambda: "listening at" in listener.log(), "it to listen")
        self.new_org()
        url = listener.log().split("listening at ")[1].split()[0]
        made = self.admin.expect_success("POST", f"/orgs/{self.org}/webhooks", {"url": url})
        tried = self.post(made, "test")
        self.assertEqual((tried["delivered"], tried["status"]), (False, 400))
        wait_until(lambda: "refused: webhook-signature does not match this secret" in listener.log(), "a word")

    def test_listen_says_what_to_change(self):
        strict = self.start_sidecar(allow_private=False)
        self.addCleanup(strict.stop)
        self.new_org()
        done = subprocess.run([BINARY, "webhook", "listen", self.org, "--config", strict.config_path],
                              capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("allow_private: true", done.stderr)
        self.assertNotIn("listening", done.stderr)
        self.assertEqual(self.tollgate.command("webhook", "listen").returncode, 2)
        nobody = self.tollgate.command("webhook", "listen", "nobody")
        self.assertIn("no such organization", nobody.stderr)
        self.assertNotIn("listening", nobody.stderr)
