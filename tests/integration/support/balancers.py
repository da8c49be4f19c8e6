"""Debian's own nginx and HAProxy, as they stand in front of Tollgate."""
import shutil
import socket
from pathlib import Path

from .http import split_address
from .process import Process


class Balancer(Process):
    def __init__(self, name, command, directory, addresses):
        super().__init__(name, command, directory)
        self.addresses = addresses
        self._any_status = True  # HAProxy ends by the signal
        self.wait_ready(self.accepts)

    def accepts(self):
        try:
            for address in self.addresses:
                socket.create_connection(split_address(address), 2).close()
            return True
        except OSError:
            return False


def haproxy(directory, name, frontends):
    """TCP: from each address of `frontends` to the server line there ("127.0.0.1:8080 send-proxy")."""
    lines = ["defaults", "  mode tcp", "  timeout client 30s", "  timeout server 30s", "  timeout connect 5s"]
    for number, (address, server) in enumerate(frontends.items()):
        lines += [f"listen l{number}", f"  bind {address}", f"  server s {server}"]
    path = Path(directory) / f"{name}.cfg"
    path.write_text("\n".join(lines) + "\n")
    return Balancer(name, [shutil.which("haproxy", path="/usr/sbin:/usr/bin"), "-db", "-f", path], directory, frontends)


def nginx(directory, name, http="", stream="", addresses=()):
    """`http` and `stream` are the contents of these blocks."""
    own = Path(directory) / name
    own.mkdir()
    own.chmod(0o755)
    temporary = "\n".join(f"{kind}_temp_path {own}/{kind};" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = own / "nginx.conf"
    module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;" if stream else ""
    path.write_text(f"""{module}
daemon off; pid {own}/pid; error_log {own}/error.log; user root; worker_processes 1;
events {{ worker_connections 256; }}
http {{ access_log off; {temporary} {http} }}
{f'stream {{ {stream} }}' if stream else ''}
""")
    return Balancer(name, [shutil.which("nginx", path="/usr/sbin:/usr/bin"), "-c", path, "-e", own / "error.log"],
                    directory, addresses)
