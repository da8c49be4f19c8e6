"""What recorders write: phones, messengers, browsers and meetings, in the layout of each."""
import struct
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import isobmff
from isobmff import Track, audio_entry, box, endless_box, full, large_box, read_audio, u32

from .recipe import Case, copy, ffmpeg, music, run, silence, sox, speech

HOURS = 2 * 3600


def encoded(corpus, sound, arguments, suffix):
    """The audio track of a file that ffmpeg makes, to be written anew in another layout."""
    with TemporaryDirectory() as directory:
        out = Path(directory) / f"out{suffix}"
        ffmpeg(sound, arguments)(corpus, out)
        return read_audio(out.read_bytes())


def repeated(track, times):
    if times == 1:
        return track
    # The last is said to be shorter than it is: in the middle that would be wrong.
    return replace(track, samples=track.samples * times, durations=track.durations[:1] * len(track.samples) * times)


def laid_out(sound, arguments, write, suffix=".m4a", times=1):
    def make(corpus, out):
        out.write_bytes(write(repeated(encoded(corpus, sound, arguments, suffix), times)))
    return make


# --- The boxes that recorders put around the audio ----------------------------------------------------------

def name_of(kind, text):
    return box(kind, struct.pack(">HH", len(text), 0x15C7), text)


def apple_metadata():
    keys = [b"com.apple.quicktime.make", b"com.apple.quicktime.creationdate"]
    return box(b"meta", full(b"hdlr", 0, 0, u32(0), b"mdta", bytes(14)),
               full(b"keys", 0, 0, u32(len(keys)), *(box(b"mdta", key) for key in keys)),
               box(b"ilst", *(box(struct.pack(">I", at + 1), box(b"data", u32(1, 0), b"Apple"))
                              for at in range(len(keys)))))


def itunes_metadata(*items):
    return box(b"udta", full(b"meta", 0, 0, full(b"hdlr", 0, 0, u32(0), b"mdir", b"appl", bytes(9)),
                             box(b"ilst", *(box(kind, box(b"data", u32(1, 0), text)) for kind, text in items)),
                             box(b"free", bytes(40))))


def voice_memo(track):
    """iOS: room in front of the samples, QuickTime's `wide`, the index last, titles behind the track."""
    return isobmff.movie(track, wide=True, movie_timescale=track.timescale, before=box(b"free", bytes(28)),
                         in_trak_after=box(b"udta", name_of(b"\xa9nam", b"Recording")),
                         in_moov_after=itunes_metadata((b"\xa9nam", b"New Recording 7"), (
                             b"\xa9too", b"com.apple.VoiceMemos (iPhone Version 17.5)")))


def iphone_video(track):
    """A picture beside the sound, metadata as a track of its own, and spatial sound that only Apple plays."""
    picture = Track(box(b"ap4h", bytes(24), struct.pack(">HH", 64, 64), bytes(50)), [b"picture" * 20] * 30, [20] * 30, 600, handler=b"vide")
    events = Track(box(b"mebx", bytes(8)), [b"event"] * 2, [300] * 2, 600, handler=b"meta")
    spatial = Track(audio_entry(b"apac", 4, 48_000), [b"apac" * 30] * 40, [1024] * 40, 48_000)
    layout = isobmff.Layout(movie_timescale=600)
    others = [isobmff.trak(each, layout, 40, number) for number, each in ((2, picture), (3, events), (4, spatial))]
    return isobmff.movie(track, brand=b"qt  ", compatible=b"qt  ", wide=True, movie_timescale=600,
                         more_tracks=others, in_moov_after=apple_metadata())


def android(brand, compatible, jitter=1):
    """MPEG4Writer: reserves room for an index in front, gives the samples a size of 64 bits, no edit list.
    The durations come from a clock."""
    def write(track):
        jittered = [each + jitter * (number % 40 == 7) for number, each in enumerate(track.durations)]
        return isobmff.movie(replace(track, durations=jittered), brand=brand, compatible=compatible,
                             before=box(b"free", bytes(3200)), mdat_box=large_box, edits=[],
                             in_moov_before=box(b"udta", box(b"\xa9xyz", b"\0\x12\x15\xc7+35.6895+139.6917/")),
                             in_moov_after=full(b"meta", 0, 0, full(b"hdlr", 0, 0, u32(0), b"mdta", bytes(13)),
                                                full(b"keys", 0, 0, u32(1), box(b"mdta", b"com.android.version")),
                                                box(b"ilst", box(u32(1), box(b"data", u32(1, 0), b"14")))))
    return write


def samsung(track):
    return isobmff.movie(track, brand=b"mp42", compatible=b"isommp42", movie_timescale=1000, edits=[],
                         after=box(b"SDLN", b"SDLN" + bytes(60)), in_moov_after=box(
                             b"udta", box(b"smrd", b"SSSAMSUNG"), box(b"vrdt", bytes(24)), box(b"AMRD", bytes(8))))


def zoom(track):
    return isobmff.movie(track, brand=b"mp42", compatible=b"mp42isom", movie_timescale=10_000_000, edits=[],
                         between=box(b"uuid", bytes(range(16)), b"Zoom recording"))


def quicktime_player(track):
    """`mdat` reaches to where the index begins; chapters and a time code are named, and are not there."""
    return isobmff.movie(track, brand=b"qt  ", compatible=b"qt  ", wide=True, movie_timescale=44_100,
                         in_trak_after=box(b"tref", box(b"chap", u32(9))), in_moov_after=box(b"udta", bytes(4)))


def index_first(track):
    return isobmff.movie(track, moov_first=True, between=box(b"free", bytes(1000)), mdat_box=endless_box,
                         in_moov_after=itunes_metadata((b"covr", bytes(30_000))))


def browser(track):
    return isobmff.fragmented(replace(track, media_time=0))


def amr(wide, seconds, frames_a_sample=1, mixed=False):
    sizes = (18, 24, 33, 37, 41, 47, 51, 59, 61) if wide else (13, 14, 16, 18, 20, 21, 27, 32)

    def write(_corpus, out):
        frames = []
        for number in range(seconds * 50):
            mode = number // 50 % len(sizes) if mixed else len(sizes) - 1
            frames.append(bytes([mode << 3 | 4]) + bytes((number * 31 + at * 7) & 0xFF for at in range(sizes[mode] - 1)))
        samples = [b"".join(frames[at:at + frames_a_sample]) for at in range(0, len(frames), frames_a_sample)]
        rate = 16_000 if wide else 8_000
        entry = audio_entry(b"sawb" if wide else b"samr", 1, rate,
                            box(b"damr", b"3GPP", b"\0\x81\xff\0", bytes([frames_a_sample])))
        track = Track(entry, samples, [rate // 50 * frames_a_sample] * len(samples), rate)
        out.write_bytes(android(b"3gp4", b"isom3gp4", jitter=seconds < HOURS)(track))
    return write


def mp4():
    aac = "-c:a aac -b:a 64k"
    for seconds in (1, 9):
        yield Case(f"recorders/iphone-voice-memo-{seconds}.m4a", laid_out(speech(seconds, 48000), aac, voice_memo),
                   oracle="decode")
        yield Case(f"recorders/iphone-voice-memo-lossless-{seconds}.m4a",
                   laid_out(speech(seconds, 48000), "-c:a alac", voice_memo), oracle="decode")
        yield Case(f"recorders/iphone-video-{seconds}.mov", laid_out(music(seconds, 44100), aac, iphone_video),
                   oracle="decode")
        yield Case(f"recorders/android-{seconds}.m4a",
                   laid_out(speech(seconds, 44100), aac, android(b"mp42", b"isommp42")), oracle="decode")
        yield Case(f"recorders/samsung-{seconds}.m4a", laid_out(speech(seconds, 44100, 2), aac, samsung),
                   oracle="decode")
        yield Case(f"recorders/zoom-{seconds}.m4a", laid_out(speech(seconds, 32000), aac, zoom), oracle="decode")
        yield Case(f"recorders/quicktime-player-{seconds}.mov",
                   laid_out(music(seconds, 44100), aac, quicktime_player, ".mov"), oracle="decode")
        yield Case(f"recorders/index-first-{seconds}.m4a", laid_out(speech(seconds, 24000), aac, index_first),
                   oracle="decode")
        yield Case(f"recorders/safari-aac-{seconds}.mp4", laid_out(speech(seconds, 48000), aac, browser),
                   oracle="decode")
        yield Case(f"recorders/safari-opus-{seconds}.mp4", laid_out(
            speech(seconds, 48000), "-c:a libopus -strict -2", browser, ".mp4"), oracle="decode")
        yield Case(f"recorders/android-amr-{seconds}.3gp", amr(False, seconds), oracle="decode")
        yield Case(f"recorders/android-amr-wide-{seconds}.3gp", amr(True, seconds), oracle="decode")
        yield Case(f"recorders/nokia-amr-10-a-sample-{seconds}.3gp", amr(False, seconds, 10), oracle="decode")
    yield Case("recorders/android-amr-mixed.3gp", amr(False, 9, mixed=True), oracle="decode")


def two_hours():
    aac = "-c:a aac -b:a 16k"
    for name, write in (("iphone-voice-memo", voice_memo), ("android", android(b"mp42", b"isommp42", jitter=0)),
                        ("safari-aac", browser)):
        yield Case(f"recorders/{name}-two-hours.m4a", laid_out(
            speech(12, 16000), aac, write, times=HOURS // 12))
    yield Case("recorders/iphone-voice-memo-lossless-two-hours.m4a", laid_out(
        silence(12, 16000), "-c:a alac", voice_memo, times=HOURS // 12), oracle="decode")
    yield Case("recorders/android-amr-two-hours.3gp", amr(False, HOURS))
    opus = "-c:a libopus -b:a 12k -application voip"
    yield Case("recorders/whatsapp-12.opus", ffmpeg(speech(12, 16000), opus, "-frame_duration 60 -f ogg"),
               oracle="decode")
    yield Case("recorders/chrome-12.webm", ffmpeg(speech(12, 48000), opus, "-f webm -live 1", piped=True),
               oracle="decode")
    hours = "ogg/two-hours.opus"
    yield Case("recorders/chrome-two-hours.webm", copy(hours, "-f webm -live 1", piped=True), needs=(hours,))


def others():
    for seconds in (1, 9):
        yield Case(f"recorders/telegram-{seconds}.ogg", ffmpeg(
            speech(seconds, 48000), "-c:a libopus -b:a 32k -f ogg"), oracle="decode")
        yield Case(f"recorders/firefox-{seconds}.ogg", ffmpeg(
            speech(seconds, 48000), "-c:a libopus -b:a 48k -f ogg", piped=True), oracle="decode")
        yield Case(f"recorders/firefox-{seconds}.webm", ffmpeg(
            speech(seconds, 48000), "-c:a libopus -f webm -live 1 -cluster_time_limit 1000", piped=True),
            oracle="decode")
        for codec in ("pcm_alaw", "pcm_mulaw", "adpcm_ima_wav", "adpcm_ms"):
            yield Case(f"recorders/phone-{codec}-{seconds}.wav", ffmpeg(speech(seconds, 8000), f"-c:a {codec}"),
                       oracle="decode")
        yield Case(f"recorders/phone-gsm-{seconds}.wav", sox(speech(seconds, 8000), "-e gsm-full-rate"),
                   oracle="decode")
    # ADPCM in QuickTime: samples of a block, as its sound description says.
    for codec in ("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"):
        for channels in (1, 2):
            yield Case(f"recorders/quicktime-{codec}-{channels}.mov", ffmpeg(
                speech(9, 22050) if channels == 1 else music(9), f"-c:a {codec}"), oracle="decode")


def cases():
    yield from mp4()
    yield from two_hours()
    yield from others()
