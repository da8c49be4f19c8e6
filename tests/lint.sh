#!/bin/bash
# Checks the form of the C++: clang-format on the whole tree, clang-tidy on the lines that have changed since a revision.
# clang-tidy on everything takes an hour (it reads Asio and Beast again for each file), so continuous integration looks
# at the last commit.
# Usage: tests/lint.sh [--since REVISION] [--all]
set -uo pipefail
cd "$(dirname "$0")/.."

since=HEAD~1
most_files=3  # of a commit that touches more, the rest is left to --all
patience=240s  # a slow machine is no fault
all=no
while [ $# -gt 0 ]; do
  case "$1" in
    --since) since=$2; shift 2 ;;
    --all) all=yes; shift ;;
    *) echo "usage: tests/lint.sh [--since REVISION] [--all]" >&2; exit 2 ;;
  esac
done

directories=(proxy quota routes config tests bench deploy)
mapfile -t sources < <(find "${directories[@]}" -name build -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print | sort)
clang-format --dry-run -Werror "${sources[@]}" || { echo "format: clang-format -i mends the lines above"; exit 1; }
echo "format: ${#sources[@]} files as .clang-format has them"

commands=build/release/compile_commands.json
[ -f "$commands" ] || { echo "clang-tidy: no $commands; run cmake --preset release first"; exit 1; }
if [ "$all" = yes ]; then
  find proxy quota routes config -name '*.cpp' -print0 | xargs -0 -P2 -n1 clang-tidy -p build/release --quiet \
    --warnings-as-errors='*'
  exit
fi
git rev-parse -q --verify "$since" >/dev/null || { echo "clang-tidy: no revision $since to compare with"; exit 0; }
mapfile -t changed < <(git diff --name-only --diff-filter=AM "$since" -- '*.cpp' | grep -E '^(proxy|quota|routes|config)/' |
  head -n "$most_files")
[ ${#changed[@]} -gt 0 ] || { echo "clang-tidy: no source has changed since $since"; exit 0; }
git diff -U0 "$since" -- "${changed[@]}" | timeout "$patience" clang-tidy-diff-14.py -p1 -path build/release -j2 -quiet \
  >build/clang-tidy.txt 2>&1
[ $? -ne 124 ] || echo "clang-tidy: stopped after $patience"
# Only what it says of our own files: its analyzer also reports what coroutines make of the headers of Asio.
if grep -E "^($PWD/)?(proxy|quota|routes|config)/[^:]*:[0-9]+:[0-9]+: (warning|error): " build/clang-tidy.txt; then
  exit 1
fi
echo "clang-tidy: nothing in the lines of ${#changed[@]} files that have changed since $since"
