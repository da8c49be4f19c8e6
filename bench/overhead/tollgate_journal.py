"""Contender: Tollgate as it is shipped, which writes down what it has not settled yet."""
from tollgate import Tollgate


class TollgateJournal(Tollgate):
    name = "tollgate_journal"
    label = "Tollgate, metered, with a journal"

    def start(self, setup):
        self.changes = {"journal": str(setup.directory / "journal")}
        super().start(setup)
