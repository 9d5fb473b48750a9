#!/bin/sh
# The unit, golden and fuzz tests under ASan+UBSan, then under TSan. The last line is `N passed, N failed, N skipped`.
set -eu
cd "$(dirname "$0")/.."
. tools/test-functions.sh

build_in build-asan $asan_options
build_in build-tsan -Ddebug=true -Doptimization=1 -Db_sanitize=thread -Db_lundef=false

test_in build-asan $(no_suites $plain_suites)
# TSan needs the address layout it was made for: no randomisation of more bits than it expects.
runner="setarch $(uname -m) -R"
test_in build-tsan $(no_suites $plain_suites fuzz)

summarize build-asan build-tsan
