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
SKIP = 77  # the exit code of a test that cannot run here

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


class Function:
    """A function definition of ours: the brace that opens its body stands alone in the first column."""

    def __init__(self, name, signature, line, line_count):
        self.name = name
        self.signature = signature  # without comments, on one line
        self.line = line
        self.line_count = line_count
        self.is_static = bool(re.search(r"\bstatic\b", signature))


BODY = re.compile(r"^\{[ \t]*$.*?^\}", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"(\w+)\s*\(")
NOT_A_NAME = {"SEC", "__attribute__", "_Static_assert", "static_assert"}


@cache
def functions_of(text):
    """The function definitions of a C text."""
    code = code_of(text)
    functions = []
    for body in BODY.finditer(code):
        # The signature starts after the last line above that ends something else.
        lines = code[:body.start()].split("\n")[:-1]
        first = len(lines)
        while first > 0 and not re.search(r"^\s*$|^#|[;}]\s*$|^\{", lines[first - 1]):
            first -= 1
        signature = " ".join(line.strip() for line in lines[first:])
        names = [name for name in NAME.findall(signature) if name not in NOT_A_NAME]
        if names:
            last_line = line_of(code, body.end())
            functions.append(Function(names[0], signature, first + 1, last_line - first))
    return functions


def read_allowances(tree, name):
    """The lines of an allowance file as {key: rest of the line}; an absent file allows nothing."""
    allowed = {}
    for line in tree.files.get(f"tests/law/allowances/{name}.txt", "").splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, rest = line.partition(" ")
            allowed[key] = rest.strip()
    return allowed


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
