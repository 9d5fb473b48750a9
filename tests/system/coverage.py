#!/usr/bin/env python3
"""`ringwall status --coverage`: what it says follows what the kernel has, what is attached, and who is there."""
import json
import os
import sys
import time

from instance import Checks, Instance


def coverage(lab):
    status = json.loads(lab.ringwall('status', '--coverage', '--json').stdout)
    return {item['name']: item for item in status['coverage']}


def main():
    check = Checks()
    with Instance(start=False) as lab:
        earlier = lab.popen(['sleep', '60'])
        time.sleep(0.05)
        lab.start_service()
        found = coverage(lab)
        check('a program older than the service is counted', found['earlier connections']['state'] == 'open' and
              found['earlier connections']['detail'].startswith('1 program'), found['earlier connections']['detail'])
        earlier.kill()
        earlier.wait()
        check('... until it ends', coverage(lab)['earlier connections']['state'] == 'absent')

        with open('/proc/net/protocols', encoding='ascii') as table:
            protocols = {line.split()[0] for line in table}
        check('SCTP as the kernel has it', 'SCTP' in protocols or found['SCTP']['state'] == 'absent')
        check('AF_PACKET as the kernel has it', (found['AF_PACKET']['state'] == 'open') == ('PACKET' in protocols))
        for family in ('XDP', 'AF_VSOCK'):
            check(f'{family} as the kernel has it',
                  (family in protocols) == (family in found['other families']['detail']))

        for name in ('TCP, outgoing', 'UDP, outgoing', 'ping and raw IP'):
            check(f'without rules: {name} is idle', found[name]['state'] == 'idle', found[name]['detail'])
        lab.ringwall('block', '--app', sys.executable)
        found = coverage(lab)
        for name in ('TCP, outgoing', 'UDP, outgoing', 'ping and raw IP', 'io_uring'):
            check(f'with a rule about a program: {name} is covered', found[name]['state'] == 'covered',
                  found[name]['detail'])

        # Somebody takes the pinned links away: the service still has them; killed, nothing is judged any more.
        before = found['TCP, outgoing']['state']
        lab.kill_service()
        for pin in os.listdir(os.path.join(lab.runtime, 'bpf')):
            if pin.startswith('link_connect'):
                os.unlink(os.path.join(lab.runtime, 'bpf', pin))
        lab.start_service()
        check('hooks that were taken away are attached again', coverage(lab)['TCP, outgoing']['state'] == before)
        lab.ringwall('remove', '--all')
        until = time.monotonic() + 10
        while coverage(lab)['TCP, outgoing']['state'] != 'idle' and time.monotonic() < until:
            time.sleep(0.2)
        check('rules removed: idle again', coverage(lab)['TCP, outgoing']['state'] == 'idle')
    check.finish()


main()
