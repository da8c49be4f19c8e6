"""Contender: HAProxy as a plain reverse proxy."""
from support.process import Process

from contender import HERE, Contender, fill_template, is_listening, pinned


class Haproxy(Contender):
    name = "haproxy"
    label = "HAProxy, plain reverse proxy"

    def start(self, setup):
        self.address = setup.free_address()
        config = fill_template(HERE / "haproxy.cfg.in", setup.directory / "haproxy.cfg",
                               LISTEN=self.address, UPSTREAM=setup.upstream)
        self.process = Process(self.name, pinned(setup.proxy_core, ["haproxy", "-db", "-f", config]),
                               setup.directory)
        self.process.wait_ready(lambda: is_listening(self.address))
