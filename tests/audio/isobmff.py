"""ISO base media files, taken apart into samples and written anew in any layout."""
import struct
from dataclasses import dataclass, field, replace
from typing import Optional

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"mvex", b"moof", b"traf", b"udta"}


def u32(*values):
    return b"".join(struct.pack(">I", value) for value in values)


def box(kind, *content):
    content = b"".join(content)
    return struct.pack(">I", 8 + len(content)) + kind + content


def large_box(kind, *content):
    """With a size of 64 bits."""
    content = b"".join(content)
    return struct.pack(">I", 1) + kind + struct.pack(">Q", 16 + len(content)) + content


def endless_box(kind, *content):
    """Size 0: to the end of the file."""
    return bytes(4) + kind + b"".join(content)


def full(kind, version, flags, *content):
    return box(kind, struct.pack(">I", version << 24 | flags), *content)


def boxes(data):
    """(type, content) of the boxes that stand one after the other."""
    at = 0
    while at + 8 <= len(data):
        size, kind, head = struct.unpack(">I", data[at:at + 4])[0], data[at + 4:at + 8], 8
        if size == 1:
            size, head = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
        size = size or len(data) - at
        yield kind, data[at + head:at + size]
        at += size


def inside(data, *path):
    """The content of the first box at this path, or None."""
    for kind in path:
        data = next((content for found, content in boxes(data) if found == kind), None)
        if data is None:
            return None
    return data


def numbers(content, width=4):
    return [int.from_bytes(content[at:at + width], "big") for at in range(0, len(content), width)]


@dataclass
class Track:
    """What a track plays: its sample entry, and its samples with their durations."""
    entry: bytes                  # the sample entry, a whole box
    samples: list                 # bytes
    durations: list               # ticks
    timescale: int
    media_time: int = 0           # where the edit list begins: the delay of the encoder
    handler: bytes = b"soun"

    @property
    def ticks(self):
        return sum(self.durations)


def read_audio(data):
    """The first audio track of a file as ffmpeg writes it (not fragmented)."""
    tracks = [content for kind, content in boxes(inside(data, b"moov")) if kind == b"trak"]
    trak = next(each for each in tracks if inside(each, b"mdia", b"hdlr")[8:12] == b"soun")
    stbl = inside(trak, b"mdia", b"minf", b"stbl")
    entry = inside(stbl, b"stsd")[8:]
    entry = entry[:struct.unpack(">I", entry[:4])[0]]
    stts = numbers(inside(stbl, b"stts")[8:])
    durations = [each for count, each in zip(stts[::2], stts[1::2]) for _ in range(count)]
    size_of_all, count = numbers(inside(stbl, b"stsz")[4:12])
    sizes = [size_of_all] * count if size_of_all else numbers(inside(stbl, b"stsz")[12:])
    chunks = numbers(inside(stbl, b"stco")[8:])
    runs = numbers(inside(stbl, b"stsc")[8:])
    runs = list(zip(runs[::3], runs[1::3]))
    samples, at, length = [], 0, 0
    for chunk, offset in enumerate(chunks, 1):
        length = next((each for first, each in reversed(runs) if first <= chunk))
        for _ in range(length):
            if at < len(sizes):
                samples.append(data[offset:offset + sizes[at]])
                offset += sizes[at]
                at += 1
    elst = inside(trak, b"edts", b"elst")
    edits = numbers(elst[8:]) if elst else []
    media_time = next((time for time in edits[1::3] if time < 1 << 31), 0)
    return Track(entry, samples, durations, numbers(inside(trak, b"mdia", b"mdhd")[12:16])[0], media_time)


def runs_of(values):
    """[(count, value)], as stts writes them."""
    out = []
    for value in values:
        if out and out[-1][1] == value:
            out[-1][0] += 1
        else:
            out.append([1, value])
    return [tuple(run) for run in out]


@dataclass
class Layout:
    """How a movie is written. What is None is written as the track is."""
    brand: bytes = b"M4A "
    compatible: bytes = b"M4A mp42isom"
    moov_first: bool = False
    movie_timescale: int = 1000
    media_timescale: Optional[int] = None
    stts: Optional[list] = None          # (count, ticks)
    sizes: Optional[list] = None
    chunk: int = 20                      # samples a chunk
    stsc: Optional[list] = None          # (first chunk, samples, description)
    offsets: Optional[list] = None       # of chunks
    edits: Optional[list] = None         # (movie ticks, media time); []: no edit list
    entries: Optional[list] = None       # of stsd
    duration: Optional[int] = None       # of mvhd and tkhd
    before: bytes = b""                  # boxes behind ftyp
    between: bytes = b""                 # boxes between moov and mdat
    after: bytes = b""                   # boxes at the end
    in_moov_before: bytes = b""          # in front of the track
    in_moov_after: bytes = b""
    in_trak_after: bytes = b""
    in_mdia_after: bytes = b""
    in_stbl_after: bytes = b""
    edits_at_end: bool = False           # edts behind mdia
    ftyp: Optional[bytes] = None
    mdat: Optional[bytes] = None         # its content, when it is not the samples
    mdat_box: object = staticmethod(box)  # or large_box, endless_box
    version: int = 0                     # of mvhd, tkhd, mdhd
    handler: Optional[bytes] = None
    wide: bool = False                   # QuickTime's `wide` in front of mdat
    more_tracks: list = field(default_factory=list)  # whole trak boxes


def times(version, *values):
    return b"".join(struct.pack(">Q" if version == 1 else ">I", value) for value in values)


def mvhd(layout, ticks):
    v = layout.version
    return full(b"mvhd", v, 0, times(v, 0, 0), u32(layout.movie_timescale), times(v, ticks),
                u32(0x10000), b"\1\0" + bytes(10), u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000),
                bytes(24), u32(2))


def tkhd(layout, ticks, number=1):
    v = layout.version
    return full(b"tkhd", v, 7, times(v, 0, 0), u32(number, 0), times(v, ticks), bytes(8), bytes(4),
                b"\1\0\0\0", u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000), bytes(8))


def elst(edits):
    return full(b"elst", 0, 0, u32(len(edits)),
                *(u32(ticks & 0xFFFFFFFF, time & 0xFFFFFFFF, 0x10000) for ticks, time in edits))


def sample_table(track, layout, first_offset):
    samples = track.samples
    sizes = layout.sizes if layout.sizes is not None else [len(each) for each in samples]
    stts = layout.stts if layout.stts is not None else runs_of(track.durations)
    chunks = [samples[at:at + layout.chunk] for at in range(0, len(samples), layout.chunk)]
    offsets, at = [], first_offset
    for chunk in chunks:
        offsets.append(at)
        at += sum(map(len, chunk))
    if layout.offsets is not None:
        offsets = layout.offsets
    stsc = layout.stsc
    if stsc is None:
        stsc = [(1, min(layout.chunk, len(samples)), 1)]
        if len(samples) % layout.chunk and len(chunks) > 1:
            stsc.append((len(chunks), len(samples) % layout.chunk, 1))
    entries = layout.entries if layout.entries is not None else [track.entry]
    alike = len(set(sizes)) == 1
    return box(b"stbl",
               full(b"stsd", 0, 0, u32(len(entries)), *entries),
               full(b"stts", 0, 0, u32(len(stts)), *(u32(*run) for run in stts)),
               full(b"stsc", 0, 0, u32(len(stsc)), *(u32(*run) for run in stsc)),
               full(b"stsz", 0, 0, u32(sizes[0] if alike else 0, len(sizes)), b"" if alike else u32(*sizes)),
               full(b"stco", 0, 0, u32(len(offsets), *offsets)), layout.in_stbl_after)


def trak(track, layout, first_offset, number=1):
    timescale = layout.media_timescale or track.timescale
    shown = track.ticks - track.media_time
    movie_ticks = shown * layout.movie_timescale // track.timescale
    edits = layout.edits if layout.edits is not None else [(movie_ticks, track.media_time)]
    edts = box(b"edts", elst(edits)) if edits else b""
    handler = layout.handler or track.handler
    mdia = box(b"mdia",
               full(b"mdhd", layout.version, 0, times(layout.version, 0, 0), u32(timescale),
                    times(layout.version, sum(n * each for n, each in layout.stts) if layout.stts else track.ticks),
                    b"\x55\xC4\0\0"),
               full(b"hdlr", 0, 0, u32(0), handler, bytes(12), b"Sound\0"),
               box(b"minf", full(b"smhd", 0, 0, bytes(4)),
                   box(b"dinf", full(b"dref", 0, 0, u32(1), full(b"url ", 0, 1))),
                   sample_table(track, layout, first_offset)),
               layout.in_mdia_after)
    ticks = movie_ticks if layout.duration is None else layout.duration
    return box(b"trak", tkhd(layout, ticks, number), b"" if layout.edits_at_end else edts, mdia,
               edts if layout.edits_at_end else b"", layout.in_trak_after)


def movie(track, layout=None, **changes):
    """A whole file."""
    layout = replace(layout or Layout(), **changes)
    ftyp = layout.ftyp if layout.ftyp is not None else box(b"ftyp", layout.brand, u32(0), layout.compatible)
    content = layout.mdat if layout.mdat is not None else b"".join(track.samples)
    mdat = (box(b"wide") if layout.wide else b"") + layout.mdat_box(b"mdat", content)
    head_of_mdat = len(mdat) - len(content)
    shown = (track.ticks - track.media_time) * layout.movie_timescale // track.timescale
    ticks = shown if layout.duration is None else layout.duration

    def moov(first_offset):
        return box(b"moov", mvhd(layout, ticks), layout.in_moov_before, trak(track, layout, first_offset),
                   *layout.more_tracks, layout.in_moov_after)
    front = ftyp + layout.before
    if layout.moov_first:
        index = len(moov(0))
        first = len(front) + index + len(layout.between) + head_of_mdat
        return front + moov(first) + layout.between + mdat + layout.after
    return front + mdat + layout.between + moov(len(front) + head_of_mdat) + layout.after
