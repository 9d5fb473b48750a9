#!/usr/bin/env python3
"""`ringwall stop` leaves no program, map, link, cgroup, mount, file or rule behind (compared before and after)."""
import os
import time

from instance import TOOLS, Checks, Instance, program, sh
from lab import object_ids

VERIFY = os.path.join(TOOLS, 'verify-clean.sh')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def existing(objects):
    """Those of the BPF objects that the kernel still has."""
    return {name for name in objects if sh('bpftool', *name.split()[:1], 'show', 'id', name.split()[1]).returncode == 0}


def traces(lab):
    """What tools/verify-clean.sh finds of this instance, and every rule of nftables: Ringwall never makes one."""
    lines = sh(VERIFY).stdout.splitlines()
    return [line for line in lines if lab.name in line or lab.directory in line or line.startswith('nft ')]


def main():
    check = Checks()
    with Instance(start=False) as lab:
        os.rmdir(lab.cgroup)
        before = traces(lab)
        lab.start_service()
        check('running: the comparison sees Ringwall', traces(lab) != before)
        lab.serve(80)
        lab.ringwall('load', program('drivers', 'wall', 'wall.so'))
        lab.ringwall('block', '--remote', '10.9.0.9')
        lab.run(['curl', '-sS', f'http://{lab.peer4}/'])
        objects = object_ids(lab.daemon.pid)
        for kind in ('map', 'prog', 'link'):
            check(f'running: it has a {kind}', any(name.startswith(kind) for name in existing(objects)), str(objects))
        lab.ringwall('stop')
        # The service has let go when the command returns; its own end may follow.
        left = os.listdir(lab.runtime)
        check('stopped: only the stored policy left', left == ['state'], str(left))
        check('stopped: no mount left', lab.runtime not in read('/proc/self/mounts'))
        check('stopped: no cgroup left', not lab.cgroup.exists())
        check('stopped: as before', traces(lab) == before, str(set(traces(lab)) ^ set(before)))
        check('stopped: no link left', not existing(name for name in objects if name.startswith('link')))
        lab.daemon.wait(20)
        # The kernel frees programs, and the maps they use, some time after the last reference to them is gone.
        until = time.monotonic() + 30
        while (left := existing(objects)) and time.monotonic() < until:
            time.sleep(0.1)
        check('stopped: no program and no map left', not left, str(left))
        os.makedirs(lab.cgroup, exist_ok=True)
    check.finish()


main()
