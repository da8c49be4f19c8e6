"""Runs the official SDKs through Tollgate to the sample upstream, and the verifier of Standard Webhooks.

Installs the SDKs with npm (from whatever registry it is configured with) into the build directory,
starts the stack, and runs `node --test`. Exit status 77 (a skip for ctest): no Node.js here.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from support.process import BUILD_DIR, Redis, raise_descriptor_limit  # noqa: E402
from support.tollgate import ADMIN_TOKEN, Tollgate, configuration, shipped_configuration  # noqa: E402
from support.upstream import SampleUpstream  # noqa: E402

TESTS = ["openai.test.mjs", "openai-audio.test.mjs", "anthropic.test.mjs", "webhooks.test.mjs"]
SHARED = ["support.mjs", "audio.mjs"]


def install(directory):
    """node looks for modules beside the script that imports them, so the scripts move there too."""
    directory.mkdir(parents=True, exist_ok=True)
    for script in [*TESTS, *SHARED]:
        shutil.copy(HERE / script, directory)
    wanted, stamp = HERE / "package.json", directory / "installed.json"
    if stamp.exists() and stamp.read_bytes() == wanted.read_bytes():
        return
    shutil.copy(wanted, directory)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                    "--ignore-scripts", "--no-update-notifier"], cwd=directory, check=True)
    shutil.copy(wanted, stamp)


def run(directory):
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
        environment = {
            **os.environ,
            "TOLLGATE_URL": f"http://{tollgate.address}",
            "UPSTREAM_URL": f"http://{upstream.address}",
            "RICH_KEY": tollgate.admin.new_customer("rich", credits=10_000),
            "POOR_KEY": tollgate.admin.new_customer("poor", credits="0.5"),
            "AUDIO_KEY": tollgate.admin.new_customer("audio", credits=1_000),
            "ADMIN_URL": f"http://{messenger.admin.address}/admin/v1",
            "ADMIN_TOKEN": ADMIN_TOKEN,
        }
        # One after the other: they count what reaches the upstream, and node would run them at once.
        statuses = [subprocess.run(["node", "--test", test], cwd=directory, env=environment).returncode
                    for test in TESTS]
        tollgate.verify()
        return 1 if any(statuses) else 0


def main():
    missing = [tool for tool in ("node", "npm") if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (deploy/install-packages.sh clients)")
        return 77
    raise_descriptor_limit()
    directory = BUILD_DIR / "clients"
    install(directory)
    return run(directory)


if __name__ == "__main__":
    sys.exit(main())
