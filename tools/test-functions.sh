# What the test scripts share; read by `.`, from the root of the repository.

# Suites that look at the sources, at the installed headers or at the machine; `plain` is for a unit test that cannot
# run under sanitizers, `kernel` for tests that other kernels repeat.
plain_suites="law headers tools system scenarios plain windows"
asan_options="-Ddebug=true -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false"
runner=
host=
. tools/netns-folder.sh

# An absurd size has to fail as it does in production: with NULL.
stop=halt_on_error=1:allocator_may_return_null=1
export ASAN_OPTIONS=$stop:abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
export TSAN_OPTIONS=$stop:second_deadlock_stack=1

# build_in FOLDER [meson setup option ...]: a build that fails is a failed test. In CI warnings of the plain build are
# errors; what sanitizers add to the code makes compilers warn of what is not there.
build_in() {
    folder=$1
    shift
    if { [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@"; } &&
        { [ -z "${CI-}" ] || [ "$folder" != build ] || meson configure build -Dwerror=true; } &&
        ninja -C "$folder"; then
        return
    fi
    echo "The build in $folder failed; its message is above."
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
}

# test_in FOLDER [meson test option ...]: the results go to FOLDER/meson-logs/testlog.json
test_in() {
    folder=$1
    shift
    rm -f "$folder/meson-logs/testlog.json"
    # Half of the time the tests of the running kernel wait for timers. The timeouts are for a machine that does nothing
    # else.
    $runner meson test -C "$folder" --no-rebuild --num-processes $(($(nproc) * 3 / 2)) --timeout-multiplier 4 "$@" ||
        true
}

# watch_host: summarize() will fail the run when it leaves anything behind. Only where nobody else changes the host.
watch_host() {
    if [ -n "${CI-}" ] && [ "$(id -u)" -eq 0 ]; then
        netns_folder_note
        tools/verify-clean.sh >build/host-before
        host="--host build/host-before build/host-after"
    fi
}

suites() {
    printf -- '--suite %s ' "$@"
}

no_suites() {
    printf -- '--no-suite %s ' "$@"
}

# summarize FOLDER ...: prints the totals of the last runs there and ends this script
summarize() {
    for second in 1 2 3 4 5; do  # a killed process leaves its cgroup a moment later
        [ -n "$host" ] || break
        netns_folder_give_back
        tools/verify-clean.sh >build/host-after
        diff build/host-before build/host-after | grep -q '^>' || break
        sleep 1
    done
    logs=
    for folder; do
        logs="$logs $folder/meson-logs/testlog.json"
    done
    exec python3 tools/test-summary.py $host $logs
}
