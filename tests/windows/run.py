#!/usr/bin/env python3
"""The test bed under Wine: drivers loaded by the service control manager, ringwall.exe, the portable rooms as PE.

    run.py BUILD [--linux BUILD] [--cycles N] [TEST...]

BUILD is the Windows build that tools/windows.sh made. --linux names a Linux build: as root the two systems' filter
sets are compared. Prints the lines of the wall driver as it replays the tutorial's connections; the last line is
`N passed, N failed, N skipped`.
"""
import argparse
import functools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import binaries
import filters
from wine import Wine, find

HERE = Path(__file__).resolve().parent
CMD = "C:\\windows\\system32\\cmd.exe"


class Skipped(Exception):
    pass


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


class Tests:
    def __init__(self, options):
        self.options = options
        self.build = Path(options.build).resolve()
        self.wine = None

    # --- Without Wine ---

    def test_binaries(self):
        """Headers, sections, imports and checksum of the drivers."""
        done = subprocess.run([sys.executable, HERE / "binaries.py", self.build], capture_output=True, text=True,
                              check=False)
        print(done.stdout, end="")
        check(done.returncode == 0, done.stderr)

    def test_cppcheck(self):
        """cppcheck has no complaints about the drivers and the Windows side."""
        if not find("cppcheck"):
            raise Skipped("cppcheck is not installed")
        root = HERE.parents[1]
        done = subprocess.run(
            ["cppcheck", "--quiet", "--error-exitcode=1", "--enable=warning,performance,portability",
             "--platform=win64", "--std=c11", "-D_WIN32", "-D_AMD64_", "-D__x86_64__", "-Iinclude/wfp", "-Iinclude",
             "-Isrc", "-Iwindows/bed", "-Idrivers/wall", "--suppress=missingIncludeSystem", "drivers", "windows",
             "tests/windows/drivers"], cwd=root, capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stdout + done.stderr)

    def test_signature(self):
        """A copy of each driver is signed and verified, and is still a good driver."""
        if not find("osslsigncode") or not find("openssl"):
            raise Skipped("osslsigncode or openssl is not installed")
        with tempfile.TemporaryDirectory(prefix="rw-sign-") as folder:
            key, certificate = f"{folder}/test.key", f"{folder}/test.crt"
            run = functools.partial(subprocess.run, capture_output=True, check=True)
            run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Ringwall test",
                 "-addext", "extendedKeyUsage=codeSigning", "-keyout", key, "-out", certificate])
            for driver in sorted(self.build.glob("ringwall-windows/*.sys")):
                signed = f"{folder}/{driver.name}"
                run(["osslsigncode", "sign", "-certs", certificate, "-key", key, "-h", "sha256", "-in", driver,
                     "-out", signed])
                run(["osslsigncode", "verify", "-CAfile", certificate, signed])
                found = binaries.faults(Path(signed).read_bytes())
                check(not found, f"{driver.name}, signed: {found}")

    # --- The bed ---

    def bed(self, *names):
        capture = "Z:" + str(HERE / "data/capture.tsv").replace("/", "\\")
        code, output = self.wine.run("bed-test.exe", capture, *names, timeout=240)
        print(output, end="")
        check(code == 0, f"bed-test.exe {' '.join(names)}: exit code {code}")

    def test_replay(self):
        """The tutorial's 65 connections, then the same with Internet Explorer blocked."""
        self.bed("replay")

    def test_verdicts(self):
        """Programs, addresses, ports; layers; IRQL 0 and 2."""
        self.bed("verdicts")

    def test_pending(self):
        """Pend and complete; unloading with 100 operations pending."""
        self.bed("pending")

    def test_ask(self):
        """The ask driver: questions, answers, packets; unloading while 100 connections wait."""
        self.bed("ask")

    def test_faults(self):
        """Each call of DriverEntry fails in turn; nothing is left."""
        self.bed("faults", "ask-faults")

    def test_cycles(self):
        """Load and unload again and again."""
        self.bed(f"cycles={self.options.cycles}")

    # --- ringwall.exe ---

    def ringwall(self, *words, code=0):
        found, output = self.wine.run("ringwall.exe", *words)
        check(found == code, f"ringwall {' '.join(words)}: exit code {found}, expected {code}: {output}")
        return output

    def test_driver_commands(self):
        """Install, set, start, log, stop, uninstall."""
        check("wall.sys" in self.ringwall("install", "wall", "block_app=curl.exe"), "install")
        self.ringwall("install", "wall", "nonsense", code=2)
        self.ringwall("install", "../wall", code=2)
        self.ringwall("start", "nobody", code=5)
        self.ringwall("log", code=5)
        self.ringwall("start", "wall")
        check("1 programs and 0 remotes" in self.ringwall("log", "--now"), "log --now")
        self.ringwall("stop", "wall")
        self.ringwall("set", "wall", "block_app=", "block_remote=:25,192.0.2.1")
        self.ringwall("start", "wall")
        check("0 programs and 2 remotes" in self.ringwall("log", "--now"), "parameters")
        self.ringwall("stop", "wall")
        self.ringwall("set", "wall", "block_remote=nonsense")
        self.ringwall("start", "wall", code=1)
        self.ringwall("set", "wall", "block_remote=")
        self.ringwall("uninstall", "wall")
        self.ringwall("uninstall", "wall", code=5)

    def test_log(self):
        """The log is streamed; it ends when the driver is stopped, and does not keep it from stopping when killed."""
        self.ringwall("install", "wall")
        self.ringwall("start", "wall")
        log = self.wine.start("ringwall.exe", "log", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        other = self.wine.start("ringwall.exe", "log", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check("is loaded" in log.stdout.readline(), "first line")
        self.bed("attempts=40")
        for port in range(1, 41):
            line = log.stdout.readline()
            expected = (f"[WFP]IRQL={0 if port % 2 else 2};PID=4711;Path=\\device\\curl.exe;Local=10.0.0.1:{port};"
                        "Remote=192.0.2.1:80;Protocol=TCP\n")
            check(line == expected, f"{line!r}, expected {expected!r}")
        other.kill()
        other.wait(timeout=10)
        self.bed("attempts=1")
        check("Local=10.0.0.1:1;" in log.stdout.readline(), "after the other reader was killed")
        self.ringwall("stop", "wall")
        output, _ = log.communicate(timeout=20)
        check(log.returncode == 1 and "cannot read the driver's log" in output, f"{log.returncode}: {output}")
        self.ringwall("uninstall", "wall")

    def rules(self):
        return json.loads(self.ringwall("list", "--json"))

    def test_rules(self):
        """block, permit, list, remove; a session's rule ends with its command."""
        check(self.rules() == [], "rules are left")
        self.ringwall("block", "--app", CMD, "--port", "25")
        self.ringwall("permit", "--remote", "10.0.0.0/8")
        self.ringwall("block", code=2)
        self.ringwall("block", "--app", "C:\\no\\such.exe", code=5)
        check([rule["action"] for rule in self.rules()] == ["block", "permit"], "list")
        check(self.rules()[0]["programs"][0].endswith("\\windows\\system32\\cmd.exe"), "the program")
        session = self.wine.start("ringwall.exe", "block", "--port", "99", "--session", stdout=subprocess.PIPE)
        check("until this command ends" in session.stdout.readline(), "--session")
        check([rule["persistent"] for rule in self.rules()] == [True, True, False], "session's rule")
        session.kill()
        session.communicate(timeout=10)
        for _ in range(100):
            if len(self.rules()) == 2:
                break
            time.sleep(0.1)
        check(len(self.rules()) == 2, "the session's rule is still there")
        first = re.search(r"^\s*(\d+)\s+block", self.ringwall("list"), re.M)[1]
        self.ringwall("remove", first)
        self.ringwall("remove", "--all")
        check(self.rules() == [], "remove")
        for kind in ("providers", "sublayers", "layers", "callouts", "filters", "sessions"):
            check(len(self.ringwall("show", kind).splitlines()) >= 1, kind)

    def test_filter_sets(self):
        """The same commands make the same filters on both systems, field by field."""
        if not self.options.linux or os.geteuid() != 0:
            raise Skipped("needs root and a Linux build")
        on_linux = filters.linux_filters(self.options.linux)
        for command in filters.with_app(CMD):
            self.ringwall(*command)
        on_windows = filters.normalize(json.loads(self.ringwall("show", "filters", "--json")), CMD)
        self.ringwall("remove", "--all")
        check(len(on_linux) == len(on_windows) > 0, f"{len(on_linux)} filters on Linux, {len(on_windows)} on Windows")
        found = filters.differences("", on_linux, on_windows)
        check(not found, "\n".join(found))
        print(f"   {len(on_linux)} filters, {filters.count_fields(on_linux)} fields are equal")

    # --- Portable rooms ---

    def test_units(self):
        """The unit tests of base, engine and wire, arbitration among them, as Windows programs."""
        programs = sorted(self.build.glob("tests/windows/unit-*.exe"))
        check(len(programs) > 25, "unit tests are missing")
        count = 0
        for program in programs:
            code, output = self.wine.run(str(program))
            check(code == 0, f"{program.name}: {output}")
            count += int(re.search(r"(\d+) tests, 0 failed", output)[1])
        print(f"   {count} unit tests in {len(programs)} programs")

    # --- Running ---

    def start_wine(self):
        self.wine = Wine()
        self.wine.boot()
        drivers = ("windows", "system32", "drivers")
        for path in ("windows/bed/fwpkclnt.sys", "windows/bed/bed.sys", "ringwall-windows/wall.sys",
                     "ringwall-windows/ask.sys", "tests/windows/pend.sys"):
            self.wine.copy(self.build / path, *drivers)
        self.wine.copy(self.build / "windows/bed/fwpuclnt.dll", "windows", "system32")
        for path in ("ringwall-windows/wall.sys", "ringwall-windows/ringwall.exe", "tests/windows/bed-test.exe"):
            self.wine.copy(self.build / path)
        self.wine.hold("bed-test.exe", "-", "hold")

    def run(self, names):
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        for name in names:
            function = getattr(self, "test_" + name)
            begin = time.monotonic()
            print(f"== {name}: {function.__doc__}", flush=True)
            try:
                if not self.wine and name not in ("binaries", "cppcheck", "signature"):
                    self.start_wine()
                function()
                outcome, text = "passed", ""
            except Skipped as reason:
                outcome, text = "skipped", f": {reason}"
            except (Failed, OSError, ValueError, subprocess.SubprocessError, RuntimeError) as fault:
                outcome, text = "failed", f":\n{fault}"
            counts[outcome] += 1
            print(f"   {outcome} after {time.monotonic() - begin:.1f} s{text}", flush=True)
        return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--linux")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("tests", nargs="*")
    options = parser.parse_args()
    if not find("wine64", "wine") or not find("wineserver64", "wineserver"):
        print("wine64 is not installed: tools/setup.sh windows")
        sys.exit(77)
    tests = Tests(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = options.tests or [name[5:] for name in dir(Tests) if name.startswith("test_")]
    try:
        counts = tests.run(names)
    finally:
        if tests.wine:
            tests.wine.close()
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
