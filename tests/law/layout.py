#!/usr/bin/env python3
"""The layout of C sources is that of .clang-format.

Tables and macros are often laid out better by hand, so a file may differ in some lines; one that differs in more was
written in another style. `clang-format -i FILE` mends it.
"""
import difflib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from house import ROOT, SKIP, main

SHARE_MAX = 0.10
LINES_MIN = 40  # differences in fewer lines say nothing about a style


def differing_lines(text):
    formatted = subprocess.run(["clang-format", "--assume-filename=x.c"], input=text, cwd=ROOT, capture_output=True,
                               text=True, check=True).stdout
    matcher = difflib.SequenceMatcher(None, text.splitlines(), formatted.splitlines(), autojunk=False)
    return sum(end - begin for tag, begin, end, _, _ in matcher.get_opcodes() if tag != "equal")


def check(tree):
    sources = tree.matching(r"(src|drivers|examples|bench|windows|tests/(unit|system|kernels|fuzz))/.*\.c")
    with ThreadPoolExecutor() as pool:
        counts = pool.map(differing_lines, [text for _, text in sources])
    violations = []
    for (path, text), count in zip(sources, counts):
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
