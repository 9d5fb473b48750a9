#!/usr/bin/env python3
"""The eBPF datapath on the running kernel: what is permitted arrives, what is held or blocked does not.

    datapath.py DRIVER CLIENT [NAME OF A TEST ...]
"""
import os
import queue
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lab import FAR4, FAR6, TCP_PORT, UDP_PORT, Lab, skip_unless_possible, wait_for  # noqa: E402

DRIVER, CLIENT = sys.argv[1:3]
FAR = {4: FAR4, 6: FAR6}
LAYERS = {4: 48, 6: 50}  # FWPS_LAYER_ALE_AUTH_CONNECT_V4, _V6


class Lines:
    """Lines of a program's output as they come."""

    def __init__(self, stream):
        self.lines = queue.Queue()
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def next(self, start, seconds=10.0):
        """The next line that begins with `start`; others are passed over."""
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no line '{start}' within {seconds} s") from None
            if line is None:
                raise AssertionError(f"the program ended without a line '{start}'")
            if line.startswith(start):
                return line

    def none(self, start, seconds):
        """Nothing that begins with `start` comes for so long."""
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=rest)
            except queue.Empty:
                return
            assert line is None or not line.startswith(start), line


def object_ids(pid):
    """The BPF objects a process has open, as {"map 12", "prog 34", "link 56"}."""
    ids = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as lines:
            ids.update(f"{kind} {number}" for kind, number in re.findall(r"(map|prog|link)_id:\s*(\d+)", lines.read()))
    return ids


class Driver:
    def __init__(self, lab, *options):
        self.process = lab.start(DRIVER, str(lab.cgroup), str(lab.pins), *options, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout)
        self.opened = self.lines.next("open")

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command):
        """Gives a command; returns its result."""
        self.tell(command)
        return int(self.lines.next("done " + command.split()[0]).split()[2])

    def held(self, seconds=10.0):
        line = self.lines.next("held", seconds)
        head, _, path = line.partition(" path=")
        flow = dict(field.split("=", 1) for field in head.split()[1:])
        return flow | {"path": path}

    def stats(self):
        self.tell("stats")
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", self.lines.next("stats"))}

    def end(self, command):
        result = self.do(command)
        self.process.wait()
        return result


class Client:
    def __init__(self, lab, action, family, *more, port=None, address=None, program=CLIENT):
        port = port or (TCP_PORT if action.startswith(("tcp", "many")) else UDP_PORT)
        self.process = lab.start(program, str(lab.cgroup), lab.netns_path(), action, address or FAR[family], str(port),
                                 *map(str, more), stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout)

    def result(self, call, seconds=10.0):
        """(what the call said, milliseconds it took)"""
        _, said, milliseconds = self.lines.next(call + " ", seconds).split()
        return said, int(milliseconds)


class DatapathTest(unittest.TestCase):
    def setUp(self):
        self.lab = Lab("datapath")
        self.addCleanup(self.lab.close)

    def driver(self, *options, policy="hold"):
        driver = Driver(self.lab, *options)
        self.assertTrue(driver.opened.startswith("open 0"), driver.opened)
        if policy:
            self.assertEqual(driver.do("policy " + policy), 0)
        return driver

    def assert_freed(self, objects):
        """These are no more; the kernel frees them a little after the last use."""
        until = time.monotonic() + 5
        while (left := objects & kernel_objects()) and time.monotonic() < until:
            time.sleep(0.05)
        self.assertEqual(left, set())

    def client(self, *arguments, **options):
        return Client(self.lab, *arguments, **options)


def kernel_objects():
    """All BPF objects, by kind and id."""
    objects = set()
    for kind in ("prog", "map", "link"):
        text = subprocess.run(["bpftool", kind, "show"], capture_output=True, text=True, check=True).stdout
        objects.update(f"{kind} {number}" for number in re.findall(r"^(\d+): ", text, re.MULTILINE))
    return objects


class Tcp(DatapathTest):
    def test_permit(self):
        driver = self.driver()
        for family in FAR:
            client = self.client("tcp", family, "data intact")
            flow = driver.held()
            self.assertEqual(int(flow["layer"]), LAYERS[family])
            self.assertEqual((flow["remote"], int(flow["remote_port"])), (FAR[family], TCP_PORT))
            self.assertNotEqual(flow["local_port"], "0")
            self.assertEqual(flow["path"], os.path.realpath(CLIENT))
            self.assertEqual(int(flow["pid"]), client.process.pid)
            self.assertEqual(flow["comm"], "socket-client"[:15])
            time.sleep(0.3)
            self.assertEqual(driver.do("permit " + flow["id"]), 0)
            said, milliseconds = client.result("connect")
            self.assertEqual(said, "ok")
            self.assertGreaterEqual(milliseconds, 290)
            self.assertLess(milliseconds, 800, "the SYN was not sent again, the kernel's own retransmission was")
            self.assertEqual(client.lines.next("reply"), "reply 11 data intact")
        self.assertEqual(driver.do("permit 1"), -2)

    def test_hold_sends_nothing(self):
        driver = self.driver()
        clients = [self.client("tcp", family) for family in FAR]
        for _ in clients:
            driver.held()
        time.sleep(2.5)  # two retransmissions
        self.assertEqual(self.lab.packets("tcp"), 0)
        self.assertEqual(driver.stats()["held"], 2)

    def test_block(self):
        driver = self.driver()
        for family in FAR:
            client = self.client("tcp", family)
            self.assertEqual(driver.do("block " + driver.held()["id"]), 0)
            said, milliseconds = client.result("connect")
            self.assertEqual(said, "ECONNABORTED")
            self.assertLess(milliseconds, 500)
        self.assertEqual(self.lab.packets("tcp"), 0)

    def test_nonblocking(self):
        driver = self.driver()
        client = self.client("tcp-nonblocking", 4)
        self.assertEqual(client.result("connect")[0], "EINPROGRESS")
        driver.do("permit " + driver.held()["id"])
        self.assertEqual(client.result("connected")[0], "ok")
        client = self.client("tcp-nonblocking", 6)
        driver.do("block " + driver.held()["id"])
        self.assertEqual(client.result("connected")[0], "ECONNABORTED")

    def test_static(self):
        driver = self.driver(policy="block")
        for family in FAR:
            self.assertEqual(self.client("tcp", family).result("connect")[0], "EACCES")
        self.assertEqual(self.lab.packets("tcp"), 0)
        driver.do("policy permit")
        for family in FAR:
            self.assertEqual(self.client("tcp", family).result("connect")[0], "ok")

    def test_gone(self):
        driver = self.driver()
        client = self.client("tcp", 4)
        flow = driver.held()
        client.process.kill()
        driver.lines.next("gone id=" + flow["id"])
        self.assertEqual(driver.do("permit " + flow["id"]), -2)
        self.assertEqual(driver.stats()["held"], 0)


class Datagrams(DatapathTest):
    def exchange(self, action, family, answer, count=3):
        """Sends while held, decides; returns the client and the flow."""
        client = self.client(action, family, "x", count)
        for _ in range(count):
            self.assertEqual(client.result("send" if action == "udp-connected" else "sendto")[0], "ok")
        flow = self.driver_.held()
        self.assertEqual(int(flow["layer"]), LAYERS[family])
        self.assertEqual((flow["remote"], int(flow["remote_port"])), (FAR[family], UDP_PORT))
        self.assertEqual(int(flow["pid"]), client.process.pid)
        self.assertEqual(flow["path"], os.path.realpath(CLIENT))
        self.assertNotEqual(flow["local_port"], "0")
        self.assertEqual(self.lab.packets("udp"), 0)
        self.assertEqual(self.driver_.do(f"{answer} {flow['id']}"), 0)
        return client

    def test_permit(self):
        self.driver_ = self.driver()
        for action in ("udp", "udp-connected"):
            for family in FAR:
                with self.subTest(action=action, family=family):
                    before = self.lab.packets("udp")
                    self.assertEqual(before, 0)
                    client = self.exchange(action, family, "permit")
                    for number in range(3):
                        self.assertEqual(client.lines.next("reply"), f"reply 2 x{number}")
                    self.assertEqual(client.result("again")[0], "ok")
                    wait_for(lambda: self.lab.packets("udp") == 4, 2, "four datagrams at the far end")
                    self.driver_.lines.none("held", 0.1)
                    self.lab.reset_counters()

    def test_block(self):
        self.driver_ = self.driver()
        for action, error in (("udp", "EACCES"), ("udp-connected", "EPERM")):
            for family in FAR:
                with self.subTest(action=action, family=family):
                    client = self.exchange(action, family, "block", 1)
                    client.result("recv")
                    self.assertEqual(client.result("again")[0], error)
        self.assertEqual(self.lab.packets("udp"), 0)

    def test_static(self):
        self.driver(policy="block")
        for family in FAR:
            self.assertEqual(self.client("udp", family).result("sendto")[0], "EACCES")
            self.assertEqual(self.client("udp-connected", family).result("connect")[0], "EACCES")
            self.assertEqual(self.client("ping", family).result("sendto")[0], {4: "EPERM", 6: "ok"}[family])
        self.assertEqual(self.lab.packets("udp") + self.lab.packets("icmp"), 0)

    def test_ping(self):
        driver = self.driver()
        for family, (kind, protocol) in {4: ("8", "1"), 6: ("128", "58")}.items():
            client = self.client("ping", family)
            # The kernel lets an IPv4 ping socket know that its packet was kept back; an IPv6 one never hears of it.
            self.assertEqual(client.result("sendto")[0], {4: "ENOBUFS", 6: "ok"}[family])
            flow = driver.held()
            self.assertEqual((flow["remote"], flow["protocol"], flow["local_port"]), (FAR[family], protocol, kind))
            self.assertEqual(self.lab.packets("icmp"), 0)
            driver.do("permit " + flow["id"])
            self.assertEqual(client.result("recv")[0], {4: "ETIMEDOUT", 6: "ok"}[family])
            self.assertEqual(client.result("again")[0], "ok")
            wait_for(lambda: self.lab.packets("icmp") == {4: 1, 6: 2}[family], 2, "echo requests at the far end")
            client = self.client("ping", family)
            driver.do("block " + driver.held()["id"])
            client.result("recv")
            self.assertEqual(client.result("again")[0], {4: "EPERM", 6: "ok"}[family])
            self.assertEqual(self.lab.packets("icmp"), {4: 1, 6: 2}[family])
            self.lab.reset_counters()


class Life(DatapathTest):
    def test_remove_leaves_nothing(self):
        driver = self.driver()
        clients = [self.client("tcp", family) for family in FAR]
        for _ in clients:
            driver.held()
        objects = object_ids(driver.process.pid)
        self.assertGreater(len(objects), 15)
        self.assertEqual(driver.end("remove"), 0)
        for client in clients:
            self.assertEqual(client.result("connect")[0], "ECONNABORTED")
        self.assertEqual(self.lab.packets("tcp"), 0)
        self.assertFalse(self.lab.pins.exists())
        self.assertNotIn(str(self.lab.pins), open("/proc/self/mounts").read())
        self.assert_freed(objects)


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2, warnings="ignore")
