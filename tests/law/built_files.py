#!/usr/bin/env python3
"""Every C file is part of the build: a meson.build of its folder or of a folder above names it."""
import re

from house import main


def is_named(tree, path):
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        build = tree.files.get("/".join(parts[:depth]) + "/meson.build", "")
        stems = {parts[-1], re.sub(r"\.c$", "", parts[-1]), re.sub(r"(\.bpf)?\.c$", "", parts[-1])}
        if any(re.search(r"['/]" + re.escape(stem) + "'", build) for stem in stems):
            return True
    return False


def check(tree):
    sources = tree.matching(r"(src|drivers|examples|tests|bench)/.*\.c")
    return [f"{path}: no meson.build names it" for path, _ in sources if not is_named(tree, path)]


SAMPLES = [
    ({"src/base/a.c": "", "src/base/meson.build": "x = ['a.c']\n"}, 0),
    ({"src/base/linux/a.c": "", "src/base/meson.build": "x = [folder / 'a.c', 'linux/b.c']\n"}, 0),
    ({"tests/unit/base/a.c": "", "tests/unit/base/meson.build": "foreach noun : ['a', 'b']\n"}, 0),
    ({"src/base/a.c": "", "src/base/meson.build": "x = ['ba.c']\n"}, 1),
]

if __name__ == "__main__":
    main(check, SAMPLES)
