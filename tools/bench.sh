#!/bin/sh
# `make bench` and `make bench-quick`, and what bench/bench.py does beside them.
#
#   tools/bench.sh [--quick | run OPTION... | compare A B | targets FILE | table FILE | plot FILE OUT.svg]
set -eu
cd "$(dirname "$0")/.."
case ${1-} in
'' | -*)
    set -- run "$@"
    ;;
esac
[ "$1" != run ] || ninja -C build >/dev/null
RINGWALL_BUILD=$PWD/build exec python3 bench/bench.py "$@"
