"""Identification of the payer to the platform's own upstream, checked there as the documentation shows."""
import hashlib
import hmac
import json
import re
import subprocess
import time
from pathlib import Path

from support.http_stack import HttpTest, answering
from support.tollgate import BINARY, SHIPPED_CONFIG, route

SECRET = "a secret of the platform's"
DOCUMENT = SHIPPED_CONFIG.parents[1] / "deploy" / "identification" / "README.md"
TOLD = ("org", "key-id", "agent", "conversation", "timestamp", "signature")


def shown(language):
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.S).group(1)


class Identification(HttpTest):
    @classmethod
    def more_upstreams(cls):
        url = f"http://{cls.scripted.address}"
        return {"signed": {"url": f"{url}/base", "identify": {"secret": SECRET},
                           "headers": {"authorization": "Bearer platform", "X-Tenant": "ours"}},
                "told": {"url": url, "identify": True},
                "renamed": {"url": url, "identify": {"headers": {"org": "X-Customer", "agent": ""}}}}

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name)
                for name in ("signed", "told", "renamed")]

    def arrived(self, upstream, *fields, body=b"", trailers=b""):
        """The call as the upstream received it."""
        path = self.script(answering()).replace("/scripted/", f"/{upstream}/")
        self.scripts[upstream] = self.scripts[path.rpartition("/")[2]]  # below the base path
        connection = self.connect()
        framing = "Transfer-Encoding: chunked" if trailers else f"Content-Length: {len(body)}"
        sent = b"0\r\n" + trailers + b"\r\n" if trailers else body
        connection.send(self.head("POST", path + "?q=%C3%B6&x", framing, *fields) + sent)
        self.assertEqual(connection.read_reply().status, 200)
        return self.scripted.requests[-1]

    def told(self, request):
        return [(request.values(f"x-tollgate-{name}") or [""])[0] for name in TOLD]

    def key_id(self):
        return self.tollgate.admin.request("GET", f"/orgs/{self.org}/keys").json()["data"]["keys"][0]["id"]

    def test_a_call_says_who_pays(self):
        request = self.arrived("told", "X-Agent-Id: a1", "X-Conversation-Id: Köln 100%")
        self.assertEqual(self.told(request), [self.org, self.key_id(), "a1", "K%C3%B6ln 100%25", "", ""])
        self.assertEqual(self.told(self.arrived("told"))[2:], [""] * 4)

    def test_vendors_are_not_told(self):
        self.assertEqual(self.told(self.arrived("scripted", "X-Agent-Id: a1")), [""] * 6)

    def test_names_can_be_others(self):
        request = self.arrived("renamed", "X-Agent-Id: a1", "X-Customer: mallory", "X_Customer: mallory")
        self.assertEqual(request.values("x-customer"), [self.org])
        self.assertEqual(self.told(request)[0], "")
        self.assertEqual(self.told(request)[2], "")
        self.assertNotIn(b"mallory", b"".join(request.lines))

    def test_no_caller_can_say_it(self):
        names = [f"X-Tollgate-{name}" for name in ("Org", "Key-Id", "Agent", "Conversation", "Timestamp",
                                                    "Signature", "Other")] + ["X-Tenant", "X-Request-Id"]
        spellings = [spelling for name in names for spelling in
                     (name, name.upper(), name.replace("-", "_"), name.replace("-", "."))]
        for upstream in ("signed", "told", "scripted"):
            request = self.arrived(upstream, *(f"{name}: mallory!" for name in spellings))
            # X-Tenant is set for one upstream only: for the others it is an ordinary field.
            told = [line for line in request.lines if upstream == "signed" or b"tenant" not in line.lower()]
            self.assertNotIn(b"mallory!", b"".join(told), upstream)
            for some in (spellings[:20], spellings[20:]):  # a message has at most 32 trailers
                planted = b"".join(f"{name}: mallory!\r\n".encode() for name in some)
                request = self.arrived(upstream, trailers=planted + b"X-Sum: 1\r\n")
                kept = [name.encode() for name in some if "tenant" in name.lower() and upstream != "signed"]
                self.assertEqual([line.split(b":")[0] for line in request.trailers], kept + [b"X-Sum"])

    def test_nor_does_an_answer_repeat_it(self):
        path = self.script(answering(fields="X-Tollgate-Org: acme\r\nX-Tollgate-Signature: v1=0\r\nX-Plain: 1\r\n"))
        for upstream in ("told", "scripted"):
            reply = self.tollgate.call("GET", path.replace("/scripted/", f"/{upstream}/"), self.key)
            self.assertEqual(reply.headers["x-plain"], "1")
            self.assertFalse([name for name in reply.headers if name.startswith("x-tollgate")])

    # --- as documented

    def in_python(self, request, secret=SECRET):
        names = {}
        exec(shown("python"), names)
        headers = {f"X-Tollgate-{name.title()}": value
                   for name, value in zip(TOLD, self.told(request)) if value}
        method, target = (part.decode() for part in request.lines[0].split()[:2])
        return names["caller"](secret, method, target, headers)

    def in_node(self, request, secret=SECRET):
        method, target = (part.decode() for part in request.lines[0].split()[:2])
        given = {"method": method, "url": target,
                 "headers": {f"x-tollgate-{name}": value for name, value in zip(TOLD, self.told(request)) if value}}
        program = shown("js") + f"console.log(JSON.stringify(caller({json.dumps(secret)}, {json.dumps(given)})))"
        done = subprocess.run(["node", "-e", program], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise PermissionError(done.stderr)
        return json.loads(done.stdout)

    def test_the_signature_is_checked_as_the_documentation_shows(self):
        request = self.arrived("signed", "X-Agent-Id: a1", "X-Conversation-Id: Köln 100%", body=b"{}")
        self.assertTrue(request.target.startswith("/base/signed/"))
        expected = [self.org, self.key_id(), "a1", "Köln 100%"]
        unnamed = self.arrived("signed")
        for check in (self.in_python, self.in_node):
            self.assertEqual(check(request), expected)
            self.assertEqual(check(unnamed)[2:], ["", ""])
            with self.assertRaises(PermissionError):
                check(request, "another secret")

    def test_nothing_that_is_signed_can_be_changed(self):
        request = self.arrived("signed", "X-Agent-Id: a1")
        for check in (self.in_python, self.in_node):
            lines = list(request.lines)
            for change in ((b"POST ", b"GET "), (b"?q=", b"?p="), (b"Agent: a1", b"Agent: a2"),
                           (self.org.encode(), b"another"), (b"v1=", b"v2=")):
                request.lines = [line.replace(*change) for line in lines]
                self.assertNotEqual(request.lines, lines)
                with self.assertRaises(PermissionError):
                    check(request)
            request.lines = lines
            self.assertEqual(check(request)[0], self.org)

    def test_an_old_call_is_refused(self):
        request = self.arrived("signed")
        old = str(int(time.time()) - 600)
        who = self.told(request)[:4]
        text = "\n".join([old, "POST", request.target, *who])
        signature = "v1=" + hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
        request.lines = request.lines[:1] + [f"X-Tollgate-{name}: {value}".encode() for name, value in
                                             zip(TOLD, [*who, old, signature])]
        for check in (self.in_python, self.in_node):
            with self.assertRaises(PermissionError):
                check(request)

    # --- tollgate check

    def test_check_warns_of_an_upstream_that_cannot_tell_callers_apart(self):
        for url, identify, warned in (("http://10.0.0.7:1", "", True), ("http://platform:9", "", True),
                                      ("http://127.0.0.1:9", ", identify: false", True),
                                      ("http://10.0.0.7:1", ", identify: true", False),
                                      ("https://api.openai.com", "", False)):
            path = Path(self.directory) / "warned.yaml"
            path.write_text(f'''
upstreams:
  main: {{ url: "{url}", headers: {{ authorization: "Bearer x" }}{identify} }}
rates: {{ api: {{ credits: 1, per: request }} }}
routes: [{{ name: all, match: {{}}, upstream: main, action: api, rate: api }}]
''')
            done = subprocess.run([BINARY, "check", "--config", path], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(f"{path}:3:9: warning: main: " in done.stderr, warned, (url, done.stderr))
