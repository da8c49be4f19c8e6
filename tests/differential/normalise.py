"""Makes two answers comparable: ids, times, ports and the wording of messages are replaced; nothing else is."""
import re

KINDS = {
    "key": r"key_[0-9a-f]{20}", "secret": r"whsec_[A-Za-z0-9+/=]{20,}|tg_[A-Za-z0-9_-]{43}",
    "grant": r"grant_[0-9A-Z]{26}", "top_up": r"topup_[0-9A-Z]{26}|tu_[0-9_]{8,}", "webhook": r"we_[0-9A-Za-z]{16,}",
    "event": r"evt_[0-9A-Za-z_-]{8,}", "request": r"[0-9a-f]{32}", "hold": r"01[0-9A-HJKMNP-TV-Z]{24}",
    "place": r"1[0-9]{12}-[0-9]+(?:\.[0-9]+-[0-9]+)+", "entry": r"1[0-9]{12}-[0-9]+"}
ID = re.compile(r"\b(?:" + "|".join(f"(?P<{kind}>{form})" for kind, form in KINDS.items()) + ")")
TIME = re.compile(r"\b(20\d\d-\d\d-\d\d[T ])(\d\d:\d\d:\d\d(?:\.\d+)?)(Z|\+\d\d:\d\d)")
DATE = re.compile(r"\bDate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
EPOCH = re.compile(r"\b180[0-9]{7}(?:[0-9]{3})?\b")
MESSAGE = re.compile(r'("message":)"(?:[^"\\]|\\.)*"|("error":)"[^"]* [^"]*"')
WAIT = re.compile(r'(\bt=|Reset: |Retry-After: |"retry_after_seconds":)([3-9]\d|\d{3,})\b')
SPAN = re.compile(r"(traceparent: 00-[^-]+)-[0-9a-f]{16}-")
FILES = re.compile(r'(/dashboard/|ETag: ")[0-9a-f]{16,}')  # a digest of the dashboard's files
RELEASE = re.compile(r'(tollgate/|tollgate_build_info\{version=")\d+\.\d+\.\d+')
SIGNATURE = re.compile(r"\b(v1,|sha256=|v1=)[A-Za-z0-9+/=]{40,}|(?<=Signature: )[0-9a-f]{64}")
COOKIE = re.compile(r"(tollgate_[a-z_]*=)[A-Za-z0-9_.~%+/-]{16,}")
CSRF = re.compile(r'("csrf(?:_token)?":)"[^"]+"')
CURSOR = re.compile(r'(?<="next_after":")(?:[0-9a-f]{2}){20,}(?=")')
# How much of a long body had been read when it was refused.
READ_SO_FAR = re.compile(r'("refused":"\w+".*?)(?:"audio_seconds":[\d.]+,)?("unmeasurable":true,)?"bytes_in":\d{5,}')
NOT_COMPARED = re.compile(r'("seconds_left":)\d+')
# The parts of a call's time: which of them it has depends on the moment, too.
TIMES = re.compile(r'"total_us":\d+(?:,"[a-z]+_us":\d+)+')
SAME_TIMES = ",".join(f'"{part}_us":<time>' for part in ("total", "store", "upstream", "overhead"))


class Normaliser:
    """For one case: equal ids get equal names, in the order in which they appear."""

    def __init__(self, names):
        self.names = sorted(((text, name) for text, name in names.items() if text), key=lambda each: -len(each[0]))
        self.ids = {}

    def text(self, text):
        for known, name in self.names:
            text = text.replace(known, name)
        text = CURSOR.sub(lambda m: " ".join(bytes.fromhex(m[0]).decode("latin-1").split()), text)
        text = READ_SO_FAR.sub(r'\1\2"bytes_in":<so far>', text)
        text = SIGNATURE.sub(lambda m: (m[1] or "") + "<signature>", text)
        text = COOKIE.sub(r"\1<secret>", text)
        text = CSRF.sub(r'\1"<secret>"', text)
        text = SPAN.sub(r"\1-<span>-", text)
        text = MESSAGE.sub(lambda m: (m[1] or m[2]) + '"<message>"', text)
        text = ID.sub(self._id, text)
        text = TIME.sub(self._time, text)
        text = DATE.sub("Date: <time>", text)
        text = EPOCH.sub("<time>", text)
        text = FILES.sub(r"\1<files>", text)
        text = RELEASE.sub(r"\1<version>", text)
        text = NOT_COMPARED.sub(r"\1<time>", text)
        text = TIMES.sub(SAME_TIMES, text)
        return WAIT.sub(self._wait, text)

    def _id(self, found):
        same = self.ids.setdefault(found.lastgroup, {})
        return f"<{found.lastgroup} {same.setdefault(found[0], len(same) + 1)}>"

    @staticmethod
    def _wait(found):
        """Seconds until something: fewer, the longer the case has taken."""
        seconds = int(found[2])
        return f"{found[1]}<{round(seconds / 3600)} h>" if seconds > 1000 else f"{found[1]}<{-(-seconds // 60)} min>"

    @staticmethod
    def _time(found):
        return found[0] if re.fullmatch(r"\d\d:00:00(\.0+)?", found[2]) else "<time>"
