"""The index of accounts that are due: filled by a walk, used by every sidecar."""
import time

from support.process import wait_until
from support.stack import StackTest
from support.tollgate import Tollgate, configuration

LISTS = [f"tollgate:due:{{0}}:{name}" for name in ("recent", "later", "top_ups")]
PLANS = {"starter": {"credits": 100, "overage_usd": 0.02, "top_up_minimum_usd": 10}}


class DueIndex(StackTest):
    def tollgate(self, name, **changes):
        config = configuration(self.redis.url, self.upstream.address, **{
            "plans": PLANS, "holds": {"sweep_every": "100ms", "timeout": "2s"}, **changes})
        return self.start(Tollgate(self.directory, config, name))

    def score(self, number, org):
        found = self.redis.command("ZSCORE", LISTS[number], org)
        return None if found == b"-1" else float(found) / 1000

    def test_a_store_of_an_earlier_release_is_filled_at_the_start(self):
        first = self.tollgate("first")
        first.admin.put_org("planned", plan="starter")
        wait_until(lambda: self.score(1, "planned"), "an account without calls in `later`")
        first.stop()
        for name in (*LISTS, "tollgate:due:{0}:walked"):
            self.redis.command("DEL", name)
        second = self.tollgate("second")
        wait_until(lambda: self.score(1, "planned"), "the walk has found it")
        self.assertGreater(self.score(1, "planned"), time.time())
        second.stop()

    def test_idle_sidecars_ask_for_what_is_due_only(self):
        """As many commands as before for one organization are enough for all."""
        idle = self.tollgate("idle")
        for number in range(50):
            idle.admin.put_org(f"quiet{number}", plan="starter")
        wait_until(lambda: self.score(1, "quiet49"), "the last one has been looked at")

        def commands():
            info = self.redis.command("INFO", "stats").decode().splitlines()
            return int(next(line for line in info if line.startswith("total_commands_processed:")).split(":")[1])

        before = commands()
        time.sleep(2)
        # 20 rounds; walking over 50 organizations took 250 commands in each.
        self.assertLess(commands() - before, 20 * 50)
        idle.stop()
