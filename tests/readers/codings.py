#!/usr/bin/env python3
"""Compressed bodies that were priced as cheap: no decoder may see the dear model in them. See README.md.

    tests/readers/codings.py [--seconds S] [--seed N]        TOLLGATE_READERS_PRICE: the program readers_price
"""
import argparse
import ctypes
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRICE = os.environ.get("TOLLGATE_READERS_PRICE", ROOT / "build/release/tests/readers/readers_price")
CHEAP = b'{"model":"gpt-3.5-turbo","messages":[{"role":"user","content":"cheap cheap cheap cheap"}]}'
DEAR = b'{"model":"gpt-4","messages":[{"role":"user","content":"dear dear dear dear dear"}]}'
ROOM = 1 << 20

ZSTD = ctypes.CDLL("libzstd.so.1")
ENCODER, DECODER = ctypes.CDLL("libbrotlienc.so.1"), ctypes.CDLL("libbrotlidec.so.1")
for function in (ZSTD.ZSTD_compress, ZSTD.ZSTD_decompress):
    function.restype = ctypes.c_size_t

NODE = """
const zlib = require('node:zlib');
const lines = require('node:readline').createInterface({input: process.stdin});
const decoders = {gzip: [zlib.gunzipSync, zlib.unzipSync], deflate: [zlib.inflateSync, zlib.inflateRawSync],
                  br: [zlib.brotliDecompressSync], zstd: zlib.zstdDecompressSync ? [zlib.zstdDecompressSync] : []};
lines.on('line', (line) => {
  const [coding, hex] = line.split(' ');
  const seen = (decoders[coding] ?? []).map((decode) => {
    for (const options of [{}, {finishFlush: zlib.constants.Z_SYNC_FLUSH}])
      try { return decode(Buffer.from(hex, 'hex'), options).toString('hex'); } catch { }
    return null;
  });
  console.log(JSON.stringify(seen));
});
"""


def zstd(text):
    out = ctypes.create_string_buffer(len(text) + 1024)
    return out.raw[:ZSTD.ZSTD_compress(out, ctypes.c_size_t(len(out)), text, ctypes.c_size_t(len(text)), 3)]


def unzstd(body):
    out = ctypes.create_string_buffer(ROOM)
    size = ZSTD.ZSTD_decompress(out, ctypes.c_size_t(ROOM), body, ctypes.c_size_t(len(body)))
    return None if ZSTD.ZSTD_isError(ctypes.c_size_t(size)) else out.raw[:size]


def brotli(text, quality=5, window=22):
    out, size = ctypes.create_string_buffer(len(text) + 1024), ctypes.c_size_t(len(text) + 1024)
    ENCODER.BrotliEncoderCompress(quality, window, 0, ctypes.c_size_t(len(text)), text, ctypes.byref(size), out)
    return out.raw[:size.value]


def unbrotli(body):
    out, size = ctypes.create_string_buffer(ROOM), ctypes.c_size_t(ROOM)
    done = DECODER.BrotliDecoderDecompress(ctypes.c_size_t(len(body)), body, ctypes.byref(size), out)
    return out.raw[:size.value] if done == 1 else None


def attempt(decode):
    def decoded(body):
        try:
            return decode(body)
        except (OSError, EOFError, zlib.error):
            return None
    return decoded


def first_stream(bits):
    """As servers do that read one stream and ignore what follows, or accept one that was cut short."""
    return attempt(lambda body: zlib.decompressobj(bits).decompress(body, ROOM))


DECODERS = {
    "gzip": [attempt(gzip.decompress), first_stream(31), first_stream(47)],
    "deflate": [first_stream(15), first_stream(-15), first_stream(47)],
    "zstd": [unzstd], "br": [unbrotli]}
ENCODERS = {
    "gzip": [gzip.compress, lambda text: gzip.compress(text, 0)],
    "deflate": [zlib.compress, lambda text: zlib.compress(text, 0), lambda text: zlib.compress(text)[2:-4],
                lambda text: zlib.compress(text, 0)[2:-4]],
    "zstd": [zstd], "br": [brotli, lambda text: brotli(text, 1, 16), lambda text: brotli(text, 9, 24)]}


class Price:
    def __init__(self):
        self.process = subprocess.Popen([PRICE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def of(self, coding, body):
        for block in (b"coded", coding.encode(), body):
            self.process.stdin.write(len(block).to_bytes(4, "big") + block)
        self.process.stdin.flush()
        chat = json.loads(self.process.stdout.readline())["chat"]
        return chat and chat["route"]


class Node:
    def __init__(self):
        node = shutil.which("node", path="/usr/bin:" + os.environ["PATH"])
        self.process = node and subprocess.Popen([node, "-e", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                 text=True)

    def decode(self, coding, body):
        if not self.process:
            return []
        self.process.stdin.write(f"{coding} {body.hex()}\n")
        self.process.stdin.flush()
        return [bytes.fromhex(seen) for seen in json.loads(self.process.stdout.readline()) if seen is not None]


def encoded(r, text):
    """A list of codings and the body."""
    names, body = [], text
    for _ in range(r.choice([1, 1, 1, 2, 2, 3])):
        name = r.choice(list(ENCODERS))
        body = r.choice(ENCODERS[name])(body)
        names.append(name)
    return names, body


def mutant(r):
    names, body = encoded(r, r.choice([CHEAP, CHEAP, CHEAP, DEAR, CHEAP + b" " * 400]))
    kind = r.randrange(9)
    if kind == 0:  # another stream behind it, or before
        other = r.choice(ENCODERS[names[-1]])(DEAR)
        body = r.choice([body + other, other + body])
    elif kind == 1:  # bytes of it changed
        changed = bytearray(body)
        for _ in range(r.choice([1, 1, 2, 8])):
            changed[r.randrange(len(changed))] = r.randrange(256)
        body = bytes(changed)
    elif kind == 2:
        body = body[:r.randrange(len(body))] + r.choice([b"", DEAR])
    elif kind == 3:  # what reads as JSON before it, or behind
        body = r.choice([DEAR + body, b" " + DEAR + body, body + DEAR, b"\n" + body])
    elif kind == 4:  # another list than it has
        names = r.sample(list(ENCODERS), r.choice([1, 2]))
    elif kind == 5:
        body = r.choice([CHEAP, DEAR])
    elif kind == 6:  # a skippable frame, gzip's own fields
        body = r.choice([b"\x50\x2a\x4d\x18" + len(DEAR).to_bytes(4, "little") + DEAR + body,
                         b"\x1f\x8b\x08\x10" + bytes(6) + DEAR + b"\0" + body[10:]])
    return names, body


def readings(names, body, node):
    """Every text that some server may see: decoded in either order, by one coding only, or not at all."""
    yield body
    for order in ([names[-1]], [names[0]], list(reversed(names)), names):
        texts = [body]
        for name in order:
            texts = [text for before in texts for text in
                     [decode(before) for decode in DECODERS[name]] + node.decode(name, before) if text]
            yield from texts


def model_of(text):
    """As a lenient server reads it: in any Unicode encoding, with anything behind the first value."""
    try:
        text = text.decode(json.detect_encoding(text), "replace").lstrip("\ufeff \t\r\n")
        seen, _ = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return seen.get("model") if isinstance(seen, dict) else None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = arguments.parse_args()
    r, price, node = random.Random(options.seed), Price(), Node()
    end = time.monotonic() + options.seconds
    cases = taken = dear = findings = 0
    while time.monotonic() < end:
        cases += 1
        names, body = mutant(r)
        route = price.of(", ".join(names), body)
        models = {str(model_of(text))[:5] for text in readings(names, body, node)}
        taken += route == "cheap"
        dear += "gpt-4" in models
        if route == "cheap" and "gpt-4" in models:
            findings += 1
            print(f"dear for cheap: {names} {body.hex()}")
    # Without bodies in which some decoder sees the dear model, nothing would have been tried.
    print(f"seed {options.seed}: {cases} bodies, {dear} dear for some decoder, {taken} priced as cheap, "
          f"{findings} findings" + ("" if node.process else "; without Node.js"))
    return 1 if findings or not taken or not dear else 0


if __name__ == "__main__":
    sys.exit(main())
