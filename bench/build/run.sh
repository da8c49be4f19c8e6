#!/bin/bash
# How long does a build from scratch take? Builds this tree and an earlier revision, one after the other.
# Usage: bench/build/run.sh --before GIT_REVISION [--target NAME] [--jobs N] [--rounds N] [--batch N]
# Uses the release preset without ccache. The earlier revision gets a temporary worktree. With --rounds, the two
# alternate and the medians count. --batch: another TOLLGATE_BATCH for this tree.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

before='' target=tollgate jobs=$(nproc) rounds=1 batch=()
usage() { sed -n 's/^# Usage: /usage: /p' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || usage
  case "$1" in
    --before) before=$2 ;;
    --target) target=$2 ;;
    --jobs) jobs=$2 ;;
    --rounds) rounds=$2 ;;
    --batch) batch=("-DTOLLGATE_BATCH=$2") ;;
    *) usage ;;
  esac
  shift 2
done
[ -n "$before" ] || usage

work=$(mktemp -d)
clean_up() {
  git -C "$root" worktree remove --force "$work/tree" 2>/dev/null || true
  rm -rf "$work"
  git -C "$root" worktree prune
}
trap clean_up EXIT
trap 'exit 130' INT TERM
git -C "$root" worktree add --quiet --detach "$work/tree" "$before"

export CCACHE_DISABLE=1
TIMEFORMAT='%R %U %S'

# measure NAME SOURCES [OPTION...]: appends "wall user system" to the measurements of NAME.
measure() {
  local name=$1 sources=$2 build=$work/build-$1
  shift 2
  rm -rf "$build"
  (cd "$sources" && cmake --preset release -B "$build" "$@") >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  { time cmake --build "$build" -j"$jobs" --target "$target" >"$work/log" 2>&1 || touch "$work/failed"; } 2>>"$work/$name"
  if [ -e "$work/failed" ]; then cat "$work/log" >&2; exit 1; fi
  echo "  $name: $(tail -n1 "$work/$name") (wall, user, system)" >&2
}

for round in $(seq "$rounds"); do
  measure before "$work/tree"
  measure now "$root" "${batch[@]}"
done

# median NAME EXPRESSION: of the fields $1 (wall), $2 (user), $3 (system).
median() {
  awk "{ print $2 }" "$work/$1" | sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'
}
report() {
  awk -v name="$1" -v before="$(median before "$2")" -v now="$(median now "$2")" -v bar=0.45 -v aim=0.33 'BEGIN {
    ratio = now / before
    verdict = ratio <= aim ? "aim met" : ratio <= bar ? "met" : "NOT MET"
    printf "| %s | %.0f s | %.0f s | %.2f | ≤ %s | %s | %s |\n", name, before, now, ratio, bar, aim, verdict }'
}
echo "| release build of $target | before | now | ratio | bar | aim | |"
echo "|---|--:|--:|--:|--:|--:|---|"
report "wall, -j$jobs" '$1'
report "CPU" '$2 + $3'
echo
echo "before: $(git -C "$root" log -1 --format='%h %s' "$before"). $(nproc) cores, $(c++ --version | head -n1)."
