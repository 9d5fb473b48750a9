#!/usr/bin/env python3
"""Every noun has a unit test of its name: src/<room>/<noun>.c has tests/unit/<room>/<noun>.c, or .py for a command.

What is tested in another way is listed in allowances/unit_tests.txt: `path how it is tested`.
"""
import re

from house import LEVELS, main, read_allowances

LIST = "tests/law/allowances/unit_tests.txt"


def names_of_test(path):
    """Paths where the test of a source may be; a platform's folder may be left out."""
    room, _, rest = path.removeprefix("src/").partition("/")
    noun = rest.split("/")[-1]
    return {f"tests/unit/{room}/{rest}", f"tests/unit/{room}/{noun}", f"tests/unit/{room}/{noun.removesuffix('.c')}.py"}


def check(tree):
    allowed = read_allowances(tree, "unit_tests")
    untested = []
    for path, _ in tree.matching(r"src/(%s)/.*\.c" % "|".join(LEVELS)):
        if re.search(r"\.bpf\.c$|/main\.c$", path):
            continue
        if not any(name in tree.files for name in names_of_test(path)):
            untested.append(path)
    violations = [f"{path}: no {sorted(names_of_test(path))[0]}" for path in untested if path not in allowed]
    violations += [f"{LIST}: {path} needs no allowance" for path in allowed if path not in untested]
    violations += [f"{LIST}: {path} gives no reason" for path, reason in allowed.items() if not reason]
    return violations


SAMPLES = [
    ({"src/base/a.c": "", "tests/unit/base/a.c": "", "src/base/linux/b.c": "", "tests/unit/base/b.c": ""}, 0),
    ({"src/base/a.c": "", "tests/unit/base/b.c": "", "src/cli/main.c": ""}, 1),
    ({"src/cli/start.c": "", "tests/unit/cli/start.py": ""}, 0),
    ({"src/base/a.c": "", LIST: "src/base/a.c by the system suite\n"}, 0),
    ({"src/base/a.c": "", LIST: "src/base/a.c\nsrc/base/b.c gone\n"}, 2),
]

if __name__ == "__main__":
    main(check, SAMPLES)
