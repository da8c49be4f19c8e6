"""A few of the rounds of kill_rounds.py: calls that the upstream served are charged, whichever process is killed."""
import unittest

import kill_rounds


class KillRounds(unittest.TestCase):
    def test_every_call_that_was_served_is_charged_once(self):
        uncharged, overcharged, charged = kill_rounds.run(rounds=8, seed=3, most_away=2.0)
        self.assertEqual((uncharged, overcharged), (0, 0))
        self.assertGreater(charged, 100)

    def test_without_a_journal_what_the_ledger_was_told_of_is_charged(self):
        kill_rounds.WEIGHTS, weights = [1, 0, 0, 0, 0, 0], kill_rounds.WEIGHTS
        self.addCleanup(setattr, kill_rounds, "WEIGHTS", weights)
        _, overcharged, charged = kill_rounds.run(rounds=3, seed=4, journal=False)
        self.assertEqual(overcharged, 0)
        self.assertGreater(charged, 20)

    def test_so_it_is_under_the_shipped_policy(self):
        uncharged, overcharged, charged = kill_rounds.run(rounds=4, seed=5, most_away=2.0, policy=kill_rounds.SHIPPED)
        self.assertEqual((uncharged, overcharged), (0, 0))
        self.assertGreater(charged, 50)
