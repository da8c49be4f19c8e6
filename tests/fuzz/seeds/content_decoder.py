#!/usr/bin/env python3
"""Writes first examples for content_decoder_fuzz into a directory: which byte to change, and into
what; then a body, compressed and not."""
import gzip
import struct
import sys
import zlib
from pathlib import Path

TEXT = b"RIFF\xff\xff\xff\xffWAVE" + b"a" * 300
HEAD = b"\x1f\x8b\x08\x1e" + bytes(6) + b"\1\0x" + b"name\0" + b"comment\0"  # every optional part
OPTIONAL = (HEAD + struct.pack("<H", zlib.crc32(HEAD) & 0xFFFF) + zlib.compress(TEXT)[2:-4]
            + struct.pack("<II", zlib.crc32(TEXT), len(TEXT)))
SEEDS = {
    "plain": TEXT, "gzip": gzip.compress(TEXT, mtime=0), "zlib": zlib.compress(TEXT),
    "members": gzip.compress(TEXT, mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"b", mtime=0),
    "raw": zlib.compress(TEXT)[2:-4], "stored": zlib.compress(b"abc", 0), "optional": OPTIONAL,
    "behind": gzip.compress(TEXT, mtime=0) + b"behind", "bomb": gzip.compress(bytes(150_000), mtime=0),
    "broken_off": gzip.compress(TEXT, mtime=0)[:-5],
}

for name, content in SEEDS.items():
    (Path(sys.argv[1]) / name).write_bytes(b"\0\x0b\1" + content)
