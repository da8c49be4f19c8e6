"""Matroska: contents that cannot be looked at, times that lie, several frames in one."""
import bz2
import struct
import zlib

from corpus.matroska import element

from .base import encoded


def ids_of(data, at=0):
    """(id, beginning of the content, its end) of the elements in a row."""
    while at < len(data):
        id_bytes = next(n for n in range(1, 5) if data[at] >> (8 - n))
        size_at = at + id_bytes
        size_bytes = next(n for n in range(1, 9) if data[size_at] >> (8 - n))
        size = int.from_bytes(data[size_at:size_at + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
        begin = size_at + size_bytes
        yield data[at:size_at].hex().upper(), begin, begin + size
        at = begin + size


def packets_of(mka):
    """The frames of a file that ffmpeg wrote: SimpleBlocks without lacing."""
    found = []

    def walk(begin, end):
        for name, first, last in ids_of(mka[:end], begin):
            if name in ("18538067", "1F43B675", "A0"):
                walk(first, last)
            elif name in ("A3", "A1"):
                found.append(mka[first + 4:last])
    walk(0, len(mka))
    return found


def private_of(mka):
    at = mka.index(bytes.fromhex("63A2"))
    return next(mka[first:last] for name, first, last in ids_of(mka, at))


def file_of(codec, packets, private=b"", rate=16000.0, channels=1, bits=0, ticks=lambda n: n, scale=1_000_000,
            in_track=b"", entry=b""):
    """One cluster a packet."""
    audio = element("B5", float(rate)) + element("9F", channels) + (element("6264", bits) if bits else b"")
    track = (element("D7", 1) + element("73C5", 1) + element("83", 2) + element("86", codec) +
             (element("63A2", private) if private else b"") + element("E1", audio) + in_track)
    out = [element("1549A966", element("2AD7B1", scale)), element("1654AE6B", element("AE", track) + entry)]
    out += [element("1F43B675", element("E7", ticks(number)) + element("A3", b"\x81\0\0\x80" + packet))
            for number, packet in enumerate(packets)]
    head = element("1A45DFA3", element("4286", 1) + element("42F7", 1) + element("42F2", 4) + element("42F3", 8) +
                   element("4282", b"matroska") + element("4287", 4) + element("4285", 2))
    return head + element("18538067", b"".join(out))


def encodings(algorithm, settings=None, scope=1):
    return element("6D80", element("6240", element("5031", 0) + element("5032", scope) + element("5033", 0) +
                   element("5034", element("4254", algorithm) + (element("4255", settings) if settings else b""))))


def grouped(packets, many):
    return [b"".join(packets[at:at + many]) for at in range(0, len(packets), many)]


def contents():
    for name, arguments in [("opus", "-c:a libopus -b:a 12k"), ("aac", "-c:a aac -b:a 16k"),
                            ("mp3", "-c:a libmp3lame -b:a 16k"), ("ac3", "-c:a ac3 -b:a 64k -ar 48000"),
                            ("vorbis", "-c:a libvorbis"), ("flac", "-c:a flac"), ("alac", "-c:a alac")]:
        yield name, encoded(".mka", arguments)


CODECS = {"opus": b"A_OPUS", "aac": b"A_AAC", "mp3": b"A_MPEG/L3", "ac3": b"A_AC3", "vorbis": b"A_VORBIS",
          "flac": b"A_FLAC", "alac": b"A_ALAC", "eac3": b"A_EAC3"}


def cases():
    for name, mka in contents():
        packets = packets_of(mka)
        private = private_of(mka) if bytes.fromhex("63A2") in mka else b""
        rate = 48000 if name in ("opus", "ac3") else 16000
        make = lambda packets, **how: file_of(CODECS[name], packets, private, rate, **how)
        for scale in (1, 1000):
            yield f"{name}-zlib-scale-{scale}.mka", make([zlib.compress(p) for p in packets], scale=scale,
                                                          in_track=encodings(0))
            yield f"{name}-bzlib-scale-{scale}.mka", make([bz2.compress(p) for p in packets], scale=scale,
                                                           in_track=encodings(1))
            yield f"{name}-scale-{scale}.mka", make(packets, scale=scale)
        if private:
            yield f"{name}-private-compressed.mka", file_of(CODECS[name], packets, zlib.compress(private), rate,
                                                             in_track=encodings(0, scope=2))
        yield f"{name}-stripped-long.mka", make([p[1:] for p in packets], in_track=encodings(3, packets[0][:1]))
        for many in (2, 8, 60):
            yield f"{name}-{many}-packed.mka", make(grouped(packets, many))
            yield f"{name}-{many}-packed-apart.mka", make([b"\0".join(packets[at:at + many])
                                                            for at in range(0, len(packets), many)])
        yield f"{name}-no-times.mka", make(packets, ticks=lambda n: 0)
    samples = encoded(".pcm", "-c:a pcm_s16le -f s16le")
    pieces = [samples[at:at + 3200] for at in range(0, len(samples), 3200)]
    for codec in (b"A_PCM/INT/LIT", b"A_PCM/INT/BIG", b"A_PCM/FLOAT/IEEE"):
        for bits in (1, 7, 12, 20, 48, 64, 128, 1024):
            yield f"pcm-{codec[6:].decode().replace('/', '-').lower()}-{bits}.mka", file_of(codec, pieces, bits=bits)
    wave = struct.pack("<HHIIHHH", 0x2001, 1, 48000, 0, 0, 16, 0)
    dts = encoded(".dts", "-c:a dca -strict -2 -b:a 256k", rate=48000)
    yield "acm-dts.mka", file_of(b"A_MS/ACM", [dts[at:at + 1024] for at in range(0, len(dts), 1024)], wave, scale=1)
    gsm = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    wav = encoded(".wav", "-c:a libgsm_ms", rate=8000)
    yield "acm-gsm.mka", file_of(b"A_MS/ACM", grouped([wav[at:at + 65] for at in range(60, len(wav), 65)], 20), gsm,
                                 8000, scale=1)
    for name, arguments, codec in [("tta", "-c:a tta", b"A_TTA1"), ("wavpack", "-c:a wavpack", b"A_WAVPACK4"),
                                   ("dts", "-c:a dca -strict -2 -b:a 256k -ar 48000", b"A_DTS"),
                                   ("truehd", "-c:a truehd -strict -2 -ar 48000 -ac 2", b"A_TRUEHD")]:
        mka = encoded(".mka", arguments)
        private = private_of(mka) if bytes.fromhex("63A2") in mka else b""
        yield f"{name}-scale-1.mka", file_of(codec, packets_of(mka), private, 48000 if b"D" in codec else 16000, scale=1)


def honest():
    for name, mka in contents():
        yield f"{name}.mka", mka
    for bits in (8, 16, 24, 32):
        codec = {8: "pcm_u8", 16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}[bits]
        yield f"{codec}.mka", encoded(".mka", f"-c:a {codec}", seconds=7)
    yield "pcm_f32le.mka", encoded(".mka", "-c:a pcm_f32le", seconds=7)
    yield "pcm_s16be.mka", encoded(".mka", "-c:a pcm_s16be", seconds=7)
    yield "eac3.mka", encoded(".mka", "-c:a eac3 -ar 48000", seconds=7)
    mp3 = encoded(".mka", "-c:a libmp3lame -b:a 16k")
    packets = packets_of(mp3)
    common = 1
    yield "mp3-stripped.mka", file_of(b"A_MPEG/L3", [p[common:] for p in packets], rate=16000,
                                      in_track=encodings(3, packets[0][:common]), ticks=lambda n: n * 36)
