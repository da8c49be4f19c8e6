"""Files for which the meter's answer is not ffmpeg's, each with the reason, and what it is instead.

An entry that is not needed any more fails the test: the list stays true.
"""
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Exception_:
    seconds: Optional[float]  # what the meter says; None: unmeasurable
    why: str


# More than one codec frame away from ffmpeg.
LENGTHS = {
}

# Within a frame of ffmpeg, but on the other side of a full second.
CREDITS = {
}
