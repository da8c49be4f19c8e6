#!/bin/sh
# The benchmarks, Tollgate and its peers side by side in one run.
# Usage: bench/run.sh [--quick] [--json FILE] [--only CONTENDER...]
# Installs what is missing and builds the release preset first.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/deploy/install-packages.sh" build run bench
(cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --target tollgate >&2)

TOLLGATE_BUILD_DIR="$root/build/release" exec python3 -B "$root/bench/overhead/run.py" "$@"
