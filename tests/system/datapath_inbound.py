#!/usr/bin/env python3
"""What peers begin, and the sockets they begin it with: accept, listen, bind."""
import os
import socket
import struct
import subprocess
import time

from datapath_harness import CLIENT, NEAR, DatapathTest, main
from lab import FAR4, FAR6, TCP_PORT, UDP_PORT

FAR = {4: FAR4, 6: FAR6}
ACCEPT = {4: 44, 6: 46}
LISTEN = {4: 40, 6: 42}
BIND = {4: 36, 6: 38}


class Inbound(DatapathTest):
    def server(self, family=4, action="tcp-server", **options):
        server = self.client(action, family, "x", 100, **options)
        self.assertEqual(server.result("bind")[0], "ok")
        if action == "tcp-server":
            self.assertEqual(server.result("listen")[0], "ok")
        return server

    def peer(self, action, family=4, *more, **options):
        return self.client(action, family, *more, far=True, **options)

    def assert_owned(self, flow, server, family, layers):
        self.assertEqual(int(flow["layer"]), layers[family])
        self.assertEqual(int(flow["pid"]), server.process.pid)
        self.assertEqual(flow["path"], os.path.realpath(CLIENT))


class Streams(Inbound):
    def test_permit(self):
        driver = self.driver(policy="accept=hold")
        for family in NEAR:
            server = self.server(family)
            peer = self.peer("tcp", family, "data intact")
            flow = driver.held()
            self.assert_owned(flow, server, family, ACCEPT)
            self.assertEqual((flow["inbound"], flow["remote"], flow["local"]), ("1", FAR[family], NEAR[family]))
            self.assertEqual(int(flow["local_port"]), TCP_PORT)
            self.assertNotEqual(flow["parent"], "0")
            time.sleep(0.3)
            server.lines.none("accept", 0)
            self.assertEqual(driver.do("permit " + flow["id"]), 0)
            said, milliseconds = peer.result("connect")
            self.assertEqual(said, "ok")
            self.assertGreaterEqual(milliseconds, 290)
            self.assertLess(milliseconds, 800, "the captured SYN was not delivered, the peer's own retransmission was")
            self.assertEqual(peer.lines.next("reply"), "reply 11 data intact")
            self.assertEqual(server.lines.next("got"), "got 11 data intact")
            driver.lines.none("held", 0.1)

    def test_block(self):
        driver = self.driver(policy="accept=hold")
        server = self.server()
        peer = self.peer("tcp")
        flow = driver.held()
        self.assertEqual(driver.do("block " + flow["id"]), 0)
        time.sleep(2.5)  # two retransmissions
        peer.lines.none("connect", 0)
        server.lines.none("accept", 0)
        driver.lines.none("held", 0)

    def test_static(self):
        driver = self.driver(policy="accept=block")
        servers = {family: self.server(family) for family in NEAR}
        for family, server in servers.items():
            peer = self.peer("tcp", family)
            peer.lines.none("connect", 0.5)
            server.lines.none("accept", 0)
        self.assertGreaterEqual(driver.stats()["blocked"], 2)
        driver.do("policy accept=permit")
        for family in NEAR:
            self.assertEqual(self.peer("tcp", family).result("connect")[0], "ok")

    def test_conditions(self):
        """The tables decide in the kernel: only what they hold is asked about."""
        driver = self.driver(policy=f"accept=block@{TCP_PORT}")
        self.server()
        other = self.client("tcp-server", 4, "x", 100, port=7009)
        other.result("listen")
        self.assertEqual(self.peer("tcp", 4, port=7009).result("connect")[0], "ok")
        peer = self.peer("tcp")
        peer.lines.none("connect", 0.5)
        driver.do("policy accept=hold@7009")
        self.assertEqual(peer.result("connect")[0], "ok")
        self.peer("tcp", 4, port=7009)
        self.assertEqual(driver.held()["local_port"], "7009")

    def test_existing_listener(self):
        """The owner of a socket that listened before anything was attached is known."""
        server = self.server()
        driver = self.driver(policy="accept=hold")
        peer = self.peer("tcp")
        flow = driver.held()
        self.assert_owned(flow, server, 4, ACCEPT)
        driver.do("permit " + flow["id"])
        self.assertEqual(peer.result("connect")[0], "ok")

    def test_mapped(self):
        """An IPv4 peer at a socket of both families is a matter of the IPv4 layer."""
        driver = self.driver(policy="accept=hold")
        server = self.server(6, address="::")
        peer = self.peer("tcp", 4)
        flow = driver.held()
        self.assert_owned(flow, server, 4, ACCEPT)
        self.assertEqual(flow["remote"], FAR4)
        driver.do("permit " + flow["id"])
        self.assertEqual(peer.result("connect")[0], "ok")

    def test_server_goes(self):
        driver = self.driver(policy="accept=hold")
        server = self.server()
        self.peer("tcp")
        flow = driver.held()
        server.process.kill()
        driver.lines.next("gone id=" + flow["id"])
        self.assertEqual(driver.do("permit " + flow["id"]), -2)

    def test_restart(self):
        driver = self.driver(policy="accept=hold,listen=hold")
        server = self.server()
        listening = driver.held()
        self.assertEqual(int(listening["layer"]), LISTEN[4])
        driver.process.kill()
        driver.process.wait()
        peer = self.peer("tcp")
        peer.lines.none("connect", 0.5)
        driver = self.driver(policy=None)
        again = driver.held()
        self.assertEqual((again["id"], again["adopted"]), (listening["id"], "1"))
        self.assert_owned(again, server, 4, LISTEN)
        driver.do("permit " + again["id"])
        flow = driver.held()
        driver.do("permit " + flow["id"])
        self.assertEqual(peer.result("connect")[0], "ok")

    def flood(self, count, port):
        """So many SYNs to the listener; returns how long a connection to one that may accept takes meanwhile."""
        self.client("tcp-server", 4, "x", 100000, port=port).result("listen")
        flooder = self.peer("syn-flood", 4, "x", count)
        slowest = 0
        while (line := flooder.lines.find("flood", 0.02)) is None:
            said, milliseconds = self.peer("tcp", 4, port=port).result("connect")
            self.assertEqual(said, "ok")
            slowest = max(slowest, milliseconds)
        self.assertGreater(int(line.split()[1]), count * 0.99)
        return slowest

    def test_flood_refused(self):
        driver = self.driver(policy=f"accept=block@{TCP_PORT}")
        self.server()
        slowest = self.flood(100000, 7009)
        self.assertGreater(driver.stats()["blocked"], 90000)
        self.assertLess(slowest, 500)
        self.assertEqual(driver.stats()["fail_closed"], 0)

    def test_flood_held(self):
        """What peers begin takes half of the table at most."""
        driver = self.driver("flows=200", policy=f"accept=hold@{TCP_PORT},connect=hold")
        self.server()
        self.flood(5000, 7009)
        stats = driver.stats()
        self.assertLessEqual(stats["held"], 100)
        self.assertGreater(stats["dropped"], 4000)
        client = self.client("tcp", 4)
        while (flow := driver.held())["layer"] != "48":
            pass
        driver.do("permit " + flow["id"])
        self.assertEqual(client.result("connect")[0], "ok")


class Listeners(Inbound):
    def test_held(self):
        driver = self.driver(policy="listen=hold")
        for family in NEAR:
            server = self.server(family)
            flow = driver.held()
            self.assert_owned(flow, server, family, LISTEN)
            self.assertEqual((flow["handle"], int(flow["local_port"])), ("0", TCP_PORT))
            peer = self.peer("tcp", family, "patience")
            peer.lines.none("connect", 0.5)
            driver.do("permit " + flow["id"])
            self.assertEqual(peer.result("connect")[0], "ok")
            self.assertEqual(peer.lines.next("reply"), "reply 8 patience")

    def test_blocked(self):
        driver = self.driver(policy="listen=hold")
        server = self.server()
        driver.do("block " + driver.held()["id"])
        self.assertEqual(server.result("accept")[0], "EINVAL")  # it does not listen any more
        self.assertEqual(self.peer("tcp").result("connect")[0], "ECONNREFUSED")

    def test_static(self):
        self.driver(policy="listen=block")
        for family in NEAR:
            server = self.server(family)
            self.assertEqual(server.result("accept")[0], "EINVAL")
            self.assertEqual(self.peer("tcp", family).result("connect")[0], "ECONNREFUSED")


class Bindings(Inbound):
    def test_static(self):
        self.driver(policy="bind=block")
        for action in ("tcp-server", "udp-server"):
            for family in NEAR:
                self.assertEqual(self.client(action, family).result("bind")[0], "EACCES")

    def test_held(self):
        driver = self.driver(policy="bind=hold")
        server = self.server(4, "udp-server")
        flow = driver.held()
        self.assert_owned(flow, server, 4, BIND)
        self.assertEqual(int(flow["local_port"]), UDP_PORT)
        peer = self.peer("udp", 4, "x", 1)
        self.assertEqual(peer.result("recv", 3)[0], "ETIMEDOUT")
        server.lines.none("got", 0)
        driver.do("permit " + flow["id"])
        peer = self.peer("udp", 4, "x", 1)
        self.assertEqual(peer.lines.next("reply"), "reply 2 x0")

    def test_blocked(self):
        driver = self.driver(policy="bind=hold")
        server = self.server(4, "tcp-server")
        driver.do("block " + driver.held()["id"])
        peer = self.peer("tcp")
        self.assertNotEqual(peer.lines.find("connect", 1), "connect ok")
        server.lines.none("accept ok", 0)


class Datagrams(Inbound):
    def test_permit(self):
        driver = self.driver(policy="accept=hold")
        for family in NEAR:
            server = self.server(family, "udp-server")
            peer = self.peer("udp", family, "x", 40)
            flow = driver.held()
            self.assert_owned(flow, server, family, ACCEPT)
            self.assertEqual((flow["inbound"], flow["remote"], int(flow["local_port"])), ("1", FAR[family], UDP_PORT))
            time.sleep(0.2)
            server.lines.none("got", 0)
            driver.do("permit " + flow["id"])
            got = [server.lines.next("got").split()[2] for _ in range(32)]
            self.assertEqual(got, [f"x{number}" for number in range(32)])
            self.assertGreaterEqual(driver.stats()["dropped"], 8)
            self.assertEqual(peer.lines.next("reply"), "reply 2 x0")
            driver.lines.none("held", 0.1)
            server.process.kill()

    def test_block(self):
        driver = self.driver(policy="accept=hold")
        server = self.server(4, "udp-server")
        peer = self.peer("udp", 4, "x", 1)
        driver.do("block " + driver.held()["id"])
        self.assertEqual(peer.result("recv")[0], "ETIMEDOUT")
        peer.result("again")
        server.lines.none("got", 0.3)
        driver.lines.none("held", 0)

    def test_answers_pass(self):
        """What was begun here is answered, whatever is said of what peers begin."""
        self.driver(policy="accept=block")
        for action in ("udp", "udp-connected", "ping", "raw"):
            for family in (4,) if action == "raw" else FAR:
                with self.subTest(action=action, family=family):
                    client = self.client(action, family, "x", 1)
                    self.assertEqual(client.result("recv")[0], "ok")

    def test_strangers_do_not(self):
        """A socket that sends to one peer hears nothing of another."""
        self.driver(policy="accept=block")
        server = self.server(4, "udp-server")
        self.assertEqual(self.peer("udp", 4, "x", 1).result("recv")[0], "ETIMEDOUT")
        server.lines.none("got", 0)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def datagram(source, destination, text):
    """A UDP packet to the port of the tests; without a checksum, which IPv4 allows."""
    udp = struct.pack("!4H", 4000, UDP_PORT, 8 + len(text), 0) + text
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, socket.inet_aton(source),
                         socket.inet_aton(destination))
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


class Injection(Inbound):
    def test_receive(self):
        driver = self.driver(policy="accept=hold")
        server = self.server(4, "udp-server")
        self.peer("udp-once", 4)
        flow = driver.held()
        driver.do("policy accept=block")
        packet = datagram("10.99.1.77", NEAR[4], b"from nowhere").hex()
        self.assertEqual(driver.do(f"inject receive {flow['netns']} {packet}"), 0)
        self.assertEqual(server.lines.next("got"), "got 12 from nowhere")
        self.assertEqual(driver.do(f"inject receive {flow['netns']} 0011"), -22)
        self.assertEqual(driver.do(f"inject receive 999999 {packet}"), -2)

    def test_send(self):
        driver = self.driver(policy="connect=hold")
        self.client("tcp", 4)
        flow = driver.held()
        driver.do("policy connect=block")
        packet = datagram(NEAR[4], FAR4, b"straight on").hex()
        self.assertEqual(self.lab.packets("udp"), 0)
        self.assertEqual(driver.do(f"inject send {flow['netns']} {packet}"), 0)
        self.assertEqual(self.lab.packets("udp"), 1)

    def test_clone(self):
        """What drivers do with a pended connection: the SYN comes in again, and nothing is asked about it."""
        driver = self.driver(policy="accept=hold")
        server = self.server()
        peer = self.peer("tcp")
        flow = driver.held()
        syn = bytearray.fromhex(flow["data"])
        syn[36:38] = b"\0\0"  # its checksum was left to the device
        pseudo = bytes(syn[12:20]) + struct.pack("!HH", 6, len(syn) - 20)
        syn[36:38] = struct.pack("!H", checksum(pseudo + bytes(syn[20:])))
        self.assertEqual(driver.do(f"inject receive {flow['netns']} {syn.hex()}"), 0)
        self.assertEqual(peer.result("connect")[0], "ok")
        self.assertEqual(server.result("accept")[0], "ok")


if __name__ == "__main__":
    main()
