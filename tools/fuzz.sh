#!/bin/sh
# Runs every fuzzer of tests/fuzz, with libFuzzer under ASan+UBSan, for a time each: tools/fuzz.sh [SECONDS]
#
# Option `fuzzers` builds tests/fuzz/<noun>.c to build-fuzz/tests/fuzz/fuzz-<noun>. New inputs are kept in
# build-fuzz/corpus/<noun>; those of tests/fuzz/corpus/<noun> are where it starts.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}

if [ ! -f build-fuzz/build.ninja ]; then
    CC=clang meson setup build-fuzz -Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
        -Dfuzzers=true -Dc_args=-fsanitize=fuzzer-no-link
fi
# Only they: with clang's sanitizers no shared library can be linked that leaves nothing undefined.
ninja -C build-fuzz $(ninja -C build-fuzz -t targets all | sed -n 's|^\(tests/fuzz/fuzz-[a-z_]*\): .*|\1|p')
passed=0 failed=0
for fuzzer in build-fuzz/tests/fuzz/fuzz-*; do
    [ -f "$fuzzer" ] && [ -x "$fuzzer" ] || continue
    noun=${fuzzer##*/fuzz-}
    found=build-fuzz/corpus/$noun
    mkdir -p "$found"
    set -- "$found"
    [ ! -d "tests/fuzz/corpus/$noun" ] || set -- "$@" "tests/fuzz/corpus/$noun"
    echo "== $noun, $seconds s"
    if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/$noun-" "$@" >"build-fuzz/$noun.log" 2>&1; then
        passed=$((passed + 1))
        grep -E 'stat::(number_of_executed_units|average_exec_per_sec)|DONE' "build-fuzz/$noun.log" || true
    else
        failed=$((failed + 1))
        tail -40 "build-fuzz/$noun.log"
    fi
done
[ $((passed + failed)) -gt 0 ] || { echo "no fuzzer was built"; failed=1; }
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
