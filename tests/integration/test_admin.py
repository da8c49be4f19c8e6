"""The admin API over HTTP, and the customer's view of its own account."""
import asyncio
import concurrent.futures
import csv
import io
import json
import re
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from support.http import AsyncClient, RawConnection, call
from support.process import Redis, keep_clear_of, wait_until
from support.stack import StackTest
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration

CALLS = [("GET", "/orgs"), ("GET", "/orgs/x"), ("PUT", "/orgs/x"), ("GET", "/orgs/x/keys"),
         ("POST", "/orgs/x/keys"), ("DELETE", "/orgs/x/keys/key_1"), ("POST", "/orgs/x/grants"),
         ("GET", "/orgs/x/grants"), ("GET", "/orgs/x/balance"), ("GET", "/orgs/x/usage"),
         ("GET", "/orgs/x/ledger"), ("GET", "/orgs/x/holds"), ("GET", "/orgs/x/statements"),
         ("GET", "/orgs/x/statements/2026-01"), ("GET", "/orgs/x/top_ups"),
         ("POST", "/orgs/x/top_ups"), ("POST", "/orgs/x/top_ups/t1"), ("GET", "/nothing")]
SLOW_STREAM = {"x-sample-chunks": "300", "x-sample-delay-ms": "100"}  # it is not read to its end


class AdminTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate()
        cls.admin = cls.tollgate.admin

    def get(self, path, **headers):
        return call(self.admin.address, "GET", path, headers)

    def expect_error(self, reply, status, code, param=None):
        self.assertEqual(reply.status, status, reply.body)
        body = reply.json()
        self.assertEqual(body["success"], False)
        self.assertEqual(body["type"], "error")
        self.assertEqual(body["error"]["code"], code)
        self.assertEqual(body["error"]["param"], param)
        self.assertTrue(body["error"]["message"])
        self.assertEqual(body["request_id"], reply.headers["x-request-id"])


class Access(AdminTest):
    def test_nothing_without_the_token(self):
        for method, path in CALLS:
            with self.subTest(method=method, path=path):
                reply = call(self.admin.address, method, "/admin/v1" + path)
                self.expect_error(reply, 401, "missing_admin_token")
                self.assertEqual(reply.headers["www-authenticate"], "Bearer")
                for wrong in (ADMIN_TOKEN[:-1], ADMIN_TOKEN + "x", "", ADMIN_TOKEN.upper()):
                    reply = call(self.admin.address, method, "/admin/v1" + path,
                                 {"Authorization": f"Bearer {wrong}"})
                    self.assertEqual(reply.status, 401)
        self.assertEqual(self.admin.request("GET", "/orgs/x").status, 404)

    def test_an_api_key_is_no_admin_token(self):
        key = self.admin.new_customer("access")
        reply = call(self.admin.address, "GET", "/admin/v1/orgs", {"Authorization": f"Bearer {key}"})
        self.expect_error(reply, 401, "invalid_admin_token")

    def test_nothing_at_all_when_no_token_is_configured(self):
        config = configuration(self.redis.url, self.upstream.address)
        del config["admin"]["token"]
        tollgate = self.start(Tollgate(self.directory, config, "no-token"))
        for token in ("", "x", ADMIN_TOKEN):
            reply = call(tollgate.admin.address, "GET", "/admin/v1/orgs",
                         {"Authorization": f"Bearer {token}"})
            self.expect_error(reply, 403, "admin_disabled")
        self.assertEqual(call(tollgate.admin.address, "GET", "/healthz").status, 200)

    def test_open_pages(self):
        self.assertEqual(self.get("/healthz").body, b"ok\n")
        wait_until(lambda: "plan_terms_pending" not in self.get("/readyz").json(), "the first look at all plans")
        self.assertEqual(self.get("/readyz").json(),
                         {"ready": True, "store": "ready", "draining": False})
        index = self.get("/")
        self.assertTrue(index.headers["content-type"].startswith("text/html"))
        self.assertIn(b"<title>Tollgate</title>", index.body)
        head = call(self.admin.address, "HEAD", "/healthz")
        self.assertEqual((head.status, head.headers["content-length"], head.body), (200, "3", b""))

    def test_the_token_may_change_with_a_reload(self):
        config = configuration(self.redis.url, self.upstream.address)
        tollgate = self.start(Tollgate(self.directory, config, "rotate"))
        config["admin"]["token"] = "another-token"
        tollgate.write_config(config)
        tollgate.popen.send_signal(1)  # SIGHUP
        wait_until(lambda: tollgate.admin.request("GET", "/orgs").status == 401, "the old one to end")
        tollgate.admin.token = "another-token"
        self.assertEqual(tollgate.admin.request("GET", "/orgs").status, 200)


class Http(AdminTest):
    def head(self, method="POST", path="/admin/v1/orgs/h/grants", *fields):
        lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Authorization: Bearer {ADMIN_TOKEN}"]
        return ("\r\n".join([*lines, *fields]) + "\r\n\r\n").encode()

    def answer_to(self, data):
        with RawConnection(self.admin.address) as connection:
            connection.send(data)
            return connection.read_reply()

    def test_a_body_that_is_too_large(self):
        reply = self.answer_to(self.head("PUT", "/admin/v1/orgs/h", "Content-Length: 1048577"))
        self.expect_error(reply, 413, "body_too_large")
        self.admin.put_org("h")
        reply = self.admin.request("PUT", "/orgs/h", b'{"plan":"' + b"x" * 1_000_000 + b'"}')
        self.expect_error(reply, 400, "invalid_request", "plan")

    def test_a_head_that_is_too_large(self):
        reply = self.answer_to(self.head("GET", "/admin/v1/orgs", "X-Fill: " + "x" * 20_000))
        self.expect_error(reply, 431, "headers_too_large")

    def test_a_body_is_not_read_from_strangers(self):
        with RawConnection(self.admin.address) as connection:
            connection.send(b"PUT /admin/v1/orgs/h HTTP/1.1\r\nHost: t\r\n"
                            b"Content-Length: 1000000\r\n\r\n")
            self.expect_error(connection.read_reply(), 401, "missing_admin_token")
            connection.end_sending()
            self.assertTrue(connection.is_closed_by_peer())

    def test_expect_100_continue(self):
        with RawConnection(self.admin.address) as connection:
            connection.send(self.head("PUT", "/admin/v1/orgs/h", "Content-Length: 2",
                                      "Expect: 100-continue"))
            self.assertEqual(connection.reader.readline(), b"HTTP/1.1 100 Continue\r\n")
            while connection.reader.readline() != b"\r\n":
                pass
            connection.send(b"{}")
            self.assertIn(connection.read_reply().status, (200, 201))

    def test_keep_alive_and_pipelining(self):
        with RawConnection(self.admin.address) as connection:
            connection.send(self.head("GET", "/admin/v1/orgs") * 3)
            self.assertEqual([connection.read_reply().status for _ in range(3)], [200] * 3)
            connection.send(self.head("GET", "/healthz", "Connection: close"))
            self.assertEqual(connection.read_reply().status, 200)
            self.assertTrue(connection.is_closed_by_peer())

    def test_what_is_no_http_is_refused(self):
        for garbage in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                        b"GET / HTTP/1.1\r\nA: b\r\nContent-Length: x\r\n\r\n"):
            with self.subTest(garbage=garbage):
                reply = self.answer_to(garbage + b"\r\n\r\n")
                self.expect_error(reply, 400, "invalid_request")

    def test_methods_and_addresses(self):
        reply = self.admin.request("POST", "/orgs")
        self.expect_error(reply, 405, "method_not_allowed")
        self.assertEqual(reply.headers["allow"], "GET, HEAD")
        self.expect_error(self.admin.request("GET", "/org"), 404, "not_found")
        self.expect_error(self.admin.request("GET", "/orgs/nobody/ledger"), 404, "org_not_found")
        self.expect_error(self.admin.request("PUT", "/orgs/a%20b"), 400, "invalid_request", "org")

    def test_content_types(self):
        reply = self.admin.request("PUT", "/orgs/h", b"{}",
                                   {"Content-Type": "application/x-www-form-urlencoded"})
        self.expect_error(reply, 415, "unsupported_media_type")

    def test_connections_that_say_nothing_keep_nobody_out(self):
        connections = [RawConnection(self.admin.address) for _ in range(256)]
        try:
            with RawConnection(self.admin.address) as one_more:
                self.assertTrue(connections[0].is_closed_by_peer())  # the oldest
                for each in (one_more, connections[100]):
                    each.send(self.head("GET", "/healthz"))
                    self.assertEqual(each.read_reply().status, 200)
        finally:
            for connection in connections:
                connection.close()
        wait_until(self.tollgate.is_ready, "room for others")


class Organizations(AdminTest):
    def test_create_change_and_list(self):
        reply = self.admin.request("PUT", "/orgs/o-1", {"plan": "starter"})
        self.assertEqual(reply.status, 201)
        self.assertEqual(self.admin.request("PUT", "/orgs/o-1", {"mode": "shadow"}).status, 200)
        org = self.admin.expect_success("GET", "/orgs/o-1")
        self.assertEqual((org["plan"], org["mode"], org["suspended"]), ("starter", "shadow", False))
        for name in ("o-2", "o-3"):
            self.admin.put_org(name)
        listed, after = [], "o-"
        while True:
            page = self.admin.expect_success("GET", f"/orgs?limit=1&after={after}")
            listed += [org["id"] for org in page["orgs"]]
            after = page["next_after"]
            if not page["has_more"]:
                break
        self.assertEqual([name for name in listed if name in ("o-1", "o-2", "o-3")], ["o-1", "o-2", "o-3"])

    def test_fields_that_are_not_understood_change_nothing(self):
        self.admin.put_org("o-4")
        for body, param in (({"plan": "strater"}, "plan"), ({"suspended": 1}, "suspended"),
                            ({"suspend": True}, "suspend"), ({"spend_cap_usd": -1}, "spend_cap_usd"),
                            ({"spend_cap_usd": 0.001}, "spend_cap_usd"),
                            ({"limits": {}}, "limits"), ({"limits": [{}]}, "limits[0]"),
                            ({"auto_top_up": {}}, "auto_top_up"), ({"alerts": [0]}, "alerts[0]"),
                            ({"overage": "on"}, "overage"), ({"terms": {"credits": 1}}, "terms"),
                            ({"plan_effective": "soon"}, "plan_effective"),
                            ({"cycle_anchor": "31"}, "cycle_anchor")):
            reply = self.admin.request("PUT", "/orgs/o-4", {"mode": "shadow", **body})
            self.expect_error(reply, 400, "invalid_request", param)
        self.assertEqual(self.admin.expect_success("GET", "/orgs/o-4")["mode"], "enforce")

    def test_changes_at_once_do_not_undo_each_other(self):
        for i in range(20):
            org = f"at-once-{i}"
            changes = [{"plan": "starter"}, {"mode": "shadow"}, {"suspended": True},
                       {"overage": False}, {"spend_cap_usd": 5}, {}]
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                replies = list(pool.map(lambda c: self.admin.request("PUT", f"/orgs/{org}", c),
                                        changes))
            self.assertEqual(sorted(reply.status for reply in replies), [200] * 5 + [201])
            now = self.admin.expect_success("GET", f"/orgs/{org}")
            self.assertEqual((now["plan"], now["mode"], now["suspended"], now["overage"],
                              now["spend_cap_usd"]), ("starter", "shadow", True, False, 5))
            balance = self.admin.balance(org)
            self.assertEqual((balance["available"], balance["spend_cap"]["usd"]), (20000, 5))

    def test_a_suspended_organization_is_refused(self):
        key = self.admin.new_customer("o-5", credits=100)
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.admin.put_org("o-5", suspended=True)
        wait_until(lambda: self.tollgate.chat(key).status == 403, "the suspension", timeout=2)
        self.admin.put_org("o-5", suspended=False)
        wait_until(lambda: self.tollgate.chat(key).status == 200, "the end of it", timeout=2)


class Keys(AdminTest):
    def test_shown_once_and_revoked_everywhere(self):
        other = self.start_tollgate()
        self.admin.put_org("k-1")
        self.admin.grant("k-1", 1000)
        made = self.admin.create_key("k-1", note="ci")
        self.assertRegex(made["key"], r"^tg_[A-Za-z0-9_-]{43}$")
        self.assertRegex(made["id"], r"^key_")
        listed = self.admin.request("GET", "/orgs/k-1/keys")
        self.assertNotIn(made["key"].encode(), listed.body)
        self.assertEqual([(k["id"], k["note"], k["revoked_at"])
                          for k in listed.json()["data"]["keys"]], [(made["id"], "ci", None)])
        for tollgate in (self.tollgate, other):
            self.assertEqual(tollgate.chat(made["key"]).status, 200)
        self.admin.revoke_key("k-1", made["id"])
        wait_until(lambda: all(t.chat(made["key"]).status == 401 for t in (self.tollgate, other)),
                   "the key to end everywhere", timeout=2)
        self.admin.revoke_key("k-1", made["id"])
        self.expect_error(self.admin.request("DELETE", "/orgs/k-1/keys/key_none"), 404,
                          "key_not_found")
        self.assertNotIn(made["key"], self.tollgate.log())

    def test_a_key_of_another_organization_cannot_be_revoked(self):
        key = self.admin.new_customer("k-2", credits=10)
        self.admin.put_org("k-3")
        key_id = self.admin.expect_success("GET", "/orgs/k-2/keys")["keys"][0]["id"]
        self.assertEqual(self.admin.request("DELETE", f"/orgs/k-3/keys/{key_id}").status, 404)
        self.assertEqual(self.tollgate.chat(key).status, 200)


class Grants(AdminTest):
    def post(self, org, body, key=None):
        headers = {"Content-Type": "application/json"}
        return self.admin.request("POST", f"/orgs/{org}/grants", body.encode(),
                                  {**headers, "Idempotency-Key": key} if key else headers)

    def test_every_decimal_is_exact(self):
        self.admin.put_org("g-1")
        total = Decimal(0)
        for text in ("0.1", "0.2", "0.000001", "123456.789012", "7.50", "1.10e0"):
            reply = self.post("g-1", f'{{"credits":{text}}}')
            if "e" in text:
                self.expect_error(reply, 400, "invalid_request", "credits")
                continue
            self.assertEqual(reply.status, 201)
            self.assertEqual(reply.json()["data"]["credits"], Decimal(text))
            total += Decimal(text)
        self.assertEqual(self.admin.balance("g-1")["available"], total)

    def test_once_for_each_idempotency_key(self):
        self.admin.put_org("g-2")
        body = '{"credits":500,"kind":"purchase","note":"invoice 7"}'
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: self.post("g-2", body, "pay-7"), range(40)))
        self.assertEqual({reply.status for reply in replies}, {201})
        self.assertEqual(len({reply.body for reply in replies}), 1)
        self.assertEqual(sum("idempotent-replayed" not in reply.headers for reply in replies), 1)
        self.assertEqual(self.admin.balance("g-2")["granted"], 500)
        for other in ('{"credits":501,"kind":"purchase","note":"invoice 7"}',
                      '{"credits":500,"kind":"promotion","note":"invoice 7"}',
                      '{"credits":500,"kind":"purchase"}'):
            self.expect_error(self.post("g-2", other, "pay-7"), 422, "idempotency_key_reused",
                              "Idempotency-Key")
        self.assertEqual(self.admin.balance("g-2")["granted"], 500)

    def test_corrections_alone_take_away(self):
        self.admin.put_org("g-3")
        for kind in ("purchase", "promotion"):
            self.expect_error(self.post("g-3", f'{{"credits":-5,"kind":"{kind}"}}'), 400,
                              "invalid_request", "credits")
        self.admin.grant("g-3", 10)
        self.admin.grant("g-3", "-2.5", kind="correction", note="counted twice")
        self.assertEqual(self.admin.balance("g-3")["available"], Decimal("7.5"))
        # Within one millisecond they are ordered by their ids.
        self.assertEqual({g["kind"] for g in self.admin.expect_success("GET", "/orgs/g-3/grants")
                          ["grants"]}, {"purchase", "correction"})
        grant, = self.admin.balance("g-3")["grants"]
        self.assertEqual((grant["kind"], grant["credits"], grant["remaining"]),
                         ("purchase", 10, Decimal("7.5")))
        self.tollgate.verify()

    def test_a_grant_runs_out_when_it_says_so(self):
        self.admin.put_org("g-4")
        self.expect_error(self.post("g-4", '{"credits":5,"expires_at":"2020-01-01T00:00:00Z"}'), 400,
                          "invalid_request", "expires_at")
        soon = datetime.now(timezone.utc) + timedelta(seconds=4)
        body = json.dumps({"credits": 5, "expires_at": soon.isoformat(), "priority": 3})
        reply = self.post("g-4", body, "soon")
        self.assertEqual(reply.status, 201, reply.body)
        grant, = self.admin.balance("g-4")["grants"]
        self.assertEqual((grant["remaining"], grant["priority"], grant["kept"]), (5, 3, False))
        self.assertEqual(grant["expires_at"], reply.json()["data"]["expires_at"])
        # The next operation, or else the sweep, forfeits it.
        balance = wait_until(lambda: (b := self.admin.balance("g-4"))["expired"] == 5 and b,
                             "the grant to run out", timeout=15)
        self.assertEqual((balance["available"], balance["granted"], balance["grants"]), (0, 5, []))
        self.assertEqual([e["type"] for e in self.admin.ledger("g-4")], ["grant", "forfeit"])
        repeated = self.post("g-4", body, "soon")
        self.assertEqual((repeated.status, repeated.body), (201, reply.body))
        self.tollgate.verify()


class Plans(AdminTest):
    """Plans of the shipped configuration; their effect in the ledger is tested elsewhere."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plans = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
                 "pro": {"credits": 200000, "overage_usd": 0.01, "top_up_minimum_usd": 25,
                         "rollover": {"up_to": "100%", "cycles": 1}},
                 "small": {"credits": 25, "overage_usd": 0.02},
                 "enterprise": {"custom": True}}
        cls.tollgate = cls.start_tollgate(plans=plans)
        cls.admin = cls.tollgate.admin
        cls.admin.expect_success("POST", "/plans/apply")  # the other Tollgate has none of these

    def get_json(self, path):
        return self.admin.expect_success("GET", path)

    def test_a_plan_from_its_first_credit_to_its_statement(self):
        key = self.admin.new_customer("p-1", plan="small", cycle_anchor="2026-01-31",
                                      spend_cap_usd=0.5)
        org = self.get_json("/orgs/p-1")
        self.assertEqual((org["plan"], org["terms"]["credits"], org["plan_change"]),
                         ("small", 25, None))
        self.assertEqual(org["cycle"]["anchor_day"], 31)
        for _ in range(4):
            self.assertEqual(self.tollgate.chat(key).status, 200)
        balance = self.settled_balance(self.tollgate, "p-1")
        self.assertEqual(balance["available"], -15)
        self.assertEqual(balance["overage"], {"credits": 15, "usd": Decimal("0.3"), "priced_credits": 15,
                                              "owed": 0, "allowed": True, "usd_per_credit": Decimal("0.02")})
        self.assertEqual(balance["spend_cap"], {"usd": Decimal("0.5"), "used_usd": Decimal("0.3"),
                                                "remaining_usd": Decimal("0.2")})
        self.assertEqual(balance["grants"], [])
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.assertEqual(self.tollgate.chat(key).status, 402, "the cap")
        self.settled_balance(self.tollgate, "p-1")

        summary, = self.get_json("/orgs/p-1/statements")["statements"]
        statement = self.get_json(f"/orgs/p-1/statements/{summary['month']}")
        self.adds_up(statement)
        self.assertEqual(statement["overage"], {"credits": 25, "usd": Decimal("0.5")})
        line, = statement["usage"]["lines"]
        self.assertEqual((line["action"], line["model"], line["calls"], line["credits"]),
                         ("llm", "gpt-4", 5, 50))
        self.assertEqual((statement["usage"]["other"], statement["final"]), (0, False))
        mine = self.tollgate.call("GET", f"/v1/billing/statements/{summary['month']}", key)
        self.assertEqual(mine.json()["data"], statement)
        table = self.tollgate.call("GET", f"/v1/billing/statements/{summary['month']}", key,
                                   headers={"Accept": "text/plain"})
        self.assertRegex(table.body.decode(), r"(?m)^Usage: llm, gpt-4 +5 calls +-50$")
        rows = self.tollgate.call("GET", f"/v1/billing/statements/{summary['month']}", key,
                                  headers={"Accept": "text/csv"}).body.decode()
        rows = list(csv.DictReader(io.StringIO(rows, newline="")))
        closing, = (row for row in rows if row["line"] == "closing")
        to_bill, = (row for row in rows if row["line"] == "overage_to_bill")
        self.assertEqual((to_bill["balance"], to_bill["usd"]), ("25", "0.50"))
        self.assertEqual(Decimal(closing["balance"]), sum(Decimal(row["credits"] or 0) for row in rows))
        self.assertEqual(statement["paid"]["total_usd"], sum(Decimal(row["usd"] or 0) for row in rows))
        self.assertEqual(self.tollgate.call("GET", "/v1/billing/top_ups", key).json()["data"],
                         {"top_ups": [], "next_after": None, "has_more": False})
        self.expect_error(self.admin.request("GET", "/orgs/p-1/statements/1999-01"), 404,
                          "statement_not_found")
        self.tollgate.verify()

    def adds_up(self, statement):
        came = sum(statement[line] for line in ("opening", "allocation", "purchases", "top_ups",
                                                "promotions", "corrections", "overage_billed"))
        came += statement["rollover"]["in"]
        went = statement["usage"]["credits"] + statement["rollover"]["out"] + statement["forfeited"]
        self.assertEqual(came - went, statement["closing"])

    def test_a_change_of_plan_waits_or_does_not(self):
        self.admin.put_org("p-2", plan="pro")
        org = self.admin.put_org("p-2", plan="starter", plan_effective="next_cycle")
        self.assertEqual((org["plan"], org["plan_change"]["plan"]), ("pro", "starter"))
        self.assertEqual(org["plan_change"]["at"], org["cycle"]["end"])
        self.assertEqual(self.admin.put_org("p-2", suspended=True)["plan_change"]["plan"], "starter")
        org = self.admin.put_org("p-2", plan_effective="now", suspended=False)
        self.assertEqual((org["plan"], org["plan_change"]), ("starter", None))
        self.expect_error(self.admin.request("PUT", "/orgs/p-2", {"plan": "enterprise"}), 400,
                          "invalid_request", "terms")
        terms = {"credits": 300000, "overage_usd": Decimal("0.005")}
        org = self.admin.expect_success(
            "PUT", "/orgs/p-2", b'{"plan":"enterprise","terms":{"credits":300000,"overage_usd":0.005}}',
            {"Content-Type": "application/json"})
        self.assertEqual({name: org["terms"][name] for name in terms}, terms)
        self.tollgate.verify()

    def test_limits_are_kept_and_enforced(self):
        keep_clear_of("day", 30)
        limits = [{"agent": "a 1", "credits": 10, "per": "day"},
                  {"key": "*", "credits": 1000, "per": "total"}]
        key = self.admin.new_customer("p-3", credits=100, limits=limits)
        self.assertEqual(self.get_json("/orgs/p-3")["limits"], limits)
        agent = {"X-Agent-Id": "a 1"}
        self.assertEqual(self.tollgate.chat(key, headers=agent).status, 200)
        self.assertEqual(self.tollgate.chat(key, headers=agent).status, 402)
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.assertEqual(self.admin.put_org("p-3", limits=[])["limits"], [])
        self.assertEqual(self.tollgate.chat(key, headers=agent).status, 200)
        self.tollgate.verify()

    def test_credits_are_bought_once(self):
        self.admin.put_org("p-4")
        self.expect_error(self.buy("p-4", 10), 400, "invalid_request", "amount_usd")
        self.admin.put_org("p-4", plan="starter")
        self.expect_error(self.buy("p-4", 9), 400, "invalid_request", "amount_usd")
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            replies = list(pool.map(lambda _: self.buy("p-4", 10, "pack"), range(10)))
        self.assertEqual({reply.status for reply in replies}, {201})
        self.assertEqual(sum("idempotent-replayed" not in reply.headers for reply in replies), 1)
        self.expect_error(self.buy("p-4", 11, "pack"), 422, "idempotency_key_reused",
                          "Idempotency-Key")
        top_up, = self.get_json("/orgs/p-4/top_ups")["top_ups"]
        self.assertEqual((top_up["id"], top_up["status"], top_up["amount_usd"], top_up["credits"]),
                         ("pack", "requested", 10, 500))
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            replies = list(pool.map(lambda _: self.resolve("p-4", "pack", "paid"), range(10)))
        self.assertEqual({reply.status for reply in replies}, {200})
        self.assertEqual(self.admin.balance("p-4")["available"], 20500)
        self.expect_error(self.resolve("p-4", "pack", "declined"), 409, "top_up_paid", "status")
        self.expect_error(self.resolve("p-4", "none", "paid"), 404, "top_up_not_found")
        self.expect_error(self.resolve("p-4", "pack", "perhaps"), 400, "invalid_request", "status")
        self.tollgate.verify()

    def test_an_automatic_top_up_is_requested_when_it_is_needed(self):
        self.expect_error(self.admin.request("PUT", "/orgs/p-5", {"auto_top_up": {
            "threshold_credits": 5, "amount_usd": 10}}), 400, "invalid_request", "auto_top_up")
        key = self.admin.new_customer("p-5", plan="starter", overage=False, auto_top_up={
            "threshold_credits": 19995, "amount_usd": 1})
        self.assertEqual(self.get_json("/orgs/p-5")["auto_top_up"],
                         {"threshold_credits": 19995, "amount_usd": 10})
        self.assertEqual(self.get_json("/orgs/p-5/top_ups")["top_ups"], [])
        self.assertEqual(self.tollgate.chat(key).status, 200)
        top_up, = wait_until(lambda: self.get_json("/orgs/p-5/top_ups")["top_ups"], "the top-up")
        self.assertEqual((top_up["automatic"], top_up["amount_usd"], top_up["credits"]),
                         (True, 10, 500))
        self.assertEqual(self.resolve("p-5", top_up["id"], "paid").status, 200)
        self.assertEqual(self.admin.balance("p-5")["available"], 20490)
        self.tollgate.verify()

    def buy(self, org, usd, key=None):
        headers = {"Idempotency-Key": key} if key else {}
        return self.admin.request("POST", f"/orgs/{org}/top_ups", {"amount_usd": usd}, headers)

    def resolve(self, org, top_up, status):
        return self.admin.request("POST", f"/orgs/{org}/top_ups/{top_up}", {"status": status})


class Reading(AdminTest):
    def test_balance_ledger_and_usage_tell_one_story(self):
        keep_clear_of("day", 30)
        key = self.admin.new_customer("r-1", credits=100)
        for model in ("gpt-4", "gpt-4", "gpt-3.5-turbo"):
            self.assertEqual(self.tollgate.chat(key, model).status, 200)
        self.tollgate.call("GET", "/v1/things", key)
        balance = self.settled_balance(self.tollgate, "r-1")
        self.assertEqual(balance["settled"], Decimal("22.1"))
        self.assertEqual(balance["available"], Decimal("77.9"))
        self.assertEqual((balance["held"], balance["expired"]), (0, 0))
        self.assertEqual(balance["overage"], {"credits": 0, "usd": 0, "priced_credits": 0, "owed": 0,
                                              "allowed": False, "usd_per_credit": 0})

        entries = self.admin.ledger("r-1")
        types = [entry["type"] for entry in entries]
        self.assertEqual(sorted(types), ["grant"] + ["reserve"] * 4 + ["settle"] * 4)
        self.assertEqual(entries[-1]["available"], Decimal("77.9"))
        self.assertEqual(sum(e["credits"] for e in entries if e["type"] == "settle"),
                         Decimal("22.1"))
        one_by_one, after = [], "0-0"
        while True:
            page = self.admin.expect_success("GET", f"/orgs/r-1/ledger?limit=1&after={after}")
            one_by_one += page["entries"]
            after = page["next_after"]
            if not page["has_more"]:
                break
        self.assertEqual(one_by_one, entries)

        usage = self.admin.expect_success("GET", "/orgs/r-1/usage?group_by=model,action")
        self.assertEqual(usage["total"], {"credits": Decimal("22.1"), "calls": 4})
        self.assertEqual({(row["model"], row["action"]): (row["credits"], row["calls"], row["used"])
                          for row in usage["rows"]},
                         {("gpt-4", "llm"): (20, 2, 2), ("gpt-3.5-turbo", "llm"): (2, 1, 1),
                          (None, "api"): (Decimal("0.1"), 1, 1)})

    def test_csv(self):
        self.admin.put_org("r-2")
        self.admin.grant("r-2", "0.1", note='=HYPERLINK("x"), "y"')
        key = self.admin.create_key("r-2")["key"]
        reply = self.admin.request("GET", "/orgs/r-2/ledger", headers={"Accept": "text/csv"})
        self.assertTrue(reply.headers["content-type"].startswith("text/csv"))
        row, = csv.DictReader(io.StringIO(reply.body.decode(), newline=""))
        self.assertEqual((row["type"], row["credits"], row["available"]), ("grant", "0.1", "0.1"))
        self.assertEqual(row["note"], '\'=HYPERLINK("x"), "y"')
        reply = self.admin.request("GET", "/orgs/r-2/usage", headers={"Accept": "text/csv"})
        self.assertEqual(reply.body, b"start,credits,calls\r\n")
        for accept, form in (("TEXT/CSV", "text/csv"), ("text/csv;q=0", "application/json"),
                             ("text/csv;q=0.5, application/json", "application/json"),
                             ("application/json;q=0.5, text/csv", "text/csv")):
            for get in (lambda headers: self.admin.request("GET", "/orgs/r-2/ledger", headers=headers),
                        lambda headers: self.tollgate.call("GET", "/v1/billing/ledger", key, headers=headers)):
                reply = get({"Accept": accept})
                self.assertEqual((reply.status, reply.headers["content-type"].split(";")[0]), (200, form), accept)

    def test_holds_while_a_stream_runs(self):
        key = self.admin.new_customer("r-3", credits=100)
        asyncio.run(self.look_at_a_stream(key))
        self.assertEqual(self.settled_balance(self.tollgate, "r-3")["settled"], 10)
        self.assertEqual(self.admin.holds("r-3"), [])

    async def look_at_a_stream(self, key):
        client = await AsyncClient.open(self.tollgate.address)
        body = json.dumps({"model": "gpt-4", "stream": True, "messages": []}).encode()
        await client.send("POST", "/v1/chat/completions",
                          {"Authorization": f"Bearer {key}", "Content-Type": "application/json",
                           "X-Agent-Id": "a1", **SLOW_STREAM}, body)
        await client.read_head()
        hold, = await asyncio.to_thread(self.admin.holds, "r-3")
        self.assertEqual((hold["credits"], hold["route"], hold["agent"]), (10, "chat-gpt-4", "a1"))
        balance = await asyncio.to_thread(self.admin.balance, "r-3")
        self.assertEqual((balance["held"], balance["available"]), (10, 90))
        client.close()

    def test_parameters_are_checked(self):
        self.admin.put_org("r-4")
        for path, param in (("ledger?after=x", "after"), ("ledger?limit=0", "limit"),
                            ("ledger?limit=1001", "limit"), ("ledger?page=2", "page"),
                            ("usage?from=yesterday", "from"), ("usage?granularity=week", "granularity"),
                            ("usage?group_by=modle", "group_by"), ("balance?x=1", "x"),
                            ("usage?from=2026-02-02&to=2026-02-01", "to"),
                            ("usage?from=2010-01-01", "from"),
                            ("ledger?after=18446744073709551616-0", "after"),
                            ("ledger?after=1-99999999999999999999", "after"),
                            ("ledger?after=18446744073709551615-18446744073709551615", "after"),
                            ("events?last_event_id=18446744073709551616-0.0-0", "last_event_id")):
            self.expect_error(self.admin.request("GET", f"/orgs/r-4/{path}"), 400,
                              "invalid_request", param)
        for path in ("ledger?after=&limit=", "usage?from=&to=&granularity=&group_by=&time_zone=&limit=&after="):
            self.assertEqual(self.admin.request("GET", f"/orgs/r-4/{path}").status, 200, path)
        self.expect_error(self.admin.request("GET", "/orgs?after=&after="), 400, "invalid_request", "after")
        endpoint = self.admin.expect_success("POST", "/orgs/r-4/webhooks", {"url": "https://hooks.example/"})
        letters = f"/orgs/r-4/webhooks/{endpoint['id']}/dead_letters"
        self.assertEqual(self.admin.request("GET", f"{letters}?after=&limit=").status, 200)
        for place in ("18446744073709551616-0", "18446744073709551615-18446744073709551615"):
            self.expect_error(self.admin.request("GET", f"{letters}?after=evt_{place}"), 400, "invalid_request",
                              "after")
            self.expect_error(self.admin.request("POST", f"{letters}/evt_{place}/resend"), 404,
                              "dead_letter_not_found")


class Customers(AdminTest):
    def test_nobody_keeps_an_answer_about_an_account(self):
        key = self.admin.new_customer("c-0", credits=50)
        for path in ("balance", "usage", "ledger", "statements", "nothing", "balance?x=1"):
            for who in (key, "tg_nobody"):
                reply = self.tollgate.call("GET", f"/v1/billing/{path}", who)
                self.assertEqual((reply.headers.get("cache-control"), reply.headers.get("x-content-type-options")),
                                 ("no-store", "nosniff"), (path, reply.status))
        reply = self.admin.request("GET", "/orgs/c-0/balance")
        self.assertEqual((reply.headers["cache-control"], reply.headers["x-content-type-options"]),
                         ("no-store", "nosniff"))

    def test_a_customer_reads_its_own_account_only(self):
        mine = self.admin.new_customer("c-1", credits=50)
        self.admin.new_customer("c-2", credits=70)
        before = self.upstream.stats()["requests"]
        reply = self.tollgate.call("GET", "/v1/billing/balance", mine)
        self.assertEqual(reply.json()["data"]["org"], "c-1")
        self.assertEqual(reply.json()["data"]["available"], 50)
        self.assertEqual(self.tollgate.call("GET", "/v1/billing/balance?org=c-2", mine).status, 400)
        self.assertEqual(len(self.tollgate.call("GET", "/v1/billing/ledger", mine)
                             .json()["data"]["entries"]), 1)
        usage = self.tollgate.call("GET", "/v1/billing/usage", mine, headers={"Accept": "text/csv"})
        self.assertEqual(usage.body, b"start,credits,calls\r\n")
        for method, path, status in (("GET", "/holds", 404), ("GET", "/orgs/c-2/balance", 404),
                                     ("GET", "", 404), ("POST", "/balance", 405)):
            self.assertEqual(self.tollgate.call(method, f"/v1/billing{path}", mine).status, status)
        self.assertEqual(self.tollgate.call("GET", "/v1/billing/balance").status, 401)
        self.assertEqual(self.tollgate.call("GET", "/v1/billing/balance", ADMIN_TOKEN).status, 401)
        self.assertEqual(self.upstream.stats()["requests"], before, "nothing of that was forwarded")
        self.assertEqual(self.admin.balance("c-1")["available"], 50, "or charged")


class Metrics(AdminTest):
    SAMPLE = re.compile(r'^([a-z_:]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)*)\})? (\S+)$')

    def scrape(self, accept="application/openmetrics-text"):
        return self.get("/metrics", Accept=accept)

    def samples(self):
        found = {}
        for line in self.scrape().body.decode().splitlines():
            if not line.startswith("#"):
                name, labels, value = self.SAMPLE.match(line).groups()
                found[name, labels or ""] = float(value)
        return found

    def test_openmetrics_to_the_letter(self):
        reply = self.scrape()
        self.assertEqual(reply.headers["content-type"],
                         "application/openmetrics-text; version=1.0.0; charset=utf-8")
        text = reply.body.decode()
        self.assertTrue(text.endswith("# EOF\n"))
        family = kind = None
        seen = set()
        for line in text.removesuffix("# EOF\n").splitlines():
            if line.startswith("# TYPE "):
                _, _, family, kind = line.split(" ")
                self.assertNotIn(family, seen, "a family stands in one place")
                seen.add(family)
                self.assertFalse(family.endswith("_total"), family)
            elif line.startswith("#"):
                self.assertEqual(line.split(" ")[2], family)
                if line.startswith("# UNIT"):
                    self.assertTrue(family.endswith("_" + line.split(" ")[3]))
            else:
                name, _, value = self.SAMPLE.match(line).groups()
                suffixes = {"counter": ["_total"], "gauge": [""], "info": ["_info"],
                            "histogram": ["_bucket", "_count", "_sum"]}[kind]
                self.assertIn(name, [family + suffix for suffix in suffixes])
                float(value)

    def test_the_older_text(self):
        reply = self.scrape("text/plain;version=0.0.4")
        self.assertEqual(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        self.assertIn(b"# TYPE tollgate_requests_total counter", reply.body)

    def test_what_calls_leave_behind(self):
        key = self.admin.new_customer("m-1", credits=10)
        before = self.samples()
        self.assertEqual(self.tollgate.chat(key).status, 200)
        self.assertEqual(self.tollgate.chat(key).status, 402)
        self.assertEqual(self.tollgate.call("GET", "/nowhere", key).status, 404)
        self.settled_balance(self.tollgate, "m-1")

        def growth():
            after = self.samples()
            return {key: value - before.get(key, 0) for key, value in after.items()
                    if value != before.get(key, 0)}
        # Each is counted when it has ended, which may be a moment after its answer.
        last = {("tollgate_credits_settled_total", 'action="llm"'),
                ("tollgate_refusals_total", 'route="",code="no_route"'),
                ("tollgate_refusals_total", 'route="chat-gpt-4",code="insufficient_credits"')}
        grown = wait_until(lambda: now if last <= set(now := growth()) else None, "the counters")
        self.assertEqual(grown["tollgate_credits_held_total", 'action="llm"'], 10)
        self.assertEqual(grown["tollgate_credits_settled_total", 'action="llm"'], 10)
        self.assertEqual(grown["tollgate_requests_total",
                               'route="chat-gpt-4",status="2xx",end="accepted"'], 1)
        self.assertEqual(grown["tollgate_refusals_total",
                               'route="chat-gpt-4",code="insufficient_credits"'], 1)
        self.assertEqual(grown["tollgate_refusals_total", 'route="",code="no_route"'], 1)
        self.assertGreaterEqual(grown["tollgate_request_overhead_seconds_count", ""], 2)


class StoreAway(StackTest):
    def test_503_while_the_store_is_away_and_on_again_after(self):
        redis = self.start(Redis(self.directory, "redis-away"))
        config = configuration(redis.url, self.upstream.address)
        tollgate = self.start(Tollgate(self.directory, config, "store-away"))
        tollgate.admin.put_org("s-1")
        redis.stop()
        reply = wait_until(lambda: (r := tollgate.admin.request("GET", "/orgs/s-1/balance")).status
                           == 503 and r, "the outage to be seen")
        self.assertEqual(reply.error_code, "ledger_unavailable")
        self.assertIn("retry-after", reply.headers)
        reply = call(tollgate.admin.address, "GET", "/readyz")
        self.assertEqual((reply.status, reply.json()["store"]), (503, "unavailable"))
        self.assertEqual(call(tollgate.admin.address, "GET", "/healthz").status, 200)
        self.start(Redis(self.directory, "redis-away"))
        wait_until(tollgate.is_ready, "the store to be found again")
        self.assertEqual(tollgate.admin.request("PUT", "/orgs/s-2", {}).status, 201)
