"""The table of requests that two servers could read in two ways, or that are wrong in other ways."""
import gzip
import json
from dataclasses import dataclass
from decimal import Decimal

CALL = Decimal("0.1")
KEY = b"{KEY}"  # replaced by the key of the case's organization

INVALID = (400, "invalid_request")
OK = (200, None)


@dataclass
class Case:
    name: str
    data: bytes
    answers: list = ()  # (status, code), in order
    requests: int = 0  # complete ones, upstream
    credits: Decimal = 0
    ends: bool = False  # the connection ends with the last answer
    leaves: bool = False  # the client closes after sending its data


def head(line, *fields, host=True, key=True):
    lines = [line if isinstance(line, bytes) else line.encode()]
    lines += [b"Host: test"] * host + [b"Authorization: Bearer " + KEY] * key
    lines += [f if isinstance(f, bytes) else f.encode("latin-1") for f in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def get(target="/sample/echo/x", *fields, **more):
    return head(f"GET {target} HTTP/1.1", *fields, **more)


def post(target, body, *fields, **more):
    return head(f"POST {target} HTTP/1.1", f"Content-Length: {len(body)}", *fields, **more) + body


def chunked(*parts, fields=(), line="POST /sample/sink HTTP/1.1"):
    return head(line, *fields, "Transfer-Encoding: chunked") + b"".join(parts)


def chunk(body):
    return b"%x\r\n" % len(body) + body + b"\r\n"


def chat(body, *fields, target="/v1/chat/completions"):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return post(target, body, *fields, "Content-Type: application/json")


def packed(body, *fields):
    """To an upstream that takes any body."""
    return head("PUT /v1/priced HTTP/1.1", f"Content-Length: {len(body)}", "Content-Type: application/json",
                *fields) + body


GPT_4 = {"model": "gpt-4", "messages": []}
GPT_4_TEXT = json.dumps(GPT_4).encode()
GPT_35 = {"model": "gpt-3.5", "messages": []}
SMUGGLED = get("/sample/echo/smuggled", key=False)  # as a body; a leak would reach the upstream
NEXT = get("/sample/echo/next")


def refused(name, data, answer=INVALID, **more):
    """The beginning of the next request is unknown: the connection ends."""
    return Case(name, data, [answer], ends=True, **more)


def declined(name, data, answer=INVALID):
    """The framing is valid, so the connection continues."""
    return Case(name, data, [answer])


def passes(name, data, credits=CALL):
    return Case(name, data, [OK], 1, credits)


HEADS = [
    refused("bare LF line endings", get().replace(b"\r\n", b"\n")),
    refused("one bare LF", b"GET /sample/echo/x HTTP/1.1\nHost: test\r\n\r\n"),
    refused("bare CR in a value", get("/sample/echo/x", "X: a\rTransfer-Encoding: chunked")),
    refused("bare CR as a line ending", get("/sample/echo/x", "X: a\r\r")),
    refused("a folded field", get("/sample/echo/x", "X: a\r\n b")),
    refused("a folded first field", b"GET /sample/echo/x HTTP/1.1\r\n Host: test\r\n\r\n"),
    refused("a space before the colon", get("/sample/echo/x", "X : a")),
    refused("a tab before the colon", get("/sample/echo/x", "X\t: a")),
    refused("an empty field name", get("/sample/echo/x", ": a")),
    refused("a field without a colon", get("/sample/echo/x", "Xa")),
    refused("a space in a field name", get("/sample/echo/x", "X a: b")),
    refused("a field name beyond ASCII", get("/sample/echo/x", "X\xe4: b")),
    refused("NUL in a value", get("/sample/echo/x", "X: a\0b")),
    refused("a control character in a value", get("/sample/echo/x", "X: a\x0bb")),
    refused("DEL in a value", get("/sample/echo/x", "X: a\x7fb")),
    refused("no Host", get(host=False)),
    refused("two Hosts", get("/sample/echo/x", "Host: test")),
    refused("a list of Hosts", get("/sample/echo/x", "Host: a, b", host=False)),
    refused("a Host with a path", get("/sample/echo/x", "Host: test/x", host=False)),
    refused("a Host with a user", get("/sample/echo/x", "Host: a@test", host=False)),
    declined("a Host with two ports", get("/sample/echo/x", "Host: test:80:80", host=False)),
    refused("two spaces in the request line", head("GET  /sample/echo/x HTTP/1.1")),
    refused("a tab in the request line", head("GET\t/sample/echo/x HTTP/1.1")),
    refused("a space in the target", head("GET /sample/echo/x y HTTP/1.1")),
    refused("no target", head("GET HTTP/1.1")),
    refused("HTTP/0.9", b"GET /sample/echo/x\r\n\r\n"),
    refused("HTTP/1.2", head("GET /sample/echo/x HTTP/1.2")),
    refused("lower-case version", head("GET /sample/echo/x http/1.1")),
    refused("HTTP/2 by prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)),
    refused("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n"),
    declined("a lower-case method", head("get /sample/echo/x HTTP/1.1")),
    refused("no method", head(" /sample/echo/x HTTP/1.1")),
    refused("a method with a colon", head("GET: /sample/echo/x HTTP/1.1")),
    declined("TRACE", head("TRACE /sample/echo/x HTTP/1.1")),
    declined("CONNECT to elsewhere", head("CONNECT test:443 HTTP/1.1")),
    declined("CONNECT to a path", head("CONNECT /sample/echo/x HTTP/1.1")),
    refused("a head that is too large", get("/sample/echo/x", "X: " + "x" * 20_000),
            (431, "headers_too_large")),
    refused("a target that is too large", get("/sample/echo/" + "x" * 20_000),
            (431, "headers_too_large")),
    refused("too many fields", get("/sample/echo/x", *["X: y"] * 300), (431, "headers_too_large")),
    passes("many fields", get("/sample/echo/x", *["X: y"] * 200)),
]

LENGTHS = [
    refused("a signed length", head("POST /sample/sink HTTP/1.1", "Content-Length: +5") + b"hello"),
    refused("a negative length", head("POST /sample/sink HTTP/1.1", "Content-Length: -5") + b"hello"),
    refused("a hexadecimal length", head("POST /sample/sink HTTP/1.1", "Content-Length: 0x5")),
    refused("an empty length", head("POST /sample/sink HTTP/1.1", "Content-Length:")),
    refused("a list of lengths", head("POST /sample/sink HTTP/1.1", "Content-Length: 5, 5") + b"hello"),
    refused("a length beyond 64 bits",
            head("POST /sample/sink HTTP/1.1", "Content-Length: 18446744073709551621") + b"hello"),
    refused("two equal lengths",
            head("POST /sample/sink HTTP/1.1", "Content-Length: 5", "Content-Length: 5") + b"hello"),
    refused("two lengths, the first one short",
            head("POST /sample/sink HTTP/1.1", "Content-Length: 0",
                 f"Content-Length: {len(SMUGGLED)}") + SMUGGLED),
    refused("two lengths, the second one short",
            head("POST /sample/sink HTTP/1.1", f"Content-Length: {len(SMUGGLED)}",
                 "Content-Length: 0") + SMUGGLED),
    passes("a length with leading zeroes",
           head("POST /sample/sink HTTP/1.1", "Content-Length: 0005") + b"hello"),
    Case("more body than announced", post("/sample/sink", b"hello") + b"GARBAGE\r\n\r\n",
         [OK, INVALID], 1, CALL, ends=True),
]

SMUGGLING = [
    refused("CL.TE", head("POST /sample/sink HTTP/1.1", "Content-Length: 6",
                          "Transfer-Encoding: chunked") + b"0\r\n\r\nG"),
    refused("CL.TE with a whole request", head("POST /sample/sink HTTP/1.1",
                                               f"Content-Length: {5 + len(SMUGGLED)}",
                                               "Transfer-Encoding: chunked") + b"0\r\n\r\n" + SMUGGLED),
    refused("TE.CL", head("POST /sample/sink HTTP/1.1", "Transfer-Encoding: chunked",
                          "Content-Length: 4") + chunk(SMUGGLED) + b"0\r\n\r\n"),
    *(refused(f"TE.TE: {value!r}", head("POST /sample/sink HTTP/1.1", "Transfer-Encoding:" + value,
                                        "Content-Length: 4") + b"5c\r\n" + SMUGGLED)
      for value in (" xchunked", " chunked\x0b", "\x0cchunked", " chunked, identity", " identity, chunked",
                    " chunked;x", " \"chunked\"", " chunked,", " cow\r\nTransfer-Encoding: chunked")),
    *(refused(f"an encoding alone: {value!r}",
              head("POST /sample/sink HTTP/1.1", "Transfer-Encoding:" + value) + b"0\r\n\r\n" + SMUGGLED)
      for value in ("", " identity", " gzip", " gzip, chunked", " chunked, chunked", " chunkedx",
                    " chunked\xa0", " chunked\r\nTransfer-Encoding: chunked")),
    refused("an encoding with a space before its colon",
            head("POST /sample/sink HTTP/1.1", "Transfer-Encoding : chunked",
                 "Content-Length: 4") + b"5c\r\n" + SMUGGLED),
    refused("an encoding in HTTP/1.0", head("POST /sample/sink HTTP/1.0", "Transfer-Encoding: chunked",
                                            "Connection: keep-alive") + b"0\r\n\r\n" + SMUGGLED),
    passes("an encoding with an underscore",
           post("/sample/sink", b"0\r\n\r\n" + SMUGGLED, "Transfer_Encoding: chunked")),
    passes("a length with an underscore", get("/sample/echo/x", "Content_Length: 100")),
    passes("CL.0", post("/sample/echo/x", SMUGGLED)),
    passes("a GET whose body is a request",
           get("/sample/echo/x", f"Content-Length: {len(SMUGGLED)}") + SMUGGLED),
    passes("a length that Connection names",
           get("/sample/echo/x", "Connection: content-length", f"Content-Length: {len(SMUGGLED)}") +
           SMUGGLED),
    passes("an encoding that Connection names",
           chunked(chunk(SMUGGLED) + b"0\r\n\r\n",
                   fields=["Connection: transfer-encoding"])),
    Case("two requests in a row", get() + NEXT, [OK, OK], 2, 2 * CALL),
    Case("a good one, then a bad one", get() + get("/sample/echo/x", "X : a") + NEXT,
         [OK, INVALID], 1, CALL, ends=True),
    refused("a bad one, then a good one", get("/sample/echo/x", "X : a") + NEXT),
    Case("the rest of a refused body is no request",
         post("/sample/sink", SMUGGLED, key=False) + get(), [(401, "missing_api_key"), OK], 1, CALL),
    refused("the rest of a refused chunked body is no request",
            head("POST /sample/sink HTTP/1.1", "Transfer-Encoding: chunked", key=False) +
            b"0\r\n\r\n" + SMUGGLED, (401, "missing_api_key")),
    Case("a WebSocket that is declined is no tunnel",
         get("/sample/echo/x", "Connection: Upgrade", "Upgrade: websocket") + NEXT,
         [OK, OK], 2, 2 * CALL),
    Case("HTTP/2 by upgrade is declined",
         get("/sample/echo/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c",
             "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA") + NEXT, [OK, OK], 2, 2 * CALL),
    Case("a WebSocket with a body", get("/sample/echo/x", "Connection: Upgrade", "Upgrade: websocket",
                                        f"Content-Length: {len(SMUGGLED)}") + SMUGGLED + get(),
         [OK, OK], 2, 2 * CALL),
]

CHUNKS = [
    passes("chunks", chunked(b"5\r\nhello\r\n0\r\n\r\n")),
    passes("extensions and trailers",
           chunked(b"5;a=b\r\nhello\r\n0;x\r\nX-Sum: 1\r\n\r\n")),
    *(refused(f"malformed chunks: {body[:30]!r}", chunked(body + b"0\r\n\r\n" + SMUGGLED))
      for body in (b"x\r\n", b"\r\n", b"0x5\r\nhello\r\n", b"+5\r\nhello\r\n", b" 5\r\nhello\r\n",
                   b"5 \r\nhello\r\n", b"5\nhello\n", b"5\r\nhello", b"5\r\nhelloworld\r\n",
                   b"5;\r\nhello\r\n", b"5;a\nb\r\nhello\r\n", b"10000000000000005\r\nhello\r\n",
                   b"fffffffffffffffff\r\nhello\r\n")),
    refused("a bare LF in a trailer", chunked(b"0\r\nX: a\n\r\n\r\n")),
    refused("a length in a trailer", chunked(b"0\r\nContent-Length: 5\r\n\r\n")),
    refused("an endless chunk extension", chunked(b"5;" + b"x" * 100_000)),
    passes("JSON in chunks", chunked(chunk(GPT_4_TEXT) + b"0\r\n\r\n",
                                     line="POST /v1/chat/completions HTTP/1.1",
                                     fields=["Content-Type: application/json"]), 10),
    refused("JSON in malformed chunks", chunked(chunk(GPT_4_TEXT)[:-2] + b"0\r\n\r\n",
                                                line="POST /v1/chat/completions HTTP/1.1",
                                                fields=["Content-Type: application/json"])),
]

TARGETS = [
    passes("an encoded letter", chat(GPT_4, target="/v1/%63hat/completions"), 10),
    passes("two slashes", chat(GPT_4, target="//v1//chat/completions"), 10),
    passes("dot segments", chat(GPT_4, target="/v1/models/../chat/./completions"), 10),
    passes("encoded dot segments", chat(GPT_4, target="/v1/agents/a/%2e%2E/../chat/completions"), 10),
    passes("a trailing slash", chat(GPT_4, target="/v1/chat/completions/"), 10),
    passes("capital letters", chat(GPT_4, target="/v1/Chat/COMPLETIONS"), 10),
    *(declined(name, chat(GPT_4, target=target)) for name, target in (
        ("an encoded slash", "/v1/chat%2Fcompletions"), ("a backslash", "/v1/chat\\completions"),
        ("an encoded backslash", "/v1/chat%5Ccompletions"), ("an encoded NUL", "/v1/chat/completions%00"),
        ("an encoded LF", "/v1/chat/completions%0a"), ("a path parameter", "/v1/chat/completions;x=1"),
        ("an encoded semicolon", "/v1/chat/completions%3Bx"), ("twice encoded", "/v1/%2563hat/completions"),
        ("half an encoding", "/v1/chat/completions%2"), ("no hexadecimal", "/v1/chat/completions%zz"),
        ("overlong UTF-8", "/v1/%c0%ae%c0%ae/chat/completions"), ("above the root", "/../v1/chat/completions"),
        ("a fragment", "/v1/chat/completions#x"), ("no leading slash", "v1/chat/completions"),
        ("another scheme", "ftp://test/v1/chat/completions"),
        ("another host than Host's", "http://elsewhere/v1/chat/completions"),
        ("a user in the target", "http://test@elsewhere/v1/chat/completions"))),
    declined("a byte beyond ASCII", head(b"GET /sample/echo/\xe4 HTTP/1.1")),
    passes("the absolute form", chat(GPT_4, target="http://TEST/v1/chat/completions"), 10),
    declined("an asterisk", get("*")),
    declined("OPTIONS *", head("OPTIONS * HTTP/1.1"), (404, "no_route")),
    declined("no route", get("/elsewhere"), (404, "no_route")),
    declined("a query that decides, twice", get("/v1/tier?tier=silver&tier=gold")),
    declined("a query that decides, as an array", get("/v1/tier?tier[]=gold")),
    declined("a query that decides, behind a semicolon", get("/v1/tier?x=1;tier=gold")),
    passes("a query that decides, encoded", get("/v1/tier?t%69er=g%6Fld"), 10),
    declined("a field that decides, twice", get("/v1/tier", "X-Tier: silver", "X-Tier: gold")),
    declined("a field that decides, with an underscore", get("/v1/tier", "X_Tier: gold")),
    passes("a field that decides, taken back", get("/v1/tier", "X-Tier: gold", "Connection: x-tier")),
    declined("a method that is overridden", get("/sample/echo/x", "X-HTTP-Method-Override: DELETE")),
    declined("a path that is overridden",
             get("/sample/echo/x", "X-Original-URL: /v1/chat/completions")),
    passes("a GET with the body that decides",
           get("/v1/priced", "Content-Type: application/json",
               f"Content-Length: {len(GPT_4_TEXT)}") + GPT_4_TEXT, 10),
    passes("a PUT with chunks that decide",
           chunked(chunk(GPT_4_TEXT) + b"0\r\n\r\n",
                   line="PUT /v1/priced HTTP/1.1", fields=["Content-Type: application/json"]), 10),
]

BODIES = [
    passes("a body that decides", chat(GPT_4), 10),
    *(declined(name, chat(body)) for name, body in (
        ("the model twice", b'{"model":"gpt-3.5","messages":[],"model":"gpt-4"}'),
        ("the model twice, once escaped", b'{"model":"gpt-3.5","mod\\u0065l":"gpt-4"}'),
        ("invalid UTF-8", b'{"model":"gpt-4","x":"\xff"}'),
        ("an overlong encoding", b'{"model":"gpt-4","x":"\xc0\xaf"}'),
        ("half JSON", b'{"model":"gpt-4"'), ("JSON and more", b'{"model":"gpt-4"} x'),
        ("two documents", b'{"model":"gpt-3.5"}{"model":"gpt-4"}'),
        ("a byte order mark", b'\xef\xbb\xbf{"model":"gpt-4"}'),
        ("a comment", b'{"model":"gpt-4"/*x*/}'), ("a trailing comma", b'{"model":"gpt-4",}'),
        ("a bare LF in a string", b'{"model":"gpt-4\n"}'), ("nothing", b""), ("blanks", b"   "),
        ("no JSON", b"model=gpt-4"),
        ("deep nesting", b'{"model":"gpt-4","x":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        ("a control character in the model", b'{"model":"gpt-4\\u0000"}'))),
    *(declined(name, chat(body), (404, "no_route")) for name, body in (
        ("an unknown model", {"model": "gpt-5"}), ("no model", {"messages": []}),
        ("a model that is a number", {"model": 4}), ("a model that is null", {"model": None}),
        ("a model in an array", [{"model": "gpt-4"}]))),
    passes("gzip", packed(gzip.compress(GPT_4_TEXT), "Content-Encoding: gzip"), 10),
    passes("gzip in two fields", packed(gzip.compress(gzip.compress(GPT_4_TEXT)), "Content-Encoding: gzip",
                                        "content-encoding: x-gzip"), 10),
    declined("gzip that is none", chat(GPT_35, "Content-Encoding: gzip")),
    declined("two members of gzip", chat(gzip.compress(b'{"model":"gpt-3.5"}') + gzip.compress(GPT_4_TEXT),
                                         "Content-Encoding: gzip")),
    declined("an unknown encoding", chat(GPT_35, "Content-Encoding: compress"),
             (415, "unsupported_content_encoding")),
    declined("an encoding with an underscore", chat(GPT_35, "Content_Encoding: gzip"),
             (415, "unsupported_content_encoding")),
    passes("the identity encoding", chat(GPT_35, "Content-Encoding: identity"), 2),
    declined("UTF-16", post("/v1/chat/completions", json.dumps(GPT_4).encode("utf-16-le"),
                            "Content-Type: application/json; charset=utf-16")),
    declined("a form", post("/v1/chat/completions", b"model=gpt-4",
                            "Content-Type: application/x-www-form-urlencoded")),
    declined("no content type", post("/v1/chat/completions", GPT_4_TEXT)),
    declined("two content types", chat(GPT_4, "Content-Type: text/plain")),
    refused("a body that is too large to read", head(
        "POST /v1/chat/completions HTTP/1.1", "Content-Type: application/json",
        "Content-Length: 100000000") + b"{", (413, "body_too_large")),
    passes("queries", chat({"queries": ["a", "b", "c"]}, target="/v1/knowledge-bases/k/query"), 3),
    declined("queries twice", chat(b'{"queries":["a"],"queries":["a","b","c"]}',
                                   target="/v1/knowledge-bases/k/query")),
]

CREDENTIALS = [
    declined("no key", get(key=False), (401, "missing_api_key")),
    declined("a wrong key", get("/sample/echo/x", "Authorization: Bearer wrong", key=False),
             (401, "invalid_api_key")),
    declined("a key in the query", get("/sample/echo/x?api_key={KEY}", key=False),
             (401, "missing_api_key")),
    declined("a key in a cookie", get("/sample/echo/x", "Cookie: api_key={KEY}", key=False),
             (401, "missing_api_key")),
    declined("a key for a proxy", get("/sample/echo/x", "Proxy-Authorization: Bearer {KEY}", key=False),
             (401, "missing_api_key")),
    declined("a key with underscores", get("/sample/echo/x", "x_api_key: {KEY}", key=False),
             (401, "missing_api_key")),
    declined("a key taken back", get("/sample/echo/x", "Connection: authorization"),
             (401, "missing_api_key")),
    refused("a key in a trailer",
            head("POST /sample/sink HTTP/1.1", "Transfer-Encoding: chunked", key=False) +
            b"0\r\nAuthorization: Bearer " + KEY + b"\r\n\r\n", (401, "missing_api_key")),
    declined("another scheme", get("/sample/echo/x", "Authorization: Basic {KEY}", key=False),
             (401, "invalid_api_key")),
    declined("a scheme without a key", get("/sample/echo/x", "Authorization: Bearer", key=False),
             (401, "invalid_api_key")),
    declined("a key without a scheme", get("/sample/echo/x", "Authorization: {KEY}", key=False),
             (401, "invalid_api_key")),
    declined("a key and something", get("/sample/echo/x", "Authorization: Bearer {KEY} x", key=False),
             (401, "invalid_api_key")),
    declined("two keys in one field", get("/sample/echo/x", "Authorization: Bearer {KEY}, Bearer {KEY}",
                                          key=False), (401, "invalid_api_key")),
    declined("one credential twice", get("/sample/echo/x", "Authorization: Bearer {KEY}")),
    declined("two keys of one name", get("/sample/echo/x", "x-api-key: {KEY}", "X-Api-Key: {KEY}")),
    passes("a credential of another kind", get("/sample/echo/x", "x-api-key: other")),
    declined("two credentials", get("/sample/echo/x", "x-api-key: tg_other")),
    passes("one credential in two fields", get("/sample/echo/x", "x-api-key: {KEY}")),
    passes("a lower-case scheme", get("/sample/echo/x", "authorization: bearer {KEY}", key=False)),
    passes("x-api-key", get("/sample/echo/x", "x-api-key: {KEY}", key=False)),
]

EXPECTATIONS = [
    declined("an unknown expectation", post("/sample/sink", b"hello", "Expect: 200-ok")),
    declined("an expectation and another", post("/sample/sink", b"hello", "Expect: 100-continue, x")),
    refused("two expectations", post("/sample/sink", b"hello", "Expect: 100-continue", "Expect: x")),
    passes("an expectation that does not wait", post("/sample/sink", b"hello", "Expect: 100-continue")),
    passes("an expectation without a body", get("/sample/echo/x", "Expect: 100-continue")),
]


def left(name, data):
    return Case(name, data, leaves=True)


CHAT_4 = chat(GPT_4)
DEPARTURES = [
    left("nothing is sent", b""),
    left("half a request line", b"GET /sample"),
    left("half a head", get()[:-30]),
    left("a head but for its last LF", get()[:-1]),
    left("a head without its body", head("POST /sample/sink HTTP/1.1", "Content-Length: 5")),
    left("half a body", head("POST /sample/sink HTTP/1.1", "Content-Length: 50") + SMUGGLED[:20]),
    left("half a chunk header", chunked(b"5\r\nhello\r\n1")),
    left("half a chunk", chunked(b"ff\r\nhello")),
    left("chunks without an end", chunked(b"5\r\nhello\r\n0\r\n")),
    left("half a trailer", chunked(b"5\r\nhello\r\n0\r\nX-Sum: ")),
    left("half the body that decides", CHAT_4[:-5]),
    left("a length that is never reached",
         head("POST /sample/sink HTTP/1.1", "Content-Length: 999999999999999999") + SMUGGLED),
]
