#!/usr/bin/env python3
"""No reminders, no commented-out code, no `#if 0`, no path of somebody's machine in a committed file."""
import re

from house import line_of, main

REMINDER = re.compile(r"\b(TODO|FIXME|XXX|HACK|TBD|WIP)\b")
MACHINE = re.compile(r"(?<![\w.])/(?:work|tmp/team|root|home/\w+)/\w|\bwt/\w")
DEAD = re.compile(r"^[ \t]*#[ \t]*if[ \t]+0\b", re.MULTILINE)
# A comment line that is a C statement: a call, an assignment or a keyword, up to a semicolon or brace at its end. An
# example of use in a contract stands further in.
CODE = re.compile(r"^[ \t]*// ?(?:[\w.>*&\[\]-]+\([^()]*(?:\([^()]*\)[^()]*)*\);"
                  r"|[\w.>*\[\]-]+(?: [*\w]+)? [|&+-]?= [^=].*;"
                  r"|(?:if|for|while|switch) \(.*\)(?: \{)?|return [^ ]+;|\}(?: else \{)?)[ \t]*$", re.MULTILINE)
SKIPPED = re.compile(r"tests/law/.*|tests/.*/(corpus|golden|data)/.*|LICENSE|.*\.(json|svg|tsv)")


def check(tree):
    violations = []
    for path, text in tree.matching(r".*"):
        if SKIPPED.fullmatch(path):
            continue
        found = [(match, f"reminder {match[0]}") for match in REMINDER.finditer(text)]
        found += [(match, f"path of one machine: {match[0]}") for match in MACHINE.finditer(text)]
        if path.endswith((".c", ".h")):
            found += [(match, "#if 0") for match in DEAD.finditer(text)]
            found += [(match, f"commented-out code: {match[0].strip()}") for match in CODE.finditer(text)]
        violations += [f"{path}:{line_of(text, match.start())}: {what}" for match, what in found]
    return violations


SAMPLES = [
    ({"src/a.c": "// TODO: this\n// FIXME\n"}, 2),
    ({"src/a.c": "#if 0\n#endif\n"}, 1),
    ({"src/a.c": "    // f(a, g(b));\n    // x->y = 3;\n    // if (a) {\n    // int a = 3;\n    // return x;\n"}, 5),
    ({"src/a.c": "// Copies a; frees b.\n// returns the copy;\n// see f(a)\n// f(a) and g(b);\n//     f(a);\n"}, 0),
    ({"docs/a.md": "cd /work/main\n", "tools/b.sh": "cd wt/house\n"}, 2),
    ({"docs/a.md": "the /workspace and hackers, /root, XXXX\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
