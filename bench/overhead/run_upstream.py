"""The upstream of all contenders."""
from contender import HERE, is_listening
from nginx import start_nginx


def start_upstream(setup):
    setup.upstream = setup.free_address()
    upstream = start_nginx(setup.directory, "upstream", HERE / "upstream.conf.in", setup.load_core,
                           LISTEN=setup.upstream)
    upstream.wait_ready(lambda: is_listening(setup.upstream))
    return upstream
