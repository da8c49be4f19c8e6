"""Runs the official SDKs through Tollgate to the sample upstream, the verifier of Standard Webhooks, and Stripe's
library, which signs the events that Tollgate takes.

Installs the SDKs that package-lock.json names into the build directory,
starts the stack, and runs `node --test`. Exit status 77 (a skip for ctest): no Node.js here.
"""
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support.node import install, main, run_script  # noqa: E402
from support.process import BUILD_DIR, Redis  # noqa: E402
from support.stripe import SECRET, StripeLike  # noqa: E402
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration, shipped_configuration  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

TESTS = ["openai.test.mjs", "openai-audio.test.mjs", "anthropic.test.mjs", "webhooks.test.mjs",
         "stripe.test.mjs"]
SHARED = ["support.mjs", "audio.mjs"]


def run():
    directory = BUILD_DIR / "clients"
    install([HERE / name for name in TESTS + SHARED], HERE / "package.json", directory)
    with ExitStack() as stack:
        def start(process):
            stack.callback(process.stop)
            return process

        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-"))
        redis = start(Redis(place))
        upstream = start(SampleUpstream(place))
        tollgate = start(Tollgate(place, shipped_configuration(redis.url, upstream.address)))
        # The shipped configuration calls nobody on this machine, so this one keeps books of its own.
        messenger = start(Tollgate(place, configuration(
            start(Redis(place, "webhooks-redis")).url, upstream.address,
            plans={"starter": {"credits": 20000, "overage_usd": 0.02}},
            webhooks={"allow_http": True, "allow_private": True}), "messenger"))
        # And this one has its credits paid for.
        stripe = start(StripeLike())
        seller = start(Tollgate(place, configuration(
            start(Redis(place, "stripe-redis")).url, upstream.address,
            plans={"starter": {"credits": 20000, "overage_usd": 0.02}},
            payments={"stripe": {"url": f"http://{stripe.address}", "secret_key": stripe.secret_key,
                                 "webhook_secret": SECRET}}), "seller"))
        environment = {
            **os.environ,
            "TOLLGATE_URL": f"http://{tollgate.address}",
            "UPSTREAM_URL": f"http://{upstream.address}",
            "RICH_KEY": tollgate.admin.new_customer("rich", credits=10_000),
            "POOR_KEY": tollgate.admin.new_customer("poor", credits="0.5"),
            "AUDIO_KEY": tollgate.admin.new_customer("audio", credits=1_000),
            "ADMIN_URL": f"http://{messenger.admin.address}/admin/v1",
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "SELLER_URL": f"http://{seller.address}",
            "SELLER_ADMIN_URL": f"http://{seller.admin.address}/admin/v1",
            "STRIPE_WEBHOOK_SECRET": SECRET,
        }
        # One after the other: they count what reaches the upstream, and node would run them at once.
        statuses = [run_script(test, directory, environment)
                    for test in TESTS]
        tollgate.verify()
        seller.verify()
        return 1 if any(statuses) else 0


if __name__ == "__main__":
    main(run, ("node", "npm"), "clients")
