#!/usr/bin/env python3
"""Functions others can call begin with wall_, file-local ones have no prefix; structures have no typedef.

The rooms that implement the WFP API define functions with the API's own names: those that include/wfp declares. Of
ntos, which callout drivers are linked with, the side that drivers do not see begins with ntos_.
"""
import re

from house import code_of, functions_of, line_of, main

FREE_NAMES = {"main", "LLVMFuzzerTestOneInput", "LLVMFuzzerInitialize"}
API_ROOMS = re.compile(r"src/(client|ntos|driverhost)/.*")
WORD = re.compile(r"[A-Za-z_]\w+")


def fault_of(path, function, api_names):
    name = function.name
    is_api_room, is_ntos = API_ROOMS.fullmatch(path), path.startswith("src/ntos/")
    if function.is_static:
        if name.startswith("_") or (name.startswith("wall_") and "inline" not in function.signature):
            return f"{name}() is file-local; it needs no prefix"
    elif not name.startswith(("wall_", "ntos_") if is_ntos else "wall_") and name not in FREE_NAMES \
            and not (is_api_room and name in api_names):
        return f"{name}() can be called from other files; call it wall_{name}() or make it static"
    return None


def check(tree):
    api_names = set()
    for _, text in tree.matching(r"include/wfp/.*\.h"):
        api_names.update(WORD.findall(code_of(text)))
    violations = []
    for path, text in tree.matching(r"src/(?!bpf/).*(?<!\.bpf)\.[ch]"):
        for function in functions_of(text):
            if fault := fault_of(path, function, api_names):
                violations.append(f"{path}:{function.line}: {fault}")
        code = code_of(text)
        for typedef in re.finditer(r"\btypedef\s+(struct|union|enum)\b", code):
            violations.append(f"{path}:{line_of(code, typedef.start())}: typedef of a {typedef[1]}")
    return violations


SAMPLES = [
    ({"src/ntos/a.c": "int ntos_a_add(void)\n{\n}\n", "src/client/a.c": "int ntos_a_add(void)\n{\n}\n"}, 1),
    ({"src/engine/a.c": "int wall_a_add(void)\n{\n}\n\nstatic int add(int a,\n               int b)\n{\n}\n"}, 0),
    ({"src/engine/a.c": "int add(void)\n{\n}\n"}, 1),
    ({"src/engine/a.c": "static int _add(void)\n{\n}\n\nstatic int wall_sub(void)\n{\n}\n"}, 2),
    ({"src/engine/a.h": "static inline int wall_add(void)\n{\n}\n"}, 0),
    ({"src/engine/a.h": "typedef struct x { int y; } x_t;\n"}, 1),
    ({"src/client/a.c": "DWORD FwpmX0(int a)\n{\n}\n", "include/wfp/a.h": "DWORD FwpmX0(int a);\n"}, 0),
    ({"src/client/a.c": "DWORD FwpmX0(int a)\n{\n}\n"}, 1),
    ({"src/engine/a.c": "DWORD FwpmX0(int a)\n{\n}\n", "include/wfp/a.h": "DWORD FwpmX0(int a);\n"}, 1),
]

if __name__ == "__main__":
    main(check, SAMPLES)
