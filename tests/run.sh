#!/bin/bash
# Installs what is missing, builds, and runs every test: black-box tests with a real Redis, the official SDKs, the
# dashboard in a browser, audio meters against ffmpeg, the units under AddressSanitizer and UBSan, and every fuzzer
# for a few seconds (tests/fuzz/run.sh runs them for longer). Without sanitizers the units are run in the release build.
# Usage: tests/run.sh [--no-sanitizers]
set -uo pipefail
cd "$(dirname "$0")/.."

sanitizers=yes
case "${1:-}" in
  "") ;;
  --no-sanitizers) sanitizers=no ;;
  *) echo "usage: tests/run.sh [--no-sanitizers]" >&2; exit 2 ;;
esac

summary=()
failed=0

# step NAME COMMAND...: runs it, and remembers how it ended and how long it took.
step() {
  local name=$1 began=$SECONDS result=passed
  shift
  printf '\n=== %s\n' "$name"
  "$@" || { result=FAILED; failed=1; }
  summary+=("$(printf '  %-7s %4d s  %s' "$result" $((SECONDS - began)) "$name")")
  [ "$result" = passed ]
}

# Units are built once, with sanitizers where these are wanted: to compile them twice would take minutes more.
build_release() {
  local units=OFF
  [ "$sanitizers" = yes ] || units=ON
  cmake --preset release -DTOLLGATE_UNIT_TESTS=$units && cmake --build --preset release
}
test_release() { ctest --preset release -j4; }  # places, not processors: tests/CMakeLists.txt

# Only the units: black-box tests measure time and memory, which sanitizers change. Built quickly: the preset by itself
# has every check of UBSan, and compiles each source alone.
build_sanitized() {
  local targets=()
  for each in tests/unit/*/; do targets+=("unit_$(basename "$each")"); done
  cmake --preset dev -DTOLLGATE_SANITIZE_QUICKLY=ON -DTOLLGATE_BATCH=8 && cmake --build --preset dev -j2 --target "${targets[@]}" &&
    tests/fuzz/run.sh 0
}
test_dev() { ctest --preset dev -j4 -R '^unit_' -E unit_gateway; }  # that one is built with the release

# The black-box tests mostly wait. A build at the lowest priority takes what they leave of the processors.
build_beside_the_tests() {
  mkdir -p build
  set -m  # it leads a group of processes: one name for all of them
  (renice -n 19 "$BASHPID" >/dev/null; build_sanitized) >build/sanitizers.log 2>&1 &
  sanitized=$!
  set +m
  trap 'kill -- "-$sanitized" 2>/dev/null' EXIT
}
wait_for_build() {
  renice -n 0 -g "$sanitized" >/dev/null 2>&1  # refused without the right to; then it stays slow
  wait "$sanitized" || { tail -n 60 build/sanitizers.log; return 1; }
}

# Enough to find what every input of some kind runs into, and that a target still builds and runs.
seconds_to_fuzz=3

if step "install packages" deploy/install-packages.sh build run test clients browser audio readers fuzz lint &&
   step "build (release)" build_release; then
  step "format and clang-tidy" tests/lint.sh
  [ "$sanitizers" = no ] || build_beside_the_tests
  step "all tests (release)" test_release
  if [ "$sanitizers" = yes ] && step "build (sanitizers), beside the tests and after them" wait_for_build; then
    step "unit tests (sanitizers)" test_dev
    step "fuzzers (sanitizers), $seconds_to_fuzz s each" tests/fuzz/run.sh "$seconds_to_fuzz"
  fi
fi

printf '\n=== summary\n'
printf '%s\n' "${summary[@]}"
[ "$failed" = 0 ] && echo "all passed, $SECONDS s" || echo "FAILED, $SECONDS s"
exit "$failed"
