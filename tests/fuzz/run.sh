#!/usr/bin/env bash
# Builds the fuzz targets (clang) and runs each, or those that are named, for SECONDS, as many at a time as there are
# processors; 0: builds them only.
#
#     tests/fuzz/run.sh [seconds] [target...]      tests/fuzz/run.sh 600 ogg flac
#
# What is found is left in build/fuzz/findings/TARGET; what is learnt, in build/fuzz/corpus/TARGET.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-30}
shift || true
command -v clang++ >/dev/null || { echo "tests/fuzz/run.sh: clang++ is needed (deploy/install-packages.sh fuzz)" >&2; exit 1; }

targets=("$@")
if [ ${#targets[@]} = 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" _fuzz.cpp)"); done
fi
for name in "${targets[@]}"; do
  [ -f "tests/fuzz/${name}_fuzz.cpp" ] || { echo "tests/fuzz/run.sh: there is no target '$name'" >&2; exit 2; }
done

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j2 --target "${targets[@]/#/fuzz_}"
[ "$seconds" != 0 ] || exit 0

# Hand-written examples, where there are any, are the first corpus. Those that are no text, a script
# writes.
write_seeds() {
  local name=$1 corpus=$2
  [ ! -f "tests/fuzz/seeds/$name.py" ] || python3 "tests/fuzz/seeds/$name.py" "$corpus"
  case "$name" in ogg | flac | matroska | program_stream) python3 tests/fuzz/audio_seeds.py "$name" "$corpus" ;; esac
}

fuzz() {
  local name=$1 corpus=build/fuzz/corpus/$1 findings=build/fuzz/findings/$1 seeds=() executed
  mkdir -p "$corpus" "$findings"
  write_seeds "$name" "$corpus"
  [ ! -d "tests/fuzz/seeds/$name" ] || seeds=("tests/fuzz/seeds/$name")
  if "build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
      -artifact_prefix="$findings/" -print_final_stats=1 "$corpus" "${seeds[@]}" \
      >"$findings/log" 2>&1; then
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$findings/log")
    printf '%-16s %5d s %12d executions, no finding\n' "$name" "$seconds" "$executed"
  else
    tail -n 40 "$findings/log"
    printf '%-16s a FINDING, see %s\n' "$name" "$findings"
    return 1
  fi
}

# One for each processor at a time.
failed=0 running=0
for name in "${targets[@]}"; do
  if [ "$running" = "$(nproc)" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  fuzz "$name" &
  running=$((running + 1))
done
for ((; running > 0; running--)); do wait -n || failed=1; done
exit $failed
