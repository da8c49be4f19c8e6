"""Bodies that two readers could read in two ways, made from a seed: what a caller would try who wants
the cheap reading priced and the dear one served.

A case is (kind, content type, body). Most are near what ordinary clients send, so that many are taken.
"""
import json
import random

DEAR, CHEAP = "gpt-4", "gpt-3.5-turbo"
SHORT, LONG = b"SHORT", b"LONG-LONG-LONG-LONG"

CHARSETS = ["utf-8", "UTF-8", "utf8", "utf-7", "utf-16", "utf-16le", "utf_8_sig", "us-ascii", "iso-8859-1",
            "unicode_escape", "raw_unicode_escape", "cp037", "rot13", "idna", "punycode", "hz", "shift_jis",
            "iso-2022-jp", "windows-1252", "utf-32", "big5", "x"]
NOISE = ["\\u0000", "\\u0000x", " ", "\\t", "\\n", "\\u001f", "\\u007f", "\\u0085", "\\u00a0", "\\u00ad",
         "\\u200b", "\\u200d", "\\u2060", "\\ufeff", "\\ud800", "\\udc00", "\\ufe0f", "_", "-", "[]", ".",
         "\\u0301", "\\\\", "\\/", "\\\"", "\u200b", "\ufeff", "\u00a0", "\U000e0041", "", "x", "s"]
LETTERS = {"m": ["M", "\uff4d", "\U0001d5c6", "\\uff4d", "\\u006d"], "o": ["O", "\u2092", "\uff4f", "\u00ba"],
           "d": ["D", "\u217e"], "e": ["E", "\u212f", "\u2091"], "l": ["L", "\u02e1", "\\u006c", "\u217c"],
           "s": ["S", "\u017f", "\\u017f"], "i": ["I", "\u0130", "\u0131"], "n": ["N", "\u207f", "\\u004e"],
           "q": ["Q"], "u": ["U"], "r": ["R"], "b": ["B"], "f": ["F"], "t": ["T"], "_": ["", "-", "__"]}


def chance(random_, one_in):
    return random_.randrange(one_in) == 0


# --- names that could be taken for another

def like(r, name):
    """A name in JSON's own writing that some reader may take for `name`."""
    letters = list(name)
    for _ in range(r.choice([0, 0, 1, 1, 2])):
        at = r.randrange(len(letters))
        letters[at] = r.choice(LETTERS.get(letters[at][:1], [letters[at]]))
    if chance(r, 2):
        letters.insert(r.choice([0, len(letters), r.randrange(len(letters) + 1)]), r.choice(NOISE))
    return "".join(letters)


# --- JSON

def json_value(r, name):
    if name == "model":
        return r.choice([json.dumps(DEAR), json.dumps(CHEAP), json.dumps(CHEAP), "null", "[]", "{}", "3",
                         '"gpt-3.5\\u0000"', '"gpt-4\\u0000"', '"\\u0000gpt-4"', '" gpt-4"', '"GPT-4"',
                         '"gpt-3.5-turbo\\ud800"'])
    if name == "queries":
        return r.choice(["[]", "[1]", "[1,2,3]", '{"a":1,"b":2}', "null", '"ab"', "[[1,2],[3]]", "{}"])
    if chance(r, 2):
        return r.choice(["1", "2", "3", "128"])
    return r.choice(["1", "1", "2", "3", "128", "0", "-1", "1.5", "2.0", "1e2", '"9"', "true", "null", "[9]",
                     "4294967297", "1e400", "0.99999999999999999999", "1E0", "3e-1", "-0", "01", "+1", "0x9"])


def json_members(r):
    names = ["model", "queries", "n", "best_of"]
    members = ['"model":' + json.dumps(CHEAP)] if not chance(r, 8) else []
    if chance(r, 2):
        members.append('"queries":[1]')
    for _ in range(r.choice([0, 0, 1, 1, 1, 2])):
        name = r.choice(names)
        written = name if chance(r, 2) else like(r, name)
        members.append('"%s":%s' % (written, json_value(r, name)))
    for _ in range(r.choice([0, 0, 1])):
        dear = '{"model":"gpt-4","n":9,"best_of":9,"queries":[1,2,3]}'
        members.append(r.choice(['"messages":[%s]' % dear, '"__proto__":' + dear, '"constructor":' + dear,
                                 '"x":' + dear, '"":' + dear, '"a":"\\ud83d\\ude00"', '"é":1', '"\\u0000":1',
                                 '"toString":1', '"a":1e5', '"pad":"' + "x" * r.randrange(80) + '"']))
    r.shuffle(members)
    return members


def json_text(r):
    blank = lambda: r.choice(["", "", "", " ", "\n", "\t", "\r\n"])  # noqa: E731
    text = "{" + ",".join(blank() + each + blank() for each in json_members(r)) + "}"
    if chance(r, 12):
        other = '{"model":"gpt-4","n":9,"queries":[1,2,3]}'
        text = r.choice([text + other, other + text, "[" + text + "]", text + "\n" + other, text + "\0" + other,
                         "\ufeff" + text, text[:-1], text + " ", text[:-1] + ",}", "/*x*/" + text,
                         text + "//" + other, text.replace(":", " :", 1), text.replace('"', "'"),
                         text[:-1] + "," + other[1:]])
    data = text.encode("utf-8", "surrogatepass")
    if chance(r, 25):
        data = text.encode(r.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"]), "replace")
    if chance(r, 10):
        seven = b',"+AG0AbwBkAGUAbA-":"gpt-4","+AG4-":9,"+AHEAdQBlAHIAaQBlAHM-":[1,2,3]}'
        data = data.rstrip()[:-1] + seven
    if chance(r, 15) and data:
        at = r.randrange(len(data))
        data = data[:at] + r.choice([b"\0", b"\xff", b"\xc0\x80", b"\\", b'"', b"\x1f", b"\xed\xa0\x80"]) + data[at:]
    return data


def parameter(r, name, value):
    """A parameter in one of the spellings of RFC 9110, RFC 2231, and what people make of them."""
    half = len(value) // 2
    return r.choice([
        f"{name}={value}", f"{name}={value}", f"{name.upper()}={value}", f'{name}="{value}"',
        f"{name}*=utf-8''{value}", f"{name}*={value}", f"{name}*0={value[:half]}; {name}*1={value[half:]}",
        f"{name}*0*=utf-8''{value[:half]}; {name}*1*={value[half:]}", f"{name} = {value}", f"{name}='{value}'",
        f'{name}="{value[:half]}\\{value[half:]}"', f"{name}*0={value}", f"x=y; {name}={value}",
        f'x="; {name}={value}"', f'x="\\"; {name}={value}; y="', f"{name}=;{name}={value}", f"{name}:{value}",
        f"{name}={value},", f"x-{name}={value}", f"{name}={value} x"])


def json_type(r):
    out = r.choice(["application/json"] * 20 + ["Application/JSON", "application/vnd.x+json", "text/json",
                                               "application/json ", "application/x-json", "text/plain"])
    for _ in range(r.choice([0, 0, 0, 1, 1, 2])):
        out += r.choice([";", "; ", " ; ", ",", ";;"]) + parameter(
            r, r.choice(["charset", "charset", "v", "boundary"]), r.choice(CHARSETS))
    return out


# --- forms

BOUNDARIES = ["B", "b0undary", "----WebKitFormBoundaryAbC", "a b", "B'x", "B:x", "B=x", "(B)", "B/x", "--", "-",
              "B.", "+B", "B?", "1,2", "B ", " B", "AaB03x"]


def disposition(r, name, with_file):
    words = [parameter(r, "name", name) if chance(r, 8) else f'name="{name}"']
    if with_file and not chance(r, 4):
        words.append('filename="a.wav"')
    elif with_file:
        words.append(r.choice(['filename="a.wav"'] * 4 + [
            "filename=a.wav", "filename*=utf-8''a.wav", 'filename="a\\"b.wav"', 'filename="x;y.wav"',
            'filename="C:\\\\a.wav"', "filename*0=a; filename*1=b", 'filename=""', 'filename="a name=file"',
            'filename="; name=file"', 'filename="a\\"; name=\\"file"', 'filename="C:\\a\\"', "filename*=utf-7''a"]))
    if chance(r, 16):
        words.append(r.choice([parameter(r, "name", "file"), "size=3", "type=audio", 'x="y"', "name"]))
    if chance(r, 4):
        r.shuffle(words)
    kind = r.choice(["form-data"] * 30 + ["Form-Data", "attachment", "file", "form-data ", "mixed"])
    return kind + "".join(r.choice(["; "] * 20 + [";", " ; ", ";\t", "\r\n ;", ", "]) + each for each in words)


def part_name(r):
    if not chance(r, 3):
        return r.choice(["model", "prompt", "x", "language", "temperature"])
    return r.choice(["file", "File", "file[]", "file ", " file", "fi\\le", "%66ile",
                                    "f\u200bile", "\uff46ile", "file\0", "file\0x", "=?utf-8?B?ZmlsZQ==?=",
                                    "+AGYAaQBsAGU-", "&#102;ile", "_charset_", "file.x", "[file]", "'file'",
                                    "\\u0066ile", "\\x66ile", "f\ufffdile", "", "file\x7f", "fil\xe9"])


def part_fields(r, name):
    lines = ["Content-Disposition: " + disposition(r, name, chance(r, 2) or name == "file")]
    if not chance(r, 3):
        return lines + ["Content-Type: audio/wav"] * (name == "file")
    for _ in range(r.choice([1, 1, 2])):
        charset = parameter(r, "charset", r.choice(CHARSETS))
        lines.append(r.choice([
            "Content-Type: audio/wav", "Content-Type: text/plain", "Content-Type: text/plain; " + charset,
            "Content-Type: multipart/mixed; boundary=C", "Content-Type: message/rfc822",
            "Content-Type: application/octet-stream; " + charset, "Content-Type: application/x-www-form-urlencoded",
            "Content-Transfer-Encoding: " + r.choice(["binary", "8bit", "7bit", "base64", "quoted-printable", "x"]),
            "Content-Length: " + r.choice(["5", "0", "3", "100", "-1", "5 ", "0x5", "5,5"]),
            "Content-Encoding: " + r.choice(["gzip", "identity", "deflate"]), "X-Note: a\tb", "Content-ID: <a@b>",
            "content-disposition: form-data; name=file", "Content-Disposition : form-data; name=file",
            " folded", "X", "X:", ": x", "Content_Disposition: form-data; name=file", "Transfer-Encoding: chunked"]))
    r.shuffle(lines)
    return lines


def line_end(r):
    return b"\r\n" if not chance(r, 80) else r.choice([b"\n", b"\r", b"", b"\r\r\n", b"\n\r", b"\r\n\r\n", b" \r\n"])


def content(r, name, boundary):
    if name != "file" and chance(r, 2):
        return r.choice([b"", b"whisper-1", b"utf-7", b"U0hPUlQ=", b"\r\n", b"=41"])
    stray = b"--" + boundary
    hidden = (b"Content-Disposition: form-data; name=\"file\"; filename=\"b.wav\"" + line_end(r) + line_end(r) + LONG)
    return r.choice([SHORT] * 30 + [
        SHORT + b"\r\n", SHORT + b"\r", SHORT + b"\n", b"\r\n" + SHORT, b"-", b"--", b"\r\n--", b"\r\n-",
        SHORT + line_end(r) + stray + line_end(r) + hidden, SHORT + stray, SHORT + line_end(r) + stray + b"--",
        SHORT + b"\r\n" + stray[:-1], SHORT + b"\r\n" + stray + b"x", SHORT + b"\r\n" + stray + b" \r\n" + hidden,
        SHORT + b"\r\n" + stray + b"\t\r\n" + hidden, SHORT + b"\r\n-" + stray, bytes(r.randrange(256) for _ in range(20)),
        SHORT + b"\r\n--" + boundary.upper() + b"\r\n" + hidden, SHORT + b"\r\n--C\r\n" + hidden + b"\r\n--C--",
        b"\0" * 5, b"U0hPUlQ=", b"=53=48", b"--\r\n" + SHORT])


def form_body(r, boundary):
    out = r.choice([b""] * 20 + [b"\r\n", b"preamble\r\n", b"\n", b"x", b"\0", b" "])
    names = ["file"] + [part_name(r) for _ in range(r.choice([0, 0, 1, 1, 2, 3]))]
    r.shuffle(names)
    for name in names:
        lines = part_fields(r, name)
        out += b"--" + boundary + line_end(r)
        out += b"".join(each.encode("utf-8") + line_end(r) for each in lines) + line_end(r)
        out += content(r, name, boundary) + line_end(r)
    out += b"--" + boundary + r.choice([b"--"] * 20 + [b"-- ", b"--x", b"", b"-", b"--\r\n\r\n", b" --"]) + line_end(r)
    if chance(r, 10):
        out += r.choice([b"epilogue", b"\r\n", b"--" + boundary + b"\r\n" + b"Content-Disposition: form-data; "
                         b"name=\"file\"; filename=\"b.wav\"\r\n\r\n" + LONG + b"\r\n--" + boundary + b"--\r\n"])
    return out


def form_type(r, boundary):
    out = r.choice(["multipart/form-data"] * 8 + ["Multipart/Form-Data", "multipart/mixed", "multipart/related",
                                                  "multipart/form-data ", "multipart/x"])
    words = [f"boundary={boundary}" if " " not in boundary else f'boundary="{boundary}"']
    if chance(r, 10):
        words = [parameter(r, "boundary", boundary)]
    if chance(r, 5):
        words.append(parameter(r, "charset", r.choice(CHARSETS)))
    if chance(r, 8):
        words.append(r.choice([parameter(r, "boundary", "C"), "type=audio/wav", "start=x", "x", 'q="a;b"', ""]))
    r.shuffle(words)
    return out + "".join(r.choice(["; "] * 12 + [";", " ; ", ","]) + each for each in words)


def flipped(r, body):
    """A few bytes changed, doubled or left out where they matter: never many."""
    for _ in range(r.choice([1, 1, 2])):
        at = r.randrange(len(body) + 1)
        body = r.choice([lambda: body[:at] + body[at + 1:], lambda: body[:at] + body[max(at - 3, 0):],
                         lambda: body[:at] + bytes([r.choice(b"\r\n\0\t -\"\\;=%\xff")]) + body[at:]])()
    return body


def case(seed):
    r = random.Random(seed)
    if chance(r, 2):
        return b"json", json_type(r).encode("utf-8", "replace"), json_text(r)
    boundary = r.choice(BOUNDARIES) if chance(r, 2) else "----WebKitFormBoundaryAbC"
    body = form_body(r, boundary.encode())
    if chance(r, 5):
        body = flipped(r, body)
    return b"form", form_type(r, boundary).encode("utf-8", "replace"), body
