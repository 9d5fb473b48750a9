#!/usr/bin/env python3
"""The `ringwall` command against a running service, on traffic of a cgroup and network namespaces of its own."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from lab import FAR4, FAR6, TCP_PORT, Lab, skip_unless_possible, wait_for

RINGWALL, RINGWALLD = sys.argv[1], sys.argv[2]
CONNECT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=15):
        print("connected")
except OSError as error:
    print("refused")
"""
PYTHON = os.path.realpath(sys.executable)


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab("cli")
        cls.folder = tempfile.mkdtemp(prefix="rw-cli-", dir="/tmp")
        os.chmod(cls.folder, 0o755)
        cls.start_service()

    @classmethod
    def tearDownClass(cls):
        cls.service.send_signal(signal.SIGTERM)
        cls.service.wait(timeout=20)
        shutil.rmtree(cls.folder, ignore_errors=True)
        cls.lab.close()

    @classmethod
    def start_service(cls):
        reading, writing = os.pipe()
        cls.service = cls.lab.start(RINGWALLD, "--scope", cls.lab.name, "--runtime-dir", cls.folder, "--driver-host",
                                    "/bin/true", "--ready-fd", str(writing), pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as file:
            answer = file.read()
        if answer != "ready\n":
            raise RuntimeError(answer)

    def command(self, *words):
        return [RINGWALL, words[0], "--runtime-dir", self.folder, *words[1:]]

    def ringwall(self, *words, code=0, **options):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=20, **options)
        self.assertEqual(done.returncode, code, f"ringwall {words}: {done.stdout}{done.stderr}")
        return done.stdout if code == 0 else done.stderr

    def json(self, *words):
        return json.loads(self.ringwall(*words, "--json"))

    def connect(self, address, port=TCP_PORT):
        enter = f"echo 0 > {self.lab.cgroup}/cgroup.procs; exec \"$@\""
        return subprocess.run(["sh", "-c", enter, "sh", "ip", "netns", "exec", self.lab.near, PYTHON, "-c", CONNECT,
                               address, str(port)], capture_output=True, text=True, timeout=20).stdout.strip()

    def tearDown(self):
        self.ringwall("remove", "--all")

    def test_status(self):
        self.assertIn("is running", self.ringwall("status"))
        status = self.json("status")
        self.assertTrue(status["scope"].endswith(self.lab.name))
        self.assertEqual(status["processId"], self.service.pid)

    def coverage(self):
        return {item["name"]: item for item in self.json("status", "--coverage")["coverage"]}

    def test_coverage(self):
        kinds = ("TCP, outgoing", "UDP, outgoing", "ping and raw IP")
        wait_for(lambda: {self.coverage()[name]["state"] for name in kinds} == {"idle"}, 10, "no hook is attached")
        quiet = self.coverage()
        self.assertEqual(quiet["other programs"]["state"], "open")  # the scope is one group
        self.ringwall("block", "--app", PYTHON, "--remote", FAR4)
        covered = self.coverage()
        for name in ("TCP, outgoing", "UDP, outgoing"):
            self.assertEqual(covered[name]["state"], "covered", covered[name])

        # A program of the scope with a packet socket is named; AF_PACKET is never called covered.
        holder = subprocess.Popen(["sh", "-c", f"echo 0 > {self.lab.cgroup}/cgroup.procs; exec \"$@\"", "sh", PYTHON,
                                   "-c", "import socket; s = socket.socket(17, 3, 0); print(1, flush=True); input()"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        holder.stdout.readline()
        item = self.coverage()["AF_PACKET"]
        self.assertEqual(item["state"], "open")
        self.assertIn(f"[{holder.pid}]", item["detail"])
        text = self.ringwall("status", "--coverage")
        self.assertRegex(text, r"NOT JUDGED +AF_PACKET")
        self.assertRegex(text, r"judged +TCP, outgoing")
        holder.communicate(b"\n")
        self.assertNotIn(f"[{holder.pid}]", self.coverage()["AF_PACKET"]["detail"])
        self.assertNotIn("coverage", self.json("status"))

    def test_block_and_remove(self):
        self.assertEqual(self.connect(FAR4), "connected")
        self.ringwall("block", "--app", PYTHON, "--remote", FAR4)
        self.assertEqual(self.connect(FAR4), "refused")
        self.assertEqual(self.connect(FAR6), "connected")
        rule, = self.json("list")
        self.assertEqual((rule["action"], rule["programs"], rule["remotes"]), ("block", [PYTHON], [FAR4]))
        self.assertEqual(len(rule["filterIds"]), 2)  # sockets of IPv6 that use IPv4 are judged as such
        self.assertIn(PYTHON, self.ringwall("list"))
        self.ringwall("remove", str(rule["filterIds"][0]))
        self.assertEqual(self.connect(FAR4), "connected")
        self.assertEqual(self.json("list"), [])
        self.ringwall("remove", str(rule["filterIds"][0]), code=5)

    def test_both_families(self):
        self.ringwall("block", "--port", str(TCP_PORT), "--proto", "tcp", "--name", "beide Völker")
        self.assertEqual((self.connect(FAR4), self.connect(FAR6)), ("refused", "refused"))
        rule, = self.json("list")
        self.assertEqual((len(rule["filterIds"]), rule["name"]), (2, "beide Völker"))
        filters = {entry["filterId"]: entry for entry in self.json("show", "filters")}
        self.assertEqual(filters[rule["filterIds"][1]]["layerKey"], "FWPM_LAYER_ALE_AUTH_CONNECT_V6")
        # The second filter's id means the rule as well.
        self.ringwall("remove", str(rule["filterIds"][1]))
        self.assertEqual((self.connect(FAR4), self.connect(FAR6)), ("connected", "connected"))

    def test_other_port(self):
        self.ringwall("block", "--port", "1-7000", "--port", "7002-65535")
        self.assertEqual(self.connect(FAR4), "connected")

    def test_weights(self):
        self.ringwall("block", "--remote", "10.99.1.0/24", "--weight", "5")
        self.assertEqual(self.connect(FAR4), "refused")
        self.ringwall("permit", "--proto", "tcp", "--weight", "6")
        self.assertEqual(self.connect(FAR4), "connected")

    def test_session(self):
        for number in (signal.SIGINT, signal.SIGKILL):
            session = self.lab.start(*self.command("block", "--remote", FAR4, "--session"), stdout=subprocess.PIPE)
            self.assertIn("until this command ends", session.stdout.readline())
            self.assertEqual(self.connect(FAR4), "refused")
            self.assertEqual([rule["persistent"] for rule in self.json("list")], [False])
            session.send_signal(number)
            self.assertEqual(session.wait(timeout=10), 0 if number == signal.SIGINT else -9)
            session.stdout.close()
            wait_for(lambda: self.json("list") == [], what="the session's rule is gone")
            self.assertEqual(self.connect(FAR4), "connected")

    def test_monitor(self):
        self.ringwall("block", "--remote", FAR4, "--name", "watched")
        monitor = self.lab.start(*self.command("monitor", "--json", "--count", "1"), stdout=subprocess.PIPE)
        wait_for(lambda: self.json("status")["connections"] >= 2, what="the monitor is connected")
        self.connect(FAR4)
        record = json.loads(monitor.stdout.readline())
        self.assertEqual(monitor.wait(timeout=10), 0)
        monitor.stdout.close()
        self.assertEqual((record["type"], record["action"], record["filterName"]), ("decision", "block", "watched"))
        self.assertEqual((record["remoteAddress"], record["remotePort"]), (FAR4, TCP_PORT))
        self.assertEqual(record["executable"], PYTHON)
        event = self.json("show", "netevents")[-1]
        self.assertEqual(event["header"]["appId"]["text"], PYTHON)
        self.assertIn(f"{FAR4}:{TCP_PORT}", self.ringwall("show", "netevents"))

    def test_kept_over_a_restart(self):
        self.ringwall("block", "--remote", FAR4)
        session = self.lab.start(*self.command("block", "--remote", FAR6, "--session"), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        session.stdout.readline()
        self.assertIn("has stopped", self.ringwall("stop"))
        self.assertEqual(self.service.wait(timeout=20), 0)
        # The rule of the session went with the service, and its command says so.
        self.assertEqual(session.wait(timeout=10), 3)
        self.assertIn("not running", session.stderr.read())
        session.stdout.close()
        session.stderr.close()
        self.ringwall("status", code=3)
        self.ringwall("stop", code=3)
        self.start_service()
        self.assertEqual([rule["remotes"] for rule in self.json("list")], [[FAR4]])
        self.lab.cgroup.mkdir(exist_ok=True)
        self.assertEqual((self.connect(FAR4), self.connect(FAR6)), ("refused", "connected"))

    def test_other_users(self):
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        self.ringwall("status", **nobody)
        self.ringwall("list", **nobody)
        self.ringwall("show", "layers", **nobody)
        for words in (["block", "--port", "9"], ["remove", "--all"], ["stop"], ["unload", "x"],
                      ["status", "--coverage"]):
            self.assertIn("only root", self.ringwall(*words, code=4, **nobody))
        self.ringwall("status")

    def test_every_kind(self):
        for kind, some in (("providers", True), ("sublayers", True), ("layers", True), ("callouts", True),
                           ("filters", False), ("sessions", True), ("netevents", False)):
            with self.subTest(kind=kind):
                entries = self.json("show", kind)
                self.assertTrue(entries or not some)
                # A title line, then one line each; a session of our own is among the sessions.
                self.assertEqual(len(self.ringwall("show", kind).splitlines()), 1 + len(entries))

    def test_not_found(self):
        self.assertIn("cannot be found", self.ringwall("block", "--app", "/nonexistent/program", code=5))
        self.assertIn("cannot be found", self.ringwall("load", "/nonexistent/driver.so", code=5))
        self.ringwall("unload", "nothing", code=5)


if __name__ == "__main__":
    skip_unless_possible()
    unittest.main(argv=sys.argv[:1])
