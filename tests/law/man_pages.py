#!/usr/bin/env python3
"""Every installed command has a manual page docs/man/<command>.<section>."""
import re

from house import main

EXECUTABLE = re.compile(r"executable\(\s*'([^']+)'((?:[^()]|\([^()]*\))*)\)")


def check(tree):
    pages = {path.split("/")[-1].rsplit(".", 1)[0] for path, _ in tree.matching(r"docs/man/[^/]+\.[1-9](\.in)?")}
    violations = []
    for path, text in tree.matching(r"(src|tools|drivers)/(.*/)?meson\.build"):
        for name, arguments in EXECUTABLE.findall(text):
            if re.search(r"install\s*:\s*true", arguments) and name not in pages:
                violations.append(f"{path}: {name} is installed and has no page docs/man/{name}.1 or .8")
    return violations


SAMPLES = [
    ({"src/cli/meson.build": "x = executable('ringwall',\n  files('a.c'), install: true)\n"}, 1),
    ({"src/cli/meson.build": "executable('ringwall', install: true)\n", "docs/man/ringwall.1": ".TH\n"}, 0),
    ({"src/cli/meson.build": "executable('helper', 'a.c')\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
