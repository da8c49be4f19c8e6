"""Scripts for Node.js, with the packages that a lock file names, from whatever registry npm is configured with.

Debian's own programs run them: they are called by their path, so that a Node.js that somebody installed
elsewhere does not hide what Debian's cannot run.
"""
import shutil
import subprocess
import sys
from pathlib import Path

from support.process import raise_descriptor_limit

SKIPPED = 77  # an exit status that ctest takes for a skip


def program(name):
    """Debian's, or the first one on the PATH; None where there is none."""
    debians = Path("/usr/bin") / name
    return str(debians) if debians.exists() else shutil.which(name)


def run_script(script, directory, environment, **options):
    """`node --test`; gives its exit status."""
    return subprocess.run([program("node"), "--test", script], cwd=directory, env=environment, **options).returncode


def install(scripts, package, directory):
    """Exactly what `package` (a package.json) and the lock file beside it say; a package that this Node.js
    does not support is an error. node looks for modules beside the script that imports them, so the
    scripts move there too."""
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
    # wrk says it with exit status 1.
    said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    return f"{path} {said.strip().splitlines()[0]}"


def main(run, tools, packages):
    """`run()` gives an exit status. Where a tool is missing, says which group of packages has it."""
    missing = [tool for tool in tools if not program(tool)]
    if missing:
        print(f"skipped: no {' and no '.join(missing)} here (deploy/install-packages.sh {packages})")
        sys.exit(SKIPPED)
    print("with " + ", ".join(version_of(tool) for tool in tools), flush=True)
    raise_descriptor_limit()
    sys.exit(run())
