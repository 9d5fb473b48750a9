"""The plain kernel and the other ways to filter on Linux, each in a place of its own.

A rule set of N rules is N - 1 rules that nothing matches and a last one that refuses 127.0.0.1:7999: the worst case.
"""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from place import BUILD, PORT_DENIED, Place, Void, built, cgroup_mount

DENY_NFT = 'reject with tcp reset'


class Variant:
    """Something to measure: a name, how many filters it has, and how to run the load generator under it."""

    def __init__(self, name, filters=None, place=None, before=()):
        self.name, self.filters, self.before = name, filters, list(before)
        self.place = place or Place()

    def load(self, workload, *options):
        return self.place.load(workload, *options, before=self.before)

    def slices(self, workload, *options):
        return self.place.slices(workload, *options, before=self.before)

    def verify(self):
        """One permitted and one denied connection, or the variant is void."""
        permitted = self.load('verify', '--port', 7001)
        denied = self.load('verify', '--port', PORT_DENIED, '--seconds', 1)
        if (permitted, denied) != ('permitted', 'denied'):
            raise Void(f'it does not work: port 7001 is {permitted}, port {PORT_DENIED} is {denied}')

    def close(self):
        self.place.close()


class Plain(Variant):
    def verify(self):
        if self.load('verify', '--port', PORT_DENIED) != 'permitted':
            raise Void('a connection without any rule is refused')


def address(number):
    """Somewhere the load generator never connects to."""
    return f'10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}'


def nft(name, count, rule, deny, head=''):
    """A linear chain: rule(i) of the others, `deny` the last."""
    variant = Variant(name, count)
    rules = '\n'.join(f'{rule(i, variant)} drop' for i in range(count - 1))
    text = f'''table ip bench {{ chain out {{ type filter hook output priority 0; policy accept;
{head}
{rules}
{deny(variant)} tcp dport {PORT_DENIED} {DENY_NFT}
}}
}}
'''
    try:
        # nft looks for cgroups below /sys/fs/cgroup, wherever the tree is.
        variant.place.inside('unshare', '-m', 'sh', '-c',
                             f'mount --bind {cgroup_mount()} /sys/fs/cgroup && nft -f -', text=text)
    except BaseException:
        variant.close()
        raise
    return variant


def nft_linear(count):
    return nft(f'nft linear, {count}', count, lambda i, _: f'ip daddr {address(i)} tcp dport {1 + i % 60000}',
               lambda _: 'ip daddr 127.0.0.1')


def nft_conntrack(count):
    return nft(f'nft linear behind conntrack, {count}', count,
               lambda i, _: f'ip daddr {address(i)} tcp dport {1 + i % 60000}', lambda _: 'ip daddr 127.0.0.1',
               head='ct state established,related accept')


def nft_user(count):
    return nft(f'nft by user, {count}', count, lambda i, _: f'meta skuid {100000 + i} tcp dport {1 + i % 60000}',
               lambda _: 'meta skuid 0')


def nft_cgroup(count):
    other = Place()  # of whom the other rules are
    try:
        variant = nft(f'nft by cgroup, {count}', count,
                      lambda i, _: f'socket cgroupv2 level 1 "{other.name}" tcp dport {1 + i % 60000}',
                      lambda variant: f'socket cgroupv2 level 1 "{variant.place.name}"')
    finally:
        other.close()
    return variant


def nft_set(count):
    variant = Variant(f'nft set, {count}', count)
    elements = ', '.join([f'{address(i)} . {1 + i % 60000}' for i in range(count - 1)] + [f'127.0.0.1 . {PORT_DENIED}'])
    try:
        variant.place.inside('nft', '-f', '-', text=f'''table ip bench {{
set denied {{ type ipv4_addr . inet_service; elements = {{ {elements} }} }}
chain out {{ type filter hook output priority 0; policy accept;
ip daddr . tcp dport @denied {DENY_NFT}
}}
}}
''')
    except BaseException:
        variant.close()
        raise
    return variant


def iptables(name, count, rule, deny, head=''):
    variant = Variant(name, count)
    rules = ''.join(f'-A OUTPUT {rule(i)} -p tcp --dport {1 + i % 60000} -j DROP\n' for i in range(count - 1))
    text = (f'*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{head}{rules}'
            f'-A OUTPUT {deny} -p tcp --dport {PORT_DENIED} -j REJECT --reject-with tcp-reset\nCOMMIT\n')
    try:
        variant.place.inside('iptables-legacy-restore', text=text)
    except BaseException:
        variant.close()
        raise
    return variant


def iptables_linear(count):
    return iptables(f'iptables-legacy, {count}', count, lambda i: f'-d {address(i)}', '-d 127.0.0.1')


def iptables_conntrack(count):
    return iptables(f'iptables-legacy behind conntrack, {count}', count, lambda i: f'-d {address(i)}', '-d 127.0.0.1',
                    head='-A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n')


def iptables_owner(count):
    return iptables(f'iptables-legacy by user, {count}', count, lambda i: f'-m owner --uid-owner {100000 + i}',
                    '-m owner --uid-owner 0')


def nfqueue(where, cpu):
    """`where`: same CPU as the load, or the other."""
    variant = Variant(f'NFQUEUE, minimal, {where} CPU')
    try:
        variant.place.start('taskset', '-c', str(cpu), built('bench', 'nfqueue'), '0', str(PORT_DENIED), ready='ready')
        variant.place.inside('iptables-legacy', '-A', 'OUTPUT', '-p', 'tcp', '-m', 'conntrack', '--ctstate', 'NEW',
                             '-j', 'NFQUEUE', '--queue-num', '0')
    except BaseException:
        variant.close()
        raise
    return variant


def notify(where, cpu):
    before = [built('bench', 'notify'), str(cpu), str(PORT_DENIED)]
    return Variant(f'seccomp notification, {where} CPU', before=before)


OPENSNITCH_CONFIG = '''{"Server": {"Address": "unix://%(folder)s/none", "LogFile": "%(folder)s/log"},
"DefaultAction": "deny", "DefaultDuration": "once", "InterceptUnknown": true, "ProcMonitorMethod": "proc",
"LogLevel": 2, "Firewall": "iptables", "Stats": {"MaxEvents": 150, "MaxStats": 25}}
'''
OPENSNITCH_RULE = '''{"created": "2026-01-01T00:00:00Z", "updated": "2026-01-01T00:00:00Z", "name": "%s",
"enabled": true, "precedence": %s, "action": "%s", "duration": "always",
"operator": {"type": "simple", "operand": "%s", "sensitive": false, "data": "%s", "list": []}}
'''


class OpenSnitch(Variant):
    """Debian's package, unpacked and not installed: an installed one would start to filter the whole machine."""

    def __init__(self):
        super().__init__('OpenSnitch 1.5.8.1, /proc monitor')
        self.folder = Path(tempfile.mkdtemp(prefix=Place.prefix))
        try:
            self.prepare()
        except BaseException:
            self.close()
            raise

    def prepare(self):
        kept = BUILD / 'bench' / 'opensnitch'
        kept.mkdir(exist_ok=True)
        if not list(kept.glob('*.deb')):
            done = subprocess.run(['apt-get', '-q', 'download', 'opensnitch'], cwd=kept, check=False,
                                  capture_output=True, text=True)
            if done.returncode:
                raise Void(f'apt-get download opensnitch: {done.stderr.strip()[-200:]}')
        subprocess.run(['dpkg-deb', '-x', str(next(kept.glob('*.deb'))), str(self.folder / 'x')], check=True)
        etc = self.folder / 'etc' / 'opensnitchd'
        (etc / 'rules').mkdir(parents=True)
        (etc / 'default-config.json').write_text(OPENSNITCH_CONFIG % {'folder': self.folder})
        shutil.copy(self.folder / 'x/etc/opensnitchd/system-fw.json', etc)
        (etc / 'rules/1-deny.json').write_text(
            OPENSNITCH_RULE % ('1-deny', 'true', 'deny', 'dest.port', PORT_DENIED))
        (etc / 'rules/2-permit.json').write_text(
            OPENSNITCH_RULE % ('2-permit', 'false', 'allow', 'process.path', built('bench', 'load')))
        tools = self.folder / 'bin'
        tools.mkdir()
        for name in ('iptables', 'ip6tables'):
            os.symlink(f'/usr/sbin/{name}-legacy', tools / name)
        # Its configuration has a fixed place; it sees ours there, nobody else does.
        script = (f'mount -t overlay overlay -o lowerdir={self.folder}/etc:/etc /etc && PATH={tools}:$PATH '
                  f'exec {self.folder}/x/usr/bin/opensnitchd -rules-path /etc/opensnitchd/rules '
                  f'-ui-socket unix://{self.folder}/none -process-monitor-method proc -log-file {self.folder}/log')
        daemon = self.place.start('unshare', '-m', 'sh', '-c', script)
        time.sleep(3)
        if daemon.poll() is not None:
            raise Void(f'opensnitchd ended with {daemon.returncode}')

    def close(self):
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)


def bpfilter():
    raise Void('not measured: Debian 12 has no package of bpfilter')
