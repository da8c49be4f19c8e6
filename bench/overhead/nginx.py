"""Contender: nginx as a plain reverse proxy, and the nginx that is everybody's upstream."""
import os

from support.process import Process

from contender import HERE, Contender, fill_template, is_listening, pinned


def start_nginx(directory, name, template, core, env=None, **values):
    place = directory / name
    place.mkdir()
    # If root starts nginx, its workers change to a user that may not open our files.
    user = "user root;" if os.geteuid() == 0 else ""
    config = fill_template(template, place / "nginx.conf", DIR=place, HERE=HERE, USER=user, **values)
    return Process(name, pinned(core, ["nginx", "-p", "/usr/share/nginx", "-e", place / "error.log",
                                       "-c", config, "-g", "daemon off;"]), place, env)


class Nginx(Contender):
    name = "nginx"
    label = "nginx, plain reverse proxy"
    buffering = "on"

    def start(self, setup):
        self.address = setup.free_address()
        self.process = start_nginx(setup.directory, self.name, HERE / "nginx.conf.in",
                                   setup.proxy_core, LISTEN=self.address, UPSTREAM=setup.upstream,
                                   BUFFERING=self.buffering)
        self.process.wait_ready(lambda: is_listening(self.address))
