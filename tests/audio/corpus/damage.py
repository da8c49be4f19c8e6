"""Every container, broken off at several points: a caller pays for what is in the bytes that came."""
from .recipe import Case

CONTAINERS = [  # name, oracle
    ("wav/plain.wav", "packets"), ("wav/piped-ffmpeg.wav", "packets"), ("wav/rf64.wav", "packets"),
    ("wav/adpcm_ima_wav-22050-mono-2.5.wav", "packets"),
    ("aiff/plain.aiff", "packets"),
    ("mp3/cbr-lame-gapless.mp3", "packets"), ("mp3/no-info-vbr.mp3", "packets"), ("mp3/id3v2.4-cover.mp3", "packets"),
    ("adts/lc-44100-2.aac", "packets"),
    ("ogg/opus-24000-1.opus", "packets"), ("ogg/vorbis-44100-2.ogg", "decode"), ("ogg/flac-16000-1.ogg", "decode"),
    ("flac/s16-44100-2.flac", "packets"),
    ("mp4/aac-24000-1.m4a", "packets"), ("mp4/faststart.m4a", "packets"), ("mp4/fragmented.mp4", "packets"),
    ("mp4/pcm_s16le.mov", "packets"), ("mp4/amr-nb.3gp", "packets"),
    ("matroska/opus-24000-1.webm", "decode"), ("matroska/piped-live.webm", "decode"), ("matroska/aac.mka", "decode"),
    ("amr/nb-mixed.amr", "packets"), ("amr/wb-mode-4.awb", "packets"),
]

POINTS = {  # how many of `size` bytes are left
    "20-bytes": lambda size: 20,
    "100-bytes": lambda size: 100,
    "a-seventh": lambda size: size // 7,
    "a-half": lambda size: size // 2,
    "all-but-3-bytes": lambda size: size - 3,
}


def cut(name, oracle, point):
    def make(corpus, out):
        whole = (corpus / name).read_bytes()
        out.write_bytes(whole[:POINTS[point](len(whole))])
    folder, file = name.split("/")
    return Case(f"cut/{folder}-{point}-{file}", make, needs=(name,), oracle=oracle)


def cases():
    for name, oracle in CONTAINERS:
        for point in POINTS:
            yield cut(name, oracle, point)
