#!/bin/sh
# Builds and runs the test suite. The last line is `N passed, N failed, N skipped`; exit 1 when anything failed.
#
# Two builds: ASan+UBSan for the unit, golden and fuzz tests, a plain one for the suites named in test-functions.sh.
set -eu
cd "$(dirname "$0")/.."
. tools/test-functions.sh

build_in build
build_in build-asan $asan_options

watch_host
test_in build-asan $(no_suites $plain_suites)
test_in build $(suites $plain_suites)

summarize build-asan build
