"""ISO base media files whose container says less than there is."""
from isobmff import Layout, box, elst, full, movie, mvhd, read_audio, u32

from .base import encoded


def aac():
    return read_audio(encoded(".m4a", "-c:a aac -b:a 32k"))


def cases():
    track = aac()
    for first in (False, True):
        place = "index-first" if first else "index-last"
        yield f"movie-timescale-{place}.m4a", movie(track, moov_first=first, movie_timescale=4_000_000_000)
        second = mvhd(Layout(movie_timescale=4_000_000_000), 1)
        yield f"second-mvhd-{place}.m4a", movie(track, moov_first=first, in_moov_after=second)


def honest():
    track = aac()
    yield "plain.m4a", movie(track)
    yield "index-first.m4a", movie(track, moov_first=True)
