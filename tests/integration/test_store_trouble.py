"""Every kind of trouble of the store, each for a moment (store_trouble.py has the long form)."""
import unittest

from store_trouble import run, table
from support.process import raise_descriptor_limit
from support.store_troubles import ALL


class StoreTrouble(unittest.TestCase):
    def test_every_kind(self):
        raise_descriptor_limit()
        reports = run(ALL, seconds=0.6, callers=3, at_once=6)
        print("\n" + table(reports))
        for each in reports:
            with self.subTest(each.name):
                self.assertEqual(each.problems, [], "\n".join(each.problems))
