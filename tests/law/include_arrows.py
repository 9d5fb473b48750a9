#!/usr/bin/env python3
"""A room includes only rooms of a smaller level, and its own; faces never include the datapath.

Layout headers, wire/*.bpf.h, describe memory that eBPF programs and user space share. Every room may include them, and
they include nothing but each other.
"""
import re

from house import LEVELS, line_of, main, room_of

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.MULTILINE)
FACES = ("driverhost", "cli", "tui", "web")


LAYOUT = re.compile(r"(src/)?wire/[^/]*\.bpf\.h")


def layout_fault(include):
    return None if LAYOUT.fullmatch(include) or "/" not in include else f"a layout header includes {include}"


def fault_of(room, target):
    if room not in LEVELS:
        return f"the room '{room}' has no level; give it one in tests/law/house.py and in ARCHITECTURE.md"
    if target == room or target not in LEVELS:
        return None
    if LEVELS[target] >= LEVELS[room]:
        return f"{room} (level {LEVELS[room]}) includes {target} (level {LEVELS[target]})"
    if room in FACES and target in ("datapath", "bpf"):
        return f"{room} is a face and includes {target}; faces talk to the service"
    return None


def check(tree):
    violations = []
    for path, text in tree.matching(r"src/.*\.[ch]"):
        room = room_of(path)
        for include in INCLUDE.finditer(text):
            target = include[1].split("/")[0] if "/" in include[1] else room
            if LAYOUT.fullmatch(path):
                fault = layout_fault(include[1])
            else:
                fault = None if LAYOUT.fullmatch(include[1]) else fault_of(room, target)
            if fault:
                violations.append(f"{path}:{line_of(text, include.start())}: {fault}")
    return violations


SAMPLES = [
    ({"src/engine/a.c": '#include "base/b.h"\n#include <stdio.h>\n#include "engine/c.h"\n#include "d.h"\n'}, 0),
    ({"src/engine/a.c": '#include "compile/b.h"\n'}, 1),
    ({"src/compile/a.h": '#include "policy/b.h"\n'}, 1),
    ({"src/cli/a.c": '#include "datapath/b.h"\n'}, 1),
    ({"src/compile/a.c": '#include "wire/b.bpf.h"\n', "src/wire/b.bpf.h": '#include "wire/c.bpf.h"\n'}, 0),
    ({"src/compile/a.c": '#include "wire/b.h"\n', "src/wire/b.bpf.h": '#include "base/c.h"\n'}, 2),
    ({"src/attic/a.c": '#include "base/b.h"\n'}, 1),
]

if __name__ == "__main__":
    main(check, SAMPLES)
