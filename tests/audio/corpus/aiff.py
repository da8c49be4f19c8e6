"""AIFF and AIFC."""
import struct

from .recipe import Case, edited, ffmpeg, joined, music, noise, silence, sox, speech, written


def chunk(tag, body):
    return tag + struct.pack(">I", len(body)) + body + b"\0" * (len(body) % 2)


def odd_rate():
    """The sampling rate of the first Macintosh, 22254.5454 Hz, as an 80-bit float."""
    common = struct.pack(">hIh", 1, 22254, 8) + bytes.fromhex("400DADDD1745D1745D17")
    sound = struct.pack(">II", 0, 0) + noise(22254, "mac")
    body = b"AIFF" + chunk(b"COMM", common) + chunk(b"NAME", b"odd") + chunk(b"SSND", sound)
    return b"FORM" + struct.pack(">I", len(body)) + body


def number_in_chunk(tag, at, value):
    """A 32-bit number in the body of a chunk, replaced; -4 is the size of the chunk."""
    def edit(aiff):
        start = aiff.index(tag) + 8 + at
        return aiff[:start] + struct.pack(">I", value) + aiff[start + 4:]
    return edit


def ssnd_offset(aiff):
    at = aiff.index(b"SSND")
    size = struct.unpack(">I", aiff[at + 4:at + 8])[0] + 100
    return aiff[:at + 4] + struct.pack(">III", size, 100, 0) + bytes(100) + aiff[at + 16:]


def cases():
    plain = "aiff/plain.aiff"
    yield Case(plain, ffmpeg(speech(2.5, 16000), "-c:a pcm_s16be"))
    for codec, sound in [("pcm_s16be", music(1.21, 44100)), ("pcm_s24be", music(0.9, 96000)),
                         ("pcm_s32be", speech(0.05, 48000)), ("pcm_s8", speech(2.0, 11025)),
                         ("pcm_f32be", speech(1.1, 32000)), ("pcm_f64be", music(0.7, 22050)),
                         ("pcm_alaw", speech(1.3, 8000)), ("pcm_mulaw", speech(1.4, 8000)),
                         ("pcm_s16le", speech(1.5, 24000)), ("adpcm_ima_qt", speech(1.6, 22050)),
                         ("adpcm_ima_qt", music(1.6, 44100))]:
        yield Case(f"aiff/{codec}-{sound.rate}-{sound.channels}.aiff",
                   ffmpeg(sound, "-c:a", codec, "-f aiff"))
    yield Case("aiff/sox.aiff", sox(speech(1.9, 16000), "-t aiff"))
    yield Case("aiff/sox-aifc.aifc", sox(music(1.9, 22050), "-t aifc"))
    yield Case("aiff/sox-piped.aiff", sox(silence(1.9, 16000), "-t aiff", piped=True))
    # Encoders that could not seek back leave sizes of 0: ffmpeg gives up, sox plays.
    yield Case("aiff/ffmpeg-piped.aiff", ffmpeg(speech(1.7, 16000), "-f aiff", piped=True), oracle="sox")
    yield Case("aiff/odd-rate.aiff", written(odd_rate))
    yield edited("aiff/ssnd-offset.aiff", plain, ssnd_offset)
    yield edited("aiff/claims-fewer-frames.aiff", plain, number_in_chunk(b"COMM", 2, 100))
    yield edited("aiff/claims-more-frames.aiff", plain, number_in_chunk(b"COMM", 2, 10_000_000))
    yield edited("aiff/data-size-zero.aiff", plain, number_in_chunk(b"SSND", -4, 0), oracle="sox")
    yield edited("aiff/data-size-huge.aiff", plain, number_in_chunk(b"SSND", -4, 0x7FFFFFFF))
    yield edited("aiff/form-size-zero.aiff", plain, lambda aiff: aiff[:4] + bytes(4) + aiff[8:], oracle="sox")
    yield joined("aiff/joined.aiff", plain, plain)
