#!/usr/bin/env python3
"""Every C file is part of the build: a meson.build of its folder or of a folder above names it. So is every script
that is a test, or another script imports it."""
import re

from house import main


def is_named(tree, path):
    parts = path.split("/")
    for depth in range(len(parts) - 1, 0, -1):
        build = tree.files.get("/".join(parts[:depth]) + "/meson.build", "")
        stems = {parts[-1], re.sub(r"(\.bpf)?\.(c|py)$", "", parts[-1]), re.sub(r"\.c$", "", parts[-1])}
        if any(re.search(r"['/]" + re.escape(stem) + "'", build) for stem in stems):
            return True
        family, _, member = parts[-1].partition("_")  # 'family_@0@.py'.format('member')
        if f"'{family}_@0@" in build and f"'{member.rpartition('.')[0]}'" in build:
            return True
    builds = [text for name, text in tree.files.items() if name.endswith("meson.build")]
    return any(f"/{parts[-2]}/{parts[-1]}'" in text for text in builds)


def is_imported(tree, path):
    folder, _, name = path.rpartition("/")
    importing = re.compile(r"^\s*(from|import) %s\b" % name.removesuffix(".py"), re.MULTILINE)
    return any(importing.search(text) for other, text in tree.files.items()
               if other.rpartition("/")[0] == folder and other.endswith(".py"))


def check(tree):
    sources = tree.matching(r"(src|drivers|examples|tests|bench)/.*\.c")
    unnamed = [path for path, _ in sources if not is_named(tree, path)]
    scripts = tree.matching(r"tests/(unit|system|headers|tools|law)/.*\.py")
    unnamed += [path for path, _ in scripts if not is_named(tree, path) and not is_imported(tree, path)]
    return [f"{path}: no meson.build names it" for path in unnamed]


SAMPLES = [
    ({"src/base/a.c": "", "src/base/meson.build": "x = ['a.c']\n"}, 0),
    ({"src/base/linux/a.c": "", "src/base/meson.build": "x = [folder / 'a.c', 'linux/b.c']\n"}, 0),
    ({"tests/unit/base/a.c": "", "tests/unit/base/meson.build": "foreach noun : ['a', 'b']\n"}, 0),
    ({"src/base/a.c": "", "src/base/meson.build": "x = ['ba.c']\n"}, 1),
    ({"tests/system/a.py": "import lab\n", "tests/system/lab.py": "", "tests/system/meson.build": "['a']\n"}, 0),
    ({"tests/system/a_b.py": "", "tests/system/meson.build": "foreach x : ['b'] files('a_@0@.py'.format(x))\n"}, 0),
    ({"tests/system/a.py": "import lab\n", "tests/system/lab.py": "", "tests/system/meson.build": ""}, 1),
]

if __name__ == "__main__":
    main(check, SAMPLES)
