"""AMR (RFC 4867, section 5). Debian has no encoder: frames of noise, which is speech to a decoder."""
import random

from .recipe import Case, edited, joined, written

MAGIC, MAGIC_WB = b"#!AMR\n", b"#!AMR-WB\n"
SIZES = [12, 13, 15, 17, 19, 20, 26, 31, 5]           # of a frame's bits, by frame type
SIZES_WB = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5]
NO_DATA = 15


def frames(sizes, modes, seed):
    dice = random.Random(seed)
    return b"".join(bytes([mode << 3 | 4]) + (dice.randbytes(sizes[mode]) if mode < len(sizes) else b"")
                    for mode in modes)


def narrow(modes, seed="nb"):
    return written(lambda: MAGIC + frames(SIZES, modes, seed))


def wide(modes, seed="wb"):
    return written(lambda: MAGIC_WB + frames(SIZES_WB, modes, seed))


def cases():
    for mode in (0, 3, 7):
        yield Case(f"amr/nb-mode-{mode}.amr", narrow([mode] * 101))
    for mode in (0, 4, 8):
        yield Case(f"amr/wb-mode-{mode}.awb", wide([mode] * 101))
    mixed = [0, 7, 3, 8, NO_DATA, NO_DATA, 5, 1, 2, 4, 6, 8, NO_DATA, 7] * 15
    yield Case("amr/nb-mixed.amr", narrow(mixed))
    yield Case("amr/wb-mixed.awb", wide([0, 8, 3, 9, NO_DATA, NO_DATA, 5, 1, 2, 4, 6, 7] * 15))
    yield Case("amr/nb-0.06-seconds.amr", narrow([7] * 3))
    yield Case("amr/nb-header-only.amr", narrow([]))
    yield Case("amr/nb-ten-minutes.amr", narrow([8] * 10 + [NO_DATA] * (50 * 600 - 10)))
    yield joined("amr/nb-joined.amr", "amr/nb-mode-7.amr", "amr/nb-mode-7.amr")
    yield edited("amr/nb-second-magic.amr", "amr/nb-mode-3.amr", lambda amr: amr + MAGIC)
