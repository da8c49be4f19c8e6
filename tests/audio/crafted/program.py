"""MPEG program streams: audio in what is called video, padding, private streams; other formats in them."""
from .base import encoded
from .polyglot import frames

VIDEO = "-f lavfi -i testsrc=s=64x64:d=8:r=25 -map 1:v -map 0:a -c:v {} -b:v 100k"


def with_video(how="-c:a mp2 -b:a 64k", codec="mpeg1video", suffix=".mpg", seconds=8, rate=48000, form="mpeg"):
    return encoded(suffix, f"{how} -f {form}", seconds, rate, before=VIDEO.format(codec))


def split(data):
    """(code, header, content) of packs, headers of the system and packets, as ffmpeg writes them."""
    at = 0
    while at + 4 <= len(data):
        code = data[at + 3]
        if code == 0xBA:
            size = 14 + (data[at + 13] & 7) if data[at + 4] & 0xC0 == 0x40 else 12
            head, content = data[at:at + size], b""
        elif code == 0xB9:
            head, content, size = data[at:at + 4], b"", 4
        else:
            size = 6 + int.from_bytes(data[at + 4:at + 6], "big")
            body = data[at + 6:at + size]
            if code in (0xBB, 0xBE):
                n = 0
            elif body[0] & 0xC0 == 0x80:
                n = 3 + body[2]
            else:
                n = len(body) - len(body.lstrip(b"\xff"))
                n += 2 if body[n] & 0xC0 == 0x40 else 0
                n += {0x20: 5, 0x30: 10}.get(body[n] & 0xF0, 1)
            head, content = data[at:at + 6 + n], body[n:]
        yield code, head, content
        at += size


def packet(code, content, header=b"\x0f"):
    return b"\0\0\1" + bytes([code]) + (len(header) + len(content)).to_bytes(2, "big") + header + content


def packets(code, content, size=2000, header=b"\x0f"):
    return [packet(code, content[at:at + size], header) for at in range(0, len(content), size)]


def pieces_of(data):
    return [(code, head + content) for code, head, content in split(data)]


def placed(data, others, every=1):
    """Packets in between, one behind every so many of the file's own."""
    out, others, number = b"", list(others), 0
    own = [piece for piece in pieces_of(data) if piece[0] != 0xB9]
    for code, piece in own:
        out += piece
        if code >= 0xC0:
            number += 1
            if number % every == 0 and others:
                out += others.pop(0)
    return out + b"".join(others)


def cases():
    short = encoded(".mpg", "-c:a mp2 -b:a 64k -f mpeg", 2, 48000)
    video = with_video(seconds=2)
    mp3 = frames(32, 12)
    mp2 = encoded(".mp2", "-c:a mp2 -b:a 32k", seconds=12, rate=48000)
    aac, ac3 = encoded(".aac", "-c:a aac -b:a 16k -f adts", 12), encoded(".ac3", "-c:a ac3 -b:a 64k", seconds=12, rate=48000)
    sequence = bytes.fromhex("000001b3 04004013 ffffe018") + bytes.fromhex("000001b8 00080040 00000100 000ffff8")
    sources = {"mp3": mp3, "mp2": mp2, "adts": aac, "ac3": ac3,
               "dts": encoded(".dts", "-c:a dca -strict -2 -b:a 256k", seconds=12, rate=48000),
               "ts": encoded(".ts", "-c:a mp2 -b:a 32k", seconds=12, rate=48000),
               "nut": encoded(".nut", "-c:a libopus -b:a 8k", seconds=12, rate=48000),
               "wav": encoded(".wav", "-c:a pcm_mulaw", seconds=12, rate=8000),
               "ogg": encoded(".ogg", "-c:a libopus -b:a 8k", seconds=12, rate=48000),
               "mxf": encoded(".mxf", "-c:a pcm_s16le -f mxf_opatom", 8, 48000),
               "truehd": encoded(".thd", "-c:a truehd -strict -2", seconds=12, rate=48000, channels=2)}
    for name, data in sources.items():
        for code in (0xBD, 0xBE, 0xBF, 0xC0, 0xC1, 0xDF, 0xE0, 0xE1, 0xEF, 0xF0, 0xFA, 0xFD, 0xBC, 0xBB):
            for size in (2000, 65000):
                yield f"{name}-as-{code:x}-{size}.mpg", placed(short, packets(code, data, size))
        yield f"{name}-behind-a-sequence.mpg", placed(short, packets(0xE0, sequence + data))
        yield f"{name}-between-sequences.mpg", placed(short, packets(0xE0, b"".join(
            sequence + data[at:at + 3000] for at in range(0, len(data), 3000))))
        yield f"{name}-in-video.mpg", placed(video, packets(0xE0, data))
        yield f"{name}-behind.mpg", short + data
        yield f"{name}-between-packets.mpg", placed(short, [data[at:at + 2000] for at in range(0, len(data), 2000)])
        yield f"{name}-first.mpg", data[:2000] + short
    for suffix in ("mpeg", "mpg", "g722", "sln", "sbc", "wav", "mp3", "aptx", "m4a", "mp4", "daud", "cdg"):
        yield f"called.{suffix}", short
    for at in (4, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18, 20, 21, 24, 30, 34, 36, 40):
        for value in (0, 0x0F, 0x60, 0x80, 0xC1, 0xE0, 0xFF):
            yield f"byte-{at}-{value}.mpg", short[:at] + bytes([value]) + short[at + 1:]
    whole = encoded(".mpg", "-c:a mp2 -b:a 64k -f mpeg", 12, 48000)
    for drop in (0xBA, 0xBB, 0xC0):
        yield f"without-{drop:x}.mpg", b"".join(piece for code, piece in pieces_of(whole) if code != drop)
        yield f"only-first-{drop:x}.mpg", b"".join(piece for number, (code, piece) in enumerate(pieces_of(whole))
                                                     if code != drop or number < 4)
    yield "twice.mpg", short + whole
    yield "renumbered.mpg", b"".join(piece[:3] + b"\xc1" + piece[4:] if code == 0xC0 and number > 20 else piece
                                     for number, (code, piece) in enumerate(pieces_of(whole)))
    yield "ends-early.mpg", short + b"\0\0\1\xb9" + whole


def honest():
    for how, rate in (("-c:a mp2 -b:a 64k", 48000), ("-c:a mp2 -b:a 384k", 44100), ("-c:a libmp3lame -b:a 64k", 44100),
                      ("-c:a libmp3lame -q:a 5", 48000)):
        name = how.split()[1] + "-" + how.split()[-1]
        for form, suffix in (("mpeg", ".mpg"), ("vob", ".mpeg"), ("svcd", ".mpg")):
            yield f"{form}-{name}{suffix}", encoded(suffix, f"{how} -f {form}", 7, rate)
            for codec in ("mpeg1video", "mpeg2video"):
                yield f"{form}-{codec}-{name}{suffix}", with_video(how, codec, suffix, 7, rate, form)
