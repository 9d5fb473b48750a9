#!/bin/sh
# Builds and runs the test suite. The last line is `N passed, N failed, N skipped`; exit 1 when anything failed.
#
# Two builds: ASan+UBSan for the unit, golden and fuzz tests, a plain one for what looks at the sources, at the
# installed headers or at the machine (suites law, headers, system). Suite `plain` is for a unit test that cannot run
# under sanitizers.
set -eu
cd "$(dirname "$0")/.."

plain_suites="law headers system plain"
[ -n "${CI-}" ] && werror=true || werror=false

# test_in FOLDER [meson test option ...]: the results go to FOLDER/meson-logs/testlog.json
test_in() {
    folder=$1
    shift
    rm -f "$folder/meson-logs/testlog.json"
    meson test -C "$folder" --no-rebuild --num-processes "$(nproc)" "$@" || true
}

# build_in FOLDER [meson setup option ...]: a build that fails is a failed test
build_in() {
    folder=$1
    shift
    if { [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@"; } &&
        { [ $werror = false ] || meson configure "$folder" -Dwerror=true; } &&
        ninja -C "$folder"; then
        return
    fi
    echo "The build in $folder failed; its message is above."
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}

build_in build
build_in build-asan -Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false

with= without=
for suite in $plain_suites; do
    with="$with --suite $suite"
    without="$without --no-suite $suite"
done
export ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
test_in build-asan $without
test_in build $with

exec python3 tools/test-summary.py build-asan/meson-logs/testlog.json build/meson-logs/testlog.json
