#!/usr/bin/env python3
"""The life of the datapath: restarts, removal, and what it says when it cannot start."""
import json
import signal
import subprocess
import time

from datapath_harness import DRIVER, FAR, DatapathTest, Driver, main, object_ids
from lab import wait_for


class Life(DatapathTest):
    def test_restart(self):
        driver = self.driver()
        clients = {family: self.client("tcp", family, "late") for family in FAR}
        datagrams = self.client("udp", 4, "x", 1, environment=["PAUSE"])
        flows = [driver.held() for _ in range(3)]
        driver.process.kill()
        driver.process.wait()
        orphan = self.client("tcp", 4, "later")
        time.sleep(1.5)  # a retransmission
        self.assertEqual(self.lab.packets("tcp") + self.lab.packets("udp"), 0)

        driver = self.driver(policy=None)
        adopted = {flow["id"]: flow for flow in (driver.held() for _ in range(4))}
        for flow in flows:
            found = adopted.pop(flow["id"])
            self.assertEqual(found["adopted"], "1")
            for name in ("pid", "path", "comm", "remote", "remote_port", "local", "local_port", "layer", "inode"):
                self.assertEqual(found[name], flow[name])
        (new,) = adopted.values()
        self.assertEqual(int(new["pid"]), orphan.process.pid)
        time.sleep(0.3)
        self.assertEqual(self.lab.packets("tcp") + self.lab.packets("udp"), 0)
        for flow_id in [flow["id"] for flow in flows] + [new["id"]]:
            self.assertEqual(driver.do("permit " + flow_id), 0)
        for client in (*clients.values(), orphan):
            self.assertEqual(client.result("connect")[0], "ok")
            self.assertIn("late", client.lines.next("reply"))
        datagrams.go()
        self.assertEqual(datagrams.result("again")[0], "ok")
        time.sleep(0.3)
        # The datagram after the decision; and the held one, when the first instance died before it let go of it.
        self.assertIn(self.lab.packets("udp"), (1, 2))
        driver.do("policy hold")
        self.client("tcp", 4)
        driver.held()

    def test_restart_of_a_closed_one(self):
        driver = self.driver()
        client = self.client("tcp", 4)
        flow = driver.held()
        self.assertEqual(driver.end("close"), 0)
        driver = self.driver()
        self.assertEqual(driver.held()["id"], flow["id"])
        driver.do("block " + flow["id"])
        self.assertEqual(client.result("connect")[0], "ECONNABORTED")
        self.assertEqual(driver.end("remove"), 0)

    def test_two_instances(self):
        self.driver()
        other = Driver(self.lab)
        self.assertTrue(other.opened.startswith("open -16 "), other.opened)
        self.assertIn("in use", other.opened)

    def test_empty_policy_costs_nothing(self):
        driver = self.driver(policy="empty")
        self.assertFalse([name for name in object_ids(driver.process.pid) if "link" in name])
        earlier = self.client("tcp", 4)
        self.assertEqual(earlier.result("connect")[0], "ok")
        earlier.process.wait()  # else it would be held, too
        driver.do("policy hold")
        client = self.client("tcp", 4)
        flow = driver.held()
        driver.do("policy empty")
        time.sleep(3)
        self.assertTrue([name for name in object_ids(driver.process.pid) if "link" in name], "a held flow was let go")
        driver.do("permit " + flow["id"])
        self.assertEqual(client.result("connect")[0], "ok")
        wait_for(lambda: not any("link" in name for name in object_ids(driver.process.pid)), 6, "no link")

    def discard(self):
        """What discarding the pins says."""
        process = self.lab.start(DRIVER, "discard", str(self.lab.pins), stdout=subprocess.PIPE)
        return process.stdout.readline()

    def test_another_version(self):
        driver = self.driver()
        objects = object_ids(driver.process.pid)
        self.assertTrue(self.discard().startswith("discard -16 "))
        driver.process.kill()
        driver.process.wait()
        pinned = f"{self.lab.pins}/map_state"
        dump = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", pinned], capture_output=True, check=True)
        value = json.loads(dump.stdout)[0]["value"]
        value[0] = "0xff"  # the number of the layout
        subprocess.run(["bpftool", "map", "update", "pinned", pinned, "key", "0", "0", "0", "0", "value", *value],
                       check=True)
        other = Driver(self.lab)
        self.assertTrue(other.opened.startswith("open -116 "), other.opened)
        self.assertEqual(self.discard(), "discard 0 \n")
        self.assert_freed(objects)
        self.assertFalse(self.lab.pins.exists())
        self.assertEqual(self.discard(), "discard 0 \n")

    def test_remove_with_full_ring(self):
        """Flows nobody was told of are refused like the others."""
        driver = self.driver("ring=4096")
        driver.process.send_signal(signal.SIGSTOP)
        client = self.client("many", 4, "x", 40)
        client.lines.next("started")
        driver.tell("remove")
        driver.process.send_signal(signal.SIGCONT)
        driver.lines.next("done remove 0")
        self.assertEqual(client.lines.next("many", 30).split()[1:3], ["0", "40"])
        self.assertEqual(self.lab.packets("tcp"), 0)

    def test_refusals(self):
        """What is missing is told in words."""
        lab = self.lab
        for arguments, code, words, options in (
            ((str(lab.cgroup) + "-absent", str(lab.pins)), -2, "cgroup v2 is mounted at", {}),
            (("/proc/self", str(lab.pins)), -2, "not a cgroup", {}),
            ((str(lab.cgroup), str(lab.pins), "btf=/nowhere"), -2, "BTF", {}),
            ((str(lab.cgroup), str(lab.pins)), -1, "root", {"user": 65534, "group": 65534}),
            ((str(lab.cgroup), "relative"), -22, "absolute", {}),
        ):
            with self.subTest(words=words):
                process = lab.start(DRIVER, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
                answer = process.stdout.readline()
                self.assertTrue(answer.startswith(f"open {code} "), answer)
                self.assertIn(words, answer)
        self.assertFalse(lab.pins.exists())

    def test_remove_leaves_nothing(self):
        driver = self.driver()
        clients = [self.client("tcp", family) for family in FAR]
        for _ in clients:
            driver.held()
        objects = object_ids(driver.process.pid)
        self.assertGreater(len(objects), 15)
        self.assertEqual(driver.end("remove"), 0)
        for client in clients:
            self.assertEqual(client.result("connect")[0], "ECONNABORTED")
        self.assertEqual(self.lab.packets("tcp"), 0)
        self.assertFalse(self.lab.pins.exists())
        self.assertNotIn(str(self.lab.pins), open("/proc/self/mounts").read())
        self.assert_freed(objects)


if __name__ == "__main__":
    main()
