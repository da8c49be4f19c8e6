"""PgBouncer in transaction mode: each transaction may get another session of PostgreSQL."""
import subprocess
from pathlib import Path
from urllib.parse import quote

from .postgres import program
from .process import Process, free_port


class PgBouncer(Process):
    def __init__(self, cluster, directory, name="pgbouncer", sessions=3):
        self.port, self.directory = free_port(), cluster.directory
        path = Path(cluster.directory) / f"{name}.ini"
        path.write_text(f"""[databases]
* = host={cluster.directory}
[pgbouncer]
listen_addr =
listen_port = {self.port}
unix_socket_dir = {cluster.directory}
pool_mode = transaction
auth_type = trust
auth_file = {cluster.directory}/{name}.users
default_pool_size = {sessions}
min_pool_size = {sessions}
server_round_robin = 1
""")
        path.with_suffix(".users").write_text('"tollgate" ""\n')
        # The server's user: PgBouncer refuses to run as root as well.
        super().__init__(name, [*cluster.as_user, "pgbouncer", path], directory)
        self.wait_ready(lambda: self.query("select 1") == [["1"]])

    def url_of(self, database="postgres"):
        return f"postgresql://tollgate@/{database}?host={quote(self.directory, safe='')}&port={self.port}"

    def query(self, sql, database="postgres"):
        done = subprocess.run([program("psql"), "-XAt", "-F", "\t", self.url_of(database), "-c", sql],
                              capture_output=True, text=True, timeout=60)
        return [line.split("\t") for line in done.stdout.splitlines()] if done.returncode == 0 else None

    def stop(self, timeout=40.0, any_status=True):
        """SIGTERM ends it at once, with status 1."""
        super().stop(timeout, any_status)
