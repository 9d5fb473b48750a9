#!/usr/bin/env python3
"""Files of at most 600 lines, functions of at most 60. allowances/sizes.txt lists what is larger; it may not grow.

    tests/law/sizes.py --update    shrink the list to what is needed; nothing is ever added by it
"""
import sys

from house import ROOT, functions_of, main, read_allowances, read_repository

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
SLACK = 10  # an allowance this much too large has to be shrunk
LIST = "tests/law/allowances/sizes.txt"


def large_things(tree):
    """{path or path:function: lines} of what is over its limit."""
    large = {}
    for path, text in tree.matching(r"(src|drivers|tests|bench|windows|tools)/.*\.([ch]|py|sh)"):
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            large[path] = lines
        if path.endswith((".c", ".h")):
            for function in functions_of(text):
                if function.line_count > FUNCTION_LINES_MAX:
                    large[f"{path}:{function.name}"] = function.line_count
    return large


def check(tree):
    allowed = {name: int(lines) for name, lines in read_allowances(tree, "sizes").items()}
    large = large_things(tree)
    violations = [f"{name}: {lines} lines, allowed are "
                  f"{allowed.get(name, FUNCTION_LINES_MAX if ':' in name else FILE_LINES_MAX)}"
                  for name, lines in sorted(large.items()) if lines > allowed.get(name, 0)]
    violations += [f"{LIST}: {name} has {large.get(name, 'no need of its')} lines, shrink its allowance of {lines}"
                   for name, lines in allowed.items() if large.get(name, 0) < lines - SLACK]
    return violations


def update():
    tree = read_repository()
    large = large_things(tree)
    kept = []
    for line in tree.files[LIST].splitlines():
        name, _, lines = line.partition(" ")
        if line.startswith("#") or not line:
            kept.append(line)
        elif name in large:
            kept.append(f"{name} {min(int(lines), large[name])}")
    (ROOT / LIST).write_text("\n".join(kept) + "\n")


def function(lines):
    return "int wall_a_get(void)\n{\n" + "    x();\n" * (lines - 3) + "}\n"


SAMPLES = [
    ({"src/base/a.c": "\n" * 600, "src/base/b.c": function(60)}, 0),
    ({"src/base/a.c": "\n" * 601, "src/base/b.c": function(61)}, 2),
    ({"src/base/a.c": function(70), LIST: "src/base/a.c:wall_a_get 70\n"}, 0),
    ({"src/base/a.c": function(71), LIST: "src/base/a.c:wall_a_get 70\n"}, 1),
    ({"src/base/a.c": function(61), LIST: "src/base/a.c:wall_a_get 72\n"}, 1),
    ({"src/base/a.c": function(9), LIST: "# reason\nsrc/base/a.c:wall_a_get 72\n"}, 1),
]

if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        main(check, SAMPLES)
