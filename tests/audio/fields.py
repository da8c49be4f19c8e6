"""Where the fields of a file's headers stand, and its parts that can be left out, doubled or moved.

A field is (begin, end); a part likewise. `mend` puts right what a change anywhere would only break: checksums.
"""
from dataclasses import dataclass
from typing import Callable

from crafted.matroska import ids_of
from corpus.xiph import pages, with_checksum


@dataclass(frozen=True)
class Layout:
    fields: list
    parts: list
    mend: Callable = staticmethod(lambda data: data)


def split(begin, end, sizes):
    """Every way to cut a stretch of bytes into fields of these sizes."""
    return [(at, at + size) for size in sizes for at in range(begin, end - size + 1, max(1, size // 2))]


# --- RIFF, AIFF ---------------------------------------------------------------------------------------

def chunks(data, order):
    fields, parts, at = [(0, 4), (4, 8), (8, 12)], [], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4:at + 8], order)
        end = min(at + 8 + size + size % 2, len(data))
        fields += [(at, at + 4), (at + 4, at + 8)] + split(at + 8, min(end, at + 8 + 44), (1, 2, 4))
        parts.append((at, end))
        at = end
    return Layout(fields, parts)


# --- ISO base media -----------------------------------------------------------------------------------

WITH_BOXES = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"udta", b"mvex", b"moof", b"traf", b"stsd",
              b"mp4a", b"meta", b"wave"}
BEFORE_BOXES = {b"stsd": 8, b"mp4a": 28, b"meta": 4}


def boxes(data, begin=0, end=None):
    fields, parts = [], []
    at, end = begin, len(data) if end is None else end
    while at + 8 <= end:
        size, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        if size < 8:
            break
        last = min(at + size, end)
        fields += [(at, at + 4), (at + 4, at + 8)]
        parts.append((at, last))
        if kind in WITH_BOXES:
            first = at + 8 + BEFORE_BOXES.get(kind, 0)
            fields += split(at + 8, first, (1, 2, 4))
            inner = boxes(data, first, last)
            fields, parts = fields + inner.fields, parts + inner.parts
        elif kind != b"mdat":
            fields += split(at + 8, min(last, at + 72), (1, 2, 4, 8))
        at = last
    return Layout(fields, parts)


# --- Matroska -----------------------------------------------------------------------------------------

MASTERS = {"18538067", "1549A966", "1654AE6B", "AE", "E1", "6D80", "6240", "5034", "1F43B675", "A0", "1A45DFA3"}


def elements(data, begin=0, end=None):
    fields, parts, end = [], [], len(data) if end is None else end
    at = begin
    for name, first, last in ids_of(data[:end], begin):
        fields += split(at, first, (1, 2, 4))
        parts.append((at, min(last, end)))
        if name in MASTERS:
            inner = elements(data, first, min(last, end))
            fields, parts = fields + inner.fields, parts + inner.parts
        else:
            fields += split(first, min(last, first + 40, end), (1, 2, 4, 8))
        at = last
    return Layout(fields, parts)


# --- Ogg ----------------------------------------------------------------------------------------------

def ogg(data):
    fields, parts, at = [], [], 0
    for number, page in enumerate(pages(data)):
        size = len(page)
        header = 27 + page[26]
        if number < 4 or at + size >= len(data) - 1:
            fields += [(at + 4, at + 5), (at + 5, at + 6), (at + 6, at + 14), (at + 14, at + 18), (at + 18, at + 22),
                       (at + 26, at + 27)] + split(at + 27, min(at + header, at + 40), (1,))
            fields += split(at + header, min(at + size, at + header + 48), (1, 2, 4))
        parts.append((at, at + size))
        at += size
    return Layout(fields, parts, with_checksums)


def with_checksums(data):
    """Of all pages that can be found, and without those, the bytes that are left."""
    out = []
    for number, piece in enumerate(data.split(b"OggS")):
        page = piece if number == 0 else b"OggS" + piece
        whole = number > 0 and len(page) >= 27 and len(page) == 27 + page[26] + sum(page[27:27 + page[26]])
        out.append(with_checksum(page) if whole else page)
    return b"".join(out)


# --- MPEG program streams -----------------------------------------------------------------------------

def packets(data, most=24):
    """The first of them, and the last."""
    starts, at = [], -1
    while (at := data.find(b"\0\0\1", at + 1)) >= 0:
        if data[at + 3] >= 0xB9:
            starts.append(at)
    fields, parts = [], []
    for number, (begin, end) in enumerate(zip(starts, starts[1:] + [len(data)])):
        if number < most or number >= len(starts) - 2:
            fields += split(begin + 3, min(end, begin + 24), (1, 2, 4))
            parts.append((begin, end))
    return Layout(fields, parts)


# --- frames, and all else -----------------------------------------------------------------------------

def frames(head, most=12):
    """Files that are frames: the beginnings of the first of them, found by their first two bytes."""
    def layout(data):
        fields, parts, at, before = split(0, 64, (1, 2, 4)), [], 0, 0
        while (at := data.find(head, at + 1)) >= 0 and len(parts) < most:
            fields += split(at, at + 12, (1, 2, 4))
            parts.append((before, at))
            before = at
        return Layout(fields, parts)
    return layout


def start(length):
    return lambda data: Layout(split(0, min(length, len(data)), (1, 2, 4, 8)), [])
