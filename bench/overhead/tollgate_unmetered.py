"""Contender: Tollgate that classifies and relays, and asks no ledger: what metering adds."""
from tollgate import Tollgate


class TollgateUnmetered(Tollgate):
    name = "tollgate_unmetered"
    label = "Tollgate, metering off"
    changes = {"metering": "off"}
    settled_micro = None
