#!/usr/bin/env python3
"""In BPF programs a loop of more than 16 steps goes through bpf_loop() or the number iterator.

The verifier follows every step of a plain loop; with a branch in the body it gives up early ("sequence of 8193 jumps").
"""
import re

from house import code_of, line_of, main

STEPS_MAX = 16
LOOP = re.compile(r"(?<!\w)(for|while)\s*\(")
BOUND = re.compile(r"^[^;]*;\s*\w+\s*(<=?)\s*\(?(\w+)\)?(?:\s*/\s*(\d+))?[^;]*;")
CONSTANT = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\(?(\d+)[uUlL]*\)?[ \t]*$"
                      r"|\b(\w+)\s*=\s*(\d+)[uUlL]*\s*[,}]", re.MULTILINE)


def steps_of(code, loop, constants):
    """The bound of a loop, or None when it cannot be told from the text."""
    if loop[1] == "while":
        return None
    bound = BOUND.match(code[loop.end():loop.end() + 300])
    if not bound:
        return None
    value = bound[2].rstrip("uUlL")
    number = int(value, 0) if value[0].isdigit() else constants.get(value)
    return None if number is None else number // int(bound[3] or 1) + (bound[1] == "<=")


def check(tree):
    sources = tree.matching(r"src/(.*/)?[^/]*\.bpf\.[ch]|src/bpf/.*\.[ch]")
    constants = {}
    for _, text in sources + tree.matching(r"src/(wire|compile|engine)/.*\.h"):
        for a, b, c, d in CONSTANT.findall(code_of(text)):
            constants[a or c] = int(b or d)
    violations = []
    for path, text in sources:
        code = code_of(text)
        for loop in LOOP.finditer(code):
            steps = steps_of(code, loop, constants)
            before = code[:loop.start()].rstrip()
            if loop[1] == "while" and before.endswith("}") and re.match(r"while\s*\(\s*0\s*\)", code[loop.start():]):
                continue
            if steps is None or steps > STEPS_MAX:
                what = "cannot be told" if steps is None else str(steps)
                violations.append(f"{path}:{line_of(code, loop.start())}: steps of this loop: {what}; use bpf_loop()")
    return violations


SAMPLES = [
    ({"src/bpf/a.bpf.c": "#define N 64\n    for (int i = 0; i < N; i++)\n"}, 1),
    ({"src/bpf/a.bpf.c": "#define N 16\n    for (int i = 0; i < N; i++)\n    for (i = 0; i < 4u && x; i++)\n"}, 0),
    ({"src/bpf/a.bpf.c": "    for (i = 0; i < count; i++)\n    while (x)\n"}, 2),
    ({"src/bpf/a.bpf.c": "#define N 64\n    for (i = 0; i < N / 4; i++)\n    for (i = 0; i < N / 2; i++)\n"}, 1),
    ({"src/wire/a.bpf.h": "    for (i = 0; i <= 16; i++)\n"}, 1),
    ({"src/bpf/a.bpf.c": "    do { } while (0);\n    bpf_for(i, 0, 99)\n    bpf_loop(99, f, 0, 0);\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
