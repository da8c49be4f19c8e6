"""A private PostgreSQL on a unix socket that can be killed and restarted."""
import atexit
import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from .process import Process

# PostgreSQL refuses to run as root; Debian's package creates a user for it.
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def program(name):
    """Debian keeps the server's programs outside PATH, in one directory per version."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def _directory(as_user):
    directory = tempfile.mkdtemp(prefix="tollgate-pg-")
    if as_user:
        owner = pwd.getpwnam("postgres")
        os.chown(directory, owner.pw_uid, owner.pw_gid)
    return directory


@functools.cache
def _empty_server(*as_user):
    """The files of a server that has never run. Creating them takes ten times as long as copying them."""
    directory = _directory(as_user)
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    subprocess.run([*as_user, program("initdb"), "-D", f"{directory}/data", "-A", "trust", "-U", "tollgate",
                    "--no-sync", "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/")
    return f"{directory}/data"


class Cluster:
    """The files of one server, which outlive it."""

    def __init__(self):
        self.as_user = AS_POSTGRES if os.geteuid() == 0 else []
        self.directory = _directory(self.as_user)
        subprocess.run([*self.as_user, "cp", "-a", _empty_server(*self.as_user), self.directory], check=True, cwd="/")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self):
        return self.url_of("postgres")

    def url_of(self, database):
        return f"postgresql://tollgate@/{database}?host={quote(self.directory, safe='')}"

    def query(self, sql, database="postgres"):
        """The rows, a list of texts each."""
        done = subprocess.run([program("psql"), "-XAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.url_of(database),
                               "-c", sql], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]


class Postgres(Process):
    """Without fsync: only processes are killed here, and the kernel keeps what they wrote. With it, a restarted server
    would first flush its whole directory to a disk that may be busy."""

    def __init__(self, cluster, directory, name="postgres"):
        self.cluster = cluster
        super().__init__(name, [*cluster.as_user, program("postgres"), "-D", f"{cluster.directory}/data",
                                "-c", "listen_addresses=", "-c", "fsync=off", "-k", cluster.directory], directory)
        self.wait_ready(self.is_ready)

    def is_ready(self):
        try:
            return self.cluster.query("select 1") == [["1"]]
        except RuntimeError:
            return False

    def freeze(self):
        """The server and all its processes are stopped: connections stay open, and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self):
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, what):
        os.kill(self.pid, what)  # first: a stopped server starts no other process
        for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            try:
                os.kill(int(pid), what)
            except ProcessLookupError:  # a worker that has already ended
                pass

    def stop(self, timeout=40.0, any_status=False):
        """Does not wait for clients to leave, as SIGTERM would."""
        if self.running():
            self.popen.send_signal(signal.SIGINT)
            self.popen.wait(timeout)
        super().stop(timeout, any_status)
