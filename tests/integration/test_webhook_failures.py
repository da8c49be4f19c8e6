"""Each event arrives at least once and in order, whatever the endpoint does and whichever process dies.

The short form of the chaos runs with all other tests. The long form:

    TOLLGATE_CHAOS_ROUNDS=100 python3 -B -m unittest -v test_webhook_failures.Chaos
"""
import json
import os
import random
import signal
import threading
import time
from datetime import timedelta

from support import webhooks
from support.http import BROKEN_OFF, call
from support.process import wait_until
from support.webhook_stack import ALLOWED, LEASE, TIMEOUT, WebhookTest, moment
from support.webhooks import WebhookReceiver, acknowledge, check_signatures, first_arrivals


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
        exact = timedelta(hours=1, milliseconds=1200)
        self.assertTrue(exact <= waits <= exact + timedelta(hours=0.1), waits)
        receiver.come_back()
        self.cause_events(1, first=3)  # does not overtake those that wait
        time.sleep(1)
        self.assertEqual(receiver.deliveries, [])
        self.post(endpoint, "retry")
        self.assertArrived(4, receiver=receiver, timeout=3)

    def test_a_slow_endpoint_is_given_up_on_and_tried_again(self):
        endpoint = self.new_endpoint()
        self.receiver.behave = lambda connection, delivery: (
            webhooks.late(TIMEOUT / 2) if len(self.receiver.of(self.org)) > 1 else webhooks.never)(
                connection, delivery)
        self.cause_events(2)
        shown = self.failed(endpoint)
        self.assertIn("timeout", shown["last_attempt"]["error"])
        got = self.assertArrived(2)
        self.assertGreaterEqual(len(got), 3)  # the first one was sent again, unchanged
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

    def test_a_status_line_may_end_with_its_number(self):
        endpoint = self.new_endpoint()
        for status, delivered in ((200, True), (204, True), (500, False), (410, False)):
            self.receiver.behave = webhooks.bare(status)
            tried = self.post(endpoint, "test")
            self.assertEqual((tried["status"], tried["delivered"], tried["error"]),
                             (status, delivered, tried["error"] if not delivered else None))
        self.cause_events(1)
        shown = wait_until(lambda: (now := self.show(endpoint))["disabled"] and now, "it to be disabled")
        self.assertEqual(shown["disabled_reason"], "it answered 410 Gone")
        # An answer in slices is still an answer; bytes that only resemble one are not.
        self.receiver.behave = webhooks.bare(200, pause=0.005)
        self.assertEqual(self.post(endpoint, "test")["status"], 200)
        for wrong in (b"HTTP/1.1 20\r\n\r\n", b"HTTP/1.1 2000\r\n\r\n", b"HTTP/1.1 200", b"HTTP/2.0 200\r\n\r\n"):
            self.receiver.behave = webhooks.raw(wrong)
            tried = self.post(endpoint, "test")
            self.assertEqual((tried["status"], "timeout" in tried["error"]), (None, False), tried)
        for behave, words in ((webhooks.closing, "end of stream"), (webhooks.resetting, "reset by peer"),
                              (webhooks.raw(b"HTTP"), "partial message")):
            self.receiver.behave = behave
            self.assertIn(words, self.post(endpoint, "test")["error"])

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


    def test_an_answer_of_1xx_says_that_another_one_follows(self):
        def hint_first(connection, delivery):
            connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
            acknowledge(connection, delivery)
        self.receiver.behave = hint_first
        self.new_endpoint()
        self.cause_events(2)
        self.assertEqual(len(self.assertArrived(2)), 2)


class ManyEndpoints(WebhookTest):
    settings = {"timeout": "2s", "retries": ["0s", "1h"], **ALLOWED}

    def test_one_organization_has_a_few_places_and_no_more(self):
        self.new_endpoint("quick")
        for _ in range(15):
            self.new_endpoint("slow")
        at_once, most, lock = [0], [0], threading.Lock()

        def count(connection, delivery):
            if delivery.path == "quick":
                return acknowledge(connection, delivery)
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.2)
            with lock:
                at_once[0] -= 1
            acknowledge(connection, delivery)
        self.receiver.behave = count
        self.cause_events(2)
        wait_until(lambda: len(self.receiver.of("slow")) == 30, "all of the slow")
        self.assertArrived(2, path="quick")
        self.assertEqual(most[0], 4)


class Changes(WebhookTest):
    """A failure delays the next attempt by an hour, unless a change is made."""
    settings = {"timeout": "1s", "retries": ["0s", "1h"], **ALLOWED}

    def test_what_is_changed_during_an_attempt_is_not_undone_by_its_answer(self):
        endpoint = self.new_endpoint("old")
        self.receiver.behave = lambda connection, delivery: (
            webhooks.never if delivery.path == "old" else acknowledge)(connection, delivery)
        self.cause_events(1)
        self.arrived(1, path="old")
        self.change(endpoint, url=self.receiver.url("new"))
        self.assertArrived(1, path="new", timeout=4)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "it to be written down")

    def test_a_late_410_does_not_disable_what_has_moved(self):
        endpoint = self.new_endpoint("left")
        moved = threading.Event()

        def gone_once_it_has_moved(connection, delivery):
            if delivery.path == "left":
                moved.wait(5)
                return connection.reply(b"", status="410 Gone")
            acknowledge(connection, delivery)
        self.receiver.behave = gone_once_it_has_moved
        self.cause_events(1)
        self.arrived(1, path="left")
        self.change(endpoint, url=self.receiver.url("there"))
        moved.set()
        self.assertArrived(1, path="there", timeout=4)
        self.assertFalse(self.show(endpoint)["disabled"])


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
        # The head was tried at its own times, none of which fell into the rest of the hour; the others followed it
        # directly, and not at times of their own.
        head = moment(got[0].event["created_at"]).timestamp()
        expected = sum(self.pauses[:5]) / 1200
        self.assertGreater(got[0].at - head, expected - 0.1)
        self.assertLess(got[0].at - head, expected + 4)
        self.assertLess(got[-1].at - got[0].at, 2)
        wait_until(lambda: self.show(endpoint)["pending"] == 0, "all to be written down")


class DeadLetters(WebhookTest):
    settings = {"timeout": "2s", "retries": ["0s", "300ms"], **ALLOWED}

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


class Sidecars(WebhookTest):
    """Several at once, some of which die."""

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

    def test_whoever_is_stopped_lets_the_others_go_on_at_once(self):
        self.receiver.behave = webhooks.late(0.3)
        self.new_endpoint()
        self.cause_events(6)
        self.arrived(1)
        other = self.start_sidecar()
        self.tollgate.popen.send_signal(signal.SIGTERM)
        try:
            got = self.assertArrived(6)
            self.assertEqual(self.tollgate.popen.wait(5), 0)
        finally:
            type(self).tollgate = other
            type(self).admin = other.admin
        self.assertEqual(len(got), 6)  # the current one was finished, and reported
        pauses = [after.at - before.at for before, after in zip(got, got[1:])]
        self.assertLess(max(pauses), LEASE / 2)

    def test_killed_between_the_200_and_writing_it_down(self):
        victim = self.start_sidecar()
        self.tollgate.stop()
        try:
            self.admin = victim.admin
            self.new_endpoint()

            def acknowledge_to_a_dying_one(connection, delivery):
                victim.popen.send_signal(signal.SIGSTOP)  # it never reads the answer
                connection.reply(b"")
                victim.kill()
                self.receiver.behave = acknowledge
            self.receiver.behave = acknowledge_to_a_dying_one
            try:
                self.cause_events(3)
            except BROKEN_OFF:
                pass  # it may have disappeared before it received all three
            wait_until(lambda: not victim.running(), "it to die")
        finally:
            del self.admin
            type(self).tollgate = self.start_sidecar()
            type(self).admin = self.tollgate.admin
        self.cause_events(3)  # the lost ones; the others are known
        got = self.assertArrived(3, timeout=LEASE + 5)
        self.assertEqual([each.id for each in got].count(got[0].id), 2)
        self.assertEqual(got[0].body, got[1].body)
        self.assertEqual(len(got), 4)


class Chaos(WebhookTest):
    """The endpoint and the sidecars die at any moment. In the end every event has arrived, first arrivals in order."""
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
        self.cause_events(5 * self.rounds)  # the lost ones; the others are known
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
        except (*BROKEN_OFF, ValueError, AssertionError):
            pass  # it was killed
