"""Raw samples: nothing in the bytes says what they are, so the meter is told.

ffprobe counts their time in units of 1/44100 s, whatever the rate: the oracle counts samples.
"""
from .recipe import Case, edited, ffmpeg, music, speech


def case(name, sound, codec, muxer, bits):
    return Case(f"pcm/{name}.pcm", ffmpeg(sound, "-c:a", codec, "-f", muxer), demuxer=muxer,
                oracle="decode", pcm=(sound.rate, sound.channels, bits))


def cases():
    openai = case("s16-24000-mono", speech(3.3, 24000), "pcm_s16le", "s16le", 16)
    yield openai
    yield case("s16-44100-stereo", music(1.01, 44100), "pcm_s16le", "s16le", 16)
    yield case("u8-8000-mono", speech(2.2, 8000), "pcm_u8", "u8", 8)
    yield case("s24-96000-stereo", music(0.4, 96000), "pcm_s24le", "s24le", 24)
    yield case("f32-16000-mono", speech(0.05, 16000), "pcm_f32le", "f32le", 32)
    yield edited("pcm/half-a-sample.pcm", openai.name, lambda pcm: pcm[:-1], demuxer="s16le", oracle="decode",
                 pcm=openai.pcm)
    # An answer that happens to begin like a WAV file is still what the caller asked for.
    yield edited("pcm/begins-like-wav.pcm", openai.name, lambda pcm: b"RIFF\0\0\0\0WAVE" + pcm,
                 demuxer="s16le", oracle="decode", pcm=openai.pcm)
