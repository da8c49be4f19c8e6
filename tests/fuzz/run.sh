#!/usr/bin/env bash
# Builds the fuzz targets (clang) and runs each for SECONDS: tests/fuzz/run.sh [seconds]
# What is found is left in build/fuzz/findings/TARGET; what is learnt, in build/fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
command -v clang++ >/dev/null || { echo "tests/fuzz/run.sh: clang++ is needed (apt-get install clang)" >&2; exit 1; }

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzzers

failed=0
for source in tests/fuzz/*_fuzz.cpp; do
  name=$(basename "$source" _fuzz.cpp)
  corpus=build/fuzz/corpus/$name findings=build/fuzz/findings/$name
  mkdir -p "$corpus" "$findings"
  # Hand-written examples, where there are any, are the first corpus. Those that are no text, a script
  # writes.
  [ ! -f "tests/fuzz/seeds/$name.py" ] || python3 "tests/fuzz/seeds/$name.py" "$corpus"
  case "$name" in ogg | flac | matroska) python3 tests/fuzz/audio_seeds.py "$name" "$corpus" ;; esac
  seeds=(); [ -d "tests/fuzz/seeds/$name" ] && seeds=("tests/fuzz/seeds/$name")
  echo "== $name, $seconds s"
  if ! "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
      -artifact_prefix="$findings/" -print_final_stats=1 "$corpus" "${seeds[@]}" \
      >"$findings/log" 2>&1; then
    failed=1
    tail -n 40 "$findings/log"
  else
    grep -E '^stat::number_of_executed_units' "$findings/log"
  fi
done
exit $failed
