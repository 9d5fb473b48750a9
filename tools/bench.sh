#!/bin/sh
# `make bench` and `make bench-quick`: Ringwall against the plain kernel, in one run (bench/quick.py says how).
#
#   tools/bench.sh [--quick] [OPTION of bench/quick.py]...
set -eu
cd "$(dirname "$0")/.."
rounds=31
if [ "${1-}" = --quick ]; then
    rounds=15
    shift
fi
ninja -C build >/dev/null
RINGWALL_BUILD=$PWD/build exec python3 bench/quick.py --rounds "$rounds" "$@"
