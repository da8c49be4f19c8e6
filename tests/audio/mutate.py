#!/usr/bin/env python3
"""Changes every field of every container, one and two at a time, and looks for audio that costs less than it should.

    mutate.py [--seconds N] [--seed S] [--only KIND] [--without KIND] [--meter PROGRAM] [--keep DIRECTORY] [--thorough]
              [--patience SECONDS]

Judged by the samples that ffmpeg decodes of the changed file: never more than a second beyond what is
charged. What is refused costs nobody anything. Files that break the rule are kept in DIRECTORY, the exit
status is then 1. The same seed makes the same files in the same order; without one, it is another on every
run, and is printed.

Most files whose charge has not become smaller are as cheap for the caller as before: of these only some are
given to ffmpeg, unless --thorough.
"""
import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import fields
from crafted.base import encoded
from heard import BUILD_DIR, PATIENCE, heard_seconds

SKIPPED = 77
TOLERANCE = 1      # second
AT_ONCE = 40       # files in a batch
SAMPLED = 0.2      # of what did not become cheaper


@dataclass
class Seed:
    name: str        # with the suffix
    data: bytes
    layout: fields.Layout
    charged: Fraction = Fraction(0)


SECONDS = 6
RECIPES = [  # suffix, what makes it, rate, where its fields stand
    (".wav", "-c:a pcm_s16le", 16000, "wav"), (".wav", "-c:a pcm_u8", 8000, "wav"),
    (".wav", "-c:a adpcm_ima_wav", 16000, "wav"), (".wav", "-c:a adpcm_ms", 16000, "wav"),
    (".wav", "-c:a libgsm_ms", 8000, "wav"), (".wav", "-c:a pcm_s24le -rf64 always", 16000, "wav"),
    (".wav", "-c:a libmp3lame -b:a 16k", 16000, "wav"), (".wav", "-c:a pcm_alaw", 8000, "wav"),
    (".aiff", "-c:a pcm_s16be", 16000, "aiff"), (".aiff", "-c:a pcm_alaw", 8000, "aiff"),
    (".ogg", "-c:a libopus -b:a 12k", 48000, "ogg"), (".ogg", "-c:a libvorbis -b:a 32k", 16000, "ogg"),
    (".ogg", "-c:a libspeex", 8000, "ogg"), (".ogg", "-c:a flac", 16000, "ogg"),
    (".flac", "-c:a flac", 16000, "flac"),
    (".mp3", "-c:a libmp3lame -b:a 32k", 16000, "mp3"), (".mp3", "-c:a libmp3lame -b:a 320k", 48000, "mp3"),
    (".mp2", "-c:a mp2 -b:a 64k", 48000, "mp3"), (".aac", "-c:a aac -b:a 32k -f adts", 16000, "adts"),
    (".webm", "-c:a libopus -b:a 12k", 48000, "matroska"), (".webm", "-c:a libvorbis", 16000, "matroska"),
    (".mka", "-c:a aac -b:a 32k", 16000, "matroska"), (".mka", "-c:a libmp3lame -b:a 32k", 16000, "matroska"),
    (".mka", "-c:a flac", 16000, "matroska"), (".mka", "-c:a pcm_s16le", 16000, "matroska"),
    (".mka", "-c:a ac3 -b:a 64k", 48000, "matroska"), (".mka", "-c:a alac", 16000, "matroska"),
    (".m4a", "-c:a aac -b:a 32k", 16000, "mp4"), (".m4a", "-c:a aac -b:a 32k -movflags +faststart", 16000, "mp4"),
    (".m4a", "-c:a alac -movflags +faststart", 16000, "mp4"),
    (".mp4", "-c:a libopus -b:a 12k -movflags +faststart", 48000, "mp4"),
    (".mp4", "-c:a libmp3lame -b:a 32k -movflags +faststart", 16000, "mp4"),
    (".mp4", "-c:a flac -strict -2 -movflags +faststart", 16000, "mp4"),
    (".mp4", "-c:a aac -b:a 32k -movflags +frag_keyframe+empty_moov", 16000, "mp4"),
    (".mp4", "-c:a ac3 -b:a 64k -movflags +faststart", 48000, "mp4"),
    (".mpg", "-c:a mp2 -b:a 64k -f mpeg", 48000, "program"), (".mpg", "-c:a libmp3lame -b:a 64k -f vob", 44100, "program"),
    (".mov", "-c:a pcm_s16le -movflags +faststart", 16000, "mp4"),
    (".mov", "-c:a adpcm_ima_qt -movflags +faststart", 16000, "mp4"),
]
LAYOUTS = {"wav": lambda data: fields.chunks(data, "little"), "aiff": lambda data: fields.chunks(data, "big"),
           "ogg": fields.ogg, "flac": fields.start(120), "mp3": fields.frames(b"\xff"), "adts": fields.frames(b"\xff\xf1"),
           "program": fields.packets, "matroska": fields.elements, "mp4": fields.boxes, "amr": fields.start(64)}


def amr(name, magic, byte, size):
    return Seed(name, magic + (bytes([byte]) + bytes(range(size - 1))) * (50 * SECONDS), LAYOUTS["amr"](bytes(64)))


def seeds(only, without):
    for number, (suffix, arguments, rate, kind) in enumerate(RECIPES):
        if (only and only != kind) or kind == without:
            continue
        data = encoded(suffix, arguments, seconds=SECONDS, rate=rate)
        name = f"{kind}-{number}-{re.sub('[^a-z0-9]+', '-', arguments[5:25])}{suffix}"
        yield Seed(name, data, LAYOUTS[kind](data))
    if only in ("", "amr"):
        yield amr("narrow.amr", b"#!AMR\n", 0x3C, 32)
        yield amr("wide.amr", b"#!AMR-WB\n", 0x44, 61)


# --- changes ----------------------------------------------------------------------------------------------

def values(dice, old):
    """What a field of some bytes may become: extremes, neighbours, other orders, single bits, anything."""
    size = len(old)
    if size == 0:  # an earlier change cut it off
        return old
    number, top = int.from_bytes(old, "big"), (1 << 8 * size) - 1
    near = [number + 1, number - 1, number * 2, number // 2, number * 10, number // 10, number ^ 1 << dice.randrange(8 * size)]
    far = [0, 1, 2, 3, 4, 7, 8, 16, 127, 255, top, top >> 1, (top >> 1) + 1, 1 << dice.randrange(8 * size), number ^ top,
           dice.randrange(top + 1), dice.randrange(min(top, 1000) + 1)]
    picked = dice.choice([near, far])
    value = dice.choice(picked) & top
    new = value.to_bytes(size, "big")
    return new[::-1] if dice.random() < 0.3 else new


def change_field(dice, data, layout):
    begin, end = dice.choice(layout.fields)
    return data[:begin] + values(dice, data[begin:end]) + data[end:]


def copy_field(dice, data, layout):
    """One field's bytes in another of its size: a tag where another stood."""
    begin, end = dice.choice(layout.fields)
    alike = [each for each in layout.fields if each[1] - each[0] == end - begin]
    first, last = dice.choice(alike)
    return data[:begin] + data[first:last] + data[end:]


def leave_out(dice, data, layout):
    begin, end = dice.choice(layout.parts)
    return data[:begin] + data[end:]


def double(dice, data, layout):
    begin, end = dice.choice(layout.parts)
    return data[:end] + data[begin:end] + data[end:]


def move(dice, data, layout):
    begin, end = dice.choice(layout.parts)
    to = dice.choice([at for part in layout.parts for at in part])
    if begin <= to <= end:
        return data[:begin] + data[end:]
    without = data[:begin] + data[end:]
    to -= end - begin if to > begin else 0
    return without[:to] + data[begin:end] + without[to:]


def insert(dice, data, layout):
    at = dice.choice([at for part in layout.parts for at in part])
    begin, end = dice.choice(layout.parts)
    return data[:at] + data[begin:end] + data[at:]


def cut(dice, data, layout):
    at = dice.choice([at for field in layout.fields for at in field])
    return data[:at] + data[at + dice.choice([1, 2, 4, 8]):]


def change(dice, seed):
    ways = [(change_field, 12), (copy_field, 2), (cut, 1)]
    if seed.layout.parts:
        ways += [(leave_out, 1), (double, 1), (move, 1), (insert, 1)]
    weighted = [way for way, weight in ways for _ in range(weight)]
    data, names = seed.data, []
    for _ in range(dice.choice([1, 1, 1, 2, 2, 3])):
        way = dice.choice(weighted)
        data = way(dice, data, seed.layout)
        names.append(way.__name__)
    return seed.layout.mend(data), "+".join(names)


# --- judging ----------------------------------------------------------------------------------------------

def charged(meter, paths):
    """Seconds, or None for what is refused."""
    done = subprocess.run(meter, input="".join(f"{path}\n" for path in paths), text=True, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, meter))}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    words = [line.split()[0] for line in done.stdout.splitlines()]
    return [None if word == "refused" else Fraction(int(word), 1_000_000) for word in words]


class Run:
    def __init__(self, options, directory):
        self.options, self.directory, self.dice = options, directory, random.Random(options.seed)
        self.made = self.judged = self.refused = self.number = 0
        self.found = []

    def batch(self, all_seeds):
        paths = []
        for _ in range(AT_ONCE):
            seed = self.dice.choice(all_seeds)
            data, how = change(self.dice, seed)
            path = self.directory / f"{self.number:06}-{how}-{seed.name}"
            self.number += 1
            path.write_bytes(data)
            paths.append((path, seed))
        costs = charged(self.options.meter, [path for path, _ in paths])
        self.made += len(paths)
        self.refused += sum(cost is None for cost in costs)
        worth = [(path, cost) for (path, seed), cost in zip(paths, costs) if cost is not None and
                 (self.options.thorough or cost < seed.charged - TOLERANCE or self.dice.random() < SAMPLED)]
        with ThreadPoolExecutor(2) as pool:
            for (path, cost), heard in zip(worth, pool.map(self.heard, worth)):
                self.judge(path, cost, heard)
        for path, _ in paths:
            path.unlink()

    def heard(self, file):
        path, _ = file
        return heard_seconds(path, self.options.patience)

    def judge(self, path, cost, heard):
        self.judged += 1
        if heard <= cost + TOLERANCE:
            return
        self.found.append(path.name)
        self.options.keep.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.options.keep / path.name)
        print(f"{path.name}: heard {float(heard):.3f} s, charged {float(cost):.3f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--files", type=int, default=0, help="so many, however long it takes")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", default="", help="wav, aiff, ogg, flac, mp3, adts, program, matroska, mp4, amr")
    parser.add_argument("--without", default="", help="likewise")
    parser.add_argument("--meter", type=lambda text: text.split(), default=[str(BUILD_DIR / "tests/audio/meter_files")])
    parser.add_argument("--keep", type=Path, default=BUILD_DIR / "audio-mutants")
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds that ffmpeg may take for a file")
    parser.add_argument("--thorough", action="store_true", help="ffmpeg judges every file that is not refused")
    options = parser.parse_args()
    if not shutil.which("ffmpeg"):
        print("skipped: no ffmpeg here (deploy/install-packages.sh audio)")
        return SKIPPED
    # Before anything else: a run that is broken off can be repeated, too.
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        run = Run(options, Path(directory))
        all_seeds = list(seeds(options.only, options.without))
        for seed in all_seeds:
            path = Path(directory) / seed.name
            path.write_bytes(seed.data)
            seed.charged = charged(options.meter, [path])[0] or Fraction(0)
        end = time.monotonic() + options.seconds
        while run.made < options.files if options.files else time.monotonic() < end:
            run.batch(all_seeds)
    print(f"{len(all_seeds)} files changed in {run.made} ways: {run.refused} refused, {run.judged} judged by ffmpeg, "
          f"{len(run.found)} under by more than {TOLERANCE} s (seed {options.seed})")
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())
