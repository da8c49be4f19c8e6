"""Shared by the tests of webhooks: a receiver, and a sidecar that may call it."""
from datetime import datetime

from .events import EventStream
from .process import wait_until
from .stack import StackTest
from .tollgate import ADMIN_TOKEN
from .webhooks import WebhookReceiver, acknowledge, first_arrivals

PLANS = {"starter": {"credits": 20, "overage_usd": 0.02, "top_up_minimum_usd": 10}}
ALLOWED = {"allow_http": True, "allow_private": True}
TIMEOUT = 1.5  # no receiver that will answer takes that long, on the busiest machine
LEASE = TIMEOUT + 5  # how long an endpoint whose sidecar was killed gets no deliveries


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class WebhookTest(StackTest):
    settings = {"timeout": f"{TIMEOUT * 1000:.0f}ms", "retries": ["0s", "600ms", "600ms", "1h"], **ALLOWED}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.receiver = cls.start(WebhookReceiver())
        cls.tollgate = cls.start_sidecar()
        cls.admin = cls.tollgate.admin

    @classmethod
    def start_sidecar(cls, **changes):
        return cls.start_tollgate(plans=PLANS, holds={"sweep_every": "200ms"},
                                  webhooks={**cls.settings, **changes})

    def setUp(self):
        self.org = self.id().split(".")[-1].replace("_", "-")[:60]
        self.receiver.behave = acknowledge

    def new_org(self):
        self.admin.put_org(self.org, plan="starter")

    def new_endpoint(self, path=None, receiver=None, **fields):
        """An organization with one endpoint, as the API returns it. Its path is the organization's."""
        self.new_org()
        receiver = receiver or self.receiver
        return self.admin.expect_success(
            "POST", f"/orgs/{self.org}/webhooks", {"url": receiver.url(path or self.org), **fields})

    def show(self, endpoint):
        return self.admin.expect_success("GET", f"/orgs/{self.org}/webhooks/{endpoint['id']}")

    def change(self, endpoint, **fields):
        return self.admin.expect_success("PUT", f"/orgs/{self.org}/webhooks/{endpoint['id']}", fields)

    def post(self, endpoint, what):
        return self.admin.expect_success("POST", f"/orgs/{self.org}/webhooks/{endpoint['id']}/{what}")

    def cause_events(self, count, first=0, admin=None):
        """Each requested top-up is one event."""
        for number in range(first, first + count):
            (admin or self.admin).buy(self.org, 10, f"pack-{number}")

    def events(self, of_type="account."):
        """The organization's events, from the stream of events: bodies by id, in order."""
        told = {}
        path = f"/admin/v1/orgs/{self.org}/events?last_event_id=0-0.0-0"
        with EventStream(self.admin.address, path, {"Authorization": f"Bearer {ADMIN_TOKEN}"}) as stream:
            while True:  # missed events end with the balance
                _, kind, event = stream.next()
                if kind == "balance":
                    return told
                if kind.startswith(of_type):
                    told[event["id"]] = stream.last_text

    def arrived(self, count, path=None, receiver=None, timeout=15):
        """The deliveries to a path, once that many different events have arrived."""
        def enough():
            got = (receiver or self.receiver).of(path or self.org)
            return got if len(first_arrivals(got)) >= count else None
        return wait_until(enough, f"{count} events at {path or self.org}", timeout)

    def packs(self, deliveries):
        """The packs in them, in the order of their first arrival."""
        told = {each.id: each.event["data"].get("top_up") for each in deliveries}
        return [told[each] for each in first_arrivals(deliveries)]

    def assertArrived(self, count, **more):
        got = self.arrived(count, **more)
        self.assertEqual(self.packs(got), [f"pack-{number}" for number in range(count)])
        return got
