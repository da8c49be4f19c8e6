#!/usr/bin/env python3
"""Small files of the audio containers for the fuzzers to begin with: audio_seeds.py NAME DIRECTORY"""
import pathlib
import struct
import sys


def crc(data, polynomial, bits):
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (bits - 1) else 0)
            value &= (1 << bits) - 1
    return value


def flac_frame(number, codes):
    head = b"\xff\xf8" + codes + bytes([number])
    frame = head + bytes([crc(head, 0x07, 8)]) + b"abcdefgh"
    return frame + crc(frame, 0x8005, 16).to_bytes(2, "big")


def flac():
    info = b"fLaC\x80\0\0\x22" + b"\x10\0\x10\0" + bytes(6) + (48000 << 44 | 15 << 36).to_bytes(8, "big") + bytes(16)
    mono = b"".join(flac_frame(i, b"\xca\x08") for i in range(3))
    stereo = b"".join(flac_frame(i, b"\xc9\x18") for i in range(3))
    yield info + mono + stereo + mono
    yield b"ID3\4\0\0\0\0\0\5hello" + info + mono + info + stereo


def page(flags, packets, serial=1, granule=0):
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    head = b"OggS\0" + struct.pack("<BqIIIB", flags, granule, serial, 0, 0, len(lacing))
    data = head + lacing + b"".join(packets)
    return data[:22] + struct.pack("<I", crc(data, 0x04C11DB7, 32)) + data[26:]


def ogg():
    head = b"OpusHead\1\1" + struct.pack("<HIHB", 312, 48000, 0, 0)
    data = page(0, [b"OpusTags"]) + page(0, [b"\x78opus"] * 9, granule=9 * 960)
    yield page(2, [head]) + data + page(4, [b"\xfb\x03opus"] * 2, granule=10 * 960)
    vorbis = b"\1vorbis" + struct.pack("<IBIIIIBB", 0, 1, 48000, 0, 0, 0, 0xB8, 1)
    yield page(2, [vorbis], 7) + page(0, [b"\3vorbis", b"\5vorbis\0BCV"], 7) + page(0, [b"\0", b"\2"] * 9, 7)
    speex = b"Speex   " + bytes(28) + struct.pack("<II", 16000, 1) + bytes(12) + struct.pack("<II", 320, 0) + struct.pack("<II", 1, 0) + bytes(8)
    yield page(2, [speex]) + page(0, [b"speex"] * 9)
    yield page(2, [b"\x7fFLAC\1\0\0\1" + next(flac())[:42]]) + page(0, [b"\4", flac_frame(0, b"\xca\x08")])


def element(identity, content):
    return bytes.fromhex(identity) + (len(content) | 1 << 14).to_bytes(2, "big") + content


def matroska_file(codec, private, blocks, more=b""):
    entry = element("D7", b"\1") + element("83", b"\2") + element("86", codec) + element("63A2", private) + more
    tracks = element("1654AE6B", element("AE", entry))
    cluster = element("1F43B675", element("E7", b"\0") + blocks)
    return element("1A45DFA3", element("4282", b"webm")) + b"\x18\x53\x80\x67\xff" + tracks + cluster


def matroska():
    simple = element("A3", b"\x81\0\0\0\x78opus")
    laced = b"".join(element("A3", b"\x81\0\0" + lace) for lace in (
        b"\2\1\2\x78a\x78b", b"\4\1\x78a\x78b", b"\6\2\x82\xbf\x78a\x78b\x78c"))
    group = element("A0", element("A1", b"\x81\0\0\0\x78opus") + element("75A2", b"\x0f\xff\xff"))
    yield matroska_file(b"A_OPUS", b"OpusHead\1\1\x38\1", simple + laced + element("EC", b"void") + group)
    audio = element("E1", element("B5", b"\x47\x2c\x44\0") + element("9F", b"\2") + element("6264", b"\x10"))
    stripped = element("6D80", element("6240", element("5034", element("4254", b"\3") + element("4255", b"\xff"))))
    for codec in (b"A_PCM/INT/LIT", b"A_MPEG/L3", b"A_AAC", b"A_AC3"):
        yield matroska_file(codec, b"\x12\x10", element("A3", b"\x81\0\0\0\xfb\x90\x44" + bytes(414)), audio + stripped)
    yield matroska_file(b"A_FLAC", next(flac())[:42], element("A3", b"\x81\0\0\0" + flac_frame(0, b"\xca\x08")))


if __name__ == "__main__":
    makers = {"flac": flac, "ogg": ogg, "matroska": matroska}
    for i, seed in enumerate(makers[sys.argv[1]]() if sys.argv[1] in makers else ()):
        pathlib.Path(sys.argv[2], f"seed{i}").write_bytes(b"\x07" + seed)
