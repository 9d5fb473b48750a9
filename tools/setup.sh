#!/bin/sh
# Installs what Ringwall needs on Debian: only what is missing, and says what. Quick when nothing is missing.
#
#   tools/setup.sh [--list | --check] [purpose ...]       purposes: build run test kernels windows bench
#
# Without a purpose: build.
#
#   --list    print the packages of the purposes, one a line
#   --check   install nothing; exit 1 and name what is missing
set -eu

packages() {
    case $1 in
    build)
        # gcc and libc headers; BPF compiler and skeleton generator; the libraries of docs/decisions/0004-libraries.md
        echo build-essential meson ninja-build pkg-config python3 clang llvm bpftool linux-libc-dev
        echo libbpf-dev libsystemd-dev libsqlite3-dev libjansson-dev libseccomp-dev libcmocka-dev
        ;;
    test)
        packages build
        # namespaces, packet rules, processes, traffic for the system suite; libclang-rt: the fuzzing run-time; mingw:
        # portable rooms and headers have to compile for Windows
        echo iproute2 nftables procps util-linux iputils-ping curl btrfs-progs
        echo clang-format libclang-rt-dev man-db gcc-mingw-w64-x86-64 gcc-mingw-w64-i686
        ;;
    run)
        packages build
        echo iproute2 util-linux procps curl
        ;;
    kernels)
        packages test
        echo qemu-system-x86 busybox-static cpio xz-utils
        ;;
    windows)
        packages build
        # compiler; what loads drivers in the test bed; static analysis; signing; for the comparison with Linux
        echo gcc-mingw-w64-x86-64 wine64 cppcheck osslsigncode openssl iproute2
        ;;
    bench)
        packages build
        # peers to compare with and public load generators; fonts and librsvg: the plot as PNG
        echo iproute2 nftables iptables procps util-linux libnetfilter-queue-dev apache2-utils wrk
        echo librsvg2-bin fonts-dejavu-core
        ;;
    *)
        fail "unknown purpose '$1'; known: build run test kernels windows bench"
        ;;
    esac
}

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Prints those of the arguments that are not installed.
missing_of() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        awk -v wanted="$*" '
            $1 == "installed" { have[$2] = 1 }
            END {
                count = split(wanted, name, " ")
                for (i = 1; i <= count; i++)
                    if (!(name[i] in have)) printf "%s ", name[i]
            }'
}

# Runs apt-get as root. A question would hang a run without a terminal: sudo may only ask when there is one.
apt() {
    if [ "$(id -u)" -eq 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
    elif [ -t 0 ]; then
        sudo DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
    else
        sudo -n DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 "$@"
    fi
}

update_lists() {
    echo "setup: refreshing the package lists"
    apt update -q || echo "setup: apt-get update failed; trying with the lists at hand" >&2
    updated=yes
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        fail "these packages are missing and this is not Debian (no apt-get): $*
       Install what corresponds to them, then run this again."
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        fail "these packages are missing, and installing them needs root or sudo: $*
       As root: apt-get install --no-install-recommends $*"
    fi
    if [ "$(id -u)" -ne 0 ] && ! [ -t 0 ] && ! sudo -n true; then
        fail "these packages are missing, and sudo would ask for a password where nobody can answer: $*"
    fi
    echo "setup: installing $*"
    updated=no
    apt-cache show "$@" >/dev/null 2>&1 || update_lists
    apt install -q -y --no-install-recommends "$@" && return
    if [ $updated = no ]; then  # the lists may be older than what the mirror still serves
        update_lists
        apt install -q -y --no-install-recommends "$@" && return
    fi
    fail "apt-get could not install: $*
       Its own message is above. Check the network and /etc/apt/sources.list*, then run this again."
}

action=install
case ${1-} in
--list | --check)
    action=${1#--}
    shift
    ;;
-*)
    fail "unknown option '$1'; usage: tools/setup.sh [--list | --check] [purpose ...]"
    ;;
esac
[ $# -gt 0 ] || set -- build

wanted=
for purpose; do
    list=$(packages "$purpose")
    wanted="$wanted $list"
done
wanted=$(printf '%s\n' $wanted | sort -u)

if [ $action = list ]; then
    printf '%s\n' $wanted
    exit 0
fi
command -v dpkg-query >/dev/null || fail "not Debian (no dpkg-query); needed, by Debian names:" $wanted
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0
[ $action = install ] || fail "missing: $missing"
install_packages $missing
