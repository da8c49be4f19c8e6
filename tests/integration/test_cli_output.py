"""Commands whose output cannot be written say so and end with status 1; unknown commands are named. Every command of
the program is in the table: its list is taken from --help."""
import itertools
import os
import re
import subprocess

from support.audio import wav
from support.http import call
from support.process import wait_until
from support.stack import StackTest
from support.tollgate import BINARY
from support.webhooks import WebhookReceiver, answer

# Each command with arguments that make it print something. ORG is an organization with calls.
COMMANDS = {
    "library": [],
    "check": ["--config", "CONFIG"],
    "explain": ["--config", "CONFIG", "/v1/agents/a/x"],
    "meter": ["WAV"],
    "verify": ["ORG", "--config", "CONFIG"],
    "journal replay": ["--config", "CONFIG", "JOURNAL"],
    "org create": ["NEW"],
    "org set": ["ORG", "--mode", "enforce"],
    "org show": ["ORG"],
    "org list": [],
    "org suspend": ["OTHER"],
    "org resume": ["OTHER"],
    "key create": ["ORG"],
    "key list": ["ORG"],
    "key revoke": ["ORG", "KEY"],
    "grant": ["ORG", "1"],
    "balance": ["ORG"],
    "usage": ["ORG"],
    "projection": ["ORG"],
    "ledger": ["ORG"],
    "holds": ["ORG"],
    "top-up list": ["ORG"],
    "top-up buy": ["ORG", "10"],
    "top-up confirm": ["ORG", "TOP_UP"],
    "top-up decline": ["ORG", "TOP_UP_2"],
    "statement": ["ORG"],
    "plans list": [],
    "plans apply": [],
    "webhook list": ["ORG"],
    "webhook show": ["ORG", "HOOK"],
    "webhook create": ["ORG", "https://example.com/"],
    "webhook set": ["ORG", "HOOK", "--description", "x"],
    "webhook delete": ["ORG", "HOOK"],
    "webhook rotate": ["ORG", "HOOK"],
    "webhook finish-rotation": ["ORG", "HOOK"],
    "webhook retry": ["ORG", "HOOK"],
    "webhook test": ["ORG", "HOOK"],
    "webhook dead-letters": ["ORG", "HOOK"],
    "webhook resend": ["ORG", "HOOK", "EVENT"],
}
EXCEPTED = {
    "run": "serves; a failing access log costs lines and is counted (tollgate_access_log_lost_lines_total)",
    "events": "prints what happens: see test_a_follower_ends",
    "webhook listen": "prints only what it receives: see test_a_listener_ends",
}
NO_ADMIN_API = {"library", "check", "explain", "meter", "verify", "journal replay"}
CANNOT = "tollgate: the output cannot be written: "


def subcommands(*path):
    """The names in the list of subcommands that --help prints, recursively; a command without any is a leaf."""
    text = subprocess.run([BINARY, *path, "--help"], text=True, capture_output=True, timeout=60, check=True).stdout
    _, _, listed = text.partition("Subcommands:\n")
    names = re.findall(r"^  (\S+)", listed, re.M)
    if not names:
        return [" ".join(path)]
    return [leaf for name in names for leaf in subcommands(*path, name)]


class Output(StackTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        plans = {"starter": {"credits": 1000, "overage_usd": 0.01, "top_up_minimum_usd": 1}}
        cls.tollgate = cls.start_tollgate(plans=plans, webhooks={
            "timeout": "1s", "retries": ["0s"], "allow_http": True, "allow_private": True})
        admin = cls.tollgate.admin
        key = admin.new_customer("acme", plan="starter")
        assert cls.tollgate.chat(key).status == 200
        admin.put_org("other")
        with open(f"{cls.directory}/a.wav", "wb") as file:
            file.write(wav(1))
        os.mkdir(f"{cls.directory}/journal")
        for name in ("buy-1", "buy-2"):
            admin.buy("acme", 10, name)
        ids = [each["id"] for each in admin.top_ups("acme")]
        receiver = cls.start(WebhookReceiver())
        receiver.behave = answer("500 Internal Server Error")
        hook = admin.expect_success("POST", "/orgs/acme/webhooks", {"url": receiver.url("x")})["id"]
        admin.buy("acme", 10, "buy-3")
        path = f"/orgs/acme/webhooks/{hook}/dead_letters"
        dead = wait_until(lambda: admin.expect_success("GET", path)["dead_letters"], "a dead letter")
        cls.meant = {"CONFIG": str(cls.tollgate.config_path), "WAV": f"{cls.directory}/a.wav", "ORG": "acme",
                     "JOURNAL": f"{cls.directory}/journal", "OTHER": "other", "TOP_UP": ids[0], "TOP_UP_2": ids[1],
                     "HOOK": hook, "EVENT": dead[0]["event"]["id"]}

    def arguments(self, command, number):
        meant = {**self.meant, "NEW": f"new-{number}"}
        if "KEY" in COMMANDS[command]:
            meant["KEY"] = self.tollgate.admin.create_key("acme")["id"]
        if command == "webhook delete":
            meant["HOOK"] = self.tollgate.admin.expect_success(
                "POST", "/orgs/acme/webhooks", {"url": "https://example.com/"})["id"]
        out = [*command.split(), *(meant.get(each, each) for each in COMMANDS[command])]
        return out if command in NO_ADMIN_API else [*out, "--config", self.tollgate.config_path]

    def test_the_table_is_complete(self):
        self.assertEqual(sorted(subcommands()), sorted({**COMMANDS, **EXCEPTED}))

    def test_a_full_disk(self):
        for number, command in enumerate(COMMANDS):
            with self.subTest(command), open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, *self.arguments(command, number)], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr.splitlines()[-1:]),
                                 (1, [CANNOT + "No space left on device"]), done.stderr)

    def test_a_closed_pipe_and_a_closed_descriptor(self):
        for what, why in (("pipe", "Broken pipe"), ("descriptor", "Bad file descriptor")):
            for command in ("ledger", "library", "check", "verify"):
                with self.subTest(command, what=what):
                    reading, writing = os.pipe()
                    os.close(reading)
                    close = (lambda: os.close(1)) if what == "descriptor" else None
                    done = subprocess.run([BINARY, *self.arguments(command, 100)], stdout=writing, preexec_fn=close,
                                          stderr=subprocess.PIPE, text=True, timeout=60)
                    os.close(writing)
                    self.assertEqual((done.returncode, done.stderr), (1, f"{CANNOT}{why}\n"))

    def test_csv_json_help_and_version(self):
        ledger = ["ledger", "acme", "--config", self.tollgate.config_path]
        for arguments in ([*ledger, "--csv"], [*ledger, "--json"], ["--help"], ["--version"], ["usage", "--help"]):
            with self.subTest(arguments), open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual((done.returncode, done.stderr), (1, f"{CANNOT}No space left on device\n"))

    def test_a_failure_keeps_its_status(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "check", "--config", "/nonexistent"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertNotIn(CANNOT, done.stderr)

    def test_a_follower_ends(self):
        for flags in ([], ["--json"]):
            with open("/dev/full", "w") as full:
                follower = subprocess.Popen([BINARY, "events", "acme", *flags, "--config", self.tollgate.config_path],
                                            stdout=full, stderr=subprocess.PIPE, text=True)
            self.addCleanup(follower.kill)

            def has_ended(count=itertools.count()):
                self.tollgate.admin.buy("acme", 10, f"{flags}-{next(count)}")  # an event
                return follower.poll() is not None
            wait_until(has_ended, "the follower to end", every=0.3)
            self.assertEqual((follower.returncode, follower.stderr.read()), (1, f"{CANNOT}No space left on device\n"))
            follower.stderr.close()

    def test_a_listener_ends(self):
        with open("/dev/full", "w") as full:
            listener = subprocess.Popen([BINARY, "webhook", "listen", "--secret", "whsec_" + "A" * 32], stdout=full,
                                        stderr=subprocess.PIPE, text=True)
        self.addCleanup(listener.kill)
        address = re.search(r"http://(\S+)/", listener.stderr.readline()).group(1)
        call(address, "POST", "/", {"webhook-id": "1"}, b"{}")
        wait_until(lambda: listener.poll() is not None, "the listener to end")
        self.assertEqual((listener.returncode, listener.stderr.read()), (1, f"{CANNOT}No space left on device\n"))
        listener.stderr.close()


class UnknownCommands(StackTest):
    @classmethod
    def setUpClass(cls):
        pass

    def test_they_are_named(self):
        for arguments, expected in (
                (["ledgr", "acme"], 'unknown command "ledgr"; did you mean "ledger"?'),
                (["org", "shwo", "acme"], 'unknown command "org shwo"; did you mean "org show"?'),
                (["frobnicate"], 'unknown command "frobnicate"'),
                (["webhook", "dead-leters", "acme"],
                 'unknown command "webhook dead-leters"; did you mean "webhook dead-letters"?'),
                (["ledger", "acme", "--cvs"], 'unknown option "--cvs" of ledger; did you mean "--csv"?'),
                (["--versoin"], 'unknown option "--versoin"; did you mean "--version"?')):
            with self.subTest(arguments):
                done = subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=60)
                self.assertEqual((done.returncode, done.stdout, done.stderr.splitlines()[:1]),
                                 (2, "", [f"tollgate: {expected}"]))

    def test_every_command_is_suggested_for_a_typing_error(self):
        for command in subcommands():
            *before, last = command.split()
            if len(last) < 3:
                continue
            wrong = last[:-2] + last[-1] + last[-2]
            wrong = wrong if wrong != last else last + "x"
            with self.subTest(command):
                done = subprocess.run([BINARY, *before, wrong], text=True, capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 2)
                self.assertIn(f'unknown command "{" ".join([*before, wrong])}"; did you mean ', done.stderr)

    def test_what_is_missing_is_said(self):
        for arguments, expected in ((["org"], "subcommand"), ([], "subcommand"), (["balance"], "ORG")):
            done = subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2)
            self.assertIn(expected, done.stderr)
