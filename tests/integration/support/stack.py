"""Shared by most tests: one Redis, one sample upstream, and the Tollgates they start."""
import itertools
import shutil
import tempfile
import unittest

from .process import Redis, raise_descriptor_limit, wait_until
from .tollgate import Tollgate, configuration
from .upstream import SampleUpstream


class StackTest(unittest.TestCase):
    """Everything started here is stopped again, in reverse order, also when a test fails.

    The programs of one class are shared by its tests; each test makes organizations of its own.
    """

    @classmethod
    def setUpClass(cls):
        raise_descriptor_limit()
        cls.directory = tempfile.mkdtemp(prefix="tollgate-")
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls._names = itertools.count(1)
        cls.redis = cls.start(Redis(cls.directory))
        cls.upstream = cls.start(SampleUpstream(cls.directory))

    @classmethod
    def start(cls, process):
        cls.addClassCleanup(process.stop)
        return process

    @classmethod
    def start_tollgate(cls, **changes):
        config = configuration(cls.redis.url, cls.upstream.address, **changes)
        return cls.start(Tollgate(cls.directory, config, f"tollgate-{next(cls._names)}"))

    @staticmethod
    def balance_without_holds(tollgate, org):
        balance = tollgate.admin.balance(org)
        return balance if balance["held"] == 0 else None

    def settled_balance(self, tollgate, org):
        """Settling may end a moment after the reply: the balance once no hold is left."""
        return wait_until(lambda: self.balance_without_holds(tollgate, org), "no hold is left")
