#!/usr/bin/env python3
"""A function declared in a header has a contract: a comment above it or above its paragraph, or at the end of its line.

A comment that only repeats the words of the name says nothing and is refused.
"""
import re

from house import code_of, main

START = re.compile(r"^(?!static|typedef|struct [\w ]+\{|enum|union|extern|#|\s|//|/\*|\})[A-Za-z_][\w *]*?\b(\w+)\(")
SILENT_VERBS = ("_free", "_freep", "_unref", "_unrefp")  # the name says it all
EMPTY_WORDS = {"a", "an", "the", "this", "of", "function", "that", "it", "and", "to", "for", "with", "wall"}


def words_of(text):
    """Lower-case words without their endings, so that `Adds filters` repeats `filter_add`."""
    words = re.findall(r"[a-z]+", text.lower())
    return {re.sub(r"(ies|es|s|e|ed|y)$", "", word) for word in words} - EMPTY_WORDS


def only_repeats(comment, name):
    words = words_of(comment)
    return bool(words) and words <= words_of(name.replace("_", " "))


def paragraph_comment(lines, number):
    """The comment text of the lines above `number`, back to an empty line."""
    comment = []
    for line in reversed(lines[:number]):
        if not line.strip():
            break
        if match := re.search(r"//(.*)|/?\*+(.*)", line):
            comment.insert(0, match[1] or match[2] or "")
    return " ".join(comment)


def fault_of(lines, number, name):
    trailing = []
    for line in lines[number:]:
        trailing.append(line.partition("//")[2])
        if ";" in line:
            break
    comment = (" ".join(trailing).strip() or paragraph_comment(lines, number)).strip()
    if not comment and not name.endswith(SILENT_VERBS):
        return f"{name}() has no contract"
    if "---" not in comment and only_repeats(comment, name):
        return f"the comment of {name}() only repeats its name"
    return None


def check(tree):
    violations = []
    for path, text in tree.matching(r"(src|include/ringwall)/(?!bpf/).*\.h"):
        lines = text.split("\n")
        for number, line in enumerate(code_of(text).split("\n")):
            start = START.match(line)
            if not start or lines[number].rstrip().endswith("{"):
                continue
            if fault := fault_of(lines, number, start[1]):
                violations.append(f"{path}:{number + 1}: {fault}")
    return violations


SAMPLES = [
    ({"src/base/a.h": "int wall_a_add(int b);\n"}, 1),
    ({"src/base/a.h": "// Adds; 0 or -ENOMEM.\nint wall_a(int b,\n           int c);\nint wall_b(int b);\n"}, 0),
    ({"src/base/a.h": "// --- Filters ---\nint wall_filter_add(int b);\n"}, 0),
    ({"src/base/a.h": "int wall_a_add(int b);  // 0 or -ENOMEM\n\nvoid wall_a_free(struct wall_a *a);\n"}, 0),
    ({"src/base/a.h": "// Adds filters.\nint wall_filter_add(int b);\n"}, 1),
    ({"src/base/a.h": "struct wall_a *wall_a_find(int b);\n\nstatic inline int f(void)\n{\n}\n"}, 1),
]

if __name__ == "__main__":
    main(check, SAMPLES)
