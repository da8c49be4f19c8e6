"""Files for which the meter's answer is not ffmpeg's, each with the reason, and what it is instead.

An entry that is not needed any more fails the test: the list stays true.
"""
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Disagreement:
    seconds: Optional[float]  # what the meter says; None: unmeasurable
    why: str


BROKEN_PAGE = ("ffmpeg drops a page with a wrong checksum, and finds the pages that stand in it. The meter "
               "keeps no pages and counts both, so that nobody gains by hiding pages in others.")

AROUND_DAMAGE = ("ffmpeg's parser judges a frame header by those that follow, and drops some whole frames "
                 "around the damage; the meter counts all frames whose headers are sound.")

SECOND_INDEX = ("Two movies in one file. ffmpeg passes over the second index, other readers take it instead of "
                "the first, so such a file has two readings.")

SEVERAL_FRAMES = ("This ffmpeg decodes but the first of several AMR frames in a sample. The recording has them all, "
                  "and phones play them all.")

DAMAGED_BLOCKS = ("In what was damaged the meter counts every block that an AAC decoder might find there; ffmpeg's "
                  "gives up some of them.")
DAMAGED_ELEMENTS = Disagreement(
    None, "The damage makes an element that is longer than its Cluster, or that no encoder writes there. ffmpeg goes "
          "back and looks for the next Cluster; a file made so on purpose has two readings, and looks the same.")

NOT_FIRST = Disagreement(
    None, "Frames that do not stand first, behind tags and zeros. ffmpeg is told here that they are MPEG or ADTS; by "
          "itself it takes such files for AMR, GSM or any other format that fits what stands in front, so that a "
          "caller could choose what is heard.")

# More than one codec frame away from ffmpeg.
LENGTHS = {
    "mp3/ape-in-front.mp3": NOT_FIRST,
    "mp3/garbage-in-front-5000.mp3": NOT_FIRST,
    "mp3/starts-in-a-frame.mp3": NOT_FIRST,
    "mp3/starts-in-a-frame-vbr.mp3": NOT_FIRST,
    "adts/garbage-in-front.aac": NOT_FIRST,
    "adts/starts-in-a-frame.aac": NOT_FIRST,
    "hidden/frames-in-ape-tag-in-front.mp3": NOT_FIRST,
    "pcm/begins-like-wav.pcm": Disagreement(
        None, "What is known by its first bytes is read as that, and these are no WAV file. Real samples "
              "do not begin so."),
    "ogg/opus-bad-checksum.opus": Disagreement(2.170, BROKEN_PAGE),
    "cut/ogg-middle-lost-large-pages.ogg": Disagreement(2.263, BROKEN_PAGE),
    "cut/matroska-middle-lost-piped-live.webm": Disagreement(
        None, "The element that spans the hole covers the head of a cluster, as if to hide it: see below."),
    "cut/matroska-middle-overwritten-piped-live.webm": DAMAGED_ELEMENTS,
    "cut/matroska-middle-lost-small-clusters.webm": DAMAGED_ELEMENTS,
    "cut/matroska-middle-overwritten-small-clusters.webm": DAMAGED_ELEMENTS,
    "cut/flac-middle-lost-small-frames.flac": Disagreement(1.108, AROUND_DAMAGE),
    "cut/flac-middle-overwritten-small-frames.flac": Disagreement(1.108, AROUND_DAMAGE),
    "hidden/frames-in-id3v2.aac": Disagreement(
        5.921, "ffmpeg passes over a tag in the middle of ADTS, though not in the middle of MP3. Players "
               "that look for frames play them; nobody but who hides them there pays for them."),
    "flac/joined.flac": Disagreement(
        3.220, "Two files of 1.610 s. ffmpeg's parser loses the frames around the seam; other decoders "
               "find the next frame header and play them."),
    "recorders/nokia-amr-10-a-sample-1.3gp": Disagreement(1.0, SEVERAL_FRAMES),
    "recorders/nokia-amr-10-a-sample-9.3gp": Disagreement(9.0, SEVERAL_FRAMES),
    "mp4/joined.m4a": Disagreement(None, SECOND_INDEX),
    "mp4/fragmented-joined.mp4": Disagreement(None, SECOND_INDEX),
    "cut/mp4-middle-lost-faststart.m4a": Disagreement(2.475, DAMAGED_BLOCKS),
    "cut/mp4-middle-overwritten-fragmented-base-moof.mp4": Disagreement(2.688, DAMAGED_BLOCKS),
}

UNKNOWN = Disagreement(
    None, "A format without a meter (corpus/unknown.py). Unmeasurable is the right answer: the call is "
          "then refused, or charged by what the route says, and never charged as no audio at all.")

HIDDEN_CLUSTERS = Disagreement(
    None, "A Cluster in what decoders pass over, which ffmpeg goes back to once anything behind it is wrong. "
          "Such a stream has two readings, so it is not measured: refused, or charged by its size.")

# Within a frame of ffmpeg, but on the other side of a full second.
CREDITS = {
}


def disagreement_about(name):
    if name.startswith("hidden/clusters-"):
        return HIDDEN_CLUSTERS
    return UNKNOWN if name.startswith("unknown/") else LENGTHS.get(name)
