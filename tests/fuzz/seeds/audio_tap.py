#!/usr/bin/env python3
"""Writes first examples for audio_tap_fuzz into a directory: a content type, an encoding, a body."""
import base64
import gzip
import struct
import sys
from pathlib import Path

WAV = (b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
       + b"data" + struct.pack("<I", 40) + b"ab" * 20)
MP3 = (bytes.fromhex("fff31400") + b"x" * 20) * 8  # MPEG 2, 8 kbit/s, 24 kHz
ADTS = (bytes.fromhex("fff15080020ffc") + b"x" * 9) * 6
AMR = b"#!AMR\n" + (b"\x3c" + b"x" * 31) * 3


def part(name, content, more=b""):
    return b"--b\r\nContent-Disposition: form-data; name=" + name + b"\r\n" + more + b"\r\n" + content + b"\r\n"


def event(content):
    return b'event: speech.audio.delta\ndata: {"audio":"' + base64.b64encode(content) + b'"}\n\n'


SEEDS = {
    "wav": (b"audio/wav", b"", WAV), "mp3": (b"audio/mpeg", b"identity", MP3), "adts": (b"", b"", ADTS),
    "amr": (b"audio/amr", b"deflate", AMR), "raw": (b"audio/L16;rate=24000;channels=2", b"", b"abcd" * 20),
    "basic": (b"audio/basic", b"", b"abcd"), "gzip": (b"audio/mpeg", b"gzip", gzip.compress(MP3, mtime=0)),
    "json": (b"application/json", b"", b'{"voice":"x","audio":"' + base64.b64encode(WAV) + b'"}'),
    "json_answer": (b"<application/json", b"", b'{"audio":"' + base64.urlsafe_b64encode(WAV) + b'"}'),
    "other_json": (b"text/x+json", b"", b'{"\xc3\xa9":1,"audio":"' + base64.urlsafe_b64encode(WAV) + b'"}'),
    "form": (b"multipart/form-data; boundary=b", b"", part(b"model", b"whisper-1")
             + part(b'"file"; filename="a.wav"', WAV, b"Content-Type: audio/wav\r\n") + b"--b--\r\n"),
    "packed_form": (b"multipart/form-data; boundary=b", b"gzip",
                    gzip.compress(part(b"file", ADTS) + b"--b--", mtime=0)),
    "mixed": (b"multipart/mixed; boundary=b", b"", MP3 + b"\r\n" + part(b"file", WAV) + b"--b--"),
    "two_forms": (b"multipart/form-data; boundary=b", b"gzip",
                  b"\x1f\x8b\x08\x08" + bytes(6) + b"\r\n" + part(b"file", MP3) + b"--b--\r\n\0"
                  + gzip.compress(part(b"file", ADTS) + b"--b--", mtime=0)[10:]),
    "answer": (b"<audio/mpeg", b"gzip", gzip.compress(WAV, mtime=0)),
    "events": (b"<text/event-stream", b"",
               event(MP3[:50]) + b": comment\n\n" + event(MP3[50:]) + b"data: [DONE]\n\n"),
}

for name, (kind, encoding, body) in SEEDS.items():
    (Path(sys.argv[1]) / name).write_bytes(kind + b"\n" + encoding + b"\n" + body)
