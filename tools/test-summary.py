#!/usr/bin/env python3
"""Sums up meson test logs: the end of the output of each failed test, why tests were skipped, and one line of totals.

A program that reports cases (cmocka does; ours print `N passed, N failed, N skipped`) counts by its cases, any other
as one. Exit 77 is a skipped program.

    test-summary.py [--host BEFORE AFTER] testlog.json ...
"""
import difflib
import json
import re
import sys
from pathlib import Path

TAIL_LINES = 40
CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) ?\s*\] (\d+) test\(s\)", re.MULTILINE)
OURS = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.MULTILINE)


def read_log(path):
    """The records of one testlog.json; a missing log means that meson found no test to run."""
    if not Path(path).exists():
        return []
    return [json.loads(line) for line in Path(path).read_text(errors="replace").splitlines() if line.strip()]


def output_of(record):
    return (record.get("stdout") or "") + (record.get("stderr") or "")


def count_cases(record):
    """(passed, failed, skipped) of one program."""
    result, output = record["result"], output_of(record)
    if result == "SKIP":
        return 0, 0, 1
    passed = failed = skipped = 0
    if totals := OURS.findall(output):
        passed, failed, skipped = map(int, totals[-1])
    else:
        for kind, number in CMOCKA.findall(output):
            passed += int(number) if kind == "PASSED" else 0
            failed += int(number) if kind == "FAILED" else 0
            skipped += int(number) if kind == "SKIPPED" else 0
    if result in ("OK", "EXPECTEDFAIL"):
        return (passed, 0, skipped) if passed or skipped else (1, 0, 0)
    return passed, max(failed, 1), skipped


def compare_host(before, after):
    """A record for what the run left behind on the host (tools/verify-clean.sh before and after).

    eBPF objects and cgroups that are gone are not ours to judge: programs that others had running may have ended.
    """
    lines = [Path(path).read_text(errors="replace").splitlines() for path in (before, after)]
    changes = [line for line in difflib.unified_diff(*lines, lineterm="", n=0)
               if not line.startswith(("---", "+++", "@@", "-bpf-", "-cgroup "))]
    return {"name": "host left as it was", "result": "FAIL" if changes else "OK", "returncode": 1,
            "stdout": "\n".join(changes), "command": ["diff", before, after]}


def main(paths):
    records = []
    if paths[:1] == ["--host"]:
        records.append(compare_host(*paths[1:3]))
        paths = paths[3:]
    records += [record for path in paths for record in read_log(path)]
    totals = [0, 0, 0]
    reasons = []
    for record in records:
        cases = count_cases(record)
        totals = [a + b for a, b in zip(totals, cases)]
        lines = output_of(record).strip().splitlines()
        if cases[1]:
            code = f", exit {record['returncode']}" if record["result"] != "TIMEOUT" else ""
            print(f"\n=== {record['name']}: {record['result']}{code}, end of its output:")
            print("\n".join(lines[-TAIL_LINES:]) or "(no output)")
            print("=== repeat: " + " ".join(record["command"]))
        elif record["result"] == "SKIP":
            reasons.append(f"skipped: {record['name']}: {lines[-1] if lines else 'gave no reason'}")
    print("\n" + "\n".join(reasons) if reasons else "")
    if not records:
        print("no test ran")
        totals[1] = 1
    print("{} passed, {} failed, {} skipped".format(*totals))
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
