#!/usr/bin/env python3
"""Every header of a room includes what it needs: a file that includes nothing else compiles."""
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from house import ROOT, SKIP, main

FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-fshort-wchar", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
         "-Wno-unused-parameter", "-Wno-unused-function", "-Wno-missing-field-initializers", "-x", "c"]
FOLDERS = ("src", "include", "include/wfp")


def check(tree):
    headers = [path for path, _ in tree.matching(r"(src|include/ringwall)/.*\.h")
               if not re.search(r"/windows/|\.bpf\.h$|^src/bpf/", path)]
    with tempfile.TemporaryDirectory() as folder:
        if "meson.build" in tree.files:
            root = ROOT
        else:  # a sample
            root = Path(folder)
            for path, text in tree.files.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)

        def fault_of(path):
            include = f'#include "{path.split("/", 1)[1]}"\n'
            folders = [f"-I{root / each}" for each in FOLDERS]
            done = subprocess.run(["cc", *FLAGS, *folders, "-"], input=include, text=True, check=False,
                                  capture_output=True)
            return f"{path}: {done.stderr.strip()}" if done.returncode else None

        with ThreadPoolExecutor() as pool:
            return [fault for fault in pool.map(fault_of, headers) if fault]


SAMPLES = [
    ({"src/base/a.h": "#pragma once\n#include <stdint.h>\nuint32_t f(void);\n"}, 0),
    ({"src/base/a.h": "#pragma once\nuint32_t f(void);\n"}, 1),
    ({"src/base/a.bpf.h": "#pragma once\n__u32 f(void);\n"}, 0),
]

if __name__ == "__main__":
    if not shutil.which("cc"):
        print("no C compiler")
        sys.exit(SKIP)
    main(check, SAMPLES)
