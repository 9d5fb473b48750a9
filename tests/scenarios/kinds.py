"""The scenario kinds: 24 that everybody is measured by, and what else people have got past firewalls with."""


class Kind:
    def __init__(self, number, title, generator, *, root=False, loopback=False, container=False, owner='actor',
                 gap=None):
        self.number, self.title, self.generator = number, title, generator
        self.root, self.loopback, self.container = root, loopback, container
        # Whose traffic it is, of a program that starts another one: 'actor', the one started, or 'launcher'.
        self.owner = owner
        # Where this kernel can neither tell nor refuse: the item of `ringwall status --coverage` that says so.
        self.gap = gap

    def starts_another(self):
        return self.generator.startswith(('pass-', 'exec-'))


KINDS = [
    Kind('s01', 'TCP: connect, send, receive', 'tcp'),
    Kind('s02', 'TCP: 1 MiB there and back', 'tcp-bulk'),
    Kind('s03', 'TCP: non-blocking connect', 'tcp-nonblocking'),
    Kind('s04', 'UDP: connected, send', 'udp-connected'),
    Kind('s05', 'ICMP echo, IPv4 and IPv6 (ping socket)', 'icmp', root=True),
    Kind('s06', 'UDP: unconnected, sendto', 'udp-sendto'),
    Kind('s07', 'IPv6: TCP', 'tcp-ipv6'),
    Kind('s08', 'SCTP', 'sctp'),
    Kind('s09', 'UDP: unconnected, sendmsg', 'udp-sendmsg'),
    Kind('s10', 'raw IP: a UDP datagram with headers written by hand', 'raw-ip', root=True),
    Kind('s11', '20 programs that connect and exit at once', 'short-lived'),
    Kind('s12', 'AF_PACKET: a whole frame', 'packet', root=True, gap='AF_PACKET'),
    Kind('s13', 'io_uring: connect, send, receive; also by worker threads', 'uring-tcp'),
    Kind('s14', 'zero copy: sendfile', 'sendfile'),
    Kind('s15', 'UDP: sendmmsg, 8 datagrams in one call', 'udp-sendmmsg'),
    Kind('s16', 'loopback: TCP', 'tcp', loopback=True),
    Kind('s17', 'container: user, mount, pid and network namespace', 'tcp', container=True),
    Kind('s18', 'slow: a byte every 40 ms', 'tcp-slow'),
    Kind('s19', 'many: 64 connections at once', 'tcp-many'),
    Kind('s20', 'burst: 100 connections one after another', 'tcp-burst'),
    Kind('s21', 'io_uring: UDP sendmsg; also by worker threads', 'uring-udp'),
    Kind('s22', 'zero copy: MSG_ZEROCOPY', 'zero-copy'),
    Kind('s23', 'UDP: 4 datagrams in one packet (UDP_SEGMENT)', 'udp-segments'),
    Kind('s24', 'UDP: one socket, several remote ends', 'udp-many-ends'),

    Kind('x01', 'TCP Fast Open: data in the SYN', 'tcp-fast-open'),
    Kind('x02', 'TCP Fast Open: connect() that connects later', 'tcp-fast-open-connect'),
    Kind('x03', 'TCP to an IPv4-mapped address', 'tcp-mapped'),
    Kind('x04', 'Multipath TCP', 'tcp-multipath'),
    Kind('x05', 'TCP: a socket connected again after AF_UNSPEC', 'tcp-again'),
    Kind('x06', 'UDP over IPv6, unconnected and connected', 'udp-ipv6'),
    Kind('x07', 'UDP to an IPv4-mapped address', 'udp-mapped'),
    Kind('x08', 'UDP: corked (MSG_MORE)', 'udp-corked'),
    Kind('x09', 'UDP: a datagram in fragments', 'udp-fragments'),
    Kind('x10', 'UDP-Lite', 'udp-lite'),
    Kind('x11', 'ICMP echo from a raw socket, IPv4 and IPv6', 'icmp-raw', root=True),
    Kind('x12', 'raw IP: another protocol, IPv4 and IPv6', 'raw-protocol', root=True),
    Kind('x13', 'io_uring: submitted by a kernel thread (SQPOLL)', 'uring-polled'),
    Kind('x14', 'io_uring: zero-copy send', 'uring-zero-copy'),
    Kind('x15', 'zero copy: splice', 'splice'),
    Kind('x16', 'loopback: UDP', 'udp-sendto', loopback=True),
    Kind('x17', 'container: UDP', 'udp-sendto', container=True),
    Kind('x18', 'a socket made before fork', 'fork-after-socket'),
    Kind('x19', 'a socket made before exec, used by the new program', 'exec-after-socket'),
    Kind('x20', 'a passed TCP socket (SCM_RIGHTS), connected by the receiver', 'pass-stream'),
    Kind('x21', 'a passed UDP socket (SCM_RIGHTS), sent with by the receiver', 'pass-datagram'),
    Kind('x22', 'a passed connection (SCM_RIGHTS): of the program that connected', 'pass-connection', owner='launcher'),
    Kind('x23', 'another thread connects', 'thread-connects'),
    Kind('x24', 'UDP: one datagram, and the program is gone', 'udp-and-exit'),
]
