"""What an upstream hears of a file, and what Tollgate would charge for it.

Heard: the samples that come out of the command by which whisper reads every file, counted. Nothing that
a container says of itself is believed on the way.
"""
import hashlib
import json
import os
import shlex
import subprocess
import threading
from fractions import Fraction
from pathlib import Path

import started

BUILD_DIR = Path(os.environ.get("TOLLGATE_BUILD_DIR", Path(__file__).resolve().parents[2] / "build/release"))
RATE = 16_000
MOST_SECONDS = 8 * 3600  # of output; what is longer counts as this
PATIENCE = 300           # seconds of ffmpeg's time for a file


def heard_seconds(path, patience=PATIENCE):
    """Decoded by `ffmpeg -nostdin -i FILE -f s16le -ac 1 -acodec pcm_s16le -ar 16000 -`; 0 for no audio."""
    command = ["ffmpeg", "-nostdin", "-threads", "1", "-v", "quiet", "-i", path,
               "-f", "s16le", "-ac", "1", "-acodec", "pcm_s16le", "-ar", RATE, "-"]
    size = 0
    process = started.Piped(command)
    impatience = threading.Timer(patience, process.kill)
    impatience.start()
    try:
        while piece := process.output.read(1 << 20):
            size += len(piece)
            if size > MOST_SECONDS * RATE * 2:
                process.kill()
                break
    finally:
        impatience.cancel()
        process.output.close()
        process.wait()
    return Fraction(size, 2 * RATE)


def charged_seconds(paths, meter=None):
    """By path: the seconds that `tollgate meter` counts, or None where it refuses the file."""
    meter = shlex.split(meter) if meter else [str(BUILD_DIR / "tollgate"), "meter"]
    paths, charged = [str(path) for path in paths], {}
    for at in range(0, len(paths), 200):  # a command line has an end
        done = subprocess.run([*meter, "--json", *paths[at:at + 200]], text=True, capture_output=True,
                              cwd=BUILD_DIR)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{' '.join(meter)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
        for line in done.stdout.splitlines():
            answer = json.loads(line, parse_float=Fraction)
            charged[answer["file"]] = None if "error" in answer else Fraction(answer["seconds"])
    return charged


class HeardCache:
    """heard_seconds by the content of a file (and its suffix, which ffmpeg looks at), kept on disk."""

    def __init__(self, file):
        self.file = Path(file)
        self.known = json.loads(self.file.read_text()) if self.file.exists() else {}

    def seconds(self, path):
        path = Path(path)
        key = hashlib.sha256(path.read_bytes()).hexdigest() + path.suffix
        if key not in self.known:
            self.known[key] = str(heard_seconds(path))
        return Fraction(self.known[key])

    def save(self):
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self.known, indent=0))
        unfinished.replace(self.file)
