"""The admin API from a shell, and `verify`."""
import os
import subprocess
from decimal import Decimal

from support.http import parse_json
from support.process import free_port, keep_clear_of
from support.stack import StackTest
from support.tollgate import ADMIN_TOKEN, BINARY


class CommandTest(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plans = {"starter": {"credits": 20000}, "sold": {"credits": 10, "overage_usd": 0.01}}
        cls.tollgate = cls.start_tollgate(plans=plans)

    def run_command(self, *arguments, status=0, env=None):
        done = subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=60,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def tg(self, *arguments, status=0):
        return self.run_command(*arguments, "--config", self.tollgate.config_path, status=status)

    def json(self, *arguments):
        return parse_json(self.tg(*arguments, "--json").stdout)


class CommandLine(CommandTest):
    def test_an_account_from_creation_to_revocation(self):
        keep_clear_of("day", 60)  # its usage is one row, of this month
        self.tg("org", "create", "acme")
        self.assertIn("exists", self.tg("org", "create", "acme", status=1).stderr)
        self.tg("org", "set", "acme", "--mode", "shadow")
        self.assertEqual(self.json("org", "show", "acme")["mode"], "shadow")
        self.tg("org", "set", "acme", "--mode", "enforce")
        self.tg("org", "suspend", "acme")
        self.assertTrue(self.json("org", "show", "acme")["suspended"])
        self.tg("org", "resume", "acme")

        made = self.json("key", "create", "acme", "--note", "shell")
        shown = self.tg("key", "create", "acme").stdout
        self.assertRegex(shown.splitlines()[0], r"^tg_[A-Za-z0-9_-]{43}$")
        self.assertIn("shell", self.tg("key", "list", "acme").stdout)

        self.tg("grant", "acme", "100.5", "--idempotency-key", "g1", "--note", "hello")
        self.tg("grant", "acme", "100.5", "--idempotency-key", "g1", "--note", "hello")
        self.tg("grant", "acme", "-0.5", "--kind", "correction")
        balance = self.tg("balance", "acme").stdout
        self.assertRegex(balance, r"(?m)^available +100$")
        self.assertEqual(self.tollgate.chat(made["key"]).status, 200)
        self.settled_balance(self.tollgate, "acme")

        usage = self.tg("usage", "acme", "--group-by", "model,action").stdout
        self.assertRegex(usage, r"(?m)^\S+ +gpt-4 +llm +1 +10 +1 +request$")
        self.assertIn("10 credits in 1 calls", usage)
        usage = self.tg("usage", "acme", "--time-zone", "Europe/Berlin", "--agent", "nobody").stdout
        self.assertIn("0 credits in 0 calls", usage)
        self.assertRegex(self.tg("projection", "acme").stdout, r"(?m)^used so far +10$")
        ledger = self.tg("ledger", "acme").stdout
        self.assertEqual([line.split()[2] for line in ledger.splitlines()[1:]],
                         ["grant", "grant", "reserve", "settle"])
        page = self.tg("ledger", "acme", "--limit", "1")
        self.assertRegex(page.stderr, r"more: --after \d+-\d+")
        self.assertEqual(self.tg("holds", "acme").stdout, "none\n")
        self.assertRegex(self.tg("verify", "acme").stdout, r"^acme: ok, 4 entries, available 90\n$")

        self.tg("key", "revoke", "acme", made["id"])
        self.assertIsNotNone(next(key for key in self.json("key", "list", "acme")["keys"]
                                  if key["id"] == made["id"])["revoked_at"])

    def test_a_plan_its_options_and_its_statement(self):
        shown = self.tg("org", "create", "plan", "--plan", "starter", "--anchor", "2026-01-31",
                        "--overage", "off", "--spend-cap", "50.25", "--critical-overdraft", "7.5",
                        "--limit", "agent=a1:500/day", "--limit", "key=*:0.5/hour").stdout
        self.assertRegex(shown, r"(?m)^plan +starter$")
        self.assertIn("limit of agent a1: 500 credits per day\n", shown)
        org = self.json("org", "show", "plan")
        self.assertEqual((org["cycle"]["anchor_day"], org["overage"], org["spend_cap_usd"],
                          org["critical_overdraft_credits"]),
                         (31, False, Decimal("50.25"), Decimal("7.5")))
        self.assertEqual(org["limits"], [{"agent": "a1", "credits": 500, "per": "day"},
                                         {"key": "*", "credits": Decimal("0.5"), "per": "hour"}])
        self.tg("org", "set", "plan", "--no-limits", "--spend-cap", "none", "--overage", "on")
        org = self.json("org", "show", "plan")
        self.assertEqual((org["limits"], org["spend_cap_usd"], org["overage"]), ([], None, True))

        self.tg("grant", "plan", "5", "--kind", "promotion", "--expires", "2100-01-01")
        balance = self.tg("balance", "plan").stdout
        self.assertRegex(balance, r"(?m)^available +20005$")
        self.assertRegex(balance, r"(?m)^allocation:0 +allocation +20000 +20000 +\S+ +no$")
        statement = self.tg("statement", "plan").stdout
        self.assertRegex(statement, r"\AStatement of plan for \d{4}-\d\d: ")
        self.assertRegex(statement, r"(?m)^Allocation of the plan +20000$")
        self.assertRegex(statement, r"(?m)^Closing balance +20005$")
        month = self.json("statement", "plan")["month"]
        self.assertEqual(self.tg("statement", "plan", month).stdout, statement)
        self.assertIn("closing,,,,,,,,,20005\n", self.tg("statement", "plan", month, "--csv").stdout)
        self.assertIn("starter", self.tg("statement", "plan", "--all").stdout)

    def test_alerts(self):
        shown = self.tg("org", "create", "alerted", "--plan", "starter", "--alert", "50%", "--alert",
                        "spend-cap=90%", "--alert", "credits=1000.5", "--alert", "agent=a1:20%",
                        "--alert", "key=*:500").stdout
        for line in ("alert at 50% of the credits", "alert at 90% of the spend cap",
                     "alert at 1000.5 credits", "alert of agent a1: at 20% of the credits",
                     "alert of key *: at 500 credits"):
            self.assertIn(line + "\n", shown)
        given = [50, {"spend_cap_percent": 90}, {"credits": Decimal("1000.5")},
                 {"agent": "a1", "percent": 20}, {"key": "*", "credits": 500}]
        self.assertEqual(self.json("org", "show", "alerted")["alerts"], given)
        self.tg("org", "set", "alerted", "--mode", "shadow")
        self.assertEqual(self.json("org", "show", "alerted")["alerts"], given)
        self.tg("org", "set", "alerted", "--alert", "80%")
        self.assertEqual(self.json("org", "show", "alerted")["alerts"], [80])
        self.assertNotIn("alert ", self.tg("org", "set", "alerted", "--no-alerts").stdout)
        self.assertEqual(self.json("org", "show", "alerted")["alerts"], [])

    def test_top_ups(self):
        self.tg("org", "create", "topup", "--plan", "sold")
        self.assertEqual(self.tg("top-up", "list", "topup").stdout, "none\n")
        bought = [self.json("top-up", "buy", "topup", "10.5", "--idempotency-key", "p1")
                  for _ in range(2)]
        self.assertEqual(bought[0], bought[1])
        self.assertEqual((bought[0]["id"], bought[0]["credits"]), ("p1", 1050))
        self.assertRegex(self.tg("top-up", "list", "topup").stdout, r"(?m)^p1 +requested +10\.5 ")
        self.tg("top-up", "decline", "topup", "p1")
        self.tg("top-up", "confirm", "topup", "p1")
        self.assertIn("cannot be declined", self.tg("top-up", "decline", "topup", "p1", status=1).stderr)
        self.assertEqual(self.json("balance", "topup")["available"], 1060)
        self.tg("org", "set", "topup", "--auto-top-up", "1000:20")
        self.assertEqual(self.json("org", "show", "topup")["auto_top_up"],
                         {"threshold_credits": 1000, "amount_usd": 20})
        self.tg("org", "set", "topup", "--auto-top-up", "1000:20:fill")
        self.assertEqual(self.json("org", "show", "topup")["auto_top_up"],
                         {"threshold_credits": 1000, "amount_usd": 20, "fill": True})
        self.tg("org", "set", "topup", "--auto-top-up", "off")
        self.assertEqual(self.json("org", "show", "topup")["auto_top_up"], None)

    def test_events_as_they_happen(self):
        self.tg("org", "create", "followed", "--plan", "starter")
        key = self.json("key", "create", "followed")["key"]
        self.assertIn("no such organization", self.tg("events", "nobody", status=1).stderr)
        self.assertIn("last_event_id", self.tg("events", "followed", "--after", "x", status=1).stderr)
        lines = {}
        for flags in ((), ("--json",)):
            with subprocess.Popen([BINARY, "events", "followed", *flags, "--config", self.tollgate.config_path],
                                  text=True, stdout=subprocess.PIPE) as follower:
                try:
                    lines[flags] = [follower.stdout.readline()]
                    self.tollgate.chat(key)
                    while "usage" not in lines[flags][-1]:
                        lines[flags].append(follower.stdout.readline())
                finally:
                    follower.kill()
        self.assertRegex(lines[()][0], r"^\d{4}-.*Z balance available=20000 held=0")
        self.assertRegex(lines[()][-1], r"^\d{4}-.*Z usage credits=10 calls=1\n$")
        last = parse_json(lines[("--json",)][-1])
        self.assertEqual((last["event"], last["data"]["data"]), ("usage", {"credits": 10, "calls": 1}))

    def test_many_organizations(self):
        names = [f"many-{i:04}" for i in range(30)]
        for name in names:
            self.tollgate.admin.put_org(name)
        self.assertLessEqual(set(names), {org["id"] for org in self.json("org", "list")})
        self.assertLessEqual(set(names), {line.split(":")[0]
                                          for line in self.tg("verify").stdout.splitlines()})

    def test_errors_say_what_to_do(self):
        self.tollgate.admin.put_org("err")
        for arguments, status, hint in (
                (["org", "show", "nobody"], 1, "no such organization"),
                (["org", "set", "err", "--plan", "strater"], 1, 'did you mean "starter"'),
                (["grant", "err", "many"], 2, "decimal"),
                (["grant", "err", "-5"], 1, "correction"),
                (["grant", "err", "5", "--kind", "gift"], 1, "purchase, promotion or correction"),
                (["key", "revoke", "err", "key_x"], 1, "no such key"),
                (["org", "set", "err", "--overage", "yes"], 2, "on or off"),
                (["org", "set", "err", "--limit", "a1:500"], 2, "agent=a1:500/day"),
                (["org", "set", "err", "--limit", "agnet=a1:5/day"], 1, 'did you mean "agent"'),
                (["org", "set", "err", "--alert", "50"], 2, "credits=1000"),
                (["org", "set", "err", "--alert", "agnet=a1:5%"], 1, 'did you mean "agent"'),
                (["org", "set", "err", "--alert", "101%", "--alert", "spend-cap=101%"], 1, "must be 1 to 100"),
                (["org", "set", "err", "--spend-cap", "lots"], 1, "number of dollars"),
                (["org", "set", "err", "--auto-top-up", "5:10"], 1, "without a plan"),
                (["statement", "err", "1999-01"], 1, "no cycle of this organization"),
                (["top-up", "buy", "err", "10"], 1, "no price per credit"),
                (["top-up", "confirm", "err", "x"], 1, "no such top-up"),
                (["usage", "err", "--from", "yesterday"], 1, "2026-01-31"),
                (["verify", "nobody"], 1, "no such organization: nobody"),
                (["org"], 2, "subcommand"), (["balance"], 2, "ORG")):
            with self.subTest(arguments=arguments):
                self.assertIn(hint, self.tg(*arguments, status=status).stderr)

    def test_where_tollgate_is(self):
        self.tollgate.admin.put_org("where")
        url = f"http://{self.tollgate.admin.address}"
        token = {"TOLLGATE_ADMIN_TOKEN": ADMIN_TOKEN}
        self.run_command("org", "show", "where", "--admin", url, env=token)
        self.run_command("org", "show", "where", env={"TOLLGATE_ADMIN_URL": url, **token})
        wrong = self.run_command("org", "show", "where", "--admin", url, status=1,
                                 env={"TOLLGATE_ADMIN_TOKEN": "wrong"})
        self.assertIn("TOLLGATE_ADMIN_TOKEN", wrong.stderr)
        nobody = self.run_command("org", "list", "--admin", f"http://127.0.0.1:{free_port()}",
                                  status=1, env=token)
        self.assertIn("Is Tollgate running there?", nobody.stderr)
        for url in ("https://127.0.0.1:1", "127.0.0.1:8081", "http://127.0.0.1:1/admin"):
            self.run_command("org", "list", "--admin", url, status=2, env=token)
        missing = self.run_command("balance", "where", "--config", "/nonexistent.yaml", status=2)
        self.assertIn("/nonexistent.yaml", missing.stderr)

    def test_verify_finds_what_is_off(self):
        self.tollgate.admin.new_customer("off", credits=100)
        self.assertIn("off: ok", self.tg("verify", "off").stdout)
        account = "tollgate:{off}:account"
        granted = int(self.redis.command("HGET", account, "granted"))
        self.redis.command("HSET", account, "granted", granted + 1)
        found = self.tg("verify", "off", status=1)
        self.assertIn("off: WRONG", found.stdout)
        self.assertIn("granted: recorded 100.000001, proven 100", found.stdout)
        self.assertIn("do not add up", found.stderr)
        line = parse_json(self.run_command("verify", "off", "--json", "--config",
                                           self.tollgate.config_path, status=1).stdout)
        self.assertFalse(line["ok"])
        self.tg("verify", status=1)
        self.redis.command("HSET", account, "granted", granted)
        self.tg("verify")

    def test_verify_finds_an_account_without_an_organization(self):
        """As a call leaves it that settles after the store has lost its data."""
        names = [f"stray-{number}" for number in range(3)]
        for name in names:
            self.tollgate.admin.new_customer(name, credits=100)
        for name in names[:2]:
            self.redis.command("ZREM", "tollgate:orgs", name)
            self.redis.command("DEL", "tollgate:{%s}:settings" % name)
        self.redis.command("ZREM", "tollgate:orgs", names[2])  # only the list lacks it
        found = self.tg("verify", status=1)
        for name in names:
            self.assertIn(f"{name}: ok, ", found.stdout)
        self.assertIn("3 accounts are of no organization in the list, as after a loss of the store's data: "
                      + ", ".join(names), found.stderr)
        for name in names:
            self.tollgate.admin.put_org(name)
        self.tg("verify")
        self.redis.command("ACL", "SETUSER", "default", "-scan")
        self.addCleanup(self.redis.command, "ACL", "SETUSER", "default", "+scan")
        self.assertIn("the store's user may not run SCAN", self.tg("verify", status=1).stderr)


class Reports(CommandTest):
    """Books that no ledger could have written: `verify` must not be used on them."""

    def count(self, org, calls):
        """Counters and entries of that many calls, a day apart, by two agents and a caller without a name."""
        for number in range(calls):
            who = "\t".join(["chat", "llm", "gpt-4", ["a", "b", ""][number % 3], "c", "key_1"])
            hour = 490_000 + 24 * number
            self.redis.command("HSET", f"tollgate:{{{org}}}:usage:{hour}", who, "1000000 1 1")
            self.redis.command("XADD", f"tollgate:{{{org}}}:ledger", f"{hour * 3_600_000}-0", "settle",
                               f"1000000 0 0 1 0 0 {number}\tq\t{who}")

    def test_filters_are_what_was_given(self):
        self.tg("org", "create", "filters")
        self.count("filters", 9)
        since = ["usage", "filters", "--from", "2025-11-01", "--to", "2026-06-01"]
        total = lambda *more: self.json(*since, *more)["total"]["calls"]
        self.assertEqual(total(), 9)
        self.assertEqual(total("--agent", "a"), 3)
        self.assertEqual(total("--agent", ""), 3)
        self.assertEqual(total("--agent="), 3)
        self.assertEqual(total("--agent", "a", "--agent", ""), 6)
        self.assertEqual(total("--agent", "a", "--agent", "b", "--key", "key_1"), 6)
        self.assertEqual(total("--agent", "a", "--key", "key_2"), 0)
        self.assertEqual(total("--granularity", "", "--time-zone", ""), 9)
        self.tg(*since, "--from", "2025-12-01", status=2)

    def test_csv_is_all_of_it(self):
        self.tg("org", "create", "sheets")
        calls = 1203
        self.count("sheets", calls)
        ledger = self.tg("ledger", "sheets", "--csv").stdout.splitlines()
        self.assertEqual(ledger[0][:11], "id,at,type,")
        self.assertEqual(len(set(ledger)), 1 + calls)
        usage = self.tg("usage", "sheets", "--from", "2025-11-01", "--to", "2032-11-01", "--group-by", "agent",
                        "--csv").stdout.splitlines()
        self.assertEqual((usage[0].split(",")[:2], len(set(usage))), (["start", "agent"], 1 + calls))
        page = self.tg("ledger", "sheets", "--csv", "--limit", "2")
        self.assertEqual(page.stdout.splitlines(), ledger[:3])
        self.assertIn("more rows", page.stderr)
        self.assertEqual(self.tg("ledger", "sheets", "--csv", "--after", ledger[-2].split(",")[0]).stdout.splitlines(),
                         [ledger[0], ledger[-1]])
        self.assertIn("excludes", self.tg("ledger", "sheets", "--csv", "--json", status=2).stderr)
        self.assertIn("limit", self.tg("ledger", "sheets", "--csv", "--limit", "0", status=1).stderr)
