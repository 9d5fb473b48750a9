"""What is measured once and not in rounds: commits, swaps, denials, attribution, memory, questions, a killed service.

Each scene takes the options and returns its figures; one that cannot be played raises Void.
"""
import json
import re
import shutil
import signal
import statistics
import subprocess
import threading
import time
from pathlib import Path

import peers
from place import PORT_DENIED, PORT_MIXED, Void, built
from ringwall import Ringwall
from series import SLICE_SECONDS, take_turns

# A denial cheaper than this was decided in the kernel; dearer ones are too slow to make ten million of.
KERNEL_DENIAL_NS = 5000


class Running:
    """The load generator in the background; finish() returns its figures."""

    def __init__(self, wall, workload, *options, program=None):
        self.process = wall.start_load(workload, *options, program=program)

    def finish(self, timeout=120):
        out, err = self.process.communicate(timeout=timeout)
        if self.process.returncode:
            raise RuntimeError(f'load: exit {self.process.returncode}: {err.strip()[-200:]}')
        return json.loads(out.splitlines()[-1])


def rate(figures):
    return figures['operations'] / figures['seconds']


def speed_ratio(variant, other, *options, seconds=2):
    """How fast the load generator is under one variant against another one; they take turns of some milliseconds."""
    loads = {'one': variant.slices(*options), 'other': other.slices(*options)}
    try:
        rates, failed = take_turns(loads, seconds / 2)
        if failed:
            raise RuntimeError(next(iter(failed.values())))
        return statistics.median(one / two for one, two in zip(rates['one'], rates['other']))
    finally:
        for load in loads.values():
            load.end()


CONNECT = ('connect', '--cpu', 0, '--seconds', SLICE_SECONDS)


def commit(options):
    """Times of whole policies in one transaction, while connections run, and the kernel memory of their tables."""
    rows = []
    for count in (10, 100, 1000, 10000, 100000):
        wall = Ringwall('commit')
        try:
            pid = wall.pid()
            empty_bytes = wall.map_bytes(pid)
            times = []
            for _ in range(1 if options.quick else 3):
                load = Running(wall, 'connect', '--cpu', 0, '--seconds', 0.5 if count < 100000 else 3)
                figures = wall.policy('load', '--filters', count)
                load.finish()
                wall.verify_policy()
                times.append(figures)
                # What the service says of its tables, and what the kernel says its maps have grown by.
                used = max(wall.status()['tableBytes'], wall.map_bytes(pid) - empty_bytes)
                all_maps = wall.map_bytes(pid)
                resident = wall.resident_bytes(pid)
                wall.policy('clear')
            rows.append({'filters': count, 'commit_ms': statistics.median(t['commit_ms'] for t in times),
                         'commit_min_ms': min(t['commit_ms'] for t in times),
                         'add_ms': statistics.median(t['add_ms'] for t in times), 'table_bytes': used,
                         'all_maps_bytes': all_maps, 'resident_bytes': resident})
        finally:
            wall.close()
    return {'rows': rows}


def block_list(options):
    """1,350,000 addresses as filters: time until they are in force, and what a connection costs then."""
    wall, short = Ringwall('block list'), Ringwall('a short list')
    try:
        figures = wall.policy('block-list', '--filters', 100000 if options.quick else 1350000)
        short.policy('block-list', '--filters', 10)
        return {**figures, 'load_seconds': (figures['add_ms'] + figures['commit_ms']) / 1e3,
                'speed_ratio': speed_ratio(wall, short, *CONNECT)}
    finally:
        short.close()
        wall.close()


def swap(options):
    """W7: the policy of 10,000 filters exchanged 10 times a second under full load, and the same load without."""
    seconds = 3 if options.quick else 60
    wall = Ringwall('swap')
    plain = peers.Plain('plain')
    try:
        control = plain.load('mixture', '--mode', 'plain', '--port', PORT_MIXED, '--cpu', 0, '--seconds', seconds)
        process = subprocess.Popen(['taskset', '-c', '1'] +
                                   wall.policy_command('swap', '--filters', 10000, '--seconds', seconds + 2),
                                   env=wall.policy_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        if process.stderr.readline() != 'ready\n':
            raise Void(f'policy swap: {process.communicate()[1][-200:]}')
        subprocess.run(['taskset', '-a', '-p', '-c', '1', str(wall.pid())], check=True, capture_output=True)
        load = wall.load('mixture', '--port', PORT_MIXED, '--cpu', 0, '--seconds', seconds)
        out, err = process.communicate(timeout=60)
        if process.returncode:
            raise Void(f'policy swap: {err[-200:]}')
        return {'load': load, 'control': control, **json.loads(out)}
    finally:
        plain.close()
        wall.close()


def denied(options):
    """W6: ten million denied connects by 16 programs; what the service spends, and whether it counted them all."""
    wall = Ringwall('denied', 10000, events=True)
    try:
        one = wall.load('denied', '--port', PORT_DENIED, '--cpu', 0, '--seconds', 0.5)
        in_kernel = one['cpu_ns'] < KERNEL_DENIAL_NS
        many = ['--count', 1000000 if options.quick else 10000000] if in_kernel else ['--seconds', 3]
        pid, before = wall.pid(), wall.status()['flows']
        cpu, begin = wall.cpu_seconds(pid), time.monotonic()
        figures = wall.load('denied', '--port', PORT_DENIED, '--processes', 16, *many)
        share = (wall.cpu_seconds(pid) - cpu) / (time.monotonic() - begin)
        time.sleep(1.5)  # the kernel's counts are told of in batches
        counted = wall.status()['flows']['blocked'] - before['blocked']
        return {'single_ns': one['p50_ns'], 'single_min_ns': one['min_ns'], 'denials': figures['operations'],
                'cpu_ns': figures['cpu_ns'], 'counted': counted, 'service_cpu_share': share}
    finally:
        wall.close()


def attribution(options):
    """W8: short-lived programs; is each told of with its process id and program?"""
    wall = Ringwall('attribution', 10000, events=True)
    try:
        wall.stop_monitor()
        path = Path(wall.instance.directory, 'attribution')
        with open(path, 'w', encoding='utf-8') as out:
            wall.start_monitor(out, '--json')
            seconds = 5 if options.quick else options.attribution
            process = wall.start_load('spawn', '--mode', 'list', '--seconds', seconds)
            out_text, err = process.communicate()
            if process.returncode:
                raise Void(f'load spawn: {err[-200:]}')
            time.sleep(1)
            wall.stop_monitor()
        *lines, summary = out_text.splitlines()
        pids = {int(line.split()[0]) for line in lines}
        right, wrong, lost = set(), 0, 0
        for line in path.read_text(encoding='utf-8').splitlines():
            record = json.loads(line)
            if record['type'] == 'lost':
                lost += record['count']
            elif record.get('processId') in pids:
                if record['executable'] == built('bench', 'load'):
                    right.add(record['processId'])
                else:
                    wrong += 1
        return {'programs': len(pids), 'attributed': len(right), 'wrong': wrong, 'lost': lost,
                **{'spawn_' + key: value for key, value in json.loads(summary).items()}}
    finally:
        wall.close()


def open_flows(options):
    """W9: 50,000 open connections: memory, the status command, new connections beside them."""
    count = 5000 if options.quick else 50000
    wall, control = Ringwall('open flows', 10000), Ringwall('none open', 10000)
    try:
        pid = wall.pid()
        resident, tables = wall.resident_bytes(pid), wall.map_bytes(pid)
        process = wall.start_load('flows', '--count', count, stdin=subprocess.PIPE)
        line = process.stdout.readline()
        if not line:
            raise Void(f'load flows: {process.communicate()[1][-200:]}')
        opened = json.loads(line)
        begin = time.monotonic()
        wall.status()
        status_ms = (time.monotonic() - begin) * 1e3
        result = {'flows': count, 'open_seconds': opened['seconds'], 'status_ms': status_ms,
                  'resident_growth_bytes': wall.resident_bytes(pid) - resident,
                  'table_growth_bytes': wall.map_bytes(pid) - tables,
                  'speed_ratio': speed_ratio(wall, control, *CONNECT)}
        process.communicate(input='')
        return result
    finally:
        control.close()
        wall.close()


def question(options):
    """W10: one program's connection waits for an answer; what the others' connections cost beside another service."""
    wall, control = Ringwall('question', 10000), Ringwall('without', 10000)
    try:
        other = Path(wall.instance.directory, 'held')
        shutil.copy(built('bench', 'load'), other)
        wall.instance.ringwall('load', built('bench', 'hold.so'), f'app={other}')
        held = wall.start_load('verify', '--port', 7001, '--seconds', 600, program=other)
        time.sleep(0.5)
        ratios = [speed_ratio(wall, control, *CONNECT, seconds=0.6) for _ in range(5 if options.quick else 31)]
        if held.poll() is not None:
            raise Void('the connection was not held')
        held.kill()
        held.wait()
        return {'ratios': ratios}
    finally:
        control.close()
        wall.close()


def answer(options):
    """The held path: connect() while a driver in memory permits each connection; includes asking and answering."""
    wall = Ringwall('answer')
    try:
        wall.instance.ringwall('load', built('drivers', 'wall', 'wall.so'))
        figures = wall.load('connect', '--seconds', 1 if options.quick else 5)
        plain = peers.Plain('plain')
        try:
            alone = plain.load('connect', '--seconds', 1)
        finally:
            plain.close()
        return {'held': figures, 'plain': alone, 'added_p99_us': (figures['p99_ns'] - alone['p50_ns']) / 1e3,
                'added_p50_us': (figures['p50_ns'] - alone['p50_ns']) / 1e3}
    finally:
        wall.close()


def idle(options):
    """A service with nothing to do."""
    wall = Ringwall('idle')
    try:
        pid = wall.pid()
        time.sleep(2)
        seconds = 5 if options.quick else 60
        resident, before = wall.resident_bytes(pid), wall.wakeups(pid)
        time.sleep(seconds)
        return {'seconds': seconds, 'wakeups_per_minute': (wall.wakeups(pid) - before) * 60 / seconds,
                'resident_bytes': resident}
    finally:
        wall.close()


def history(options):
    """What the service spends on events at full rate, what it loses, and whether every loss is accounted for."""
    wall = Ringwall('history', 10000, events=True)
    try:
        pid = wall.pid()
        cpu = wall.cpu_seconds(pid)
        figures = wall.load('connect', '--cpu', 0, '--seconds', 1 if options.quick else 10)
        spent = wall.cpu_seconds(pid) - cpu
        wall.stop_monitor()
        told, lost, made = count_events(wall)
        return {'rate': rate(figures), 'service_cpu_seconds_per_million': spent * 1e6 / figures['operations'],
                'share_at_50000': spent / figures['operations'] * 50000, 'made': made, 'told': told, 'lost': lost,
                'unaccounted': made - told - lost}
    finally:
        wall.close()


def count_events(wall):
    """(records of connections, records said to be lost, connections made)."""
    path = Path(wall.instance.directory, 'history')
    lost = wall.status()['eventsLost']
    with open(path, 'w', encoding='utf-8') as out:
        wall.start_monitor(out, '--json')
        made = wall.load('connect', '--cpu', 0, '--seconds', 1)['operations'] + 20  # and those before the clock starts
        time.sleep(2)
        wall.stop_monitor()
    records = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    told = sum(record['type'] == 'decision' for record in records)
    lost = wall.status()['eventsLost'] - lost + sum(r['count'] for r in records if r['type'] == 'lost')
    return told, lost, made


def killed(options):
    """The service is killed during W1: the rate before and after, and whether any verdict changed."""
    wall, plain = Ringwall('killed', 10000), peers.Plain('plain')
    try:
        before = speed_ratio(wall, plain, *CONNECT)
        load = Running(wall, 'connect', '--cpu', 0, '--seconds', 2)
        threading.Timer(1, wall.instance.kill_service).start()
        changed = None
        try:
            load.finish(timeout=20)
            after = speed_ratio(wall, plain, *CONNECT)
            refused = wall.load('verify', '--port', PORT_DENIED, '--seconds', 1) == 'denied'
            changed = 0 if refused else 1
        except subprocess.TimeoutExpired:
            load.process.send_signal(signal.SIGKILL)
            load.process.wait()
        except RuntimeError:
            changed = 1
        wall.instance.start_service()
        if changed is None:
            raise Void('connections stay held without the service: not all filters are decided in the kernel')
        return {'changed': changed, 'speed_ratio': after / before if changed == 0 else 0.0}
    finally:
        plain.close()
        wall.close()


def classifier(options):
    """W11: one decision of the compiled tables, by the number of filters (bench/classifier.c)."""
    done = subprocess.run([built('bench', 'classifier'), '--json'], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Void(f'classifier: {done.stderr.strip()[-200:] or "it and the reference do not agree"}')
    return {'rows': [json.loads(line) for line in done.stdout.splitlines()]}


def public_tools(options):
    """W12: ab and wrk against a tiny server: plain, plain again, 10,000 filters with events, nft linear."""
    variants = {'plain': peers.Plain('plain'), 'again': peers.Plain('again')}
    ratios = {}
    try:
        variants['ringwall'] = Ringwall('tools', 10000, events=True)
        variants['nft_linear_1000'] = peers.nft_linear(1000)
        for _ in range(2 if options.quick else 7):
            rates = {name: tools_once(variant, 1 if options.quick else 2) for name, variant in variants.items()}
            for name in list(variants)[1:]:
                for tool, value in rates[name].items():
                    ratios.setdefault(f'{tool}_{name}', []).append(value / rates['plain'][tool])
    finally:
        for variant in variants.values():
            variant.close()
    return {'plain_ab': rates['plain']['ab'], 'plain_wrk': rates['plain']['wrk'], **ratios}


def tools_once(variant, seconds):
    is_ours = isinstance(variant, Ringwall)
    cgroup = variant.instance.cgroup if is_ours else variant.place.cgroup
    netns = variant.instance.netns_path() if is_ours else variant.place.netns

    def start(*command):
        def enter():
            (cgroup / 'cgroup.procs').write_text('0', encoding='ascii')
        return subprocess.Popen(['nsenter', f'--net={netns}', *map(str, command)], text=True, preexec_fn=enter,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    server = start(built('bench', 'load'), 'serve', '--port', 8000)
    try:
        server.stdout.readline()
        out, _ = start('ab', '-q', '-t', seconds, '-n', 1000000, '-c', 16, 'http://127.0.0.1:8000/').communicate()
        ab = re.search(r'Requests per second:\s+([\d.]+)', out)
        out, _ = start('wrk', '-t', 1, '-c', 16, '-d', f'{seconds}s', 'http://127.0.0.1:8000/').communicate()
        wrk = re.search(r'Requests/sec:\s+([\d.]+)', out)
        if not ab or not wrk:
            raise Void('ab or wrk failed')
        return {'ab': float(ab[1]), 'wrk': float(wrk[1])}
    finally:
        server.kill()
        server.wait()


ALL = [commit, swap, denied, attribution, open_flows, question, answer, idle, history, killed, classifier,
       public_tools, block_list]
QUICK = [classifier]
