"""How the files of the corpus are made: a case is a name and a recipe.

Recipes are deterministic. Encoders run with fixed inputs and `+bitexact` (no dates, no random serial
numbers), and everything random comes from a seed that is the name of the file.
"""
import random
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable, Optional

import started


@dataclass(frozen=True)
class Case:
    name: str                              # the path in the corpus
    make: Callable[[Path, Path], None]     # (corpus, file to write)
    needs: tuple = ()                      # cases that the recipe reads
    oracle: str = "packets"                # see oracle.py
    demuxer: Optional[str] = None          # for ffprobe, where it cannot know or would guess wrong
    pcm: Optional[tuple] = None            # raw samples: rate, channels, bits
    seconds: Optional[float] = None        # what is true, for the oracle "known"


def run(*command, stdout=None):
    if command[0] in started.PROGRAMS:
        done = started.run(command, stdout)
    else:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace')}")


# --- sounds: all of them are cut from two sources, or silent ------------------------------------------

SOURCES = {
    # 14 s of speech, as espeak-ng makes it: 22.05 kHz, mono.
    "speech.wav": lambda out: run(
        "espeak-ng", "-v", "en", "-s", "150", "-w", out,
        "Every call to an artificial intelligence pays in credits, exactly once. This sentence is "
        "spoken, and then it is measured by the second. One, two, three, four, five, six, seven, "
        "eight, nine, ten. Silence follows, and after the silence there is nothing more to say."),
    # 14 s of two chords over noise: 48 kHz, stereo, hard to compress.
    "music.wav": lambda out: run(
        "ffmpeg", "-v", "error", "-y", "-fflags", "+bitexact",
        "-f", "lavfi", "-i", "aevalsrc=0.3*sin(440*t*6.28)+0.2*sin(659*t*6.28)+0.1*(random(0)-0.5)"
        "|0.3*sin(220*t*6.28)+0.2*sin(3*t*t*90)+0.1*(random(1)-0.5):s=48000:d=14",
        "-c:a", "pcm_s16le", "-flags:a", "+bitexact", out),
}


@dataclass(frozen=True)
class Sound:
    source: str        # a name in SOURCES; empty: silence
    seconds: float
    rate: int
    channels: int
    video: bool = False  # the second input, a test picture

    def arguments(self, corpus):
        """For ffmpeg: what to read, and how to convert it."""
        layout = "mono" if self.channels == 1 else "stereo"
        read = (["-i", corpus / "sources" / self.source] if self.source else
                ["-f", "lavfi", "-i", f"anullsrc=r={self.rate}:cl={layout}"])
        picture = ["-f", "lavfi", "-i", f"testsrc=s=64x64:r=10:d={self.seconds}"] if self.video else []
        return ["-t", self.seconds, *read, *picture, "-ar", self.rate, "-ac", self.channels]


def speech(seconds, rate=24000, channels=1):
    return Sound("speech.wav", seconds, rate, channels)


def music(seconds, rate=44100, channels=2):
    return Sound("music.wav", seconds, rate, channels)


def silence(seconds, rate=24000, channels=1):
    return Sound("", seconds, rate, channels)


def with_video(sound):
    return replace(sound, video=True)


# --- makers: functions that return a recipe ---------------------------------------------------------------

def ffmpeg(sound, *arguments, piped=False):
    """Encodes a sound. `piped`: the muxer cannot seek back, as when a server streams."""
    arguments = [word for each in arguments for word in str(each).split()]

    def make(corpus, out):
        command = ["ffmpeg", "-v", "error", "-y", *sound.arguments(corpus),
                   "-fflags", "+bitexact", "-flags:a", "+bitexact", *arguments]
        if piped:
            with open(out, "wb") as file:
                run(*command, "pipe:1", stdout=file)
        else:
            run(*command, out)
    return make


def copy(base, *arguments, before="", piped=False):
    """Puts the packets of another file into a new container. `before` stands before the input."""
    def make(corpus, out):
        command = ["ffmpeg", "-v", "error", "-y", *before.split(), "-i", corpus / base, "-c", "copy",
                   "-fflags", "+bitexact", *" ".join(arguments).split()]
        if piped:
            with open(out, "wb") as file:
                run(*command, "pipe:1", stdout=file)
        else:
            run(*command, out)
    return make


def as_wav(sound, corpus, out):
    """For the encoders that read nothing but WAV."""
    wav = out.with_name(out.name + ".source.wav")
    run("ffmpeg", "-v", "error", "-y", *sound.arguments(corpus), "-fflags", "+bitexact", wav)
    return wav


def lame(sound, *arguments):
    def make(corpus, out):
        wav = as_wav(sound, corpus, out)
        run("lame", "--quiet", *" ".join(arguments).split(), wav, out)
        wav.unlink()
    return make


def sox(sound, *arguments, piped=False):
    def make(corpus, out):
        wav = as_wav(sound, corpus, out)
        words = " ".join(arguments).split()
        if piped:
            with open(out, "wb") as file:
                run("sox", "-R", wav, *words, "-", stdout=file)
        else:
            run("sox", "-R", wav, *words, out)
        wav.unlink()
    return make


def written(contents):
    """A file that a script writes: bytes, or a function that returns them."""
    def make(_corpus, out):
        out.write_bytes(contents() if callable(contents) else contents)
    return make


def edited(name, base, edit, **more):
    """A case that is another one's bytes after `edit(bytes)`."""
    def make(corpus, out):
        out.write_bytes(edit((corpus / base).read_bytes()))
    return Case(name, make, needs=(base,), **more)


def joined(name, *bases, between=b"", **more):
    """`cat a b > c`."""
    def make(corpus, out):
        out.write_bytes(between.join((corpus / base).read_bytes() for base in bases))
    return Case(name, make, needs=tuple(bases), **more)


def noise(count, seed, without=()):
    """Random bytes, the same on every run; `without` some values (0xFF looks like a frame sync)."""
    values = [value for value in range(256) if value not in without]
    return bytes(random.Random(seed).choices(values, k=count))
