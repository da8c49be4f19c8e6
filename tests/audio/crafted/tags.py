"""Tags that are longer than ffmpeg looks, so that it goes by what stands in them, and by the file's name.

ffmpeg passes over a tag of ID3v2 as long as it ends within the megabyte that it looks at. Of a longer one it lets all of
its formats look at the tag itself, from "ID3" on, at 2 KiB, 4 KiB, … 1 MiB, and believes the first that is sure. What it
has chosen then reads what stands behind the tag. So each case is a tag with the beginning of another format in it, and
MPEG frames behind it, which the other format plays for longer than they are: GSM 24 times as long.
"""
import random
import struct
import subprocess
import tempfile
import zlib
from functools import lru_cache
from pathlib import Path

from .base import encoded
from .polyglot import frames, module_in

MIB = 1 << 20
NAMES = ("audio.mp3", "audio.mpga", "blob")
SIZES = {"256k": 256 << 10, "1m-1": MIB - 1, "1m+1": MIB + 1, "2500k": 2500 << 10, "5m": 5 * MIB, "9m": 9 * MIB}


def synchsafe(size):
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(body, size, version=3, flags=0):
    """Of `size` bytes with its header; what the body leaves is padding."""
    assert len(body) + 10 <= size
    return b"ID3" + bytes([version, 0, flags]) + synchsafe(size - 10) + body.ljust(size - 10, b"\0")


def frame(name, content, version=3):
    size = synchsafe(len(content)) if version == 4 else struct.pack(">I", len(content))
    return name.encode() + size + b"\0\0" + content


def noise(size, seed):
    return random.Random(seed).randbytes(size)


@lru_cache(maxsize=None)
def jpeg(size):
    """A picture of at least so many bytes, of noise, by ffmpeg."""
    side = int((size / 1.6) ** 0.5) + 64
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "picture.jpg"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", f"nullsrc=s={side}x{side},geq=random(1)*255:128:128",
                        "-frames:v", "1", "-q:v", "1", "-pix_fmt", "yuvj444p", str(out)], check=True)
        return out.read_bytes()


@lru_cache(maxsize=None)
def png(size):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    side = int((size / 3) ** 0.5)
    rows = b"".join(b"\0" + noise(3 * side, row) for row in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def with_picture(picture, kind, size, version=3):
    text = frame("TIT2", b"\1\xff\xfe" + "A song with a name".encode("utf-16-le"), version) + frame("TPE1", b"\0Somebody", version)
    head = b"\0" + kind + b"\0\3cover\0"
    room = size - 10 - len(text) - 10 - len(head)
    return tag(text + frame("APIC", head + picture[:room], version), size, version)


def honest():
    behind = {"cbr": frames(64, 7), "xing": encoded(".mp3", "-c:a libmp3lame -q:a 4 -id3v2_version 0", seconds=7)}
    pictures = {"jpeg": (lambda size: jpeg(size), b"image/jpeg"), "png": (lambda size: png(size), b"image/png")}
    for label, size in SIZES.items():
        for kind, (make, mime) in pictures.items():
            for name in NAMES:
                version = 4 if name == "blob" else 3
                data = with_picture(make(size - 4096), mime, size, version)
                yield f"{kind}-{label}-{name}", data + behind["cbr" if kind == "png" else "xing"]
    # A picture in which everything is noise, and one of nothing.
    for seed in range(12):
        yield f"noise-{seed}-blob", with_picture(noise(2 * MIB, seed), b"image/webp", 2 * MIB + 99) + behind["cbr"]
    yield "padding-blob", tag(frame("TIT2", b"\0x"), 2 * MIB) + behind["cbr"]
    yield "nothing-blob", tag(b"", 2 * MIB) + behind["cbr"]


def raw_gsm(size):
    return (b"\xd0" + bytes(range(32))) * (size // 33 + 1)


def nsv():
    """A chunk with its end, of a second of samples at 1 Hz."""
    audio = struct.pack("<BBH", 8, 1, 1) + bytes(3000)
    head = b"NSVs" + b"NONE" + b"PCM " + struct.pack("<HHB", 16, 16, 25) + struct.pack("<H", 0)
    chunk = head + (0).to_bytes(3, "little") + struct.pack("<H", len(audio)) + audio
    return chunk + b"\xef\xbe" + chunk


def mve():
    return b"Interplay MVE File\x1a\0\x1a\0\0\1\x33\x11"


def module_without_a_sign():
    """SoundTracker's, of fifteen samples: nothing in it says what it is."""
    out = bytearray(600 + 1024 + 64)
    for place in range(20, 470, 30):
        out[place:place + 6] = b"sample"
        out[place + 22:place + 30] = struct.pack(">HBBHH", 16, 0, 64, 0, 1)
    out[470:472] = bytes([1, 120])
    out[600:604] = bytes([0x01, 0xAC, 0x10, 0])
    return bytes(out)


def streams():
    """What ffmpeg would know where it stands alone."""
    long = MIB + 5000
    def repeated(data):
        return data * (long // len(data) + 1)
    yield "gsm", raw_gsm(long)
    yield "amr", repeated(b"\x44" + bytes(range(5)))
    yield "amr-wb", repeated(b"\x04" + bytes(range(17)))
    yield "adts", repeated(encoded(".aac", "-c:a aac -b:a 8k -f adts", seconds=10, rate=8000))
    yield "ac3", repeated(encoded(".ac3", "-c:a ac3 -b:a 64k", seconds=10, rate=48000))
    yield "eac3", repeated(encoded(".eac3", "-c:a eac3 -b:a 64k", seconds=10, rate=48000))
    yield "dts", repeated(encoded(".dts", "-c:a dca -strict -2 -b:a 768k", seconds=10, rate=48000))
    yield "loas", repeated(encoded(".latm", "-c:a aac -b:a 16k -f latm", seconds=10, rate=16000))
    yield "truehd", repeated(encoded(".thd", "-c:a truehd -strict -2 -f truehd", seconds=10, rate=48000, channels=2))
    yield "mlp", repeated(encoded(".mlp", "-c:a mlp -strict -2 -f mlp", seconds=10, rate=48000, channels=2))
    yield "spdif", repeated(encoded(".spdif", "-c:a ac3 -b:a 64k -f spdif", seconds=10, rate=48000))
    yield "mpeg", repeated(encoded(".mpg", "-c:a mp2 -b:a 32k -f mpeg", seconds=40, rate=48000))
    yield "vob", repeated(encoded(".vob", "-c:a mp2 -b:a 32k -f vob", seconds=40, rate=48000))
    yield "ts", repeated(encoded(".ts", "-c:a mp2 -b:a 32k -f mpegts", seconds=40, rate=48000))
    yield "nut", encoded(".nut", "-c:a libopus -b:a 6k", rate=48000)
    yield "mxf-key", bytes.fromhex("060e2b34020501010d0102010102") + bytes(300)
    yield "nsv", nsv()
    yield "mve", mve()
    yield "ty", bytes.fromhex("f5467abd0000000200020000") + bytes(64)
    yield "dv", repeated(bytes.fromhex("1f07003f") + bytes(1000))
    yield "dv-mark", repeated(bytes.fromhex("ff3f0700") + bytes(76) + bytes.fromhex("ff3f0701") + bytes(900))
    for name, how in (("wav", "-c:a pcm_s16le"), ("aiff", "-c:a pcm_s16be"), ("au", "-c:a pcm_mulaw"), ("caf", "-c:a alac"), ("flac", "-c:a flac"),
                      ("ogg", "-c:a libopus -b:a 8k"), ("webm", "-c:a libopus -b:a 8k"), ("m4a", "-c:a aac -b:a 16k -movflags +faststart"),
                      ("wma", "-c:a wmav2 -b:a 32k"), ("avi", "-c:a libmp3lame -b:a 16k"), ("w64", "-c:a pcm_s16le"), ("tta", "-c:a tta"), ("wv", "-c:a wavpack"),
                      ("voc", "-c:a pcm_u8"), ("mp3", "-c:a libmp3lame -b:a 32k"), ("mp2", "-c:a mp2 -b:a 64k")):
        yield name, encoded("." + name, how, seconds=10, rate=48000 if "opus" in how else 16000)


def placed(stream, size, place):
    """The body of a tag with the stream at that place of the file, in a picture of noise."""
    head = frame("APIC", b"\0image/jpeg\0\3\0" + bytes(0))[:4] + struct.pack(">I", size) + b"\0\0\0image/jpeg\0\3\0"
    body = bytearray((head + noise(size, 1))[:size - 10])
    body[place - 10:place - 10 + len(stream)] = stream[:max(0, size - place)]
    return bytes(body[:size - 10])


def westwood_frames(count):
    """MPEG frames of 24 ms: the first one is a head of Westwood's, and each is a chunk, too."""
    one = bytearray(b"\xfe" * 960)
    one[:10], one[10:12] = b"\xff\xfb\xe4\xc4" + b"\xfe" * 6, b"\0\1"
    one[12:20] = struct.pack("<HHI", 952, 63 * 938, 0xDEAF)
    return bytes(one) * count


def cases(places=(40, 300_000), files=("blob",), shifts=(12, 24), step=600):
    mp3 = frames(320, 8)
    size = MIB + 40_000
    for name, stream in streams():
        for place in places:
            for file in files:
                yield f"{name}-at-{place}-{file}", tag(placed(stream, size, place), size) + mp3
        if files == ("blob",):
            yield f"{name}-at-40-audio.mp3", tag(placed(stream, size, 40), size) + mp3
    # At the grid on which ffmpeg looks for its frames.
    for name, stream in (("gsm", raw_gsm(size)), ("amr", (b"\x44" + bytes(range(5))) * (size // 6))):
        for shift in shifts:
            for file in ("blob", "audio.mp3", "audio.mpga"):
                yield f"{name}-shifted-{shift}-{file}", tag((bytes(33 - 10 + shift) + stream)[:size - 10], size) + mp3
    # Several tags: together they are longer than ffmpeg looks.
    for name, stream in (("gsm", raw_gsm(size)), ("adts", dict(streams())["adts"]), ("ac3", dict(streams())["ac3"])):
        for first, second in ((600_000, 600_000), (20, size), (size, 40), (MIB - 3000, 2500)):
            for file in ("blob", "audio.mp3"):
                one = tag((bytes(23) + stream)[:first - 10], first)
                yield f"two-tags-{name}-{first}-{second}-{file}", one + tag((bytes(23) + stream)[:second - 10], second) + mp3
    for length in range(MIB - 4200, MIB + 40, step):
        yield f"gsm-tag-of-{length}-blob", tag((bytes(23) + raw_gsm(size))[:length - 10], length) + mp3
    # Forms that are known by what stands at a certain place, here also behind the tag.
    modules = {"module": module_in(mp3)[:2200], "module-without-a-sign": module_without_a_sign()}
    hcom = bytearray(300)
    hcom[65:69], hcom[128:132] = b"FSSD", b"HCOM"
    modules["hcom"] = bytes(hcom)
    modules["xmv"] = bytes(12) + b"xobX" + struct.pack("<I", 4) + bytes(40)
    modules["westwood-mark"] = bytes(16) + struct.pack("<I", 0xDEAF) + bytes(40)
    for name, data in modules.items():
        for file in ("blob", "audio.mp3"):
            behind = module_in(mp3) if name == "module" else mp3[:4] + data[4:] + mp3
            yield f"{name}-{file}", tag(data[10:], size) + behind
    # Westwood's, which plays MPEG frames that are made for it 38 times as long; with and without the name of a frame.
    for name, first in (("westwood", b"\0\1\0\0"), ("westwood-named", b"TIT2")):
        for file in NAMES:
            yield f"{name}-{file}", tag(first + bytes(2) + struct.pack("<I", 0xDEAF), size) + westwood_frames(42)
    # Heads of a tag that say something else.
    for name, head in (("aa", b"ID3\4\x57\x90\0\x40\x20\0"), ("revision", b"ID3\3\x44\0\0\x40\x20\0"), ("flags", b"ID3\4\0\x0f\0\x40\x20\0"),
                       ("version", b"ID3\x20\0\0\0\x40\x20\0")):
        data = head + bytes(size)
        length = 10 + (0x40 << 14 | 0x20 << 7)
        yield f"head-{name}-blob", data[:length] + mp3
    # Names by which ffmpeg takes a file for what it is not sure of.
    for suffix in "m4a aac wav ogg flac webm gsm ac3 sln g722 ts mpeg mpg mp4 amr m4b mka opus nsv mve dts thd loas".split():
        yield f"named-audio.{suffix}", tag(b"", size) + mp3
    # The same within frames, without a tag.
    for name, at, data in in_frames():
        inside = bytearray(mp3)
        inside[at:at + len(data)] = data
        for place in range(0, 8 * 960, 960):
            inside[place:place + 4] = mp3[place:place + 4]
        yield f"{name}-in-frames-blob", bytes(inside)


def in_frames():
    """Where in the first frames, and what: forms that ffmpeg knows by something else than their first bytes."""
    yield "nsv", 8, nsv()
    yield "mve", 8, mve()
    yield "mve-late", 1500, mve()
    yield "ty", 8, bytes.fromhex("f5467abd0000000200020000")
    yield "aa", 4, bytes.fromhex("57907536")
    yield "r3d", 4, b"RED1"
    yield "xmv", 12, b"xobX\4\0\0\0"
    hcom = bytearray(80)
    hcom[0:4], hcom[63:67] = b"FSSD", b"HCOM"
    yield "hcom", 65, bytes(hcom)
    yield "dcstr", 213, b"Sega Stream"
    rate = struct.pack("<I", 5512)
    yield "pp-bnk", 4, rate + bytes(4) + struct.pack("<II", 1, 0) + bytes(8) + rate + struct.pack("<I", 60_000) + bytes(8)
    head = b"SHDR" + bytes(20) + struct.pack(">II", 1, 1) + b"SDX2" + bytes(16)
    yield "3do", 4, struct.pack(">I", 8) + b"SNDS" + struct.pack(">I", 100) + bytes(8) + head
    yield "sdp", 500, b"\nc=IN IP4 127.0.0.1\n"
