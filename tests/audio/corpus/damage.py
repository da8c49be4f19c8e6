"""Every container, broken off at several points: a caller pays for what is in the bytes that came. And
streams out of whose middle something was lost."""
from .recipe import Case, edited, noise

PACKETS = [
    "wav/plain.wav", "wav/piped-ffmpeg.wav", "wav/rf64.wav", "aiff/plain.aiff",
    "mp3/cbr-lame-gapless.mp3", "mp3/no-info-vbr.mp3", "mp3/id3v2.4-cover.mp3", "adts/lc-44100-2.aac",
    "flac/s16-44100-2.flac", "amr/nb-mixed.amr", "amr/wb-mode-4.awb",
    "mp4/aac-24000-1.m4a", "mp4/faststart.m4a", "mp4/fragmented.mp4", "mp4/pcm_s16le.mov", "mp4/amr-nb.3gp",
]
DECODE = [  # see oracle.py
    "wav/adpcm_ima_wav-22050-mono-2.5.wav",
    "ogg/opus-24000-1.opus", "ogg/vorbis-44100-2.ogg", "ogg/flac-16000-1.ogg",
    "matroska/opus-24000-1.webm", "matroska/piped-live.webm", "matroska/aac.mka",
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


def lost(data):
    return data[:len(data) * 2 // 5] + data[len(data) // 2:]


def overwritten(data):
    start, end = len(data) * 2 // 5, len(data) // 2
    return data[:start] + noise(end - start, "overwritten") + data[end:]


def cases():
    for point in POINTS:
        yield from (cut(name, "packets", point) for name in PACKETS)
        yield from (cut(name, "decode", point) for name in DECODE)
    yield edited("cut/ogg-middle-lost-large-pages.ogg", "ogg/vorbis-44100-2.ogg", lost, oracle="decode")
    for name, oracle in [("mp3/no-info-cbr.mp3", "packets"), ("mp3/vbr-speech-24000.mp3", "packets"),
                         ("adts/lc-44100-2.aac", "packets"), ("flac/small-frames.flac", "packets"),
                         ("ogg/opus-small-pages.opus", "decode"), ("ogg/vorbis-small-pages.ogg", "decode"),
                         ("matroska/piped-live.webm", "decode"), ("matroska/small-clusters.webm", "decode"),
                         ("amr/nb-mode-7.amr", "packets"), ("wav/piped-ffmpeg.wav", "packets"),
                         ("mp4/faststart.m4a", "packets"), ("mp4/fragmented-base-moof.mp4", "packets")]:
        folder, file = name.split("/")
        yield edited(f"cut/{folder}-middle-lost-{file}", name, lost, oracle=oracle)
        yield edited(f"cut/{folder}-middle-overwritten-{file}", name, overwritten, oracle=oracle)
