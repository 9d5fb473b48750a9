#!/usr/bin/env python3
"""`ringwall start` against a service that is a script: what it is given, and what is made of its answer."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1)

SERVICE = """#!/bin/sh
echo "$@" > "{folder}/words"
fd=
while [ $# -gt 0 ]; do
    case $1 in --ready-fd) fd=$2 ;; esac
    shift
done
{action}
"""


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ringwall-start-")
        os.makedirs(f"{self.folder}/bin")
        os.makedirs(f"{self.folder}/libexec/ringwall")
        shutil.copy(PROGRAM, f"{self.folder}/bin/ringwall")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def start(self, action, *words):
        service = f"{self.folder}/libexec/ringwall/ringwalld"
        with open(service, "w") as file:
            file.write(SERVICE.format(folder=self.folder, action=action))
        os.chmod(service, 0o755)
        return self.run_program("start", *words)

    def run_program(self, *words):
        environment = dict(os.environ)
        environment.pop("RINGWALL_RUNTIME_DIR", None)
        # A copy of the build tree's program is too far from the library it was linked with.
        environment["LD_LIBRARY_PATH"] = os.path.abspath(f"{os.path.dirname(PROGRAM)}/../client")
        return subprocess.run([f"{self.folder}/bin/ringwall", *words], capture_output=True, text=True, timeout=20,
                              env=environment)

    def words(self):
        with open(f"{self.folder}/words") as file:
            return file.read().split()

    def test_foreground(self):
        result = self.start('echo "dir=$RINGWALL_RUNTIME_DIR"; exit 7', "--runtime-dir", "/run/x", "--scope", "a/b")
        self.assertEqual(result.returncode, 7)
        self.assertEqual(result.stdout, "dir=/run/x\n")
        self.assertEqual(self.words(), ["--scope", "a/b", "--runtime-dir", "/run/x"])

    def test_daemon(self):
        # The service lives on in a session of its own; the command ends as soon as it is ready.
        began = time.monotonic()
        result = self.start(f'echo $$ > "{self.folder}/pid"; echo ready > /proc/self/fd/$fd; exec sleep 30', "--daemon",
                            "--state-dir=/s")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("Ringwall is running", result.stdout)
        self.assertLess(time.monotonic() - began, 10)
        words = self.words()
        self.assertEqual(words[:3], ["--state-dir", "/s", "--ready-fd"])
        with open(f"{self.folder}/pid") as file:
            process = int(file.read())
        self.assertEqual(os.getsid(process), process)
        # The shell may still be about to end the redirection it answered through.
        output = f"/proc/{process}/fd/1"
        while os.readlink(output) != "/dev/null" and time.monotonic() - began < 10:
            time.sleep(0.01)
        self.assertEqual(os.readlink(output), "/dev/null")
        os.kill(process, 15)

    def test_daemon_refuses(self):
        result = self.start('echo no such cgroup: a/b > /proc/self/fd/$fd; exit 1', "--daemon")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "ringwall: no such cgroup: a/b\n")
        self.assertEqual(result.stdout, "")

    def test_daemon_dies(self):
        result = self.start("exit 3", "--daemon")
        self.assertEqual(result.returncode, 1)
        self.assertIn("code 3", result.stderr)
        result = self.start("kill -9 $$", "--daemon")
        self.assertEqual(result.returncode, 1)
        self.assertIn("signal 9", result.stderr)

    def test_not_installed(self):
        with open(f"{self.folder}/libexec/ringwall/ringwalld", "w") as file:
            file.write("#!/nonexistent\n")
        os.chmod(file.name, 0o755)
        result = self.run_program("start")
        self.assertEqual(result.returncode, 1)
        self.assertIn("installed completely", result.stderr)
        result = self.run_program("start", "--daemon")
        self.assertEqual(result.returncode, 1)
        self.assertIn("installed completely", result.stderr)


class Usage(unittest.TestCase):
    def run_program(self, *words):
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=20)

    def test_exit_codes(self):
        for words, code in (([], 2), (["nothing"], 2), (["help"], 0), (["--help"], 0), (["-h"], 0), (["--version"], 0),
                            (["help", "start"], 0), (["help", "nothing"], 2), (["start", "--help"], 0),
                            (["start", "--nothing"], 2), (["version", "word"], 2), (["--runtime-dir"], 2),
                            (["--runtime-dir="], 2), (["--runtime-dir", "/x"], 2), (["--runtime-dir=/x", "help"], 0),
                            (["--runtime-dir", "/nonexistent", "status"], 3),
                            (["status", "--runtime-dir", "/nonexistent"], 3)):
            with self.subTest(words=words):
                result = self.run_program(*words)
                self.assertEqual(result.returncode, code)
                self.assertEqual(bool(result.stdout), code == 0)
                self.assertEqual(bool(result.stderr), code != 0)

    def test_hostile_word(self):
        result = self.run_program("\x1b[2J\n")
        self.assertNotIn("\x1b", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_full_disk(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, "help"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)


if __name__ == "__main__":
    unittest.main()
