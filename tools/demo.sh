#!/usr/bin/env bash
# The tutorial's firewall on live traffic, in a cgroup and network namespaces of its own: `make run`.
# Usage: tools/demo.sh [BUILD_DIRECTORY]. Touches nothing else of this machine and removes all it made.
set -u
PATH=/usr/sbin:/usr/bin:/sbin:/bin
. "$(dirname "$0")/netns-folder.sh"
build=$(cd "${1:-build}" && pwd) || exit 1
name=rw-demo-$$
work=$(mktemp -d "/tmp/$name-XXXXXX")
export RINGWALL_RUNTIME_DIR=$work/run
ringwall=$build/src/cli/ringwall
wall=$build/drivers/wall/wall.so
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root (eBPF, namespaces). Run: sudo make run"
[ -n "$mount" ] || fail "no cgroup v2 tree is mounted. Mount one: mount -t cgroup2 none /sys/fs/cgroup"
[ -x "$ringwall" ] || fail "$ringwall is missing. Build first: make"

# Cleans up even when this script is killed: the guard waits for the pipe's other end to close.
remove() {
    "$ringwall" stop >/dev/null 2>&1
    while read -r process; do kill -KILL "$process" 2>/dev/null; done < <(cat "$mount/$name/cgroup.procs" 2>/dev/null)
    [ -z "${server:-}" ] || kill "$server" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do rmdir "$mount/$name" 2>/dev/null; [ -d "$mount/$name" ] || break; sleep 0.1; done
    ip netns delete "$name-c" 2>/dev/null
    ip netns delete "$name-p" 2>/dev/null
    netns_folder_give_back
    rm -rf "$work"
}
netns_folder_note
before=$("$(dirname "$0")/verify-clean.sh")
mkfifo "$work/alive"
( trap '' INT TERM HUP; read -r _ < "$work/alive"; remove ) &
guard=$!
exec 9> "$work/alive"

ip netns add "$name-c" && ip netns add "$name-p" || fail "cannot create network namespaces"
ip link add rw0 netns "$name-c" type veth peer name rw0 netns "$name-p"
for side in c:1 p:2; do
    ip -n "$name-${side%:*}" link set lo up
    ip -n "$name-${side%:*}" address add "10.9.0.${side#*:}/24" dev rw0
    ip -n "$name-${side%:*}" address add "fd09::${side#*:}/64" dev rw0 nodad
    ip -n "$name-${side%:*}" link set rw0 up
done
mkdir -p "$mount/$name" || fail "cannot create the cgroup $mount/$name"

# Runs a program inside the protected cgroup, in the client's network namespace.
inside() { ( echo 0 > "$mount/$name/cgroup.procs"; exec 9>&-; exec nsenter --net="/run/netns/$name-c" "$@" ); }
show() {
    printf '%s$ %s%s\n' "$bold" "$*" "$plain"
    inside "$@"
    local code=$?
    [ $code = 0 ] || printf '%s(exit code %d)%s\n' "$dim" $code "$plain"
}
# What the driver printed since the last call.
lines() {
    sleep 0.3
    printf '%s' "$dim"
    tail -n +"$((seen + 1))" "$work/monitor" | grep -F '[WFP]' | sed 's/^/   /'
    printf '%s' "$plain"
    seen=$(wc -l < "$work/monitor")
}

cat > "$work/server.py" <<'PY'
import http.server, socket, sys, threading
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'hello from port %d\n' % self.server.server_address[1]
        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *unused): pass
class Six(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for port in (80, 81):
    threading.Thread(target=Six(('::', port), Page).serve_forever, daemon=True).start()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(('0.0.0.0', 53))
open(sys.argv[1], 'w').close()
while True:
    data, peer = udp.recvfrom(2048); udp.sendto(b'echo: ' + data, peer)
PY
nsenter --net="/run/netns/$name-p" python3 "$work/server.py" "$work/ready" 9>&- & server=$!
cat > "$work/udp.py" <<'PY'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)
s.sendto(b'one datagram', ('10.9.0.2', 53)); print(s.recv(2048).decode())
PY
cat > "$work/get.py" <<'PY'
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode(), end='')
PY

for _ in {1..100}; do [ ! -e "$work/ready" ] || break; sleep 0.1; done
[ -e "$work/ready" ] || fail "the demonstration's server did not start"

say "1. Start the service, confined to the cgroup $name"
"$ringwall" start --daemon --scope "$name" 9>&- || fail "ringwalld did not start"
"$ringwall" status
"$ringwall" monitor > "$work/monitor" 2>&1 9>&- & monitor=$!
seen=0; sleep 0.3

say "2. Load the tutorial's driver: it logs every connection and permits it"
"$ringwall" load "$wall" || fail "wall.so did not load"
show curl -s http://10.9.0.2/
show python3 "$work/get.py" http://10.9.0.2:81/
show python3 "$work/udp.py"
show curl -s 'http://[fd09::2]/'
lines

say "3. The same driver, told to block the program curl"
"$ringwall" unload wall && "$ringwall" load "$wall" block_app=curl
show curl -sS --max-time 10 http://10.9.0.2/
show python3 "$work/get.py" http://10.9.0.2/
lines

say "4. … and told to block one address and port"
"$ringwall" unload wall && "$ringwall" load "$wall" block_remote=10.9.0.2:81
show curl -sS --max-time 10 http://10.9.0.2:81/
show curl -sS --max-time 10 http://10.9.0.2:80/
lines

say "5. A filter without any driver: decided in the kernel"
"$ringwall" unload wall
"$ringwall" block --app "$(command -v curl)" --remote 10.9.0.0/24
show curl -sS --max-time 10 http://10.9.0.2/
show python3 "$work/get.py" http://10.9.0.2/
"$ringwall" remove --all

say "6. Everything is taken back"
show curl -sS http://10.9.0.2/
"$ringwall" stop
kill "$monitor" 2>/dev/null
exec 9>&-
wait "$guard"
# The kernel frees programs and maps some time after the last reference to them is gone.
for ((i = 0; i < 60; i++)); do
    after=$("$(dirname "$0")/verify-clean.sh")
    left=$(comm -13 <(sort <<< "$before") <(sort <<< "$after"))
    [ -n "$left" ] || break
    sleep 0.5
done
[ -z "$left" ] || fail "something was left behind:"$'\n'"$left"
say "Nothing is left behind: programs, maps, links, cgroups, namespaces and mounts are as before."
