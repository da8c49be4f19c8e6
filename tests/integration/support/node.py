"""Scripts for Node.js, with the packages that a lock file names, from whatever registry npm is configured with.

Debian's own programs run them: they are called by their path, so that another installed Node.js does not
hide scripts that Debian's cannot run.
"""
import shutil
import subprocess
import sys
from pathlib import Path

from support.process import raise_descriptor_limit

SKIPPED = 77  # the exit status that ctest treats as a skip


def program(name):
    """Debian's, or the first one on the PATH; None if there is none."""
    debians = Path("/usr/bin") / name
    return str(debians) if debians.exists() else shutil.which(name)


def run_script(script, directory, environment, **options):
    """Runs `node --test`; returns its exit status."""
    return subprocess.run([program("node"), "--test", script], cwd=directory, env=environment, **options).returncode


def install(scripts, package, directory):
    """Exactly the versions in `package` (a package.json) and the lock file beside it; a package that this Node.js does
    not support is an error. node looks for modules beside the importing script, so the scripts are copied there too."""
    lock = package.with_name("package-lock.json")
    directory.mkdir(parents=True, exist_ok=True)
    for script in scripts:
        shutil.copy(script, directory)
    stamp = directory / "installed"
    wanted = "\n".join([version_of("node"), package.read_text(), lock.read_text()])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    stamp.unlink(missing_ok=True)
    for file in (package, lock):
        shutil.copy(file, directory)
    subprocess.run([program("npm"), "ci", "--engine-strict", "--ignore-scripts", "--no-audit", "--no-fund",
                    "--no-update-notifier"], cwd=directory, check=True)
    stamp.write_text(wanted)


def version_of(name):
    path = program(name)
    # wrk reports it with exit status 1.
    said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return f"{path} {said.strip().splitlines()[0]}"


def main(run, tools, packages):
    """`run()` returns an exit status. If a tool is missing, names the package group that contains it."""
    missing = [tool for tool in tools if not program(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (deploy/install-packages.sh {packages})")
        sys.exit(SKIPPED)
    print("with " + ", ".join(version_of(tool) for tool in tools), flush=True)
    raise_descriptor_limit()
    sys.exit(run())
