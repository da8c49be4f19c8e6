"""What happened in one case, as lines of text that two builds can be compared by."""
import hashlib
import json
import re
from decimal import Decimal

WHOLE = 6_000  # bytes of a body that are shown; of a longer one, its digest
TEXT = re.compile(rb"[\n\r\t -~]*")


def printable(data):
    return re.sub(r"[^\n -~]", lambda m: f"\\x{ord(m[0]):02x}", data.decode("latin-1"))


def body_lines(body, normaliser):
    if len(body) > WHOLE:
        content = normaliser.text(body.decode()).encode() if TEXT.fullmatch(body) else body
        return [f"  {len(body)} bytes, sha256 {hashlib.sha256(content).hexdigest()[:16]}"]
    text = normaliser.text(printable(body))
    return ["  | " + line for part in text.split("\n") for line in re.split(r"(?<=,)(?=\")", part)] if text else []


def message_lines(message, normaliser, ignore_body=False):
    """The head as it came, in its order; the body without its framing."""
    head = normaliser.text(printable(message.head.replace(b"\r\n", b"\n")).rstrip("\n"))
    body = printable(message.body) if len(message.body) <= WHOLE else ""
    if ignore_body or normaliser.text(body) != body:  # so its length may differ, too
        head = re.sub(rf"(?im)^(content-length: ){len(message.body)}$", r"\1<of the body>", head)
    lines = ["  " + line for line in head.split("\n")] if message.head else []
    if ignore_body:
        lines.append(f"  a body of {'some' if message.body else 'no'} bytes")
    else:
        lines += body_lines(message.body, normaliser)
    if message.trailers:
        lines += ["  trailer " + line for line in normaliser.text(printable(message.trailers)).split("\\x0d\n") if line]
    if message.fault:
        lines.append(f"  FAULT {message.fault}")
    return lines


def client_lines(seen, normaliser, ignore_body):
    lines = []
    for what, message in seen:
        lines.append(f"client: {what}")
        if message is not None:
            lines += message_lines(message, normaliser, ignore_body)
    return lines


def upstream_lines(arrived, normaliser):
    lines = []
    for connection, message, what in arrived:
        lines.append(f"upstream {connection}: {what or 'request'}")
        if message is not None:
            lines += message_lines(message, normaliser)
    return lines


def without_extensions(ledger):
    """How far a hold grew ahead of what was counted depends on when pieces came. The charge does not."""
    page = json.loads(ledger, parse_float=Decimal)
    extended = {entry["subject"] for entry in page["data"]["entries"] if entry["type"] == "extend"}
    if not extended:
        return ledger
    page["data"]["entries"] = [entry for entry in page["data"]["entries"] if entry["type"] != "extend"]
    for entry in page["data"]["entries"]:
        name = {"settle": "released", "void": "credits", "expire": "credits"}.get(entry["type"])
        if name and entry["subject"] in extended:
            entry[name] = "<what was held>"
    return json.dumps(page, separators=(",", ":"), default=str).encode()


def account_lines(balance, ledger, normaliser):
    """Both as the admin API has answered."""
    return ["balance:", *body_lines(balance, normaliser),
            "ledger:", *body_lines(without_extensions(ledger), normaliser)]


def log_lines(lines, normaliser):
    return ["log: " + normaliser.text(line) for line in lines]


# Of these metrics only the names are compared. Their values are times, or depend on the machine, on how commands shared
# a write, or on how far the hold of a stream was ahead of what had been counted.
VALUE_IGNORED = re.compile(r"process_|.*_timestamp_|.*_seconds(_bucket|_sum)|tollgate_archive_lag_seconds|"
                           r"tollgate_store_memory_used_bytes|tollgate_buffered_limit_bytes|"
                           r"tollgate_request_wait_seconds_count|tollgate_upstream_connections_idle|"
                           r"tollgate_store_(commands|writes|sent_bytes|received_bytes|connects)_total|"
                           r"tollgate_credits_(extended|released|voided)_total{action=.(stt|tts).}")
COUNTER = re.compile(r"\w+_(total|count)(\{| )")


def series(text):
    """{name with labels: value} of a page of metrics."""
    return dict(line.rpartition(" ")[::2] for line in text.splitlines() if line[:1] != "#")


def metric_lines(text, before=""):
    """Of counters, how much more they are than in the page `before`, where they are; of the rest, what they are."""
    lines, old = [], series(before)
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if line.startswith("# HELP") or "_bucket{" in name:
            continue
        if line.startswith("#"):
            lines.append("metric: " + line)
        elif VALUE_IGNORED.match(line):
            lines.append(f"metric: {name} <value>")
        elif not COUNTER.match(line) or not before:
            lines.append("metric: " + line)
        elif more := Decimal(value) - Decimal(old.get(name, 0)):
            lines.append(f"metric: {name} {more}")
    return lines
