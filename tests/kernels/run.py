#!/usr/bin/env python3
"""Runs the tests of suite `kernel` on kernels of Debian, in virtual machines without hardware help (qemu, TCG).

    tests/kernels/run.py [--build FOLDER] [--only TEXT] [6.1 | 6.12 | all]

A machine has no disk: its initramfs holds the tests of the build folder at the paths they have here, the tools they
call, and the libraries of both. The kernel packages are downloaded, never installed. The last line is
`N passed, N failed, N skipped`; exit 1 when anything failed.
"""
import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERIES = {"6.1": "linux-image-cloud-amd64", "6.12": "linux-image-6.12-cloud-amd64"}

# Emulated code runs about this much slower than on the machine itself; the timeouts of the tests grow by it.
SLOWNESS = 8
BOOT_SECONDS = 120
MEMORY_MB = 1536

TOOLS = ["/usr/bin/python3", "ip", "ss", "nft", "bpftool", "nsenter", "unshare", "setpriv", "mount", "umount", "ping",
         "curl", "bash", "timeout", "setarch", "env", "stat", "sleep", "cat", "true", "false"]
# Folders of modules whose files all go into the image: the network code the tests may touch.
MODULES = re.compile(r"kernel/(drivers/net/(veth|dummy|tun)\.ko|net/netfilter/|net/ipv[46]/|net/unix/|net/netlink/"
                     r"|net/packet/|lib/|crypto/)")
# Files of the build folder that no test opens.
NOT_IN_IMAGE = re.compile(r"/meson-|\.p/|\.(a|json|ninja|log|h)$|(?<!\.bpf)\.o$|/build/kernels/")
PYTHON_LEFT_OUT = shutil.ignore_patterns("test", "tests", "idlelib", "lib2to3", "ensurepip", "turtledemo", "tkinter",
                                         "config-*", "dist-packages", "pydoc_data", "*.a")


class Failure(Exception):
    """Something the caller has to mend; the text says what."""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failure(f"{shlex.join(map(str, command))}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def fetch_kernel(series, folder):
    """Downloads and unpacks the kernel package of a series, once; returns (vmlinuz, folder of its modules)."""
    unpacked = folder / "unpacked"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        unpacked.mkdir(parents=True)
        depends = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", SERIES[series]))
        if not depends:
            raise Failure(f"apt knows no package {SERIES[series]}; try `apt-get update`")
        print(f"kernels: downloading {depends[1]}", flush=True)
        run("apt-get", "download", "-q", depends[1], cwd=folder)
        (package,) = folder.glob("*.deb")
        run("dpkg-deb", "-x", package, unpacked)
        package.unlink()
        (folder / "complete").touch()
    (vmlinuz,) = unpacked.glob("boot/vmlinuz-*")
    (modules,) = unpacked.glob("lib/modules/*")
    return vmlinuz, modules


class Image:
    """A folder that becomes an initramfs."""

    def __init__(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "proc", "sys", "dev", "tmp", "run", "etc", "root"):
            (folder / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (folder / name).symlink_to(f"usr/{name}")
        self.elf_files = []

    def place(self, source):
        """Copies a file to the same path in the image, and the file it links to."""
        source = Path(os.path.abspath(source))
        parent = Path(os.path.realpath(source.parent))  # /bin is /usr/bin here and there
        target = self.folder / str(parent).lstrip("/") / source.name
        if target.exists() or target.is_symlink():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            link = os.readlink(source)
            target.symlink_to(link)
            self.place(os.path.join(parent, link))
            return
        shutil.copy2(source, target)
        with open(source, "rb") as file:
            if file.read(4) == b"\x7fELF":
                self.elf_files.append((source, target))

    def place_tree(self, source, ignore=None):
        target = self.folder / str(source).lstrip("/")
        shutil.copytree(source, target, symlinks=True, ignore=ignore, dirs_exist_ok=True)
        self.elf_files += [(source / path.relative_to(target), path) for path in target.rglob("*.so*")]

    def place_libraries(self):
        """The shared libraries of everything placed so far, stripped of what only a debugger reads."""
        seen = 0
        while seen < len(self.elf_files):
            batch, seen = self.elf_files[seen:], len(self.elf_files)
            listing = subprocess.run(["ldd", *[source for source, _ in batch]], capture_output=True, text=True,
                                     check=False).stdout
            for library in sorted(set(re.findall(r"(?:=> |^\t)(/\S+) \(0x", listing, re.MULTILINE))):
                self.place(library)
        copies = [target for source, target in self.elf_files if str(source).startswith(str(ROOT))]
        if copies:
            subprocess.run(["strip", "--strip-debug", *copies], check=False, capture_output=True)

    def pack(self, path):
        with open(path, "wb") as file:
            find = subprocess.Popen(["find", ".", "-print0"], cwd=self.folder, stdout=subprocess.PIPE)
            subprocess.run(["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=self.folder,
                           stdin=find.stdout, stdout=file, check=True)


def place_modules(image, modules):
    release = modules.name
    for path in modules.rglob("*.ko*"):
        name = path.relative_to(modules).as_posix()
        if MODULES.match(name):
            target = image.folder / "usr/lib/modules" / release / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
            if target.suffix == ".xz":
                run("xz", "-d", target)
    for path in modules.glob("modules.*"):
        shutil.copy2(path, image.folder / "usr/lib/modules" / release)
    run("busybox", "depmod", "-b", image.folder, release)


def tests_of(build, only):
    """The tests of suite `kernel` as meson would run them."""
    tests = json.loads(run("meson", "introspect", "--tests", build))
    chosen = []
    for test in tests:
        if any(suite.split(":")[-1] == "kernel" for suite in test["suite"]) and (not only or only in test["name"]):
            command = ["/usr/bin/python3" if part.endswith("/python3") else part for part in test["cmd"]]
            chosen.append({**test, "cmd": command})
    return chosen


def place_build(image, build, tests):
    """Programs, shared libraries and data of the build folder, and the sources of the tests."""
    for path in build.rglob("*"):
        if path.is_file() and not NOT_IN_IMAGE.search(path.as_posix()):
            image.place(path)
    for folder in ("tests", "examples", "tools"):
        image.place_tree(ROOT / folder, shutil.ignore_patterns("__pycache__"))
    for test in tests:
        image.place(test["cmd"][0])


def script_of(test, build):
    lines = [f"export {name}={shlex.quote(value)}" for name, value in test["env"].items()]
    lines += [f"cd {shlex.quote(test['workdir'] or str(build))}", f"exec {shlex.join(test['cmd'])}"]
    return "\n".join(lines) + "\n"


def make_image(folder, build, modules, tests):
    image = Image(folder / "root")
    place_build(image, build, tests)
    for tool in TOOLS + ["busybox"]:
        if path := shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            image.place(path)
    image.place_tree(Path(f"/usr/lib/{Path('/usr/bin/python3').resolve().name}"), PYTHON_LEFT_OUT)
    image.place_libraries()
    place_modules(image, modules)
    shutil.copy2(ROOT / "tests/kernels/init.sh", image.folder / "init")
    (image.folder / "init").chmod(0o755)
    (image.folder / "kernel-tests").mkdir()
    for number, test in enumerate(tests):
        seconds = int(test["timeout"] or 30) * SLOWNESS
        (image.folder / f"kernel-tests/{number:03}-{seconds}").write_text(script_of(test, build))
    image.pack(folder / "initramfs")


def boot(vmlinuz, folder, seconds):
    """Runs the machine to its end; returns what it wrote to its console."""
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", "2",
               "-m", str(MEMORY_MB), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-serial", "stdio", "-device", "virtio-rng-pci", "-kernel", vmlinuz, "-initrd", folder / "initramfs",
               "-append", "console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on mitigations=off"]
    with open(folder / "console.txt", "wb") as console:
        machine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        try:
            machine.wait(seconds)
        except subprocess.TimeoutExpired:
            console.write(b"\nthe machine did not stop in time\n")
        finally:
            machine.kill()
            machine.wait()
    return (folder / "console.txt").read_text(errors="replace").replace("\r\n", "\n")


RESULT = re.compile(r"^@test (\d+)\n(.*?)^@result (\d+) (\d+) (\d+)$", re.MULTILINE | re.DOTALL)
VERDICTS = {0: "passed", 77: "skipped"}


def report(series, tests, console):
    """Prints one line a test; returns counts by verdict."""
    results = {int(number): (int(code), int(seconds), output)
               for number, output, _, code, seconds in RESULT.findall(console)}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    if not results:
        print("\n".join(console.splitlines()[-40:]))
    for number, test in enumerate(tests):
        code, seconds, output = results.get(number, (-1, 0, "no result: the machine stopped before\n"))
        verdict = VERDICTS.get(code, "failed")
        counts[verdict] += 1
        last = output.strip().splitlines()[-1:] or [""]
        print(f"{series:5} {test['name']:32} {verdict:8} {seconds:3} s" + (f"  {last[0]}" if code == 77 else ""))
        if verdict == "failed":
            print("\n".join("      | " + line for line in output.splitlines()[-40:]))
    return counts


def run_series(series, build, tests, work):
    began = time.monotonic()
    vmlinuz, modules = fetch_kernel(series, work / series)
    make_image(work / series, build, modules, tests)
    built = time.monotonic()
    seconds = BOOT_SECONDS + SLOWNESS * sum(int(test["timeout"] or 30) for test in tests)
    console = boot(vmlinuz, work / series, seconds)
    counts = report(series, tests, console)
    print(f"{series:5} kernel {modules.name}: image {built - began:.0f} s, machine {time.monotonic() - built:.0f} s",
          flush=True)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("series", nargs="?", default="all", choices=[*SERIES, "all"])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--only", help="tests whose name holds this text")
    arguments = parser.parse_args()

    build = arguments.build.resolve()
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        tests = tests_of(build, arguments.only)
        if not tests:
            raise Failure(f"{build} has no test of suite kernel")
        for series in SERIES if arguments.series == "all" else [arguments.series]:
            for verdict, count in run_series(series, build, tests, ROOT / "build/kernels").items():
                totals[verdict] += count
    except Failure as failure:
        print(f"kernels: {failure}")
        totals["failed"] += 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**totals))
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
