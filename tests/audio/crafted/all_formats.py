"""Every container that Debian's ffmpeg writes with frames behind or in it, and every name that it knows.

It takes minutes, so it runs only when it is named: test_crafted.py --module all_formats
"""
import functools
import re
import subprocess
import tempfile
from pathlib import Path

from isobmff import box
from corpus.wav import chunk, format_chunk, riff

from .base import encoded
from .polyglot import frames

LONG = True

@functools.lru_cache(maxsize=None)
def muxers():
    listed = subprocess.run(["ffmpeg", "-hide_banner", "-muxers"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^\s*E\s+(\S+)", listed, re.MULTILINE)


ODD = {"alsa", "audiotoolbox", "caca", "chromaprint", "crc", "dash", "fbdev", "fifo", "fifo_test", "framecrc",
       "framehash", "framemd5", "hash", "hds", "hls", "image2", "image2pipe", "md5", "null", "opengl", "oss", "pulse",
       "rtp", "rtp_mpegts", "rtsp", "sap", "sdl", "sdl2", "segment", "smoothstreaming", "stream_segment", "streamhash",
       "ssegment", "tee", "uncodedframecrc", "v4l2", "video4linux2", "webm_chunk", "webm_dash_manifest", "xv",
       "ffmetadata", "decklink", "mkvtimestamp_v2"}
# Where the muxer's own choice is none, or needs to be told how.
HOW = {"opus": "-c:a libopus -b:a 6k", "oga": "-c:a libopus -b:a 6k", "ogg": "-c:a libopus -b:a 6k",
       "webm": "-c:a libopus -b:a 6k", "codec2": "-c:a libcodec2 -ar 8000", "codec2raw": "-c:a libcodec2 -ar 8000",
       "gsm": "-c:a libgsm -ar 8000", "g723_1": "-c:a g723_1 -ar 8000", "mlp": "-strict -2 -ac 2",
       "truehd": "-strict -2 -ac 2", "dts": "-c:a dca -strict -2", "spdif": "-c:a ac3 -b:a 64k",
       "avi": "-c:a libmp3lame -b:a 8k -ar 8000", "asf": "-c:a wmav2 -b:a 32k", "matroska": "-c:a libopus -b:a 6k",
       "mpegts": "-c:a libopus -b:a 6k", "nut": "-c:a libopus -b:a 6k", "caf": "-c:a libopus -b:a 6k -ar 48000",
       "rm": "-c:a real_144 -ar 8000", "mov": "-c:a libmp3lame -b:a 8k -ar 8000", "w64": "-c:a libgsm_ms -ar 8000"}


@functools.lru_cache(maxsize=None)
def muxed(name):
    """40 s (8 s where a second is large) in that container, as few bytes as it goes; None where it takes no audio."""
    for how, seconds in ((HOW.get(name, "-b:a 16k"), 40), (HOW.get(name, "-ar 8000"), 40), ("-ar 48000 -ac 2", 2)):
        with tempfile.TemporaryDirectory() as directory:
            out = Path(directory) / "out"
            done = subprocess.run(
                ["ffmpeg", "-nostdin", "-v", "quiet", "-y", "-f", "lavfi", "-i", f"sine=f=300:d={seconds}:r=16000",
                 *how.split(), "-f", name, str(out)], timeout=60)
            if done.returncode == 0 and out.exists() and out.stat().st_size > 0:
                return out.read_bytes()[:600_000]
    return None


def containers():
    for name in muxers():
        if name not in ODD and (data := muxed(name)):
            yield name, data


@functools.lru_cache(maxsize=None)
def suffixes():
    listed = subprocess.run(["ffmpeg", "-hide_banner", "-demuxers"], capture_output=True, text=True, check=True).stdout
    found = set()
    for names in re.findall(r"^\s*D\S*\s+(\S+)", listed, re.MULTILINE):
        told = subprocess.run(["ffmpeg", "-hide_banner", "-h", f"demuxer={names.split(',')[0]}"], capture_output=True,
                              text=True).stdout
        for line in re.findall(r"Common extensions: (.*)\.", told):
            found.update(line.split(","))
    return sorted(found)


def cases():
    mp3 = frames()
    hidden, short = mp3[:960 * 250], encoded(".m4a", "-c:a aac -b:a 16k", seconds=2)
    for suffix in suffixes():
        yield f"mp3-called.{suffix}", mp3[:960 * 100]
        yield f"short-mp3-called.{suffix}", mp3[:960 * 5]
        yield f"wav-called.{suffix}", encoded(".wav", "-c:a pcm_s16le", seconds=2)
    for name, data in containers():
        yield f"{name}-and-mp3", data[:60_000] + hidden
        yield f"{name}-short-and-mp3", data[:1400] + hidden
        yield f"{name}-and-mp3.mp3", data[:60_000] + hidden
        yield f"mp3-and-{name}", mp3[:960 * 30] + data
        yield f"tag-{name}-and-mp3", b"ID3\4\0\0\0\0\0\x14" + bytes(20) + data[:60_000] + hidden
        yield f"tags-{name}", b"ID3\4\0\0\0\0\0\x14" + bytes(20) + b"ID3\4\0\0\0\0\0\x14" + bytes(20) + data
        yield f"{name}-in-wav-junk.wav", riff(format_chunk(1, 192000, 8, 32), chunk(b"JUNK", data),
                                              chunk(b"data", bytes(64_000)))
        yield f"{name}-in-free.mp4", box(b"free", data) + short
        yield f"{name}-in-skip.mp4", box(b"skip", data) + short
