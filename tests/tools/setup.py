#!/usr/bin/env python3
"""tools/setup.sh installs only what is missing, asks the network only when needed, and says what stops it."""
import os
import subprocess
import tempfile
from pathlib import Path

SETUP = Path(__file__).resolve().parents[2] / "tools/setup.sh"
LOG = '{ printf "%s " "${0##*/}" "$@"; echo; } >>"$FAKE_LOG"\n'
INSTALLED = "".join(f"echo 'installed {name}'\n" for name in
                    subprocess.run([SETUP, "--list", "build"], capture_output=True, text=True,
                                   check=True).stdout.split())
BASE_TOOLS = ("awk", "sort", "id", "sh", "env")


def setup(*arguments, **programs):
    """Runs setup.sh with nothing in PATH but the given scripts; returns (exit code, all output, calls)."""
    with tempfile.TemporaryDirectory() as folder:
        for tool in BASE_TOOLS:
            real = next(path for path in (f"/usr/bin/{tool}", f"/bin/{tool}") if os.path.exists(path))
            os.symlink(real, f"{folder}/{tool}")
        for name, text in programs.items():
            path = Path(folder, name.replace("_", "-"))
            path.unlink(missing_ok=True)
            path.write_text(f"#!/bin/sh\n{LOG}{text}")
            path.chmod(0o755)
        log = Path(folder, "log")
        log.touch()
        done = subprocess.run([SETUP, *arguments], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, env={"PATH": folder, "FAKE_LOG": str(log)})
        return done.returncode, done.stdout + done.stderr, log.read_text().splitlines()


def main():
    code, output, calls = setup(dpkg_query=INSTALLED, apt_get="", apt_cache="")
    assert (code, output) == (0, "") and len(calls) == 1, (code, output, calls)

    without_meson = INSTALLED.replace("echo 'installed meson'\n", "")
    code, output, calls = setup(dpkg_query=without_meson, apt_get="", apt_cache="", id="echo 0\n")
    assert code == 0 and "installing meson\n" in output, output
    assert not any("update" in call for call in calls), calls
    assert any("--no-install-recommends meson" in call for call in calls), calls

    code, output, calls = setup(dpkg_query=without_meson, apt_get="", apt_cache="exit 100\n", id="echo 0\n")
    assert code == 0 and any("update" in call for call in calls), calls

    code, output, calls = setup(dpkg_query=without_meson, apt_get="exit 100\n", apt_cache="", id="echo 0\n")
    assert code == 1 and "could not install: meson" in output, output
    assert sum("update" in call for call in calls) == 1, calls

    code, output, _ = setup(dpkg_query=without_meson, apt_get="", apt_cache="", id="echo 1000\n")
    assert code == 1 and "needs root or sudo: meson" in output, output
    code, output, calls = setup(dpkg_query=without_meson, apt_get="", apt_cache="", id="echo 1000\n", sudo="exit 1\n")
    assert code == 1 and "password" in output and not any("apt-get" in call for call in calls), (output, calls)
    code, output, _ = setup(id="echo 0\n")
    assert code == 1 and "not Debian" in output and "meson" in output, output

    code, output, calls = setup("--check", dpkg_query=without_meson, apt_get="")
    assert code == 1 and "missing: meson" in output and len(calls) == 1, (output, calls)
    code, output, _ = setup("nonsense", dpkg_query=INSTALLED)
    assert code == 1 and "unknown purpose" in output, output


main()
