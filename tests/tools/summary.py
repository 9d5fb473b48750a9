#!/usr/bin/env python3
"""tools/test-summary.py counts what ran, shows what failed, and its exit code says so."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SUMMARY = Path(__file__).resolve().parents[2] / "tools/test-summary.py"
CMOCKA = "[==========] Running 3 test(s).\n[  PASSED  ] 2 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n"
BROKEN = "[  PASSED  ] 4 test(s).\n[  FAILED  ] 2 test(s), listed below:\n"


def record(result, output="", code=0):
    return {"name": "a", "result": result, "stdout": output, "stderr": "", "returncode": code, "command": ["./a"]}


def summarize(records, *more):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        log.write("".join(json.dumps(each) + "\n" for each in records))
        log.flush()
        done = subprocess.run([sys.executable, SUMMARY, *more, log.name], capture_output=True, text=True, check=False)
    return done.stdout, done.returncode


CASES = [
    ([record("OK"), record("OK", "all is well\n")], "2 passed, 0 failed, 0 skipped", 0),
    ([record("OK", CMOCKA)], "2 passed, 0 failed, 1 skipped", 0),
    ([record("SKIP", "needs root\n", 77)], "0 passed, 0 failed, 1 skipped", 0),
    ([record("FAIL", BROKEN, 2)], "4 passed, 2 failed, 0 skipped", 1),
    ([record("FAIL", "[  PASSED  ] 4 test(s).\n", -11)], "4 passed, 1 failed, 0 skipped", 1),
    ([record("TIMEOUT", "hung\n", -9), record("OK")], "1 passed, 1 failed, 0 skipped", 1),
    ([record("OK", "x\n7 passed, 0 failed, 2 skipped\n")], "7 passed, 0 failed, 2 skipped", 0),
    ([], "0 passed, 1 failed, 0 skipped", 1),
]


def main():
    for records, line, code in CASES:
        output, result = summarize(records)
        assert output.splitlines()[-1] == line and result == code, (line, output, result)
    assert "needs root" in summarize([record("SKIP", "why\nneeds root\n", 77)])[0]
    assert "boom 59" in summarize([record("FAIL", "".join(f"boom {i}\n" for i in range(60)), 1)])[0]

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before"), Path(folder, "after")
        before.write_text("cgroup /a\n")
        after.write_text("cgroup /left-behind\n")
        output, result = summarize([record("OK")], "--host", before, after)
        assert result == 1 and "+cgroup /left-behind" in output and output.endswith("1 passed, 1 failed, 0 skipped\n")
        assert "-cgroup /a" not in output, output
        output, result = summarize([record("OK")], "--host", before, before)
        assert result == 0 and output.endswith("2 passed, 0 failed, 0 skipped\n"), output


main()
