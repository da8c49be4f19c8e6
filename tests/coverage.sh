#!/bin/bash
# Prints how many lines of proxy/gateway the unit tests of the data plane run, file by file and in all.
# Builds in build/coverage, of which only the gateway is built for counting.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release -B build/coverage -DTOLLGATE_COVERAGE=ON > /dev/null
cmake --build build/coverage --target unit_gateway -j "$(nproc)" > build/coverage/build.log ||
  { tail -50 build/coverage/build.log >&2; exit 1; }
find build/coverage -name '*.gcda' -delete
build/coverage/tests/unit_gateway --gtest_brief=1
exec python3 -B tests/coverage.py build/coverage
