"""WebSockets: passed through unchanged, priced per connection."""
import base64

from support.http_stack import PRICE, HttpTest, answering, read_head


class WebSockets(HttpTest):
    def upgrade(self, path, *fields):
        return self.head("GET", path, "Connection: keep-alive, Upgrade", "Upgrade: websocket",
                         "Sec-WebSocket-Version: 13",
                         "Sec-WebSocket-Key: " + base64.b64encode(bytes(16)).decode(), *fields)

    @staticmethod
    def frame(text):
        assert len(text) < 126
        return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text  # masked with zeroes

    def expect_frame(self, connection, text):
        self.assertEqual(connection.reader.read(2 + len(text)), bytes([0x81, len(text)]) + text)

    def test_echo(self):
        connection = self.connect()
        connection.send(self.upgrade("/v1/realtime?model=x"))
        lines = read_head(connection)
        self.assertEqual(lines[0], "HTTP/1.1 101 Switching Protocols")
        self.assertIn("Upgrade: websocket", lines)
        self.assertIn("Connection: Upgrade", lines)
        self.assertIn("X-Credits-Charged: 0.1", lines)
        for number in range(50):
            connection.send(self.frame(b"message %d" % number))
            self.expect_frame(connection, b"message %d" % number)
        connection.close()
        self.assert_charged(PRICE)  # per connection

    def test_frames_sent_with_the_request_are_neither_lost_nor_repeated(self):
        connection = self.connect()
        connection.send(self.upgrade("/v1/realtime") + self.frame(b"one") + self.frame(b"two"))
        read_head(connection)
        self.expect_frame(connection, b"one")
        self.expect_frame(connection, b"two")
        for text in (b"three", b"four"):
            connection.send(self.frame(text))
            self.expect_frame(connection, text)

    def test_the_upstream_ends_it(self):
        def script(connection, _):
            connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                            b"Upgrade: websocket\r\n\r\nbye")
            return True
        connection = self.connect()
        connection.send(self.upgrade(self.script(script)))
        read_head(connection)
        self.assertEqual(connection.reader.read(), b"bye")
        self.assert_charged(PRICE)

    def test_an_upstream_that_declines(self):
        path = self.script(answering(b"no", status="426 Upgrade Required"))
        connection = self.connect()
        connection.send(self.upgrade(path) + self.head("GET", "/sample/echo/x"))
        self.assertEqual(connection.read_reply().status, 426)
        self.assertEqual(connection.read_reply().status, 200)  # still HTTP
        self.assert_charged(PRICE)
