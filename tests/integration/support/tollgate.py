"""A Tollgate of the build under test, its admin API and its command line."""
import json
import os
import subprocess
from pathlib import Path

from .http import BROKEN_OFF, call
from .process import BUILD_DIR, Process, free_port

BINARY = BUILD_DIR / "tollgate"
SHIPPED_CONFIG = Path(__file__).resolve().parents[3] / "config" / "tollgate.yaml"
ADMIN_TOKEN = "integration-test-token"

RATES = {
    "gpt-4": {"credits": 10, "per": "request"},
    "claude": {"credits": 8, "per": "request"},
    "gpt-3.5": {"credits": 2, "per": "request"},
    "query": {"credits": 1, "per": "query"},
    "api": {"credits": 0.1, "per": "request"},
}


def route(name, rate, match, **more):
    return {"name": name, "match": match, "upstream": "sample", "action": "test", "rate": rate,
            **more}


def chat_route(name, rate, models):
    return route(name, rate, {"method": "POST", "path": "/v1/chat/completions",
                              "json": {"model": models}}, dialect="openai", action="llm")


ROUTES = [
    chat_route("chat-gpt-4", "gpt-4", "gpt-4*"),
    chat_route("chat-gpt-3.5", "gpt-3.5", "gpt-3.5*"),
    route("messages", "claude", {"method": "POST", "path": "/v1/messages",
                                 "json": {"model": "claude*"}}, dialect="anthropic", action="llm"),
    route("knowledge-query", "query", {"method": "POST", "path": "/v1/knowledge-bases/*/query",
                                       "content_type": "application/json"}, count="/queries"),
    route("agents", "api", {"path": "/v1/agents/{agent}/**"}, critical=True, action="api"),
    route("sample", "api", {"path": "/sample/**"}, action="api"),
    route("api", "api", {"path": "/v1/**"}, action="api"),
]


def configuration(store_url, upstream_address, **changes):
    """A complete configuration as a plain dict; `changes` replace top-level keys."""
    return {
        "listen": f"127.0.0.1:{free_port()}",
        "admin": {"listen": f"127.0.0.1:{free_port()}", "token": ADMIN_TOKEN},
        "store": store_url,
        "upstreams": {"sample": {"url": f"http://{upstream_address}"}},
        "rates": RATES,
        "routes": ROUTES,
        "plans": {"starter": {"credits": 20000}},
        "threads": 2,
        "log": {"access": "off"},
        **changes,
    }


def shipped_configuration(store_url, upstream_address):
    """config/tollgate.yaml unchanged, with all its upstreams played by one: the values of its variables."""
    upstream = f"http://{upstream_address}"
    return {
        "TOLLGATE_LISTEN": f"127.0.0.1:{free_port()}",
        "TOLLGATE_ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
        "TOLLGATE_ADMIN_TOKEN": ADMIN_TOKEN,
        "TOLLGATE_STORE": store_url,
        "TOLLGATE_JOURNAL": "off",  # a directory belongs to one Tollgate
        "TOLLGATE_OPENAI_URL": upstream,
        "TOLLGATE_ANTHROPIC_URL": upstream,
        "TOLLGATE_PLATFORM_URL": upstream,
    }


class Admin:
    """The admin API, call by call. Any other status than the expected one fails the test at once."""

    def __init__(self, address, token=ADMIN_TOKEN):
        self.address, self.token = address, token

    def request(self, method, path, body=None, headers=None):
        return call(self.address, method, f"/admin/v1{path}",
                    {"Authorization": f"Bearer {self.token}", **(headers or {})}, body)

    def expect_success(self, method, path, body=None, headers=None):
        reply = self.request(method, path, body, headers)
        if reply.status not in (200, 201):
            raise AssertionError(f"{method} {path}: {reply.status} {reply.body!r}")
        return reply.json()["data"]

    def put_org(self, org, **fields):
        return self.expect_success("PUT", f"/orgs/{org}", fields)

    def create_key(self, org, **fields):
        return self.expect_success("POST", f"/orgs/{org}/keys", fields)

    def revoke_key(self, org, key_id):
        return self.expect_success("DELETE", f"/orgs/{org}/keys/{key_id}")

    def grant(self, org, credits, kind="purchase", idempotency_key=None, **fields):
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        # Written as text, so that the number is sent exactly.
        body = f'{{"credits":{credits},"kind":"{kind}"{_more(fields)}}}'.encode()
        return self.expect_success("POST", f"/orgs/{org}/grants", body,
                                   {"Content-Type": "application/json", **headers})

    def balance(self, org):
        return self.expect_success("GET", f"/orgs/{org}/balance")

    def top_ups(self, org):
        return self.expect_success("GET", f"/orgs/{org}/top_ups")["top_ups"]

    def buy(self, org, amount_usd, idempotency_key):
        return self.expect_success("POST", f"/orgs/{org}/top_ups", {"amount_usd": amount_usd},
                                   {"Idempotency-Key": idempotency_key})

    def holds(self, org):
        return self.expect_success("GET", f"/orgs/{org}/holds")["holds"]

    def ledger(self, org):
        """All entries, page by page."""
        entries, after = [], "0-0"
        while True:
            page = self.expect_success("GET", f"/orgs/{org}/ledger?after={after}&limit=1000")
            entries += page["entries"]
            if not page["has_more"]:
                return entries
            after = page["next_after"]

    def new_customer(self, org, credits=0, **fields):
        """An organization with one key and one grant: the key's text."""
        self.put_org(org, **fields)
        if credits:
            self.grant(org, credits)
        return self.create_key(org)["key"]


def _more(fields):
    return "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in fields.items())


class Tollgate(Process):
    def __init__(self, directory, config, name="tollgate", run_with=(), environment=None):
        """`config` is a dict as configuration() makes it, or the environment for the shipped file. `run_with`: a command
        that runs it, such as `prlimit`."""
        self.environment = dict(environment or {})
        self.config_path = Path(directory) / f"{name}.yaml"
        if "TOLLGATE_LISTEN" in config:
            self.config_path, self.environment = SHIPPED_CONFIG, {**config, **self.environment}
            self.address, admin_address = config["TOLLGATE_LISTEN"], config["TOLLGATE_ADMIN_LISTEN"]
        else:
            self.write_config(config)
            listen, admin_address = config["listen"], config["admin"]["listen"]
            self.address = listen["address"] if isinstance(listen, dict) else listen
        self.admin = Admin(admin_address)
        super().__init__(name, [*run_with, BINARY, "run", "--config", self.config_path], directory,
                         self.environment)
        self.wait_ready(self.is_ready)

    def write_config(self, config):
        self.config_path.write_text(json.dumps(config, indent=1))  # JSON is YAML

    def is_ready(self):
        try:
            return call(self.admin.address, "GET", "/readyz", timeout=2).status == 200
        except BROKEN_OFF:
            return False

    def call(self, method, path, key=None, body=None, headers=None, **more):
        headers = dict(headers or {})
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return call(self.address, method, path, headers, body, **more)

    def chat(self, key, model="gpt-4", **more):
        return self.call("POST", "/v1/chat/completions", key,
                         {"model": model, "messages": [{"role": "user", "content": "Hi"}]}, **more)

    def command(self, *arguments):
        return subprocess.run([BINARY, *arguments, "--config", self.config_path], text=True,
                              capture_output=True, timeout=60,
                              env={**os.environ, **self.environment})

    def verify(self):
        """`tollgate verify`: exit status 0, or an assertion with its whole output."""
        done = self.command("verify")
        if done.returncode != 0:
            raise AssertionError(f"verify says {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout
