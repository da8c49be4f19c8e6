"""Whatever else ffmpeg plays: other containers, files behind files, playlists, pictures, streams without heads.

It takes minutes, so it runs only when it is named: test_crafted.py --module attacks
"""
import base64
import struct

from corpus.wav import chunk, format_chunk, riff
from isobmff import box

from .base import encoded
from .polyglot import frames

LONG = True
FORMATS = """asf .wma 16000 -c:a wmav2 -b:a 32k
avi .avi 16000 -c:a libmp3lame -b:a 16k
flv .flv 44100 -c:a libmp3lame -b:a 32k
nut .nut 48000 -c:a libopus -b:a 8k
ts .ts 16000 -c:a aac -b:a 16k
ts-mp2 .mts 48000 -c:a mp2 -b:a 32k
mpg .mpg 48000 -c:a mp2 -b:a 32k
caf .caf 16000 -c:a alac
w64 .w64 16000 -c:a pcm_s16le
au .au 8000 -c:a pcm_mulaw
tta .tta 16000 -c:a tta
wv .wv 16000 -c:a wavpack
gsm .gsm 8000 -c:a libgsm
ac3 .ac3 48000 -c:a ac3 -b:a 64k
voc .voc 8000 -c:a pcm_u8
sox .sox 8000 -c:a pcm_s32le
ircam .sf 8000 -c:a pcm_s16le
spx .spx 8000 -c:a libspeex
rf64 .wav 16000 -c:a pcm_s16le -rf64 always
mka .mka 48000 -c:a libopus -b:a 8k
oga .oga 16000 -c:a flac
adx .adx 16000 -c:a adpcm_adx
sbc .sbc 16000 -c:a sbc
aptx .aptx 48000 -c:a aptx
g722 .g722 16000 -c:a g722
mmf .mmf 8000 -c:a adpcm_yamaha
wtv .wtv 48000 -c:a mp2 -b:a 32k
swf .swf 44100 -c:a libmp3lame -b:a 32k"""


def short_wav(seconds=2):
    return encoded(".wav", "-c:a pcm_s16le", seconds=seconds)


def containers():
    """Name, suffix and 40 s in it: formats that we do not know are refused."""
    for row in FORMATS.splitlines():
        name, suffix, rate, how = row.split(" ", 3)
        yield name, suffix, encoded(suffix, how, rate=int(rate), channels=2 if name == "aptx" else 1)


def concatenations(wav, mp3):
    """Two files in one, each kind behind each; the first is short."""
    firsts = {"wav": wav, "mp3": mp3[:960 * 20], "ogg": encoded(".ogg", "-c:a libopus -b:a 8k", 2, 48000),
              "flac": encoded(".flac", "-c:a flac", 2), "webm": encoded(".webm", "-c:a libopus -b:a 8k", 2, 48000),
              "m4a": encoded(".m4a", "-c:a aac -b:a 16k -movflags +faststart", 2),
              "aiff": encoded(".aiff", "-c:a pcm_s16be", 2),
              "amr": b"#!AMR\n" + b"\x3c" + bytes(31)}
    for first, head in firsts.items():
        for second, suffix, data in containers():
            yield f"{first}-then-{second}.{first}", head + data
            yield f"{first}-with-tag-then-{second}.{first}", b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + head + data
        for second, tail in firsts.items():
            yield f"{first}-then-{second}-20.{first}", head + tail * 20


def playlists(wav):
    """Texts that make ffmpeg open something else; as they are, and with short audio in them."""
    data = "data:audio/mpeg;base64,"
    long = data + base64.b64encode(frames(32, 40)).decode()
    texts = {"ffconcat": f"ffconcat version 1.0\nfile '{long}'\n", "concat": f"file '{long}'\n",
             "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:40\n#EXTINF:40,\n{long}\n#EXT-X-ENDLIST\n",
             "pls": f"[playlist]\nFile1={long}\n", "m3u": f"#EXTM3U\n{long}\n",
             "asx": f'<asx><entry><ref href="{long}"/></entry></asx>',
             "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
             "mpd": '<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT40S"><Period>'
                    '<AdaptationSet mimeType="audio/mp4">'
                    f'<Representation id="1"><BaseURL>{long}</BaseURL></Representation></AdaptationSet></Period></MPD>',
             "ffmeta": ";FFMETADATA1\ntitle=x\n"}
    for name, text in texts.items():
        raw = text.encode()
        yield f"list.{name}", raw
        yield f"list-{name}.mp3", raw
        yield f"list-{name}-and-mp3.mp3", raw + frames(320, 2)
        yield f"tag-{name}-and-mp3.mp3", b"ID3\4\0\0\0\0\0\0" + raw + frames(320, 2)
        yield f"wav-and-{name}.wav", wav + raw
        yield f"zeros-{name}.mp3", bytes(64) + raw


def pictures(wav, mp3):
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f"
                        "0300080600ff2b7a5d0b0000000049454e44ae426082")
    gif = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\4\0\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
    jpeg = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    bmp = (b"BM" + struct.pack("<IHHI", 60 + len(mp3), 0, 0, 54 + len(mp3)) +
           struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0))
    for name, picture in (("png", png), ("gif", gif), ("jpeg", jpeg), ("bmp", bmp)):
        for suffix in (".mp3", f".{name}", ".wav"):
            yield f"{name}-and-mp3{suffix}", picture + mp3
            yield f"{name}-and-wav{suffix}", picture + wav
            yield f"{name}-in-jpeg-comment{suffix}", picture + b"\xff\xfe\xff\xff" + mp3[:65000]


def headerless(mp3):
    """Streams in frames that a surer format could be made of: packets without their packs."""
    program = encoded(".mpg", "-c:a mp2 -b:a 32k -f mpeg", rate=48000)
    mpeg2 = encoded(".vob", "-c:a mp2 -b:a 32k -f vob", rate=48000)
    for name, stream in (("mpeg1", program), ("mpeg2", mpeg2)):
        packets, at = b"", 0
        while (at := stream.find(b"\0\0\1", at)) >= 0:
            if stream[at + 3] in (0xC0, 0xBD):
                size = int.from_bytes(stream[at + 4:at + 6], "big")
                packets += stream[at:at + 6 + size]
                at += size
            at += 4
        yield f"{name}-packets.mp3", packets
        yield f"{name}-packets.mpg", packets
        for buffer in (b"", b"\x60\x04", b"\x40\x20"):
            small, at = b"", 0
            while at < len(packets):
                size = int.from_bytes(packets[at + 4:at + 6], "big")
                body = packets[at + 6:at + 6 + size]
                while body[:1] == b"\xff":
                    body = body[1:]
                if body[:1] and body[0] & 0xC0 == 0x40:
                    body = body[2:]
                small += packets[at:at + 4] + (len(buffer) + len(body)).to_bytes(2, "big") + buffer + body
                at += 6 + size
            out = bytearray(mp3)
            out[4:4 + len(small)] = small[:len(out) - 4]
            for place in range(0, len(out) - 4, 960):
                out[place:place + 4] = mp3[place:place + 4]
            yield f"{name}-packets-{buffer.hex()}-in-mp3.mp3", bytes(out)
        yield f"{name}-in-wav.wav", riff(format_chunk(1, 16000, 1, 16), chunk(b"data", stream))
        yield f"{name}-and-wav.wav", short_wav() + stream


def heads():
    """Heads that ffmpeg reads in front of others, and tags in the middle."""
    mp3 = frames(320, 8)
    long = encoded(".ogg", "-c:a libopus -b:a 8k", rate=48000)
    for name, head in (("riff-mp3", b"RIFF" + struct.pack("<I", 40) + b"RMP3data" + struct.pack("<I", 20)),
                       ("riff-cdxa", b"RIFF" + struct.pack("<I", 1 << 20) + b"CDXAfmt " + struct.pack("<I", 16) + bytes(16)),
                       ("riff-amv", b"RIFF" + bytes(4) + b"AMV LIST"), ("riff-avi", b"RIFF" + bytes(4) + b"AVI LIST"),
                       ("riff-qcp", b"RIFF" + struct.pack("<I", 200) + b"QLCMfmt "), ("form-8svx", b"FORM" + struct.pack(">I", 1 << 16) + b"8SVX"),
                       ("form-aifc", b"FORM" + struct.pack(">I", 1 << 16) + b"AIFC"), ("form-maud", b"FORM" + struct.pack(">I", 1 << 16) + b"MAUD"),
                       ("lyrics", b"LYRICSBEGIN"), ("apetag", b"APETAGEX" + struct.pack("<IIII", 2000, 32, 0, 0xA0000000) + bytes(8)),
                       ("tag", b"TAG" + bytes(125)), ("tag+", b"TAG+" + bytes(223)), ("ebml", b"\x1a\x45\xdf\xa3\x80"),
                       ("flac-id3", b"ID3\3\0\0\0\0\0\0fLaC"), ("amr-single", b"#!AMR_MC1.0\n"), ("amr-wb-mc", b"#!AMR-WB_MC1.0\n"),
                       ("oggs-1", b"OggS\1"), ("caff", b"caff\0\1\0\0"), (".snd", b".snd" + struct.pack(">IIIII", 24, 0xffffffff, 3, 16000, 1))):
        for inner, data in (("mp3", mp3), ("ogg", long)):
            yield f"{name}-and-{inner}", head + data
            yield f"{name}-and-{inner}.mp3", head + data
            yield f"{name}-and-{inner}.wav", head + data


def cases():
    wav, mp3 = short_wav(), frames(320, 8)
    for name, suffix, data in containers():
        yield f"{name}{suffix}", data
        yield f"{name}.mp3", data
        yield f"{name}-behind-zeros.mp3", bytes(512) + data
    yield from concatenations(wav, mp3)
    yield from playlists(wav)
    yield from pictures(wav, mp3)
    yield from headerless(frames(320, 40))
    yield from heads()
    yield "free-and-ts.mp4", box(b"free", bytes(40)) + encoded(".ts", "-c:a aac -b:a 16k")
