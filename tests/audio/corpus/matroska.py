"""Matroska and WebM (RFC 9559).

Timestamps are in milliseconds, so the durations of packets are rounded and their sum drifts (1024
samples at 44.1 kHz are 23.2 ms and become 23): the oracle decodes and counts samples.
"""
import struct

from .mpeg import RATES, frames_of
from .recipe import Case, copy, edited, ffmpeg, joined, music, noise, speech, with_video


def webm(name, *arguments, piped=False):
    return Case(f"matroska/{name}", ffmpeg(*arguments, piped=piped), oracle="decode")


# --- EBML by hand, for lacing, which ffmpeg never writes and mkvmerge always does ------------------------

def vint(value, length):
    return (value | 1 << 7 * length).to_bytes(length, "big")


def size(value):
    return vint(value, next(n for n in range(1, 9) if value < (1 << 7 * n) - 1))


def element(identity, body):
    if isinstance(body, int):
        body = body.to_bytes(max(1, (body.bit_length() + 7) // 8), "big")
    if isinstance(body, float):
        body = struct.pack(">d", body)
    return bytes.fromhex(identity) + size(len(body)) + body


def xiph_laced(frames):
    sizes = b"".join(b"\xff" * (len(f) // 255) + bytes([len(f) % 255]) for f in frames[:-1])
    return 0x02, sizes


def ebml_laced(frames):
    out = size(len(frames[0]))
    for before, this in zip(frames, frames[1:-1]):
        difference = len(this) - len(before)
        length = next(n for n in range(1, 9) if abs(difference) < 1 << 7 * n - 1)
        out += vint(difference + (1 << 7 * length - 1) - 1, length)
    return 0x06, out


def fixed_laced(frames):
    assert len(set(map(len, frames))) == 1
    return 0x04, b""


def block(frames, lacing):
    flags, sizes = lacing(frames) if len(frames) > 1 else (0, b"")
    head = b"\x81" + bytes(2) + bytes([flags]) + (bytes([len(frames) - 1]) + sizes if flags else b"")
    return head + b"".join(frames)


def laced(lacing, at_once, group=False, default_duration=None, at=lambda milliseconds: milliseconds):
    """MP3 frames in laces, one cluster a lace; `at` changes the times of the clusters."""
    def edit(mp3):
        frames = list(frames_of(mp3))
        rate = RATES[frames[0][2] >> 2 & 3]
        duration = element("23E383", default_duration) if default_duration else b""
        track = element("AE", duration + element("D7", 1) + element("73C5", 1) + element("83", 2) +
                        element("86", b"A_MPEG/L3") + element("E1", element("B5", float(rate))))
        out = element("1549A966", element("2AD7B1", 1_000_000)) + element("1654AE6B", track)
        for first in range(0, len(frames), at_once):
            lace = block(frames[first:first + at_once], lacing)
            key = lace[:3] + bytes([lace[3] | 0x80]) + lace[4:]  # only a SimpleBlock has the flag
            held = element("A0", element("A1", lace)) if group else element("A3", key)
            out += element("1F43B675", element("E7", at(first * 1152 * 1000 // rate)) + held)
        head = element("1A45DFA3", element("4282", b"matroska") + element("4287", 4) + element("4285", 2))
        return head + element("18538067", out)
    return edit


def scale(nanoseconds):
    """TimestampScale, replaced; ffmpeg writes it in three bytes."""
    def edit(webm):
        at = webm.index(bytes.fromhex("2AD7B183")) + 4
        return webm[:at] + nanoseconds.to_bytes(3, "big") + webm[at + 3:]
    return edit


VIDEO = "-map 1:v -map 0:a -c:v libvpx -deadline realtime"


def cases():
    for rate, channels in [(48000, 2), (24000, 1), (8000, 1)]:
        sound = music(2.11, rate, 2) if channels == 2 else speech(2.11, rate)
        yield webm(f"opus-{rate}-{channels}.webm", sound, "-c:a libopus")
    for frame in ("2.5", "60", "120"):
        yield webm(f"opus-frames-of-{frame}-ms.webm", speech(1.31, 48000), "-c:a libopus -frame_duration",
                   frame)
    yield webm("opus-0.05-seconds.webm", speech(0.05, 24000), "-c:a libopus")
    yield webm("vorbis-44100-2.webm", music(2.11), "-c:a libvorbis")
    yield webm("vorbis-16000-1.webm", speech(2.11, 16000), "-c:a libvorbis")
    for codec, sound in [("aac", music(2.11)), ("libmp3lame", music(2.11)), ("flac", speech(2.11)),
                         ("ac3", music(1.1, 48000)), ("eac3", music(1.1, 48000)), ("mp2", music(1.1)),
                         ("pcm_s16le", music(1.1)), ("pcm_f32le", speech(1.1)), ("alac", speech(1.1))]:
        yield webm(f"{codec}.mka", sound, "-c:a", codec)
    yield webm("with-video.webm", with_video(music(1.5, 48000)), VIDEO, "-c:a libopus")
    yield webm("with-video-live.webm", with_video(music(1.5, 48000)), VIDEO, "-c:a libopus -f webm -live 1",
               piped=True)
    yield webm("two-tracks.mka", speech(1.5, 48000), "-map 0:a -map 0:a -c:a libopus")
    yield webm("live.webm", speech(2.4, 48000), "-c:a libopus -live 1")
    yield webm("piped.webm", speech(2.4, 48000), "-c:a libopus -f webm", piped=True)
    yield webm("piped-live.webm", speech(2.4, 48000), "-c:a libopus -f webm -live 1 -cluster_time_limit 300",
               piped=True)
    yield webm("piped-aac.mka", music(2.4), "-c:a aac -f matroska", piped=True)
    yield webm("small-clusters.webm", speech(2.4, 48000), "-c:a libopus -cluster_time_limit 100")
    yield webm("cues-in-front.webm", speech(2.4, 48000), "-c:a libopus -reserve_index_space 5000")

    base, live, mp3 = "matroska/opus-24000-1.webm", "matroska/piped-live.webm", "mp3/no-info-cbr.mp3"
    yield joined("matroska/joined.webm", base, base, oracle="decode")
    yield joined("matroska/joined-live.webm", live, live, oracle="decode")
    yield edited("matroska/garbage-at-end.webm", base, lambda webm: webm + noise(3000, "webm"),
                 oracle="decode")
    for name, lacing in [("xiph", xiph_laced), ("ebml", ebml_laced)]:
        yield edited(f"matroska/laced-{name}.mka", mp3, laced(lacing, 4), oracle="decode")
    # At 48 kHz no frame is padded.
    yield edited("matroska/laced-fixed.mka", "mp3/no-info-48000.mp3", laced(fixed_laced, 8), oracle="decode")
    yield edited("matroska/laced-groups.mka", mp3, laced(ebml_laced, 5, group=True), oracle="decode")
    # Times that lie: a decoder plays all frames that it finds.
    yield edited("matroska/timestamp-scale-lies.webm", base, scale(1000), oracle="decode")
    yield edited("matroska/default-duration-lies.mka", mp3, laced(ebml_laced, 4, default_duration=1000),
                 oracle="decode")
    yield edited("matroska/timestamps-all-zero.mka", mp3, laced(ebml_laced, 4, at=lambda _: 0),
                 oracle="decode")
    # Two hours take long to decode, and these packets are of 60 ms exactly.
    hours = "ogg/two-hours.opus"
    yield Case("matroska/two-hours.webm", copy(hours), needs=(hours,))
