"""Scripts for Node.js, with the packages they need from whatever registry npm is configured with."""
import shutil
import subprocess
import sys

from support.process import raise_descriptor_limit

SKIPPED = 77  # an exit status that ctest takes for a skip


def install(scripts, package, directory):
    """node looks for modules beside the script that imports them, so the scripts move there too."""
    directory.mkdir(parents=True, exist_ok=True)
    for script in scripts:
        shutil.copy(script, directory)
    stamp = directory / "installed.json"
    if stamp.exists() and stamp.read_bytes() == package.read_bytes():
        return
    shutil.copy(package, directory)
    subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
                    "--ignore-scripts", "--no-update-notifier"], cwd=directory, check=True)
    shutil.copy(package, stamp)


def main(run, tools, packages):
    """`run()` gives an exit status. Where a tool is missing, says which group of packages has it."""
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (deploy/install-packages.sh {packages})")
        sys.exit(SKIPPED)
    raise_descriptor_limit()
    sys.exit(run())
