#!/usr/bin/env python3
"""Prints the line coverage of each room from gcov's data; exit 1 when a room of levels 0 to 2 is below the floor.

    tools/coverage.py BUILD FLOOR
"""
import gzip
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS_WITH_FLOOR = ("base", "engine", "compile", "policy", "wire")
HIGHER_FLOORS = {"engine": 90}  # the specification in code: every other evaluator is measured against it


def executed_lines(build):
    """{source: {line: was it executed}} over all programs of the build; a file in several programs is joined."""
    lines = defaultdict(dict)
    with tempfile.TemporaryDirectory() as folder:
        for notes in (build / "src").rglob("*.gcno"):
            subprocess.run(["gcov", "--json-format", notes], cwd=folder, capture_output=True, check=False)
            for report in Path(folder).glob("*.gcov.json.gz"):
                data = json.loads(gzip.decompress(report.read_bytes()))
                for file in data["files"]:
                    source = (build / file["file"]).resolve()
                    if source.is_relative_to(ROOT / "src"):
                        for line in file["lines"]:
                            known = lines[source.relative_to(ROOT).as_posix()]
                            known[line["line_number"]] = known.get(line["line_number"], False) or line["count"] > 0
                report.unlink()
    return lines


def main(build, floor):
    files = executed_lines((ROOT / build).resolve())
    rooms = defaultdict(lambda: [0, 0])
    worst = []
    for name, lines in files.items():
        covered = sum(lines.values())
        room = rooms[name.split("/")[1]]
        room[0] += covered
        room[1] += len(lines)
        worst.append((covered / max(len(lines), 1), name, len(lines) - covered))
    for share, name, missed in sorted(worst)[:10]:
        print(f"{100 * share:6.1f} %  {name}: {missed} lines never ran")
    below = []
    print()
    for room, (covered, total) in sorted(rooms.items()):
        percent = 100 * covered / max(total, 1)
        print(f"{percent:6.1f} %  {room} ({covered} of {total} lines)")
        room_floor = max(floor, HIGHER_FLOORS.get(room, 0))
        if room in ROOMS_WITH_FLOOR and percent < room_floor:
            below.append(f"{room} below {room_floor:.0f} %")
    print("\n".join(below))
    return 1 if below or not rooms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
