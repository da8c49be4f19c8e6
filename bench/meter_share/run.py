#!/usr/bin/env python3
"""What of the proxy's CPU does counting the seconds take? An MP3 of 8 MiB, downloaded over and over.

    bench/meter_share/run.py [--quick] [--kbit N]

Tollgate on one core; nginx, which serves the file, wrk, which downloads it, and Redis on another. Two
figures:

- the difference: the same download through a route that is priced per request, one that counts seconds
  at no price, and one whose hold grows with them, in turns. It has all that the one does and the other
  does not, and the noise of a machine on which three programs share two cores.
- the share: where the proxy was when it was looked at (`perf record`, a few thousand times a second):
  in audio_tap, the readers and the meters, or anywhere else, the kernel included.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "overhead"), str(HERE.parents[1] / "tests/integration")]

from contender import Setup, choose_cores, is_listening, pinned  # noqa: E402
from measure import cpu_seconds, stolen_seconds  # noqa: E402
from nginx import start_nginx  # noqa: E402
from support.tollgate import RATES, route  # noqa: E402
from tollgate import Tollgate  # noqa: E402

FILE_BYTES = 8 << 20
CONNECTIONS = 4
AIM = 0.03
LABELS = {"plain": "per request", "counted": "seconds counted, at no price",
          "metered": "per second of audio: counted, and held as it comes"}
OURS = re.compile(r"tollgate::routes::(audio_tap|meters|readers)")


class Downloads(Tollgate):
    name = "tollgate"
    changes = {
        "rates": {**RATES, "free": {"credits": 0, "per": "minute", "meter": "response_audio"},
                  "speech": {"credits": 0.01, "per": "minute", "meter": "response_audio"}},
        "routes": [route("plain", "api", {"path": "/plain"}), route("counted", "free", {"path": "/counted"}),
                   route("metered", "speech", {"path": "/metered"})],
    }


def make_file(directory, kbit):
    """Noise, so that no frame is smaller than its bit rate allows."""
    directory.mkdir()
    target = directory / "speech.mp3"
    seconds = FILE_BYTES * 8 / kbit / 1000 + 1
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"anoisesrc=d={seconds}:c=pink:r=44100:seed=1",
                    "-codec:a", "libmp3lame", "-b:a", f"{kbit}k", target], check=True)
    os.truncate(target, FILE_BYTES)
    return target


def download(proxy, setup, path, seconds):
    """CPU milliseconds of the proxy for each download."""
    before, stolen = cpu_seconds(proxy.process.pid), stolen_seconds()
    done = subprocess.run(
        pinned(setup.load_core, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "download.lua",
                                 f"http://{proxy.address}/{path}"]),
        env={**os.environ, "BENCH_KEY": proxy.keys[0]}, text=True, capture_output=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["failed"] or not result["bytes"]:
        raise SystemExit(f"{path}: {result['failed']} downloads failed\n{proxy.process.log()}")
    spent = cpu_seconds(proxy.process.pid) - before
    return {"ms": spent / (result["bytes"] / FILE_BYTES) * 1e3, "spent": spent,
            "stolen": (stolen_seconds() - stolen) / seconds}


def compare(proxy, setup, rounds, seconds):
    results = {path: [] for path in LABELS}
    for path in results:
        download(proxy, setup, path, 1)  # warm-up
    for number in range(rounds):
        for path in list(results)[number % 3:] + list(results)[:number % 3]:
            results[path].append(download(proxy, setup, path, seconds))
        print(f"  round {number + 1}/{rounds}" + "".join(
            f"  {path} {of[-1]['ms']:.3f} ms" for path, of in results.items()), file=sys.stderr, flush=True)
    return results


def look_where_it_is(proxy, setup, path, seconds):
    """Samples by place; None where perf does not work."""
    if shutil.which("perf") is None:
        return None
    data = setup.directory / f"{path}.perf"
    recording = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "3989", "-o", data,
                                  "-p", str(proxy.process.pid), "--", "sleep", str(seconds)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    result = download(proxy, setup, path, seconds + 1)
    if recording.wait() != 0:
        return None
    report = subprocess.run(["perf", "report", "-i", data, "--no-children", "--sort", "symbol", "--stdio",
                             "-F", "sample,symbol", "-g", "none"], text=True, capture_output=True)
    places = sorted(((int(found[1]), found[3].strip(), found[2] != "k") for found in
                     re.finditer(r"^ *(\d+) +\[(.)\] (.*)$", report.stdout, re.MULTILINE)), reverse=True)
    total = sum(count for count, _, _ in places)
    return {"places": places, "total": total, "ms": result["ms"],
            "user_ms": result["ms"] * sum(count for count, _, user in places if user) / total} if total else None


def run(rounds, seconds, kbit):
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        setup = Setup(directory, *choose_cores())
        make_file(directory / "files", kbit)
        setup.upstream = setup.free_address()
        upstream = start_nginx(directory, "upstream", HERE / "upstream.conf.in", setup.load_core,
                               LISTEN=setup.upstream, ROOT=directory / "files")
        stack.callback(upstream.stop)
        upstream.wait_ready(lambda: is_listening(setup.upstream))
        proxy = Downloads()
        stack.callback(proxy.stop)
        proxy.start(setup)
        places = {path: look_where_it_is(proxy, setup, path, min(rounds, 20)) for path in ("plain", "counted")}
        return compare(proxy, setup, rounds, seconds), places


def print_comparison(results, kbit):
    print("| route | proxy CPU / download | by per request | quartiles | measured over |\n|---|--:|--:|--:|--:|")
    for path, of in results.items():
        ratios = sorted(each["ms"] / base["ms"] for each, base in zip(of, results["plain"]))
        quarter = len(ratios) // 4
        print(f"| {LABELS[path]} | {median(each['ms'] for each in of):.3f} ms | {median(ratios):.3f} "
              f"| {ratios[quarter]:.3f} to {ratios[-1 - quarter]:.3f} | {sum(each['spent'] for each in of):.1f} s |")
    print(f"\nMP3 of 8 MiB, {kbit} kbit/s; medians of {len(of)} rounds, in turns.")


def print_share(plain, counted):
    """The share of the meter. Of the difference, only what is not the kernel's: how the connections
    happen to be filled makes ten times as much there."""
    total = counted["total"]
    ours = [each for each in counted["places"] if OURS.search(each[1])]
    share = sum(count for count, _, _ in ours) / total
    more = counted["user_ms"] - plain["user_ms"]
    print(f"Of {total:,} samples of the proxy that counts, {share:.2%} were in the meter "
          f"(aim: less than {AIM:.0%}):")
    for count, name, _ in ours[:6]:
        print(f"  {count / total:7.2%}  {name[:110]}")
    print("and elsewhere, most of all:")
    for count, name, _ in [each for each in counted["places"] if each not in ours][:6]:
        print(f"  {count / total:7.2%}  {name[:110]}")
    print(f"Outside the kernel, a download that is counted takes {more * 1e3:.0f} µs more than one per request "
          f"({plain['user_ms']:.3f} ms): {more / counted['ms']:.2%} of all its CPU.")
    return share


def main():
    options = argparse.ArgumentParser(description=__doc__,
                                      formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="5 rounds of 1 s instead of 30 of 2 s")
    options.add_argument("--kbit", type=int, default=128, help="bit rate of the file (128)")
    asked = options.parse_args()
    results, places = run(*(5, 1) if asked.quick else (30, 2), asked.kbit)
    print_comparison(results, asked.kbit)
    if not all(places.values()):
        print("The share is not known: perf (linux-perf) is not there, or may not be used.")
        return
    share = print_share(**places)
    if share >= AIM:
        raise SystemExit(f"the meter takes {share:.2%} of the proxy's CPU: more than {AIM:.0%}")


if __name__ == "__main__":
    main()
