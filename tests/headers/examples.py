#!/usr/bin/env python3
"""The examples compile with one command line, as their comments say: against the build tree and what is installed."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE, BUILD = sys.argv[1], sys.argv[2]
EXAMPLES = os.path.join(SOURCE, "examples")


def run(command, **variables):
    environment = dict(os.environ, **variables)
    for name in ("DESTDIR", "MAKEFLAGS"):
        environment.pop(name, None)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise AssertionError(f"{command}\n{done.stdout}{done.stderr}")
    return done.stdout


def command_of(path):
    """The compiler's command line in the example's first comment."""
    with open(path) as file:
        return re.search(r"^ \*   (cc .*)$", file.read(), re.M)[1]


class Examples(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ringwall-examples-")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def compile(self, name, **variables):
        command = command_of(os.path.join(EXAMPLES, name))
        shutil.copy(os.path.join(EXAMPLES, name), self.folder)
        output = os.path.join(self.folder, command.split()[2])
        if os.path.exists(output):
            os.unlink(output)
        text = run(["sh", "-c", f"cd {self.folder} && {command} -Wall -Wextra -Werror"], **variables)
        self.assertEqual(text, "")
        self.assertTrue(os.path.exists(output))
        return output

    def test_build_tree(self):
        for name in os.listdir(EXAMPLES):
            if name.endswith(".c"):
                with self.subTest(example=name):
                    self.compile(name, PKG_CONFIG_PATH=os.path.join(BUILD, "meson-uninstalled"))

    def test_installed(self):
        root = os.path.join(self.folder, "root")
        run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root])
        files = {os.path.join(place, name)[len(root):] for place, _, names in os.walk(root) for name in names}
        configs = [path for path in files if path.endswith("/libwfp.pc")]
        self.assertEqual(len(configs), 1)
        for name in os.listdir(EXAMPLES):
            if name.endswith(".c"):
                with self.subTest(example=name):
                    self.compile(name, PKG_CONFIG_SYSROOT_DIR=root, PKG_CONFIG_PATH=root + os.path.dirname(configs[0]))
        # What a package has to contain.
        for end in ("/bin/ringwall", "/libexec/ringwall/ringwalld", "/libwfp.so.0", "/wfp/fwpmu.h",
                    "/ringwall/control.h", "/man1/ringwall.1", "/system/ringwalld.service", "/sysusers.d/ringwall.conf",
                    "/completions/ringwall", "/site-functions/_ringwall"):
            self.assertTrue(any(path.endswith(end) for path in files), f"{end} is not installed")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
