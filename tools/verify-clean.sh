#!/bin/sh
# Prints what a firewall could leave on this host, in a form that two runs can be compared by: as root,
#
#   tools/verify-clean.sh >before; ...; tools/verify-clean.sh | diff before -
#
# No numbers that change by themselves (ids, counters), and nothing of what systemd makes and removes at any time.
set -u
PATH=$PATH:/usr/sbin:/sbin

# label LABEL: its input, sorted, a line each
label() {
    sort | sed "s|^|$1 |"
}

# objects KIND: bpftool's list without the ids; names that begin with sd_ are systemd's
objects() {
    bpftool "$1" show 2>/dev/null | awk '/^[0-9]+:/ {
        name = ""
        for (i = 2; i < NF; i++) if ($i == "name") name = $(i + 1)
        if (name !~ /^sd_/) print $2, name
    }' | label "bpf-$1"
}

if command -v bpftool >/dev/null; then
    objects prog
    objects map
    objects link
    find /sys/fs/bpf -mindepth 1 2>/dev/null | label bpf-pin
fi

awk '$3 == "cgroup2" { print $2 }' /proc/self/mounts | while read -r mount; do
    find "$mount" -mindepth 1 -type d 2>/dev/null | grep -Ev '\.(service|scope|slice|socket|mount)(/|$)'
done | label cgroup

if command -v nft >/dev/null; then
    nft --stateless list ruleset 2>/dev/null | sed 's/^/nft /'
fi
ls /run/netns 2>/dev/null | label netns
ls /sys/class/net | label interface
awk '{ for (i = 7; $i != "-"; i++); print $(i + 1), $5 }' /proc/self/mountinfo | grep -v ' /run/user/' | label mount
for folder in /run/ringwall /run/ringwall.*; do
    [ ! -e "$folder" ] || find "$folder" 2>/dev/null
done | label run
