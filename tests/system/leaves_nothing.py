#!/usr/bin/env python3
"""`ringwall stop` leaves no program, map, link, cgroup, mount, file or rule behind (compared before and after)."""
import os

from instance import TOOLS, Checks, Instance, program, sh

VERIFY = os.path.join(TOOLS, 'verify-clean.sh')


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
        lab.daemon.wait(10)
        after = sh(VERIFY).stdout
        check('stopped: as before', before == after,
              str(set(before.splitlines()) ^ set(after.splitlines())))
        check('stopped: no socket left', not os.path.exists(os.path.join(lab.runtime, 'api.sock')))
        os.makedirs(lab.cgroup, exist_ok=True)
    check.finish()


main()
