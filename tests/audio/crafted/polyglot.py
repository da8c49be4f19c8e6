"""Files that are one format for us and another for ffmpeg, which asks all of its formats and believes the surest.

Boxes that only ffmpeg takes for MP4, with frames in them; formats that are known by what stands further on;
names by which a file is taken for something else. all_formats.py does so with every format there is.
"""
import struct

from isobmff import box

from .base import encoded

# What only ffmpeg takes for MP4 when it stands first, and what many do.
FIRST_BOXES = ("pnot udta junk pict uuid prfl moof styp sidx ediw ftyp moov mdat wide free skip PICT trak emsg "
               "mfra prft meta pdin bloc ssix").split()


def frames(kbit=320, seconds=8):
    return encoded(".mp3", f"-c:a libmp3lame -b:a {kbit}k -write_xing 0 -id3v2_version 0", seconds=seconds, rate=48000)


def adts():
    return encoded(".aac", "-c:a aac -b:a 128k -f adts", seconds=8, rate=48000, channels=2)


def packets_between(transport, mp3, length=188):
    """Packets of a transport stream as what stands in MP3 frames behind their headers."""
    out, at = bytearray(mp3), 960
    for number, place in enumerate(range(0, len(out) - length, length)):
        packet = transport[number * length:(number + 1) * length]
        if len(packet) < length:
            break
        out[place:place + length] = packet
    # Frames of 960 bytes (320 kbit/s at 48 kHz) get their headers back, where they fall into a packet.
    for place in range(0, len(out) - 4, at):
        out[place:place + 4] = mp3[place:place + 4]
    return bytes(out)


def in_first_frames(mp3, data):
    """As what stands in the frames behind their headers."""
    out = bytearray(mp3)
    out[4:4 + len(data[:40_000])] = data[:40_000]
    for place in range(0, len(out) - 4, 960):
        out[place:place + 4] = mp3[place:place + 4]
    return bytes(out)


def on_grid_of_gsm(mp3, zeros):
    """Zeros and frames, with every 33rd byte of the whole as GSM has it."""
    out = bytearray(bytes(zeros) + mp3)
    for place in range(0, 60_000, 33):
        if place >= zeros and (place - zeros) % 960 > 3:
            out[place] = 0xD0 | out[place] & 15
    return bytes(out)


def module_in(mp3):
    """A ProTracker module whose title and sample names are MP3 frames."""
    out = bytearray(mp3[:1084])
    for place in range(20, 950, 30):
        out[place + 22:place + 30] = struct.pack(">HBBHH", 16, 0, 64, 0, 8)
    out[950:952] = bytes([127, 127])
    out[952:1080] = bytes(128)
    out[1080:1084] = b"M.K."
    pattern = bytearray(1024)
    pattern[0:4] = bytes([0x01, 0xAC, 0x10, 0x00])
    pattern[4:8] = bytes([0, 0, 0x0F, 0x1F])
    whole = bytes(out) + bytes(pattern) + bytes(range(0, 32)) * 31
    mp3_at = -(-len(whole) // 960) * 960
    whole = bytearray(whole.ljust(mp3_at, b"\0"))
    for place in range(0, mp3_at, 960):
        if not 948 <= place < 1084:
            whole[place:place + 4] = mp3[place:place + 4]
    return bytes(whole) + mp3[mp3_at:]


def cases():
    mp3, aac = frames(), adts()
    hidden = mp3[:960 * 250]
    for name in FIRST_BOXES:
        real = encoded(".m4a", "-c:a aac -b:a 16k -movflags +faststart")
        yield f"mp3-in-{name}.mp4", box(name.encode(), hidden) + real
        yield f"adts-in-{name}.mp4", box(name.encode(), aac) + real
        yield f"zeros-and-mp3-in-{name}.mp4", bytes(4) + box(name.encode(), hidden) + real
        yield f"mp3-behind-{name}.mp3", box(name.encode(), bytes(40)) + hidden + real
    transport = encoded(".ts", "-c:a libopus -b:a 6k -f mpegts", rate=48000)
    yield "transport-stream-in-mp3.mp3", packets_between(transport, frames(seconds=40))
    yield "nut-in-free.mp4", box(b"free", encoded(".nut", "-c:a libopus -b:a 6k", rate=48000)) + real
    yield "amr-in-mp3.mp3", in_first_frames(frames(seconds=40), (b"\x44" + bytes(5)) * 300)
    yield "gsm-in-mp3.mp3", in_first_frames(frames(seconds=40), bytes(29) + (b"\xd0" + bytes(32)) * 100)
    yield "ac3-in-mp3.mp3", in_first_frames(frames(seconds=40), encoded(".ac3", "-c:a ac3 -b:a 64k", rate=48000))
    yield "adts-in-mp3.mp3", in_first_frames(frames(seconds=40), encoded(".aac", "-c:a aac -b:a 8k -f adts", rate=8000))
    yield "program-stream-in-mp3.mp3", in_first_frames(frames(seconds=40), encoded(".mpg", "-c:a mp2 -b:a 32k -f mpeg"))
    for name, data in [("gsm", (b"\xd0" + bytes(32)) * 60), ("amr", (b"\x44" + bytes(5)) * 330)]:
        yield f"{name}-and-mp3", data + hidden
        yield f"{name}-and-mp3.mp3", data + hidden
    for zeros in (1, 5, 16, 31, 800):
        for front in (b"", large_tag(size=900)):
            yield f"gsm-grid-from-{zeros}-zeros{'-tag' if front else ''}.mp3", front + on_grid_of_gsm(mp3, zeros)
    yield "module-in-mp3.mp3", module_in(mp3)
    yield "module-in-mp3", module_in(mp3)
    for suffix in ("g722", "g723_1", "sln", "ac3", "aac", "mp3", "wav", "m4a", "gsm"):
        for kbit in (8, 320):
            yield f"short-{kbit}.{suffix}", frames(kbit)[:kbit * 3 * 5]
        yield f"long.{suffix}", mp3[:960 * 100]
        yield f"short-adts-{suffix}.{suffix}", aac[:1000]
        yield f"wav-{suffix}.{suffix}", encoded(".wav", "-c:a pcm_s16le", seconds=2)
        yield f"large-tag.{suffix}", large_tag() + mp3[:960 * 50]
        yield f"large-tag-wav.{suffix}", large_tag() + encoded(".wav", "-c:a pcm_s16le", seconds=2)
        yield f"large-tag-hidden.{suffix}", large_tag(encoded(".ac3", "-c:a ac3 -b:a 64k", rate=48000)) + mp3[:960 * 50]


def large_tag(front=b"", size=1_200_000):
    body = front.ljust(size, b"\0")
    return b"ID3\4\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def honest():
    yield "picture-1-mb.mp3", encoded(".mp3", "-c:a libmp3lame -b:a 64k", seconds=7)[:0] + large_tag() + frames(64, 7)
    yield "picture-1-mb-xing.mp3", large_tag(b"APIC") + encoded(".mp3", "-c:a libmp3lame -b:a 64k -id3v2_version 0", seconds=7)
    yield "short.mp3", frames(64, 7)[:192 * 3]
