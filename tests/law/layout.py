#!/usr/bin/env python3
"""The layout of C sources is that of .clang-format.

Tables and macros are often laid out better by hand, so a file may differ in some lines; one that differs in more was
written in another style. `clang-format -i FILE` mends it.
"""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from house import ROOT, SKIP, main

SHARE_MAX = 0.10
LINES_MIN = 40  # differences in fewer lines say nothing about a style


def differing_lines(path, other):
    changes = subprocess.run(["diff", path, other], capture_output=True, text=True, check=False).stdout
    return sum(line.startswith("<") for line in changes.splitlines())


def check(tree):
    sources = tree.matching(r"(src|drivers|examples|bench|windows|tests/(unit|system|kernels|fuzz))/.*\.c")
    violations = []
    with tempfile.TemporaryDirectory() as folder:  # one run for all: clang-format takes long to start
        for number, (_, text) in enumerate(sources):
            for name in (f"{number}.c", f"{number}.formatted.c"):
                Path(folder, name).write_text(text)
        shutil.copy(ROOT / ".clang-format", folder)
        subprocess.run(["clang-format", "-i", *Path(folder).glob("*.formatted.c")], check=True)
        for number, (path, text) in enumerate(sources):
            count = differing_lines(f"{folder}/{number}.c", f"{folder}/{number}.formatted.c")
            lines = text.count("\n")
            if count >= LINES_MIN and count > SHARE_MAX * lines:
                violations.append(f"{path}: clang-format would change {count} of {lines} lines")
    return violations


OURS = "int wall_a_get(int b)\n{\n    if (b)\n        return 1;\n    return 2;\n}\n\n" * 10
ALIEN = "int wall_a_get (int b) {\n  if( b ) return 1;\n  return 2;\n}\n\n" * 20
SAMPLES = [
    ({"src/base/a.c": OURS}, 0),
    ({"src/base/a.c": ALIEN}, 1),
]

if __name__ == "__main__":
    if not shutil.which("clang-format"):
        print("clang-format is not installed")
        sys.exit(SKIP)
    main(check, SAMPLES)
