"""The tags of tags.py, each stream at many places of the tag, on each grid, and behind a tag of every length.

More than a gigabyte, so it runs only when it is named: test_crafted.py --module tags_everywhere
"""
from . import tags

LONG = True


def cases():
    return tags.cases((10, 40, 1030, 2048 + 7, 65_536 - 40, 300_000, 520_000, 700_000, tags.MIB - 3000),
                      ("blob", "audio.mp3"), range(0, 33, 3), 120)
