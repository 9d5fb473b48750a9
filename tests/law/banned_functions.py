#!/usr/bin/env python3
"""No call of a function that cannot be used safely; the message names what to use instead."""
import re

from house import code_of, line_of, main

BANNED = {
    "gets": "fgets", "strcpy": "memcpy with a known size", "stpcpy": "memcpy with a known size",
    "strcat": "snprintf", "strncpy": "memcpy with a known size", "strncat": "snprintf",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "wcscpy": "memcpy with a known size", "wcscat": "memcpy",
    "scanf": "strtoul", "sscanf": "strtoul", "fscanf": "strtoul", "atoi": "strtol", "atol": "strtol",
    "atoll": "strtoll", "atof": "strtod", "strtok": "strcspn and strspn", "alloca": "malloc or a limit",
    "rand": "getrandom", "srand": "getrandom", "tmpnam": "mkstemp", "tempnam": "mkstemp", "mktemp": "mkstemp",
    "asctime": "strftime", "ctime": "strftime", "gmtime": "gmtime_r", "localtime": "localtime_r",
    "readdir_r": "readdir", "vfork": "posix_spawn",
}
# A shell in between makes quoting a security question; tests may.
BANNED_IN_PRODUCT = {"system": "posix_spawn", "popen": "posix_spawn"}


def pattern(names):
    return re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(names))


EVERYWHERE, PRODUCT = pattern(BANNED), pattern(BANNED_IN_PRODUCT)


def check(tree):
    violations = []
    for path, text in tree.matching(r"(src|drivers|examples|bench|tests|windows)/.*\.[ch]"):
        code = code_of(text)
        calls = list(EVERYWHERE.finditer(code))
        if path.startswith(("src/", "drivers/")):
            calls += PRODUCT.finditer(code)
        for call in calls:
            instead = BANNED.get(call[1]) or BANNED_IN_PRODUCT[call[1]]
            violations.append(f"{path}:{line_of(code, call.start())}: {call[1]}(); use {instead}")
    return violations


SAMPLES = [
    ({"src/base/a.c": "    strcpy(a, b);\n    sprintf(a, b);\n    gets(a);\n"}, 3),
    ({"tests/unit/base/a.c": "    return atoi(a);\n"}, 1),
    ({"src/base/a.c": "    system(a);\n", "tests/system/a.c": "    system(a);\n"}, 1),
    ({"src/base/a.c": '    snprintf(a, 1, b);\n    // strcpy(a, b)\n    f("gets(a)");\n    x->rand(1);\n'}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
