#!/bin/sh
# `make bench` and `make bench-quick`, and what bench/bench.py does beside them.
#
#   tools/bench.sh [--quick | run OPTION... | compare A B | targets FILE | table FILE | publish FILE |
#                    plot FILE OUT.svg]
set -eu
cd "$(dirname "$0")/.."
case ${1-} in
'' | -*)
    set -- run "$@"
    ;;
esac
if [ "$1" = run ]; then
    # The peers' libraries may have come after the build folder.
    [ -x build/bench/nfqueue ] || meson setup --reconfigure build >/dev/null
    ninja -C build >/dev/null
fi
RINGWALL_BUILD=$PWD/build exec python3 bench/bench.py "$@"
