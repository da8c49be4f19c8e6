"""A customer's key shows nothing of another organization, whatever the request and its form.

The rival has names and amounts that appear nowhere else. Those that the caller did not send itself must
not come back in any header or body, whatever the status. And the requests change nothing: the rival's
account is the same afterwards, byte for byte.
"""
import hashlib
from urllib.parse import unquote

from support.http import RawConnection
from support.isolation_cases import GROUPS
from support.process import keep_clear_of, wait_until
from support.stack import StackTest

PLANS = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10}}
ACCOUNT = ("balance", "ledger", "usage?group_by=agent,conversation,key,model&granularity=total", "holds",
           "grants", "keys", "statements", "top_ups", "projection", "webhooks", "")


class Isolation(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        keep_clear_of("hour", 60)  # a report without an end extends to the end of the hour
        cls.tollgate = cls.start_tollgate(plans=PLANS, threads=1)
        cls.admin = cls.tollgate.admin
        cls.mine = cls.admin.new_customer("bystander", credits=500)
        cls.tollgate.chat(cls.mine, headers={"X-Agent-Id": "own-agent"})
        cls.names = cls.make_rival() | {"MY_KEY": cls.mine, "MINE": "bystander"}

    @classmethod
    def make_rival(cls):
        """An account with a value of every kind; returns the names and values by which it could be known."""
        admin, org = cls.admin, "rival-corp-q7"
        admin.put_org(org, plan="starter", stripe_customer="cus_RivalQ7",
                      limits=[{"agent": "rival-limit-q7", "credits": 500, "per": "day"}])
        admin.grant(org, "987654.321987", idempotency_key="rival-grant-q7", note="rival note q7")
        admin.buy(org, 7654, "rival-top-up-q7")
        made, revoked = admin.create_key(org, note="rival key note q7"), admin.create_key(org)
        key = made["key"]
        who = {"X-Agent-Id": "rival-agent-q7", "X-Conversation-Id": "rival-conversation-q7"}
        for model in ("gpt-4-rival-q7", "gpt-3.5-rival-q7"):
            cls.tollgate.chat(key, model=model, headers=who)
        cls.tollgate.chat(key, headers={"X-Agent-Id": "rival-second-agent-q7"})
        wait_until(lambda: cls.balance_without_holds(cls.tollgate, org), "no hold is left")
        admin.revoke_key(org, revoked["id"])
        webhook = admin.expect_success("POST", f"/orgs/{org}/webhooks",
                                       {"url": "https://rival-hooks-q7.example/in"})
        entry = admin.ledger(org)[-1]["id"]
        usage = admin.expect_success("GET", f"/orgs/{org}/usage?granularity=total&group_by=agent&limit=1")
        return {"RIVAL": org, "AGENT": "rival-agent-q7", "CONVERSATION": "rival-conversation-q7",
                "MODEL": "gpt-4-rival-q7", "KEY_ID": made["id"], "GRANT": "rival-grant-q7",
                "TOP_UP": "rival-top-up-q7", "ENTRY": entry, "ELEMENT": entry.split("-")[0],
                "MONTH": admin.balance(org)["cycle"]["start"][:7], "CURSOR": usage["next_after"],
                "HASH": hashlib.sha256(key.encode()).hexdigest(), "REVOKED_KEY": revoked["key"],
                "WEBHOOK": webhook["id"], "WEBHOOK_SECRET": webhook["secret"],
                "SHORTER_KEY": key[:-1], "LONGER_KEY": key + "x", "UPPER_KEY": key.upper(),
                "SWAPPED_KEY": key.swapcase()}

    def markers(self):
        """Every text that identifies the rival; its amounts consist of digits that nothing else has."""
        amounts = {str(self.admin.balance(self.names["RIVAL"])[name])
                   for name in ("available", "granted")}
        told = [self.names[name] for name in ("RIVAL", "AGENT", "CONVERSATION", "MODEL", "KEY_ID",
                                              "GRANT", "TOP_UP", "ENTRY", "HASH", "REVOKED_KEY",
                                              "SHORTER_KEY", "WEBHOOK", "WEBHOOK_SECRET")]
        return {*told, *amounts, "-q7", "rival note", "cus_RivalQ7", "987654", "382700"}

    def fill_in(self, text):
        for name in sorted(self.names, key=len, reverse=True):
            text = text.replace(name, self.names[name])
        return text

    def ask(self, attempt):
        """Sends the exact bytes of the attempt; returns them and the reply."""
        lines = [f"{attempt.method} {attempt.target} HTTP/1.1", "Host: test"]
        headers = {"Authorization": f"Bearer {attempt.key}"} if attempt.key else {}
        headers |= attempt.headers
        if attempt.method not in ("GET", "DELETE"):
            headers["Content-Length"] = "0"
        sent = self.fill_in("\r\n".join(lines + [f"{n}: {v}" for n, v in headers.items()]))
        address = self.tollgate.address if attempt.listener == "data" else self.admin.address
        with RawConnection(address) as connection:
            connection.send(sent.encode() + b"\r\n\r\n")
            return sent, connection.read_reply()

    def run_group(self, name):
        for number, attempt in enumerate(GROUPS[name]):
            with self.subTest(number=number, attempt=attempt):
                sent, reply = self.ask(attempt)
                self.assertEqual(reply.status, attempt.status, (sent, reply.body))
                came = unquote(repr(reply.headers) + reply.body.decode())
                made_up = reply.headers.get("x-request-id", "")
                if made_up and made_up not in sent:  # random: it may contain the digits of any amount
                    came = came.replace(made_up, "")
                echoed = unquote(sent)  # a message may repeat the faulty part of the request
                for marker in self.markers():
                    if marker in came:
                        self.assertIn(marker, echoed, (sent, came))
                        self.assert_only_echoed(marker, attempt, reply)

    def assert_only_echoed(self, marker, attempt, reply):
        """The contents of a request may be repeated in a message or in the filters, never in a row."""
        if reply.status == 200 and attempt.target.startswith("/v1/billing/"):
            data = reply.json().get("data", {})
            self.assertNotIn(marker, repr(data.get("rows", [])) + repr(data.get("entries", [])))

    def rival_account(self):
        return [self.admin.request("GET", f"/orgs/{self.names['RIVAL']}/{page}".rstrip("/")).body
                for page in ACCOUNT if page != "projection"]

    def setUp(self):
        self.settled_balance(self.tollgate, self.names["RIVAL"])
        self.before = self.rival_account()

    def tearDown(self):
        self.assertEqual(self.rival_account(), self.before, "asking has changed the rival's account")

    def test_by_parameter(self):
        self.run_group("parameters")

    def test_by_path(self):
        self.run_group("paths")

    def test_by_header(self):
        self.run_group("headers")

    def test_by_key_and_listener(self):
        self.run_group("keys")

    def test_that_the_markers_would_be_found(self):
        """The admin sees all of them: a test that searches for the wrong texts proves nothing."""
        seen = unquote(b"".join(self.admin.request("GET", f"/orgs/{self.names['RIVAL']}/{page}").body
                                for page in ACCOUNT if page).decode())
        seen += self.admin.request("GET", f"/orgs/{self.names['RIVAL']}").body.decode()
        for marker in self.markers() - {self.names[n] for n in
                                        ("HASH", "REVOKED_KEY", "SHORTER_KEY", "WEBHOOK_SECRET")}:
            self.assertIn(marker, seen)

    def test_that_these_are_more_than_fifty_ways(self):
        ways = {(a.method, a.target, a.key, a.listener, *a.headers.items())
                for group in GROUPS.values() for a in group}
        self.assertGreaterEqual(len(ways), 50)
        self.assertEqual(len(ways), sum(map(len, GROUPS.values())), "no way is tried twice")
