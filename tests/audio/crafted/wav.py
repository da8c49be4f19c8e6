"""WAV: what ffmpeg finds in the samples, and what it does not read in the header.

ffmpeg looks into 16-bit PCM for frames of other codecs and plays those, undoes IEC 61937 in any PCM, and
takes some files that begin like WAV for something else altogether.
"""
import struct
import subprocess
import tempfile
from pathlib import Path

from corpus.wav import chunk, format_chunk, riff

from .base import encoded


def with_data(data, rate=48000, channels=2, bits=16, code=1, before=()):
    return riff(format_chunk(code, rate, channels, bits), *before, chunk(b"data", data))


def swapped(data):
    data = data[:len(data) // 2 * 2]
    return bytes(byte for pair in zip(data[1::2], data[::2]) for byte in pair)


def raw(suffix, arguments, **how):
    return encoded(suffix, arguments, **how)


def latm(adts):
    """LOAS around AAC: ffmpeg's own muxer."""
    return encoded(".loas", "-c:a aac -b:a 16k -f latm", rate=16000)


def hidden_in_pcm():
    ac3 = raw(".ac3", "-c:a ac3 -b:a 64k", rate=32000)
    yield "ac3", ac3
    yield "ac3-swapped", swapped(ac3)
    yield "eac3", raw(".eac3", "-c:a eac3 -b:a 32k", rate=48000)
    yield "dts", raw(".dts", "-c:a dca -strict -2 -b:a 256k", rate=48000)
    yield "dts-late", bytes(20_000) + raw(".dts", "-c:a dca -strict -2 -b:a 256k", rate=48000)
    yield "truehd", raw(".thd", "-c:a truehd -strict -2", rate=48000, seconds=8, channels=2)
    yield "mlp", raw(".mlp", "-c:a mlp -strict -2", rate=48000, seconds=8, channels=2)
    yield "latm", latm(None)
    yield "mp3", raw(".mp3", "-c:a libmp3lame -b:a 16k -write_xing 0 -id3v2_version 0", rate=16000)
    yield "mp3-behind-id3", raw(".mp3", "-c:a libmp3lame -b:a 16k -write_xing 0", rate=16000)
    yield "mp2", raw(".mp2", "-c:a mp2 -b:a 32k", rate=48000)
    yield "adts", raw(".aac", "-c:a aac -b:a 16k -f adts", rate=16000)
    yield "spdif-ac3", raw(".spdif", "-c:a ac3 -b:a 64k -f spdif", rate=48000)
    yield "spdif-mp3", raw(".spdif", "-c:a libmp3lame -b:a 64k -f spdif", rate=48000)


def small_ds64(size):
    data = encoded(".pcm", "-c:a pcm_s16le -f s16le")
    ds64 = chunk(b"ds64", struct.pack("<QQQI", size + 80, size, size // 2, 0))
    return (b"RIFF\xff\xff\xff\xffWAVE" + ds64 + format_chunk(1, 16000, 1, 16) +
            b"data\xff\xff\xff\xff" + data)


def act():
    """A voice recorder's file, which begins like WAV and holds G.729 (ffmpeg's act.c)."""
    wav = with_data(b"", rate=8000, channels=1)[:44]
    wav = wav[:16] + struct.pack("<I", 16) + wav[20:40] + struct.pack("<I", 100)
    head = wav + bytes(256 - 44) + b"\x84" + struct.pack("<HBI", 0, 40, 0)[:7] + bytes(512 - 264)
    return head + bytes(range(1, 23)) * 2000


def mxf():
    """Needs a picture beside the sound."""
    with tempfile.TemporaryDirectory() as directory:
        out = f"{directory}/out.mxf"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=8",
                        "-f", "lavfi", "-i", "sine=d=8:r=48000", "-c:v", "mpeg2video", "-c:a", "pcm_s16le", out],
                       check=True)
        return Path(out).read_bytes()


def in_junk(container):
    """MXF may begin with up to 64 KiB of anything."""
    return riff(format_chunk(1, 192000, 8, 32), chunk(b"JUNK", container), chunk(b"data", bytes(32)))


def fmt_behind_data():
    samples = encoded(".pcm", "-c:a pcm_s16le -f s16le", rate=8000)
    return riff(chunk(b"data", samples), format_chunk(1, 8000, 1, 16))


def data_first_then_tiny():
    samples = encoded(".pcm", "-c:a pcm_s16le -f s16le", rate=8000)
    return riff(format_chunk(1, 192000, 2, 16), chunk(b"data", samples[:4]), format_chunk(1, 8000, 1, 8),
                chunk(b"data", samples))


def xma_in_front():
    xma = bytes([4, 1]) + bytes(10) + struct.pack(">I", 48000) + bytes(8 + 4 + 4 + 8) + bytes([1, 0, 0, 0])
    return riff(chunk(b"XMA2", xma), format_chunk(1, 192000, 8, 16), chunk(b"data", bytes(40_000)))


def cases():
    for name, data in hidden_in_pcm():
        yield f"{name}-in-pcm.wav", with_data(data)
        yield f"{name}-in-fast-pcm.wav", with_data(data, rate=192000, channels=8)
        yield f"{name}-in-24-bit.wav", with_data(data, bits=24)
        yield f"{name}-in-float.wav", with_data(data, bits=32, code=3)
    for size in (0, 1, 100, 64_000):
        yield f"small-ds64-{size}.wav", small_ds64(size)
    yield "act.wav", act()
    yield "mxf-in-junk.wav", in_junk(mxf())
    yield "fmt-behind-data.wav", fmt_behind_data()
    yield "two-formats.wav", data_first_then_tiny()
    yield "xma-in-front.wav", xma_in_front()


def honest():
    for codec in ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_alaw",
                  "pcm_mulaw", "adpcm_ima_wav", "adpcm_ms", "libmp3lame", "libgsm_ms"):
        rate = 8000 if codec == "libgsm_ms" else 16000
        yield f"{codec}.wav", encoded(".wav", f"-c:a {codec}", seconds=7, rate=rate)
    yield "rf64.wav", encoded(".wav", "-c:a pcm_s16le -rf64 always", seconds=7)
