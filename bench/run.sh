#!/bin/sh
# The benchmarks: Tollgate and its peers side by side in one run, the figures that a release has to meet, the
# allocations of a call, and the meter's share of the CPU.
# Usage: bench/run.sh [--quick] [--json FILE] [--before PROGRAM] [--rounds N] [--seconds S]
#                     [--organizations N...] [--only CONTENDER...] [--questions NAME...]
# Installs what is missing and builds the release preset first. With --only or --questions, only contenders run.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/deploy/install-packages.sh" build run bench audio
(cd "$root" && cmake --preset release >/dev/null &&
  cmake --build --preset release --target tollgate bench_open_loop bench_count_allocations >&2)

export TOLLGATE_BUILD_DIR="$root/build/release"
python3 -B "$root/bench/overhead/run.py" "$@"
case " $* " in *" --only "* | *" --questions "*) exit ;; esac

quick='' before=''
while [ $# -gt 0 ]; do
  case "$1" in
    --quick) quick=--quick ;;
    --before) before=$2 ;;
    --before=*) before=${1#--before=} ;;
  esac
  shift
done
echo
python3 -B "$root/bench/allocations/run.py" $quick ${before:+--before "$before"}
echo
python3 -B "$root/bench/meter_share/run.py" $quick
