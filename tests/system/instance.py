"""A Ringwall instance in a lab of its own (lab.py), driven through the command line as people drive it.

    with Instance() as wall:
        wall.ringwall('block', '--remote', wall.peer4)
        wall.run(['curl', f'http://{wall.peer4}/'])
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lab import FAR4, FAR6, Lab, cgroup_mount, run, skip_unless_possible, wait_for

BUILD = os.environ.get('RINGWALL_BUILD', os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'build'))
TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools')


def program(*parts):
    path = os.path.abspath(os.path.join(BUILD, *parts))
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path}: build first (ninja -C {BUILD})')
    return path


def sh(*command):
    return subprocess.run(command, check=False, capture_output=True, text=True)


class Instance(Lab):
    client4, client6 = FAR4[:-1] + '1', FAR6[:-1] + '1'
    peer4, peer6 = FAR4, FAR6

    def __init__(self, start=True):
        skip_unless_possible()
        self.daemon = None
        self.cli = program('src', 'cli', 'ringwall')
        self.directory = tempfile.mkdtemp(prefix='rw-instance-')
        os.chmod(self.directory, 0o755)  # strangers are part of the tests
        self.runtime = os.path.join(self.directory, 'run')
        super().__init__('instance')
        self.scope = self.name
        self.client_ns, self.peer_ns = self.near, self.far
        self.begin = start

    def __enter__(self):
        try:
            if self.begin:
                self.start_service()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *unused):
        self.close()

    def clean(self):
        """Also the guardian's work: it must not need anything of a dead test."""
        sh(self.cli, '--runtime-dir', self.runtime, 'stop')
        super().clean()
        sh('umount', '-l', os.path.join(self.runtime, 'bpf'))
        shutil.rmtree(self.directory, ignore_errors=True)

    # --- the service ---

    def start_service(self, *options, before=()):
        """`before`: a command that runs another one, in front of the service's."""
        with open(os.path.join(self.directory, 'ringwalld.log'), 'ab') as log:
            self.daemon = self.start(*before, self.cli, '--runtime-dir', self.runtime, 'start', '--scope', self.scope,
                                     *options, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until and self.daemon.poll() is None:
            if self.ringwall('status', check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError('ringwalld did not start:\n' + self.log())

    def kill_service(self):
        """SIGKILL, as a crash would end it."""
        pid = json.loads(self.ringwall('status', '--json').stdout)['processId']
        os.kill(pid, signal.SIGKILL)
        self.daemon.wait(10)

    def log(self):
        with open(os.path.join(self.directory, 'ringwalld.log'), encoding='utf-8', errors='replace') as log:
            return log.read()

    def ringwall(self, *arguments, check=True):
        done = sh(self.cli, '--runtime-dir', self.runtime, *arguments)
        if check and done.returncode != 0:
            raise AssertionError(f'ringwall {" ".join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}\n'
                                 f'{self.log()[-2000:]}')
        return done

    def monitor(self, *options):
        """Starts `ringwall monitor`; returns the file its output goes to."""
        path = os.path.join(self.directory, f'monitor-{len(self.processes)}.log')
        before = self.connections()
        with open(path, 'wb') as out:
            self.start(self.cli, '--runtime-dir', self.runtime, 'monitor', *options,
                       stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.connections() > before, what='the monitor is connected')
        time.sleep(0.1)  # its request follows at once
        return path

    def connections(self):
        return json.loads(self.ringwall('status', '--json').stdout)['connections']

    def wait_text(self, path, *texts):
        """What is in the file once one of the texts is, or after the time that is enough on a busy machine."""
        until = time.monotonic() + 20
        while True:
            with open(path, encoding='utf-8', errors='replace') as file:
                text = file.read()
            if any(wanted in text for wanted in texts) or time.monotonic() > until:
                return text
            time.sleep(0.05)

    # --- programs ---

    def enter_scope(self):
        with open(self.cgroup / 'cgroup.procs', 'w', encoding='ascii') as procs:
            procs.write('0')
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def popen(self, command, **keywords):
        """Starts a program inside the scope, in the client's namespace."""
        return self.start('nsenter', f'--net=/run/netns/{self.near}', *command, preexec_fn=self.enter_scope, **keywords)

    def run(self, command, timeout=20, **keywords):
        return subprocess.run(['nsenter', f'--net=/run/netns/{self.near}', *command], preexec_fn=self.enter_scope,
                              timeout=timeout, capture_output=True, text=True, check=False, **keywords)

    def serve(self, *ports):
        """TCP and UDP echo on both families (a GET is answered as HTTP), in the peer's namespace."""
        server = self.start('nsenter', f'--net=/run/netns/{self.far}', sys.executable, '-c', ECHO_SERVER,
                            *map(str, ports), stdout=subprocess.PIPE)
        assert server.stdout.readline() == 'ready\n'

    def serve_at(self, namespace, address, traffic):
        """The same by a program of the scenarios, which is faster: at one address, and its own ports."""
        server = self.start('nsenter', f'--net=/run/netns/{namespace}', traffic, 'serve', address,
                            stdout=subprocess.PIPE)
        assert server.stdout.readline() == 'ready\n'

    def redirect_pins(self):
        return [name for name in os.listdir(os.path.join(self.runtime, 'bpf')) if name.startswith('redirect_')]

    def redirect_contexts(self):
        """How many connections have one that a proxy can be told."""
        pin = os.path.join(self.runtime, 'bpf', 'map_contexts')
        return len(json.loads(run('bpftool', '-j', 'map', 'dump', 'pinned', pin)))

    def peer_packets(self):
        return sum(self.packets(protocol) for protocol in ('tcp', 'udp', 'icmp'))


ECHO_SERVER = r'''
import socket, select, sys
listeners, datagrams, streams = [], [], []
for family, address in ((socket.AF_INET, '0.0.0.0'), (socket.AF_INET6, '::')):
    for port in map(int, sys.argv[1:]):
        for kind, place in ((socket.SOCK_STREAM, listeners), (socket.SOCK_DGRAM, datagrams)):
            s = socket.socket(family, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((address, port))
            if kind == socket.SOCK_STREAM:
                s.setsockopt(socket.IPPROTO_TCP, 23, 16)  # TCP_FASTOPEN
                s.listen(4096)
            place.append(s)
print('ready', flush=True)
while True:
    for s in select.select(listeners + datagrams + streams, [], [])[0]:
        if s in listeners:
            streams.append(s.accept()[0])
        elif s in datagrams:
            data, peer = s.recvfrom(65535)
            s.sendto(data, peer)
        else:
            try: data = s.recv(65536)
            except OSError: data = b''
            if data.startswith(b'GET '):
                s.sendall(b'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n')
                data = b''
            elif data:
                s.sendall(data)
            if not data:
                s.close()
                streams.remove(s)
'''


class Checks:
    """Counts named checks; finish() exits non-zero when one failed."""

    def __init__(self):
        self.failed = 0

    def __call__(self, name, good, detail=''):
        print(('ok   ' if good else 'FAIL ') + name + (f': {detail}' if detail and not good else ''), flush=True)
        self.failed += not good

    def finish(self):
        sys.exit(1 if self.failed else 0)
