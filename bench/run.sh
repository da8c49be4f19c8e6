#!/bin/sh
# The benchmarks: Tollgate and its peers side by side in one run, then the meter's share of its CPU.
# Usage: bench/run.sh [--quick] [--json FILE] [--only CONTENDER...] [--before PROGRAM] [--rounds N] [--seconds S]
# Installs what is missing and builds the release preset first. With --only, only contenders run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/deploy/install-packages.sh" build run bench audio
(cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release --target tollgate >&2)

export TOLLGATE_BUILD_DIR="$root/build/release"
python3 -B "$root/bench/overhead/run.py" "$@"
case " $* " in
  *" --only "*) ;;
  *" --quick "*) python3 -B "$root/bench/meter_share/run.py" --quick ;;
  *) python3 -B "$root/bench/meter_share/run.py" ;;
esac
