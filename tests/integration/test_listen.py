"""How clients reach Tollgate: unix sockets, the PROXY protocol of nginx and HAProxy, IPv6 listeners, TLS."""
import http.client
import json
import os
import signal
import socket
import ssl
import stat
import struct
import subprocess
import threading
from pathlib import Path

from support.balancers import haproxy, nginx
from support.certificates import Authority
from support.http import call, split_address
from support.process import free_port, wait_until
from support.stack import StackTest
from support.tollgate import BINARY, configuration


def port():
    return f"127.0.0.1:{free_port()}"


class ListenTest(StackTest):
    @classmethod
    def begin(cls, **changes):
        """A Tollgate with an access log, and the key of a customer."""
        log = Path(cls.directory) / f"access-{next(cls._names)}.log"
        tollgate = cls.start_tollgate(threads=2, log={"access": str(log)}, **changes)
        tollgate.access_log = log
        tollgate.key = tollgate.admin.new_customer(f"org-{next(cls._names)}", credits=100)
        return tollgate

    def logged(self, tollgate, path):
        """The clients of the log's lines for this path."""
        def lines():
            entries = [json.loads(line) for line in tollgate.access_log.read_text().splitlines()]
            return [entry["client"] for entry in entries if entry.get("path") == path]
        return wait_until(lines, f"a line for {path}")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=20):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class UnixSocket(ListenTest):
    def path(self, name):
        return f"{self.directory}/{name}.sock"

    def ask(self, path, key, delay_ms=0):
        connection = UnixConnection(path)
        self.addCleanup(connection.close)
        connection.request("GET", "/sample/echo", headers={"Authorization": f"Bearer {key}",
                                                           "x-sample-head-delay-ms": str(delay_ms)})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def test_calls_are_served_and_charged(self):
        path = self.path("plain")
        tollgate = self.begin(listen=f"unix:{path}")
        status, echo = self.ask(path, tollgate.key)
        self.assertEqual(status, 200)
        headers = dict(echo["headers"])
        self.assertEqual(headers["X-Forwarded-For"], "unix:")
        self.assertEqual(headers["Forwarded"].split(";")[0], "for=unknown")
        self.assertEqual(self.logged(tollgate, "/sample/echo"), ["unix:"])
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o666)
        self.assertIn(f" serves unix:{path} ", tollgate.log())

    def test_the_mode_of_its_file(self):
        path = self.path("mode")
        tollgate = self.begin(listen={"address": f"unix:{path}", "mode": "0600"})
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(self.ask(path, tollgate.key)[0], 200)

    def test_every_thread_accepts(self):
        path = self.path("threads")
        tollgate = self.begin(listen=f"unix:{path}")
        open_ones = [UnixConnection(path) for _ in range(64)]
        for each in open_ones:
            self.addCleanup(each.close)
            each.connect()
        for each in open_ones:
            each.request("GET", "/sample/echo", headers={"Authorization": f"Bearer {tollgate.key}"})
        for each in open_ones:
            self.assertEqual(each.getresponse().status, 200)

    def test_a_file_left_by_a_killed_one_is_replaced(self):
        path = self.path("left")
        first = self.begin(listen=f"unix:{path}")
        first.kill()
        self.assertTrue(os.path.exists(path))
        second = self.begin(listen=f"unix:{path}")
        self.assertEqual(self.ask(path, second.key)[0], 200)

    def refused(self, listen):
        config = configuration(self.redis.url, self.upstream.address, listen=listen)
        file = Path(self.directory) / "refused.yaml"
        file.write_text(json.dumps(config))
        done = subprocess.run([BINARY, "run", "--config", file], text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr.splitlines()[-1]

    def test_of_another_process_is_not_taken(self):
        path = self.path("taken")
        tollgate = self.begin(listen=f"unix:{path}")
        self.assertIn(f": listen: unix:{path}: Address already in use", self.refused(f"unix:{path}"))
        self.assertEqual(self.ask(path, tollgate.key)[0], 200)

    def test_a_file_that_is_no_socket_is_kept(self):
        path = Path(self.path("file"))
        path.write_text("precious")
        self.assertIn(f": listen: unix:{path}: the file exists and is no socket", self.refused(f"unix:{path}"))
        self.assertEqual(path.read_text(), "precious")
        self.assertIn(": listen: unix:/nonexistent/s: No such file or directory", self.refused("unix:/nonexistent/s"))

    def test_it_stays_through_a_reload(self):
        path = self.path("reload")
        tollgate = self.begin(listen=f"unix:{path}")
        before = os.stat(path).st_ino
        tollgate.popen.send_signal(signal.SIGHUP)
        wait_until(lambda: "configuration reloaded" in tollgate.log(), "the reload")
        self.assertEqual(os.stat(path).st_ino, before)
        self.assertEqual(self.ask(path, tollgate.key)[0], 200)

    def test_a_drain_ends_calls_and_leaves_the_path_to_a_successor(self):
        path = self.path("drain")
        first = self.begin(listen=f"unix:{path}")
        slow = []
        asking = threading.Thread(target=lambda: slow.append(
            self.ask(path, first.key, delay_ms=3000)[0]))
        asking.start()
        wait_until(lambda: b"tollgate_requests_in_flight 1" in call(first.admin.address, "GET", "/metrics").body,
                   "a call under way", timeout=5)
        first.popen.send_signal(signal.SIGTERM)
        wait_until(lambda: not os.path.exists(path), "the file is removed")
        second = self.begin(listen=f"unix:{path}")
        asking.join()
        first.stop()
        self.assertEqual(slow, [200])
        self.assertTrue(os.path.exists(path), "the first one removed the file of the second")
        self.assertEqual(self.ask(path, second.key)[0], 200)

    def test_behind_nginx(self):
        path, front = self.path("nginx"), port()
        tollgate = self.begin(listen=f"unix:{path}")
        self.start(nginx(self.directory, "nginx-unix", addresses=[front], http=(
            f"server {{ listen {front}; location / {{ proxy_pass http://unix:{path}; }} }}")))
        reply = call(front, "GET", "/sample/echo", {"Authorization": f"Bearer {tollgate.key}"})
        self.assertEqual(reply.status, 200)


def text_header(client="192.0.2.7"):
    return f"PROXY TCP4 {client} 192.0.2.1 1234 80\r\n".encode()


def binary_header(client="192.0.2.7", command=0x21):
    block = socket.inet_aton(client) + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 1234, 80)
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(">BBH", command, 0x11, len(block)) + block


class ProxyProtocol(ListenTest):
    """Peers at 127.0.0.1 begin with a header; others do not."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        authority = Authority(cls.directory, "authority")
        certificate, key = authority.issue("tollgate", "DNS:localhost,IP:127.0.0.1")
        cls.trusting = ssl.create_default_context(cafile=authority.certificate)
        expecting = {"proxy_protocol": ["127.0.0.1"]}
        cls.plain = cls.begin(listen={"address": port(), **expecting}, timeouts={"client_head": "500ms"})
        cls.secure = cls.begin(listen={"address": port(), **expecting}, tls={"certificate": certificate, "key": key})
        cls.fronts = {name: port() for name in ("v1", "v2", "tls-v1", "tls-v2", "nginx", "nginx-tls")}
        cls.start(haproxy(cls.directory, "haproxy", {
            cls.fronts["v1"]: f"{cls.plain.address} send-proxy",
            cls.fronts["v2"]: f"{cls.plain.address} send-proxy-v2",
            cls.fronts["tls-v1"]: f"{cls.secure.address} send-proxy",
            cls.fronts["tls-v2"]: f"{cls.secure.address} send-proxy-v2"}))
        cls.start(nginx(cls.directory, "nginx-stream", addresses=[cls.fronts["nginx"]], stream="\n".join(
            f"server {{ listen {cls.fronts[name]}; proxy_pass {to.address}; proxy_protocol on; }}"
            for name, to in (("nginx", cls.plain), ("nginx-tls", cls.secure)))))

    def ask(self, address, tollgate, target, source, secure=False):
        host, number = split_address(address)
        if secure:
            connection = http.client.HTTPSConnection(host, number, timeout=20, source_address=(source, 0),
                                                     context=self.trusting)
        else:
            connection = http.client.HTTPConnection(host, number, timeout=20, source_address=(source, 0))
        self.addCleanup(connection.close)
        for _ in range(2):  # the header comes once for a connection
            connection.request("GET", target, headers={"Authorization": f"Bearer {tollgate.key}"})
            answer = connection.getresponse()
            body = answer.read()
            self.assertEqual(answer.status, 200, body)
        return dict(json.loads(body)["headers"])

    def test_of_nginx_and_haproxy(self):
        for number, (name, address) in enumerate(self.fronts.items()):
            with self.subTest(name):
                secure, client, target = "tls" in name, f"127.0.0.{20 + number}", f"/sample/echo/{name}"
                tollgate = self.secure if secure else self.plain
                headers = self.ask(address, tollgate, target, client, secure)
                self.assertEqual(headers["X-Forwarded-For"], client)
                self.assertTrue(headers["Forwarded"].startswith(f"for={client};"), headers["Forwarded"])
                self.assertEqual(set(self.logged(tollgate, target)), {client})

    def exchange(self, *pieces, source="127.0.0.1"):
        """All that the plain listener answers to these pieces."""
        with socket.create_connection(split_address(self.plain.address), 20, (source, 0)) as connection:
            for piece in pieces:
                connection.sendall(piece)
            got = b""
            while chunk := connection.recv(65536):
                got += chunk
            return got

    def request(self, target="/sample/echo"):
        return (f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Authorization: Bearer {self.plain.key}\r\n\r\n").encode()

    def test_in_pieces_of_any_size(self):
        for header in (text_header(), binary_header()):
            with self.subTest(header):
                got = self.exchange(*(header[at:at + 1] for at in range(len(header))), self.request())
                self.assertIn(b'"192.0.2.7"', got)

    def test_of_the_balancer_itself(self):
        """Health checks: LOCAL and UNKNOWN leave the address of the connection."""
        for number, header in enumerate((binary_header(command=0x20), b"PROXY UNKNOWN\r\n")):
            got = self.exchange(header, self.request(f"/sample/echo/own-{number}"))
            self.assertIn(b" 200 ", got)
            self.assertEqual(self.logged(self.plain, f"/sample/echo/own-{number}"), ["127.0.0.1"])

    def test_missing_or_malformed(self):
        for header in (b"", b"PROXY TCP4 192.0.2.7\r\n", b"PROXY\r\n", binary_header(command=0x11), b"\0" * 16):
            with self.subTest(header):
                got = self.exchange(header, self.request())
                self.assertTrue(got.startswith(b"HTTP/1.1 400 "), got)
                self.assertIn(b"PROXY protocol header", got)

    def test_of_one_that_is_not_trusted(self):
        served = self.exchange(self.request("/sample/echo/direct"), source="127.0.0.9")
        self.assertIn(b" 200 ", served)
        self.assertEqual(self.logged(self.plain, "/sample/echo/direct"), ["127.0.0.9"])
        for header in (text_header(), binary_header()):
            got = self.exchange(header, self.request(), source="127.0.0.9")
            self.assertTrue(got.startswith(b"HTTP/1.1 400 "), got)
            self.assertNotIn(b"192.0.2.7", got)

    def test_that_never_ends_is_cut(self):
        for beginning in (b"", b"PROXY TCP4 192", binary_header()[:20]):
            with self.subTest(beginning):
                self.assertEqual(self.exchange(beginning), b"")

    def test_by_a_unix_socket(self):
        path = f"{self.directory}/proxied.sock"
        tollgate = self.begin(listen={"address": f"unix:{path}", "proxy_protocol": "unix"})
        front = port()
        self.start(haproxy(self.directory, "haproxy-unix", {front: f"unix@{path} send-proxy-v2"}))
        headers = self.ask(front, tollgate, "/sample/echo", "127.0.0.30")
        self.assertEqual(headers["X-Forwarded-For"], "127.0.0.30")


class Addresses(ListenTest):
    def test_ipv4_at_an_ipv6_listener(self):
        number = free_port()
        tollgate = self.begin(listen=f"[::]:{number}")
        reply = call(f"127.0.0.1:{number}", "GET", "/sample/echo", {"Authorization": f"Bearer {tollgate.key}"})
        self.assertEqual(dict(reply.json()["headers"])["X-Forwarded-For"], "127.0.0.1")
        self.assertEqual(self.logged(tollgate, "/sample/echo"), ["127.0.0.1"])

    def test_plain_http_to_tls(self):
        authority = Authority(self.directory, "authority")
        certificate, key = authority.issue("tollgate", "IP:127.0.0.1")
        tollgate = self.begin(tls={"certificate": certificate, "key": key})
        reply = call(tollgate.address, "POST", "/v1/chat/completions", {"Authorization": f"Bearer {tollgate.key}"},
                     {"model": "gpt-4"})
        self.assertEqual((reply.status, reply.error_code), (400, "invalid_request"))
        self.assertEqual(reply.json()["error"]["message"], "The plain HTTP request was sent to HTTPS port.")
