"""Contenders: Tollgate with metering on and off, one thread, its ledger in Redis."""
import json

from support.process import BUILD_DIR, Process
from support.tollgate import ADMIN_TOKEN, Admin, configuration
from support.http import call

from contender import Contender, pinned, start_redis


class Tollgate(Contender):
    name = "tollgate"
    label = "Tollgate, metered: reserve and settle in Redis"
    program = BUILD_DIR / "tollgate"
    changes = {}
    environment = {}

    def start(self, setup):
        self.redis = start_redis(setup, f"redis-{self.name}")
        config = configuration(self.redis.url, setup.upstream, threads=1, **self.changes)
        path = setup.directory / f"{self.name}.yaml"
        path.write_text(json.dumps(config, indent=1))  # JSON is YAML
        self.address = config["listen"]
        self.admin = Admin(config["admin"]["listen"], ADMIN_TOKEN)
        self.process = Process(self.name, pinned(setup.proxy_core, [self.program, "run", "--config", path]),
                               setup.directory, self.environment)
        self.process.wait_ready(self.is_ready)
        self.keys = [self.admin.new_customer(f"bench-{number}", credits=4_000_000_000)
                     for number in range(1, setup.organizations + 1)]

    def is_ready(self):
        try:
            return call(self.admin.address, "GET", "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def settled_micro(self):
        settled = (self.admin.balance(f"bench-{number + 1}")["settled"] for number in range(len(self.keys)))
        return sum(int(each * 10**6) for each in settled)


class TollgateBefore(Tollgate):
    """Another version, whose program is named on the command line: what a change costs."""
    name = "tollgate_before"
    label = "Tollgate, metered, the version before"
