"""Which variants and workloads a run has."""
import peers
import series
from ringwall import Ringwall

OUR_10000 = 'Ringwall, 10000 filters'
EVENTS, INBOUND = 'Ringwall, events, 10000 filters', 'Ringwall, inbound filter, 10000 filters'


class Plan:
    def __init__(self, makers, workloads, rounds):
        self.makers, self.workloads, self.rounds = makers, workloads, rounds

    def only(self, names):
        """These workloads and what they need."""
        workloads = [w for w in self.workloads if w.name in names]
        needed = {name for w in workloads for name in w.variants}
        return Plan({name: make for name, make in self.makers.items() if name in needed}, workloads, self.rounds)


def plain():
    return {series.PLAIN: lambda: peers.Plain(series.PLAIN), series.AGAIN: lambda: peers.Plain(series.AGAIN)}


def counted(function, counts):
    """Makers of a peer with these numbers of rules; the names are those the peers give themselves."""
    names = {'nft_linear': 'nft linear', 'nft_cgroup': 'nft by cgroup', 'nft_user': 'nft by user', 'nft_set': 'nft set',
             'nft_conntrack': 'nft linear behind conntrack', 'iptables_linear': 'iptables-legacy',
             'iptables_conntrack': 'iptables-legacy behind conntrack', 'iptables_owner': 'iptables-legacy by user'}
    return {f'{names[function.__name__]}, {count}': lambda count=count: function(count) for count in counts}


def ours(counts):
    return {f'Ringwall, {count} filters': lambda count=count: Ringwall(f'Ringwall, {count} filters', count)
            for count in counts}


def makers():
    linear, flat = (10, 100, 1000, 10000), (10, 100, 1000, 10000, 100000)
    return {
        **plain(),
        **counted(peers.nft_linear, linear), **counted(peers.nft_cgroup, linear), **counted(peers.nft_user, linear),
        **counted(peers.nft_set, flat), **counted(peers.nft_conntrack, linear),
        **counted(peers.iptables_linear, linear), **counted(peers.iptables_conntrack, linear),
        **counted(peers.iptables_owner, linear),
        'NFQUEUE, minimal, same CPU': lambda: peers.nfqueue('same', 0),
        'NFQUEUE, minimal, other CPU': lambda: peers.nfqueue('other', 1),
        'seccomp notification, same CPU': lambda: peers.notify('same', 0),
        'seccomp notification, other CPU': lambda: peers.notify('other', 1),
        'bpfilter': peers.bpfilter,
        'OpenSnitch 1.5.8.1, /proc monitor': peers.OpenSnitch,
        **ours((0, *flat)),
        EVENTS: lambda: Ringwall(EVENTS, 10000, events=True),
        INBOUND: lambda: Ringwall(INBOUND, 10000, inbound=True),
    }


def full():
    every = makers()
    some = [series.PLAIN, series.AGAIN, 'nft set, 10000', 'nft linear behind conntrack, 1000', 'Ringwall, 0 filters',
            OUR_10000, EVENTS]
    latency = [*some, 'nft linear, 1000', 'NFQUEUE, minimal, other CPU', 'OpenSnitch 1.5.8.1, /proc monitor']
    packets = [*some[:2], OUR_10000, INBOUND]
    def work(name, title, options, variants, seconds=0.4):
        return series.Workload(name, title, options, variants, seconds, every=2)

    return Plan(every, [
        series.Workload('W1', 'W1: TCP connect and close, one CPU', ('connect', '--cpu', 0), list(every)),
        work('W2', 'W2: connect, request, response, close, one CPU', ('crr', '--cpu', 0), some),
        work('W2-latency', 'W2: the same across two CPUs', ('crr', '--cpu', 0, '--server-cpu', 1), latency),
        work('W3-rr', 'W3: request and response on an established connection', ('rr', '--cpu', 0), packets, 0.25),
        work('W3-bulk', 'W3: bulk TCP in pieces of 64 KiB', ('stream', '--cpu', 0), packets, 0.25),
        work('W4-connected', 'W4: UDP, connected', ('udp', '--cpu', 0, '--mode', 'connected'), packets, 0.25),
        work('W4-unconnected', 'W4: UDP, sendto', ('udp', '--cpu', 0, '--mode', 'unconnected'), packets, 0.25),
        work('W4-one-shot', 'W4: UDP, a socket for each datagram', ('udp', '--cpu', 0, '--mode', 'one-shot'), packets,
             0.25),
        work('W4-connect', 'W4: connect() of a UDP socket: no packet', ('udp', '--cpu', 0, '--mode', 'connect'),
             some[:2] + ['Ringwall, 0 filters', OUR_10000, EVENTS], 0.25),
        work('W5-accept', 'W5: 1,000 connections a second arrive', ('accept', '--cpu', 0),
             [*some[:2], OUR_10000, INBOUND], 0.25),
        work('W5-flood', 'W5: SYN flood to a closed port', ('flood', '--cpu', 0, '--port', 7997),
             [*some[:2], OUR_10000, INBOUND, 'nft set, 10000'], 0.25),
        work('W8', 'W8: fork, exec, connect, exit', ('spawn', '--cpu', 0), [*some[:2], OUR_10000, EVENTS], 0.4),
    ], 31)


def quick():
    every = makers()
    wanted = [series.PLAIN, series.AGAIN, 'nft linear, 1000', 'nft linear, 10000', 'nft set, 10000',
              'Ringwall, 0 filters', 'Ringwall, 10 filters', 'Ringwall, 1000 filters', OUR_10000, EVENTS]
    work = series.Workload
    return Plan({name: every[name] for name in wanted}, [
        work('W1', 'W1: TCP connect and close, one CPU', ('connect', '--cpu', 0), wanted, 0.3),
        work('W4-connect', 'W4: connect() of a UDP socket: no packet', ('udp', '--cpu', 0, '--mode', 'connect'),
             wanted[:2] + wanted[5:], 0.2),
    ], 15)
