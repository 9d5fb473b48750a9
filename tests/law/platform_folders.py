#!/usr/bin/env python3
"""Platform code lives in folders named for the platform; nothing else asks the preprocessor which platform it is."""
import re

from house import code_of, line_of, main

QUESTION = re.compile(r"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b[^\n]*\b"
                      r"(__linux__|__unix__|__APPLE__|_WIN32|_WIN64|WIN32|__MINGW\d+__|_MSC_VER|__CYGWIN__)\b",
                      re.MULTILINE)
EXEMPT = re.compile(r"(include/wfp/.*|(.*/)?(linux|windows)/.*)")


def check(tree):
    violations = []
    for path, text in tree.matching(r".*\.[ch]"):
        if EXEMPT.fullmatch(path):
            continue
        code = code_of(text)
        for question in QUESTION.finditer(code):
            line = line_of(code, question.start(1))
            violations.append(f"{path}:{line}: asks for {question[1]} outside a folder named for a platform")
    return violations


SAMPLES = [
    ({"src/base/a.c": "#ifdef __linux__\n#endif\n"}, 1),
    ({"src/base/a.h": "#if defined(_WIN32) || defined(__linux__)\n"}, 1),
    ({"src/base/linux/a.c": "#ifdef __linux__\n", "include/wfp/a.h": "#ifdef _WIN32\n"}, 0),
    ({"src/base/a.c": "#ifdef __bpf__\n// #ifdef _WIN32\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
