#!/usr/bin/env python3
"""Identity under hard conditions: every scenario kind (kinds.py) watched, and its enforcement twin.

    tests/scenarios/run.py                run all kinds; exit 1 when one is not as it should be
    tests/scenarios/run.py s12 tcp-bulk   some of them, by number or generator
    tests/scenarios/run.py --table        ... and write docs/scenarios.md

Detection: with the driver wall loaded, every flow of the generator must be in `ringwall monitor` and in the driver's
lines with the right pid, program, user, addresses and ports; without it, when the kernel decides by itself, in the
monitor (where a connection that has no local end yet is told without). Enforcement, once by a filter
(`ringwall block --app`) and once by the driver's own decision: 0 bytes of the denied program reach its peer and no
exchange of it works, while the control program beside it, with the same traffic at the same time, loses nothing.
"""
import json
import os
import re
import sys
import time

from kinds import KINDS
from stage import NOBODY, Stage, program

LINE = re.compile(r'\[WFP\]IRQL=\d+;PID=(\d+);Path=([^;]*);Local=([^;]*);Remote=([^;]*);Protocol=(\w+)')
NOT_HERE = 77
SECONDS = 30  # for one program
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs', 'scenarios.md')


class Outcome:
    """What one kind came to."""

    def __init__(self, kind):
        self.kind = kind
        self.absent = False       # this kernel has no such socket
        self.flows = 0
        self.attributed = {}      # flows, by way of deciding
        self.bytes_out = {}       # by way of denying
        self.wrong = []           # everything that is not as it should be

    def expect(self, good, text):
        if not good:
            self.wrong.append(text)


def finish(process):
    """(exit code, output, errors) of a program that was begun."""
    output, errors = process.communicate(timeout=SECONDS)
    return process.returncode, output, errors


# --- Detection ---

class Flow:
    """A flow the generator says it has begun."""

    def __init__(self, line, stage, kind, executable):
        _, pid, self.protocol, local, local_port, self.remote, remote_port = line.split()
        self.pid, self.local_port, self.remote_port = int(pid), int(local_port), int(remote_port)
        if local not in ('-', '0.0.0.0', '::'):
            self.local = local
        elif kind.container:
            self.local = '10.99.2.1'
        elif kind.loopback:
            self.local = '127.0.0.1'
        else:
            self.local = stage.client6 if ':' in self.remote else stage.client4
        self.user = 0 if kind.root else NOBODY
        self.executable = executable

    def facts(self):
        return self.pid, self.executable, self.user, self.protocol, self.remote, self.remote_port


def plain(address):
    return address.removeprefix('::ffff:')


class Seen:
    """What the monitor has told so far."""

    def __init__(self, path):
        self.decisions, self.lines = [], set()
        with open(path, encoding='utf-8', errors='replace') as log:
            for text in log:
                if text.endswith('}\n'):
                    self.add(json.loads(text))

    def add(self, record):
        if record['type'] == 'decision':
            self.decisions.append((
                record['processId'], record['executable'], record['userId'], record['protocol'].lower(),
                plain(record['remoteAddress']), record['remotePort'],
                plain(record['localAddress']), record['localPort']))
        elif record['type'] == 'line':
            match = LINE.search(record['line'])
            if match:
                self.lines.add((int(match.group(1)), match.group(2), match.group(4).replace('[::ffff:', '[')))

    def by_driver(self, flow):
        remote = f'[{flow.remote}]:{flow.remote_port}'
        places = {remote, remote.replace('[', '').replace(']', '')}
        return (*flow.facts(), flow.local, flow.local_port) in self.decisions and \
            any((flow.pid, flow.executable, place) in self.lines for place in places)

    def by_kernel(self, flow):
        """One decision for each flow: what it tells of the local end must be right."""
        for local in ((flow.local, flow.local_port), ('0.0.0.0', flow.local_port), ('::', flow.local_port),
                      ('0.0.0.0', 0), ('::', 0)):
            if (*flow.facts(), *local) in self.decisions:
                self.decisions.remove((*flow.facts(), *local))
                return True
        return False


def detect(stage, outcome, way, log):
    kind = outcome.kind
    launcher = 'helper' if kind.owner == 'actor' and kind.starts_another() else 'watched'
    code, output, errors = finish(stage.launch(kind, launcher, 'watched', stage.control_peer))
    if code == NOT_HERE:
        outcome.absent = True
        return
    outcome.expect(code == 0, f'{way}: without a deny it does not work (exit {code}): {errors.strip()}')
    flows = [Flow(line, stage, kind, stage.programs['watched']) for line in output.splitlines()
             if line.startswith('flow ')]
    outcome.expect(flows, 'the generator began no flow')
    until = time.monotonic() + (0.3 if kind.gap else 3)
    while True:
        seen = Seen(log)
        missed = [flow for flow in flows if not (seen.by_driver if way == 'driver' else seen.by_kernel)(flow)]
        if not missed or time.monotonic() > until:
            break
        time.sleep(0.02)
    outcome.flows, outcome.attributed[way] = len(flows), len(flows) - len(missed)
    if kind.gap:
        outcome.expect(len(missed) == len(flows), f'{way}: it is seen: no gap any more')
    else:
        for flow in missed[:2]:
            near = [facts for facts in Seen(log).decisions if facts[4:6] == (flow.remote, flow.remote_port)]
            outcome.expect(False, f'{way}: not attributed: {flow.facts()} from {flow.local}:{flow.local_port}; '
                                  f'last there: {near[-1:]}')


# --- Enforcement ---

def deny(stage, outcome, way):
    kind = outcome.kind
    roles = {'denied': ('denied', 'denied'), 'control': ('control', 'control')}
    if kind.starts_another():
        roles = {role: ('helper', role) if kind.owner == 'actor' else (role, 'helper') for role in roles}
    before = stage.counts()
    denied = stage.launch(kind, *roles['denied'], stage.denied_peer)
    control = stage.launch(kind, *roles['control'], stage.control_peer)
    code, _, errors = finish(denied)
    control_code, _, control_errors = finish(control)
    until = time.monotonic() + 1  # a driver may answer when the program has gone
    while True:
        after = stage.counts()
        out, control_out = (stage.bytes_to(peer, after) - stage.bytes_to(peer, before)
                            for peer in (stage.denied_peer, stage.control_peer))
        if control_out > 0 or time.monotonic() > until:
            break
        time.sleep(0.02)
    outcome.bytes_out[way] = out
    outcome.expect(control_code == 0, f'{way}: the control program lost something: {control_errors.strip()}')
    outcome.expect(control_out > 0, f'{way}: nothing of the control program reached its peer')
    if kind.gap:
        outcome.expect(out > 0, f'{way}: no byte gets out: no gap any more')
        return
    outcome.expect(out == 0, f'{way}: {out} bytes reached the peer')
    # Nobody answers on these, and a raw socket is told nothing: the peer's counter has the last word.
    if kind.generator not in ('udp-lite', 'raw-protocol', 'udp-and-exit'):
        outcome.expect(code == 1, f'{way}: exit {code} of the denied program: {errors.strip()}')


def run_all(stage, kinds):
    outcomes = [Outcome(kind) for kind in kinds]
    wall = program('drivers', 'wall', 'wall.so')
    stage.ringwall('load', wall)
    log = stage.monitor('--json')
    for outcome in outcomes:
        detect(stage, outcome, 'driver', log)
    stage.ringwall('unload', 'wall')
    there = [outcome for outcome in outcomes if not outcome.absent]

    stage.ringwall('block', '--app', stage.programs['denied'])
    for outcome in there:
        detect(stage, outcome, 'kernel', log)
        deny(stage, outcome, 'filter')
    stage.ringwall('remove', '--all')

    stage.ringwall('load', wall, 'block_app=' + os.path.basename(stage.programs['denied']))
    for outcome in there:
        deny(stage, outcome, 'driver')
    stage.ringwall('unload', 'wall')
    return outcomes


# --- The results ---

def cells(outcome):
    if outcome.absent:
        return ['none here', '-', '-', '-']
    return [f'{outcome.attributed.get(way, "-")} of {outcome.flows}' for way in ('kernel', 'driver')] + \
           [f'{outcome.bytes_out.get(way, "-")}' for way in ('filter', 'driver')]


def write_table(outcomes):
    there = [outcome for outcome in outcomes if not outcome.absent and outcome.kind.number[0] == 's']
    seen = sum(set(outcome.attributed.values()) == {outcome.flows} for outcome in there)
    stopped = sum(not any(outcome.bytes_out.values()) for outcome in there)
    with open(TABLE, 'w', encoding='utf-8') as table:
        table.write(f'''# Identity under hard conditions

Written by `tests/scenarios/run.py --table` on Linux {os.uname().release.split('-')[0]}; `make test` runs the same.

Each kind is traffic of a small generator ([tests/scenarios](../tests/scenarios)). *Attributed*: flows that
`ringwall monitor` names with the right pid, program, user, addresses and ports; once with filters that the kernel
decides by itself (a TCP connection has no local end yet then), once with a driver whose own lines must be right too.
*Bytes out*: what reached the peer's network namespace of a program that alone is denied, counted there; once denied by
a filter, once by a callout driver. In every run a control program sent the same beside it and lost nothing.

Of the 24 kinds (s) this kernel has {len(there)}: {seen} are attributed, of {stopped} no byte gets out.

| | kind | attributed: kernel | driver | bytes out: filter | driver |
|---|---|---|---|---|---|
''')
        for outcome in outcomes:
            mark = ' **(not covered)**' if outcome.kind.gap else ''
            table.write('| ' + ' | '.join([outcome.kind.number, outcome.kind.title + mark] + cells(outcome)) + ' |\n')
        table.write('''
What is not covered here is not covered at all: `ringwall status --coverage` lists it on the machine it runs on.

* s12: an AF_PACKET socket hands whole frames to a network card. No cgroup hook runs when it is made (sock_create runs
  for IPv4 and IPv6 only) or when it sends; BPF LSM, which could refuse it, is not there on every kernel. It needs
  CAP_NET_RAW; take that from programs that are not to be trusted (`CapabilityBoundingSet=` in a unit).
* x04: the further paths of a Multipath TCP connection are opened by the kernel and judged as its own: a rule about an
  address stops them, one about a program and an address does not (tests/system/multipath.py).
* x21: a UDP socket without a remote end is nobody's until a datagram leaves: the sender owns that flow.
* x22: a connection stays the work of the program that connected, whoever writes to it later.
* x24: a datagram that is held for a driver's answer goes out when it is permitted, its program gone or not.
''')


def main():
    arguments = sys.argv[1:]
    as_table = '--table' in arguments
    wanted = [word for word in arguments if word != '--table']
    kinds = [kind for kind in KINDS if not wanted or kind.number in wanted or kind.generator in wanted]
    begin = time.monotonic()
    with Stage() as stage:
        outcomes = run_all(stage, kinds)
    for outcome in outcomes:
        state = 'FAIL' if outcome.wrong else 'none' if outcome.absent else 'gap ' if outcome.kind.gap else 'ok  '
        print(f'{state} {outcome.kind.number} {outcome.kind.title:66}' + ''.join(f'{c:>10}' for c in cells(outcome)))
        for text in outcome.wrong:
            print(f'       {text}')
    print(f'{len(outcomes)} kinds in {time.monotonic() - begin:.1f} s')
    if as_table and not wanted:
        write_table(outcomes)
    sys.exit(1 if any(outcome.wrong for outcome in outcomes) else 0)


if __name__ == '__main__':
    main()
