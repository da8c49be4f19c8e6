#!/bin/sh
# Compares what bodies are priced by with what the readers of upstreams see in them: tests/readers/README.md.
# Usage: tests/readers/run.sh [--seconds N | --minutes N] [--seed N] [--cases N] [--readers python,node,c,go,java,rust]
# All readers are shown every body: `tests/readers/run.sh --minutes 30` is half an hour of each.
set -eu
cd "$(dirname "$0")/../.."
cmake --preset release >/dev/null
cmake --build --preset release --target readers_price
TOLLGATE_READERS_PRICE=build/release/tests/readers/readers_price exec python3 -B tests/readers/run.py "$@"
