"""What the law tests share: the sources as data, C text without comments and strings, and the self-test of a rule.

A rule is a file of this folder with `check(tree)`, which returns a list of violations (text lines), and `SAMPLES`, a
list of (files, expected) pairs: `files` maps paths to contents, `expected` is how many violations they hold.
`main(check, SAMPLES)` first proves the rule on its samples, then applies it to the repository.
"""
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Level of each room: a room includes only rooms of a smaller level, and itself (docs/decisions/0001).
LEVELS = {
    "base": 0,
    "engine": 1,
    "compile": 2, "policy": 2, "wire": 2,
    "bpf": 3, "datapath": 3, "host": 3, "store": 3, "ntos": 3,
    "service": 4, "client": 4,
    "driverhost": 5, "cli": 5, "tui": 5, "web": 5,
}

# Rooms that are linked into the programs of others: they report errors to their caller and print nothing.
LIBRARY_ROOMS = [room for room, level in LEVELS.items() if level <= 3] + ["client"]

SKIPPED_FOLDERS = re.compile(r"(^|/)(\.[^/]+|build[^/]*|__pycache__|external)(/|$)")


class Tree:
    """Text files by path relative to the root of the repository."""

    def __init__(self, files):
        self.files = files

    def matching(self, pattern):
        """(path, text) of the files whose whole path matches the regular expression."""
        return [(path, text) for path, text in sorted(self.files.items()) if re.fullmatch(pattern, path)]


def read_repository():
    files = {}
    folders = [ROOT]
    while folders:
        for path in folders.pop().iterdir():
            name = path.relative_to(ROOT).as_posix()
            if path.is_symlink() or (SKIPPED_FOLDERS.search(name) and name != ".ci"):
                continue
            if path.is_dir():
                folders.append(path)
            elif path.stat().st_size < 4 << 20:
                data = path.read_bytes()
                if b"\0" not in data:
                    files[name] = data.decode(errors="replace")
    return Tree(files)


def room_of(path):
    """The room a path below src/ belongs to, or None."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


@cache
def code_of(text):
    """C text with comments and the contents of strings blanked out; line numbers stay."""

    def blank(match):
        token = match[0]
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)

    return TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def main(check, samples):
    for number, (files, expected) in enumerate(samples, 1):
        found = check(Tree(files))
        if len(found) != expected:
            print(f"self-test {number}: expected {expected} violations, found {len(found)}:")
            print("\n".join(found))
            sys.exit(2)
    violations = check(read_repository())
    print("\n".join(violations))
    print(f"{len(violations)} violations; the rule caught all of its {len(samples)} samples")
    sys.exit(1 if violations else 0)
