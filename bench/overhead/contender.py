"""What every contender is, and the few things that several of them need."""
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from support.http import split_address
from support.process import Redis, free_port

HERE = Path(__file__).resolve().parent


@dataclass
class Setup:
    directory: Path
    proxy_core: int
    load_core: int
    upstream: str = ""
    organizations: int = 1

    @staticmethod
    def free_address():
        return f"127.0.0.1:{free_port()}"


def choose_cores():
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise SystemExit("the benchmark needs two cores: one for the proxy, one for everything else")
    return cores[0], cores[1]


class Contender:
    name = label = address = process = None
    redis = None  # its own Redis, if it meters
    keys = ("bench-key",)  # one per organization, if it meters
    settled_micro = None   # a method, if it meters: micro-credits settled so far, by all organizations
    answered = 0           # calls counted by the load generator
    left_open = 0          # the number that it may have left unanswered

    def start(self, setup):
        raise NotImplementedError

    def processes(self):
        return {name: each for name, each in (("proxy", self.process), ("redis", self.redis)) if each}

    def stop(self):
        for process in self.processes().values():
            process.stop(any_status=True)  # HAProxy ends with the signal's status


def pinned(core, command):
    return ["taskset", "-c", str(core), *command]


def start_redis(setup, name):
    return Redis(str(setup.directory), name, pinned(setup.load_core, []))


def is_listening(address):
    try:
        socket.create_connection(split_address(address), 1).close()
        return True
    except OSError:
        return False


def fill_template(template, target, **values):
    text = template.read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    target.write_text(text)
    return target
