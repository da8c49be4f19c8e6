"""What readers written in Python make of a body. See ../README.md for the protocol."""
import asyncio
import io
import json
import struct
import sys

import django
from aiohttp import streams, web
from aiohttp.test_utils import make_mocked_request
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from starlette.requests import Request as StarletteRequest
from werkzeug.wrappers import Request as WerkzeugRequest

LOOP = asyncio.new_event_loop()
settings.configure(DEFAULT_CHARSET="utf-8", ALLOWED_HOSTS=["*"], DATA_UPLOAD_MAX_NUMBER_FIELDS=None)
django.setup()


def environment(content_type, body):

    return {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "SERVER_NAME": "x", "SERVER_PORT": "80",
            "SCRIPT_NAME": "", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body), "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)), "HTTP_HOST": "x"}


def starlette(content_type, body):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"",
             "headers": [(b"content-type", content_type.encode("latin-1"))]}
    return StarletteRequest(scope, receive)


class Protocol:
    _reading_paused = False
    transport = None

    def pause_reading(self): pass
    def resume_reading(self): pass


def aiohttp_request(content_type, body):
    stream = streams.StreamReader(Protocol(), 2**20, loop=LOOP)
    stream.feed_data(body)
    stream.feed_eof()
    return make_mocked_request("POST", "/", headers={"Content-Type": content_type}, payload=stream,
                               client_max_size=2**24)


# --- JSON

def described(value):
    """What an upstream would bill by."""
    if not isinstance(value, dict):
        return {"model": None, "queries": -1, "n": None, "best_of": None}

    def number(name):
        found = value.get(name)
        plain = isinstance(found, (int, float)) and not isinstance(found, bool)
        return min(found, 10**9) if plain and found == found else None
    model, queries = value.get("model"), value.get("queries")
    return {"model": model.encode("utf-8", "surrogatepass").hex() if isinstance(model, str) else None,
            "queries": len(queries) if isinstance(queries, (list, dict, str)) else -1,
            "n": number("n"), "best_of": number("best_of")}


def json_flask(content_type, body):
    return WerkzeugRequest(environment(content_type, body)).get_json()


def json_django(content_type, body):
    request = WSGIRequest(environment(content_type, body))
    return json.loads(request.body.decode(request.encoding or "utf-8"))


def json_starlette(content_type, body):
    return LOOP.run_until_complete(starlette(content_type, body).json())


def json_aiohttp(content_type, body):
    return LOOP.run_until_complete(aiohttp_request(content_type, body).json())


# --- forms: every value of the field `file`

def form_werkzeug(content_type, body):
    request = WerkzeugRequest(environment(content_type, body))
    return ([each.read() for each in request.files.getlist("file")] +
            [each.encode("utf-8", "surrogatepass") for each in request.form.getlist("file")])


def form_django(content_type, body):
    request = WSGIRequest(environment(content_type, body))
    texts, files = request.POST, request.FILES
    return ([each.read() for each in files.getlist("file")] +
            [each.encode("utf-8", "surrogatepass") for each in texts.getlist("file")])


def form_starlette(content_type, body):
    async def run():
        async with starlette(content_type, body).form() as form:
            return [each.encode("utf-8", "surrogatepass") if isinstance(each, str) else await each.read()
                    for each in form.getlist("file")]
    return LOOP.run_until_complete(run())


def form_aiohttp(content_type, body):
    async def run():
        form = await aiohttp_request(content_type, body).post()
        return [each.file.read() if isinstance(each, web.FileField) else
                each.encode("utf-8", "surrogatepass") if isinstance(each, str) else bytes(each)
                for each in form.getall("file", [])]
    return LOOP.run_until_complete(run())


def form_aiohttp_parts(content_type, body):
    async def run():
        found = []
        reader = await aiohttp_request(content_type, body).multipart()
        while (part := await reader.next()) is not None:
            if getattr(part, "name", None) == "file":
                found.append(bytes(await part.read(decode=True)))
        return found
    return LOOP.run_until_complete(run())


READERS = {
    b"json": {"flask": json_flask, "django": json_django, "starlette": json_starlette,
              "aiohttp": json_aiohttp},
    b"form": {"werkzeug": form_werkzeug, "django": form_django, "starlette": form_starlette,
              "aiohttp": form_aiohttp, "aiohttp-parts": form_aiohttp_parts},
}


def read_with(read, kind, content_type, body):
    try:
        found = read(content_type, body)
    except Exception:  # a reader that refuses a body reads nothing in it
        return None
    return described(found) if kind == b"json" else {"file": [each.hex() for each in found]}


def blocks(stream):
    while len(length := stream.read(4)) == 4:
        yield stream.read(struct.unpack(">I", length)[0])


def main():
    cases = blocks(sys.stdin.buffer)
    for kind in cases:
        content_type, body = next(cases).decode("latin-1"), next(cases)
        print(json.dumps({name: read_with(read, kind, content_type, body)
                          for name, read in READERS[kind].items()}), flush=True)


main()
