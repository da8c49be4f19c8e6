"""Ogg (RFC 3533) with Opus (RFC 7845), Vorbis, FLAC and Speex in it; native FLAC (RFC 9639)."""
import struct
from dataclasses import replace

from .recipe import Case, edited, ffmpeg, joined, music, noise, silence, speech, with_video
from .mpeg import id3v1, id3v2


# --- pages ---------------------------------------------------------------------------------------------

def pages(ogg):
    at = 0
    while at < len(ogg):
        segments = ogg[at + 26]
        size = 27 + segments + sum(ogg[at + 27:at + 27 + segments])
        yield ogg[at:at + size]
        at += size


def checksum_table():
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)
        yield value & 0xFFFFFFFF


TABLE = list(checksum_table())


def with_checksum(page):
    page = page[:22] + bytes(4) + page[26:]
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ TABLE[value >> 24 ^ byte]
    return page[:22] + struct.pack("<I", value) + page[26:]


def edited_pages(edit):
    """edit(list of pages) gives the pages of the new file; checksums are made anew."""
    return lambda ogg: b"".join(map(with_checksum, edit(list(pages(ogg)))))


def granule(page):
    return struct.unpack("<q", page[6:14])[0]


def at_granule(page, value):
    return page[:6] + struct.pack("<q", value) + page[14:]


def later_start(all_pages):
    """A live stream that was joined late: it begins at hour 3."""
    return [page if granule(page) <= 0 else at_granule(page, granule(page) + 3 * 3600 * 48000)
            for page in all_pages]


def serial(number):
    return lambda all_pages: [page[:14] + struct.pack("<I", number) + page[18:] for page in all_pages]


def last_granule(value):
    return lambda all_pages: all_pages[:-1] + [at_granule(all_pages[-1], value)]


def pre_skip(samples):
    def edit(all_pages):
        head = all_pages[0]
        at = head.index(b"OpusHead") + 10
        return [head[:at] + struct.pack("<H", samples) + head[at + 2:]] + all_pages[1:]
    return edit


def repeated(times, frame_samples):
    """The same packets again and again: hours without an encoder. The end is trimmed at the very end only."""
    def edit(all_pages):
        head, data = all_pages[:2], all_pages[2:]
        loop = sum(lacing < 255 for page in data for lacing in page[27:27 + page[26]]) * frame_samples
        out = list(head)
        for turn in range(times):
            for page in data:
                last = page is data[-1]
                end = loop if last and turn < times - 1 else granule(page)
                page = at_granule(page, turn * loop + end)
                page = page[:5] + bytes([4 if last and turn == times - 1 else 0]) + page[6:]
                out.append(page[:18] + struct.pack("<I", len(out)) + page[22:])
        return out
    return edit


# --- FLAC ------------------------------------------------------------------------------------------------

def total_samples(count):
    """The 36 bits at the end of STREAMINFO's first half."""
    def edit(flac):
        at = 4 + 4 + 13
        high, low = bytes([flac[at] & 0xF0 | count >> 32]), struct.pack(">I", count & 0xFFFFFFFF)
        return flac[:at] + high + low + flac[at + 5:]
    return edit


def large_metadata(flac):
    """A picture of 200 kB and an application block, behind STREAMINFO."""
    info = bytes([flac[4] & 0x7F]) + flac[5:42]
    last = flac[4] & 0x80
    blocks = b"\x06" + struct.pack(">I", 200_000)[1:] + noise(200_000, "picture")
    blocks += bytes([2 | last]) + struct.pack(">I", 1000)[1:] + noise(1000, "application")
    return flac[:4] + info + blocks + flac[42:]


# --- cases -----------------------------------------------------------------------------------------------

def opus():
    for rate, channels in [(48000, 2), (24000, 1), (8000, 1), (16000, 1), (12000, 2)]:
        sound = music(2.17, rate, 2) if channels == 2 else speech(2.17, rate)
        yield Case(f"ogg/opus-{rate}-{channels}.opus", ffmpeg(sound, "-c:a libopus"))
    for frame in ("2.5", "5", "10", "40", "60", "120"):
        yield Case(f"ogg/opus-frames-of-{frame}-ms.opus",
                   ffmpeg(speech(1.333, 48000), "-c:a libopus -frame_duration", frame))
    yield Case("ogg/opus-cbr.ogg", ffmpeg(speech(2.2, 24000), "-c:a libopus -vbr off -b:a 24k"))
    yield Case("ogg/opus-voip-6k.ogg", ffmpeg(speech(3.3, 16000), "-c:a libopus -application voip -b:a 6k"))
    yield Case("ogg/opus-0.05-seconds.opus", ffmpeg(speech(0.05, 24000), "-c:a libopus"))
    yield Case("ogg/opus-0.004-seconds.opus", ffmpeg(speech(0.004, 48000), "-c:a libopus"))
    yield Case("ogg/opus-piped.opus", ffmpeg(speech(2.2, 24000), "-c:a libopus -f opus", piped=True))
    yield Case("ogg/opus-small-pages.opus", ffmpeg(speech(2.2, 24000), "-c:a libopus -page_duration 20000"))
    yield Case("ogg/opus-six-channels.opus", ffmpeg(music(1.2, 48000, 6), "-c:a libopus -mapping_family 1"))
    minute = "ogg/one-minute.opus"
    yield Case(minute, ffmpeg(silence(60, 16000), "-c:a libopus -b:a 8k -frame_duration 60"))
    yield edited("ogg/two-hours.opus", minute, edited_pages(repeated(120, 60 * 48)))


def vorbis():
    for rate, channels in [(44100, 2), (8000, 1), (16000, 1), (96000, 2), (22050, 1)]:
        sound = music(2.19, rate, 2) if channels == 2 else speech(2.19, rate)
        yield Case(f"ogg/vorbis-{rate}-{channels}.ogg", ffmpeg(sound, "-c:a libvorbis -q:a 3"))
    yield Case("ogg/vorbis-0.05-seconds.ogg", ffmpeg(speech(0.05, 24000), "-c:a libvorbis"))
    yield Case("ogg/vorbis-small-pages.ogg", ffmpeg(music(2.2), "-c:a libvorbis -page_duration 20000"))
    yield Case("ogg/vorbis-piped.ogg", ffmpeg(speech(2.2, 24000), "-c:a libvorbis -f ogg", piped=True))
    yield Case("ogg/flac-44100-2.oga", ffmpeg(music(1.7), "-c:a flac -f oga"))
    yield Case("ogg/flac-16000-1.ogg", ffmpeg(speech(1.7, 16000), "-c:a flac -f ogg"))
    yield Case("ogg/speex.spx", ffmpeg(speech(1.7, 16000), "-c:a libspeex"))


def ogg_structure():
    opus_file, vorbis_file = "ogg/opus-24000-1.opus", "ogg/vorbis-44100-2.ogg"
    flac_file = "ogg/flac-16000-1.ogg"
    yield joined("ogg/chained-opus.opus", opus_file, "ogg/opus-48000-2.opus")
    yield joined("ogg/chained-opus-same.opus", opus_file, opus_file, opus_file)
    yield joined("ogg/chained-vorbis.ogg", vorbis_file, vorbis_file)
    yield joined("ogg/chained-vorbis-rates.ogg", vorbis_file, "ogg/vorbis-16000-1.ogg")
    yield joined("ogg/chained-flac.oga", flac_file, flac_file)
    # ffmpeg goes on decoding Opus.
    yield joined("ogg/chained-opus-vorbis.ogg", opus_file, vorbis_file, oracle="known", seconds=4.36)
    yield edited("ogg/other-serial.opus", opus_file, edited_pages(serial(77)))
    for kind, args in [("opus-vorbis", "-c:a:0 libopus -c:a:1 libvorbis"), ("opus-opus", "-c:a libopus")]:
        yield Case(f"ogg/multiplexed-{kind}.ogg", ffmpeg(music(1.6, 48000), "-map 0:a -map 0:a", args))
    yield Case("ogg/with-video.ogv",
               ffmpeg(with_video(music(1.1)), "-map 0:a -map 1:v -c:a libvorbis -c:v libtheora"))
    yield edited("ogg/opus-joined-late.opus", opus_file, edited_pages(later_start))
    yield edited("ogg/opus-first-pages-lost.opus", opus_file, edited_pages(lambda p: p[:2] + p[3:]))
    yield edited("ogg/vorbis-middle-page-lost.ogg", vorbis_file, edited_pages(lambda p: p[:3] + p[4:]))
    yield edited("ogg/opus-last-granule-small.opus", opus_file, edited_pages(last_granule(1000)))
    yield edited("ogg/opus-last-granule-huge.opus", opus_file, edited_pages(last_granule(48000 * 1000)))
    yield edited("ogg/vorbis-last-granule-small.ogg", vorbis_file, edited_pages(last_granule(1000)))
    yield edited("ogg/opus-large-pre-skip.opus", opus_file, edited_pages(pre_skip(48000)))
    yield edited("ogg/opus-bad-checksum.opus", opus_file,
                 lambda ogg: ogg[:-2000] + bytes([ogg[-2000] ^ 1]) + ogg[-1999:])
    yield edited("ogg/opus-garbage-in-front.opus", opus_file, lambda ogg: noise(300, "ogg") + ogg)
    yield edited("ogg/opus-garbage-at-end.opus", opus_file, lambda ogg: ogg + noise(3000, "ogg end"))


def flac():
    for rate, channels in [(44100, 2), (8000, 1), (96000, 2), (24000, 1)]:
        sound = music(1.61, rate, 2) if channels == 2 else speech(1.61, rate)
        yield Case(f"flac/s16-{rate}-{channels}.flac", ffmpeg(sound, "-c:a flac -sample_fmt s16"))
    plain = "flac/s16-24000-1.flac"
    yield Case("flac/s24.flac",
               ffmpeg(music(1.1, 48000), "-c:a flac -sample_fmt s32 -bits_per_raw_sample 24"))
    yield Case("flac/small-frames.flac", ffmpeg(speech(1.3, 16000), "-c:a flac -frame_size 192"))
    yield Case("flac/six-channels.flac", ffmpeg(music(0.9, 48000, 6), "-c:a flac"))
    yield Case("flac/0.05-seconds.flac", ffmpeg(speech(0.05, 24000), "-c:a flac"))
    yield Case("flac/piped.flac", ffmpeg(speech(2.2, 24000), "-c:a flac -f flac", piped=True))
    yield Case("flac/silence.flac", ffmpeg(silence(3.1, 48000, 2), "-c:a flac"))
    yield Case("flac/two-hours.flac", ffmpeg(silence(7200, 8000), "-c:a flac -compression_level 0"))
    yield edited("flac/total-zero.flac", plain, total_samples(0))
    yield edited("flac/claims-less.flac", plain, total_samples(5000))
    yield edited("flac/claims-more.flac", plain, total_samples(1 << 35))
    yield edited("flac/large-metadata.flac", plain, large_metadata)
    yield edited("flac/id3v2.flac", plain, lambda flac: id3v2(3000) + flac)
    yield edited("flac/id3v1.flac", plain, lambda flac: flac + id3v1())
    yield edited("flac/garbage-at-end.flac", plain, lambda flac: flac + noise(3000, "flac"))
    yield joined("flac/joined.flac", plain, plain)


def cases():
    for part in (opus, vorbis, ogg_structure):
        for case in part():
            yield replace(case, oracle=case.oracle if case.seconds else "decode")
    yield from flac()
