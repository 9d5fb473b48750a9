#!/usr/bin/env python3
"""`ringwall stop` leaves no program, map, link, cgroup, mount, file or rule behind (compared before and after)."""
import os
import time

from instance import TOOLS, Checks, Instance, program, sh

VERIFY = os.path.join(TOOLS, 'verify-clean.sh')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def main():
    check = Checks()
    with Instance(start=False) as lab:
        os.rmdir(lab.cgroup)
        before = sh(VERIFY).stdout
        lab.start_service()
        during = sh(VERIFY).stdout
        check('running: the comparison sees Ringwall', during != before)
        lab.serve(80)
        lab.ringwall('load', program('drivers', 'wall', 'wall.so'))
        lab.ringwall('block', '--remote', '10.9.0.9')
        lab.run(['curl', '-sS', f'http://{lab.peer4}/'])
        lab.ringwall('stop')
        # The service has let go when the command returns; its own end may follow.
        left = os.listdir(lab.runtime)
        check('stopped: only the stored policy left', left == ['state'], str(left))
        check('stopped: no mount left', lab.runtime not in read('/proc/self/mounts'))
        check('stopped: no cgroup left', not lab.cgroup.exists())
        lab.daemon.wait(10)
        # The kernel frees programs, and the maps they use, some time after the last reference to them is gone.
        until = time.monotonic() + 20
        while (after := sh(VERIFY).stdout) != before and time.monotonic() < until:
            time.sleep(0.1)
        check('stopped: as before', before == after,
              str(set(before.splitlines()) ^ set(after.splitlines())))
        os.makedirs(lab.cgroup, exist_ok=True)
    check.finish()


main()
