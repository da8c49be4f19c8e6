"""Shared by the tests of top-ups: plans that soon need one, and the ledger's entries about them."""
import contextlib

from .process import wait_until
from .stack import StackTest

PLANS = {
    "starter": {"credits": 2000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
    # One call of 10 credits is enough to cross a threshold of 100.
    "tiny": {"credits": 105, "overage_usd": 0.02, "top_up_minimum_usd": 10},
}
TINY = {"plan": "tiny", "overage": False,
        "auto_top_up": {"threshold_credits": 100, "amount_usd": 10}}


class TopUpTest(StackTest):
    @classmethod
    def start_pair(cls, payments, **changes):
        settings = {"plans": PLANS, "holds": {"timeout": "2s", "sweep_every": "500ms"},
                    "payments": payments, **changes}
        return [cls.start_tollgate(**settings) for _ in range(2)]

    @contextlib.contextmanager
    def alone(self, **changes):
        """A Tollgate that stops with the test: others would deliver its open top-ups."""
        tollgate = self.start_tollgate(plans=PLANS, holds={"sweep_every": "200ms"}, **changes)
        try:
            yield tollgate
        finally:
            tollgate.stop()

    def resolved(self, tollgate, org, count=1, timeout=20):
        """The organization's top-ups, once that many have been resolved."""
        def enough():
            top_ups = tollgate.admin.top_ups(org)
            done = [each for each in top_ups if each["status"] != "requested"]
            return top_ups if len(done) == count == len(top_ups) else None
        return wait_until(enough, f"{count} top-ups of {org} to be resolved", timeout)

    def bought(self, tollgate, org):
        """The ledger's grants from top-ups: (id, credits)."""
        return [(entry["subject"], entry["credits"]) for entry in tollgate.admin.ledger(org)
                if entry["type"] == "grant" and entry["kind"] == "top_up"]
