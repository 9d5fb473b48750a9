"""Places to measure in: each a cgroup and a network namespace with nothing but loopback.

All are named rw-bench-<pid>-<number>, also temporary folders; a guardian process removes them when this one ends in
whatever way.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'system'))
from instance import Instance  # noqa: E402,F401 - with the lab, for the other files of this folder
from lab import cgroup_mount, run, skip_unless_possible  # noqa: E402,F401

BUILD = Path(os.environ.get('RINGWALL_BUILD', ROOT / 'build')).resolve()
PORT_MIXED, PORT_INBOUND, PORT_DENIED = 7900, 7997, 7999  # policy/rules.h


class Void(Exception):
    """A variant that cannot be measured here; the text says why."""


def built(*parts):
    path = BUILD.joinpath(*parts)
    if not path.exists():
        raise Void(f'{path.relative_to(BUILD)} is not built')
    return str(path)


def load_command(workload, *options, cgroup, netns, before=()):
    return [*before, built('bench', 'load'), workload, '--cgroup', str(cgroup), '--netns', netns, *map(str, options)]


def run_load(workload, *options, cgroup, netns, before=(), **keywords):
    """One run of the load generator; returns its figures, or raises RuntimeError."""
    command = load_command(workload, *options, cgroup=cgroup, netns=netns, before=before)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **keywords)
    if done.returncode:
        raise RuntimeError(f'load {workload}: exit {done.returncode}: {done.stderr.strip()[-300:]}')
    return json.loads(done.stdout.splitlines()[-1]) if workload != 'verify' else done.stdout.strip()


class Slices:
    """A load generator that works a slice at a time and waits in between. Raises RuntimeError when it has failed."""

    def __init__(self, workload, *options, cgroup, netns, before=()):
        self.workload = workload
        self.process = subprocess.Popen(load_command(workload, '--slices', *options, cgroup=cgroup, netns=netns,
                                                     before=before), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)

    def work(self):
        """One slice; returns operations a second."""
        try:
            self.process.stdin.write('\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # why is told below
        figures = self.read()
        return figures['operations'] / figures['seconds']

    def finish(self):
        """The figures of all slices together."""
        self.process.stdin.close()
        figures = self.read()
        self.process.wait()
        return figures

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            error = self.process.stderr.read().strip()[-300:]
            raise RuntimeError(f'load {self.workload}: exit {self.process.wait()}: {error}')
        return json.loads(line)

    def end(self):
        """Ends it in whatever state it is."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                file.close()
            except BrokenPipeError:
                pass


class Place:
    prefix = f'rw-bench-{os.getpid()}-'
    made = 0
    guardian = None

    def __init__(self):
        self.guard()
        Place.made += 1
        self.name = f'{Place.prefix}{Place.made}'
        self.cgroup = cgroup_mount() / self.name
        self.netns = f'/run/netns/{self.name}'
        self.processes = []
        self.cgroup.mkdir()
        run('ip', 'netns', 'add', self.name)
        run('ip', '-n', self.name, 'link', 'set', 'lo', 'up')

    @classmethod
    def guard(cls):
        if cls.guardian is not None:
            return
        reading, cls.guardian = os.pipe()
        if os.fork() == 0:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.close(cls.guardian)
            null = os.open('/dev/null', os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(null, fd)
            os.read(reading, 1)
            cls.clean_all()
            os._exit(0)
        os.close(reading)

    @classmethod
    def clean_all(cls):
        for path in cgroup_mount().glob(cls.prefix + '*'):
            cls.clean_cgroup(path)
        for path in Path('/run/netns').glob(cls.prefix + '*'):
            cls.clean_namespace(path.name)
        for path in Path(tempfile.gettempdir()).glob(cls.prefix + '*'):
            shutil.rmtree(path, ignore_errors=True)

    @staticmethod
    def clean_cgroup(path):
        for _ in range(100):
            try:
                for pid in (path / 'cgroup.procs').read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
                path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)

    @staticmethod
    def clean_namespace(name):
        for pid in run('ip', 'netns', 'pids', name, check=False).split():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        run('ip', 'netns', 'del', name, check=False)

    def inside(self, *command, text=None):
        """Runs a set-up command in the namespace; its failure makes the variant void."""
        done = subprocess.run(['nsenter', f'--net={self.netns}', *command], input=text, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Void(f'{command[0]}: {done.stderr.strip()[-200:]}')
        return done.stdout

    def start(self, *command, ready=None, **keywords):
        """A process in the namespace for as long as the place exists; waits for a line `ready`."""
        process = subprocess.Popen(['nsenter', f'--net={self.netns}', *command], text=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE if ready else subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, **keywords)
        self.processes.append(process)
        if ready and process.stdout.readline().strip() != ready:
            raise Void(f'{command[0]} did not start')
        return process

    def load(self, workload, *options, **keywords):
        return run_load(workload, *options, cgroup=self.cgroup, netns=self.netns, **keywords)

    def slices(self, workload, *options, before=()):
        return Slices(workload, *options, cgroup=self.cgroup, netns=self.netns, before=before)

    def close(self):
        for process in self.processes:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.clean_cgroup(self.cgroup)
        self.clean_namespace(self.name)
