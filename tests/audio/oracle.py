"""How long a file is, by ffmpeg: what its demuxer and decoders yield, not what a header says.

packets  The durations of the packets that ffprobe reads, minus what a decoder is told to drop: skip
         samples (encoder delay), discard padding, and packets that an edit list leaves out. Exact and
         quick; it is the rule.
decode   The samples that ffmpeg's decoder puts out, counted. Where the packets have no exact durations:
         Matroska rounds them to milliseconds. In Ogg ffmpeg shortens the last packet and tells the
         decoder to drop the same samples again, and derives other durations from granule positions
         that a cut, a lost page or a second link of a chain leaves undetermined. A block of ADPCM that
         is cut off has no duration. (A decoder yields too little where a codec needs what is missing:
         damaged MP3s keep their packets.)
piped    The same, read from a pipe.
sox      The samples that sox puts out, where ffmpeg gives up and sox does not.
known    What went into the encoder, where ffmpeg cannot read the format at all.
"""
import statistics
import subprocess
from dataclasses import dataclass
from fractions import Fraction

import started


@dataclass(frozen=True)
class Truth:
    seconds: Fraction
    frame: Fraction      # the length of one codec frame: what a meter may be off by
    codec: str           # empty: ffmpeg finds no audio

    def as_json(self):
        return [str(self.seconds), str(self.frame), self.codec]

    @staticmethod
    def from_json(values):
        return Truth(Fraction(values[0]), Fraction(values[1]), values[2])


NOTHING = Truth(Fraction(0), Fraction(1, 10), "")


def input_arguments(case, path, how=None):
    """How ffprobe and ffmpeg are told what cannot be read from the bytes."""
    arguments = ["-f", case.demuxer] if case.demuxer else []
    if case.pcm:
        rate, channels, _ = case.pcm
        arguments += ["-ar", str(rate), "-ac", str(channels)]
    return [*arguments, "-i", "pipe:0" if how == "piped" else str(path)]


def records_of(line):
    """A line of ffprobe's compact output: its section, and its fields."""
    section, *fields = line.split("|")
    return section, dict(field.split("=", 1) for field in fields if "=" in field)


def probe(case, path):
    done = started.run(
        ["ffprobe", "-v", "quiet", "-select_streams", "a:0", "-of", "compact", "-show_entries",
         "stream=codec_name,sample_rate,time_base,bits_per_sample:packet=duration,flags"
         ":packet_side_data=skip_samples,discard_padding", *input_arguments(case, path)])
    stream, packets = None, []
    for line in done.stdout.decode().splitlines():
        section, fields = records_of(line)
        if section == "stream":
            stream = fields
        elif section == "packet":
            packets.append(fields)
    return stream, packets


def sum_of_packets(stream, packets):
    unit = Fraction(*map(int, stream["time_base"].split("/")))
    sample = Fraction(1, int(stream["sample_rate"]))
    played = [packet for packet in packets if "D" not in packet["flags"]]
    total = sum(durations(played))
    dropped = sum(int(packet.get(field, 0)) for packet in played
                  for field in ("skip_samples", "discard_padding"))
    return max(Fraction(0), total * unit - dropped * sample)


def durations(packets):
    return [int(packet["duration"]) for packet in packets if packet["duration"] != "N/A"]


SAMPLES = {"alac": 4096, "flac": 4608, "opus": 960}  # in a frame, where ffprobe does not say


def frame_length(stream, packets, path):
    """Of most packets; of linear PCM and ADPCM ffmpeg makes packets as it likes, a frame is smaller."""
    codec, rate = stream["codec_name"], int(stream["sample_rate"])
    if codec.startswith("pcm_"):
        return Fraction(1, rate)
    if codec.startswith("adpcm_"):
        return Fraction(64 if codec == "adpcm_ima_qt" else wav_samples_per_block(path), rate)
    if codec == "aac":
        return Fraction(1024, rate)
    known = durations(packets)
    if not known:
        return Fraction(SAMPLES[codec], rate)
    tick = Fraction(*map(int, stream["time_base"].split("/")))  # durations are rounded to it
    return (statistics.median_high(known) + 1) * tick


def wav_samples_per_block(path):
    """Of four bits, by the size of a block: what the file says itself may be untrue."""
    head = path.read_bytes()[:4096]
    if not head.startswith(b"RIFF"):
        return 2048  # QuickTime: about as much
    at = head.index(b"fmt ") + 8
    channels, block = (int.from_bytes(head[at + field:][:2], "little") for field in (2, 12))
    return block * 2 // channels


def decoded(case, path, stream, how):
    """Counts the samples, as 8 bits and one channel: the least to read."""
    command = ["ffmpeg", "-nostdin", "-v", "quiet", *input_arguments(case, path, how), "-map", "0:a:0",
               "-ac", "1", "-ar", stream["sample_rate"], "-f", "u8", "-"]
    samples = 0
    with open(path, "rb") as file:
        process = started.Piped(command, stdin=file)
        with process.output:
            while piece := process.output.read(1 << 20):
                samples += len(piece)
        process.wait()
    return Fraction(samples, int(stream["sample_rate"]))


def decoded_by_sox(path):
    rate = int(subprocess.run(["sox", "--i", "-r", path], capture_output=True, check=True).stdout)
    raw = subprocess.run(["sox", path, "-t", "u8", "-c", "1", "-"], capture_output=True, check=True).stdout
    return Truth(Fraction(len(raw), rate), Fraction(1, rate), "sox")


def truth_of(case, path, how=None):
    how = how or case.oracle
    if how == "known":
        return Truth(Fraction(str(case.seconds)), Fraction(1152 * 2, 32000), "known")
    if how == "sox":
        return decoded_by_sox(path)
    stream, packets = probe(case, path)
    if stream is None or not packets or stream["sample_rate"] == "0":
        return NOTHING
    seconds = sum_of_packets(stream, packets) if how == "packets" else decoded(case, path, stream, how)
    return Truth(seconds, frame_length(stream, packets, path), stream["codec_name"])
