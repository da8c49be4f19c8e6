"""ISO base media files whose container says less than there is.

They play for 12 s; TOLLGATE_CRAFTED_SECONDS=40 makes all of them longer.
"""
import os
import struct
from dataclasses import replace

import isobmff
from isobmff import Layout, Track, audio_entry, box, elst, full, mvhd, read_audio, tkhd, u32

from . import base
from .base import replaced

HUGE = 4_000_000_000
SECONDS = int(os.environ.get("TOLLGATE_CRAFTED_SECONDS", 12))
WHOLE = SECONDS * 1000  # in the ticks of a movie
LATE = SECONDS * 3 // 4  # where the rest is a quarter


def encoded(suffix, arguments, **sound):
    return base.encoded(suffix, arguments, seconds=SECONDS, **sound)


def aac():
    return read_audio(encoded(".m4a", "-c:a aac -b:a 32k"))


def track_of(arguments, suffix=".mp4", **sound):
    return read_audio(encoded(suffix, arguments, **sound))


def movie(track, **layout):
    """Like isobmff.movie, with an edit list that shows 40 s whatever the timescales are."""
    return isobmff.movie(track, **layout)


def both(name, track, **layout):
    """The index behind the samples, and in front of them."""
    for first in (False, True):
        stem, suffix = name.rsplit(".", 1)
        yield f"{stem}-{'first' if first else 'last'}.{suffix}", movie(track, moov_first=first, **layout)


def joined(track, count, ticks=None):
    """`count` access units in each sample."""
    samples = [b"".join(track.samples[at:at + count]) for at in range(0, len(track.samples), count)]
    ticks = ticks if ticks is not None else track.durations[0]
    return replace(track, samples=samples, durations=[ticks] * len(samples))


def times():
    track = aac()
    whole = [(WHOLE, track.media_time)]
    yield from both("movie-timescale.m4a", track, movie_timescale=HUGE, edits=whole)
    yield from both("movie-timescale-2e9.m4a", track, movie_timescale=2_000_000_000, edits=whole)
    second = mvhd(Layout(movie_timescale=HUGE), 1)
    yield from both("second-mvhd.m4a", track, in_moov_after=second, edits=whole)
    for scale in (HUGE, 2_000_000_000):
        yield from both(f"media-timescale-{scale}.m4a", track, media_timescale=scale)
        yield from both(f"media-timescale-{scale}-no-edits.m4a", track, media_timescale=scale, edits=[])
    for ticks in (0, 1, 2):
        for edits in ([], [(2 * ticks, 0)], [(WHOLE, 0)], [(len(track.samples) * ticks * 1000 // 16000, 0)]):
            yield from both(f"stts-{ticks}-edits-{edits[0][0] if edits else 'none'}.m4a", track,
                            stts=[(len(track.samples), ticks)], edits=edits)
    lies = [(1, 0x7FFFFFFF), (len(track.samples) - 1, 1)]
    yield from both("stts-jumps.m4a", track, stts=lies, edits=[(WHOLE, 0x7FFFFFF0)])
    zero_first = [(len(track.samples) - 1, 0), (1, 1024)]
    yield from both("stts-of-nothing.m4a", track, stts=zero_first, edits=[(1, 0)])


def edit_lists():
    track = aac()
    whole = (WHOLE, track.media_time)
    yield from both("edits-twenty-times.m4a", track, edits=[whole] * 20)
    yield from both("edits-of-a-second.m4a", replace(track, samples=track.samples[:20], durations=track.durations[:20]),
                    edits=[(1_000, 1024)] * 40)
    short = box(b"edts", elst([(100, 0)]))
    yield from both("edits-behind-the-track.m4a", track, edits=[], in_moov_after=short)
    yield from both("edits-in-udta.m4a", track, edits=[], in_moov_after=box(b"udta", elst([(100, 0)])))
    yield from both("edits-in-mdia.m4a", track, edits=[], in_mdia_after=short)
    yield from both("edits-in-stbl.m4a", track, edits=[], in_stbl_after=elst([(100, 0)]))
    yield from both("edits-twice.m4a", track, in_trak_after=short)
    yield from both("edits-at-the-end.m4a", track, edits=[(100, 0)], edits_at_end=True)
    yield from both("edits-hide-most.m4a", track, edits=[(100, 0)])
    yield from both("edits-hide-the-beginning.m4a", track, edits=[(WHOLE, LATE * 16_000)])
    yield from both("edits-behind-the-end.m4a", track, edits=[(WHOLE, 2 * SECONDS * 16_000)])
    yield from both("edits-only-silence.m4a", track, edits=[(WHOLE, -1)])
    yield from both("edits-silence-twice.m4a", track, edits=[(1_000, -1), (1_000, -1), whole])
    yield from both("edits-of-nothing.m4a", track, edits=[(0, track.media_time)])
    for codec, suffix in (("libmp3lame", ".mp4"), ("ac3", ".mp4"), ("eac3", ".mp4"), ("flac -strict -2", ".mp4"),
                          ("libopus -strict -2", ".mp4"), ("alac", ".m4a"), ("pcm_s16le", ".mov")):
        other = track_of(f"-c:a {codec}", suffix, rate=48_000 if "opus" in codec else 16_000
                         if codec not in ("ac3", "eac3") else 32_000)
        name = codec.split()[0]
        yield from both(f"edits-hide-most-{name}{suffix}", other, edits=[(100, 0)])
        yield from both(f"edits-hide-the-beginning-{name}{suffix}", other, edits=[(WHOLE, LATE * other.timescale)])


def structures():
    track = aac()
    good = movie(track)
    decoy = replace(track, samples=track.samples[:20], durations=track.durations[:20])
    moov = next(content for kind, content in isobmff.boxes(good) if kind == b"moov")
    small = isobmff.inside(movie(decoy), b"moov")
    yield "second-moov.m4a", good + box(b"moov", small)
    yield "second-moov-in-front.m4a", movie(track, before=box(b"moov", small))
    yield "moov-in-free.m4a", movie(decoy, after=box(b"free", box(b"moov", moov)))
    yield "moov-as-free.m4a", movie(decoy, after=box(b"free", moov))
    yield "moov-as-hoov.m4a", movie(decoy, after=box(b"hoov", moov))
    import zlib
    packed = zlib.compress(box(b"moov", moov))
    cmov = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", u32(len(box(b"moov", moov))), packed))
    yield "compressed-moov.mov", movie(track, in_moov_before=cmov)
    front = box(b"ftyp", b"qt  ", u32(0), b"qt  ") + box(b"mdat", b"".join(track.samples))
    yield "only-compressed-moov.mov", front + box(b"moov", cmov)
    trak = isobmff.inside(moov, b"trak")
    for name, handler in (("odd", b"odd "), ("text", b"text"), ("none", bytes(4)), ("m1a", b"m1a ")):
        yield f"handler-{name}.m4a", movie(replace(track, handler=handler))
    yield "handler-behind.m4a", movie(track, handler=b"vide", in_mdia_after=full(
        b"hdlr", 0, 0, u32(0), b"soun", bytes(13)))
    yield "handler-in-meta.m4a", movie(track, handler=b"vide", in_moov_after=box(b"meta", full(
        b"hdlr", 0, 0, u32(0), b"soun", bytes(13))))
    yield "track-in-udta.m4a", movie(decoy, in_moov_after=box(b"udta", box(b"trak", trak)))
    yield "track-in-meta.m4a", movie(decoy, in_moov_after=full(b"meta", 0, 0, full(
        b"hdlr", 0, 0, u32(0), b"mdir", bytes(13)), box(b"trak", trak)))
    yield "track-in-scanned-meta.m4a", movie(decoy, in_moov_after=box(b"meta", bytes(12), full(
        b"hdlr", 0, 0, u32(0), b"mdir", bytes(13)), box(b"trak", trak)))
    for kind in (b"wave", b"stbl", b"mdia", b"minf", b"edts", b"dinf", b"mvex", b"ilst", b"tref"):
        yield f"track-in-{kind.decode()}.m4a", movie(decoy, in_moov_after=box(kind, box(b"trak", trak)))
    for where in ("in_stbl_after", "in_mdia_after", "in_trak_after", "in_moov_after"):
        for kind, table in (("stts", full(b"stts", 0, 0, u32(1, len(track.samples), 1))),
                            ("stsz", full(b"stsz", 0, 0, u32(40, len(track.samples)))),
                            ("mdhd", full(b"mdhd", 0, 0, u32(0, 0, HUGE, 0, 0))),
                            ("stsd", full(b"stsd", 0, 0, u32(1), audio_entry(b"sowt", 2, 48_000)))):
            yield f"{kind}-{where}.m4a", movie(track, **{where: table})
    esds = isobmff.inside(track.entry[8 + 28:], b"esds")
    yield "glbl.m4a", movie(replace(track, entry=box(b"mp4a", track.entry[8:36], box(b"glbl", b"\x15\x88"),
                                                     box(b"esds", esds))))
    yield "wfex.m4a", movie(replace(track, entry=box(b"mp4a", track.entry[8:36], box(b"esds", esds), box(
        b"wfex", struct.pack("<HHIIHHH", 1, 1, 1000, 2000, 2, 16, 0)))))
    yield "two-esds.m4a", movie(replace(track, entry=box(
        b"mp4a", track.entry[8:36], box(b"esds", esds), box(b"esds", esds))))
    yield "two-descriptions.m4a", movie(track, entries=[audio_entry(b"sowt", 2, 48_000), track.entry],
                                        stsc=[(1, 20, 2)])


def chunks():
    track = aac()
    few = replace(track, samples=track.samples[:20], durations=track.durations[:20])
    many = replace(track, samples=few.samples * 30, durations=few.durations * 30)
    content = b"".join(few.samples)
    for first in (False, True):
        probe = movie(many, mdat=content, moov_first=first)
        at = probe.index(b"mdat") + 4
        yield f"chunks-repeated-{first}.m4a", movie(many, mdat=content, moov_first=first, offsets=[at] * 30)
        yield f"chunks-backwards-{first}.m4a", movie(track, moov_first=first, chunk=20, offsets=[
            offset for offset in range(at + 20_000, at, -1000)][:len(track.samples) // 20 + 1])
    yield "pcm-chunks-repeated.mov", repeated_pcm()


def pcm_movie(entry, content, stts, sizes, stsc, offsets_of, timescale=8000, **layout):
    track = Track(entry, [content], [1], timescale)
    first = movie(track, stts=stts, sizes=sizes, stsc=stsc, offsets=[0], edits=[], **layout)
    at = first.index(b"mdat") + 4
    return movie(track, stts=stts, sizes=sizes, stsc=stsc, offsets=offsets_of(at), edits=[], **layout)


def noise(count):
    return bytes((i * 7919 >> 3) & 0xFF for i in range(count))


def repeated_pcm():
    content = noise(16_000)
    return pcm_movie(audio_entry(b"sowt", 1, 8000), content, [(320_000, 1)], [2] * 320_000, [(1, 8000, 1)],
                     lambda at: [at] * 40)


def pcm():
    content = noise(640_000)
    plain = dict(stts=[(320_000, 1)], sizes=[2] * 320_000, stsc=[(1, 320_000, 1)], offsets_of=lambda at: [at])
    for bits in (40_000, 12, 0, 1, 65_535, 4):
        for format in (b"raw ", b"sowt", b"twos", b"NONE", b"lpcm", b"ipcm"):
            yield f"pcm-{format.decode().strip()}-{bits}-bits.mov", pcm_movie(
                audio_entry(format, 1, 8000, bits=bits), content, **plain)
    for fields in ((1, 2, 2, 2), (1, 1, 2000, 1), (160, 2, 2, 2), (1000, 2, 2, 2), (64, 34, 34, 2)):
        yield f"pcm-version-1-{'-'.join(map(str, fields))}.mov", pcm_movie(
            audio_entry(b"sowt", 1, 8000, version=1, version_1=fields), content, brand=b"qt  ", **plain)
    for rate in (0, 1, 65_535):
        for scale in (8000, 2_000_000_000):
            yield f"pcm-rate-{rate}-scale-{scale}.mov", pcm_movie(
                audio_entry(b"sowt", 1, rate), content, timescale=scale, **plain)
    yield "pcm-large-samples.mov", pcm_movie(audio_entry(b"sowt", 1, 8000), content, [(40, 8000)],
                                             [16_000] * 40, [(1, 40, 1)], lambda at: [at])
    yield "pcm-large-samples-few-ticks.mov", pcm_movie(audio_entry(b"sowt", 1, 8000), content, [(40, 2)],
                                                       [16_000] * 40, [(1, 40, 1)], lambda at: [at])
    edits = isobmff.movie(Track(audio_entry(b"sowt", 1, 8000), [content], [1], 8000), stts=[(2, 8000)],
                          sizes=[320_000] * 2, stsc=[(1, 2, 1)], edits=[(100, 0)])
    yield "pcm-large-samples-edits.mov", edits
    yield "pcm-sizes-of-1.mov", pcm_movie(audio_entry(b"sowt", 1, 8000), content, [(320_000, 1)],
                                          [1] * 320_000, [(1, 320_000, 1)], lambda at: [at])
    yield "pcm-many-channels.mov", pcm_movie(audio_entry(b"sowt", 65_000, 8000), content, **plain)


def packed():
    track = aac()
    for count in (2, 8, 12):
        yield from both(f"aac-{count}-a-sample.m4a", joined(track, count))
    yield "aac-8-a-sample-fragmented.mp4", isobmff.fragmented(joined(track, 8))
    stereo = track_of("-c:a aac -b:a 48k", ".m4a", channels=2)
    yield from both("aac-30-a-sample-stereo.m4a", joined(stereo, 30))
    everything = replace(track, samples=[b"".join(track.samples)], durations=[1024])
    yield from both("aac-all-in-one.m4a", everything)
    adts = encoded(".aac", "-c:a aac -b:a 32k")
    units = list(adts_frames(adts))
    yield from both("adts-in-samples.m4a", joined(replace(track, samples=units, durations=[1024] * len(units)), 8))
    slow = [bytes([unit[0], unit[1], unit[2] & 0xC3 | 11 << 2]) + unit[3:] for unit in units]
    yield from both("adts-of-8-khz-in-samples.m4a", replace(track, samples=slow, durations=[1024] * len(units)))
    for name, codec, suffix, rate in (("mp3", "libmp3lame -b:a 32k", ".mp4", 16_000), ("ac3", "ac3 -b:a 64k", ".mp4", 32_000),
                                      ("eac3", "eac3 -b:a 64k", ".mp4", 32_000), ("flac", "flac -strict -2", ".mp4", 16_000),
                                      ("opus", "libopus -b:a 16k -strict -2", ".mp4", 48_000),
                                      ("alac", "alac", ".m4a", 16_000)):
        other = track_of(f"-c:a {codec}", suffix, rate=rate)
        for count in (4, 40):
            yield from both(f"{name}-{count}-a-sample{suffix}", joined(other, count))
            yield from both(f"{name}-{count}-a-sample-1-tick{suffix}", joined(other, count, ticks=2), edits=[])
        one = replace(other, samples=[b"".join(other.samples)], durations=[other.durations[0]])
        yield from both(f"{name}-all-in-one{suffix}", one)
        junk = replace(other, samples=[b"\0" + sample for sample in other.samples])
        yield from both(f"{name}-behind-junk{suffix}", junk)
        shifted = b"".join(other.samples)
        pieces = [shifted[at:at + 100] for at in range(0, len(shifted), 100)]
        yield from both(f"{name}-cut-elsewhere{suffix}", replace(other, samples=pieces, durations=[1] * (len(pieces) - 1) + [2]))
    long = track_of("-c:a libopus -b:a 16k -frame_duration 120 -strict -2", ".mp4", rate=48_000)
    yield from both("opus-120-ms-said-to-be-2.5.mp4", replace(long, durations=[120] * len(long.samples)), edits=[])
    yield from both("opus-120-ms-edits.mp4", replace(long, durations=[120] * len(long.samples)))


def adts_frames(data):
    at = 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        yield data[at:at + size]
        at += size


def codecs():
    flac = track_of("-c:a flac -strict -2", rate=16_000)
    least = flac.entry.index(b"dfLa") + 4 + 8
    entry = flac.entry[:least] + b"\0\x10" + flac.entry[least + 2:]
    yield from both("flac-least-block-16.mp4", replace(flac, entry=entry, durations=[16] * len(flac.samples)), edits=[])
    fast = flac.entry[:least + 10] + struct.pack(">I", 655_350 << 12 | struct.unpack(
        ">I", flac.entry[least + 10:least + 14])[0] & 0xFFF) + flac.entry[least + 14:]
    yield from both("flac-rate-655350.mp4", replace(flac, entry=fast), edits=[])
    ima = track_of("-c:a adpcm_ima_qt", ".mov", rate=8000)
    data = encoded(".mov", "-c:a adpcm_ima_qt", rate=8000)
    yield "ima4-media-timescale.mov", replaced_timescale(data, 2_000_000_000)
    for codec in ("adpcm_ms", "adpcm_ima_wav", "pcm_mulaw", "pcm_s24le", "libgsm", "libspeex"):
        try:
            data = encoded(".mov", f"-c:a {codec}", rate=8000)
        except Exception:  # an encoder or a muxer that this ffmpeg has not
            continue
        yield f"{codec}-media-timescale.mov", replaced_timescale(data, 2_000_000_000)
    alac = track_of("-c:a alac", ".m4a")
    at = alac.entry.index(b"alac", 8) + 8
    for frames in (1, 16, 65_535, 1 << 20):
        yield from both(f"alac-frames-of-{frames}.m4a", replace(
            alac, entry=alac.entry[:at] + u32(frames) + alac.entry[at + 4:]), edits=[])
    yield from both("alac-rate.m4a", replace(alac, entry=alac.entry[:-4] + u32(192_000)), edits=[])
    eac3 = track_of("-c:a eac3 -b:a 64k", rate=32_000)
    yield from both("eac3-said-to-be-short.mp4", replace(eac3, durations=[2] * len(eac3.samples)), edits=[])
    aac_track = aac()
    for name, config in (("rate-96000", 2 << 11 | 0 << 7 | 1 << 3), ("rate-7350", 2 << 11 | 12 << 7 | 1 << 3),
                         ("main", 1 << 11 | 8 << 7 | 1 << 3), ("ltp", 4 << 11 | 8 << 7 | 1 << 3),
                         ("ld", 23 << 11 | 8 << 7 | 1 << 3), ("960", 2 << 11 | 8 << 7 | 1 << 3 | 4)):
        entry = replaced(aac_track.entry, b"\x14\x08", struct.pack(">H", config))
        yield from both(f"aac-{name}.m4a", replace(aac_track, entry=entry), edits=[])
    amr = amr_track()
    yield from both("amr-10-a-sample.3gp", joined(amr, 10), edits=[])
    yield from both("amr-2000-a-sample.3gp", joined(amr, 2000), edits=[])


def replaced_timescale(data, scale):
    at = data.index(b"mdhd") + 16
    return data[:at] + u32(scale) + data[at + 4:]


def amr_track(seconds=SECONDS):
    """AMR at 4.75 kbit/s, with noise for speech: frames are of one size."""
    frames = [bytes([0x04]) + noise(12) for _ in range(seconds * 50)]
    entry = audio_entry(b"samr", 1, 8000, box(b"damr", b"ffmp", b"\0\x81\xFF\0\1"))
    return Track(entry, frames, [160] * len(frames), 8000)


def fragments():
    track = aac()
    # When it comes, in a later piece, all samples of a movie without fragments have gone by.
    moof = box(b"free", bytes(200_000)) + box(b"moof", isobmff.full(b"mfhd", 0, 0, isobmff.u32(1)))
    yield "moof-behind.m4a", encoded(".m4a", "-c:a aac -b:a 32k") + moof
    yield "moof-behind-first.m4a", encoded(".m4a", "-c:a aac -b:a 32k -movflags +faststart") + moof
    yield "fragments-of-2-ticks.mp4", isobmff.fragmented(track, durations=[2] * len(track.samples))
    yield "fragments-repeated.mp4", isobmff.fragmented(replace(track, samples=track.samples[:50], durations=track.durations[:50]), repeat=20)
    yield "fragments-two-heads.mp4", isobmff.fragmented(track, tfhd_twice=True)
    yield "fragments-without-trex.mp4", isobmff.fragmented(track, trex=False)
    yield "fragments-with-edits.mp4", isobmff.fragmented(track, elst_box=box(b"edts", elst([(100, 0)])))
    yield "fragments-second-moov.mp4", isobmff.fragmented(track, after_moov=box(b"moov", mvhd(Layout(), 0)))
    yield "fragments-joined.mp4", isobmff.fragmented(track) * 2


def cases():
    for part in (times, edit_lists, structures, chunks, pcm, packed, codecs, fragments):
        yield from part()


def honest():
    track = aac()
    yield "plain.m4a", movie(track)
    yield "index-first.m4a", movie(track, moov_first=True)
    yield "fragmented.mp4", isobmff.fragmented(track)
