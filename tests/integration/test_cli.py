"""The admin API from a shell, and `verify`."""
import os
import subprocess

from support.http import parse_json
from support.process import free_port
from support.stack import StackTest
from support.tollgate import ADMIN_TOKEN, BINARY


class CommandLine(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tollgate = cls.start_tollgate()

    def run_command(self, *arguments, status=0, env=None):
        done = subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=60,
                              env={**os.environ, **(env or {})})
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done

    def tg(self, *arguments, status=0):
        return self.run_command(*arguments, "--config", self.tollgate.config_path, status=status)

    def json(self, *arguments):
        return parse_json(self.tg(*arguments, "--json").stdout)

    def test_an_account_from_creation_to_revocation(self):
        self.tg("org", "create", "acme", "--plan", "starter")
        self.assertIn("exists", self.tg("org", "create", "acme", status=1).stderr)
        self.tg("org", "set", "acme", "--mode", "shadow")
        self.assertEqual(self.json("org", "show", "acme")["mode"], "shadow")
        self.tg("org", "set", "acme", "--mode", "enforce", "--plan", "none")
        self.assertEqual(self.json("org", "show", "acme")["plan"], None)
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
        self.assertRegex(usage, r"(?m)^\S+ +gpt-4 +llm +1 +10$")
        self.assertIn("10 credits in 1 calls", usage)
        ledger = self.tg("ledger", "acme").stdout
        self.assertEqual([line.split()[2] for line in ledger.splitlines()[1:]],
                         ["grant", "grant", "reserve", "settle"])
        page = self.tg("ledger", "acme", "--limit", "1")
        self.assertRegex(page.stderr, r"there is more: --after \d+-\d+")
        self.assertEqual(self.tg("holds", "acme").stdout, "none\n")
        self.assertRegex(self.tg("verify", "acme").stdout, r"^acme: ok, 4 entries, available 90\n$")

        self.tg("key", "revoke", "acme", made["id"])
        self.assertIsNotNone(next(key for key in self.json("key", "list", "acme")["keys"]
                                  if key["id"] == made["id"])["revoked_at"])

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
                (["org", "show", "nobody"], 1, "there is no organization"),
                (["org", "set", "err", "--plan", "strater"], 1, 'did you mean "starter"'),
                (["grant", "err", "many"], 2, "decimal"),
                (["grant", "err", "-5"], 1, "correction"),
                (["grant", "err", "5", "--kind", "gift"], 1, "purchase, promotion or correction"),
                (["key", "revoke", "err", "key_x"], 1, "no such key"),
                (["usage", "err", "--from", "yesterday"], 1, "2026-01-31"),
                (["verify", "nobody"], 1, "there is no organization nobody"),
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
