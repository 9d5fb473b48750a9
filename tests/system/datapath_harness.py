"""What the tests of the datapath share: the programs they drive, and a test case with a lab.

A test file is started as FILE DRIVER CLIENT [NAME OF A TEST ...].
"""
import os
import queue
import re
import subprocess
import sys
import threading
import time
import unittest

from lab import FAR4, FAR6, NEAR4, NEAR6, TCP_PORT, UDP_PORT, Lab, object_ids, skip_unless_possible

DRIVER, CLIENT = map(os.path.abspath, sys.argv[1:3])
FAR = {4: FAR4, 6: FAR6}
NEAR = {4: NEAR4, 6: NEAR6}
LAYERS = {4: 48, 6: 50}  # FWPS_LAYER_ALE_AUTH_CONNECT_V4, _V6


class Lines:
    """Lines of a program's output as they come; those not asked for are kept."""

    def __init__(self, stream):
        self.lines = queue.Queue()
        self.kept = []
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def find(self, start, seconds):
        """The next line that begins with `start`, or None when none comes in time."""
        for number, line in enumerate(self.kept):
            if line.startswith(start):
                return self.kept.pop(number)
        until = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                self.lines.put(None)
                return None
            if line.startswith(start):
                return line
            self.kept.append(line)

    def next(self, start, seconds=10.0):
        line = self.find(start, seconds)
        assert line is not None, f"no line '{start}' within {seconds} s; others: {self.kept}"
        return line

    def none(self, start, seconds):
        """Nothing that begins with `start` comes for so long."""
        line = self.find(start, seconds)
        assert line is None, line


class Driver:
    def __init__(self, lab, *options):
        self.process = lab.start(DRIVER, str(lab.cgroup), str(lab.pins), *options, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        self.lines = Lines(self.process.stdout)
        self.opened = self.lines.next("open", 90)  # a verifier in an emulator takes its time

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command):
        """Gives a command; returns its result."""
        self.tell(command)
        return int(self.lines.next("done " + command.split()[0]).split()[2])

    def held(self, seconds=10.0):
        return self.flow("held", seconds)

    def flow(self, event, seconds=10.0):
        line = self.lines.next(event, seconds)
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
    """A program that is judged; with `far`, its peer at the far end, which is not."""

    def __init__(self, lab, action, family, *more, port=None, address=None, program=CLIENT, environment=(), far=False,
                 **options):
        port = port or (TCP_PORT if action.startswith(("tcp", "many", "keep", "short", "syn")) else UDP_PORT)
        environment = {**os.environ, **{name: "1" for name in environment}}
        place = ("-", f"/run/netns/{lab.far}") if far else (str(lab.cgroup), lab.netns_path())
        is_near = far or action.endswith("-server")
        address = address or (NEAR if is_near else FAR)[family]
        self.process = lab.start(program, *place, action, address, str(port),
                                 *map(str, more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
                                 **options)
        self.lines = Lines(self.process.stdout)

    def result(self, call, seconds=10.0):
        """(what the call said, milliseconds it took)"""
        _, said, milliseconds = self.lines.next(call + " ", seconds).split()
        return said, int(milliseconds)

    def go(self):
        """Ends the waiting of a client that waits."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()


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


def main():
    skip_unless_possible()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2, warnings="ignore")
