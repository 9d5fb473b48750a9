#!/usr/bin/env python3
"""tools/verify-clean.sh sees a cgroup, a network namespace, a table, a pin; without them it prints the same."""
import os
import subprocess
import sys
from pathlib import Path

VERIFY = Path(__file__).resolve().parents[2] / "tools/verify-clean.sh"
# In namespaces of its own, so that what others do on this machine meanwhile is not seen.
SCRIPT = f"""
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /sys/fs/bpf
mount -t bpf none /sys/fs/bpf
relevant() {{ {VERIFY} | grep -Ev '^bpf-(prog|map|link) '; }}
before=$(relevant)
[ "$(relevant)" = "$before" ] || {{ echo "two runs differ"; exit 1; }}
mkdir -p /run/netns /run/ringwall /sys/fs/bpf/ringwall
touch /run/netns/rw-house-test /run/ringwall/api.sock
for thing in 'netns rw-house-test' 'run /run/ringwall/api.sock' 'bpf-pin /sys/fs/bpf/ringwall'; do
    relevant | grep -Fqx "$thing" || {{ echo "does not see: $thing"; exit 1; }}
done
if nft add table inet rw_house_test; then
    relevant | grep -q '^nft table inet rw_house_test' || {{ echo "does not see a table"; exit 1; }}
    nft delete table inet rw_house_test
fi
rm -r /run/netns /run/ringwall
rmdir /sys/fs/bpf/ringwall
[ "$(relevant)" = "$before" ] || {{ echo "removing is not seen"; exit 1; }}
"""


def main():
    if os.geteuid() != 0:
        print("needs root")
        sys.exit(77)
    done = subprocess.run(["unshare", "--mount", "--net", "--cgroup", "sh", "-c", SCRIPT], check=False,
                          env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    sys.exit(done.returncode)


main()
