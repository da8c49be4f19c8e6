"""Files that are one format for us and another for ffmpeg, which asks all of its formats and believes the surest.

Every container that Debian's ffmpeg writes, with MP3 (or ADTS) frames behind or in it: whoever looks for
frames finds these, whoever knows the container hears that. And formats that are known by what stands
further on: MXF, MPEG transport and program streams, modules, subtitles of a voice recorder.
"""
import functools
import re
import struct
import subprocess
import tempfile
from pathlib import Path

from isobmff import box
from corpus.wav import chunk, format_chunk, riff

from .base import encoded

# What only ffmpeg takes for MP4 when it stands first, and what many do.
FIRST_BOXES = ("pnot udta junk pict uuid prfl moof styp sidx ediw ftyp moov mdat wide free skip PICT trak emsg "
               "mfra prft meta pdin bloc ssix").split()


def frames(kbit=320, seconds=8):
    return encoded(".mp3", f"-c:a libmp3lame -b:a {kbit}k -write_xing 0 -id3v2_version 0", seconds=seconds, rate=48000)


def adts():
    return encoded(".aac", "-c:a aac -b:a 128k -f adts", seconds=8, rate=48000, channels=2)


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


def packets_between(transport, mp3, length=188):
    """Packets of a transport stream as what stands in MP3 frames behind their headers."""
    out, at = bytearray(mp3), 960
    for number, place in enumerate(range(0, len(out) - length, length)):
        packet = transport[number * length:(number + 1) * length]
        if len(packet) < length:
            break
        out[place:place + length] = packet
    # Frames of 960 bytes (320 kbit/s at 48 kHz) get their headers back, where they fall into a packet.
    for place in range(0, len(out) - 4, at):
        out[place:place + 4] = mp3[place:place + 4]
    return bytes(out)


def module_in(mp3):
    """A ProTracker module whose title and sample names are MP3 frames."""
    out = bytearray(mp3[:1084])
    for place in range(20, 950, 30):
        out[place + 22:place + 30] = struct.pack(">HBBHH", 16, 0, 64, 0, 8)
    out[950:952] = bytes([127, 127])
    out[952:1080] = bytes(128)
    out[1080:1084] = b"M.K."
    pattern = bytearray(1024)
    pattern[0:4] = bytes([0x01, 0xAC, 0x10, 0x00])
    pattern[4:8] = bytes([0, 0, 0x0F, 0x1F])
    whole = bytes(out) + bytes(pattern) + bytes(range(0, 32)) * 31
    mp3_at = -(-len(whole) // 960) * 960
    whole = bytearray(whole.ljust(mp3_at, b"\0"))
    for place in range(0, mp3_at, 960):
        if not 948 <= place < 1084:
            whole[place:place + 4] = mp3[place:place + 4]
    return bytes(whole) + mp3[mp3_at:]


def cases():
    mp3, aac = frames(), adts()
    hidden = mp3[:960 * 250]
    for name in FIRST_BOXES:
        real = encoded(".m4a", "-c:a aac -b:a 16k -movflags +faststart")
        yield f"mp3-in-{name}.mp4", box(name.encode(), hidden) + real
        yield f"adts-in-{name}.mp4", box(name.encode(), aac) + real
        yield f"zeros-and-mp3-in-{name}.mp4", bytes(4) + box(name.encode(), hidden) + real
        yield f"mp3-behind-{name}.mp3", box(name.encode(), bytes(40)) + hidden + real
    for name, data in containers():
        yield f"{name}-and-mp3", data[:60_000] + hidden
        yield f"{name}-and-mp3.mp3", data[:60_000] + hidden
        yield f"mp3-and-{name}", mp3[:960 * 30] + data
        yield f"tag-{name}-and-mp3", b"ID3\4\0\0\0\0\0\x14" + bytes(20) + data[:60_000] + hidden
        yield f"tags-{name}", b"ID3\4\0\0\0\0\0\x14" + bytes(20) + b"ID3\4\0\0\0\0\0\x14" + bytes(20) + data
        yield f"{name}-in-wav-junk.wav", riff(format_chunk(1, 192000, 8, 32), chunk(b"JUNK", data),
                                              chunk(b"data", bytes(64_000)))
        yield f"{name}-in-free.mp4", box(b"free", data) + encoded(".m4a", "-c:a aac -b:a 16k", seconds=2)
        yield f"{name}-in-skip.mp4", box(b"skip", data) + encoded(".m4a", "-c:a aac -b:a 16k", seconds=2)
    ts = muxed("mpegts")
    yield "transport-stream-in-mp3.mp3", packets_between(ts, frames(seconds=40))
    yield "module-in-mp3.mp3", module_in(mp3)
    yield "module-in-mp3", module_in(mp3)
    for suffix in ("g722", "g723_1", "g729", "gsm", "sln", "al", "ul", "sw", "ac3", "aac", "mp3", "wav", "m4a", "ogg",
                   "flac", "c2", "tta", "sbc", "aptx", "adp", "lbc", "tco", "sb", "ub", "uw", "raw", "pcm", "dts", "sds"):
        for kbit in (8, 320):
            yield f"short-{kbit}.{suffix}", frames(kbit)[:kbit * 3 * 5]
        yield f"long.{suffix}", mp3[:960 * 100]
        yield f"short-adts-{suffix}.{suffix}", aac[:1000]
        yield f"wav-{suffix}.{suffix}", encoded(".wav", "-c:a pcm_s16le", seconds=2)
        yield f"large-tag.{suffix}", large_tag() + mp3[:960 * 50]
        yield f"large-tag-wav.{suffix}", large_tag() + encoded(".wav", "-c:a pcm_s16le", seconds=2)
        yield f"large-tag-hidden.{suffix}", large_tag(encoded(".ac3", "-c:a ac3 -b:a 64k", rate=48000)) + mp3[:960 * 50]


def large_tag(front=b"", size=1_200_000):
    body = front.ljust(size, b"\0")
    return b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def honest():
    yield "picture-1-mb.mp3", encoded(".mp3", "-c:a libmp3lame -b:a 64k", seconds=7)[:0] + large_tag() + frames(64, 7)
    yield "picture-1-mb-xing.mp3", large_tag(b"APIC") + encoded(".mp3", "-c:a libmp3lame -b:a 64k -id3v2_version 0", seconds=7)
    yield "short.mp3", frames(64, 7)[:192 * 3]
