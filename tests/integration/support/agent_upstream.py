"""The APIs that coding agents call, as far as one answer needs them: OpenAI's Responses, Anthropic's Messages, models.

Keeps every request as it came.
"""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = "Hello from behind the gate."


def events(*named):
    return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in named).encode()


def responses_answer():
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": ANSWER, "annotations": []}]}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2,
             "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    whole = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "gpt-4.1",
             "output": [item], "usage": usage}
    return events({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
                  {"type": "response.output_item.done", "output_index": 0, "item": item},
                  {"type": "response.completed", "response": whole})


def messages_answer():
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4", "content": [],
               "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    return events({"type": "message_start", "message": message},
                  {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                  {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}},
                  {"type": "content_block_stop", "index": 0},
                  {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                   "usage": {"output_tokens": 4}},
                  {"type": "message_stop"})


def models_answer():
    return json.dumps({"object": "list", "has_more": False, "data": [
        {"id": "claude-sonnet-4", "type": "model", "object": "model", "display_name": "Sonnet",
         "created_at": "2026-01-01T00:00:00Z"}]}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def read_body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self):
        body = self.read_body()
        self.server.requests.append((self.command, self.path, list(self.headers.items()), body))
        path = self.path.split("?")[0]
        if path == "/v1/responses":
            return self.send(responses_answer(), "text/event-stream")
        if path == "/v1/messages":
            return self.send(messages_answer(), "text/event-stream")
        if path == "/v1/messages/count_tokens":
            return self.send(b'{"input_tokens":9}')
        return self.send(models_answer())

    def send(self, body, content_type="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_HEAD = answer


class AgentUpstream:
    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.requests = self.requests = []
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
