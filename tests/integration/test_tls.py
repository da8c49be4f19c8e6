"""TLS on both sides: which certificates Tollgate trusts, and what clients see of it."""
import os
import socket
import ssl
import warnings

from support.certificates import Authority
from support.http import RawConnection, split_address
from support.http_stack import MIB, PRICE, HttpTest, answering, read_head
from support.scripted_upstream import ScriptedUpstream
from support.tollgate import route


class Tls(HttpTest):
    timeouts = {"connect": "1s"}

    @classmethod
    def setUpClass(cls):
        HttpTest.setUpClass.__func__(cls)
        ours = cls.authority.issue("downstream", "DNS:localhost,IP:127.0.0.1")
        cls.secure = cls.start_tollgate(threads=1, tls={"certificate": ours[0], "key": ours[1]})

    @classmethod
    def more_upstreams(cls):
        cls.authority = Authority(cls.directory, "authority")
        stranger = Authority(cls.directory, "stranger")
        servers = {"good": cls.authority.issue("good", "DNS:localhost,IP:127.0.0.1"),
                   "address": cls.authority.issue("address", "IP:127.0.0.1"),
                   "wrong-name": cls.authority.issue("wrong-name", "DNS:elsewhere.example"),
                   "wrong-authority": stranger.issue("wrong-authority", "DNS:localhost")}
        upstreams = {}
        for name, pair in servers.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*pair)
            server = cls.start(ScriptedUpstream(cls.scripts, context))
            host = "127.0.0.1" if name == "address" else "localhost"
            upstreams[name] = {"url": f"https://{host}:{split_address(server.address)[1]}",
                               "ca_file": str(cls.authority.certificate)}
        upstreams["unverified"] = {"url": upstreams["wrong-authority"]["url"], "verify": False}
        upstreams["plain"] = {"url": f"https://{cls.scripted.address}",
                              "ca_file": str(cls.authority.certificate)}
        return upstreams

    @classmethod
    def more_routes(cls):
        return [route(name, "api", {"path": f"/{name}/**"}, upstream=name)
                for name in ("good", "address", "wrong-name", "wrong-authority", "unverified", "plain")]

    def call(self, upstream, method="GET", **more):
        path = self.script(answering(b"secret")).replace("/scripted/", f"/{upstream}/")
        return self.tollgate.call(method, path, self.key, **more)

    def test_a_trusted_upstream(self):
        for upstream in ("good", "address", "unverified"):
            with self.subTest(upstream):
                for _ in range(3):
                    self.assertEqual(self.call(upstream, "POST", body=bytes(100_000)).body, b"secret")
        self.assert_charged(9 * PRICE)

    def test_an_upstream_that_is_not_to_be_trusted(self):
        for upstream in ("wrong-name", "wrong-authority"):
            with self.subTest(upstream):
                self.assert_refused(self.call(upstream), 502, "upstream_unreachable")
        self.assert_refused(self.call("plain"), 504, "upstream_timeout")  # it waits for a line
        self.assertEqual(self.scripted.requests, [])
        self.assert_charged(0)

    def trusting(self):
        return ssl.create_default_context(cafile=self.authority.certificate)

    def connect_securely(self, context=None):
        connection = RawConnection.__new__(RawConnection)
        plain = socket.create_connection(split_address(self.secure.address), 10)
        self.addCleanup(plain.close)
        connection.socket = (context or self.trusting()).wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False)
        connection.reader = connection.socket.makefile("rb")
        self.addCleanup(connection.close)
        return connection

    def test_clients_over_tls(self):
        connection = self.connect_securely()
        connection.send(self.head("GET", "/sample/echo/1") + self.head("GET", "/sample/echo/2"))
        echo = connection.read_reply().json()
        self.assertIn(["X-Forwarded-Proto", "https"], echo["headers"])
        self.assertEqual(connection.read_reply().json()["target"], "/sample/echo/2")
        body = os.urandom(MIB)
        connection.send(self.head("POST", "/sample/sink", f"Content-Length: {len(body)}") + body)
        self.assertEqual(connection.read_reply().json()["bytes"], len(body))
        connection.send(self.head("GET", f"/sample/bytes/{4 * MIB}"))
        self.assertEqual(len(connection.read_reply().body), 4 * MIB)

    def test_any_calls_in_any_pieces_over_tls(self):
        self.check_any_calls_in_any_pieces(self.connect_securely, seeds=10)

    def test_a_connection_over_tls_ends_with_an_alert(self):
        connection = self.connect_securely()
        connection.send(self.head("GET", "/sample/echo/1", version="1.0"))
        self.assertEqual(read_head(connection)[0], "HTTP/1.1 200 OK")
        connection.reader.read()  # raises SSLEOFError where the end could be a truncation

    def test_plain_http_on_the_tls_port(self):
        connection = RawConnection(self.secure.address)
        self.addCleanup(connection.close)
        connection.send(self.head("GET", "/sample/echo/1"))
        self.assertNotIn(b"HTTP/1.1 2", connection.reader.read())

    def test_old_tls_is_refused(self):
        context = self.trusting()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # the client would have it
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(OSError):
            self.connect_securely(context)

    def test_a_client_that_insists_on_http_2_is_told_so(self):
        context = self.trusting()
        context.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError):
            self.connect_securely(context)
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual(self.connect_securely(context).socket.selected_alpn_protocol(), "http/1.1")
