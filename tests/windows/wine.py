"""A Wine of its own: prefix, server and processes, all gone when it is closed or its user has died."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PLACES = ["/usr/lib/wine", "/usr/lib/x86_64-linux-gnu/wine/bin", "/usr/bin"]


def find(*names):
    for name in names:
        for folder in PLACES:
            path = Path(folder, name)
            if path.exists():
                return str(path)
    return None


def remove_left_overs():
    """A killed run's processes end by themselves; its folder is removed by the next run."""
    for folder in Path("/tmp").glob("rw-wine-*-*"):
        if not Path("/proc", folder.name.split("-")[2]).exists():
            shutil.rmtree(folder, ignore_errors=True)


class Wine:
    def __init__(self):
        remove_left_overs()
        self.program = find("wine64", "wine")
        self.server = find("wineserver64", "wineserver")
        self.prefix = Path(tempfile.mkdtemp(prefix=f"rw-wine-{os.getpid()}-", dir="/tmp"))
        self.environment = {**os.environ, "WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEARCH": "win64",
                            "WINEDLLOVERRIDES": "fwpuclnt,fwpkclnt.sys=n;mscoree,mshtml=;winemenubuilder.exe=d"}
        for name in ("DISPLAY", "WAYLAND_DISPLAY"):
            self.environment.pop(name, None)
        self.holder = None

    def boot(self):
        subprocess.run([self.program, "wineboot", "-i"], env=self.environment, stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=180, check=True)

    @property
    def drive(self):
        return self.prefix / "drive_c"

    def copy(self, path, *folder):
        shutil.copy(path, self.drive.joinpath(*folder))

    def start(self, *command, **options):
        return subprocess.Popen([self.program, *command], env=self.environment, cwd=self.drive, text=True,
                                encoding="utf-8", errors="replace", **options)

    def run(self, *command, timeout=120):
        """(exit code, output of both kinds)"""
        process = self.start(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            return -1, f"{output}\ntimeout after {timeout} s\n"
        return process.returncode, output

    def hold(self, *command):
        """Starts what keeps Wine's services alive: it ends with its standard input, so with us."""
        self.holder = self.start(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lines = []
        while "holding" not in "".join(lines[-1:]):
            line = self.holder.stdout.readline()
            if not line:
                raise RuntimeError("the test bed does not start: " + "".join(lines))
            lines.append(line)

    def close(self):
        if self.holder:
            self.holder.stdin.close()
            try:
                self.holder.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.holder.kill()
        subprocess.run([self.server, "-k"], env=self.environment, capture_output=True, check=False, timeout=30)
        subprocess.run([self.server, "-w"], env=self.environment, capture_output=True, check=False, timeout=30)
        for _ in range(20):
            shutil.rmtree(self.prefix, ignore_errors=True)
            if not self.prefix.exists():
                return
            time.sleep(0.2)
