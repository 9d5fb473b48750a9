"""Where the scenarios happen: an instance of Ringwall (tests/system/instance.py) with two peers that are counted apart.

Whatever reaches the first peer comes from the program that is denied, whatever reaches the second from the control
program beside it: both have addresses of their own at the far end, and on loopback. A third namespace, the box, is a
container's.
"""
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
# pylint: disable=wrong-import-position
from instance import Instance, program
from lab import run

NOBODY = 65534


def counter_name(address):
    return 'to_' + address.replace('.', '_').replace(':', '_')


class Peer:
    """The end that one program talks to."""

    def __init__(self, number):
        self.address4, self.address6 = f'10.99.1.{number}', f'fd99:1::{number}'
        self.loopback = f'127.0.0.{number}'
        self.addresses = (self.address4, self.address6, self.loopback)


class Stage(Instance):
    def __init__(self):
        self.box = None
        self.denied_peer, self.control_peer = Peer(2), Peer(3)
        super().__init__()
        self.programs = {}
        for role in ('denied', 'control', 'helper', 'watched'):
            self.programs[role] = os.path.join(self.directory, 'traffic-' + role)
            shutil.copy(program('tests', 'scenarios', 'traffic'), self.programs[role])
        self.add_peers()
        for namespace in (self.far, self.near, self.box):
            self.count_in(namespace)
        for peer in (self.denied_peer, self.control_peer):
            for namespace, address in ((self.far, peer.address4), (self.far, peer.address6),
                                       (self.near, peer.loopback)):
                self.serve_at(namespace, address, self.programs['helper'])

    def make_network(self):
        super().make_network()
        self.box = self.name + '-c'
        run('ip', 'netns', 'add', self.box)
        run('ip', '-n', self.box, 'link', 'set', 'lo', 'up')
        run('ip', '-n', self.box, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'box', 'netns', self.far)
        run('ip', '-n', self.box, 'addr', 'add', '10.99.2.1/24', 'dev', 'cable')
        run('ip', '-n', self.far, 'addr', 'add', '10.99.2.2/24', 'dev', 'box')
        run('ip', '-n', self.box, 'link', 'set', 'cable', 'up')
        run('ip', '-n', self.far, 'link', 'set', 'box', 'up')
        run('ip', '-n', self.box, 'route', 'add', '10.99.1.0/24', 'via', '10.99.2.2')

    def add_peers(self):
        second = self.control_peer
        run('ip', '-n', self.far, 'addr', 'add', f'{second.address4}/24', 'dev', 'cable')
        run('ip', '-n', self.far, 'addr', 'add', f'{second.address6}/64', 'dev', 'cable', 'nodad')
        for address in (second.address4, second.address6):
            run('ip', '-n', self.near, 'neigh', 'add', address, 'lladdr', '02:00:00:00:00:02', 'dev', 'cable')

    def count_in(self, namespace):
        """Counts bytes towards each address, before anything else of that namespace sees them."""
        rules = 'table inet scenarios {\n'
        chain = 'chain in { type filter hook prerouting priority -310;\n'
        for peer in (self.denied_peer, self.control_peer):
            for address in peer.addresses:
                name = counter_name(address)
                rules += f'counter {name} {{ }}\n'
                chain += f'ip{"6" if ":" in address else ""} daddr {address} counter name {name}\n'
        run('ip', 'netns', 'exec', namespace, 'nft', rules + chain + '}\n}\n')

    def counts(self):
        """Bytes that have arrived so far, by the name of the counter."""
        counts = {}
        for namespace in (self.far, self.near):
            listing = json.loads(run('nsenter', f'--net=/run/netns/{namespace}', 'nft', '-j', 'list', 'counters'))
            for item in listing['nftables']:
                if 'counter' in item:
                    name = item['counter']['name']
                    counts[name] = counts.get(name, 0) + item['counter']['bytes']
        return counts

    def bytes_to(self, peer, counts=None):
        """Bytes that have arrived at the peer, wherever it is: now, or when the counts were read."""
        counts = counts or self.counts()
        return sum(counts[counter_name(address)] for address in peer.addresses)

    def settled_bytes_to(self, peer):
        """... when the last packets of connections that have just been closed are over."""
        count = -1
        while count != (count := self.bytes_to(peer)):
            time.sleep(0.03)
        return count

    def command(self, scenario, launcher, actor, peer):
        """The command line of a scenario, run by `launcher` (and `actor`, where that one starts another program)."""
        address = peer.loopback if scenario.loopback else peer.address4
        command = [self.programs[launcher], scenario.generator, address, peer.address6, self.programs[actor]]
        if scenario.container:
            command = ['unshare', '--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child'] + command
        if not scenario.root:
            command = ['setpriv', f'--reuid={NOBODY}', f'--regid={NOBODY}', '--clear-groups'] + command
        namespace = self.box if scenario.container else self.near
        return ['nsenter', f'--net=/run/netns/{namespace}'] + command

    def launch(self, scenario, launcher, actor, peer):
        """Starts it inside the scope."""
        return self.start(*self.command(scenario, launcher, actor, peer), preexec_fn=self.enter_scope,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.directory)

    def clean(self):
        if self.box:
            for pid in run('ip', 'netns', 'pids', self.box, check=False).split():
                try:
                    os.kill(int(pid), 9)
                except ProcessLookupError:
                    pass
            run('ip', 'netns', 'del', self.box, check=False)
        super().clean()
