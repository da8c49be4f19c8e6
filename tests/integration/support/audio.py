"""Audio for tests, and a Tollgate whose routes count its seconds."""
import struct

from .http_stack import HttpTest
from .tollgate import RATES, route

# Sixty credits per minute: one credit is one second, so the figures are easy to read.
SPEECH = {"credits": 60, "per": "minute", "meter": "response_audio", "increment": "1s"}
UPLOAD = {"credits": 60, "per": "minute", "meter": "request_audio", "increment": "1s"}
HOUR = 3600


def wav(seconds, rate=8000, declared=None):
    """Silence: mono, 8 bit. `declared` is the length that the header claims instead of the real one."""
    samples = int(seconds * rate)
    size = samples if declared is None else declared
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE", b"fmt ", 16,
                       1, 1, rate, rate, 1, 8, b"data", size)
    return head + b"\x80" * samples


def form(*parts, boundary="b0undary"):
    """A multipart/form-data body of (name, content) pairs, and its content type."""
    body = b""
    for name, content in parts:
        extra = '; filename="a"\r\nContent-Type: application/octet-stream' if name == "file" else ""
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
        body += (content if isinstance(content, bytes) else content.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class AudioTest(HttpTest):
    rates = {**RATES, "tts": SPEECH, "stt": UPLOAD}
    plans = {"starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10}}

    @classmethod
    def start_tollgate(cls, **changes):
        return super().start_tollgate(rates=cls.rates, plans=cls.plans, **changes)

    @classmethod
    def more_routes(cls):
        def speech(name, path, **audio):
            return route(name, "tts", {"method": "POST", "path": path}, audio=audio)
        return [
            speech("speech", "/v1/audio/speech", estimate={"characters": "/input"}),
            route("upload", "stt", {"method": "POST", "path": "/v1/audio/**"}, dialect="openai"),
            {**speech("cut", "/cut/*", on_exhausted="cut"), "upstream": "scripted"},
            {**speech("answers", "/answers/*"), "upstream": "scripted"},
            {**route("uploads", "stt", {"path": "/uploads/*"}), "upstream": "scripted"},
            {**route("lenient", "stt", {"path": "/lenient/*"},
                     audio={"on_unmeasurable": "estimate", "bit_rate": 8000}), "upstream": "scripted"},
            {**route("shadow", "stt", {"path": "/shadow/*"}, mode="shadow"), "upstream": "scripted"},
            {**route("base64", "stt", {"path": "/base64/*"}, audio={"json": "/input/audio"}),
             "upstream": "scripted"},
            {**route("base64-by-model", "stt", {"path": "/by-model/*", "json": {"model": "*"}},
                     audio={"json": "/input/audio", "on_unmeasurable": "estimate"}),
             "upstream": "scripted"},
            {**route("raw", "stt", {"path": "/raw/*"},
                     audio={"pcm": {"rate": 16000, "channels": 1, "bits": 16}}), "upstream": "scripted"},
        ]

    def customer(self, credits):
        self.org += f"-{credits}"
        self.key = self.tollgate.admin.new_customer(self.org, credits=credits)

    def speak(self, seconds, path="/v1/audio/speech", **headers):
        return self.tollgate.call("POST", path, self.key, {"input": "Hi.", "response_format": "pcm"}
                                  if path == "/v1/audio/speech" else {},
                                  {"x-sample-seconds": str(seconds), **headers})

    def upload(self, body, content_type="audio/wav", path=None, **headers):
        path = path or "/v1/audio/transcriptions"
        return self.tollgate.call("POST", path, self.key, body, {"Content-Type": content_type, **headers})


def m4a(seconds, blocks_a_sample=1, bytes_a_sample=400, index_first=False):
    """AAC at 16 kHz, mono, with the index at the end as phones write it: silent blocks of 64 ms each, and padding. No
    recorder writes several blocks per sample; decoders play them all."""
    def u32(*values):
        return struct.pack(f">{len(values)}I", *values)

    def box(kind, *content):
        return u32(8 + sum(map(len, content))) + kind + b"".join(content)

    def full(kind, *content):
        return box(kind, u32(0), *content)
    count = round(seconds / 0.064 / blocks_a_sample)
    samples = (b"\0\0\0\7" * blocks_a_sample).ljust(bytes_a_sample, b"\0") * count
    info = b"\5\2" + struct.pack(">H", 2 << 11 | 8 << 7 | 1 << 3)
    decoder = bytes((4, 13 + len(info), 0x40, 0x15)) + bytes(11) + info
    esds = full(b"esds", bytes((3, 3 + len(decoder), 0, 1, 0)), decoder)
    entry = box(b"mp4a", bytes(6), b"\0\1", bytes(8), b"\0\1\0\x10", bytes(4), u32(16_000 << 16), esds)
    ftyp = box(b"ftyp", b"M4A ", u32(0), b"M4A mp42isom")

    def moov(offset):
        tables = (full(b"stsd", u32(1), entry), full(b"stts", u32(1, count, 1024)),
                  full(b"stsc", u32(1, 1, count, 1)), full(b"stsz", u32(bytes_a_sample, count)),
                  full(b"stco", u32(1, offset)))
        media = box(b"mdia", full(b"mdhd", u32(0, 0, 16_000, count * 1024, 0)),
                    full(b"hdlr", u32(0), b"soun", bytes(13)),
                    box(b"minf", full(b"smhd", u32(0)), box(b"stbl", *tables)))
        return box(b"moov", full(b"mvhd", u32(0, 0, 1000, count * 64), bytes(80)),
                   box(b"trak", full(b"tkhd", u32(0, 0, 1), bytes(68)), media))
    if index_first:
        return ftyp + moov(len(ftyp) + len(moov(0)) + 8) + box(b"mdat", samples)
    return ftyp + box(b"mdat", samples) + moov(len(ftyp) + 8)
