"""Audio hidden in what a reader may pass over: tags, padding, elements that claim too much.

A decoder that goes back, or that looks for frames everywhere, plays it, and so it has to be paid.
"""
import struct

from .mpeg import frames_of, id3v2
from .recipe import edited


def id3v2_around(data):
    return id3v2(0, claimed=len(data)) + data


def ape_tag_around(data):
    def end(flags):
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(data) + 32, 1, flags) + bytes(8)
    return end(0xA0000000) + data + end(0x80000000)


def halves(mp3):
    frames = list(frames_of(mp3))
    return b"".join(frames[:len(frames) // 2]), b"".join(frames[len(frames) // 2:])


def with_second_half_in(cover):
    """First half, hidden second half, first half again."""
    def edit(mp3):
        first, second = halves(mp3)
        return first + cover(second) + first
    return edit


def first_half_in(cover):
    def edit(mp3):
        first, second = halves(mp3)
        return cover(first) + second
    return edit


# --- Matroska -----------------------------------------------------------------------------------------

CLUSTER = bytes.fromhex("1F43B675")


def element_around(identity, data, before=b""):
    return bytes.fromhex(identity) + (len(before) + len(data) | 1 << 56).to_bytes(8, "big") + before + data


def clusters_in(cover, first, last, then=b""):
    """Puts the clusters from `first` to before `last` into an element, with `then` behind it."""
    def edit(webm):
        head, *bodies = webm.split(CLUSTER)
        clusters = [CLUSTER + body for body in bodies]
        hidden = b"".join(clusters[first:last])
        return head + b"".join(clusters[:first]) + cover(hidden) + then + b"".join(clusters[last:])
    return edit


def void(data):
    return element_around("EC", data)


def simple_block(data):
    return element_around("A3", data, before=b"\x81\0\0\x80")


def tags(data):
    return element_around("1254C367", data)


def unknown(data):
    return element_around("4ABC", data)


# --- FLAC, MP4 ----------------------------------------------------------------------------------------

def frames_in_padding(flac):
    at = flac.index(b"\xff\xf8")
    padding = b"\x81" + struct.pack(">I", len(flac) - at)[1:]
    return b"fLaC" + bytes([flac[4] & 0x7F]) + flac[5:42] + padding + flac[at:]


def in_a_free_box(mp4):
    return struct.pack(">I", len(mp4) + 8) + b"free" + mp4


def cases():
    mp3, adts = "mp3/no-info-cbr.mp3", "adts/lc-44100-2.aac"
    yield edited("hidden/frames-in-id3v2-in-the-middle.mp3", mp3, with_second_half_in(id3v2_around))
    yield edited("hidden/frames-in-id3v2-in-front.mp3", mp3, first_half_in(id3v2_around))
    yield edited("hidden/frames-in-ape-tag-in-front.mp3", mp3, first_half_in(ape_tag_around))
    yield edited("hidden/frames-in-ape-tag-in-the-middle.mp3", mp3, with_second_half_in(ape_tag_around))
    yield edited("hidden/frames-behind-lyrics.mp3", mp3,
                 with_second_half_in(lambda data: b"LYRICSBEGIN" + data))
    yield edited("hidden/frames-behind-id3v1.mp3", mp3,
                 with_second_half_in(lambda data: b"TAG" + bytes(125) + data))
    yield edited("hidden/frames-in-id3v2.aac", adts, lambda aac: aac + id3v2_around(aac) + aac)
    yield edited("hidden/frames-in-ape-tag.aac", adts, lambda aac: aac + ape_tag_around(aac) + aac)
    yield edited("hidden/frames-in-padding.flac", "flac/s16-24000-1.flac", frames_in_padding)
    yield edited("hidden/whole-file-in-free.m4a", "mp4/faststart.m4a", in_a_free_box)
    yield edited("hidden/ogg-in-id3v2.mp3", "ogg/opus-24000-1.opus", id3v2_around)
    yield edited("hidden/ogg-behind-id3v2.opus", "ogg/opus-24000-1.opus", lambda ogg: id3v2(500) + ogg,
                 oracle="decode")
    # ffmpeg reads Matroska again from behind the last element that was sound, and looks for clusters.
    webm, zeros = "matroska/piped-live.webm", bytes(20)
    for name, edit in [("all-in-void", clusters_in(void, 0, 99)), ("rest-in-void", clusters_in(void, 1, 99)),
                       ("some-in-void", clusters_in(void, 0, 4, zeros)),
                       ("some-in-a-block", clusters_in(simple_block, 1, 5, zeros)),
                       ("some-in-tags", clusters_in(tags, 0, 4, zeros)),
                       ("some-in-unknown", clusters_in(unknown, 1, 5, zeros)),
                       ("some-in-void-unbroken", clusters_in(void, 1, 5))]:
        yield edited(f"hidden/clusters-{name}.webm", webm, edit, oracle="decode")
