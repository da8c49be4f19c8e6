"""Matroska in which a decoder loses its way, goes back, and finds audio that a reader of elements had passed over."""
from corpus.matroska import element

from .base import encoded
from .matroska import encodings, file_of, ids_of, packets_of, private_of

PACKET = 0.02  # seconds, of Opus
HEAD = "-c:a libopus -b:a 12k -f webm"


def long_size(value):
    return (value | 1 << 56).to_bytes(8, "big")


def element8(identity, body):
    """With a size of eight bytes, so that it does not depend on the content how long the head is."""
    return bytes.fromhex(identity) + long_size(len(body)) + body


def overlong(identity, body, by=1):
    """Its end is said to be later than it is: it swallows what stands behind it."""
    return bytes.fromhex(identity) + long_size(len(body) + by) + body


def blocks(packets, track=1):
    return b"".join(element8("A3", bytes([0x80 | track]) + min(20 * n, 32767).to_bytes(2, "big") + b"\x80" + packet)
                    for n, packet in enumerate(packets))


def cluster(packets, before=b"", track=1):
    return element8("1F43B675", element8("E7", bytes(4)) + before + blocks(packets, track))


class Parts:
    """What ffmpeg wrote, taken apart: the EBML header, Info, Tracks, and the packets of the blocks."""
    def __init__(self, suffix, arguments, rate=48000):
        data = encoded(suffix, arguments, rate=rate)
        top = list(ids_of(data))
        self.head = data[:top[0][2]]
        inner = {name: (first, last) for name, first, last in ids_of(data, top[1][1])}
        whole = lambda name: element8(name, data[slice(*inner[name])])
        self.info, self.tracks, self.packets = whole("1549A966"), whole("1654AE6B"), packets_of(data)
        self.entry = data[slice(*inner["1654AE6B"])]

    def file(self, *content):
        return self.head + bytes.fromhex("18538067") + b"\x01" + b"\xff" * 7 + b"".join(content)

    def hidden_from_elements(self, packets, swallowed, behind=b""):
        """A Cluster that looks like a Void to its end, if its first `swallowed` bytes are taken for something else.

        What is left of the id, 43B675, is an id of two bytes and a size of two, 0x3501.
        """
        land = 5 + 0x3501
        before = 4 + 8 + len(element8("E7", bytes(4))) + 1 + 8
        padding = bytearray(14000)

        def made(size):
            at = land - before
            padding[at:at + 9] = b"\xec" + long_size(size)
            return cluster(packets, element8("EC", bytes(padding)))
        assert swallowed == 1
        return made(len(made(0)) - land - 9 + len(behind)) + behind


# An inner tag that goes on beyond its tag: decoders go back from there.
BROKEN_TAG = bytes.fromhex("73738A67C84064") + bytes(6)
# The same in what decoders read before the first Cluster.
BROKEN = {"tags": ("1254C367", BROKEN_TAG), "chapters": ("1043A770", bytes.fromhex("45B98AB64064") + bytes(7)),
          "attachments": ("1941A469", bytes.fromhex("61A78A466E4064") + bytes(6)),
          "info": ("1549A966", bytes.fromhex("4D808A") + bytes(3)),
          "cues": ("1C53BB6B", bytes.fromhex("BB84B38A") + bytes(2)),
          "seek": ("114D9B74", bytes.fromhex("4DBB8453AB8A") + bytes(1)),
          "tracks": ("1654AE6B", bytes.fromhex("AE84D78A") + bytes(2))}


def passed_over(parts):
    """The rest of all but a second behind an element that is a byte too long."""
    second, rest = parts.packets[:50], parts.packets[50:]
    for name, (identity, body) in BROKEN.items():
        broken = overlong(identity, body)
        yield f"{name}-then-void.webm", parts.file(parts.info, parts.tracks, broken,
                                                   parts.hidden_from_elements(rest, 1), cluster(second))
        yield f"{name}-between.webm", parts.file(parts.info, parts.tracks, cluster(second), broken,
                                                 parts.hidden_from_elements(rest, 1))
    for by in range(1, 5):
        yield f"swallowed-{by}.webm", parts.file(parts.info, parts.tracks, overlong("1254C367", BROKEN_TAG, by),
                                                 cluster(rest), cluster(second))
    unknown = bytes.fromhex("4DFF") + long_size(1)
    yield "unknown-swallows.webm", parts.file(parts.info, parts.tracks, cluster(second), b"\xec\x84\0\0\0", b"\x1f",
                                              cluster(rest)[1:])
    yield "unknown-id.webm", parts.file(parts.info, parts.tracks, unknown, parts.hidden_from_elements(rest, 1),
                                        cluster(second), BROKEN_TAG)


def first_child_unknown(packets):
    return element8("1F43B675", bytes.fromhex("4286") + b"\x81\x01" + element8("E7", bytes(4)) + blocks(packets))


def goes_back(parts):
    """Clusters in what decoders pass over at first, with something behind it that makes them go back."""
    second, rest = parts.packets[:50], first_child_unknown(parts.packets[50:])
    start = (parts.info, parts.tracks)
    no_track = element8("A3", b"\x83\0\0\x80" + rest)
    bad_lace = element8("A3", b"\x81\0\0\x86" + b"\x02\x81\x81" + rest)
    nothing = element8("A3", b"\0\0\0\x80" + rest)
    for name, block in [("no-track", no_track), ("bad-lace", bad_lace), ("no-number", nothing)]:
        yield f"block-{name}.webm", parts.file(*start, element8("1F43B675", element8("E7", bytes(4)) + block +
                                                                blocks(second)))
    for name, codec, kind, more in [("webvtt", b"D_WEBVTT/SUBTITLES", 17, b""),
                                    ("zlib", b"S_TEXT/UTF8", 17, encodings(0)), ("prores", b"V_PRORES", 1, b""),
                                    ("zlib-video", b"V_VP8", 1, encodings(0)), ("bzlib", b"V_VP8", 1, encodings(1))]:
        other = element8("AE", element("D7", 2) + element("73C5", 2) + element("83", kind) + element("86", codec) + more)
        tracks = element8("1654AE6B", parts.entry + other)
        yield f"track-{name}.webm", parts.file(parts.info, tracks, element8("1F43B675", element8("E7", bytes(4)) +
                                               element8("A3", b"\x82\0\0\x80" + rest) + blocks(second)))
    stripped = parts.entry[:]
    entry = next(stripped[first:last] for name, first, last in ids_of(stripped) if name == "AE")
    tracks = element8("1654AE6B", element8("AE", entry + encodings(3, b"")))
    large = element8("A3", b"\x81\0\0\x80" + parts.packets[0] + rest + bytes(10_000_000))
    yield "large-block.webm", parts.file(parts.info, tracks, element8("1F43B675", element8("E7", bytes(4)) +
                                         blocks(second) + large))
    sound = element8("A3", b"\x81\0\0\x80" + parts.packets[0] + rest)
    for name, end in [("zero", bytes(9)), ("cut", element8("EC", bytes(50))[:-20]),
                      ("beyond", b"\xa0\x84\xa1\x8a" + bytes(2)), ("unknown-size", b"\xe7\xff"),
                      ("long-number", element8("E7", bytes(9))), ("no-track", element8("A3", b"\x83\0\0\x80xx"))]:
        yield f"{name}-behind-a-block.webm", parts.file(*start, element8("1F43B675", element8("E7", bytes(4)) +
                                                                         blocks(second) + sound + end))
    deep = b""
    for _ in range(20):
        deep = element8("67C8", deep)
    for name, end in [("zero", bytes(9)), ("tag", element8("1254C367", BROKEN_TAG)), ("cut", b"\xec\xbf"),
                      ("deep", element8("1254C367", element8("7373", deep)))]:
        for where, around in [("void", "EC"), ("tags", "1254C367"), ("unknown", "4DFF"), ("cues", "1C53BB6B")]:
            yield f"{where}-{name}.webm", parts.file(*start, element8(around, rest), end, cluster(second))
            yield f"{where}-{name}-behind.webm", parts.file(*start, cluster(second), element8(around, rest), end)
    picture = element8("1941A469", element8("61A7", element8("466E", b"a.jpg") + element8("4660", b"image/jpeg") +
                                            element8("465C", bytes(90) + rest)))
    yield "picture-then-tag.webm", parts.file(*start, picture, element8("1254C367", BROKEN_TAG), cluster(second))
    # The name of the element in a SeekHead, and what follows it, as a Cluster of some kilobytes.
    position = b"\x90" + bytes(7)
    seek = element8("4DBB", element("53AB", bytes.fromhex("1F43B675")) + b"\x53\xac\x88" + position + b"\xec\x7f\xff")
    inside = bytes(16) + blocks(parts.packets[50:150])
    yield "seek-head-is-cluster.webm", parts.file(parts.info, parts.tracks, element8("114D9B74", seek),
                                                  element8("EC", inside), cluster(second))


def other_tracks(parts):
    """Which track a block is of, said twice."""
    second, rest = parts.packets[:50], parts.packets[50:]
    entry = next(parts.entry[first:last] for name, first, last in ids_of(parts.entry) if name == "AE")
    again = lambda number: element8("AE", entry.replace(b"\xd7\x81\x01", b"\xd7\x81" + bytes([number])))
    clusters = cluster(rest, track=2) + cluster(second)

    def seek(identity, position):
        return element8("114D9B74", element8("4DBB", element("53AB", bytes.fromhex(identity)) +
                                             element8("53AC", position.to_bytes(8, "big"))))
    late = element8("1654AE6B", again(2))
    for identity in ("1941A469", "1254C367", "1654AE6B", "1549A966"):
        before = len(seek(identity, 0)) + len(parts.info) + len(parts.tracks)
        yield f"late-tracks-{identity}.webm", parts.file(seek(identity, before + len(clusters)), parts.info, parts.tracks,
                                                         clusters, late)
    before = len(seek("1654AE6B", 0)) + len(parts.info)
    yield "all-tracks-late.webm", parts.file(seek("1654AE6B", before + len(cluster(rest))), parts.info, cluster(rest),
                                             parts.tracks, cluster(second))
    for name, where in [("audio", "E1"), ("video", "E0"), ("operation", "E2")]:
        moved = element8("AE", entry + element8(where, element("D7", 2)))
        yield f"number-in-{name}.webm", parts.file(parts.info, element8("1654AE6B", moved), cluster(rest),
                                                   cluster(second, track=2))
        moved = element8("AE", entry + element8(where, element("83", 1)))
        yield f"type-in-{name}.webm", parts.file(parts.info, element8("1654AE6B", moved + again(2)), cluster(rest),
                                                 cluster(second, track=2))
    hidden = element8("1654AE6B", again(2))
    for name, around in [("void", "EC"), ("info", "1549A966")]:
        before = len(seek("1941A469", 0)) + len(parts.info) + len(parts.tracks) + 9 + 3 * (around != "EC")
        yield f"tracks-in-{name}.webm", parts.file(seek("1941A469", before), parts.info, parts.tracks,
                                                   element8(around, hidden), clusters)


def mutant():
    """As the fuzzer found it: the tags that ffmpeg writes, one byte too long, in front of the Clusters."""
    mka = encoded(".mka", "-c:a alac", seconds=6)
    top = list(ids_of(mka))
    out = []
    for name, first, last in ids_of(mka, top[1][1]):
        if name == "1254C367":
            body = mka[first:last]
            at = body.index(bytes.fromhex("67C8")) + 9
            out.append(overlong(name, body[:at - 7] + b"\x01" + body[at - 6:] if body[at - 7] == 1 else BROKEN_TAG))
        else:
            out.append(element8(name, mka[first:last]))
    yield "mutant-alac.mka", mka[:top[1][1] - 8] + b"\x01" + b"\xff" * 7 + b"".join(out)
    packets, private = packets_of(mka), private_of(mka)
    clusters = file_of(b"A_ALAC", packets, private)
    at = clusters.index(bytes.fromhex("1F43B675"))
    yield "mutant-alac-apart.mka", clusters[:at] + overlong("1254C367", BROKEN_TAG) + clusters[at:]


def cases():
    parts = Parts(".webm", HEAD)
    for make in (passed_over, goes_back, other_tracks):
        for name, data in make(parts):
            yield name, data
    yield from mutant()


def honest():
    parts = Parts(".webm", HEAD)
    start, rest = (parts.info, parts.tracks), parts.packets
    crc, void = b"\xbf\x84abcd", element("EC", bytes(100))
    seek = element8("114D9B74", crc + b"".join(
        element8("4DBB", element("53AB", bytes.fromhex(each)) + element("53AC", 4000 + n))
        for n, each in enumerate(["1549A966", "1654AE6B", "1F43B675", "1C53BB6B", "1254C367", "1941A469"])))
    tags = element("1254C367", crc + element("7373", element("63C0", element("68CA", 50)) + element("67C8",
                   element("45A3", b"TITLE") + element("447A", b"und") + element("4484", 1) + element("4487", b"a") +
                   element("67C8", element("45A3", b"SORT") + element("4487", b"b")))))
    chapters = element("1043A770", element("45B9", element("45BC", 7) + element("B6", element("73C4", 1) +
                       element("91", 0) + element("80", element("85", b"One") + element("437C", b"eng")))))
    cues = element("1C53BB6B", element("BB", element("B3", 0) + element("B7", element("F7", 1) + element("F1", 500))))
    picture = element("1941A469", element("61A7", element("466E", b"cover.jpg") + element("4660", b"image/jpeg") +
                      element("465C", encoded(".mp3", "-c:a libmp3lame -b:a 64k")) + element("46AE", 9)))
    yield "as-mkvmerge.webm", parts.file(seek, void, *start, chapters, picture, cluster(rest), cues, tags)
    live = bytes.fromhex("1F43B675") + b"\x01" + b"\xff" * 7
    piece = lambda at: live + element("E7", 0) + blocks(rest[at:at + 200])
    yield "as-recorders.webm", parts.file(*start, *[piece(at) for at in range(0, len(rest), 200)])
    yield "zeros-at-the-end.webm", parts.file(*start, cluster(rest), bytes(500))
    yield "cut.webm", parts.file(*start, cluster(rest))[:-40]
    yield "cut-live.webm", parts.file(*start, piece(0), piece(200))[:-40]
    group = b"".join(element8("A0", element8("A1", b"\x81\0\0\0" + packet) + element("9B", 20)) for packet in rest)
    yield "groups.webm", parts.file(*start, element8("1F43B675", crc + element8("E7", bytes(4)) + element("A7", 0) +
                                                     element("AB", 0) + group))
