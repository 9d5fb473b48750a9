#!/bin/sh
# Line coverage of the unit tests, by room. FLOOR (percent, default 85) is for the rooms of levels 0 to 2.
set -eu
cd "$(dirname "$0")/.."
. tools/test-functions.sh

build_in build-coverage -Ddebug=true -Doptimization=0 -Db_coverage=true
find build-coverage -name '*.gcda' -exec rm {} +
test_in build-coverage $(no_suites law headers system)
exec python3 tools/coverage.py build-coverage "${FLOOR:-85}"
