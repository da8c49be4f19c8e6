"""Shared by the tests of payments through Stripe: two Tollgates, and a server that answers like Stripe."""
from .http import call
from .stripe import StripeLike
from .top_ups import TINY, TopUpTest


class StripeTest(TopUpTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stripe = cls.start(StripeLike())
        cls.pair = cls.start_pair({"timeout": "2s", "stripe": {
            "url": f"http://{cls.stripe.address}", "secret_key": StripeLike.secret_key}})
        cls.tollgate = cls.pair[0]

    def tearDown(self):
        self.stripe.behave = lambda endpoint, connection, charge: endpoint.answer(connection, charge)
        self.stripe.store = lambda form: None
        self.assertEqual(self.stripe.failures, [])

    def need(self, org, customer):
        """Requests a top-up."""
        key = self.tollgate.admin.new_customer(org, **TINY, stripe_customer=customer)
        self.assertEqual(self.tollgate.chat(key).status, 200)

    def cross_the_threshold(self, org, customer, timeout=20):
        self.need(org, customer)
        [top_up] = self.resolved(self.tollgate, org, timeout=timeout)
        return top_up

    def assertPaidOnce(self, org, timeout=60):
        [top_up] = self.resolved(self.tollgate, org, timeout=timeout)
        self.assertEqual(top_up["status"], "paid", org)
        self.assertEqual(len(self.stripe.payments(org)), 1, org)
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, org)], [500], org)
        return top_up

    def counted(self, line):
        return sum(int(each.split()[1]) for sidecar in self.pair
                   for each in call(sidecar.admin.address, "GET", "/metrics").body.decode().splitlines()
                   if each.startswith(line))
