"""A place to test in: a cgroup, two network namespaces joined by a cable, servers and counters at the far end.

Everything is named rw-<name>-<pid>-<number>. A guardian process cleans up when the test ends in whatever way, also
by SIGKILL.
"""
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

SKIPPED = 77
NEAR4, NEAR6 = "10.99.1.1", "fd99:1::1"
FAR4, FAR6 = "10.99.1.2", "fd99:1::2"
TCP_PORT, UDP_PORT = 7001, 7002

SERVER = r"""
import resource, selectors, socket, sys
if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 20000:  # some tests open 10,000 connections
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
    except ValueError:  # those tests will say so
        pass
selector = selectors.DefaultSelector()
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind, port in ((socket.SOCK_STREAM, 7001), (socket.SOCK_DGRAM, 7002)):
        s = socket.socket(family, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, port))
        if kind == socket.SOCK_STREAM:
            s.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
            s.listen(4096)
        s.setblocking(False)
        selector.register(s, selectors.EVENT_READ, "accept" if kind == socket.SOCK_STREAM else "datagram")
print("ready", flush=True)
while True:
    for key, _ in selector.select():
        s = key.fileobj
        try:
            if key.data == "accept":
                selector.register(s.accept()[0], selectors.EVENT_READ, "stream")
            elif key.data == "datagram":
                data, sender = s.recvfrom(70000)
                s.sendto(data, sender)
            else:
                data = s.recv(70000)
                if data:
                    s.sendall(data)
                else:
                    selector.unregister(s)
                    s.close()
        except OSError:
            if key.data == "stream":
                selector.unregister(s)
                s.close()
"""


def run(*command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def cgroup_mount():
    for line in Path("/proc/self/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return Path(fields[1])
    return None


def skip_unless_possible():
    """Exits with 77 where the kernel side cannot be tested."""
    for condition, reason in (
        (os.geteuid() == 0, "not root"),
        (os.path.exists("/sys/kernel/btf/vmlinux"), "no BTF"),
        (cgroup_mount() is not None, "no cgroup v2"),
    ):
        if not condition:
            print(f"skipped: {reason}")
            sys.exit(SKIPPED)


def skip_before(major, minor):
    """Exits with 77 on kernels before this one."""
    release = os.uname().release
    if tuple(int(part) for part in release.split(".")[:2]) < (major, minor):
        print(f"skipped: Linux {release} is older than {major}.{minor}")
        sys.exit(SKIPPED)


def wait_for(condition, seconds=20.0, what="condition"):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


def object_ids(pid):
    """The BPF objects a process has open, as {"map 12", "prog 34", "link 56"}."""
    ids = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as lines:
                found = re.findall(r"(map|prog|link)_id:\s*(\d+)", lines.read())
        except FileNotFoundError:
            continue  # closed meanwhile
        ids.update(f"{kind} {number}" for kind, number in found)
    return ids


class Lab:
    made = 0

    def __init__(self, name):
        Lab.made += 1
        self.name = f"rw-{name}-{os.getpid()}-{Lab.made}"
        self.near, self.far = self.name + "-a", self.name + "-b"
        self.cgroup = cgroup_mount() / self.name
        self.pins = Path("/run") / self.name
        self.processes = []
        self.counted = {}  # packets of a counter that reset_counters() left behind
        self.guard()
        self.cgroup.mkdir()
        self.make_network()
        self.server = self.start("ip", "netns", "exec", self.far, sys.executable, "-c", SERVER, stdout=subprocess.PIPE)
        assert self.server.stdout.readline() == "ready\n"

    def guard(self):
        """A process that outlives this one, notices its end, and cleans up."""
        reading, self.writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.close(self.writing)
            null = os.open("/dev/null", os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.read(reading, 1)
            self.clean()
            os._exit(0)
        os.close(reading)
        os.set_inheritable(self.writing, False)

    def make_network(self):
        for namespace in (self.near, self.far):
            run("ip", "netns", "add", namespace)
            run("ip", "-n", namespace, "link", "set", "lo", "up")
            run("ip", "netns", "exec", namespace, "sh", "-c",
                "echo 0 0 > /proc/sys/net/ipv4/ping_group_range; echo 3 > /proc/sys/net/ipv4/tcp_fastopen")
        run("ip", "-n", self.near, "link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", self.far)
        for namespace, number in ((self.near, 1), (self.far, 2)):
            run("ip", "-n", namespace, "addr", "add", f"10.99.1.{number}/24", "dev", "cable")
            run("ip", "-n", namespace, "addr", "add", f"fd99:1::{number}/64", "dev", "cable", "nodad")
            run("ip", "-n", namespace, "link", "set", "cable", "address", f"02:00:00:00:00:0{number}", "up")
            # Known neighbours: no packet of ours waits for their discovery.
            mac = f"02:00:00:00:00:0{3 - number}"
            for address in (f"10.99.1.{3 - number}", f"fd99:1::{3 - number}"):
                run("ip", "-n", namespace, "neigh", "add", address, "lladdr", mac, "dev", "cable")
        rules = "table inet count { chain in { type filter hook prerouting priority -300;\n"
        for match, name in (("meta l4proto tcp", "tcp"), ("meta l4proto udp", "udp"),
                            ("icmp type echo-request", "icmp"), ("icmpv6 type echo-request", "icmp"),
                            ("icmp type destination-unreachable", "unreachable"),
                            ("icmpv6 type destination-unreachable", "unreachable")):
            rules += f'{match} counter comment "{name}"\n'
        rules += "}\n}\n"
        run("ip", "netns", "exec", self.far, "nft", rules)

    def packets(self, counter):
        """Packets of the protocol that reached the far end so far."""
        text = run("ip", "netns", "exec", self.far, "nft", "list", "chain", "inet", "count", "in")
        lines = [line for line in text.splitlines() if line.endswith(f'comment "{counter}"')]
        return sum(int(line.split("packets")[1].split()[0]) for line in lines) - self.counted.get(counter, 0)

    def reset_counters(self):
        """The counters begin at 0 again."""
        for counter in ("tcp", "udp", "icmp", "unreachable"):
            self.counted[counter] = self.counted.get(counter, 0) + self.packets(counter)

    def start(self, *command, **options):
        process = subprocess.Popen(command, text=True, errors="replace", **options)
        self.processes.append(process)
        return process

    def netns_path(self):
        return f"/run/netns/{self.near}"

    def clean(self):
        for pid in self.members():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for namespace in (self.near, self.far):
            for pid in run("ip", "netns", "pids", namespace, check=False).split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            run("ip", "netns", "del", namespace, check=False)
        for _ in range(100):
            try:
                self.cgroup.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)
            else:
                break
        run("umount", "-l", str(self.pins), check=False)
        if self.pins.exists():
            self.pins.rmdir()

    def members(self):
        try:
            return [int(pid) for pid in (self.cgroup / "cgroup.procs").read_text().split()]
        except OSError:
            return []

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.clean()
        os.close(self.writing)
