#!/usr/bin/env python3
"""TCP through the datapath: what is permitted arrives, what is held or blocked does not."""
import os
import time

from datapath_harness import CLIENT, FAR, LAYERS, DatapathTest, main
from lab import FAR4, TCP_PORT


class Tcp(DatapathTest):
    def test_permit(self):
        driver = self.driver()
        for family in FAR:
            client = self.client("tcp", family, "data intact")
            flow = driver.held()
            self.assertEqual(int(flow["layer"]), LAYERS[family])
            self.assertEqual((flow["remote"], int(flow["remote_port"])), (FAR[family], TCP_PORT))
            self.assertNotEqual(flow["local_port"], "0")
            self.assertEqual(flow["path"], os.path.realpath(CLIENT))
            self.assertEqual(int(flow["pid"]), client.process.pid)
            self.assertEqual(flow["comm"], "socket-client"[:15])
            time.sleep(0.3)
            self.assertEqual(driver.do("permit " + flow["id"]), 0)
            said, milliseconds = client.result("connect")
            self.assertEqual(said, "ok")
            self.assertGreaterEqual(milliseconds, 290)
            self.assertLess(milliseconds, 800, "the SYN was not sent again, the kernel's own retransmission was")
            self.assertEqual(client.lines.next("reply"), "reply 11 data intact")
        self.assertEqual(driver.do("permit 1"), -2)

    def test_hold_sends_nothing(self):
        driver = self.driver()
        clients = [self.client("tcp", family) for family in FAR]
        for _ in clients:
            driver.held()
        time.sleep(2.5)  # two retransmissions
        self.assertEqual(self.lab.packets("tcp"), 0)
        self.assertEqual(driver.stats()["held"], 2)

    def test_block(self):
        driver = self.driver()
        for family in FAR:
            client = self.client("tcp", family)
            self.assertEqual(driver.do("block " + driver.held()["id"]), 0)
            said, milliseconds = client.result("connect")
            self.assertEqual(said, "ECONNABORTED")
            self.assertLess(milliseconds, 500)
        self.assertEqual(self.lab.packets("tcp"), 0)

    def test_nonblocking(self):
        driver = self.driver()
        client = self.client("tcp-nonblocking", 4)
        self.assertEqual(client.result("connect")[0], "EINPROGRESS")
        driver.do("permit " + driver.held()["id"])
        self.assertEqual(client.result("connected")[0], "ok")
        client = self.client("tcp-nonblocking", 6)
        driver.do("block " + driver.held()["id"])
        self.assertEqual(client.result("connected")[0], "ECONNABORTED")

    def test_static(self):
        driver = self.driver(policy="block")
        for family in FAR:
            self.assertEqual(self.client("tcp", family).result("connect")[0], "EACCES")
        self.assertEqual(self.lab.packets("tcp"), 0)
        driver.do("policy permit")
        for family in FAR:
            self.assertEqual(self.client("tcp", family).result("connect")[0], "ok")

    def test_fastopen(self):
        driver = self.driver()
        for _ in range(2):  # the second time with a cookie: data travels in the SYN
            client = self.client("tcp-fastopen", 4, "early data")
            flow = driver.held()
            time.sleep(0.1)
            self.assertEqual(self.lab.packets("tcp"), 0)
            driver.do("permit " + flow["id"])
            self.assertEqual(client.lines.next("reply"), "reply 10 early data")
            client.process.wait()
            time.sleep(0.2)
            self.lab.reset_counters()
        client = self.client("tcp-fastopen", 4)
        driver.do("block " + driver.held()["id"])
        self.assertNotIn(client.result("sendto")[0], ("ok", "EINPROGRESS"))
        self.assertEqual(self.lab.packets("tcp"), 0)

    def test_multipath(self):
        """An MPTCP socket connects through others that the kernel makes; they must not be a way around."""
        driver = self.driver()
        for family in FAR:
            client = self.client("tcp-multipath", family, "many ways")
            flow = driver.held()
            self.assertEqual((flow["remote"], int(flow["pid"])), (FAR[family], client.process.pid))
            time.sleep(1.5)
            self.assertEqual(self.lab.packets("tcp"), 0)
            driver.do("permit " + flow["id"])
            self.assertEqual(client.result("connect")[0], "ok")
            self.assertEqual(client.lines.next("reply"), "reply 9 many ways")
            client.process.wait()
            self.lab.reset_counters()
            client = self.client("tcp-multipath", family)
            driver.do("block " + driver.held()["id"])
            self.assertNotIn(client.result("connect")[0], ("ok", "ETIMEDOUT"))
        driver.do("policy block")
        client = self.client("tcp-multipath", 4)
        time.sleep(1.5)
        self.assertEqual(self.lab.packets("tcp"), 0)

    def test_mapped(self):
        driver = self.driver()
        client = self.client("tcp", 6, "x", 1, "v6", address="::ffff:" + FAR4)
        flow = driver.held()
        self.assertEqual((flow["layer"], flow["remote"]), ("50", "::ffff:" + FAR4))
        self.assertEqual(flow["local"], "::ffff:10.99.1.1")
        time.sleep(0.1)
        self.assertEqual(self.lab.packets("tcp"), 0)
        driver.do("permit " + flow["id"])
        said, milliseconds = client.result("connect")
        self.assertEqual(said, "ok")
        self.assertLess(milliseconds, 800)
        client = self.client("tcp", 6, "x", 1, "v6", address="::ffff:" + FAR4)
        driver.do("block " + driver.held()["id"])
        self.assertEqual(client.result("connect")[0], "ECONNABORTED")

    def test_this_host(self):
        """0.0.0.0 and :: mean this host: the rules must see the address that is used."""
        driver = self.driver()
        for asked, used in (("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("127.0.0.1", "127.0.0.1"), ("::1", "::1")):
            client = self.client("tcp", 4, address=asked)
            flow = driver.held()
            self.assertEqual(flow["remote"], used)
            driver.do("permit " + flow["id"])
            self.assertEqual(client.result("connect")[0], "ECONNREFUSED")
            client = self.client("udp", 4, address=asked)
            self.assertEqual(driver.held()["remote"], used)

    def test_many(self):
        driver = self.driver()
        client = self.client("many", 4, "x", 1000)
        flows = [driver.held(30)["id"] for _ in range(1000)]
        self.assertEqual(len(set(flows)), 1000)
        self.assertEqual(self.lab.packets("tcp"), 0)
        for flow in flows:
            driver.tell("permit " + flow)
        _, good, done, _ = client.lines.next("many", 60).split()
        self.assertEqual((good, done), ("1000", "1000"))
        self.assertEqual(driver.stats()["held"], 0)

    def test_decided_in_callback(self):
        driver = self.driver("auto=permit")
        client = self.client("many", 6, "x", 200)
        _, good, _, milliseconds = client.lines.next("many", 60).split()
        self.assertEqual(good, "200")
        self.assertEqual(driver.stats()["permitted"], 200)

    def test_gone(self):
        driver = self.driver()
        client = self.client("tcp", 4)
        flow = driver.held()
        client.process.kill()
        driver.lines.next("gone id=" + flow["id"])
        self.assertEqual(driver.do("permit " + flow["id"]), -2)
        self.assertEqual(driver.stats()["held"], 0)


if __name__ == "__main__":
    main()
