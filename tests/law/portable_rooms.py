#!/usr/bin/env python3
"""Portable rooms are C11 without POSIX: only headers of the C standard, and each file compiles for Windows.

What belongs to one platform is in a folder named for it; those for Linux are left out.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from house import LEVELS, ROOT, SKIP, line_of, main

ROOMS = "|".join(room for room, level in LEVELS.items() if level <= 2)
STANDARD = set("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg "
               "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath time uchar wchar wctype".split())
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", re.MULTILINE)
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Werror"]
FLAGS = ["-std=c11", "-fshort-wchar", "-Isrc", "-Iinclude", "-isystem", "include/wfp", *WARNINGS]
COMPILERS = ["x86_64-w64-mingw32-gcc", "clang"]


def portable_files(tree, ending):
    return [(path, text) for path, text in tree.matching(r"src/(%s)/.*\.%s" % (ROOMS, ending))
            if not re.search(r"/(linux|windows)/|\.bpf\.", path)]


def check(tree):
    violations = []
    for path, text in portable_files(tree, "[ch]"):
        for include in INCLUDE.finditer(text):
            name = include[1]
            if name.removesuffix(".h") not in STANDARD and not (ROOT / "include/wfp" / name).exists():
                violations.append(f"{path}:{line_of(text, include.start())}: <{name}> is not a header of standard C")
    return violations


@cache
def precompile(compiler, folder):
    """Windows has 100,000 lines behind the WFP types: read once, not by each file. Returns the flags that use them."""
    if compiler == "clang":
        return []
    header = Path(folder, "precompiled.h")
    header.write_text("#include <fwpmtypes.h>\n#include <fwpstypes.h>\n")
    subprocess.run([compiler, *FLAGS, "-x", "c-header", "-o", f"{header}.gch", header], cwd=ROOT, check=True)
    return ["-include", str(header)]


def compile_file(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


def compile_all(tree):
    """`check` on texts, then every file by every compiler that is here."""
    violations = check(tree)
    if not any(path == "meson.build" for path in tree.files):
        return violations  # a sample
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor() as pool:
        commands = [[compiler, "-fsyntax-only", *FLAGS, *precompile(compiler, folder), path] for compiler in COMPILERS
                    if shutil.which(compiler) for path, _ in portable_files(tree, "c")]
        return violations + [fault for fault in pool.map(compile_file, commands) if fault]


SAMPLES = [
    ({"src/base/a.c": "#include <unistd.h>\n#include <string.h>\n#include <sys/socket.h>\n"}, 2),
    ({"src/base/linux/a.c": "#include <unistd.h>\n", "src/host/a.c": "#include <unistd.h>\n"}, 0),
]

if __name__ == "__main__":
    if missing := [compiler for compiler in COMPILERS if not shutil.which(compiler)]:
        print(f"not installed: {', '.join(missing)}")
        if len(missing) == len(COMPILERS):
            sys.exit(SKIP)
    main(compile_all, SAMPLES)
