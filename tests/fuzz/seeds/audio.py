#!/usr/bin/env python3
"""Writes first examples for audio_fuzz into a directory: how to feed them, a newline, the bytes."""
import struct
import sys
from pathlib import Path

LAYER_3 = bytes.fromhex("fff31400") + b"x" * 20  # MPEG 2, 8 kbit/s, 24 kHz
MPEG_1 = bytes.fromhex("fffb9000") + b"x" * 413  # 128 kbit/s, 44.1 kHz
PADDED = bytes.fromhex("fffb9200") + b"x" * 414
XING = MPEG_1[:36] + (b"Info" + struct.pack(">II", 0xF, 40) + bytes(4) + b"t" * 100 + bytes(4) + b"LAME3.100"
                      + bytes(12) + bytes.fromhex("240480") + bytes(300))[:381]
ADTS = bytes.fromhex("fff15080020ffc") + b"x" * 9
PCM, EXTENSIBLE, IMA, GSM, MP3 = 1, 0xFFFE, 0x11, 0x31, 0x55


def chunk(name, content, order="<"):
    return name + struct.pack(order + "I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(tag, bits, data, block=4, form=b"RIFF", front=b"", extra=b""):
    fmt = struct.pack("<HHIIHH", tag, 2, 8000, 32000, block, bits) + extra
    return form + b"\xff" * 4 + b"WAVE" + front + chunk(b"fmt ", fmt) + chunk(b"data", data)


def aiff(kind, compression, first, last):
    common = struct.pack(">HIH", 1, 9, 16) + bytes.fromhex("400bfa00000000000000") + compression
    parts = {"common": chunk(b"COMM", common, ">"),
             "sound": chunk(b"SSND", bytes(8) + b"abcdefghi", ">")}
    return b"FORM" + bytes(4) + kind + parts[first] + parts[last]


EXTENSION = struct.pack("<HHIH", 22, 8, 3, PCM) + bytes.fromhex("000000001000800000aa00389b71")
DS64 = chunk(b"ds64", struct.pack("<QQQI", 9, 6, 3, 0))
SEEDS = {
    "mp3": b"m\4a" + b"\n" + LAYER_3 * 3, "mp3_tag": b"m\2b\nID3\4\0\0\0\0\0\3abc" + LAYER_3 * 5,
    "mp3_xing": b"m\3\n" + LAYER_3[:21] + b"Info\0\0\0\x0f" + LAYER_3,
    "mp3_lame": b"m\1a\n" + XING + MPEG_1 * 4,
    "mp3_padded": b"m\1ab\n" + (MPEG_1 + PADDED * 2) * 3,
    "mp3_junk": b"mxb\n" + b"\xff\xfb\xe2" * 1360, "adts_junk": b"dxb\n" + b"\xff\xf1\x50" * 1360,
    "adts": b"d\7xy\n" + ADTS * 3, "either": b"s\7\n\0\0" + LAYER_3, "junk": b"s\7\nabc" + ADTS * 2,
    "wav": b"w\0\1\n" + wav(PCM, 16, b"abcdefg"), "wav_mp3": b"w\0\n" + wav(MP3, 0, LAYER_3 * 6),
    "wav_ima": b"w\0\n" + wav(IMA, 4, b"a" * 50, 20), "wav_gsm": b"w\0\n" + wav(GSM, 0, b"a" * 150, 65),
    "wav_extensible": b"w\0\n" + wav(EXTENSIBLE, 32, b"a" * 9, 8, extra=EXTENSION),
    "rf64": b"w\0\n" + wav(PCM, 8, b"abc", form=b"RF64", front=DS64),
    "aiff": b"i\0\n" + aiff(b"AIFF", b"", "common", "sound"),
    "aifc": b"i\0\n" + aiff(b"AIFC", b"sowt\0\0", "sound", "common"),
    "pcm": b"p\2a\n" + b"sample", "raw": b"s\2a\n" + b"\1\2" * 40, "raw_or_mp3": b"s\3a\n\1\2" + LAYER_3 * 4,
    "sniffed_mp3": b"n\2\5\n" + LAYER_3 * 3, "sniffed_adts": b"n\2\5\nID3\4\0\0\0\0\0\2ab" + ADTS * 3,
    "sniffed_wav": b"n\0\1\n" + wav(PCM, 16, b"abcdefg"),
    "sniffed_aiff": b"n\0\3\n" + aiff(b"AIFF", b"", "common", "sound"),
    "sniffed_amr": b"n\0\2\n#!AMR\n" + b"\x3c" * 40, "sniffed_flac": b"n\0\2\nfLaC\x80\0\0\x22" + bytes(34),
    "sniffed_ogg": b"n\0\2\nOggS\0\2" + bytes(20) + b"\1\x13OpusHead\1\1" + bytes(9),
    "sniffed_mp4": b"n\0\2\n\0\0\0\x0cftypM4A \0\0\0\x08moov",
    "sniffed_matroska": b"n\0\2\n\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff",
    "amr": b"r\3\n#!AMR\n" + b"\x3c" * 40, "amr_wb": b"r\3\n#!AMR-WB_MC1.0\n\0\0\0\2" + b"\x04" * 40,
}

for name, content in SEEDS.items():
    (Path(sys.argv[1]) / name).write_bytes(content)
