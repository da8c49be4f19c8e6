"""One measurement: load on one core, CPU time of the proxy and of its Redis beside it."""
import json
import os
import subprocess
from pathlib import Path

from contender import HERE, pinned
from support.process import BUILD_DIR

TICKS = os.sysconf("SC_CLK_TCK")


def process_tree(pid):
    """A process and all it started: nginx has a worker, HAProxy none."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [p for child in children for p in process_tree(int(child))]


def cpu_seconds(pid):
    """User and system time of all threads of a process and of its children, to the nanosecond."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for one in process_tree(pid) for task in Path(f"/proc/{one}/task").iterdir()) / 1e9


def stolen_seconds():
    """What a hypervisor gave to others while a core of ours had work to do, over all cores."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / TICKS


def wrk(contender, question, seconds):
    return ["wrk", "-t1", f"-c{question.connections}", f"-d{seconds}s", "--timeout", "30s", "--latency",
            "-s", HERE / "chat.lua", f"http://{contender.address}/v1/chat/completions"]


def open_loop(contender, question, seconds):
    return [BUILD_DIR / "bench_open_loop", contender.address, str(question.rate), str(seconds),
            str(question.connections)]


def load(contender, setup, question, seconds):
    """What the load generator says: requests, seconds, p50_ms, p99_ms, failed."""
    keys = setup.directory / f"{contender.name}.keys"
    keys.write_text("".join(f"{key}\n" for key in contender.keys[:question.organizations]))
    generator = open_loop if question.rate else wrk
    done = subprocess.run(pinned(setup.load_core, generator(contender, question, seconds)),
                          env={**os.environ, "BENCH_KEYS": keys, "BENCH_ACCEPT": question.accept},
                          text=True, capture_output=True)
    if done.returncode:
        raise SystemExit(f"{question.name}, {contender.name}: {done.stdout}{done.stderr}")
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    result = json.loads(line.removeprefix("RESULT "))
    if result["failed"] or not result["requests"]:
        said = contender.process.log().splitlines()[-10:] if contender.process else []
        raise SystemExit("\n".join([f"{question.name}, {contender.name}: {result['failed']} calls failed, "
                                    f"{result['requests']} were answered", *said]))
    return result


def measure(contender, setup, question, seconds):
    pids = {name: process.pid for name, process in contender.processes().items()}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    stolen = stolen_seconds()
    result = load(contender, setup, question, seconds)
    stolen = (stolen_seconds() - stolen) / result["seconds"]
    used = {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}
    counted = result["requests"] * max(1, question.events)
    return {
        "requests": result["requests"],
        "proxy_us": used["proxy"] / counted * 1e6 if "proxy" in used else None,
        "redis_us": used["redis"] / counted * 1e6 if "redis" in used else None,
        "rps": counted / result["seconds"],
        "p50_ms": result["p50_ms"],
        "p99_ms": result["p99_ms"],
        "stolen": stolen,
        "proxy_core_busy": used.get("proxy", 0) / result["seconds"],
    }
