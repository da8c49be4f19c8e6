"""The comparison itself: the same build shows no difference, an altered build shows each alteration."""
import re
import stat
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import recording
from normalise import Normaliser
from run import differences, read_recorded

from support.process import BUILD_DIR

HERE = Path(__file__).resolve().parent
BINARY = BUILD_DIR / "tollgate"


def altered(directory, expression):
    """A program that is this build but for what `expression` of sed makes of its configuration."""
    program = Path(directory) / "altered"
    program.write_text(f"#!/bin/sh\nsed -i '{expression}' \"$3\"\nexec '{BINARY}' \"$@\"\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def compare(*arguments):
    done = subprocess.run([sys.executable, "-B", HERE / "run.py", *map(str, arguments)], text=True,
                          capture_output=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


class AlteredBuilds(unittest.TestCase):
    def differences_of(self, expression, group, case):
        with tempfile.TemporaryDirectory() as directory:
            status, output = compare("--before", BINARY, "--after", altered(directory, expression),
                                     "--only", group, "--case", case)
        self.assertEqual(status, 1, output)
        return output

    def expect(self, output, *pairs):
        for before, after in pairs:
            self.assertRegex(output, rf"\n    -.*{re.escape(before)}.*\n(    .*\n)*?    \+.*{re.escape(after)}")

    def test_the_same_build_is_the_same(self):
        status, output = compare("--before", BINARY, "--only", "keys")
        self.assertEqual((status, output.splitlines()[-2][-12:]), (0, "all the same"), output)

    def test_another_price(self):
        output = self.differences_of("s/gpt-4:   { credits: 10,/gpt-4:   { credits: 11,/", "chat", "GPT-4-Turbo")
        self.expect(output, ("X-Credits-Charged: 10", "X-Credits-Charged: 11"), ('"available":90', '"available":89'),
                    ('"credits":10', '"credits":11'), ('tollgate_credits_settled_total{action="llm"} 10', '"llm"} 11'),
                    ("log: ", '"credits":11'))

    def test_another_field_for_the_upstream(self):
        output = self.differences_of("s/X-Tenant: ours/X-Tenant: theirs/", "routes", "who pays: signed")
        self.expect(output, ("X-Tenant: ours", "X-Tenant: theirs"))

    def test_another_type_of_an_error(self):
        output = self.differences_of("s/dialect: openai/dialect: platform/", "chat", "without any credits")
        self.expect(output, ('"type":"insufficient_quota"', '"type":"billing_error"'))

    def test_another_status(self):
        output = self.differences_of('s|path: "/v1/agents/{agent}|path: "/v1/other/{agent}|', "platform",
                                     "GET /v1/agents/a1/tools")
        self.expect(output, ("HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found"))


class Transcripts(unittest.TestCase):
    def test_wording_ids_and_times_are_ignored(self):
        pairs = [('{"error":{"code":"x","message":"a \\"b\\""}}', '{"error":{"code":"x","message":"c"}}'),
                 ('"id":"key_0123456789abcdef0123"', '"id":"key_3210456789abcdef0123"'),
                 ('"at":"2027-03-10T12:10:01.5Z"', '"at":"2027-03-10T12:11:00Z"'),
                 ("Retry-After: 60", "Retry-After: 59"),
                 ("X-Request-Id: 0123456789abcdef0123456789abcdef", "X-Request-Id: 1123456789abcdef0123456789abcdef")]
        for before, after in pairs:
            self.assertEqual(Normaliser({}).text(before), Normaliser({}).text(after))

    def test_nothing_else_is(self):
        for text in ('"top_up_minimum_usd":0', '"grant_order":5', '"code":"rate_limited"', '"we_have":"evt_"',
                     '"start":"2027-03-01T00:00:00Z"', "X-Credits-Remaining: 99.9", '"key_id"', "Retry-After: 7",
                     '"error":"x"'):
            self.assertEqual(Normaliser({}).text(text), text)

    def test_ids_that_are_equal_stay_so(self):
        one, other = "01MGQNH6RC45NG354CDREDXK9H", "01MGQNH6RC45NG354CDREDXK9J"
        self.assertNotEqual(Normaliser({}).text(f"{one} {one}"), Normaliser({}).text(f"{one} {other}"))

    def test_any_line_that_changes_is_found(self):
        recorded = read_recorded(HERE / "recorded.json.xz")["who-pays"]
        for case, lines in recorded.items():
            for at in range(0, len(lines), 7):
                changed = {**recorded, case: lines[:at] + [lines[at] + "x"] + lines[at + 1:]}
                self.assertEqual(list(differences(recorded, changed)), [case])
        self.assertEqual(len(differences(recorded, {})), len(recorded))


class Recordings(unittest.TestCase):
    def test_there_are_500_at_least(self):
        self.assertGreater(sum(group.requests for group in recording.read_groups()), 500)

    def test_a_length_is_that_of_the_body(self):
        text = r"A\r\nContent-Length: {length}\r\n\r\n{fill 5 ab}\x00"
        self.assertEqual(recording.expand(text, {}), b"A\r\nContent-Length: 6\r\n\r\nababa\0")

    def test_what_is_no_template_stays(self):
        self.assertEqual(recording.expand('{"a":{}} {unknown} {key}', {"key": "k"}), b'{"a":{}} {unknown} k')


if __name__ == "__main__":
    unittest.main()
