"""Reads the recorded requests: text files in requests/, in the form that README.md describes."""
import base64
import gzip
import json
import re
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support.audio import m4a, wav  # noqa: E402

REQUESTS = HERE / "requests"
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))")
TEMPLATE = re.compile(r"\{([a-z][a-z0-9_]*)((?: [^{}]*)?)\}")
LETTERS = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
CLIENT_STEPS = {"client", "answer", "read", "rest", "take", "until", "leave", "close", "end", "settled"}
MP3_FRAME = bytes.fromhex("fffb9064") + bytes(413)  # silence: 128 kbit/s, 44.1 kHz, 1,152 samples


class RecordingError(Exception):
    pass


@dataclass
class Step:
    kind: str
    text: str = ""  # of "send": the lines of a message; of others: what stands behind the word


@dataclass
class Case:
    name: str
    group: str
    org: str
    account: str = ""  # credits and fields; "none": no organization is made
    steps: list = field(default_factory=list)
    answers: list = field(default_factory=list)  # of the upstream, in order: a list of steps each
    ignore_body: bool = False  # bodies of answers are not compared: texts that people read

    @property
    def requests(self):
        return sum(step.kind == "send" for step in self.steps)


@dataclass
class Group:
    name: str
    configuration: str = "shipped"
    cases: list = field(default_factory=list)

    @property
    def requests(self):
        return sum(case.requests for case in self.cases)


class Reader:
    """One file. A block of lines ends with an empty line, or where lines of another kind begin."""

    def __init__(self, path):
        self.group = Group(path.stem)
        self.named = {}
        self.case = self.block = self.answer = None
        for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
            try:
                self.take(line)
            except RecordingError as error:
                raise RecordingError(f"{path.name}:{number}: {error}") from None

    def take(self, line):
        mark, _, rest = line.partition(" ")
        if mark in (">", ">>", "<", "<!"):
            self.take_message(mark, rest)
            return
        self.block = None
        if mark != "#":
            self.answer = None
        if not line or mark == "#":
            return
        if mark == "==":
            number = len(self.group.cases) + 1
            self.case = Case(rest, self.group.name, f"{self.group.name}-{number}")
            self.group.cases.append(self.case)
        elif mark == "::":
            self.answer = self.named[rest] = []
        elif mark == "configuration":
            self.group.configuration = rest
        elif self.case is None:
            raise RecordingError(f"no case yet: {line}")
        else:
            self.take_directive(mark, rest)

    def take_directive(self, word, rest):
        if word == "account":
            self.case.account = rest
        elif word == "upstream":
            if rest not in self.named:
                raise RecordingError(f"no answer has this name: {rest}")
            self.case.answers.append(self.named[rest])
        elif (word, rest) == ("ignore", "body"):
            self.case.ignore_body = True
        elif word in CLIENT_STEPS:
            self.case.steps.append(Step(word, rest))
        else:
            raise RecordingError(f"unknown word: {word}")

    def take_message(self, mark, rest):
        goes_on = (len(rest) - len(rest.rstrip("\\"))) % 2  # a backslash at the end: no line end is sent
        text = rest[:-1] if goes_on else rest + "\\r\\n"
        if mark in (">", ">>"):
            kind = "send" if mark == ">" else "send more"
            if self.block is None or self.block.kind != kind:
                self.block = Step(kind)
                self.case.steps.append(self.block)
            self.block.text += text
            return
        if self.answer is None:
            self.answer = []
            self.case.answers.append(self.answer)
        if mark == "<!":
            self.block = None
            self.answer.append(Step(*([*rest.split(" ", 1), ""][:2])))
            return
        if self.block is None or self.block.kind != "reply":
            self.block = Step("reply")
            self.answer.append(self.block)
        self.block.text += text


def _made(word, arguments, variables):
    """What stands for {word arguments}; None where it is no template."""
    if word == "auth":
        return b"Authorization: Bearer " + variables["key"].encode()
    if word == "admin":
        return b"Authorization: Bearer " + variables["admin_token"].encode()
    if word in variables and not arguments:
        return variables[word].encode("latin-1")
    if word == "fill":
        size, text = (arguments + ["x"])[:2]
        text = unescape(text).encode("latin-1")
        return (text * (int(size) // len(text) + 1))[:int(size)]
    if word == "wav":
        return wav(*map(float, arguments[:1]), *map(int, arguments[1:]))
    if word == "m4a":
        return m4a(float(arguments[0]), index_first="first" in arguments)
    if word == "mp3":
        return MP3_FRAME * round(float(arguments[0]) * 44100 / 1152)
    if word == "pcm":
        return bytes(int(float(arguments[0]) * int(arguments[1])))
    if word == "file":
        return (HERE / "audio" / arguments[0]).read_bytes()
    if word in ("base64", "gzip", "deflate", "chunked"):
        inner = _made(arguments[0], arguments[1:], variables)
        if inner is None:
            inner = " ".join(arguments).encode()
        return {"base64": base64.b64encode, "gzip": lambda b: gzip.compress(b, mtime=0), "deflate": zlib.compress,
                "chunked": lambda b: b"%x\r\n%s\r\n" % (len(b), b)}[word](inner)
    return None


def unescape(text):
    return ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else LETTERS[m[2]], text)


def expand(text, variables):
    """The bytes of a message. {length} is the number of bytes behind the head in which it stands."""
    out, at = bytearray(), 0
    for found in TEMPLATE.finditer(text):
        word, arguments = found[1], found[2].split()
        made = None if word == "length" else _made(word, arguments, variables)
        if made is not None:
            out += unescape(text[at:found.start()]).encode("latin-1") + made
            at = found.end()
    out += unescape(text[at:]).encode("latin-1")
    head, mark, rest = bytes(out).rpartition(b"{length}")
    return head + str(len(rest.partition(b"\r\n\r\n")[2])).encode() + rest if mark else rest


def account_of(case):
    """(credits, fields) of the case's organization; None: it has none."""
    if case.account == "none":
        return None
    credits, _, fields = case.account.partition(" ")
    return credits or "100", json.loads(fields) if fields else {}


def read_groups(only=(), text=None):
    groups = [Reader(path).group for path in sorted(REQUESTS.glob("*.txt"))]
    unknown = set(only) - {group.name for group in groups}
    if unknown:
        raise RecordingError(f"no group has this name: {', '.join(sorted(unknown))}")
    for group in groups:
        group.cases = [case for case in group.cases if text is None or text in case.name]
    return [group for group in groups if group.cases and (not only or group.name in only)]
