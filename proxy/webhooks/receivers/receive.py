#!/usr/bin/env python3
"""Receives Tollgate's webhooks and checks X-8bit-Signature-256, with Python's standard library alone.

    receive.py PORT FILE

FILE has a secret a line, as they were shown ("whsec_..."): one, or while a secret is rotated the new and
the old one. It is read at every delivery, so that a rotation needs no restart.
"""
import base64
import hashlib
import hmac
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def sign(secret, body):
    """What the header says of this body. The key is the secret's base64, decoded."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def is_signed(header, body, secrets):
    """Compared for equality, in constant time: the header carries one signature."""
    return any([hmac.compare_digest(header, sign(secret, body)) for secret in secrets])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with open(sys.argv[2]) as file:
            secrets = file.read().split()
        accepted = is_signed(self.headers.get("X-8bit-Signature-256", ""), body, secrets)
        print("accepted" if accepted else "refused", self.headers.get("webhook-id"), flush=True)
        self.send_response(204 if accepted else 401)
        self.end_headers()

    def log_message(self, *_):
        """Only what became of a delivery is printed."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
