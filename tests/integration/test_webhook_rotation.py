"""A secret is rotated while events are delivered, and receivers that compare for equality refuse none.

The receivers are those in proxy/webhooks/README.md: one in Python, one in Node.js.
"""
import os
import shutil
import socket
import sys
import threading
import unittest
from pathlib import Path

from support.process import Process, free_port, wait_until
from support.webhook_stack import WebhookTest

RECEIVERS = Path(__file__).resolve().parents[2] / "proxy" / "webhooks" / "receivers"
# Debian's own Node.js, where it is installed.
NODE = "/usr/bin/node" if os.path.exists("/usr/bin/node") else shutil.which("node")


class Receiver:
    """A receiver that knows the secrets in its file."""

    def __init__(self, test, name, command):
        self.port = free_port()
        self.file = Path(test.directory) / f"{name}.secrets"
        self.file.write_text("")
        self.process = Process(name, [*command, str(self.port), str(self.file)], test.directory)
        test.addCleanup(lambda: self.process.stop(any_status=True))
        wait_until(self.listens, f"{name} to listen")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def knows(self, *secrets):
        beside = self.file.with_suffix(".new")
        beside.write_text("\n".join(secrets) + "\n")
        beside.replace(self.file)

    def told(self, how):
        """The ids of the events that it accepted or refused."""
        return [line.split()[1] for line in self.process.log().splitlines() if line.startswith(how)]


class Load:
    """Causes events, one after the other, until it ends."""

    def __init__(self, test):
        self.test, self.caused, self.ended = test, 0, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            self.test.cause_events(1, first=self.caused)
            self.caused += 1

    def end(self):
        self.ended.set()
        self.thread.join()


class Rotation(WebhookTest):
    def rotate_under_load(self, receiver):
        endpoint = self.new_endpoint_at(receiver.url)
        old = endpoint["secret"]
        receiver.knows(old)
        load = Load(self)
        self.addCleanup(load.end)

        def more_arrive(what, count=20):
            """Waits until that many events caused from now on have arrived, earlier attempts having ended."""
            wanted = load.caused + count
            wait_until(lambda: len(set(receiver.told("accepted"))) >= wanted, what, 60)

        more_arrive("events before the rotation")
        new = self.post(endpoint, "rotate")["secret"]
        more_arrive("events at a receiver that knows the old secret only")
        receiver.knows(new, old)
        more_arrive("events at a receiver that knows both")
        self.post(endpoint, "finish_rotation")
        more_arrive("events after the rotation")
        receiver.knows(new)
        more_arrive("events at a receiver that knows the new secret only")
        load.end()
        wait_until(lambda: len(set(receiver.told("accepted"))) == load.caused, "the rest", 60)
        self.assertEqual(receiver.told("refused"), [])
        self.assertEqual(len(self.show(endpoint)["secrets"]), 1)

    def new_endpoint_at(self, url):
        self.new_org()
        return self.admin.expect_success("POST", f"/orgs/{self.org}/webhooks",
                                         {"url": url, "events": ["account.top_up_requested"]})

    def test_python(self):
        self.rotate_under_load(Receiver(self, "receive-py", [sys.executable, "-B", str(RECEIVERS / "receive.py")]))

    @unittest.skipUnless(NODE, "no Node.js here (deploy/install-packages.sh clients)")
    def test_node(self):
        self.rotate_under_load(Receiver(self, "receive-mjs", [NODE, str(RECEIVERS / "receive.mjs")]))

    def test_the_old_secret_signs_until_it_ends(self):
        receiver = Receiver(self, "receive-twice", [sys.executable, "-B", str(RECEIVERS / "receive.py")])
        endpoint = self.new_endpoint_at(receiver.url)
        self.post(endpoint, "rotate")
        receiver.knows(endpoint["secret"])
        self.assertTrue(self.post(endpoint, "test")["delivered"])
        for _ in range(2):  # harmless if repeated
            shown = self.post(endpoint, "finish_rotation")
            self.assertEqual([each["valid_until"] for each in shown["secrets"]], [None])
        self.assertEqual(self.post(endpoint, "test")["status"], 401)
        self.assertEqual(self.admin.request("POST", f"/orgs/{self.org}/webhooks/we_1/finish_rotation").error_code,
                         "webhook_not_found")


if __name__ == "__main__":
    unittest.main()
