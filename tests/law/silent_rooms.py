#!/usr/bin/env python3
"""Library rooms print nothing and log nothing: they tell their caller, and a program decides what to say."""
import re

from house import LIBRARY_ROOMS, code_of, line_of, main, read_allowances

CALL = re.compile(r"(?<![\w.>])(v?printf|v?fprintf|v?dprintf|putchar|puts|fputs|fputc|perror|psignal|v?syslog"
                  r"|warnx?|errx?|sd_journal_\w+|bpf_printk|bpf_trace_printk)\s*\(")


def check(tree):
    allowed = read_allowances(tree, "silent_rooms")
    violations = []
    for path, text in tree.matching(r"src/(%s)/.*\.[ch]" % "|".join(LIBRARY_ROOMS)):
        if path in allowed:
            continue
        code = code_of(text)
        for call in CALL.finditer(code):
            violations.append(f"{path}:{line_of(code, call.start())}: a library room calls {call[1]}()")
    return violations


SAMPLES = [
    ({"src/engine/a.c": '    printf("x");\n    fprintf(stderr, "x");\n    perror("x");\n'}, 3),
    ({"src/store/a.c": "    sd_journal_print(3, 0);\n"}, 1),
    ({"src/engine/a.c": "    snprintf(a, 1, b);\n    // printf(x)\n    a->puts(b);\n    my_printf(x);\n"}, 0),
    ({"src/cli/a.c": "    printf(x);\n"}, 0),
    ({"src/ntos/a.c": "    puts(x);\n", "tests/law/allowances/silent_rooms.txt": "src/ntos/a.c it is DbgPrint\n"}, 0),
]

if __name__ == "__main__":
    main(check, SAMPLES)
