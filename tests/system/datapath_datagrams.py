#!/usr/bin/env python3
"""UDP, ping and raw sockets through the datapath."""
import json
import os
import subprocess
import time

from datapath_harness import CLIENT, FAR, LAYERS, DatapathTest, main
from lab import FAR4, UDP_PORT, wait_for


class Datagrams(DatapathTest):
    def exchange(self, action, family, answer, count=3):
        """Sends while held, decides; returns the client and the flow."""
        client = self.client(action, family, "x", count)
        for _ in range(count):
            self.assertEqual(client.result("send" if action == "udp-connected" else "sendto")[0], "ok")
        flow = self.driver_.held()
        self.assertEqual(int(flow["layer"]), LAYERS[family])
        self.assertEqual((flow["remote"], int(flow["remote_port"])), (FAR[family], UDP_PORT))
        self.assertEqual(int(flow["pid"]), client.process.pid)
        self.assertEqual(flow["path"], os.path.realpath(CLIENT))
        self.assertNotEqual(flow["local_port"], "0")
        self.assertEqual(self.lab.packets("udp"), 0)
        self.assertEqual(self.driver_.do(f"{answer} {flow['id']}"), 0)
        return client

    def test_permit(self):
        self.driver_ = self.driver()
        for action in ("udp", "udp-connected"):
            for family in FAR:
                with self.subTest(action=action, family=family):
                    before = self.lab.packets("udp")
                    self.assertEqual(before, 0)
                    client = self.exchange(action, family, "permit")
                    for number in range(3):
                        self.assertEqual(client.lines.next("reply"), f"reply 2 x{number}")
                    self.assertEqual(client.result("again")[0], "ok")
                    wait_for(lambda: self.lab.packets("udp") == 4, what="four datagrams at the far end")
                    self.driver_.lines.none("held", 0.1)
                    self.lab.reset_counters()

    def test_block(self):
        self.driver_ = self.driver()
        for action, error in (("udp", "EACCES"), ("udp-connected", "EPERM")):
            for family in FAR:
                with self.subTest(action=action, family=family):
                    client = self.exchange(action, family, "block", 1)
                    client.result("recv")
                    self.assertEqual(client.result("again")[0], error)
        self.assertEqual(self.lab.packets("udp"), 0)

    def test_program_is_gone(self):
        """What a program has sent goes out when it is permitted, although its socket is closed; nothing is left."""
        driver = self.driver()
        for family in FAR:
            for answer, packets in (("permit", 1), ("block", 0)):
                client = self.client("udp-once", family)
                flow = driver.held()
                client.process.wait()
                driver.lines.none("gone", 0.2)
                self.assertEqual(self.lab.packets("udp"), 0)
                self.assertEqual(driver.do(f"{answer} {flow['id']}"), 0)
                wait_for(lambda: self.lab.packets("udp") == packets, what="the datagram at the far end")
                time.sleep(0.1)
                self.assertEqual(self.lab.packets("udp"), packets)
                self.lab.reset_counters()
        dump = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", f"{self.lab.pins}/map_flows"],
                              capture_output=True, text=True, check=True).stdout
        self.assertEqual(json.loads(dump), [])

    def test_static(self):
        self.driver(policy="block")
        for family in FAR:
            self.assertEqual(self.client("udp", family).result("sendto")[0], "EACCES")
            self.assertEqual(self.client("udp-connected", family).result("connect")[0], "EACCES")
            self.assertEqual(self.client("ping", family).result("sendto")[0], {4: "EPERM", 6: "ok"}[family])
        self.assertEqual(self.lab.packets("udp") + self.lab.packets("icmp"), 0)

    def test_order_and_overflow(self):
        driver = self.driver()
        client = self.client("udp", 4, "x", 40)
        for _ in range(40):
            self.assertEqual(client.result("sendto")[0], "ok")
        flow = driver.held()
        self.assertEqual(driver.stats()["dropped"], 8)
        driver.do("permit " + flow["id"])
        replies = [client.lines.next("reply").split()[2] for _ in range(32)]
        self.assertEqual(replies, [f"x{number}" for number in range(32)])

    def test_large_and_segmented(self):
        driver = self.driver()
        for family in FAR:
            client = self.client("udp", family, "y" * 3000)
            driver.do("permit " + driver.held()["id"])
            self.assertTrue(client.lines.next("reply").startswith("reply 3001 y"))
            client = self.client("udp-segments", family, "z" * 350)
            driver.do("permit " + driver.held()["id"])
            sizes = [client.lines.next("reply").split()[1] for _ in range(4)]
            self.assertEqual(sizes, ["100", "100", "100", "50"])

    def test_mapped(self):
        driver = self.driver()
        for action in ("udp", "udp-connected"):
            for address in (FAR4, "::ffff:" + FAR4):
                with self.subTest(action=action, address=address):
                    client = self.client(action, 6, "x", 1, "v6", address=address)
                    flow = driver.held()
                    self.assertEqual((flow["layer"], flow["remote"]), ("50", "::ffff:" + FAR4))
                    self.assertEqual(self.lab.packets("udp"), 0)
                    driver.do("permit " + flow["id"])
                    self.assertEqual(client.lines.next("reply"), "reply 2 x0")
                    client.process.wait()
                    self.lab.reset_counters()

    def test_flows_are_apart(self):
        """A decision is for one socket and one remote end."""
        driver = self.driver()
        client = self.client("udp", 4)
        driver.do("permit " + driver.held()["id"])
        self.assertEqual(client.lines.next("reply"), "reply 2 x0".replace("x", "hello").replace("2", "6"))
        other = self.client("udp", 4)
        self.assertEqual(driver.held()["remote"], FAR4)
        other.result("recv")
        self.assertEqual(self.lab.packets("udp"), 2)

    def test_judged_anew(self):
        """After the idle time, and after a change of policy, a decision does not count any more."""
        driver = self.driver("idle=400")
        client = self.client("udp", 4, "x", 1, environment=["WAIT"])
        client.go()
        driver.do("permit " + driver.held()["id"])
        self.assertEqual(client.lines.next("reply"), "reply 2 x0")
        self.assertEqual(client.result("again")[0], "ok")
        driver.lines.none("held", 0.1)
        client = self.client("udp-connected", 4, "x", 2, environment=["WAIT"])
        client.go()
        driver.do("permit " + driver.held()["id"])
        for _ in range(2):
            client.lines.next("reply")
        driver.do("policy hold")
        client = self.client("udp", 4)
        driver.do("block " + driver.held()["id"])
        self.assertEqual(client.result("recv")[0], "ETIMEDOUT")  # a second: longer than the idle time
        self.assertEqual(client.result("again")[0], "ok")
        driver.held()

    def test_translated(self):
        """Address translation happens before a packet is seen; the question is about the address that was asked for."""
        service = "10.99.1.200"
        rules = "table ip translate { chain out { type nat hook output priority -100;\n"
        rules += f"ip daddr {service} dnat to {FAR4}\n}}\n}}\n"
        if subprocess.run(["ip", "netns", "exec", self.lab.near, "nft", rules], check=False).returncode:
            self.skipTest("no address translation on this kernel")
        driver = self.driver()
        for action in ("udp", "udp-connected", "tcp"):
            with self.subTest(action=action):
                client = self.client(action, 4, "x", 1, address=service)
                flow = driver.held()
                self.assertEqual(flow["remote"], service)
                driver.do("permit " + flow["id"])
                self.assertTrue(client.lines.next("reply").startswith("reply"))
                if action == "tcp":
                    continue
                client.process.wait()
                client = self.client(action, 4, "x", 1, address=service)
                driver.do("block " + driver.held()["id"])
                client.result("recv")
                self.assertEqual(client.result("again")[0], {"udp": "EACCES", "udp-connected": "EPERM"}[action])

    def test_raw(self):
        driver = self.driver()
        client = self.client("raw", 4)
        self.assertEqual(client.result("sendto")[0], "ok")
        flow = driver.held()
        self.assertEqual((flow["remote"], flow["protocol"], flow["local_port"]), (FAR4, "1", "8"))
        self.assertEqual(self.lab.packets("icmp"), 0)
        driver.do("permit " + flow["id"])
        self.assertEqual(client.result("recv")[0], "ok")
        self.assertEqual(client.result("again")[0], "ok")
        wait_for(lambda: self.lab.packets("icmp") == 2, what="two echo requests at the far end")

    def test_ping(self):
        driver = self.driver()
        for family, (kind, protocol) in {4: ("8", "1"), 6: ("128", "58")}.items():
            client = self.client("ping", family)
            # The kernel lets an IPv4 ping socket know that its packet was kept back; an IPv6 one never hears of it.
            self.assertEqual(client.result("sendto")[0], {4: "ENOBUFS", 6: "ok"}[family])
            flow = driver.held()
            self.assertEqual((flow["remote"], flow["protocol"], flow["local_port"]), (FAR[family], protocol, kind))
            self.assertEqual(self.lab.packets("icmp"), 0)
            driver.do("permit " + flow["id"])
            self.assertEqual(client.result("recv")[0], {4: "ETIMEDOUT", 6: "ok"}[family])
            self.assertEqual(client.result("again")[0], "ok")
            wait_for(lambda: self.lab.packets("icmp") == {4: 1, 6: 2}[family], what="echo requests at the far end")
            client = self.client("ping", family)
            driver.do("block " + driver.held()["id"])
            client.result("recv")
            self.assertEqual(client.result("again")[0], {4: "EPERM", 6: "ok"}[family])
            self.assertEqual(self.lab.packets("icmp"), {4: 1, 6: 2}[family])
            self.lab.reset_counters()


if __name__ == "__main__":
    main()
