#!/usr/bin/env python3
"""Whose a flow is, fixed at the socket call; and what happens when tables are full."""
import os
import shutil
import signal
import subprocess
import tempfile

from datapath_harness import CLIENT, DatapathTest, main, object_ids
from lab import wait_for


class Owner(DatapathTest):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.mkdtemp(prefix="rw-datapath-")
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self, name):
        path = os.path.join(self.folder, name)
        shutil.copy(CLIENT, path)
        return path

    def test_ended_program(self):
        """The program has ended before anybody looks."""
        driver = self.driver()
        program = self.copy("short-lived")
        driver.process.send_signal(signal.SIGSTOP)
        client = self.client("udp-once", 4, program=program, environment=["NOBODY"])
        client.process.wait()
        about = os.stat(program)
        driver.process.send_signal(signal.SIGCONT)
        flow = driver.held()
        self.assertEqual((flow["path"], flow["comm"]), (program, "short-lived"))
        self.assertEqual((flow["uid"], flow["gid"]), ("65534", "65534"))
        self.assertEqual((int(flow["pid"]), int(flow["inode"])), (client.process.pid, about.st_ino))
        self.assertEqual(int(flow["device"]), os.major(about.st_dev) << 20 | os.minor(about.st_dev))
        self.assertEqual(int(flow["cgroup"]), os.stat(self.lab.cgroup).st_ino)
        self.assertEqual(driver.do("permit " + flow["id"]), 0)
        wait_for(lambda: self.lab.packets("udp") == 1, what="its datagram at the far end")

    def test_deleted_program(self):
        driver = self.driver()
        program = self.copy("unlinked")
        client = self.client("tcp", 4, program=program, environment=["WAIT"])
        wait_for(lambda: os.readlink(f"/proc/{client.process.pid}/exe") == program)
        os.unlink(program)
        client.go()
        self.assertEqual(driver.held()["path"], program)

    def test_program_in_memory(self):
        driver = self.driver()
        fd = os.memfd_create("in memory")
        with open(CLIENT, "rb") as file:
            os.write(fd, file.read())
        self.client("tcp", 4, program=f"/proc/self/fd/{fd}", pass_fds=[fd])
        self.assertEqual(driver.held()["path"], "/memfd:in memory")
        os.close(fd)

    def test_other_mount(self):
        driver = self.driver()
        mount = os.path.join(self.folder, "mount")
        os.mkdir(mount)
        subprocess.run(["mount", "-t", "tmpfs", "rw-datapath", mount], check=True)
        try:
            client = self.client("tcp", 4, program=self.copy("mount/program"))
            self.assertEqual(driver.held()["path"], mount + "/program")
            client.process.kill()
            client.process.wait()
        finally:
            subprocess.run(["umount", "-l", mount], check=True)

    def test_long_path(self):
        """Longer than PATH_MAX: only reachable by relative names."""
        driver = self.driver()
        here = os.open(self.folder, os.O_RDONLY)
        home = os.open(".", os.O_RDONLY)
        for depth, flag in ((19, "0"), (22, "1")):  # 200 bytes each
            os.fchdir(here)
            parts = ["d" * 199] * depth
            for part in parts:
                os.makedirs(part, exist_ok=True)
                os.chdir(part)
            shutil.copy(CLIENT, "program")
            self.client("tcp", 4, program="./program")
            os.fchdir(home)
            flow = driver.held()
            self.assertEqual(flow["truncated"], flag)
            end = "/".join(parts) + "/program"
            if flag == "0":
                self.assertEqual(flow["path"], f"{self.folder}/{end}")
            else:
                self.assertTrue(flow["path"].startswith(".../ddd"), flow["path"])
                self.assertTrue(flow["path"].endswith("d/program"))
                self.assertGreater(len(flow["path"]), 3800)
        os.close(here)
        os.close(home)


class Limits(DatapathTest):
    def test_table_full(self):
        driver = self.driver("held=4")
        clients = [self.client("tcp", 4) for _ in range(4)]
        flows = [driver.held() for _ in clients]
        self.assertEqual(self.client("tcp", 4).result("connect")[0], "ENOBUFS")
        self.assertEqual(self.client("udp", 4).result("sendto")[0], "EPERM")
        self.assertGreaterEqual(driver.stats()["fail_closed"], 2)
        self.assertEqual(self.lab.packets("tcp") + self.lab.packets("udp"), 0)
        driver.do("block " + flows[0]["id"])
        self.client("tcp", 6)
        driver.held()

    def test_ring_full(self):
        driver = self.driver("ring=4096")
        driver.process.send_signal(signal.SIGSTOP)
        client = self.client("many", 4, "x", 40)
        client.lines.next("started")
        datagram = self.client("udp", 4, "x", 1, environment=["PAUSE"])
        self.assertEqual(datagram.result("sendto")[0], "EPERM")
        driver.process.send_signal(signal.SIGCONT)
        for _ in range(40):  # the first at once, the others with their next SYN
            flow = driver.held(15)
            driver.do("permit " + flow["id"])
        self.assertEqual(client.lines.next("many", 30).split()[1], "40")
        self.assertGreaterEqual(driver.stats()["fail_closed"], 1)

    def test_release_with_full_ring(self):
        driver = self.driver("ring=4096")
        driver.process.send_signal(signal.SIGSTOP)
        client = self.client("many", 4, "x", 40)
        client.lines.next("started")
        client.process.kill()
        client.process.wait()
        driver.process.send_signal(signal.SIGCONT)
        wait_for(lambda: driver.stats()["held"] == 0, what="no flow held")
        self.assertEqual(driver.do("policy empty"), 0)
        wait_for(lambda: not any("link" in name for name in object_ids(driver.process.pid)), what="no link")


if __name__ == "__main__":
    main()
