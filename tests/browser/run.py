"""Drives the dashboard in Debian's Chromium against a real Tollgate.

Installs playwright-core and axe-core with npm into the build directory, starts Redis, the sample
upstream, a payment endpoint that says "paid" and Tollgate, and runs `node --test`. Screenshots of every
page are written to build/screenshots. Exit status 77 (a skip for ctest): no Node.js or no Chromium here.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support import payments  # noqa: E402
from support.process import BUILD_DIR, Redis, raise_descriptor_limit  # noqa: E402
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

TESTS = ["dashboard.test.mjs", "pages.test.mjs"]  # in this order: pages shows what the first did
PLANS = {
    "starter": {"credits": 20000, "overage_usd": 0.02, "top_up_minimum_usd": 10},
    "pro": {"credits": 200000, "overage_usd": 0.01, "top_up_minimum_usd": 25,
            "rollover": {"up_to": "100%", "cycles": 1}},
}


def install(directory):
    """node looks for modules beside the script that imports them, so the scripts move there too."""
    directory.mkdir(parents=True, exist_ok=True)
    for script in [*TESTS, "support.mjs"]:
        shutil.copy(HERE / script, directory)
    wanted, stamp = HERE / "package.json", directory / "installed.json"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return
    shutil.copy(wanted, directory)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                    "--ignore-scripts", "--no-update-notifier"], cwd=directory, check=True)
    shutil.copy(wanted, stamp)


def write_history(redis, org, days):
    """Usage of earlier days, straight into the counters: something for the charts to show."""
    pick = random.Random(7)
    this_hour = int(time.time()) // 3600
    models = [("chat-gpt-4", "llm", "gpt-4", 10), ("messages", "llm", "claude-sonnet-4", 8),
              ("chat-gpt-3.5", "llm", "gpt-3.5-turbo", 2), ("knowledge-query", "query", "", 1)]
    for day in range(1, days + 1):
        weekend = time.gmtime((this_hour - 24 * day) * 3600).tm_wday >= 5
        for route, action, model, price in models:
            for agent in ("support", "sales", "research"):
                calls = pick.randrange(4, 12 if weekend else 40)
                who = "\t".join([route, action, model, agent, f"{agent}-{day % 4}", "key_history"])
                redis.command("HSET", f"tollgate:{{{org}}}:usage:{this_hour - 24 * day}", who,
                              f"{calls * price * 1_000_000} {calls} {calls}")


def prepare(tollgate, redis):
    """Organizations for the overview, and one with a past."""
    admin = tollgate.admin
    admin.put_org("northwind", plan="starter", cycle_anchor=anchor(20), spend_cap_usd=40,
                  alerts=[50, 80, {"spend_cap_percent": 90}])
    admin.put_org("globex", plan="pro", suspended=True)
    admin.put_org("initech", plan="starter", mode="shadow")
    admin.put_org("umbrella", plan="starter", overage=False)
    for number in range(30):
        admin.put_org(f"customer-{number:02}")
    admin.grant("umbrella", -19990, kind="correction")
    write_history(redis, "northwind", 17)
    tollgate.chat(admin.create_key("northwind")["key"], headers={"X-Agent-Id": "support"})


def anchor(days_ago):
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days_ago * 86400))


def run(directory):
    with ExitStack() as stack:
        def start(process):
            stack.callback(process.stop)
            return process

        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-"))
        redis = start(Redis(place))
        upstream = start(SampleUpstream(place))
        endpoint = payments.PaymentEndpoint(verdict="paid")
        tollgate = start(Tollgate(place, configuration(
            redis.url, upstream.address, plans=PLANS,
            payments={"webhook": {"url": f"http://{endpoint.address}/pay", "secret": payments.SECRET}})))
        prepare(tollgate, redis)
        screenshots = BUILD_DIR.parent / "screenshots"
        shutil.rmtree(screenshots, ignore_errors=True)
        screenshots.mkdir(parents=True)
        environment = {
            **os.environ,
            "CHROMIUM": shutil.which("chromium"),
            "TOLLGATE_URL": f"http://{tollgate.address}",
            "ADMIN_URL": f"http://{tollgate.admin.address}",
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "SCREENSHOTS": str(screenshots),
        }
        statuses = [subprocess.run(["node", "--test", test], cwd=directory, env=environment).returncode
                    for test in TESTS]
        charges = endpoint.of("shop")
        tollgate.verify()
        if [charge.verdict for charge in charges] != ["paid"] or endpoint.failures:
            print(f"the payment endpoint saw {charges} {endpoint.failures}")
            return 1
        return 1 if any(statuses) else 0


def main():
    missing = [tool for tool in ("node", "npm", "chromium") if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (deploy/install-packages.sh browser)")
        return 77
    raise_descriptor_limit()
    directory = BUILD_DIR / "browser"
    install(directory)
    return run(directory)


if __name__ == "__main__":
    sys.exit(main())
