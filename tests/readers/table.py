"""Bodies that are known: what two readers were once found to read in two ways, and what honest clients send."""

FORM = b"multipart/form-data; boundary=B"
JSON = b"application/json"
SHORT, LONG = b"SHORT", b"LONG-LONG-LONG-LONG"


def part(name, content=SHORT, more=b"", filename=b'; filename="a.wav"'):
    return b"--B\r\nContent-Disposition: form-data; name=" + name + filename + b"\r\n" + more + b"\r\n" + content + b"\r\n"


FILE, END = part(b'"file"'), b"--B--\r\n"


def forms(*bodies):
    return [(b"form", FORM, body) for body in bodies]


def types(kind, body, *all_types):
    return [(kind, each, body) for each in all_types]


def jsons(*bodies):
    return [(b"json", JSON, body) for body in bodies]


# What stands here costs at most what every reader sees, or is refused: no row may become dearer by being taken.
REFUSED = (
    # charsets of the whole, and of a part
    types(b"form", FILE + part(b'"+AGYAaQBsAGU-"', LONG) + END,
          FORM + b"; charset=utf-7", FORM + b"; charset=unicode_escape", FORM + b"; charset=cp037",
          FORM + b"; charset*=utf-8''utf-7", FORM + b"; charset*0=utf-7", FORM + b"; charset=utf-8; charset=utf-7",
          b"multipart/form-data; boundary=B; boundary*=utf-8''C", b"multipart/form-data; boundary*0=B") +
    types(b"json", b'{"model":"gpt-3.5-turbo","+AG0AbwBkAGUAbA-":"gpt-4"}',
          JSON + b"; charset=utf-7", JSON + b"; charset*=utf-8''utf-7", JSON + b"; charset*0=utf-7",
          JSON + b"; charset=utf-8; charset*=utf-8''utf-7", JSON + b"; charset=utf-16", JSON + b"; charset=cp037") +
    forms(part(b'"_charset_"', b"utf-7", filename=b"") + FILE + END,
          FILE + part(b'"x"', b"SGk=", b"Content-Transfer-Encoding: base64\r\n") + END,
          FILE + part(b'"x"', b"1", b"Content-Type: text/plain; charset=utf-7\r\n") + END,
          # boundaries that stand elsewhere than behind CRLF
          part(b'"file"', SHORT + b"\r--B\rContent-Disposition: form-data; name=\"file\"\r\r" + LONG) + END,
          part(b'"file"', SHORT + b"--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n" + LONG) + END,
          part(b'"file"', SHORT + b"\n--B\nContent-Disposition: form-data; name=\"file\"\n\n" + LONG) + END,
          # names that are the same to some
          FILE + part(b'"File"', LONG) + END, FILE + part(b'"file[]"', LONG) + END,
          FILE + part(b'"x"; name*=utf-8\'\'file', LONG) + END, FILE + part(b'"x"; name="file"', LONG) + END,
          FILE + part(b'"x"', LONG, filename=b'; filename="a name=file"') + END,
          FILE + part(b"file,", LONG) + END, FILE + part(b"file@x", LONG) + END,
          FILE + part(b'"fi\\le"', LONG) + END, FILE + part(b'"file\0x"', LONG) + END,
          # a length that is another
          part(b'"file"', SHORT, b"Content-Length: 3\r\n") + END) +
    # members that are the same to some. Those of `queries` cost nothing as a chat, so each has a model, too.
    jsons(b'{"model\\u0000x":"gpt-4","model":"gpt-3.5-turbo"}', b'{"model":"gpt-3.5-turbo","model\\u0000x":"gpt-4"}',
          b'{"model":"gpt-3.5-turbo","Model":"gpt-4"}', b'{"model":"gpt-3.5-turbo","mode\\u006c":"gpt-4"}',
          b'{"model":"gpt-4\\u0000","n":1}', '{"model":"gpt-3.5-turbo","model\u200b":"gpt-4"}'.encode(),
          b'{"model":"gpt-3.5-turbo","model":"gpt-4"}', b'{"model":"gpt-3.5-turbo"}{"model":"gpt-4"}',
          b'{"model":"gpt-3.5-turbo","model\\ud800":"gpt-4"}', b'{"__proto__":{"model":"gpt-4"},"model":"gpt-3.5-turbo"}'))

# --- What honest clients send


def client(boundary, lines, quoted=False):
    """One file and one field, with the heads that a client writes."""
    file_lines, field_lines = lines
    rule = b"--" + boundary
    body = (rule + b"\r\n" + b"".join(each + b"\r\n" for each in field_lines) + b"\r\nwhisper-1\r\n" +
            rule + b"\r\n" + b"".join(each + b"\r\n" for each in file_lines) + b"\r\n" + SHORT + b"\r\n" + rule + b"--\r\n")
    written = b'"' + boundary + b'"' if quoted else boundary
    return b"form", b"multipart/form-data; boundary=" + written, body


FIELD = b'Content-Disposition: form-data; name="model"'
FILE_LINE = b'Content-Disposition: form-data; name="file"; filename="a.wav"'

PRICED = [
    # curl; browsers; requests; urllib3; Go; OkHttp; .NET; Apache HttpClient; Node's fetch
    client(b"------------------------d74496d66958873e", ([FILE_LINE, b"Content-Type: audio/wav"], [FIELD])),
    client(b"----WebKitFormBoundary7MA4YWxkTrZu0gW", ([FILE_LINE, b"Content-Type: audio/wav"], [FIELD])),
    client(b"---------------------------9051914041544843365972754266", ([FILE_LINE, b"Content-Type: audio/wav"], [FIELD])),
    client(b"0f5b3a9c1e0f4c5d8a7b6c5d4e3f2a1b", ([FILE_LINE], [FIELD])),
    client(b"c7d1f5a0e2", ([FILE_LINE, b"Content-Type: application/octet-stream"], [FIELD])),
    client(b"b2f1e6d4-0c7a-4b1e-9a63-1f0c8f8e2c55",
           ([FILE_LINE, b"Content-Type: audio/wav", b"Content-Length: 5"], [FIELD, b"Content-Length: 9"])),
    client(b"5f1d1f9c-6b7e-4a57-8d0b-9a6b0d6a6c11", ([
        b"Content-Type: audio/wav", b"Content-Disposition: form-data; name=file; filename=a.wav; filename*=utf-8''a.wav"],
        [b"Content-Type: text/plain; charset=utf-8", b"Content-Disposition: form-data; name=model"]), quoted=True),
    client(b"Xo2uXJ3Qe0c_8rT-4", ([FILE_LINE, b"Content-Type: audio/wav", b"Content-Transfer-Encoding: binary"],
                                  [FIELD, b"Content-Type: text/plain; charset=ISO-8859-1",
                                   b"Content-Transfer-Encoding: 8bit"])),
    client(b"----formdata-undici-021234567890", ([FILE_LINE, b"Content-Type: audio/wav"], [FIELD])),
    (b"form", FORM + b"; charset=utf-8", FILE + END),
    (b"form", b'multipart/form-data; boundary="B"', b"\r\n" + FILE + b"--B--"),
    (b"form", FORM, part('"file"'.encode(), filename='; filename="naïve \\"a\\".wav"'.encode()) + END),
    (b"json", JSON, b'{"model":"gpt-4o","messages":[{"role":"user","content":"hi \\ud83d\\ude00"}],"n":2}'),
    (b"json", JSON + b"; charset=utf-8", b'{"model":"gpt-3.5-turbo"}'),
    (b"json", JSON + b";charset=UTF-8", b'{"queries":["a","b"],"top_k":3,"namen":{"gr\xc3\xb6\xc3\x9fe":1}}'),
    (b"json", JSON, '{"queries":["a"],"größe":1,"模型":2,"🙂":3,"modèle":"x"}'.encode()),
]
