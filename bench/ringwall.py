"""Ringwall as one of the variants: a service, a scope and a policy of its own (tests/system/instance.py)."""
import json
import os
import subprocess
import time
from pathlib import Path

from peers import Variant
from place import PORT_INBOUND, Instance, Slices, Void, built, run_load

TICKS = os.sysconf('SC_CLK_TCK')


class Ringwall(Variant):
    def __init__(self, name, filters=0, events=False, inbound=False):
        self.name, self.filters, self.before = name, filters, []
        self.events, self.inbound = events, inbound
        self.monitor = None
        self.instance = Instance()
        self.instance.__enter__()
        self.place = self
        try:
            self.folder = Path(self.instance.directory, 'programs')
            self.folder.mkdir()
            self.commit = self.policy('load', '--filters', filters, *(['--inbound'] if inbound else [])) \
                if filters else None
            self.start_monitor(subprocess.DEVNULL)
        except BaseException:
            self.close()
            raise

    def load(self, workload, *options):
        return run_load(workload, *options, cgroup=self.instance.cgroup, netns=self.instance.netns_path())

    def slices(self, workload, *options):
        return Slices(workload, *options, cgroup=self.instance.cgroup, netns=self.instance.netns_path())

    def start_load(self, workload, *options, program=None, **keywords):
        """The load generator (or a copy of it) in the background."""
        command = [program or built('bench', 'load'), workload, '--cgroup', self.instance.cgroup, '--netns',
                   self.instance.netns_path(), *options]
        return self.instance.start(*map(str, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **keywords)

    def policy_command(self, action, *options):
        return [built('bench', 'policy'), '--load', built('bench', 'load'), '--folder', str(self.folder), action,
                *map(str, options)]

    def policy_environment(self):
        return {**os.environ, 'RINGWALL_RUNTIME_DIR': self.instance.runtime}

    def policy(self, action, *options):
        """Runs bench/policy against this instance; returns its figures."""
        done = subprocess.run(self.policy_command(action, *options), env=self.policy_environment(), capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise Void(f'policy {action}: {done.stderr.strip()[-200:]}')
        return json.loads(done.stdout)

    def start_monitor(self, out, *options):
        if not self.events:
            return
        command = [self.instance.cli, '--runtime-dir', self.instance.runtime, 'monitor', *options]
        self.monitor = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        time.sleep(0.3)

    def stop_monitor(self):
        if self.monitor:
            self.monitor.terminate()
            self.monitor.wait()
            self.monitor = None

    def verify_policy(self):
        """One permitted and one denied connection under the policy as it is now."""
        super().verify()

    def verify(self):
        if self.filters == 0:
            self.policy('load', '--filters', 2)
        self.verify_policy()
        if self.filters == 0:
            self.policy('clear')
        if self.inbound and self.load('verify', '--port', PORT_INBOUND, '--seconds', 0.5) != 'denied':
            raise Void('a filter of the inbound layer is not enforced')
        if self.events:
            self.verify_events()

    def verify_events(self):
        """A permitted connection has to be told of."""
        self.stop_monitor()
        path = Path(self.instance.directory, 'events')
        with open(path, 'w', encoding='utf-8') as out:
            self.start_monitor(out, '--json')
            self.load('verify', '--port', 7001)
            time.sleep(0.3)
            self.stop_monitor()
        self.start_monitor(subprocess.DEVNULL)
        if '7001' not in path.read_text(encoding='utf-8'):
            raise Void('a permitted connection is not told of')

    # --- The service as the system sees it ---

    def status(self):
        return json.loads(self.instance.ringwall('status', '--json').stdout)

    def pid(self):
        return self.status()['processId']

    def cpu_seconds(self, pid):
        fields = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self, pid):
        return int(Path(f'/proc/{pid}/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')

    def wakeups(self, pid):
        """Times any thread of the service has gone to sleep, and so been woken."""
        total = 0
        for task in Path(f'/proc/{pid}/task').iterdir():
            for line in (task / 'status').read_text().splitlines():
                if line.startswith('voluntary_ctxt_switches'):
                    total += int(line.split()[1])
        return total

    def map_bytes(self, pid):
        """Kernel memory of all maps the service holds."""
        sizes = {}
        for path in Path(f'/proc/{pid}/fdinfo').iterdir():
            try:
                fields = dict(line.split(':', 1) for line in path.read_text().splitlines() if ':' in line)
            except FileNotFoundError:  # closed since
                continue
            if 'map_id' in fields:
                sizes[fields['map_id']] = int(fields['memlock'])
        return sum(sizes.values())

    def close(self):
        self.stop_monitor()
        self.instance.close()
