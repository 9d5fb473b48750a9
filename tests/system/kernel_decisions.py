#!/usr/bin/env python3
"""Filters are decided in the kernel: errors at the call, the log of decisions, hooks only while they are needed."""
import datetime
import json
import os
import shutil
import subprocess
import time

from instance import Checks, Instance, program
from lab import wait_for

TICK = 0.011  # seconds of the kernel's, at 100 a second the longest

CONNECT = "import socket; socket.create_connection(('10.99.1.2', 80), 5)"

ATTEMPTS = r'''
import errno, json, socket, sys, time
results = {}
def attempt(name, action):
    begun = time.monotonic()
    try: action(); results[name] = 'ok'
    except OSError as error: results[name] = errno.errorcode.get(error.errno, str(error))
    results[name + '_ms'] = (time.monotonic() - begun) * 1000
for six, address in ((False, '10.99.1.2'), (True, 'fd99:1::2')):
    tag = '6' if six else '4'
    family = socket.AF_INET6 if six else socket.AF_INET
    attempt('tcp' + tag, lambda: socket.create_connection((address, 80), 5))
    attempt('connect' + tag, lambda: socket.socket(family, socket.SOCK_DGRAM).connect((address, 53)))
    attempt('sendto' + tag, lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b'x', (address, 53)))
    def ping():
        s = socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        s.settimeout(5)
        s.sendto(bytes([128 if six else 8, 0, 0, 0, 0, 0, 0, 1]) + b'ringwall', (address, 0)); s.recv(100)
    attempt('ping' + tag, ping)
print(json.dumps(results))
'''

DENIALS = r'''
import socket, sys
for i in range(int(sys.argv[1])):
    s = socket.socket()
    try: s.connect(('10.99.1.2', 80)); sys.exit('connected')
    except PermissionError: pass
    s.close()
'''


def records(path):
    with open(path, encoding='utf-8') as file:
        return [json.loads(line) for line in file if line.startswith('{')]


def decisions(path, **wanted):
    return [r for r in records(path) if r['type'] == 'decision' and all(r[k] == v for k, v in wanted.items())]


def pins(lab):
    return {name for _, _, names in os.walk(os.path.join(lab.runtime, 'bpf')) for name in names}


def connect(lab, python):
    """Returns when it was begun, how it ended, and when."""
    begun = time.time()
    done = lab.run([python, '-c', CONNECT])
    return begun, done, time.time()


def time_of(record):
    return datetime.datetime.fromisoformat(record['time'].replace('Z', '+00:00')).timestamp()


def errors_at_the_call(check, lab, denied):
    done = lab.run([denied, '-c', ATTEMPTS], timeout=60)
    results = json.loads(done.stdout)
    codes = {name: result for name, result in results.items() if not name.endswith('_ms')}
    # The kernel tells ping sockets of IPv6 of no error of their packets.
    wanted = {name: {'ping4': 'EPERM', 'ping6': 'timed out'}.get(name, 'EACCES') for name in codes}
    check('every call of a blocked program fails at the call', codes == wanted, str(codes))
    slow = {name: value for name, value in results.items() if name.endswith('_ms') and value > 500 and
            name != 'ping6_ms'}
    check('… at once', not slow, str(slow))
    check('nothing was held', lab_status(lab)['flows']['heldNow'] == 0)


def lab_status(lab):
    return json.loads(lab.ringwall('status', '--json').stdout)


def the_log(check, lab, denied, python):
    path = lab.monitor('--json')
    watcher = lab.processes[-1]
    before = lab_status(lab)['flows']
    done = lab.run([denied, '-c', DENIALS, '5000'], timeout=60)
    check('5,000 denials in a loop', done.returncode == 0, done.stderr)
    after = lab_status(lab)['flows']
    check('… are counted, every one', after['blocked'] - before['blocked'] == 5000,
          f"{after['blocked'] - before['blocked']}")

    def told():
        return sum(1 + r['repeats'] for r in decisions(path, action='block', executable=denied))
    wait_for(lambda: told() >= 5000, 10)
    check('… and told, in a few records', told() == 5000 and len(decisions(path, action='block')) < 50,
          f"{told()} in {len(decisions(path, action='block'))}")

    begun, done, ended = connect(lab, python)
    wait_for(lambda: decisions(path, action='permit', executable=python), 10)
    permits = decisions(path, action='permit', executable=python)
    check('a permitted connection is told with its owner', len(permits) == 1 and permits[0]['remotePort'] == 80 and
          permits[0]['remoteAddress'] == '10.99.1.2' and permits[0]['heldUs'] == 0 and
          permits[0]['layer'].endswith('ALE_AUTH_CONNECT_V4'), str(permits))
    told = time_of(permits[0])
    check('… and when: at the last tick of the kernel', begun - TICK < told < ended, f'{begun} {told} {ended}')
    check('nothing was lost', lab_status(lab)['eventsLost'] == 0)
    watcher.terminate()
    watcher.wait(10)


def counted_on_each_cpu(check, lab, denied):
    """A refused connection made on every CPU in turn is counted there, and the sum of all is told."""
    attempt = "import socket; socket.socket().connect_ex(('10.99.1.2', 80))"
    for cpu in sorted(os.sched_getaffinity(0)):
        before = lab_status(lab)['flows']['blocked']
        lab.run(['taskset', '-c', str(cpu), denied, '-c', attempt])
        counted = lab_status(lab)['flows']['blocked'] - before
        check(f'a connection refused on CPU {cpu} is counted', counted == 1, str(counted))


def hooks_come_and_go(check, lab):
    lab.ringwall('remove', '--all')
    check('without filters nothing is attached', not {p for p in pins(lab) if p.startswith('link_connect')},
          str(pins(lab)))
    lab.ringwall('block', '--port', '9999', '--proto', 'tcp')
    here = pins(lab)
    check('a rule about TCP attaches the hooks at the calls', 'link_connect4' in here and 'link_sendmsg6' in here)
    wait_for(lambda: 'link_egress' not in pins(lab), 10)
    check('… and none that sees packets', 'link_egress' not in pins(lab), str(pins(lab)))
    lab.ringwall('load', program('drivers', 'wall', 'wall.so'))
    check('a callout does, as flows may be held', 'link_egress' in pins(lab))
    shown = json.loads(lab.ringwall('show', 'compile', '--json').stdout)
    layers = {layer['layer']: layer for layer in shown['layers']}
    check('show compile tells who decides what', layers['ALE_AUTH_CONNECT_V4']['inKernel'] == 1 and
          {f['decidedBy'] for f in shown['filters']} == {'callout'}, str(shown))
    text = lab.ringwall('show', 'compile').stdout
    check('… and why', 'its callout decides' in text, text)
    lab.ringwall('unload', 'wall')
    wait_for(lambda: 'link_egress' not in pins(lab), 10)
    check('they are gone with it', 'link_egress' not in pins(lab), str(pins(lab)))


TURNS = r'''
import os, socket, sys
os.sched_setaffinity(0, {0})
for line in sys.stdin:
    for i in range(int(line)): socket.create_connection(('10.99.1.2', 80), 5).close()
    print('done', flush=True)
'''


def executables_learnt(lab):
    """How often the kernel has walked to an executable."""
    path = os.path.join(lab.runtime, 'bpf', 'map_state')
    dump = subprocess.run(['bpftool', '-j', 'map', 'dump', 'pinned', path], capture_output=True, text=True, check=True)
    return json.loads(dump.stdout)[0]['formatted']['value']['last_executable_id']


def new_names(check, lab, python):
    """Rules about other programs: each executable is looked up again once, not at each of its calls."""
    others = [os.path.join(lab.directory, name) for name in ('somebody', 'somebody-else')]
    for other in others:
        shutil.copy('/bin/true', other)
    lab.ringwall('remove', '--all')
    lab.ringwall('block', '--app', others[0])
    process = lab.popen([python, '-c', TURNS], stdin=-1, stdout=-1)

    def connect(count):
        before = executables_learnt(lab)
        process.stdin.write(f'{count}\n')
        process.stdin.flush()
        return process.stdout.readline() == 'done\n' and executables_learnt(lab) - before
    check('a program is learnt once', connect(20) <= 1)
    lab.ringwall('block', '--app', others[1])
    learnt = connect(20)
    check('after a rule that names another one it is looked up once more', learnt == 1, str(learnt))
    process.stdin.close()
    check('and goes on', process.wait(20) == 0)


def survive_a_restart(check, lab, denied, python):
    lab.ringwall('remove', '--all')
    lab.ringwall('block', '--app', denied)
    lab.kill_service()
    check('without the service the filters hold', 'PermissionError' in lab.run([denied, '-c', CONNECT]).stderr)
    check('… and others pass', lab.run([python, '-c', CONNECT]).returncode == 0)
    other = os.path.join(lab.directory, 'new-program')
    shutil.copy(python, other)
    check('… also a program nobody has seen before', lab.run([other, '-c', CONNECT]).returncode == 0)
    lab.start_service()
    check('after a restart they hold', 'PermissionError' in lab.run([denied, '-c', CONNECT]).stderr)
    lab.ringwall('block', '--app', other)
    check('… and new ones are told apart', 'PermissionError' in lab.run([other, '-c', CONNECT]).stderr)
    check('… from the others', lab.run([python, '-c', CONNECT]).returncode == 0)


BY_IPV6 = r'''
import socket, sys
for kind, how in ((socket.SOCK_STREAM, 'connect'), (socket.SOCK_DGRAM, 'connect'), (socket.SOCK_DGRAM, 'sendto')):
    s = socket.socket(socket.AF_INET6, kind); s.settimeout(2)
    try:
        if how == 'connect': s.connect((sys.argv[1], 80)); s.send(b'x')
        else: s.sendto(b'x', (sys.argv[1], 80))
        s.recv(1); print('through', end=' ')
    except PermissionError: print('refused', end=' ')
'''


def ipv4_by_sockets_of_ipv6(check, lab, python):
    """A rule about an IPv4 address is one about it, whatever socket a program takes."""
    mapped = '::ffff:' + lab.peer4
    visit = lambda: lab.run([python, '-c', BY_IPV6, mapped]).stdout.strip()
    lab.ringwall('remove', '--all')
    check('without rules a socket of IPv6 reaches an IPv4 address', visit() == 'through through through', visit())
    for network in (lab.peer4, '10.0.0.0/8', mapped):
        lab.ringwall('block', '--remote', network)
        check(f'blocked is {network}: not any more', visit() == 'refused refused refused', visit())
        shown = json.loads(lab.ringwall('list', '--json').stdout)
        check('… by one rule', len(shown) == 1 and shown[0]['remotes'] == [network.removeprefix('::ffff:')], str(shown))
        lab.ringwall('remove', '--all')


def after_a_suspension(check, python):
    """To the service the machine has been suspended for twelve days, which the clock of the log does not count."""
    with Instance(start=False) as lab:
        lab.start_service(before=('unshare', '--time', '--boottime', '1000000'))
        lab.serve(80)
        lab.ringwall('block', '--port', '9999')
        path = lab.monitor('--json')
        begun, done, ended = connect(lab, python)
        wait_for(lambda: decisions(path, executable=python), 10)
        times = [time_of(record) for record in decisions(path, executable=python)]
        check('a suspension does not change when a connection is told to be made', done.returncode == 0 and
              len(times) == 1 and begun - TICK < times[0] < ended, f'{begun} {times} {ended}')


def main():
    check = Checks()
    with Instance() as lab:
        lab.serve(80, 53)
        python = os.path.realpath('/usr/bin/python3')
        denied = os.path.join(lab.directory, 'denied-program')
        shutil.copy(python, denied)
        lab.ringwall('block', '--app', denied)
        errors_at_the_call(check, lab, denied)
        the_log(check, lab, denied, python)
        counted_on_each_cpu(check, lab, denied)
        hooks_come_and_go(check, lab)
        new_names(check, lab, python)
        ipv4_by_sockets_of_ipv6(check, lab, python)
        survive_a_restart(check, lab, denied, python)
    after_a_suspension(check, python)
    check.finish()


main()
