"""Several frames where every encoder writes one: in a packet, in an access unit, behind one header."""
from corpus.xiph import pages, with_checksum

from .base import encoded
from .matroska import file_of, grouped, packets_of, private_of

MANY = (2, 4, 8, 60)


# --- ADTS -------------------------------------------------------------------------------------------------

def adts_units(data):
    """The raw data blocks of a stream with a header of seven bytes each, and the header of the first."""
    units, at = [], 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        units.append(data[at + 7:at + size])
        at += size
    return units, data[:7]


def adts_frame(header, unit, blocks=1, crc=b""):
    size = 7 + len(crc) + len(unit)
    assert size < 8192
    head = bytearray(header)
    if crc:
        head[1] &= 0xFE
    head[3] = head[3] & 0xFC | size >> 11
    head[4] = size >> 3 & 0xFF
    head[5] = size << 5 & 0xE0 | head[5] & 0x1F
    head[6] = head[6] & 0xFC | blocks - 1
    return bytes(head) + crc + unit


def adts(data):
    units, header = adts_units(data)
    for many in (2, 4, 8, 30):
        groups = [units[at:at + many] for at in range(0, len(units), many)]
        for said in (1, 2, 4):
            yield f"adts-{many}-said-{said}.aac", b"".join(
                adts_frame(header, b"".join(group), said) for group in groups)
        yield f"adts-{many}-nested.aac", b"".join(
            adts_frame(header, group[0] + b"".join(adts_frame(header, unit) for unit in group[1:])) for group in groups)
        yield f"adts-{many}-empty-and-nested.aac", b"".join(
            adts_frame(header, b"".join(adts_frame(header, unit) for unit in group)) for group in groups)
        yield f"adts-{many}-with-crc.aac", b"".join(
            adts_frame(header, b"".join(group), 1, b"\0\0") for group in groups)
        # The first is small and the rest is hidden in the data of an element that decoders pass over.
        yield f"adts-{many}-zeros-between.aac", b"".join(
            adts_frame(header, b"\0".join(group), 1) for group in groups)


def aac_in_matroska():
    for profile in ("aac_low", "aac_main", "aac_ltp", "mpeg2_aac_low"):
        for channels in (1, 2):
            how = f"-c:a aac -profile:a {profile} -strict -2 -b:a 16k"
            mka = encoded(".mka", how, 15, channels=channels)
            packets, private = packets_of(mka), private_of(mka)
            for many in (2, 8, 60):
                for name, data in (("", private), ("no-private-", b"")):
                    yield (f"{profile}-{channels}-{name}{many}.mka",
                           file_of(b"A_AAC/MPEG4/MAIN" if profile == "aac_main" and not data else b"A_AAC",
                                   grouped(packets, many), data, channels=channels))
            header = encoded(".aac", "-c:a aac -b:a 16k -f adts", seconds=2)[:7]
            nested = [b"".join(adts_frame(header, unit) for unit in packets[at:at + 8]) for at in range(0, len(packets), 8)]
            yield f"{profile}-{channels}-adts.mka", file_of(b"A_AAC", nested, private, channels=channels)
            yield f"{profile}-{channels}-adts-no-private.mka", file_of(b"A_AAC", nested, channels=channels)


# --- Ogg --------------------------------------------------------------------------------------------------

def packets_of_ogg(data):
    found, rest = [], b""
    for page in pages(data):
        lacing, at = page[27:27 + page[26]], 27 + page[26]
        for size in lacing:
            rest += page[at:at + size]
            at += size
            if size < 255:
                found.append(rest)
                rest = b""
    return found


def ogg_of(headers, packets, a_page=4):
    """A page for each header, then pages of some packets each."""
    out, groups = b"", [[each] for each in headers] + [packets[at:at + a_page] for at in range(0, len(packets), a_page)]
    for number, group in enumerate(groups):
        lacing = b"".join(b"\xff" * (len(each) // 255) + bytes([len(each) % 255]) for each in group)
        flags = 2 if number == 0 else 0
        head = (b"OggS\0" + bytes([flags]) + bytes(8) + b"abcd" + number.to_bytes(4, "little") + bytes(4) +
                bytes([len(lacing)]))
        out += with_checksum(head + lacing + b"".join(group))
    return out


def ogg():
    for name, how, rate, headers in (("speex", "-c:a libspeex", 8000, 2), ("speex-wide", "-c:a libspeex", 16000, 2),
                                     ("speex-4", "-c:a libspeex -frames_per_packet 4", 8000, 2),
                                     ("opus", "-c:a libopus -b:a 12k", 48000, 2),
                                     ("vorbis", "-c:a libvorbis -b:a 32k", 16000, 3), ("flac", "-c:a flac", 16000, 2)):
        packets = packets_of_ogg(encoded(".ogg", how, 15, rate))
        head, audio = packets[:headers], packets[headers:]
        for many in (2, 8):
            yield f"{name}-{many}.ogg", ogg_of(head, grouped(audio, many), 2)
        if name.startswith("speex"):
            for frames in (0, 1, 2, 8, 200):
                lying = head[0][:64] + frames.to_bytes(4, "little") + head[0][68:]
                yield f"{name}-said-{frames}.ogg", ogg_of([lying, *head[1:]], audio)
                yield f"{name}-8-said-{frames}.ogg", ogg_of([lying, *head[1:]], grouped(audio, 8), 2)
            for extra in (1, 16):
                lying = head[0][:68] + extra.to_bytes(4, "little") + head[0][72:]
                yield f"{name}-extra-{extra}.ogg", ogg_of([lying, *head[1:]], grouped(audio, 30), 1)
            for at, value in ((36, 48000), (36, 192000), (40, 0), (40, 1), (40, 2), (56, 20), (56, 640)):
                lying = head[0][:at] + value.to_bytes(4, "little") + head[0][at + 4:]
                yield f"{name}-{at}-{value}.ogg", ogg_of([lying, *head[1:]], audio)


def cases():
    yield from adts(encoded(".aac", "-c:a aac -b:a 8k -f adts", 15, 8000))
    yield from aac_in_matroska()
    yield from ogg()


def honest():
    for profile in ("aac_low", "aac_main", "aac_ltp", "mpeg2_aac_low"):
        for suffix in (".mka", ".aac", ".m4a"):
            for channels in (1, 2):
                how = f"-c:a aac -profile:a {profile} -strict -2 -b:a 32k"
                yield f"{profile}-{channels}{suffix}", encoded(suffix, how, seconds=7, channels=channels)
    for rate, frames in ((8000, 1), (16000, 1), (32000, 1), (8000, 4), (16000, 8)):
        yield f"speex-{rate}-{frames}.ogg", encoded(".ogg", f"-c:a libspeex -frames_per_packet {frames}", 7, rate)
