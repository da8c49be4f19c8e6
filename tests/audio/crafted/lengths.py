"""Every declared length of every container, a little and much too long or short: readers that pass over by length
find something else behind it than readers that look for the next thing.

Long: runs when it is named.
"""
import struct

from corpus.xiph import pages, with_checksum

from .base import encoded

LONG = True
SECONDS = 6


def made(suffix, arguments, rate=16000):
    return encoded(suffix, arguments, seconds=SECONDS, rate=rate)


def others(size, rest):
    """What a length of `size` may become, with `rest` bytes up to the end of what it stands in."""
    for other in {*range(size - 4, size + 9), 0, 1, 7, 8, rest, rest + 1, rest - 1, rest + 8, size * 2, size // 2,
                  0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF}:
        if 0 <= other <= 0xFFFFFFFF and other != size:
            yield other


# --- RIFF, AIFF ---------------------------------------------------------------------------------------

def chunks(data, order):
    """(where its length stands, the length) of each."""
    yield 4, struct.unpack_from(order + "I", data, 4)[0]
    at = 12
    while at + 8 <= len(data):
        size = struct.unpack_from(order + "I", data, at + 4)[0]
        yield at + 4, size
        at += 8 + size + size % 2


def with_junk(data, order):
    """A chunk of no interest with the whole file's chunks in it, in front of all and behind all."""
    inner = data[12:]
    for name in (b"LIST", b"junk", b"ID3 ", b"ANNO", b"bext"):
        around = name + struct.pack(order + "I", len(inner)) + inner
        yield f"{name.decode().strip().lower()}-front", data[:12] + around + inner
        yield f"{name.decode().strip().lower()}-behind", data + around


def iff(name, suffix, arguments, order):
    data = made(suffix, arguments)
    variants = [("plain", data), *with_junk(data, order)]
    for which, whole in variants:
        for number, (at, size) in enumerate(chunks(whole, order)):
            for other in others(size, len(whole) - at - 4):
                yield f"{name}-{which}-{number}-{other}{suffix}", whole[:at] + struct.pack(order + "I", other) + whole[at + 4:]


# --- MP4 ----------------------------------------------------------------------------------------------

PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"udta", b"moof", b"traf", b"mvex", b"edts")


def boxes(data, begin=0, end=None):
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size = struct.unpack_from(">I", data, begin)[0]
        if size < 8:
            return
        yield begin, size, end - begin
        if data[begin + 4:begin + 8] in PARENTS:
            yield from boxes(data, begin + 8, min(end, begin + size))
        begin += size


def mp4(name, suffix, arguments):
    data = made(suffix, arguments)
    for at, size, rest in boxes(data):
        kind = data[at + 4:at + 8].decode("latin-1")
        for other in others(size, rest):
            yield f"{name}-{kind}-{at}-{other}{suffix}", data[:at] + struct.pack(">I", other) + data[at + 4:]


# --- Ogg ----------------------------------------------------------------------------------------------

def page_around(head, body):
    """A page that has as many bytes of `body` as it can, with the header of another."""
    whole = min(len(body), 255 * 255)
    lacing = b"\xff" * (whole // 255)
    return head[:26] + bytes([len(lacing)]) + lacing + body[:len(lacing) * 255]


def ogg(name, suffix, arguments, rate):
    data = made(suffix, arguments, rate)
    all_pages = list(pages(data))
    joined = lambda some: b"".join(some)
    for number, page in enumerate(all_pages):
        before, behind = joined(all_pages[:number]), joined(all_pages[number + 1:])
        around = page_around(page, page + behind)
        for kind, sound in (("sound", with_checksum(around)), ("damaged", around[:22] + b"abcd" + around[26:])):
            yield f"{name}-{number}-around-{kind}{suffix}", before + sound + behind
            yield f"{name}-{number}-around-{kind}-then-page{suffix}", before + sound + page
        yield f"{name}-{number}-damaged{suffix}", before + page[:22] + b"abcd" + page[26:] + behind
        for more in (1, 2, 200):
            longer = page[:26] + bytes([(page[26] + more) % 256]) + page[27:]
            yield f"{name}-{number}-more-{more}{suffix}", before + longer + behind
            first = page[:27] + bytes([(page[27] + more) % 256]) + page[28:]
            yield f"{name}-{number}-lacing-{more}{suffix}", before + first + behind
            yield f"{name}-{number}-lacing-sound-{more}{suffix}", before + with_checksum(first) + behind


# --- FLAC, MPEG, ADTS: metadata and tags --------------------------------------------------------------

def flac():
    data = made(".flac", "-c:a flac")
    at = 4
    while True:
        size = int.from_bytes(data[at + 1:at + 4], "big")
        for other in others(size, len(data) - at - 4):
            if other < 1 << 24:
                yield f"flac-{at}-{other}.flac", data[:at + 1] + other.to_bytes(3, "big") + data[at + 4:]
        if data[at] & 0x80:
            return
        at += 4 + size


def synchsafe(size):
    return bytes([size >> shift & 127 for shift in (21, 14, 7, 0)])


def tags():
    for name, suffix, arguments in (("mp3", ".mp3", "-c:a libmp3lame -b:a 32k -id3v2_version 0 -write_xing 0"),
                                    ("adts", ".aac", "-c:a aac -b:a 32k -f adts"), ("flac", ".flac", "-c:a flac")):
        data = made(suffix, arguments)
        half = len(data) // 2
        for body in (0, 200, half):
            for other in others(body, len(data)):
                if other < 1 << 28:
                    tag = b"ID3\4\0\0" + synchsafe(other) + bytes(body)
                    yield f"{name}-tag-{body}-{other}{suffix}", tag + data
                    yield f"{name}-tag-behind-{body}-{other}{suffix}", data + tag + data
                ape = b"APETAGEX" + struct.pack("<IIII", 2000, other, 0, 0xA0000000) + bytes(8) + bytes(body)
                yield f"{name}-ape-{body}-{other}{suffix}", ape + data
                yield f"{name}-ape-behind-{body}-{other}{suffix}", data + ape + data


# --- MPEG program streams -----------------------------------------------------------------------------

def program(name, arguments, most=30):
    data = made(".mpg", arguments, 48000)
    at, number = 0, 0
    while number < most and (at := data.find(b"\0\0\1", at)) >= 0 and at + 6 <= len(data):
        if data[at + 3] >= 0xBB:
            size = int.from_bytes(data[at + 4:at + 6], "big")
            for other in others(size, len(data) - at - 6):
                if other < 1 << 16:
                    yield f"{name}-{at}-{other}.mpg", data[:at + 4] + other.to_bytes(2, "big") + data[at + 6:]
            # Another packet in the bytes of this one, across its end, and behind it without its first bytes.
            for into in (size - 2, size - 1, size, size + 1, size // 2):
                cut = at + 6 + into
                yield f"{name}-{at}-in-{into}.mpg", data[:cut] + data[at:at + 6 + size] + data[cut:]
            number += 1
        at += 4


def cases():
    yield from program("mp2", "-c:a mp2 -b:a 64k -f mpeg")
    yield from program("vob", "-c:a mp2 -b:a 64k -f vob")
    yield from iff("wav", ".wav", "-c:a pcm_s16le", "<")
    yield from iff("aiff", ".aiff", "-c:a pcm_s16be", ">")
    yield from mp4("faststart", ".m4a", "-c:a aac -b:a 16k -movflags +faststart")
    yield from mp4("late", ".m4a", "-c:a aac -b:a 16k")
    yield from mp4("fragments", ".mp4", "-c:a aac -b:a 16k -movflags +frag_keyframe+empty_moov -frag_duration 2000000")
    yield from ogg("opus", ".ogg", "-c:a libopus -b:a 12k", 48000)
    yield from ogg("vorbis", ".ogg", "-c:a libvorbis", 16000)
    yield from flac()
    yield from tags()
