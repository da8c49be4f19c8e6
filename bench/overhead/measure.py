"""One measurement: load from wrk on one core, CPU time of the proxy and of its Redis beside it."""
import json
import os
import subprocess
from pathlib import Path

from contender import HERE, pinned

CONNECTIONS = 64
TICKS = os.sysconf("SC_CLK_TCK")


def process_tree(pid):
    """A process and all it started: nginx has a worker, HAProxy none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [p for child in children for p in process_tree(int(child))]


def cpu_seconds(pid):
    """User and system time of all threads of a process and of its children."""
    total = 0
    for one in process_tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])  # utime, stime
    return total / TICKS


def stolen_seconds():
    """What a hypervisor gave to others while a core of ours had work to do, over all cores."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / TICKS


def load(contender, setup, seconds):
    done = subprocess.run(
        pinned(setup.load_core, ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency",
                                 "-s", HERE / "chat.lua",
                                 f"http://{contender.address}/v1/chat/completions"]),
        env={**os.environ, "BENCH_KEY": contender.key}, text=True, capture_output=True, check=True)
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    return json.loads(result.removeprefix("RESULT "))


def measure(contender, setup, seconds):
    pids = {"proxy": contender.process.pid}
    if contender.redis:
        pids["redis"] = contender.redis.pid
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    stolen = stolen_seconds()
    result = load(contender, setup, seconds)
    stolen = (stolen_seconds() - stolen) / result["seconds"]
    used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    if result["failed"]:
        raise SystemExit(f"{contender.name}: {result['failed']} of {result['requests']} calls failed\n"
                         f"{contender.process.log()}")
    requests = result["requests"]
    return {
        "requests": requests,
        "proxy_us": used["proxy"] / requests * 1e6,
        "redis_us": used["redis"] / requests * 1e6 if "redis" in used else None,
        "rps": requests / result["seconds"],
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        "stolen": stolen,
        "proxy_core_busy": used["proxy"] / result["seconds"],
    }
