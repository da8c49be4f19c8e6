"""Child processes that are started, waited for and always stopped."""
import fcntl
import functools
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

BUILD_DIR = Path(os.environ.get("TOLLGATE_BUILD_DIR") or
                 Path(__file__).resolve().parents[3] / "build" / "release")
SANITIZED = bool(os.environ.get("TOLLGATE_SANITIZE"))


def raise_descriptor_limit():
    """A thousand connections need more than a thousand descriptors; the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@functools.cache
def _claims():
    return open(Path(tempfile.gettempdir()) / f"tollgate-test-ports-{os.getuid()}", "ab")


_claimed = set()


def _claim(port):
    """True if the port now belongs to this process, for its lifetime. It is bound some time later, and a restarted
    Tollgate needs it again; other tests run at the same time."""
    if port in _claimed:
        return False
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _claimed.add(port)
    return True


def free_port():
    """A port below the range from which the kernel takes ports for outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        if not _claim(port):
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, what, timeout=30.0, every=0.05):
    """Calls `condition` until it returns a true value, and returns that.

    It fails if a call that began after the timeout returns false: a slow call alone is not a failure.
    """
    deadline = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        answer = condition()
        if answer:
            return answer
        if asked > deadline:
            raise TimeoutError(f"waited {timeout} s in vain: {what}")
        time.sleep(every)


def keep_clear_of(turn, seconds):
    """Waits for the next "hour" or "day" (UTC) if it is that near, so that the following steps are within one."""
    length = {"hour": 3_600, "day": 86_400}[turn]
    left = length - time.time() % length
    if left < seconds:
        time.sleep(left + 0.1)


class Process:
    """A program whose output goes to a file."""

    def __init__(self, name, command, directory, env=None):
        self.name = name
        self.log_path = Path(directory) / f"{name}.log"
        self._log = open(self.log_path, "ab")
        self._killed = self._any_status = False
        self.popen = subprocess.Popen([str(part) for part in command], cwd=directory,
                                      stdin=subprocess.DEVNULL, stdout=self._log,
                                      stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_ready(self, condition, timeout=60.0):
        def ready_or_dead():
            if not self.running():
                raise RuntimeError(f"{self.name} exited with {self.popen.returncode}")
            return condition()
        try:
            return wait_until(ready_or_dead, f"{self.name} to become ready", timeout)
        except (RuntimeError, TimeoutError) as error:  # the caller never gets it, so it would not be stopped
            if self.running():
                self.kill()
            self._log.close()
            raise type(error)(f"{error}\n{self.log()}") from None

    def kill(self):
        """Like a crash: nothing is finished, and nothing is logged."""
        self._killed = True
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    def stop(self, timeout=90.0, any_status=False):
        """Sends SIGTERM. A program that has died, does not react, or ends with an error fails the test."""
        if self.running():
            self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM:\n{self.log()}") from None
        finally:
            self._log.close()
        self._any_status = self._any_status or any_status  # also if it is stopped again
        if self.popen.returncode != 0 and not (self._killed or self._any_status):
            raise AssertionError(f"{self.name}: exit status {self.popen.returncode}\n{self.log()}")

    def peak_memory_kib(self):
        """The largest resident memory that this process has had."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        raise RuntimeError(f"no VmHWM of {self.name}")


def _clock_library(directory):
    library = Path(directory) / "shifted_clock.so"
    if not library.exists():
        source = Path(__file__).with_name("shifted_clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


class MovableClock:
    """The clock of a command run with `run_with` can be changed by `move` while it runs."""

    def __init__(self, directory, name):
        self._file = Path(directory) / f"{name}.clock"
        self.move()
        self.run_with = ["env", f"LD_PRELOAD={_clock_library(directory)}", f"SHIFTED_CLOCK_FILE={self._file}",
                         f"SHIFTED_CLOCK_MS={os.environ.get('SHIFTED_CLOCK_MS') or 0}"]

    def move(self, **ahead):
        """Sets the clock ahead by this much, as for `timedelta`."""
        self.ahead = timedelta(**ahead)
        with open(self._file, "r+b" if self._file.exists() else "w+b") as file:  # the same file: it is mapped
            file.write(struct.pack("=q", round(self.ahead.total_seconds() * 1000)))

    def now(self):
        return datetime.now(timezone.utc) + self.ahead


def shifted_clock(directory, to):
    """What a command is run with (`run_with`) so that its clock says `to`, a datetime, now, and goes on."""
    library = _clock_library(directory)
    shift_ms = round((to.timestamp() - time.time()) * 1000)
    shift_ms += int(os.environ.get("SHIFTED_CLOCK_MS") or 0)  # of the clock that was just read
    return ["env", f"LD_PRELOAD={library}", f"SHIFTED_CLOCK_MS={shift_ms}"]


class Redis(Process):
    """A private Redis on a unix socket. `persistent`: another of the same name has its data again. `always`: it also
    acknowledges only what is on disk."""

    def __init__(self, directory, name="redis", run_with=(), persistent=False, always=False, options=(), wait=True):
        self.socket_path = str(Path(directory) / f"{name}.sock")
        # The path of a unix socket has at most 107 characters.
        if len(self.socket_path) > 100:
            raise ValueError(f"too long for a unix socket: {self.socket_path}")
        # With a clock that is behind, jemalloc's thread would not sleep between its rounds, but use a whole processor.
        thread = ["--jemalloc-bg-thread", "no"] if run_with else []
        super().__init__(name, [*run_with, "redis-server", *thread, "--port", "0",
                                "--unixsocket", self.socket_path, "--save", "",
                                "--appendonly", "yes" if persistent else "no",
                                "--appendfsync", "always" if always else "everysec",
                                "--appenddirname", name, "--dir", directory, *options], directory)
        if wait:
            self.wait_ready(self.is_ready)

    def is_ready(self):
        try:
            return self.command("PING") == b"PONG"
        except OSError:  # no socket yet, or the one of a killed predecessor
            return False

    @property
    def url(self):
        return f"unix://{self.socket_path}"

    def connect(self, timeout=5):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(self.socket_path)
        except OSError:
            connection.close()
            raise
        return connection

    def command(self, *arguments, timeout=5, over=None):
        """One command, one reply: simple strings, integers and bulk strings are enough here. `over` an open connection
        or one of its own."""
        connection = over or self.connect(timeout)
        try:
            encoded = [str(a).encode() for a in arguments]
            connection.sendall(b"*%d\r\n" % len(encoded) +
                               b"".join(b"$%d\r\n%s\r\n" % (len(a), a) for a in encoded))
            with connection.makefile("rb") as reply:
                return self._read_reply(reply)
        finally:
            if over is None:
                connection.close()

    def _read_reply(self, reply):
        line = reply.readline().rstrip(b"\r\n")
        if line[:1] == b"$" and line != b"$-1":
            return reply.read(int(line[1:]) + 2)[:-2]
        if line[:1] == b"*" and line != b"*-1":
            return [self._read_reply(reply) for _ in range(int(line[1:]))]
        return int(line[1:]) if line[:1] == b":" else line[1:]
