"""What every contender is, and the few things that several of them need."""
import socket
from pathlib import Path

from support.http import split_address
from support.process import Redis

HERE = Path(__file__).resolve().parent


class Contender:
    name = label = address = process = None
    redis = None  # its own Redis, when it meters
    key = "bench-key"
    settled_micro = None  # a method, when it meters: micro-credits settled so far

    def start(self, setup):
        raise NotImplementedError

    def stop(self):
        for process in (self.process, self.redis):
            if process:
                process.stop(any_status=True)  # HAProxy ends by the signal itself


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
