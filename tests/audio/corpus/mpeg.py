"""MPEG audio: versions 1, 2 and 2.5, layers I to III, and what is found between and around frames."""
import struct

from .recipe import Case, copy, edited, ffmpeg, joined, lame, music, noise, silence, speech, with_video

BITRATES = {  # kbit/s by index: (version 1 or not, layer)
    (True, 1): [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    (True, 2): [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    (True, 3): [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    (False, 1): [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    (False, 2): [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    (False, 3): [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
}


RATES = [44100, 48000, 32000]  # of version 1; half of them in version 2, a quarter in 2.5


def frame_size(header):
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    first = version == 3
    rate = RATES[header[2] >> 2 & 3] >> {3: 0, 2: 1, 0: 2}[version]
    bits = BITRATES[first, layer][header[2] >> 4] * 1000
    padding = header[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // rate + padding) * 4
    return (72 if layer == 3 and not first else 144) * bits // rate + padding


def frames_of(mp3):
    """The frames of a clean file: nothing but frames, no free format."""
    at = 0
    while at + 4 <= len(mp3):
        size = frame_size(mp3[at:at + 4])
        yield mp3[at:at + size]
        at += size


def layer_one(version_byte, bitrate_index, frames):
    """Silence in layer I, for which there is no encoder: no subband has bits."""
    def make(_corpus, out):
        header = bytes([0xFF, version_byte, bitrate_index << 4, 0xC0])
        out.write_bytes(frames * header.ljust(frame_size(header), b"\0"))
    return make


def with_garbage(every, garbage):
    def edit(mp3):
        out = bytearray()
        for number, frame in enumerate(frames_of(mp3)):
            out += frame
            if number % every == every - 1:
                out += garbage
        return bytes(out)
    return edit


def id3v2(size, body=b"", version=4, footer=False, claimed=None):
    body = body.ljust(size, b"\0")
    number = len(body) if claimed is None else claimed
    length = bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
    flags = bytes([0x10 if footer else 0])
    tail = b"3DI" + bytes([version, 0]) + flags + length if footer else b""
    return b"ID3" + bytes([version, 0]) + flags + length + body + tail


def ape_tag():
    items = struct.pack("<II", 5, 0) + b"Artist\0abcde"
    common = struct.pack("<III", 2000, len(items) + 32, 1)
    return (b"APETAGEX" + common + struct.pack("<I", 0xA0000000) + bytes(8) + items +
            b"APETAGEX" + common + struct.pack("<I", 0x80000000) + bytes(8))


def id3v1():
    return b"TAG" + b"title".ljust(124, b"\0") + b"\x0c"


def xing_frames(count):
    """What the Xing or Info header says about the number of frames, replaced."""
    def edit(mp3):
        at = max(mp3.find(b"Xing"), mp3.find(b"Info"))
        return mp3[:at + 8] + struct.pack(">I", count) + mp3[at + 12:]
    return edit


def encoder_delay(start, end):
    """LAME's two numbers of 12 bits, replaced; 21 bytes behind its name."""
    def edit(mp3):
        at = mp3.index(b"LAME") + 21
        return mp3[:at] + (start << 12 | end).to_bytes(3, "big") + mp3[at + 3:]
    return edit


SOUNDS = [  # version 1, 2, 2.5
    (44100, 2, 128), (48000, 1, 64), (32000, 2, 320), (24000, 1, 48), (22050, 2, 64), (16000, 1, 24),
    (12000, 1, 16), (11025, 2, 32), (8000, 1, 8),
]


def encoded():
    for rate, channels, kbit in SOUNDS:
        sound = music(2.13, rate, channels) if channels == 2 else speech(2.13, rate)
        yield Case(f"mp3/cbr-{rate}-{channels}-{kbit}k.mp3",
                   ffmpeg(sound, "-c:a libmp3lame -b:a", f"{kbit}k"))
    for quality in (0, 2, 5, 9):
        yield Case(f"mp3/vbr-lame-v{quality}.mp3", lame(music(2.7), f"-V {quality}"))
    yield Case("mp3/vbr-speech-24000.mp3", lame(speech(5.1, 24000), "-V 4"))
    yield Case("mp3/vbr-silence.mp3", lame(silence(3.3, 44100, 2), "-V 2"))
    yield Case("mp3/abr-100.mp3", lame(music(2.7), "--abr 100"))
    yield Case("mp3/cbr-lame-gapless.mp3", lame(music(2.71), "-b 96"))
    yield Case("mp3/crc.mp3", lame(music(1.3), "-p -b 128"))
    yield Case("mp3/no-info-cbr.mp3", lame(music(2.7), "-t -b 128"))
    yield Case("mp3/no-info-48000.mp3", lame(speech(2.7, 48000), "-t -b 64"))
    yield Case("mp3/no-info-vbr.mp3", lame(music(2.7), "-t -V 3"))
    yield Case("mp3/no-info-ffmpeg.mp3",
               ffmpeg(speech(2.2), "-c:a libmp3lame -b:a 32k -write_xing 0 -id3v2_version 0"))
    yield Case("mp3/piped.mp3", ffmpeg(speech(2.2), "-c:a libmp3lame -q:a 4 -f mp3", piped=True))
    yield Case("mp3/shine.mp3", ffmpeg(music(1.5), "-c:a libshine -b:a 128k"))
    yield Case("mp3/0.05-seconds.mp3", ffmpeg(speech(0.05), "-c:a libmp3lame -b:a 48k"))
    yield Case("mp3/0.05-seconds-no-info.mp3", lame(speech(0.05, 44100), "-t -b 64"))
    # Frames whose header does not say how long they are: neither ffmpeg nor browsers play them.
    yield Case("mp3/free-format.mp3", lame(music(2.5), "--freeformat -b 400 -t"))
    for name, arguments in [("48000-stereo", (music(1.9, 48000), "-c:a mp2 -b:a 192k")),
                            ("twolame-44100", (music(1.9), "-c:a libtwolame -b:a 128k")),
                            ("lsf-24000-mono", (speech(1.9), "-c:a libtwolame -b:a 64k")),
                            ("lsf-16000-stereo", (music(1.9, 16000), "-c:a mp2 -b:a 64k"))]:
        yield Case(f"mp3/layer2-{name}.mp2", ffmpeg(*arguments))
    yield Case("mp3/layer1-44100.mp1", layer_one(0xFF, 12, 200), demuxer="mp3")
    yield Case("mp3/layer1-lsf-22050.mp1", layer_one(0xF7, 8, 200), demuxer="mp3")
    minute = "mp3/one-minute.mp3"
    yield Case(minute, lame(silence(60, 24000), "-b 8 -t"))
    yield joined("mp3/two-hours.mp3", *[minute] * 120)
    yield Case("mp3/two-hours-vbr.mp3", lame(silence(7200, 8000), "-V 9 -q 9"))


def tagged():
    base, plain = "mp3/vbr-lame-v2.mp3", "mp3/no-info-cbr.mp3"
    yield Case("mp3/id3v2.3-ffmpeg.mp3", ffmpeg(speech(1.7), "-c:a libmp3lame -b:a 48k -id3v2_version 3 "
                                                "-write_id3v1 1 -metadata title=hello"))
    yield edited("mp3/id3v2.4-cover.mp3", base, lambda mp3: id3v2(150_000, noise(150_000, "cover")) + mp3)
    yield edited("mp3/id3v2.2.mp3", base, lambda mp3: id3v2(500, version=2) + mp3)
    yield edited("mp3/id3v2-footer.mp3", plain, lambda mp3: id3v2(500, footer=True) + mp3)
    yield edited("mp3/id3v2-twice.mp3", plain, lambda mp3: id3v2(300) + id3v2(700) + mp3)
    yield edited("mp3/id3v2-then-padding.mp3", plain, lambda mp3: id3v2(300) + bytes(1500) + mp3)
    yield edited("mp3/id3v2-longer-than-file.mp3", plain, lambda mp3: id3v2(0, claimed=10_000_000) + mp3,
                 demuxer="mp3")
    yield edited("mp3/id3v1.mp3", plain, lambda mp3: mp3 + id3v1())
    yield edited("mp3/ape.mp3", plain, lambda mp3: mp3 + ape_tag())
    yield edited("mp3/ape-and-id3v1.mp3", base, lambda mp3: mp3 + ape_tag() + id3v1())
    yield edited("mp3/ape-in-front.mp3", plain, lambda mp3: ape_tag() + mp3, demuxer="mp3")


def dirty():
    base, plain = "mp3/cbr-lame-gapless.mp3", "mp3/no-info-cbr.mp3"
    clean = noise(4999, "front", without=(0xFF,))
    yield edited("mp3/garbage-in-front-1.mp3", plain, lambda mp3: b"\0" + mp3)
    yield edited("mp3/garbage-in-front-5000.mp3", plain, lambda mp3: clean + mp3, demuxer="mp3")
    yield edited("mp3/garbage-in-front-syncs.mp3", plain, lambda mp3: b"\xff\xfb\x90\x64" * 300 + mp3,
                 demuxer="mp3")
    yield edited("mp3/garbage-between.mp3", plain, with_garbage(10, clean[:77]))
    yield edited("mp3/garbage-between-random.mp3", plain, with_garbage(13, noise(500, "between")))
    yield edited("mp3/zeros-between.mp3", plain, with_garbage(20, bytes(2000)))
    yield edited("mp3/garbage-at-end.mp3", plain, lambda mp3: mp3 + clean)
    yield edited("mp3/zeros-at-end.mp3", plain, lambda mp3: mp3 + bytes(5000))
    yield edited("mp3/starts-in-a-frame.mp3", plain, lambda mp3: mp3[1000:])
    yield edited("mp3/starts-in-a-frame-vbr.mp3", "mp3/vbr-lame-v2.mp3", lambda mp3: mp3[12345:])
    yield edited("mp3/info-claims-less.mp3", base, xing_frames(5))
    yield edited("mp3/info-claims-more.mp3", base, xing_frames(50_000))
    yield edited("mp3/info-claims-zero.mp3", base, xing_frames(0))
    yield edited("mp3/info-claims-much-delay.mp3", base, encoder_delay(4095, 4095))
    yield joined("mp3/joined-cbr.mp3", plain, plain)
    yield joined("mp3/joined-gapless.mp3", base, base)
    yield joined("mp3/joined-tagged.mp3", "mp3/id3v2.3-ffmpeg.mp3", "mp3/id3v2.3-ffmpeg.mp3")
    yield joined("mp3/joined-other-rate.mp3", plain, "mp3/cbr-24000-1-48k.mp3")
    yield joined("mp3/joined-other-bitrate.mp3", plain, "mp3/crc.mp3")


ADTS = [(44100, 2), (48000, 1), (24000, 1), (16000, 1), (8000, 1), (96000, 2), (22050, 2)]


def adts():
    for rate, channels in ADTS:
        sound = music(1.93, rate, channels) if channels == 2 else speech(1.93, rate)
        yield Case(f"adts/lc-{rate}-{channels}.aac", ffmpeg(sound, "-c:a aac -f adts"))
    plain = "adts/lc-24000-1.aac"
    yield Case("adts/0.05-seconds.aac", ffmpeg(speech(0.05), "-c:a aac -f adts"))
    yield Case("adts/mpeg2-id.aac", copy("adts/lc-44100-2.aac", "-write_mpeg2 1 -f adts"),
               needs=("adts/lc-44100-2.aac",))
    yield Case("adts/id3v2.aac", ffmpeg(speech(1.1), "-c:a aac -f adts -write_id3v2 1 -metadata title=x"))
    yield Case("adts/ape.aac", ffmpeg(speech(1.1), "-c:a aac -f adts -write_apetag 1 -metadata title=x"))
    minute = "adts/one-minute.aac"
    yield Case(minute, ffmpeg(silence(60, 16000), "-c:a aac -b:a 16k -f adts"))
    yield joined("adts/two-hours.aac", *[minute] * 120)
    yield joined("adts/joined.aac", plain, plain)
    yield joined("adts/joined-other-rate.aac", plain, "adts/lc-44100-2.aac", oracle="decode")
    yield joined("adts/joined-tagged.aac", "adts/id3v2.aac", "adts/id3v2.aac")
    clean = noise(999, "adts", without=(0xFF,))
    yield edited("adts/garbage-in-front.aac", plain, lambda aac: clean + aac, demuxer="aac")
    yield edited("adts/garbage-between.aac", plain, lambda aac: adts_with_garbage(aac, clean[:99]))
    yield edited("adts/garbage-at-end.aac", plain, lambda aac: aac + clean)
    yield edited("adts/starts-in-a-frame.aac", plain, lambda aac: aac[100:], demuxer="aac")


def adts_with_garbage(aac, garbage):
    out, at, number = bytearray(), 0, 0
    while at + 7 <= len(aac):
        size = (aac[at + 3] & 3) << 11 | aac[at + 4] << 3 | aac[at + 5] >> 5
        out += aac[at:at + size]
        at, number = at + size, number + 1
        if number % 9 == 0:
            out += garbage
    return bytes(out)


def program_streams():
    for name, arguments in [("mp2-1.mpg", "-c:a mp2 -f mpeg"), ("mp3-1.mpeg", "-c:a libmp3lame -f vob"),
                            ("mp2-svcd.mpg", "-c:a mp2 -f svcd")]:
        yield Case(f"program/{name}", ffmpeg(speech(1.5, 48000), arguments), oracle="decode")
    for codec in ("mpeg1video", "mpeg2video"):
        yield Case(f"program/{codec}.mpeg", ffmpeg(
            with_video(music(1.5)), f"-map 1:v -map 0:a -c:v {codec} -r 25 -c:a mp2 -f mpeg"), oracle="decode")


def cases():
    yield from program_streams()
    yield from encoded()
    yield from tagged()
    yield from dirty()
    yield from adts()
