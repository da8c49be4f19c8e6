"""Credits paid through Stripe: whatever it answers, one payment per top-up."""
import re
import time
from collections import Counter

from support import payments
from support.process import wait_until
from support.stripe import StripeLike
from support.stripe_stack import StripeTest
from support.top_ups import TINY, TopUpTest


class Answers(StripeTest):
    def test_a_payment_that_succeeds(self):
        top_up = self.cross_the_threshold("stripe-paid", "cus_paid")
        self.assertEqual(top_up["status"], "paid")
        [charge] = self.stripe.of("stripe-paid")
        self.assertEqual((charge.event["amount"], charge.event["customer"], charge.asked),
                         ("1000", "cus_paid", 1))
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, "stripe-paid")], [500])

    def test_the_customers_default_method_is_charged_and_may_change_meanwhile(self):
        def lost(endpoint, connection, charge):
            self.stripe.methods["cus_paid_2"] = "pm_new"
        self.stripe.methods["cus_paid_2"] = "pm_old"
        self.stripe.behave = lost
        top_up = self.cross_the_threshold("stripe-method", "cus_paid_2", timeout=30)
        self.assertEqual((top_up["status"], top_up["attempts"]), ("paid", 2))
        [charge] = self.stripe.of("stripe-method")
        self.assertEqual((charge.event["payment_method"], charge.asked), ("pm_old", 1))

    def test_a_payment_that_takes_its_time(self):
        self.assertEqual(self.cross_the_threshold("stripe-slow", "cus_pending")["status"], "pending")
        self.assertEqual(self.bought(self.tollgate, "stripe-slow"), [])

    def test_a_card_that_is_declined(self):
        for customer in ("cus_declined", "cus_action"):
            org = customer.replace("_", "-")
            self.assertEqual(self.cross_the_threshold(org, customer)["status"], "declined")
            self.assertEqual([each.asked for each in self.stripe.of(org)], [1])

    def test_a_payment_whose_answer_got_lost_is_found(self):
        answers = [payments.closing]
        self.stripe.behave = lambda endpoint, connection, charge: (
            answers.pop(0) if answers else StripeLike.answer)(endpoint, connection, charge)
        top_up = self.cross_the_threshold("stripe-lost", "cus_paid", timeout=30)
        self.assertEqual((top_up["status"], top_up["attempts"]), ("paid", 2))
        self.assertEqual([each.asked for each in self.stripe.of("stripe-lost")], [1])
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, "stripe-lost")], [500])

    def test_nobody_to_charge_is_declined_without_a_call(self):
        top_up = self.cross_the_threshold("stripe-none", None)
        self.assertEqual((top_up["status"], top_up["attempts"]), ("declined", 0))
        self.assertEqual(self.stripe.of("stripe-none"), [])
        self.assertTrue(any("set its stripe_customer" in each.log() for each in self.pair))

    def test_a_pack_that_stripe_has_been_paid_for_is_not_charged_again(self):
        """As if requested so long ago that Stripe has forgotten the key, by another customer."""
        self.stripe.add({"amount": "1000", "currency": "usd", "customer": "cus_before",
                         "metadata[tollgate_org]": "stripe-old", "metadata[tollgate_top_up]": "pack-1"},
                        "succeeded", created=time.time() - 90_000)
        self.tollgate.admin.new_customer("stripe-old", plan="tiny", stripe_customer="cus_paid")
        self.tollgate.admin.buy("stripe-old", 10, "pack-1")
        [pack] = self.resolved(self.tollgate, "stripe-old")
        self.assertEqual(pack["status"], "paid")
        self.assertEqual(self.stripe.of("stripe-old"), [])

    def test_a_key_that_may_not_search_pays_nothing_twice(self):
        """An earlier customer's payment is found among the payments of all customers."""
        self.stripe.may_search = False
        self.addCleanup(setattr, self.stripe, "may_search", True)
        for org, customer in (("stripe-blind", "cus_before"), ("stripe-new", None)):
            if customer:
                self.stripe.add({"amount": "1000", "currency": "usd", "customer": customer,
                                 "metadata[tollgate_org]": org, "metadata[tollgate_top_up]": "pack-1"},
                                "succeeded", created=time.time() - 90_000)
            self.tollgate.admin.new_customer(org, plan="tiny", stripe_customer="cus_paid")
            self.tollgate.admin.buy(org, 10, "pack-1")
            [pack] = self.resolved(self.tollgate, org)
            self.assertEqual(pack["status"], "paid")
            self.assertEqual(len(self.stripe.payments(org)), 1)
        self.assertEqual(self.stripe.of("stripe-blind"), [])


class SpentKeys(StripeTest):
    """Stripe repeats an error as long as it remembers the key."""

    def test_what_is_an_error_under_one_key_is_paid_under_the_next(self):
        """All at once: the pauses between attempts are real."""
        def stored(form):
            first = "metadata[tollgate_key]" not in form
            broken = self.stripe.error("500 Internal Server Error", "api_error")
            if form["customer"] == "cus_paid_500":
                return broken if first else None
            if form["customer"] == "cus_paid_though_500":
                self.stripe.add(form, "succeeded")
                return broken
            if form["customer"] == "cus_paid_untried" and first:
                self.stripe.add(form, "requires_payment_method")
                return self.stripe.error("400 Bad Request", "invalid_request_error")
            if form["customer"] == "cus_paid_misread" and first:
                return self.stripe.error("404 Not Found", "invalid_request_error", code="resource_missing")
            return None
        self.stripe.store = stored
        customers = {f"spent-{name}": f"cus_paid_{name.replace('-', '_')}" for name in
                     ("500", "though-500", "untried", "cardless", "misread")}
        self.stripe.cardless.add("cus_paid_cardless")
        for org, customer in customers.items():
            self.need(org, customer)
        for org in ("spent-cardless", "spent-untried"):
            wait_until(lambda: self.stripe.of(org), "a payment without a card")
        for customer in ("cus_paid_cardless", "cus_paid_untried"):
            self.stripe.methods[customer] = "pm_added"

        for org in customers:
            with self.subTest(org):
                self.assertPaidOnce(org)
        keys = {org: sorted(charge.key.split(":")[0] for charge in self.stripe.of(org)) for org in customers}
        for org in customers:
            self.assertEqual(keys[org], [org] if org == "spent-though-500" else [org, f"{org}/1"])
        # The first one can no longer be paid.
        self.assertEqual(Counter(each.status for each in self.stripe.payments("spent-untried", None)),
                         {"succeeded": 1, "canceled": 1})
        self.assertGreaterEqual(self.counted('tollgate_top_ups_total{verdict="spent"}'), 4)

    def test_a_later_key_gets_attempts_of_its_own(self):
        """After a status 500 the payment may still be in progress: one is not enough to give up the key."""
        def stored(form):
            if int(form.get("metadata[tollgate_key]") or 0) < 3:
                return self.stripe.error("400 Bad Request", "invalid_request_error")
            return self.stripe.error("500 Internal Server Error", "api_error")
        self.stripe.store = stored
        self.need("spent-late", "cus_paid_late")

        def verdicts():
            return Counter(verdict for each in self.pair
                           for verdict in re.findall(r"top-up (\w+): org=spent-late ", each.log()))
        wait_until(lambda: verdicts().total() == 4, "four answers", 60)
        self.assertEqual(verdicts(), {"spent": 3, "failed": 1})

    def test_a_payment_is_found_behind_many_others(self):
        def lost(endpoint, connection, charge):
            for _ in range(5):
                self.stripe.add({"amount": "7", "currency": "usd", "customer": "cus_paid_many"}, "succeeded")
        self.stripe.page = 2
        self.addCleanup(setattr, self.stripe, "page", StripeLike.page)
        self.stripe.behave = lost
        self.need("many", "cus_paid_many")
        self.assertPaidOnce("many")
        self.assertEqual([each.asked for each in self.stripe.of("many")], [1])

    def test_a_payment_of_another_amount_is_not_granted_and_not_asked_for_again(self):
        def lost(endpoint, connection, charge):
            [intent] = self.stripe.payments("odd")
            intent.form = {**intent.form, "amount": "999"}
        self.stripe.behave = lost
        self.need("odd", "cus_paid_odd")
        line = 'tollgate_payment_mismatches_total{what="amount"}'
        wait_until(lambda: self.counted(line) > 0, "a look at it", 40)
        self.assertEqual(self.bought(self.tollgate, "odd"), [])
        self.assertEqual(len(self.stripe.payments("odd")), 1)
        self.assertTrue(any("another amount" in each.log() for each in self.pair))


class Processing(StripeTest):
    def test_a_payment_that_takes_its_time_is_asked_about_until_it_is_known(self):
        ends = {"slow-paid": ("succeeded", "paid"), "slow-canceled": ("canceled", "declined"),
                "slow-refused": ("requires_payment_method", "declined")}
        for org in ends:
            self.need(org, f"cus_pending_{org.replace('-', '_')}")
        for org, (status, _) in ends.items():
            [top_up] = self.resolved(self.tollgate, org)
            self.assertEqual(top_up["status"], "pending")
            [intent] = self.stripe.payments(org, None)
            intent.last_error, intent.status = {"type": "card_error"}, status

        def known(org):
            [top_up] = self.tollgate.admin.top_ups(org)
            return top_up if top_up["status"] != "pending" else None
        for org, (_, verdict) in ends.items():
            top_up = wait_until(lambda: known(org), f"{org} to be known", 30)
            self.assertEqual(top_up["status"], verdict)
            self.assertEqual(len(self.stripe.of(org)), 1)
        self.assertEqual([credits for _, credits in self.bought(self.tollgate, "slow-paid")], [500])


class StripeRefuses(TopUpTest):
    def test_a_wrong_secret_key_is_said_loudly_and_never_written_down(self):
        stripe = self.start(StripeLike())
        with self.alone(payments={"stripe": {"url": f"http://{stripe.address}",
                                             "secret_key": "sk_test_wrong"}}) as tollgate:
            key = tollgate.admin.new_customer("wrong", **TINY, stripe_customer="cus_paid")
            self.assertEqual(tollgate.chat(key).status, 200)
            wait_until(lambda: "it answered 401" in tollgate.log(), "Stripe to refuse the key")
        self.assertNotIn("sk_test", tollgate.log())
        [line] = [line for line in tollgate.log().splitlines() if "it answered 401" in line]
        self.assertIn(" error ", line)
