"""ffmpeg and ffprobe, started once and run many times: to load their libraries takes longer than to read most files.

What runs is Debian's program, forked before its main() (fork_server.c). As many are kept started as are run at once.
"""
import array
import atexit
import contextlib
import functools
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("ffmpeg", "ffprobe")
CANNOT_START = 126  # fork_server.c
_lock = threading.Lock()
_idle = {program: [] for program in PROGRAMS}


@functools.cache
def _library():
    directory = tempfile.TemporaryDirectory(prefix="tollgate-fork-server-")  # as long as this is remembered
    library = Path(directory.name) / "fork_server.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, Path(__file__).with_name("fork_server.c")],
                   check=True)
    return library, directory


class _Server:
    """One started program: a run at a time."""

    def __init__(self, program):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        library, _ = _library()
        self.process = subprocess.Popen(
            [program], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
            env={**os.environ, "LD_PRELOAD": str(library), "LD_BIND_NOW": "1", "FORK_SERVER": str(theirs.fileno())})
        theirs.close()

    def begin(self, command, streams):
        words = b"".join(os.fsencode(word) + b"\0" for word in (os.getcwd(), *command))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", streams))]
        self.socket.sendmsg([struct.pack("=I", len(words))], rights)
        self.socket.send(words)
        return self.receive()

    def receive(self):
        answer = self.socket.recv(4)
        if len(answer) != 4:
            raise RuntimeError(f"{self.process.args[0]} has ended with {self.process.wait()}")
        return struct.unpack("=i", answer)[0]


@atexit.register
def _end():
    for servers in _idle.values():
        while servers:
            server = servers.pop()
            server.socket.close()
            server.process.wait()


class Run:
    """One run, from its beginning to wait(). The streams are open files; without stdin there is nothing to read."""

    def __init__(self, command, stdout, stdin=None, stderr=None):
        self.program, *_ = command = [str(word) for word in command]
        with _lock:
            self._server = _idle[self.program].pop() if _idle[self.program] else _Server(self.program)
        with open(os.devnull, "r+b") as nothing:
            streams = [(stream or nothing).fileno() for stream in (stdin, stdout, stderr)]
            self._pid = self._server.begin(command, streams)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.kill(self._pid, signal.SIGKILL)

    def wait(self):
        """The exit status, as subprocess has it."""
        status = os.waitstatus_to_exitcode(self._server.receive())
        if status == CANNOT_START:
            raise RuntimeError(f"{self.program} could not be started")
        with _lock:
            _idle[self.program].append(self._server)
        return status


class Piped(Run):
    """Its output comes through `output`."""

    def __init__(self, command, stdin=None, stderr=None):
        reads, writes = os.pipe()
        self.output = open(reads, "rb")
        with open(writes, "wb") as its_own:
            super().__init__(command, its_own, stdin, stderr)


@dataclass
class Done:
    returncode: int
    stdout: bytes
    stderr: bytes


def run(command, stdout=None):
    """A whole run. What it writes is in the answer; its output only where no file is given for it."""
    with tempfile.TemporaryFile() as errors:
        if stdout is not None:
            status, output = Run(command, stdout, stderr=errors).wait(), b""
        else:
            each = Piped(command, stderr=errors)
            with each.output:
                output = each.output.read()
            status = each.wait()
        errors.seek(0)
        return Done(status, output, errors.read())
