#!/usr/bin/env python3
"""Builds the drivers for Windows into the folder given, and checks the files. Skipped without mingw-w64."""
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main():
    folder = Path(sys.argv[1])
    if not shutil.which("x86_64-w64-mingw32-gcc"):
        print("x86_64-w64-mingw32-gcc is not installed: tools/setup.sh windows")
        sys.exit(77)
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", folder, ROOT, "--cross-file", ROOT / "windows/mingw.ini", "-Dwerror=true"],
                       check=True)
    subprocess.run(["ninja", "-C", folder, "drivers"], check=True)
    sys.exit(subprocess.run([sys.executable, HERE / "binaries.py", folder], check=False).returncode)


if __name__ == "__main__":
    main()
