"""The filter sets that the same commands make on Linux and on Windows."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

APP = "APP"  # stands for the program of each system
COMMANDS = [
    ["block", "--app", APP],
    ["block", "--app", APP, "--port", "25", "--proto", "tcp"],
    ["permit", "--remote", "10.0.0.0/8", "--remote", "2001:db8::/32"],
    ["block", "--remote", "192.0.2.1", "--port", "1000-2000", "--proto", "udp", "--weight", "15"],
    ["permit", "--proto", "icmp", "--proto", "icmpv6", "--name", "ping: \u00e4"],
    ["block", "--remote", "2001:db8::1", "--port", "443", "--port", "8000-8999"],
    ["block", "--remote", "0.0.0.0/0", "--weight", "0"],
    ["block", "--port", "53", "--app", APP, "--remote", "198.51.100.0/24", "--proto", "17"],
]
RANDOM = ("filterKey", "filterId", "providerData")  # made anew for each rule


def with_app(app):
    return [[app if word == APP else word for word in command] for command in COMMANDS]


def normalize(filters, app):
    """What is left to compare: everything but the random members, with one name for the program."""

    def plain(value):
        if isinstance(value, dict):
            if "hex" in value and "text" in value:
                return APP if value["text"] else value
            return {key: plain(member) for key, member in value.items() if key not in RANDOM}
        if isinstance(value, list):
            return [plain(member) for member in value]
        return value.replace(app, APP) if isinstance(value, str) else value

    return [plain(entry) for entry in filters]


def differences(path, left, right):
    if isinstance(left, dict) and isinstance(right, dict):
        found = [f"{path}: only one has {key}" for key in left.keys() ^ right.keys()]
        for key in left.keys() & right.keys():
            found += differences(f"{path}.{key}", left[key], right[key])
        return found
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [fault for i, pair in enumerate(zip(left, right)) for fault in differences(f"{path}[{i}]", *pair)]
    return [] if left == right else [f"{path}: {left!r} on Linux, {right!r} on Windows"]


def count_fields(value):
    if isinstance(value, dict):
        return sum(map(count_fields, value.values()))
    return sum(map(count_fields, value)) if isinstance(value, list) else 1


class LinuxService:
    """ringwalld in a cgroup and namespaces of its own."""

    def __init__(self, build):
        from lab import Lab  # needs root
        self.build = Path(build).resolve()
        self.lab = Lab("pe")
        self.folder = tempfile.mkdtemp(prefix="rw-pe-", dir="/tmp")
        reading, writing = os.pipe()
        self.service = self.lab.start(str(self.build / "src/service/ringwalld"), "--scope", self.lab.name,
                                      "--runtime-dir", self.folder, "--driver-host", "/bin/true", "--ready-fd",
                                      str(writing), pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as file:
            answer = file.read()
        if answer != "ready\n":
            raise RuntimeError(answer)

    def ringwall(self, *words):
        command = [str(self.build / "src/cli/ringwall"), words[0], "--runtime-dir", self.folder, *words[1:]]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout

    def close(self):
        self.service.send_signal(signal.SIGTERM)
        self.service.wait(timeout=20)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lab.close()


def linux_filters(build):
    service = LinuxService(build)
    app = os.path.realpath("/bin/cat")
    try:
        for command in with_app(app):
            service.ringwall(*command)
        return normalize(json.loads(service.ringwall("show", "filters", "--json")), app)
    finally:
        service.close()
