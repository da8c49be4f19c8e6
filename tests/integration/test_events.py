"""The events of an account as they happen: alerts, exhausted credits, usage and balance."""
import asyncio
import re
import signal
import ssl
import time
from decimal import Decimal
from pathlib import Path

from support.certificates import Authority
from support.events import EventStream
from support.http import RawConnection, call
from support.load import all_at_once
from support.process import wait_until
from support.stack import StackTest
from support.tollgate import ADMIN_TOKEN, RATES, ROUTES, route

PLANS = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10}}
MOST_OF_AN_ORG = 32


def used(events):
    """Credits and calls of all `usage` events."""
    usage = [data["data"] for _, kind, data in events if kind == "usage"]
    return sum(each["credits"] for each in usage), sum(each["calls"] for each in usage)


def settled_of(data):
    return data["data"].get("settled")


class EventTest(StackTest):
    changes = {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate(
            plans=PLANS, rates={**RATES, "half": {"credits": 10000, "per": "request"}}, threads=1,
            routes=[route("half", "half", {"path": "/v1/half"}), *ROUTES], **cls.changes)
        cls.admin = cls.tollgate.admin

    def stream(self, org, last=None, tollgate=None, **more):
        """The admin's stream."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **({"Last-Event-ID": last} if last else {})}
        return self.opened(EventStream((tollgate or self.tollgate).admin.address,
                                       f"/admin/v1/orgs/{org}/events", headers, **more))

    def customers(self, key, last=None, tollgate=None, **more):
        """The customer's stream."""
        headers = {"Authorization": f"Bearer {key}", **({"Last-Event-ID": last} if last else {})}
        return self.opened(EventStream((tollgate or self.tollgate).address, "/v1/billing/events", headers,
                                       **more))

    def opened(self, stream):
        self.addCleanup(stream.close)
        return stream

    def customer(self, org, **fields):
        self.admin.put_org(org, plan="starter", **fields)
        return self.admin.create_key(org)["key"]

    def metric(self, name, tollgate=None):
        page = call((tollgate or self.tollgate).admin.address, "GET", "/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)", page, re.M).group(1))


class Events(EventTest):
    def test_alerts_fire_once_at_the_crossing_and_a_stream_resumes(self):
        key = self.customer("e-1", alerts=[50, 80, {"credits": 15000}])
        stream = self.stream("e-1")
        self.assertEqual(stream.status, 200)
        self.assertTrue(stream.headers["content-type"].startswith("text/event-stream"))
        self.assertEqual((stream.headers["cache-control"], stream.headers["x-accel-buffering"]),
                         ("no-store", "no"))
        start, kind, balance = stream.next()
        self.assertEqual((kind, balance["type"], balance["org"], balance["data"]["available"]),
                         ("balance", "balance", "e-1", 20000))

        self.assertEqual(self.tollgate.call("GET", "/v1/half", key).status, 200)
        first = stream.until(lambda _id, kind, data: settled_of(data) == 10000)
        (alert,) = [data for _, kind, data in first if kind.startswith("account.")]
        self.assertEqual((alert["type"], alert["org"], alert["data"]),
                         ("account.usage_threshold", "e-1",
                          {"threshold_percent": 50, "used_credits": 10000, "of_credits": 20000}))
        self.assertEqual(used(first), (10000, 1))
        self.assertEqual((first[-1][1], first[-1][2]["data"]["available"]), ("balance", 10000))
        kinds = [kind for _, kind, _ in first]
        self.assertLess(kinds.index("account.usage_threshold"), kinds.index("usage"))

        # From an earlier place the same events, in one piece; from the end the current state.
        again = self.stream("e-1", last=start)
        self.assertEqual([event for event in again.until(lambda *_: settled_of(_[2]) == 10000)
                          if event[1].startswith("account.")],
                         [event for event in first if event[1].startswith("account.")])
        rest = self.stream("e-1", last=first[-1][0])
        place, kind, balance = rest.next()
        self.assertEqual((place, kind, balance["data"]), (first[-1][0], "balance", first[-1][2]["data"]))
        with self.assertRaises(TimeoutError):
            rest.next(timeout=1)
        # From the id in an event's envelope: the events after it.
        behind = self.stream("e-1", last=alert["id"])
        self.assertEqual([kind for _, kind, _ in behind.until(lambda _id, kind, data: kind == "balance")],
                         ["usage", "balance"])

        self.assertEqual(self.tollgate.call("GET", "/v1/half", key).status, 200)
        second = rest.until(lambda _id, kind, data: settled_of(data) == 20000)
        told = [(kind, data.get("data", {}).get("threshold_percent"), data.get("data", {}).get("credits"))
                for _, kind, data in second if kind.startswith("account.")]
        self.assertEqual(told, [("account.usage_threshold", 80, None), ("account.usage_threshold", None, 15000),
                                ("account.balance_exhausted", None, None)])
        # All three streams have sent the same, at the same time.
        for other in (stream, again):
            events = other.until(lambda _id, kind, data: settled_of(data) == 20000)
            self.assertEqual([each for each in events if each[1].startswith("account.")],
                             [each for each in second if each[1].startswith("account.")])

    def test_every_call_arrives_on_the_open_stream_within_a_second(self):
        key = self.customer("e-2")
        streams = [self.stream("e-2"), self.customers(key)]
        for number in range(1, 11):
            self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
            ended = time.monotonic()
            for stream in streams:
                events = stream.until(lambda _id, kind, data: kind == "usage")
                self.assertEqual(used(events), (Decimal("0.1"), 1))
            self.assertLess(time.monotonic() - ended, 1)

    def test_a_client_that_was_away_gets_everything_in_order(self):
        key = self.customer("e-3")
        with self.customers(key) as stream:
            start = stream.next()[0]
        for number in range(250):  # more events and more entries than one read of the store returns
            self.admin.put_org("e-3", spend_cap_usd=1 + number)
            self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        settled = self.settled_balance(self.tollgate, "e-3")["settled"]
        for stream in (self.customers(key, last=start), self.stream("e-3", last=start)):
            events = stream.until(lambda _id, kind, data: settled_of(data) == settled, timeout=20)
            self.assertEqual(used(events), (settled, 250))
            told = [data["id"] for _, kind, data in events if kind == "account.billing_updated"]
            self.assertEqual((len(told), len(set(told))), (250, 250))
            self.assertGreater(sum(kind == "usage" for _, kind, _ in events), 1)
            reached = ""  # later events must not have earlier times
            for _, kind, data in events[:-1]:
                self.assertGreaterEqual(data.get("created_at", reached), reached)
                reached = data["created_at"] if kind == "usage" else reached
            self.assertEqual(events[-1][1], "balance")
        # From any place, exactly the remaining events follow.
        place = events[len(events) // 2]
        rest = self.stream("e-3", last=place[0]).until(
            lambda _id, kind, data: settled_of(data) == settled, timeout=20)
        before = events[:events.index(place) + 1]
        self.assertEqual(tuple(map(sum, zip(used(before), used(rest)))), (settled, 250))

    def test_many_calls_at_once_become_one_event(self):
        key = self.customer("e-4")
        stream = self.stream("e-4")
        call_one = (self.tollgate.address, "GET", "/v1/agents/a1/x", {"Authorization": f"Bearer {key}"})
        replies = asyncio.run(all_at_once([call_one] * 300))
        self.assertEqual({reply.status for reply in replies}, {200})
        events = stream.until(lambda _id, kind, data: settled_of(data) == 30 and data["data"]["held"] == 0)
        self.assertEqual(used(events), (30, 300))
        self.assertLess(sum(kind == "usage" for _, kind, _ in events), 20)

    def test_a_customer_sees_its_own_by_its_key(self):
        keys = {org: self.customer(org, alerts=[10]) for org in ("e-5", "e-6")}
        theirs = self.stream("e-5")
        own = self.customers(keys["e-6"])
        own.next()
        self.assertEqual(self.tollgate.call("GET", "/v1/half", keys["e-5"]).status, 200)
        seen = theirs.until(lambda _id, kind, data: settled_of(data) == 10000)
        # Nor a place in the other organization's history.
        other = self.customers(keys["e-6"], last=seen[-1][0])
        self.assertEqual(settled_of(other.next()[2]), 0)
        for stream in (own, other):
            with self.assertRaises(TimeoutError):
                stream.next(timeout=1)
        [name] = [data["id"] for _, kind, data in seen if kind == "account.usage_threshold"]
        self.assertEqual(self.customers(keys["e-6"], last=name).status, 400)
        self.assertEqual(self.customers("tg_nobody").status, 401)

    def test_where_to_begin_is_checked(self):
        key = self.customer("e-7")
        for wrong in ("x", "1.2", "1-2", "1-2.", "-.-", "1-2.3-4.5"):
            stream = self.customers(key, last=wrong)
            self.assertEqual((stream.status, b"last_event_id" in stream.body), (400, True), wrong)
        # A place of another store, or of a future that this store has lost: continues from now.
        for far in ("99999999999999-0.99999999999999-0", "18446744073709551615-18446744073709551615.0-0",
                    "18446744073709551615-18446744073709551615.18446744073709551615-18446744073709551615"):
            stream = self.customers(key, last=far)
            time.sleep(2)  # as long as another thread might know more
            self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
            self.assertEqual(used(stream.until(lambda _id, kind, data: kind == "usage"))[1], 1)

    def test_a_suspension_is_told_once(self):
        self.customer("e-15")
        with self.stream("e-15") as stream:
            stream.next()
            for suspended in (False, True, True, False, False, True):
                self.admin.put_org("e-15", suspended=suspended)
            told = [stream.next() for _ in range(3)]
            self.assertEqual([(kind, data["type"], data["data"]) for _, kind, data in told],
                             [(kind, kind, {}) for kind in ("account.suspended", "account.resumed",
                                                            "account.suspended")])
            with self.assertRaises(TimeoutError):
                stream.next(timeout=1)

    def test_what_is_missing_is_said(self):
        key = self.customer("e-16")
        with self.customers(key) as stream:
            start = stream.next()[0]
        for number in range(4):
            self.admin.put_org("e-16", spend_cap_usd=1 + number)
            self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        settled = self.settled_balance(self.tollgate, "e-16")["settled"]

        def from_place(place):
            return self.stream("e-16", last=place).until(
                lambda _id, kind, data: kind == "balance" and settled_of(data) == settled)
        whole = from_place(start)
        self.assertNotIn("gap", [kind for _, kind, _ in whole])
        # The state after an archive has dropped ledger entries, and after ten thousand events have displaced others.
        store = "tollgate:{e-16}:"
        newest = self.admin.expect_success("GET", "/orgs/e-16/ledger?limit=1000")["entries"][-1]["id"]
        since = int(newest.split("-")[0])
        self.redis.command("HSET", store + "retained", "entries", f"{since - 1}-0")
        self.redis.command("XTRIM", store + "ledger", "MINID", since)
        rest = from_place(start)
        self.assertEqual((rest[0][1], rest[0][2]["data"]), ("gap", {"events": False, "usage": True}))
        self.assertLess(used(rest)[1], 4)
        self.assertEqual([kind for _, kind, _ in rest].count("account.billing_updated"), 4)
        self.redis.command("XTRIM", store + "events", "MAXLEN", "1")
        rest = from_place(start)
        self.assertEqual((rest[0][1], rest[0][2]["data"]), ("gap", {"events": True, "usage": True}))
        self.assertEqual([kind for _, kind, _ in rest].count("account.billing_updated"), 1)
        # A client that has been told continues without another gap; a client that missed nothing is told nothing.
        self.assertNotIn("gap", [kind for _, kind, _ in from_place(rest[1][0])])
        again = self.stream("e-16", last=whole[-1][0])
        self.assertEqual(again.next()[1], "balance")
        with self.assertRaises(TimeoutError):
            again.next(timeout=1)

    def test_by_parameter_for_clients_without_the_header(self):
        key = self.customer("e-8")
        with self.customers(key) as stream:
            start = stream.next()[0]
        self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        stream = self.opened(EventStream(self.tollgate.address, f"/v1/billing/events?last_event_id={start}",
                                         {"Authorization": f"Bearer {key}"}))
        self.assertEqual(used(stream.until(lambda _id, kind, data: kind == "usage"))[1], 1)

    def test_older_clients_and_those_that_only_look(self):
        key = self.customer("e-9")
        for open_stream in (lambda **more: self.customers(key, **more), lambda **more: self.stream("e-9", **more)):
            old = open_stream(version="1.0")
            self.assertEqual((old.status, old.headers.get("transfer-encoding")), (200, None))
            self.assertEqual(old.next()[1], "balance")
            head = open_stream(method="HEAD")
            self.assertEqual((head.status, head.headers["content-type"][:17], head.headers.get("content-length")),
                             (200, "text/event-stream", None))
        for address, target in ((self.tollgate.address, "/v1/billing/events"),
                                (self.admin.address, "/admin/v1/orgs/e-9/events")):
            reply = call(address, "POST", target,
                         {"Authorization": f"Bearer {key if 'billing' in target else ADMIN_TOKEN}"})
            self.assertEqual(reply.status, 405)

    def test_calls_before_it_on_the_same_connection_and_after_one_that_broke(self):
        key = self.customer("e-10")
        head = f"GET %s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {key}\r\n\r\n"
        with RawConnection(self.tollgate.address) as connection:
            connection.send((head % "/v1/agents/a1/x" + head % "/v1/billing/balance"
                             + head % "/v1/billing/events" + head % "/v1/agents/a1/x").encode())
            self.assertEqual([connection.read_reply().status for _ in range(2)], [200, 200])
            self.assertIn(b"200 OK", connection.reader.readline())
            wait_until(lambda: self.metric("tollgate_event_streams") >= 1, "the stream")
        for _ in range(5):
            self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        self.assertEqual(self.settled_balance(self.tollgate, "e-10")["settled"], Decimal("0.6"))

    def test_a_revoked_key_ends_its_streams(self):
        self.customer("e-11")
        made = [self.admin.create_key("e-11") for _ in range(2)]
        gone, stays = (self.customers(each["key"]) for each in made)
        self.admin.revoke_key("e-11", made[0]["id"])
        revoked = time.monotonic()
        gone.wait_end(timeout=4)
        self.assertLess(time.monotonic() - revoked, 3)
        self.assertTrue(gone.complete)
        self.assertEqual(self.customers(made[0]["key"]).status, 401)
        self.admin.put_org("e-11", spend_cap_usd=7)
        stays.until(lambda _id, kind, data: kind == "account.billing_updated")

    def test_an_organization_has_so_many_streams(self):
        keys = [self.customer(f"e-12-{number}") for number in range(2)]
        streams = [self.customers(keys[0]) for _ in range(MOST_OF_AN_ORG)]
        self.assertEqual({stream.status for stream in streams}, {200})
        refused = self.customers(keys[0])
        self.assertEqual((refused.status, b"too_many_streams" in refused.body), (429, True))
        self.assertIn("retry-after", refused.headers)
        self.assertEqual(self.customers(keys[1]).status, 200)
        self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", keys[0]).status, 200)
        streams.pop().close()
        wait_until(lambda: self.customers(keys[0]).status == 200, "a place for one more")

    def test_the_admin_listener_keeps_half_of_its_connections(self):
        for number in range(5):
            self.customer(f"e-13-{number}")
        wait_until(lambda: self.metric("tollgate_event_streams") == 0, "earlier streams are gone")
        streams = [self.stream(f"e-13-{number % 4}") for number in range(4 * MOST_OF_AN_ORG)]
        self.assertEqual({stream.status for stream in streams}, {200})
        refused = self.stream("e-13-4")
        self.assertEqual((refused.status, b"overloaded" in refused.body), (503, True))
        self.assertEqual(self.admin.balance("e-13-4")["available"], 20000)
        for stream in streams:
            stream.close()
        wait_until(lambda: self.stream("e-13-4").status == 200, "places for others")

    def test_nothing_is_left_of_five_hundred_streams(self):
        key = self.customer("e-14")

        def descriptors():
            return len(list(Path(f"/proc/{self.tollgate.pid}/fd").iterdir()))

        def quiet():
            return self.metric("tollgate_event_streams") == self.metric("tollgate_connections") == 0
        wait_until(quiet, "earlier streams are gone")
        before = descriptors()
        for number in range(250):
            for stream in (self.customers(key), self.stream("e-14")):
                if number % 2:
                    stream.next()
                stream.close()
        wait_until(quiet, "no stream and no connection is left")
        wait_until(lambda: descriptors() <= before, "no descriptor is left")


class SlowReaders(EventTest):
    changes = {"timeouts": {"client_write": "3s"}}  # twenty streams are opened during this time

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin.put_org("s-1", plan="starter")
        cls.key = cls.admin.create_key("s-1")["key"]
        with EventStream(cls.tollgate.address, "/v1/billing/events",
                         {"Authorization": f"Bearer {cls.key}"}) as stream:
            cls.begin = stream.next()[0]
        for number in range(700):  # more than the kernel buffers for a client that does not read
            cls.admin.put_org("s-1", spend_cap_usd=1 + number)

    def test_who_does_not_read_is_not_waited_for_either(self):
        tollgate = self.start_tollgate(plans=PLANS)  # patience: one minute
        slow = self.customers(self.key, last=self.begin, tollgate=tollgate, receive_buffer=2048)

        def waits():  # a piece does not fit: the socket's buffer does not shrink
            out = Path(f"/proc/{tollgate.pid}/net/tcp").read_text()
            port = f":{int(tollgate.address.rsplit(':', 1)[1]):04X}"
            rows = [line.split() for line in out.splitlines()[1:]]
            queued = [int(row[4].split(":")[0], 16) for row in rows if row[1].endswith(port)]
            return max(queued, default=0) > 20_000
        wait_until(waits, "what is sent to wait for its reader")
        told = time.monotonic()
        tollgate.popen.send_signal(signal.SIGTERM)
        self.assertEqual(tollgate.popen.wait(20), 0)
        self.assertLess(time.monotonic() - told, 2)
        slow.close()

    def test_who_does_not_read_is_closed_and_others_do_not_notice(self):
        key, start = self.key, self.begin
        before = self.tollgate.peak_memory_kib()
        slow = [self.customers(key, last=start, receive_buffer=2048) for _ in range(20)]
        wait_until(lambda: self.metric("tollgate_event_streams") == 20, "twenty who do not read")
        reader = self.customers(key, last=start)
        told = [reader.next() for _ in range(700)]
        self.assertEqual({kind for _, kind, _ in told}, {"account.billing_updated"})
        began = time.monotonic()
        self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        self.assertLess(time.monotonic() - began, 1)
        wait_until(lambda: self.metric("tollgate_event_streams") == 1, "only the reader is left", timeout=10)
        self.assertLess(self.tollgate.peak_memory_kib() - before, 20 * 1024)
        # They reconnect and continue where they stopped.
        seen = slow[0].wait_end()
        self.assertLess(len(seen), 700)
        rest = self.customers(key, last=seen[-1][0] if seen else start)
        ids = {event[0] for event in seen}
        while len(ids) < 700:
            event = rest.next()
            if event[1] == "account.billing_updated":
                self.assertNotIn(event[0], ids)
                ids.add(event[0])


class Draining(EventTest):
    def test_nobody_waits_for_streams(self):
        tollgate = self.start_tollgate(plans=PLANS)
        keys = [self.customer(f"d-{number}") for number in range(4)]
        streams = [self.customers(key, tollgate=tollgate) for key in keys for _ in range(8)]
        streams += [self.stream(f"d-{number}", tollgate=tollgate) for number in range(4)]
        for stream in streams:
            self.assertEqual(stream.next()[1], "balance")
        told = time.monotonic()
        tollgate.popen.send_signal(signal.SIGTERM)
        self.assertEqual(tollgate.popen.wait(20), 0)
        self.assertLess(time.monotonic() - told, 1.5)
        for stream in streams:
            self.assertEqual(stream.wait_end(), [])
            self.assertTrue(stream.complete)

    def test_a_new_configuration_ends_the_streams_of_customers(self):
        key = self.customer("d-9")
        stream = self.customers(key)
        last = stream.next()[0]
        self.tollgate.popen.send_signal(signal.SIGHUP)
        stream.wait_end()
        self.assertTrue(stream.complete)
        self.assertEqual(self.customers(key, last=last).status, 200)


class SecureEvents(EventTest):
    def test_over_tls(self):
        authority = Authority(self.directory, "authority")
        certificate, key_file = authority.issue("tollgate", "DNS:localhost")
        tollgate = self.start_tollgate(plans=PLANS, threads=1, tls={"certificate": certificate, "key": key_file})
        context = ssl.create_default_context(cafile=authority.certificate)
        key = self.customer("t-1")
        stream = self.customers(key, tollgate=tollgate, tls=context)
        self.assertEqual(stream.next()[1], "balance")
        self.assertEqual(self.tollgate.call("GET", "/v1/agents/a1/x", key).status, 200)
        self.assertEqual(used(stream.until(lambda _id, kind, data: kind == "usage"))[1], 1)
        for _ in range(20):
            self.customers(key, tollgate=tollgate, tls=context).close()
        wait_until(lambda: self.metric("tollgate_event_streams", tollgate) == 1, "only the first is left")
        stream.close()
        wait_until(lambda: self.metric("tollgate_connections", tollgate) == 0, "nothing is left")
