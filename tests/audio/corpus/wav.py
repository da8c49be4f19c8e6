"""WAV: every sample format, and every way in which streaming servers leave the sizes wrong."""
import struct

from .recipe import Case, edited, ffmpeg, joined, music, noise, silence, sox, speech, written


def chunk(tag, body, endian="<"):
    return tag + struct.pack(endian + "I", len(body)) + body + b"\0" * (len(body) % 2)


def riff(*chunks, tag=b"RIFF", endian="<"):
    return chunk(tag, b"WAVE" + b"".join(chunks), endian)


def format_chunk(code, rate, channels, bits, endian="<"):
    block = channels * bits // 8
    body = struct.pack(endian + "HHIIHH", code, channels, rate, rate * block, block, bits)
    return chunk(b"fmt ", body, endian)


def sizes(riff_size, data_size):
    """The two sizes of a header, replaced: None leaves one as it is."""
    def edit(wav):
        at = wav.index(b"data") + 4
        out = bytearray(wav)
        if riff_size is not None:
            out[4:8] = struct.pack("<I", riff_size)
        if data_size is not None:
            out[at:at + 4] = struct.pack("<I", data_size)
        return bytes(out)
    return edit


def in_format(at, layout, value):
    """A field of `fmt `, replaced."""
    def edit(wav):
        start = wav.index(b"fmt ") + 8 + at
        number = struct.pack(layout, value)
        return wav[:start] + number + wav[start + len(number):]
    return edit


def before_data(*chunks):
    def edit(wav):
        at = wav.index(b"data")
        return sizes(len(wav) + sum(map(len, chunks)) - 8, None)(wav[:at] + b"".join(chunks) + wav[at:])
    return edit


def after_data(*chunks):
    return lambda wav: sizes(len(wav) + sum(map(len, chunks)) - 8, None)(wav + b"".join(chunks))


def two_data_chunks():
    return riff(format_chunk(1, 16000, 1, 16), chunk(b"data", noise(16000, "a")),
                chunk(b"LIST", b"INFOISFT\x06\0\0\0hello\0"), chunk(b"data", noise(24002, "b")))


def two_hours(rate, channels, bits):
    """Silence, as a hole in the file."""
    def make(_corpus, out):
        size = 7200 * rate * channels * bits // 8
        header = riff(format_chunk(1, rate, channels, bits), b"data" + struct.pack("<I", size))
        with open(out, "wb") as file:
            file.write(header[:4] + struct.pack("<I", size + len(header) - 8) + header[8:])
            file.truncate(len(header) + size)
    return make


SAMPLES = [  # codec, sound
    ("pcm_u8", silence(0.05, 8000)), ("pcm_u8", music(1.001, 11025)),
    ("pcm_s16le", speech(2.345, 16000)), ("pcm_s16le", speech(12.9, 24000)),
    ("pcm_s16le", music(3.21, 44100)), ("pcm_s16le", music(0.05, 48000)), ("pcm_s16le", speech(1.0, 22050)),
    ("pcm_s24le", music(1.1, 96000)), ("pcm_s24le", speech(0.999, 48000)),
    ("pcm_s32le", music(0.7, 88200, 1)), ("pcm_f32le", speech(1.5, 32000)),
    ("pcm_f64le", music(1.25, 12000)),
    ("pcm_alaw", speech(3.3, 8000)), ("pcm_mulaw", speech(2.2, 8000)), ("pcm_mulaw", music(1.7, 16000)),
    ("adpcm_ima_wav", speech(2.5, 22050)), ("adpcm_ima_wav", music(2.1, 44100)),
    ("adpcm_ima_wav", speech(0.06, 8000)),
    ("adpcm_ms", speech(2.7, 22050)), ("adpcm_ms", music(1.9, 44100)),
]


def cases():
    for codec, sound in SAMPLES:
        channels = "mono" if sound.channels == 1 else "stereo"
        name = f"wav/{codec}-{sound.rate}-{channels}-{sound.seconds}.wav"
        yield Case(name, ffmpeg(sound, "-c:a", codec))

    plain = "wav/plain.wav"
    yield Case(plain, ffmpeg(speech(2.5, 16000), "-c:a pcm_s16le"))
    yield Case("wav/six-channels.wav", ffmpeg(music(0.8, 48000, 6), "-c:a pcm_s16le"))
    yield Case("wav/rf64.wav", ffmpeg(music(1.3, 44100), "-c:a pcm_s16le -rf64 always"))
    yield Case("wav/rf64-24-bit.wav", ffmpeg(speech(1.3, 48000), "-c:a pcm_s24le -rf64 always"))
    yield Case("wav/rifx.wav", written(lambda: riff(
        format_chunk(1, 22050, 1, 16, ">"), chunk(b"data", noise(44100, "rifx"), ">"), tag=b"RIFX", endian=">")))
    yield Case("wav/adpcm-small-blocks.wav", ffmpeg(speech(1.1, 16000), "-c:a adpcm_ima_wav -block_size 256"))
    yield Case("wav/mp3-inside.wav", ffmpeg(speech(2.1, 22050), "-c:a libmp3lame -b:a 64k"))
    yield Case("wav/gsm-inside.wav", ffmpeg(speech(2.1, 8000), "-c:a libgsm_ms"))
    yield Case("wav/two-hours-u8.wav", two_hours(8000, 1, 8))
    yield Case("wav/two-hours-s16.wav", two_hours(16000, 1, 16))

    # Streams: the encoder did not know how long it would become.
    yield Case("wav/piped-ffmpeg.wav", ffmpeg(speech(2.2), "-c:a pcm_s16le -f wav", piped=True))
    yield Case("wav/piped-ffmpeg-mulaw.wav", ffmpeg(speech(2.2, 8000), "-c:a pcm_mulaw -f wav", piped=True))
    yield Case("wav/piped-ffmpeg-f32.wav", ffmpeg(music(1.2), "-c:a pcm_f32le -f wav", piped=True))
    yield Case("wav/piped-ffmpeg-adpcm.wav", ffmpeg(speech(2.2), "-c:a adpcm_ima_wav -f wav", piped=True))
    yield Case("wav/piped-sox.wav", sox(speech(2.3, 16000), "-t wav", piped=True))
    yield Case("wav/piped-sox-24-bit.wav", sox(music(1.3, 48000), "-b 24 -t wav", piped=True))
    yield Case("wav/piped-rf64.wav", ffmpeg(speech(2.2), "-c:a pcm_s16le -rf64 auto -f wav", piped=True))
    yield edited("wav/sizes-all-ones.wav", plain, sizes(0xFFFFFFFF, 0xFFFFFFFF))
    yield edited("wav/sizes-zero.wav", plain, sizes(0, 0))
    yield edited("wav/data-size-zero.wav", plain, sizes(None, 0))
    yield edited("wav/data-size-2-gib.wav", plain, sizes(0x7FFFFFFF, 0x7FFFFFDB))
    yield edited("wav/riff-size-zero.wav", plain, sizes(0, None))
    yield edited("wav/riff-size-small.wav", plain, sizes(100, None))

    # Lies, and what may stand around the samples.
    yield edited("wav/claims-less.wav", plain, sizes(None, 16000))
    yield edited("wav/claims-one-byte.wav", plain, sizes(None, 1))
    yield edited("wav/claims-more.wav", plain, sizes(None, 800000))
    yield edited("wav/odd-size.wav", plain, sizes(None, 30001))
    yield edited("wav/byte-rate-lies.wav", plain, in_format(8, "<I", 1))
    yield edited("wav/block-align-lies.wav", plain, in_format(12, "<H", 200))
    yield edited("wav/adpcm-samples-per-block-lie.wav", "wav/adpcm_ima_wav-22050-mono-2.5.wav",
                 in_format(18, "<H", 5), oracle="decode")
    # ffmpeg plays only the last of them, unless it reads from a pipe, as we do.
    yield Case("wav/two-data-chunks.wav", written(two_data_chunks), oracle="piped")
    yield edited("wav/list-before-data.wav", plain,
                 before_data(chunk(b"LIST", b"INFOISFT\x05\0\0\0abcd\0\0"),
                             chunk(b"bext", noise(603, "bext"))))
    yield edited("wav/large-junk.wav", plain,
                 before_data(chunk(b"JUNK", bytes(70000)), chunk(b"PEAK", bytes(16))))
    yield edited("wav/list-after-data.wav", plain, after_data(chunk(b"LIST", b"INFOISFT\x06\0\0\0hello\0")))
    yield edited("wav/id3-after-data.wav", plain, after_data(chunk(b"id3 ", noise(1001, "id3"))))
    yield edited("wav/garbage-at-end.wav", plain, lambda wav: wav + noise(5000, "end"))
    yield edited("wav/fact-lies.wav", plain, before_data(chunk(b"fact", struct.pack("<I", 5))))
    yield joined("wav/joined.wav", plain, plain)
    yield joined("wav/joined-piped.wav", "wav/piped-ffmpeg.wav", "wav/piped-ffmpeg.wav")
    yield Case("wav/espeak.wav", lambda _corpus, out: espeak(out))


def espeak(out):
    from .recipe import run
    with open(out, "wb") as file:
        run("espeak-ng", "-v", "en", "--stdout", "Straight from the synthesizer.", stdout=file)
