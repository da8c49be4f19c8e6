"""MP4, M4A, MOV and 3GP (ISO 14496-12, QuickTime)."""
import struct

from .recipe import Case, copy, edited, ffmpeg, joined, music, speech, with_video


def boxes(mp4):
    """The top-level boxes: (type, whole box)."""
    at = 0
    while at + 8 <= len(mp4):
        size = struct.unpack(">I", mp4[at:at + 4])[0] or len(mp4) - at
        yield mp4[at + 4:at + 8], mp4[at:at + size]
        at += size


def without(*types):
    return lambda mp4: b"".join(box for kind, box in boxes(mp4) if kind not in types)


def renamed(old, new):
    """A box that nobody knows any more; everything stays in its place."""
    return lambda mp4: mp4.replace(old, new, 1)


def last_box_to_the_end(mp4):
    """Size 0: the box reaches to the end of the file."""
    *others, (kind, last) = boxes(mp4)
    assert kind == b"mdat", kind
    return b"".join(box for _, box in others) + bytes(4) + last[4:]


def number_in(box, at, value):
    def edit(mp4):
        start = mp4.index(box) + 4 + at
        return mp4[:start] + struct.pack(">I", value) + mp4[start + 4:]
    return edit


def fragments(flags=""):
    return f"-movflags frag_keyframe+empty_moov{flags} -frag_duration 500000"


def codecs():
    for rate, channels in [(44100, 2), (48000, 1), (24000, 1), (16000, 1), (8000, 1), (96000, 2)]:
        sound = music(2.07, rate, 2) if channels == 2 else speech(2.07, rate)
        yield Case(f"mp4/aac-{rate}-{channels}.m4a", ffmpeg(sound, "-c:a aac"))
    yield Case("mp4/aac.mp4", ffmpeg(speech(2.4, 24000), "-c:a aac"))
    yield Case("mp4/aac.mov", ffmpeg(speech(2.4, 24000), "-c:a aac"))
    yield Case("mp4/aac.3gp", ffmpeg(speech(2.4, 16000), "-c:a aac"))
    yield Case("mp4/0.05-seconds.m4a", ffmpeg(speech(0.05, 24000), "-c:a aac"))
    yield Case("mp4/alac.m4a", ffmpeg(music(1.3), "-c:a alac"))
    yield Case("mp4/mp3.mp4", ffmpeg(music(1.3), "-c:a libmp3lame"))
    yield Case("mp4/opus.mp4", ffmpeg(speech(1.3, 48000), "-c:a libopus -strict -2"))
    yield Case("mp4/flac.mp4", ffmpeg(speech(1.3, 24000), "-c:a flac -strict -2"))
    yield Case("mp4/ac3.mp4", ffmpeg(music(1.3, 48000), "-c:a ac3"))
    for codec, sound in [("pcm_s16le", speech(1.7, 24000)), ("pcm_s16be", music(1.1)),
                         ("pcm_s24le", music(0.9, 48000)), ("pcm_f32le", speech(1.1, 16000)),
                         ("pcm_mulaw", speech(1.7, 8000)), ("pcm_u8", speech(1.2, 11025)),
                         ("adpcm_ima_qt", speech(1.7, 22050)), ("alac", speech(1.2))]:
        yield Case(f"mp4/{codec}.mov", ffmpeg(sound, "-c:a", codec))
    for name, base in [("nb", "amr/nb-mode-7.amr"), ("nb-mixed", "amr/nb-mixed.amr"),
                       ("wb", "amr/wb-mode-4.awb")]:
        yield Case(f"mp4/amr-{name}.3gp", copy(base), needs=(base,))


def layouts():
    base = "mp4/aac-24000-1.m4a"
    yield Case("mp4/faststart.m4a", ffmpeg(speech(2.6), "-c:a aac -movflags +faststart"))
    yield Case("mp4/faststart-stereo.mp4", ffmpeg(music(2.6), "-c:a aac -movflags +faststart"))
    yield edited("mp4/mdat-to-the-end.m4a", "mp4/faststart.m4a", last_box_to_the_end)
    yield edited("mp4/without-moov.m4a", base, without(b"moov"))
    yield edited("mp4/without-ftyp.m4a", "mp4/faststart.m4a", renamed(b"ftyp", b"skip"))
    yield Case("mp4/with-video.mp4", ffmpeg(with_video(music(1.5)), "-map 1:v -map 0:a -c:v mpeg4 -c:a aac"))
    yield Case("mp4/with-video-first.mov", ffmpeg(
        with_video(music(1.5)), "-map 1:v -map 0:a -c:v mjpeg -c:a pcm_s16le -movflags +faststart"))
    yield Case("mp4/two-tracks.m4a", ffmpeg(music(1.5), "-map 0:a -map 0:a -c:a aac"))
    yield Case("mp4/cut-by-edit-list.m4a", copy(base, "-ss 0.7 -f ipod"), needs=(base,))
    yield Case("mp4/cut-from-the-input.m4a", copy(base, before="-ss 0.7"), needs=(base,))
    yield Case("mp4/empty-edit.m4a", copy(base, "-output_ts_offset 0.5"), needs=(base,))
    yield Case("mp4/no-edit-list.m4a", ffmpeg(speech(2.1), "-c:a aac -use_editlist 0"))
    yield Case("mp4/timescale-of-milliseconds.mp4", ffmpeg(speech(2.1), "-c:a aac -movie_timescale 600"))
    yield joined("mp4/joined.m4a", base, base)
    yield edited("mp4/claims-less.mov", "mp4/pcm_s16le.mov", number_in(b"stsz", 8, 100))
    adts, hours = "adts/two-hours.aac", "mp4/two-hours.m4a"
    yield Case(hours, copy(adts), needs=(adts,))
    yield Case("mp4/two-hours-fragmented.mp4", copy(hours, "-movflags empty_moov -frag_duration 5000000"),
               needs=(hours,))


def lies():
    """Times that lie: ffmpeg's packets repeat them, its decoder plays what is there."""
    base, plain, pcm = "mp4/aac-24000-1.m4a", "mp4/no-edit-list.m4a", "mp4/pcm_s16le.mov"
    yield edited("mp4/timescale-lies.m4a", plain, number_in(b"mdhd", 12, 240_000), oracle="decode")
    yield edited("mp4/timescale-lies-pcm.mov", pcm, number_in(b"mdhd", 12, 240_000), oracle="decode")
    yield edited("mp4/sample-durations-lie.m4a", plain, number_in(b"stts", 12, 10), oracle="decode")
    yield edited("mp4/sample-durations-lie-upwards.m4a", plain, number_in(b"stts", 12, 102_400),
                 oracle="decode")
    yield edited("mp4/durations-in-headers-lie.m4a", base,
                 lambda mp4: number_in(b"mdhd", 16, 1)(number_in(b"mvhd", 16, 1)(mp4)))
    yield edited("mp4/fragment-durations-lie.mp4", "mp4/fragmented.mp4",
                 lambda mp4: mp4.replace(struct.pack(">I", 1024), struct.pack(">I", 1)), oracle="decode")
    yield edited("mp4/edit-list-hides-most.m4a", base, number_in(b"elst", 8, 100))


def fragmented():
    yield Case("mp4/fragmented.mp4", ffmpeg(speech(2.6), "-c:a aac", fragments()))
    yield Case("mp4/fragmented-stereo.m4a", ffmpeg(music(2.6), "-c:a aac", fragments()))
    yield Case("mp4/fragmented-piped.mp4", ffmpeg(speech(2.6), "-c:a aac", fragments(), "-f mp4", piped=True))
    yield Case("mp4/fragmented-delay-moov.mp4", ffmpeg(speech(2.6), "-c:a aac", fragments("+delay_moov")))
    yield Case("mp4/fragmented-base-moof.mp4",
               ffmpeg(speech(2.6), "-c:a aac", fragments("+default_base_moof")))
    yield Case("mp4/fragmented-sidx.mp4", ffmpeg(speech(2.6), "-c:a aac", fragments("+dash+global_sidx")))
    yield Case("mp4/fragmented-cmaf.mp4", ffmpeg(speech(2.6), "-c:a aac", fragments("+cmaf")))
    yield Case("mp4/fragmented-separate-moof.mp4", ffmpeg(
        with_video(music(1.6)), "-map 1:v -map 0:a -c:v mpeg4 -c:a aac", fragments("+separate_moof")))
    yield Case("mp4/fragmented-moov-with-samples.mp4",
               ffmpeg(speech(2.6), "-c:a aac -movflags frag_keyframe -frag_duration 500000"))
    # ffprobe gives their packets no durations.
    yield Case("mp4/fragmented-opus.mp4", ffmpeg(speech(1.6, 48000), "-c:a libopus -strict -2", fragments()),
               oracle="decode")
    yield Case("mp4/fragmented-flac.mp4", ffmpeg(speech(1.6, 24000), "-c:a flac -strict -2", fragments()),
               oracle="decode")
    yield Case("mp4/smooth-streaming.ismv", ffmpeg(speech(1.6), "-c:a aac -f ismv -frag_duration 500000"),
               oracle="decode")  # the last packet is said to be shorter than it is
    yield edited("mp4/fragments-only.m4s", "mp4/fragmented.mp4", without(b"ftyp", b"moov"))
    yield edited("mp4/first-fragment-lost.mp4", "mp4/fragmented-base-moof.mp4", first_fragment_lost)
    yield joined("mp4/fragmented-joined.mp4", *["mp4/fragmented-base-moof.mp4"] * 2)


def first_fragment_lost(mp4):
    parts = list(boxes(mp4))
    at = [kind for kind, _ in parts].index(b"moof")
    return b"".join(box for _, box in parts[:at] + parts[at + 2:])


def cases():
    yield from codecs()
    yield from layouts()
    yield from lies()
    yield from fragmented()
