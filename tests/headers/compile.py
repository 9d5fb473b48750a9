#!/usr/bin/env python3
"""Compile programs against the public WFP headers; exit code 77 when a compiler is missing."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIP = 77
HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent / "include" / "wfp"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wundef", "-Wstrict-prototypes",
          "-Wno-missing-field-initializers", "-Werror"]
LANGUAGES = {"c11": ["-xc", "-std=c11"], "c++17": ["-xc++", "-std=c++17"]}
DDK = "/usr/share/mingw-w64/include/ddk"
# Building blocks of the other headers, not for programs.
PRIVATE = re.compile(r"wfp\w*\.h")
# On Windows the compiler's own headers stand behind the rest; those two kinds must work there.
WINDOWS = re.compile(r"(fwp|ike|ipsec)\w*\.h")


def headers():
    """Lower-case public headers, with the folder-qualified ones left to their includers."""
    return sorted(p.name for p in SOURCE.glob("*.h") if not PRIVATE.fullmatch(p.name))


class Compiler:
    def __init__(self, name, standard, includes, extra=()):
        if not shutil.which(name):
            print(f"no {name}")
            sys.exit(SKIP)
        self.mingw = "mingw" in name
        flags = list(LANGUAGES[standard]) + [f for f in STRICT if standard == "c11" or f != "-Wstrict-prototypes"]
        if self.mingw:
            # mingw-w64's own headers are not free of these
            flags = [f for f in flags if f not in ("-Wpedantic", "-Wundef", "-Wstrict-prototypes")]
        else:
            flags.append("-fshort-wchar")
        self.command = [name] + flags + [f"-I{path}" for path in includes] + list(extra)

    def run(self, text, arguments=("-fsyntax-only",)):
        """The compiler's complaint about `text`, or None."""
        done = subprocess.run(self.command + list(arguments) + ["-"], input=text, capture_output=True, text=True)
        return None if done.returncode == 0 else done.stderr


def report(failures):
    for name, complaint in failures:
        print(f"--- {name}\n{complaint[:2000]}")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


def alone(options):
    """Every header compiles with nothing before it, and twice in a row."""
    compiler = Compiler(options.compiler, options.standard, options.include)
    names = [n for n in headers() if not compiler.mingw or WINDOWS.fullmatch(n)]

    def check(name):
        return name, compiler.run(f'#include "{name}"\n#include <{name}>\nextern int one_declaration;\n')

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return report([(n, c) for n, c in pool.map(check, names) if c])


def driver(options):
    """The headers of drivers compile after the kernel headers of mingw-w64."""
    failures = []
    if not os.path.isdir(DDK):
        return SKIP
    compiler = Compiler(options.compiler, "c11", options.include, ["-isystem", DDK])
    for first in ("ntddk.h", "ntifs.h", "wdm.h"):
        for name in ("fwpmtypes.h", "fwpsk.h", "fwpmk.h"):
            complaint = compiler.run(f'#include "{DDK}/{first}"\n#include "{name}"\nextern int one_declaration;\n')
            if complaint:
                failures.append((f"{first} {name}", complaint))
    return report(failures)


def program(options):
    """The given source compiles with each of the definitions ("-" for none), or with --refused with none of them."""
    failures = []
    text = f'#include "{HERE / options.source}"\n'
    compiler = Compiler(options.compiler, options.standard, options.include, [f"-I{HERE}"])
    for definition in options.definitions or ["-"]:
        flags = [] if definition == "-" else ["-D" + definition]
        complaint = compiler.run(text, flags + ["-fsyntax-only"])
        if bool(complaint) != options.refused:
            failures.append((definition, complaint or "compiles, and should not"))
    return report(failures)


def run(options):
    """The given source compiles, and its program reports no failure, with each of the definitions."""
    failures = []
    compiler = Compiler(options.compiler, options.standard, options.include, ["-D_GNU_SOURCE"])
    with tempfile.TemporaryDirectory() as folder:
        for definition in options.definitions or ["-"]:
            flags = [] if definition == "-" else ["-D" + definition]
            complaint = compiler.run(f'#include "{HERE / options.source}"\n', flags + ["-o", folder + "/program"])
            if not complaint:
                done = subprocess.run([folder + "/program"], capture_output=True, text=True)
                complaint = done.stdout + done.stderr if done.returncode else None
            if complaint:
                failures.append((definition, complaint))
    return report(failures)


def symbols(options):
    """A program of fwpmk.h refers to Fwpmk*, one of fwpmu.h to Fwpm*; weak GUIDs are defined only after initguid.h."""
    failures = []
    compiler = Compiler(options.compiler, "c11", options.include)
    cases = [
        ("fwpmu.h", "FwpmFilterAdd", "U FwpmFilterAdd0"),
        ("fwpmk.h", "FwpmFilterAdd", "U FwpmkFilterAdd0"),
        ("fwpmk.h", "FwpmFreeMemory", "U FwpmFreeMemory0"),
        ("fwpsk.h", "FwpsPendOperation", "U FwpsPendOperation0"),
        ("fwpsk.h", "FwpsOpenToken", "U FwpskOpenToken0"),
        ("fwpmu.h", "&FWPM_LAYER_STREAM_V4", "U FWPM_LAYER_STREAM_V4"),
        ("initguid.h fwpmu.h", "0", "V FWPM_LAYER_STREAM_V4"),
        ("fwpmu.h initguid.h fwpmu.h fwpmu.h", "0", "V FWPM_LAYER_STREAM_V4"),
    ]
    for included, used, expected in cases:
        text = "".join(f"#include <{name}>\n" for name in included.split())
        text += f"const void *f(void);\nconst void *f(void) {{ return (const void *){used}; }}\n"
        with tempfile.NamedTemporaryFile(suffix=".o") as output:
            complaint = compiler.run(text, ["-Wno-pedantic", "-c", "-o", output.name])
            found = "" if complaint else subprocess.run(["nm", output.name], capture_output=True, text=True).stdout
        if complaint or not re.search(rf"\b{expected}$", found, re.M):
            failures.append((expected, complaint or found))
    return report(failures)


def read_constants():
    rows = [line.split("\t") for line in (HERE / "constants.tsv").read_text().splitlines() if not line.startswith("#")]
    return [row for row in rows if len(row) == 3]


def constants(options):
    """The GUIDs and error codes of the headers are those of constants.tsv: none missing, none more, all equal."""
    rows = read_constants()
    failures = []
    listed = set(re.findall(r"DEFINE_GUID\((\w+)", (SOURCE / "fwpmguids.h").read_text()))
    expected = {name for kind, name, _ in rows if kind == "guid"}
    if listed != expected:
        failures.append(("GUIDs", f"only in the header: {listed - expected}, only in the data: {expected - listed}"))
    if len(expected) != 318 or sum(name.startswith("FWPM_LAYER_") for name in expected) != 97:
        failures.append(("data", "not 318 GUIDs with 97 layers"))
    for prefix, header in (("FWP_E_", "wfperror.h"), ("STATUS_FWP_", "wfpstatus.h")):
        defined = set(re.findall(rf"^#define {prefix}(\w+)", (SOURCE / header).read_text(), re.M))
        wanted = {name for kind, name, _ in rows if kind == "error" or kind == "status" and prefix == "STATUS_FWP_"}
        wanted.add("TOO_MANY_BOOTTIME_FILTERS")
        if defined != wanted:
            failures.append((header, f"differ in {defined ^ wanted}"))

    lines = ["#include <initguid.h>", "#include <fwpmu.h>", "#include <ntstatus.h>", "#include <stdio.h>",
             "static int guid(const GUID *g, const char *name, const char *text) {", "    char s[40];",
             "    snprintf(s, sizeof(s), \"%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x\", g->Data1, g->Data2,",
             "             g->Data3, g->Data4[0], g->Data4[1], g->Data4[2], g->Data4[3], g->Data4[4], g->Data4[5],",
             "             g->Data4[6], g->Data4[7]);",
             "    return strcmp(s, text) == 0 ? 0 : (printf(\"%s is %s\\n\", name, s), 1);", "}",
             "int main(void) {", "    int bad = 0;"]
    for kind, name, value in rows:
        if kind == "guid":
            lines.append(f'    bad += guid(&{name}, "{name}", "{value}");')
        else:
            lines.append(f"    _Static_assert(STATUS_FWP_{name} == (NTSTATUS)(0xC0220000 | {value}), \"{name}\");")
        if kind == "error":
            lines.append(f"    _Static_assert(FWP_E_{name} == (0x80320000 | {value}), \"{name}\");")
    lines += ["    return bad != 0;", "}", ""]
    with tempfile.TemporaryDirectory() as folder:
        test = folder + "/constants"
        complaint = Compiler(options.compiler, "c11", options.include).run("\n".join(lines), ["-o", test])
        if complaint:
            failures.append(("compilation", complaint))
        else:
            done = subprocess.run([test], capture_output=True, text=True)
            if done.returncode:
                failures.append(("values", done.stdout))
    return report(failures)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--include", action="append", default=[])
    parser.add_argument("--compiler", default="gcc")
    parser.add_argument("--standard", default="c11", choices=LANGUAGES)
    commands = parser.add_subparsers(required=True)
    for function in (alone, driver, symbols, constants):
        commands.add_parser(function.__name__).set_defaults(function=function)
    for function in (program, run):
        command = commands.add_parser(function.__name__)
        command.add_argument("source")
        command.add_argument("--refused", action="store_true")
        command.add_argument("definitions", nargs="*")
        command.set_defaults(function=function)
    options = parser.parse_args()
    sys.exit(options.function(options))


if __name__ == "__main__":
    main()
