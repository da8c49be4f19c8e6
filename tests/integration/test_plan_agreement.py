"""Tollgates with different `plans` at one store: the terms in force stay until all agree or somebody confirms."""

from support.http import call
from support.process import Redis, wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

CHEAP, DEAR = {"pro": {"credits": 100, "overage_usd": 0.01}}, {"pro": {"credits": 200, "overage_usd": 0.05}}


class PlanAgreement(StackTest):
    def setUp(self):
        self.store = self.start(Redis(self.directory, f"store-{next(self._names)}"))

    def tollgate(self, plans, name):
        config = configuration(self.store.url, self.upstream.address, plans=plans, threads=1)
        return self.start(Tollgate(self.directory, config, f"{name}-{next(self._names)}"))

    @staticmethod
    def unconfirmed(tollgate):
        return call(tollgate.admin.address, "GET", "/readyz").json().get("unconfirmed_plans", [])

    @staticmethod
    def terms(tollgate, org):
        return tollgate.admin.expect_success("GET", f"/orgs/{org}")["terms"]["credits"]

    @staticmethod
    def next_terms(tollgate, org):
        change = tollgate.admin.expect_success("GET", f"/orgs/{org}")["plan_change"]
        return change and change["terms"]["credits"]

    def give(self, tollgate, plans):
        """Another configuration, and a reload."""
        config = configuration(self.store.url, self.upstream.address, plans=plans, threads=1,
                               listen=tollgate.address,
                               admin={"listen": tollgate.admin.address, "token": tollgate.admin.token})
        tollgate.write_config(config)
        tollgate.popen.send_signal(1)

    def metric(self, tollgate):
        text = call(tollgate.admin.address, "GET", "/metrics").body.decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith("tollgate_plans_unconfirmed "))

    def test_a_second_one_changes_nothing_and_says_so(self):
        first = self.tollgate(CHEAP, "first")
        first.admin.put_org("old", plan="pro")
        second = self.tollgate(DEAR, "second")
        self.assertEqual(self.unconfirmed(second), ["pro"])
        self.assertEqual(self.metric(second), 1)
        self.assertIn("tollgate plans apply", second.log())
        second.admin.put_org("new", plan="pro")
        self.assertEqual((self.terms(second, "new"), self.terms(second, "old")), (100, 100))
        self.assertIsNone(self.next_terms(second, "old"))
        self.assertEqual((self.unconfirmed(first), self.metric(first)), ([], 0))

    def test_confirmed_by_an_administrator(self):
        first = self.tollgate(CHEAP, "first")
        first.admin.put_org("old", plan="pro")
        second = self.tollgate(DEAR, "second")
        done = second.command("plans", "apply")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.unconfirmed(second), [])
        wait_until(lambda: self.next_terms(second, "old") == 200, "the new terms for the next cycle")
        wait_until(lambda: self.unconfirmed(first) == ["pro"], "the first one notices")
        first.admin.put_org("new", plan="pro")
        self.assertEqual(self.terms(first, "new"), 200)
        self.assertIn("pro", first.command("plans", "list").stdout)

    def test_a_rolling_change(self):
        one, two = self.tollgate(CHEAP, "one"), self.tollgate(CHEAP, "two")
        one.admin.put_org("old", plan="pro")
        self.give(one, DEAR)
        wait_until(lambda: self.unconfirmed(one) == ["pro"], "the first one with new terms")
        self.give(two, DEAR)
        wait_until(lambda: self.next_terms(one, "old") == 200, "the new terms")
        wait_until(lambda: self.unconfirmed(one) == [] == self.unconfirmed(two), "all agree")

    def test_one_alone_reloads_and_restarts_with_other_plans(self):
        alone = self.tollgate(CHEAP, "alone")
        alone.admin.put_org("old", plan="pro")
        self.give(alone, DEAR)
        wait_until(lambda: self.next_terms(alone, "old") == 200, "the new terms")
        self.assertEqual(self.unconfirmed(alone), [])
        alone.stop()
        again = self.tollgate(CHEAP, "again")
        self.assertEqual(self.unconfirmed(again), [])
        wait_until(lambda: self.next_terms(again, "old") is None, "the former terms again")

    def test_one_that_was_killed_has_its_say(self):
        first = self.tollgate(CHEAP, "first")
        first.kill()
        second = self.tollgate(DEAR, "second")
        self.assertEqual(self.unconfirmed(second), ["pro"])
