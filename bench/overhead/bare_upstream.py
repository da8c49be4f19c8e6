"""Contender: no proxy at all. What a proxy adds is measured from here."""
from contender import Contender


class BareUpstream(Contender):
    name = "upstream"
    label = "the upstream itself"

    def start(self, setup):
        self.address = setup.upstream
