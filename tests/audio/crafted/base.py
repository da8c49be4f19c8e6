"""What crafted files are made of: real audio, encoded once a run and kept in memory."""
import functools
import tempfile
from pathlib import Path

from corpus.recipe import run

SECONDS = 40


@functools.lru_cache(maxsize=None)
def encoded(suffix, arguments, seconds=SECONDS, rate=16000, channels=1, before=""):
    """A noisy tone, by ffmpeg: encoded(".m4a", "-c:a aac -b:a 32k"). Not silence: nothing is left out."""
    sound = f"aevalsrc=0.2*sin(440*t*6.28)+0.05*(random(0)-0.5):s={rate}:d={seconds}"
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / f"out{suffix}"
        run("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", sound, "-ac", channels,
            *before.split(), "-fflags", "+bitexact", "-flags:a", "+bitexact", *arguments.split(), out)
        return out.read_bytes()


def replaced(data, old, new, count=1):
    """Like bytes.replace, but the old must be there: a recipe that changes nothing is a mistake."""
    assert old in data, old
    return data.replace(old, new, count)
