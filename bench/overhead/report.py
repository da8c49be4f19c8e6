"""The tables of what was measured, question by question."""
import os
import platform
import subprocess
from pathlib import Path
from statistics import median, stdev

FIELDS = ("proxy_us", "redis_us", "rps", "p50_ms", "p99_ms", "proxy_core_busy")


def median_of(runs, field):
    values = [run[field] for run in runs if run[field] is not None]
    return median(values) if values else None


def ratio_to(runs, base, field):
    """The median of each round's ratio."""
    if not base or runs[0][field] is None or base[0][field] is None:
        return "–"
    return f"{median(a[field] / b[field] for a, b in zip(runs, base)):.2f}"


def ratio_with_error(runs, base, field):
    """The median, and the standard error of the mean: how far another run may be from this one."""
    ratios = [a[field] / b[field] for a, b in zip(runs, base)]
    error = f" ± {stdev(ratios) / len(ratios) ** 0.5:.3f}" if len(ratios) > 1 else ""
    return f"{median(ratios):.3f}{error}"


def shown(value, pattern, unit=""):
    return "–" if value is None else f"{value:{pattern}}{unit}"


def question_table(question, answers, labels):
    """Ratios are to plain nginx where it was asked, else to the first contender that has a CPU of its own."""
    base = next((runs for runs in answers.values() if runs[0]["proxy_us"] is not None), None)
    per = question.noun
    lines = [f"| {question.label} | proxy CPU / {per} | ratio | Redis CPU / {per} | {per}s/s | ratio | p50 | p99 "
             "| proxy core busy |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for name, runs in answers.items():
        row = {field: median_of(runs, field) for field in FIELDS}
        lines.append(
            f"| {labels[name]} | {shown(row['proxy_us'], '.1f', ' µs')} | {ratio_to(runs, base, 'proxy_us')} "
            f"| {shown(row['redis_us'], '.1f', ' µs')} | {row['rps']:,.0f} | {ratio_to(runs, base, 'rps')} "
            f"| {row['p50_ms']:.2f} ms | {row['p99_ms']:.2f} ms | {row['proxy_core_busy']:.0%} |")
    return "\n".join(lines)


def comparison_with_before(question, answers):
    """Of Tollgate as it is, in each question that both versions answered."""
    now, before = answers.get("tollgate"), answers.get("tollgate_before")
    if not now or not before:
        return None
    redis = f", of Redis {ratio_with_error(now, before, 'redis_us')}" if now[0]["redis_us"] else ""
    return (f"{question.label}: to the version before, CPU of the proxy {ratio_with_error(now, before, 'proxy_us')}"
            f"{redis}, p50 {ratio_with_error(now, before, 'p50_ms')}")


def version(*command):
    done = subprocess.run(command, text=True, capture_output=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def machine_facts(setup):
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "nginx": version("nginx", "-v").removeprefix("nginx version: "),
        "haproxy": " ".join(version("haproxy", "-v").split()[:3]),
        "redis": version("redis-server", "--version").split()[2].removeprefix("v="),
        "proxy_core": setup.proxy_core,
        "load_core": setup.load_core,
    }
