"""The tags of tags.py, each stream at many places of the tag, on each grid, and behind a tag of every length.

And tags that are put together by chance, others for each TOLLGATE_CRAFTED_SEED. Two gigabytes, so it runs only when it
is named: test_crafted.py --module tags_everywhere
"""
import os
import random

from . import tags
from .polyglot import frames

LONG = True


def by_chance(seed, count=600):
    """Parts of streams at any place of a tag of any length, on noise, zeros or text; one tag, or two."""
    dice = random.Random(seed)
    streams, mp3 = list(tags.streams()), frames(320, 8)
    more = [(name, bytes(at - 4) + data) for name, at, data in tags.in_frames()]

    def body(size):
        ground = dice.choice((dice.randbytes(size), bytes(size), b"a line of text\n" * (size // 15 + 1)))
        out = bytearray(ground[:size])
        for _ in range(dice.choice((1, 1, 2, 5))):
            _, stream = dice.choice(streams + more)
            start = dice.choice((0, dice.randrange(len(stream))))
            part = stream[start:start + dice.choice((64, 900, 20_000, 2 << 20))]
            at = dice.choice((0, 23, dice.randrange(200), (2048 << dice.randrange(9)) - dice.randrange(3000), dice.randrange(size)))
            at = min(max(at, 0), size)
            out[at:at + len(part)] = part[:size - at]
        return bytes(out)

    for number in range(count):
        size = dice.choice((tags.MIB + dice.randrange(-5000, 3000), tags.MIB + dice.randrange(900_000), dice.randrange(2000, tags.MIB)))
        whole = tags.tag(body(size - 10), size, dice.choice((2, 3, 4)), dice.choice((0, 0, 0x80, 0x40)))
        if dice.random() < 0.15:
            size = dice.choice((40, 3000, 300_000, tags.MIB + 9000))
            whole += tags.tag(body(size - 10), size)
        name = dice.choice(("blob", "blob", "audio.mp3", "audio.mpga", "audio.m4a"))
        zeros = bytes(dice.choice((0, 0, 0, dice.randrange(40))))
        yield f"chance-{number}-{name}", whole + zeros + mp3[:dice.choice((960 * 30, len(mp3)))]


def cases():
    yield from by_chance(os.environ.get("TOLLGATE_CRAFTED_SEED", "1"))
    yield from tags.cases((10, 40, 1030, 2048 + 7, 65_536 - 40, 300_000, 520_000, 700_000, tags.MIB - 3000),
                      ("blob", "audio.mp3"), range(0, 33, 3), 120)
