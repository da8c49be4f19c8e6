"""A failed start: status 1, one message that describes the fault, and no process left running."""
import fcntl
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from support.certificates import Authority
from support.process import Redis, free_port, wait_until
from support.tollgate import ADMIN_TOKEN, BINARY, Tollgate, configuration

STRIPE = {"secret_key": "sk_test", "webhook_secret": "whsec_test"}


def processes_that_name(text):
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(text) in command:
            found.append(command)
    return found


class StartTest(unittest.TestCase):
    def setUp(self):
        self.directory = Path(tempfile.mkdtemp(prefix="tg-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.busy = socket.socket()
        self.addCleanup(self.busy.close)
        self.busy.bind(("127.0.0.1", 0))
        self.busy.listen()
        self.in_use = f"127.0.0.1:{self.busy.getsockname()[1]}"

    def configured(self, store=None, **changes):
        config = configuration(store or f"embedded:{self.directory}/store", "127.0.0.1:1", **changes)
        path = self.directory / "tollgate.yaml"
        path.write_text(json.dumps(config, indent=1))
        return path

    def run_to_its_end(self, config, **options):
        return subprocess.run([BINARY, "run", "--config", config], text=True, capture_output=True, timeout=120,
                              **options)

    def assert_fails(self, message, checked=None, **changes):
        """The start fails, reports it in one line with the place in the file, and stops everything that it has started.
        `tollgate check` says the same, or `checked` ("": nothing)."""
        config = self.configured(**changes)
        done = self.run_to_its_end(config)
        self.assertEqual(done.returncode, 1, done.stderr)
        bad = [line for line in done.stderr.splitlines() if " info " not in line and " warning " not in line]
        self.assertEqual(len(bad), 1, done.stderr)
        self.assertRegex(bad[0], r"^\S+Z error cannot start: ")
        self.assert_at_its_key(bad[0].split(" error cannot start: ")[1], config, message)
        self.assertEqual(processes_that_name(self.directory), [])
        expected = message if checked is None else checked
        done = self.check(config)
        self.assertEqual(done.returncode, 1 if expected else 0, done.stderr)
        if expected:
            [said] = done.stderr.splitlines()
            self.assert_at_its_key(said, config, expected)

    def check(self, config, *more):
        return subprocess.run([BINARY, "check", "--config", config, *more], text=True, capture_output=True, timeout=60)

    def assert_at_its_key(self, said, config, message):
        """`said` is FILE:LINE:COLUMN: MESSAGE, at the value of the key with which the message begins."""
        found = re.fullmatch(re.escape(str(config)) + r"(?::(\d+):(\d+))?: (.*)", said)
        self.assertTrue(found, said)
        self.assertEqual(found[3], message)
        key = message.split(": ")[0].split(".")[-1]
        self.assertTrue(found[1], said)
        line = config.read_text().splitlines()[int(found[1]) - 1]
        self.assertIn(f'"{key}": ', line[:int(found[2])], said)


class Addresses(StartTest):
    def test_each_listener(self):
        taken = f"{self.in_use}: Address already in use"
        for key, changes in (
                ("listen", {"listen": self.in_use}),
                ("admin.listen", {"admin": {"listen": self.in_use, "token": ADMIN_TOKEN}}),
                ("metrics.listen", {"metrics": {"listen": self.in_use}}),
                ("payments.stripe.listen", {"payments": {"stripe": {**STRIPE, "listen": self.in_use}}})):
            with self.subTest(key):  # a check beside the one that serves is not a fault
                self.assert_fails(f"{key}: {taken}", checked="", **changes)

    def test_an_address_of_another_machine(self):
        foreign = "192.0.2.1:8080"
        no = f"{foreign}: Cannot assign requested address"
        self.assert_fails(f"listen: {no}", listen=foreign)
        self.assert_fails(f"admin.listen: {no}", admin={"listen": foreign, "token": ADMIN_TOKEN})
        self.assert_fails(f"metrics.listen: {no}", metrics={"listen": foreign})
        self.assert_fails(f"payments.stripe.listen: {no}", payments={"stripe": {**STRIPE, "listen": foreign}})

    def test_a_unix_socket(self):
        self.assert_fails("listen: unix:/nonexistent/s: No such file or directory", listen="unix:/nonexistent/s")
        (self.directory / "file").touch()
        self.assert_fails(f"listen: unix:{self.directory}/file: the file exists and is no socket",
                          listen=f"unix:{self.directory}/file")

    def test_all_that_can_be_started_is(self):
        """With a journal, an archive and Stripe's events, so that every thread runs."""
        self.assert_fails(
            f"listen: {self.in_use}: Address already in use", checked="", listen=self.in_use,
            journal=f"{self.directory}/journal", archive={"files": f"{self.directory}/archive"},
            payments={"stripe": {**STRIPE, "listen": f"127.0.0.1:{free_port()}"}})

    def test_one_that_serves_loses_no_connection_to_another(self):
        """A second Tollgate with the same configuration gives up before it listens at the first one's address."""
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        first = Tollgate(str(self.directory), configuration(redis.url, "127.0.0.1:1"), "first")
        self.addCleanup(first.stop)
        done = self.run_to_its_end(first.config_path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f": admin.listen: {first.admin.address}: Address already in use", done.stderr)


class Files(StartTest):
    def test_a_certificate(self):
        made = Authority(self.directory, "authority")
        certificate, key = made.issue("right", "IP:127.0.0.1")
        _, other_key = made.issue("other", "IP:127.0.0.1")
        nonsense = self.directory / "nonsense.pem"
        nonsense.write_text("nonsense")
        missing = self.directory / "missing.pem"
        for named, given, problem in (
                ("certificate", (missing, key), f"{missing}: No such file or directory"),
                ("certificate", (nonsense, key), f"{nonsense}: no start line (PEM routines)"),
                ("key", (certificate, missing), f"{missing}: No such file or directory"),
                ("key", (certificate, nonsense), f"{nonsense}: unsupported (DECODER routines)"),
                ("key", (certificate, other_key), f"{other_key}: key values mismatch (x509 certificate routines)")):
            with self.subTest(named=named, problem=problem):
                self.assert_fails(f"tls.{named}: {problem}",
                                  tls={"certificate": str(given[0]), "key": str(given[1])})

    def test_a_journal_of_another_or_of_nobody(self):
        self.assert_fails("journal: /dev/null/journal: cannot make the directory: Not a directory",
                          journal="/dev/null/journal")
        self.assert_fails("journal: /dev/null: cannot make the directory: Not a directory", journal="/dev/null")
        journal = self.directory / "journal"
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        first = Tollgate(str(self.directory), configuration(redis.url, "127.0.0.1:1", journal=str(journal)), "first")
        self.addCleanup(first.stop)
        done = self.run_to_its_end(self.configured(journal=str(journal)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f": journal: {journal}: another Tollgate (pid {first.pid})", done.stderr)

    def test_certificates_of_others(self):
        missing = "/nonexistent.pem"
        self.assert_fails(f"upstreams.far.ca_file: {missing}: No such file or directory",
                          upstreams={"sample": {"url": "http://127.0.0.1:1"},
                                     "far": {"url": "https://127.0.0.1:1", "ca_file": missing}})
        self.assert_fails(f"webhooks.ca_file: {missing}: No such file or directory", webhooks={"ca_file": missing})
        self.assert_fails(f"payments.stripe.ca_file: {missing}: No such file or directory", payments={
            "stripe": {**STRIPE, "url": "https://127.0.0.1:1", "ca_file": missing}})
        self.assert_fails(f"payments.webhook.ca_file: {missing}: No such file or directory", payments={
            "webhook": {"url": "https://127.0.0.1:1", "secret": "s" * 32, "ca_file": missing}})

    def test_an_access_log_that_cannot_be_written(self):
        self.assert_fails("log.access: /dev/null/access.log: Not a directory", log={"access": "/dev/null/access.log"})


    def test_an_embedded_store_that_has_no_directory(self):
        self.assert_fails("store: embedded store /dev/null/store: cannot make the directory: Not a directory",
                          checked="store: /dev/null/store: cannot make the directory: Not a directory",
                          store="embedded:/dev/null/store")

    def test_an_archive_that_has_no_directory(self):
        self.assert_fails("archive.files: /dev/null/archive: cannot make the directory: Not a directory",
                          archive={"files": "/dev/null/archive"})

    def test_a_spool_that_has_no_directory_is_only_warned_of(self):
        for directory, why in (("/nonexistent", "No such file or directory"), ("/dev/null", "Not a directory")):
            done = self.check(self.configured(audio={"spool": {"directory": directory}}))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f": warning: audio.spool.directory: {directory}: {why}", done.stderr)


class Check(StartTest):
    """`tollgate check` opens what `run` opens, reports all of it, and changes nothing."""

    def everything_wrong(self):
        return self.configured(
            store="embedded:/dev/null/store", listen="192.0.2.1:80", journal="/dev/null/journal",
            tls={"certificate": "/nonexistent.pem", "key": "/nonexistent.key"}, log={"access": "/dev/null/log"},
            archive={"files": "/dev/null/archive"}, webhooks={"ca_file": "/nonexistent.pem"})

    def test_all_problems_at_once(self):
        config = self.everything_wrong()
        done = self.check(config)
        self.assertEqual(done.returncode, 1)
        keys = [re.fullmatch(re.escape(str(config)) + r":\d+:\d+: ([a-z_.]+): .*", line)[1]
                for line in done.stderr.splitlines()]
        self.assertEqual(sorted(keys), ["archive.files", "journal", "listen", "log.access", "store",
                                        "tls.certificate", "webhooks.ca_file"])

    def test_the_file_alone_for_another_machine(self):
        done = self.check(self.everything_wrong(), "--only-file")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_nothing_is_made(self):
        done = self.check(self.configured(
            journal=f"{self.directory}/journal", archive={"files": f"{self.directory}/archive"},
            log={"access": f"{self.directory}/access.log"}, listen=f"unix:{self.directory}/s"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([path.name for path in self.directory.iterdir()], ["tollgate.yaml"])

    def test_beside_one_that_serves(self):
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        config = configuration(redis.url, "127.0.0.1:1", journal=f"{self.directory}/journal",
                               listen=f"unix:{self.directory}/s", metrics={"listen": f"127.0.0.1:{free_port()}"})
        first = Tollgate(str(self.directory), config, "first")
        self.addCleanup(first.stop)
        done = self.check(first.config_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.directory / "s").exists())


class Pipes(StartTest):
    def test_a_configuration_from_a_pipe_is_read_once(self):
        """Also if a message needs the place of a key in it."""
        config = self.configured(audio={"spool": {"directory": "/nonexistent"}}, listen=self.in_use)
        text = config.read_text()
        config.unlink()
        os.mkfifo(config)
        with subprocess.Popen([BINARY, "run", "--config", config], text=True, stderr=subprocess.PIPE) as started:
            config.write_text(text)
            self.assertEqual(started.wait(30), 1)
            self.assertIn(f"{config}: listen: {self.in_use}: Address already in use", started.stderr.read())


class Signals(StartTest):
    """A signal during the start is no crash: it waits, or ends the start in order."""

    def start(self, config, **environment):
        log = open(self.directory / "log", "w+")
        self.addCleanup(log.close)
        started = subprocess.Popen([BINARY, "run", "--config", config], stdout=subprocess.DEVNULL, stderr=log,
                                   env={**os.environ, **environment})
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        return started

    def log(self):
        return (self.directory / "log").read_text()

    def start_behind_an_older_server(self):
        """The start waits for the lock of an embedded server, which the test holds."""
        store = self.directory / "store"
        store.mkdir()
        older = open(store / "server.lock", "w")
        self.addCleanup(older.close)
        fcntl.flock(older, fcntl.LOCK_EX)
        started = self.start(self.configured(journal=f"{self.directory}/journal"))
        wait_until(lambda: (store / "lock").exists() and (store / "lock").read_text(), "the directory to be taken")
        return started, older

    def test_a_reload_waits_for_the_end_of_the_start(self):
        started, older = self.start_behind_an_older_server()
        for _ in range(3):
            started.send_signal(signal.SIGHUP)
        with self.assertRaises(subprocess.TimeoutExpired):
            started.wait(0.3)
        self.assertNotIn("configuration reloaded", self.log())
        older.close()
        wait_until(lambda: "configuration reloaded" in self.log(), "the reload")
        self.assertLess(self.log().index(" serves "), self.log().index("configuration reloaded"))
        started.terminate()
        self.assertEqual(started.wait(30), 0, self.log())

    def test_a_stop_does_not_wait_for_an_older_server(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                started, older = self.start_behind_an_older_server()
                started.send_signal(number)
                self.assertEqual(started.wait(30), 0, self.log())
                self.assertIn("stopped before it served: ", self.log())
                self.assertNotIn(" error ", self.log())
                older.close()
                shutil.rmtree(self.directory / "store")

    def test_a_stop_does_not_wait_for_a_server_that_is_still_starting(self):
        slow = self.directory / "bin" / "redis-server"
        slow.parent.mkdir()
        slow.write_text("#!/bin/sh\nexec sleep 1000\n")
        slow.chmod(0o755)
        started = self.start(self.configured(), PATH=f"{slow.parent}:{os.environ['PATH']}")
        children = Path(f"/proc/{started.pid}/task")
        wait_until(lambda: any((each / "children").read_text() for each in children.iterdir()), "the server's process")
        started.terminate()
        self.assertEqual(started.wait(30), 0, self.log())
        self.assertIn("it was still starting", self.log())

    def test_a_stop_at_the_first_moment_of_service(self):
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        config = self.configured(store=redis.url, threads=4)
        for _ in range(10):
            with subprocess.Popen([BINARY, "run", "--config", config], text=True, stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL) as process:
                said = []
                for line in process.stderr:
                    said.append(line)
                    if " serves " in line:
                        process.terminate()
                self.assertEqual(process.wait(30), 0, said)
                self.assertIn("draining", "".join(said))

    def test_a_reload_at_any_moment_of_the_start(self):
        """From the reading of the file on: a FIFO says when that is."""
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        config = self.configured(store=redis.url)
        text = config.read_text()
        config.unlink()
        os.mkfifo(config)
        started = self.start(config)
        with open(config, "w") as writer:  # it opens when Tollgate has opened it
            started.send_signal(signal.SIGHUP)
            config.rename(self.directory / "fifo")
            config.write_text(text)  # for the reload
            writer.write(text)
        wait_until(lambda: "configuration reloaded" in self.log(), "the reload")
        started.terminate()
        self.assertEqual(started.wait(30), 0, self.log())


class Descriptors(StartTest):
    """Fewer and fewer descriptors make one step of the start after the other fail."""

    def test_none_ends_by_a_signal(self):
        redis = Redis(str(self.directory))
        self.addCleanup(redis.stop)
        listen = f"127.0.0.1:{free_port()}"
        config = self.configured(store=redis.url, listen=listen, journal=f"{self.directory}/journal",
                                 archive={"files": f"{self.directory}/archive"},
                                 payments={"stripe": {**STRIPE, "listen": f"127.0.0.1:{free_port()}"}})
        messages = set()
        for descriptors in range(4, 200):
            def limited(most=descriptors):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            with subprocess.Popen([BINARY, "run", "--config", config], text=True, stderr=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, preexec_fn=limited) as process:
                said = []
                for line in process.stderr:
                    said.append(line)
                    if " serves " in line:
                        process.terminate()
                status = process.wait(60)
            if any(" serves " in line for line in said):
                break
            self.assertEqual(status, 1, (descriptors, said))
            [message] = [line.split(" error ", 1)[1] for line in said
                         if " error " in line and " error store: " not in line]  # it may not open a connection either
            messages.add(message)
        else:
            self.fail("it never starts")
        self.assertGreater(len(messages), 5, messages)
