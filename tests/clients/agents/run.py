#!/usr/bin/env python3
"""Runs Claude Code and the Codex CLI themselves through Tollgate, to an upstream of ours, without any other network.

    tests/clients/agents/run.py [--build DIRECTORY]      # default: build/release

Installs what package-lock.json names (800 MB unpacked), so it is no part of tests/run.sh; the requests that they send are
(`integration_coding_agents`). x86-64 only. Exit status 77: no npm here, or another machine.
"""
import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
arguments = argparse.ArgumentParser()
arguments.add_argument("--build", default=ROOT / "build" / "release", type=Path)
os.environ["TOLLGATE_BUILD_DIR"] = str(arguments.parse_args().build.resolve())
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from support.agent_upstream import ANSWER, AgentUpstream  # noqa: E402
from support.node import SKIPPED, install, program  # noqa: E402
from support.process import BUILD_DIR, Redis  # noqa: E402
from support.tollgate import Tollgate, shipped_configuration  # noqa: E402

INSTALLED = BUILD_DIR / "agents"
CLAUDE = INSTALLED / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
CODEX = INSTALLED / "node_modules/@openai/codex/vendor/x86_64-unknown-linux-musl/bin/codex"
CODEX_CONFIGURATION = """model = "gpt-4.1"
model_provider = "gate"
[model_providers.gate]
name = "gate"
base_url = "http://{address}/v1"
env_key = "GATE_KEY"
wire_api = "responses"
supports_websockets = true
"""
PATIENCE = 120  # seconds; each needs a few


class Agents:
    def __init__(self, tollgate, upstream, place):
        self.tollgate, self.upstream, self.place = tollgate, upstream, Path(place)
        self.failures = 0

    def check(self, what, holds, shown=""):
        self.failures += not holds
        print(f"  {'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {shown}"), flush=True)

    def calls(self):
        """What the access log has about calls with this method and path, by status."""
        lines = [json.loads(line) for line in self.tollgate.log().splitlines() if line.startswith('{"time"')]
        return [(line["method"], line["path"], line["status"]) for line in lines]

    def run(self, name, command, environment):
        """The output, the seconds and the calls of one run, with a home of its own."""
        home = self.place / name
        home.mkdir(exist_ok=True)
        before, started = len(self.calls()), time.monotonic()
        done = subprocess.run([str(part) for part in command], cwd=home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE,
                              env={"PATH": os.environ["PATH"], "HOME": str(home), **environment})
        seconds, calls = time.monotonic() - started, self.calls()[before:]
        print(f"{name}: {seconds:.1f} s, {calls}", flush=True)
        return done.stdout, seconds, calls

    def claude(self, name, key, **more):
        return self.run(name, [CLAUDE, "-p", "Say hello."], {
            "ANTHROPIC_BASE_URL": f"http://{self.tollgate.address}", "ANTHROPIC_AUTH_TOKEN": key,
            "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1", "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1", **more})

    def codex(self, name, key, *more):
        configuration = self.place / name / ".codex"
        configuration.mkdir(parents=True)
        (configuration / "config.toml").write_text(CODEX_CONFIGURATION.format(address=self.tollgate.address))
        return self.run(name, [CODEX, "exec", "--skip-git-repo-check", *more, "Say hello."], {"GATE_KEY": key})


def try_all(agents):
    admin = agents.tollgate.admin
    rich, poor = admin.new_customer("rich", credits=1000), admin.new_customer("poor", credits="0.3")

    said, _, calls = agents.claude("claude-code", rich)
    agents.check("answers", ANSWER in said, said)
    agents.check("found its gateway", ("HEAD", "/api/hello", 200) in calls, calls)
    agents.check("looked for models", ("GET", "/v1/models", 200) in calls, calls)
    said, _, calls = agents.claude("claude-code-two-credentials", rich, ANTHROPIC_API_KEY="sk-ant-api03-of-its-own")
    agents.check("answers", ANSWER in said, said)
    said, seconds, calls = agents.claude("claude-code-without-credits", poor)
    agents.check("says what is short", "credits" in said, said)
    refused = [call for call in calls if call[2] == 402]
    agents.check("does not repeat what waiting does not cure", 1 <= len(refused) <= 2, calls)

    said, _, calls = agents.codex("codex", rich)
    agents.check("answers", ANSWER in said, said)
    agents.check("tried a WebSocket once", calls.count(("GET", "/v1/responses", 426)) == 1, calls)
    agents.check("continued over HTTP", ("POST", "/v1/responses", 200) in calls, calls)
    said, seconds, calls = agents.codex("codex-without-credits", poor)
    agents.check("says what is short", "credits" in said, said)
    # Codex itself decides so: it repeats every refusal but 400, stream_max_retries times, whatever the answer says.
    agents.check("ends by itself", seconds < PATIENCE / 2 and calls.count(("POST", "/v1/responses", 402)) <= 6, calls)
    _, _, calls = agents.codex("codex-without-retries", poor, "-c", "model_providers.gate.stream_max_retries=0")
    agents.check("asks once", calls.count(("POST", "/v1/responses", 402)) == 1, calls)

    keys = [fields for _, _, fields, _ in agents.upstream.requests if rich in str(fields) or poor in str(fields)]
    agents.check("no key reached the upstream", not keys, keys)
    agents.tollgate.verify()


def main():
    if not program("npm") or platform.machine() != "x86_64":
        print("skipped: no npm here (deploy/install-packages.sh clients), or not x86-64")
        return SKIPPED
    install([], HERE / "package.json", INSTALLED)
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-", ignore_cleanup_errors=True))
        redis = Redis(place)
        stack.callback(redis.stop)
        upstream = AgentUpstream()
        stack.callback(upstream.stop)
        tollgate = Tollgate(place, shipped_configuration(redis.url, upstream.address))
        stack.callback(tollgate.stop)
        agents = Agents(tollgate, upstream, place)
        try_all(agents)
        print("no failures" if not agents.failures else f"{agents.failures} failures")
        return 1 if agents.failures else 0


if __name__ == "__main__":
    sys.exit(main())
