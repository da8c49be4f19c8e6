"""Files for which the meter's answer is not ffmpeg's, each with the reason, and what it is instead.

An entry that is not needed any more fails the test: the list stays true.
"""
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Disagreement:
    seconds: Optional[float]  # what the meter says; None: unmeasurable
    why: str


# More than one codec frame away from ffmpeg.
LENGTHS = {
    "flac/joined.flac": Disagreement(
        3.220, "Two files of 1.610 s. ffmpeg's parser loses the frames around the seam; other decoders "
               "find the next frame header and play them."),
    "mp4/fragmented-joined.mp4": Disagreement(
        5.285, "Two files of 2.643 s. ffmpeg takes the second one's first fragment for one that it has "
               "had, by its time; a browser that appends segments plays it."),
}

UNKNOWN = Disagreement(
    None, "A format without a meter (corpus/unknown.py). Unmeasurable is the right answer: the call is "
          "then refused, or charged by what the route says, and never charged as no audio at all.")

# Within a frame of ffmpeg, but on the other side of a full second.
CREDITS = {
}


def disagreement_about(name):
    return UNKNOWN if name.startswith("unknown/") else LENGTHS.get(name)
