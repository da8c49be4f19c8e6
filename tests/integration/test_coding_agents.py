"""Exactly what Codex (0.171) and Claude Code (2.1.332) send, through the shipped configuration. tests/clients/agents/run.py
runs the programs themselves."""
import base64
import gzip
import json
import tempfile
import unittest
import zlib

from support.agent_upstream import ANSWER, AgentUpstream
from support.http import RawConnection
from support.process import Redis
from support.tollgate import Tollgate, shipped_configuration

# {"model":"gpt-4.1","stream":true,"input":[{"role":"user","content":"say hello"}]}, compressed by the libraries of Debian 12.
TEXT = b'{"model":"gpt-4.1","stream":true,"input":[{"role":"user","content":"say hello"}]}'
ZSTD = base64.b64decode("KLUv/SBRVQIAEoURGICpLQY8lGSnl7jws9FgDKzd6kSoCUFzR0fhOBEvYSxK2t5ze9IwWS+p7cPUF8FehY5ickrXNuV002RBYABYhNjGO6R5BQA=")
BROTLI = base64.b64decode("G1AAAAT632aqcvkrCKaXqhgExaI42MoQYQNOBMJtXDeZYdgYO1dqNKXrsHbrEzGez6cQMRKBxAsMUFA+NBfCWBiML7gSb/3dNswtFw==")

CODEX = ["user-agent: codex_exec/0.171.0 (Debian 12.0.0; x86_64) unknown (codex_exec; 0.171.0)",
         "originator: codex_exec", "x-codex-beta-features: remote_compaction_v2",
         'x-codex-turn-metadata: {"request_kind":"turn","history_initialization":"new","sandbox":"seccomp"}',
         "x-client-request-id: 01a22d32-f6f2-7003-b955-ae854ac7b843",
         "session-id: 01a22d32-f6f2-7003-b955-ae854ac7b843"]
CODEX_UPGRADE = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                 "Sec-WebSocket-Key: Tvkx04JbJMEPecTa88+CGw==", *CODEX,
                 "openai-beta: responses_websockets=2026-02-06",
                 "sec-websocket-extensions: permessage-deflate; client_max_window_bits"]
CLAUDE_MODELS = ["User-Agent: claude-code/2.1.332", "anthropic-version: 2023-06-01", "Connection: keep-alive",
                 "Accept: */*", "Accept-Encoding: gzip, deflate, br, zstd"]
CLAUDE = ["Accept: application/json", "Content-Type: application/json",
          "User-Agent: claude-cli/2.1.332 (external, sdk-cli)",
          "X-Claude-Code-Session-Id: 5411f6c4-ef0f-4c99-8402-250ecd7140b7", "X-Stainless-Lang: js",
          "X-Stainless-Retry-Count: 0", "X-Stainless-Timeout: 600",
          "anthropic-beta: claude-code-20250219,interleaved-thinking-2025-05-14",
          "anthropic-dangerous-direct-browser-access: true", "anthropic-version: 2023-06-01", "x-app: cli",
          "Connection: keep-alive", "Accept-Encoding: gzip, deflate, br, zstd"]


class CodingAgents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory(prefix="tollgate-")
        cls.addClassCleanup(place.cleanup)
        cls.redis = Redis(place.name)
        cls.addClassCleanup(cls.redis.stop)
        cls.upstream = AgentUpstream()
        cls.addClassCleanup(cls.upstream.stop)
        cls.tollgate = Tollgate(place.name, shipped_configuration(cls.redis.url, cls.upstream.address))
        cls.addClassCleanup(cls.tollgate.stop)

    def setUp(self):
        self.org = self.id().rsplit(".", 1)[-1].replace("_", "-")[:40]
        self.key = self.tollgate.admin.new_customer(self.org, credits=100)
        self.upstream.requests.clear()
        self.connection = RawConnection(self.tollgate.address)
        self.addCleanup(self.connection.close)

    def ask(self, line, fields, body=b"", key=None):
        key = [f"Authorization: Bearer {key or self.key}"] if key != "" else []
        length = [f"Content-Length: {len(body)}"] if body else []
        head = [f"{line} HTTP/1.1", "Host: gate.example", *key, *fields, *length]
        self.connection.send("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        return self.connection.read_reply(line.split()[0])

    def assert_available(self, credits):
        self.assertEqual(self.tollgate.admin.balance(self.org)["available"], credits)

    def assert_forwarded(self, path, body):
        _, got_path, fields, got = self.upstream.requests[-1]
        self.assertEqual(got_path, path)
        self.assertEqual(got, body)
        self.assertNotIn(self.key, str(fields))
        return {name.lower(): value for name, value in fields}

    def test_codex_falls_back_to_http_at_once(self):
        refused = self.ask("GET /v1/responses", CODEX_UPGRADE)
        self.assertEqual(refused.status, 426)
        self.assertEqual(refused.error_code, "upgrade_required")
        self.assertEqual(refused.headers["upgrade"], "HTTP/1.1")
        self.assertEqual(refused.headers["x-should-retry"], "false")
        reply = self.ask("POST /v1/responses",
                         [*CODEX, "accept: text/event-stream", "content-type: application/json",
                          "accept-encoding: zstd,gzip"], TEXT)
        self.assertEqual(reply.status, 200)
        self.assertIn(ANSWER.encode(), reply.body)
        self.assertEqual(reply.headers["x-accel-buffering"], "no")
        self.assertEqual(reply.headers["cache-control"], "no-cache")
        self.assert_forwarded("/v1/responses", TEXT)
        self.assertEqual(len(self.upstream.requests), 1)
        self.assertEqual(reply.headers["x-credits-charged"], "10")

    def test_codex_may_compress_its_requests(self):
        for coding, body in [("zstd", ZSTD), ("br", BROTLI), ("gzip", gzip.compress(TEXT)),
                             ("deflate", zlib.compress(TEXT)), ("deflate", zlib.compress(TEXT)[2:-4])]:
            reply = self.ask("POST /v1/responses", [*CODEX, "content-type: application/json",
                                                    f"content-encoding: {coding}"], body)
            self.assertEqual(reply.status, 200, coding)
            self.assertEqual(reply.headers["x-credits-charged"], "10", coding)
            self.assertEqual(self.assert_forwarded("/v1/responses", body)["content-encoding"], coding)

    def test_what_does_not_decode_is_not_forwarded(self):
        def status(coding, body):
            return self.ask("POST /v1/responses", ["content-type: application/json",
                                                   f"content-encoding: {coding}"], body).status
        self.assertEqual(status("zstd", ZSTD[:-1]), 400)
        self.assertEqual(status("gzip", TEXT), 400)
        self.assertEqual(status("br", TEXT), 400)
        self.assertEqual(status("gzip", gzip.compress(TEXT) + gzip.compress(TEXT)), 400)
        self.assertEqual(status("compress", TEXT), 415)
        self.assertEqual(status("gzip", gzip.compress(b" " * 60_000_000 + TEXT, 9)), 413)
        self.assertEqual(self.upstream.requests, [])
        self.assert_available(100)

    def test_bombs_take_no_memory_for_long(self):
        text = b'{"model":"gpt-4.1","input":"' + b"0123456789abcdef" * 60_000 + b'"}'
        self.assertEqual(self.ask("POST /v1/responses", ["content-type: application/json",
                                                         "content-encoding: gzip"], gzip.compress(text)).status, 200)
        before = self.tollgate.peak_memory_kib()
        bomb = gzip.compress(b'{"model":"gpt-4.1","input":"' + b" " * 60_000_000)
        for coding, body in [("gzip", bomb), ("gzip, gzip", gzip.compress(bomb))] * 10:
            self.assertEqual(self.ask("POST /v1/responses", ["content-type: application/json",
                                                             f"content-encoding: {coding}"], body).status, 413)
        self.assertLess(self.tollgate.peak_memory_kib() - before, 64 * 1024)  # a body of limits.json, and what it grows by

    def test_claude_code_finds_its_gateway_and_its_models(self):
        for path in ("/", "/api/hello"):
            self.assertEqual(self.ask(f"HEAD {path}", ["User-Agent: Bun/1.3.0", "Accept: */*"], key="").status, 200)
        reply = self.ask("GET /v1/models?limit=1000", CLAUDE_MODELS)
        self.assertEqual(reply.json()["data"][0]["id"], "claude-sonnet-4")
        self.assert_forwarded("/v1/models?limit=1000", b"")

    def test_claude_may_send_two_credentials(self):
        body = json.dumps({"model": "claude-sonnet-4", "max_tokens": 9, "stream": True, "messages": []}).encode()
        reply = self.ask("POST /v1/messages?beta=true", [*CLAUDE, "x-api-key: sk-ant-api03-not-ours"], body)
        self.assertEqual(reply.status, 200)
        fields = self.assert_forwarded("/v1/messages?beta=true", body)
        self.assertNotIn("sk-ant", str(fields))
        self.assertEqual(fields["anthropic-beta"], "claude-code-20250219,interleaved-thinking-2025-05-14")
        reply = self.ask("POST /v1/messages?beta=true", [*CLAUDE, f"x-api-key: {self.key}"], body, key="sk-ant-oat01-x")
        self.assertEqual(reply.status, 200)
        other = self.tollgate.admin.new_customer(self.org + "-2", credits=100)
        reply = self.ask("POST /v1/messages?beta=true", [*CLAUDE, f"x-api-key: {other}"], body)
        self.assertEqual(reply.status, 400)
        self.assertEqual(reply.json()["error"]["type"], "invalid_request_error")

    def test_a_model_with_a_slash(self):
        reply = self.ask("GET /v1/models/meta-llama%2FLlama-3.1-8B", ["Accept: application/json"])
        self.assertEqual(reply.status, 200)
        self.assert_forwarded("/v1/models/meta-llama%2FLlama-3.1-8B", b"")
        for target in ("/v1/models/..%2Fresponses", "/v1/models/a%252Fb", "/v1/models/a%2F", "/v1%2Fmodels"):
            self.assertEqual(self.ask(f"GET {target}", []).status, 400, target)
        self.assertEqual(self.ask("GET /v1/agents/a%2Fb/c", []).status, 200)  # an agent's name


if __name__ == "__main__":
    unittest.main()
