#!/usr/bin/env python3
"""What every source has in common: spaces, at most 120 columns, one newline at the end, `#pragma once` in a header."""
import re

from house import main

COLUMNS_MAX = 120
# Names of the WFP API are as long as they are, and DEFINE_GUID headers are meant to be read twice.
API = "include/wfp/"
SKIPPED = re.compile(r"tests/.*/(corpus|golden|data)/.*|LICENSE|.*\.(json|svg|tsv)|(.*/)?Makefile")


def line_faults(path, line):
    if re.search(r"[ \t]+$", line) and not path.endswith(".md"):
        yield "space at the end"
    if "\t" in line:
        yield "tab"
    if "\r" in line:
        yield "carriage return"
    is_code = path.endswith((".c", ".h", ".py", ".sh", ".build")) and not path.startswith(API)
    if len(line) > COLUMNS_MAX and is_code and "http" not in line:
        yield f"{len(line)} columns"


def check(tree):
    violations = []
    for path, text in tree.matching(r".*"):
        if SKIPPED.fullmatch(path) or not text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            violations += [f"{path}:{number}: {fault}" for fault in line_faults(path, line)]
        if not text.endswith("\n") or text.endswith("\n\n"):
            violations.append(f"{path}: does not end with one newline")
        is_header = re.fullmatch(r"(src|include/ringwall)/.*\.h", path)
        if is_header and not re.search(r"^#pragma once$|^#ifndef \w+_H", text, re.M):
            violations.append(f"{path}: no #pragma once")
    return violations


SAMPLES = [
    ({"src/base/a.c": "int a; \n\tint b;\nint c;\r\n"}, 3),
    ({"src/base/a.c": "int a;", "src/base/b.c": "int a;\n\n"}, 2),
    ({"src/base/a.c": "// " + "x" * 118 + "\n"}, 1),
    ({"src/base/a.h": "int a;\n", "src/base/b.h": "#pragma once\n"}, 1),
    ({"Makefile": "a:\n\tb\n", "src/base/a.c": "    int a;\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
