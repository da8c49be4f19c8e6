"""Tollgates with different `plans` at one store: the terms in force stay until all agree or somebody confirms."""

from concurrent.futures import ThreadPoolExecutor

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

    def metric(self, tollgate, name="tollgate_plans_unconfirmed"):
        text = call(tollgate.admin.address, "GET", "/metrics").body.decode()
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))

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

    # The store takes no writes for a while, as soon as some organizations have been told of the new terms.
    def test_the_store_fails_while_organizations_are_told(self):
        alone, count = self.tollgate(CHEAP, "alone"), 400
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda i: alone.admin.put_org(f"org-{i:03}", plan="pro"), range(count)))
        told = lambda: alone.log().count("take effect with its next cycle")
        ready = lambda: call(alone.admin.address, "GET", "/readyz").json()
        self.give(alone, DEAR)
        wait_until(told, "the first one is told")
        self.store.command("CONFIG", "SET", "maxmemory", "1")
        if told() < count:
            wait_until(lambda: "the walk has stopped" in alone.log(), "it says that it has stopped")
            self.assertTrue(ready()["plan_terms_pending"])
            self.assertTrue(alone.admin.expect_success("GET", "/plans")["terms_pending"])
            self.assertIn("not reached all organizations", alone.command("plans", "list").stdout)
            self.assertEqual(self.metric(alone, "tollgate_plan_terms_pending"), 1)
        self.store.command("CONFIG", "SET", "maxmemory", "0")
        wait_until(lambda: told() == count, "all are told")
        wait_until(lambda: "plan_terms_pending" not in ready(), "nothing is pending")
        self.assertIn("have reached all organizations", alone.log())
        self.assertFalse(alone.admin.expect_success("GET", "/plans")["terms_pending"])
        self.assertEqual({self.next_terms(alone, f"org-{i:03}") for i in range(count)}, {200})

    # One account cannot be read: the others are told, and it is, too, once it can be read again.
    def test_an_account_that_cannot_be_read_delays_nobody_else(self):
        first = self.tollgate(CHEAP, "first")
        for org in ("a", "b", "c"):
            first.admin.put_org(org, plan="pro")
        key = "tollgate:{b}:account"
        self.store.command("RENAME", key, "elsewhere")
        self.store.command("SET", key, "of another type")
        self.give(first, DEAR)
        wait_until(lambda: self.next_terms(first, "c") == 200, "the one behind it is told")
        self.assertEqual(self.next_terms(first, "a"), 200)
        wait_until(lambda: "organization b: its account cannot be read" in first.log(), "it is logged")
        self.assertEqual(self.metric(first, "tollgate_plan_terms_pending"), 1)
        self.store.command("RENAME", "elsewhere", key)
        wait_until(lambda: self.next_terms(first, "b") == 200, "it is told, too")
        wait_until(lambda: self.metric(first, "tollgate_plan_terms_pending") == 0, "nothing is pending")

    def test_two_at_the_same_address_are_two(self):
        """A new version starts beside the old one: both listen on one address, each with its own journal."""
        first = self.tollgate(CHEAP, "first")
        first.admin.put_org("old", plan="pro")
        config = configuration(self.store.url, self.upstream.address, plans=DEAR, threads=1, listen=first.address)
        second = self.start(Tollgate(self.directory, config, f"second-{next(self._names)}"))
        before = self.presented()
        self.assertEqual(len(before), 2, before)
        wait_until(lambda: all(self.presented()[name] != each for name, each in before.items()), "both present again")
        self.assertEqual((self.unconfirmed(first), self.unconfirmed(second)), ([], ["pro"]))
        self.assertIsNone(self.next_terms(first, "old"))
        for log in (first.log(), second.log()):
            self.assertNotIn("its terms have changed", log)

    def presented(self):
        """What each of them has presented, with the time."""
        found = self.store.command("HGETALL", "tollgate:plans")
        return {name: each for name, each in zip(found[::2], found[1::2]) if name.startswith(b"sidecar:")}

    def test_one_that_was_killed_takes_its_place_again(self):
        config = configuration(self.store.url, self.upstream.address, plans=CHEAP, threads=1,
                               journal=f"{self.directory}/journal-{next(self._names)}")
        self.start(Tollgate(self.directory, config, "killed")).kill()
        self.start(Tollgate(self.directory, {**config, "plans": DEAR}, "again"))
        self.assertEqual(len(self.presented()), 1)

    def test_one_that_was_killed_has_its_say(self):
        first = self.tollgate(CHEAP, "first")
        first.kill()
        second = self.tollgate(DEAR, "second")
        self.assertEqual(self.unconfirmed(second), ["pro"])
