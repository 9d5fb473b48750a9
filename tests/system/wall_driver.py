#!/usr/bin/env python3
"""The wall driver and the examples on live traffic: what they print, what they block, what is left when they go."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from lab import FAR4, FAR6, TCP_PORT, UDP_PORT, Lab, skip_unless_possible, wait_for

RINGWALL, WALL, MANAGEMENT, SOURCE, BUILD = sys.argv[1:6]
# The build's test runner sets it; a user's shell does not.
os.environ.pop("LD_LIBRARY_PATH", None)
PYTHON = os.path.realpath(sys.executable)
CONNECT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15) as s:
        print("connected", s.getsockname()[1])
except OSError as error:
    print("refused")
"""
ASK = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
try:
    s.sendto(b"x", (sys.argv[1], int(sys.argv[2])))
    s.recv(1)
    print("answered")
except OSError:
    print("refused")
"""


class WallDriver(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("wall")
        cls.folder = tempfile.mkdtemp(prefix="rw-wall-", dir="/tmp")
        cls.ringwall("start", "--daemon", "--scope", cls.lab.name)
        cls.output = open(f"{cls.folder}/monitor", "w+")
        cls.monitor = cls.lab.start(*cls.command("monitor", "--json"), stdout=cls.output, stderr=subprocess.DEVNULL)

    @classmethod
    def tearDownClass(cls):
        cls.ringwall("stop")
        cls.monitor.wait(timeout=10)
        cls.output.close()
        cls.lab.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def command(cls, *words):
        return [RINGWALL, words[0], "--runtime-dir", cls.folder, *words[1:]]

    @classmethod
    def ringwall(cls, *words, code=0):
        done = subprocess.run(cls.command(*words), capture_output=True, text=True, timeout=60)
        if done.returncode != code:
            raise AssertionError(f"ringwall {words}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def json(self, *words):
        return json.loads(self.ringwall(*words, "--json"))

    def setUp(self):
        self.seen = os.path.getsize(self.output.name)

    def tearDown(self):
        for driver in self.json("drivers"):
            self.ringwall("unload", driver["name"])
        self.assertEqual(self.json("show", "filters"), [])

    def inside(self, script, address, port):
        enter = f"echo 0 > {self.lab.cgroup}/cgroup.procs; exec \"$@\""
        return subprocess.run(["sh", "-c", enter, "sh", "ip", "netns", "exec", self.lab.near, PYTHON, "-c", script,
                               address, str(port)], capture_output=True, text=True, timeout=20).stdout.strip()

    def lines(self):
        """The driver's lines since the test began."""
        with open(self.output.name) as file:
            file.seek(self.seen)
            records = [json.loads(line) for line in file if line.endswith("\n")]
        return [record["line"] for record in records if record["type"] == "line"]

    def line(self, pattern):
        def find():
            return next((line for line in self.lines() if re.fullmatch(pattern, line)), None)
        try:
            return wait_for(find, what=pattern)
        except AssertionError:
            raise AssertionError(f"no line {pattern} in {self.lines()}") from None

    def test_lines(self):
        self.ringwall("load", WALL)
        port = self.inside(CONNECT, FAR4, TCP_PORT).split()[1]
        path = re.escape(PYTHON)
        self.line(rf"\[WFP\]IRQL=[02];PID=\d+;Path={path};Local=10\.99\.1\.1:{port};"
                  rf"Remote=10\.99\.1\.2:{TCP_PORT};Protocol=TCP")
        port = self.inside(CONNECT, FAR6, TCP_PORT).split()[1]
        self.line(rf"\[WFP\]IRQL=[02];PID=\d+;Path={path};Local=\[fd99:1::1\]:{port};"
                  rf"Remote=\[fd99:1::2\]:{TCP_PORT};Protocol=TCP")
        self.assertEqual(self.inside(ASK, FAR4, UDP_PORT), "answered")
        self.line(rf"\[WFP\]IRQL=[02];PID=\d+;Path={path};.*;Remote=10\.99\.1\.2:{UDP_PORT};Protocol=UDP")
        driver, = self.json("drivers")
        self.assertEqual((driver["name"], driver["state"], driver["callouts"]), ("wall", "running", 2))
        self.assertGreaterEqual(driver["classifies"], 3)

    def test_block_remote(self):
        self.ringwall("load", WALL, f"block_remote={FAR4}:{TCP_PORT},[{FAR6}]")
        self.assertEqual(self.inside(CONNECT, FAR4, TCP_PORT), "refused")
        self.assertEqual(self.inside(CONNECT, FAR6, TCP_PORT), "refused")
        self.assertEqual(self.inside(ASK, FAR4, UDP_PORT), "answered")
        self.assertEqual(self.inside(ASK, FAR6, UDP_PORT), "refused")
        self.ringwall("unload", "wall")
        self.assertRegex(self.inside(CONNECT, FAR4, TCP_PORT), "connected")

    def test_block_app(self):
        self.ringwall("load", WALL, "--name", "second", f"block_app=/nothing,{os.path.basename(PYTHON)}")
        self.assertEqual(self.inside(CONNECT, FAR4, TCP_PORT), "refused")
        self.assertEqual([driver["name"] for driver in self.json("drivers")], ["second"])

    def test_objects(self):
        self.ringwall("load", WALL)
        filters = self.json("show", "filters")
        self.assertEqual({entry["layerKey"] for entry in filters},
                         {"FWPM_LAYER_ALE_AUTH_CONNECT_V4", "FWPM_LAYER_ALE_AUTH_CONNECT_V6"})
        text = self.ringwall("show", "filters")
        self.assertIn("wall: outgoing IPv4", text)
        self.ringwall("unload", "wall")
        for kind in ("filters", "callouts", "sublayers"):
            self.assertNotIn("wall", self.ringwall("show", kind))

    def test_wrong_parameter(self):
        self.ringwall("load", WALL, "block_remote=example.org", code=1)
        self.line(r'\[WFP\]Parameter block_remote is wrong at "example\.org": expected .*')
        self.assertEqual(self.json("show", "filters"), [])
        self.assertRegex(self.inside(CONNECT, FAR4, TCP_PORT), "connected")

    def test_killed(self):
        # Its filters stay and block; the next one replaces them.
        self.ringwall("load", WALL)
        driver, = self.json("drivers")
        os.kill(driver["processId"], signal.SIGKILL)
        wait_for(lambda: self.json("drivers")[0]["state"] == "failed", what="the driver is noticed to be gone")
        self.assertEqual(self.inside(CONNECT, FAR4, TCP_PORT), "refused")
        self.ringwall("unload", "wall")
        self.ringwall("load", WALL)
        self.assertRegex(self.inside(CONNECT, FAR4, TCP_PORT), "connected")

    def test_tutorial(self):
        # Compiled as its reader does: nothing in the file says where the libraries are.
        path = f"{SOURCE}/examples/tutorial.c"
        with open(path) as file:
            command = re.search(r"^ \*   (cc .*)$", file.read(), re.M)[1]
        shutil.copy(path, self.folder)
        subprocess.run(["sh", "-c", command], cwd=self.folder, check=True,
                       env=dict(os.environ, PKG_CONFIG_PATH=f"{BUILD}/meson-uninstalled"))
        self.ringwall("load", f"{self.folder}/tutorial.so")
        port = self.inside(CONNECT, FAR4, TCP_PORT).split()[1]
        self.line(rf"\[WFP\]IRQL=[02];PID=\d+;Path={re.escape(PYTHON)};Local=10\.99\.1\.1:{port};"
                  rf"Remote=10\.99\.1\.2:{TCP_PORT};Protocol=TCP")
        self.assertEqual(self.inside(ASK, FAR4, UDP_PORT), "answered")
        self.ringwall("unload", "tutorial")
        self.assertNotIn("Tutorial", self.ringwall("show", "sublayers"))

    def test_management_example(self):
        program = self.lab.start(MANAGEMENT, PYTHON, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 env=dict(os.environ, RINGWALL_RUNTIME_DIR=self.folder))
        wait_for(lambda: len(self.json("show", "filters")) == 2, what="the example's filters")
        self.assertEqual(self.inside(CONNECT, FAR4, TCP_PORT), "refused")
        self.assertEqual(self.inside(CONNECT, FAR6, TCP_PORT), "refused")
        output, _ = program.communicate("\n", timeout=10)
        self.assertEqual(program.returncode, 0)
        self.assertIn(f"{PYTHON} is blocked", output)
        self.assertGreater(len(output.splitlines()), 90)
        self.assertRegex(self.inside(CONNECT, FAR4, TCP_PORT), "connected")

    def test_many_at_once(self):
        self.ringwall("load", WALL)
        script = ("import socket, sys, threading\n"
                  "good = []\n"
                  "def go():\n"
                  "    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15): good.append(1)\n"
                  "threads = [threading.Thread(target=go) for _ in range(100)]\n"
                  "[t.start() for t in threads]; [t.join() for t in threads]\n"
                  "print(len(good))\n")
        self.assertEqual(self.inside(script, FAR4, TCP_PORT), "100")
        wait_for(lambda: sum(f"Remote={FAR4}:{TCP_PORT}" in line for line in self.lines()) >= 100, what="100 lines")


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(argv=sys.argv[:1])
