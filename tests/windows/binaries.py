#!/usr/bin/env python3
"""What a Windows kernel driver's file must look like, checked on the files themselves.

    binaries.py BUILD       a Windows build; checks its drivers, and itself on damaged copies
"""
import re
import struct
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

MACHINE_X64, PE32_PLUS, NATIVE = 0x8664, 0x20B, 1
DLL_FLAGS = {0x20: "HIGH_ENTROPY_VA", 0x40: "DYNAMIC_BASE", 0x100: "NX_COMPAT"}
RELOCATIONS_STRIPPED = 1
EXECUTE, WRITE = 0x20000000, 0x80000000
IMPORT, RELOCATION, TLS, DELAY = 1, 5, 9, 13
ALLOWED_LIBRARIES = {"ntoskrnl.exe", "fwpkclnt.sys", "ndis.sys"}
# What a driver must not call: waiting without a limit of IRQL, executable memory, strings without a size.
FORBIDDEN = {"ExAllocatePool", "strcpy", "strcat", "sprintf", "vsprintf", "wcscpy", "wcscat", "swprintf", "gets"}


class Image:
    def __init__(self, data):
        self.data = data
        self.pe = self.word(0x3C, "I")
        self.optional = self.pe + 24
        self.section_count = self.word(self.pe + 6, "H")
        self.characteristics = self.word(self.pe + 22, "H")
        table = self.optional + self.word(self.pe + 20, "H")
        self.sections = []
        for i in range(self.section_count):
            at = table + 40 * i
            name = data[at:at + 8].rstrip(b"\0").decode("latin-1")
            size, address, raw_size, raw = struct.unpack_from("<IIII", data, at + 8)
            self.sections.append((name, address, size, raw, raw_size, self.word(at + 36, "I")))

    def word(self, offset, kind):
        return struct.unpack_from("<" + kind, self.data, offset)[0]

    def directory(self, index):
        return struct.unpack_from("<II", self.data, self.optional + 112 + 8 * index)

    def offset(self, address):
        for _, start, size, raw, raw_size, _ in self.sections:
            if start <= address < start + max(size, raw_size):
                return raw + address - start
        raise ValueError(f"address 0x{address:x} is in no section")

    def text(self, address):
        at = self.offset(address)
        return self.data[at:self.data.index(b"\0", at)].decode("latin-1")

    def imports(self):
        """{library: [names]}"""
        libraries = {}
        at = self.offset(self.directory(IMPORT)[0])
        while (entry := struct.unpack_from("<IIIII", self.data, at))[3]:
            names = libraries.setdefault(self.text(entry[3]).lower(), [])
            thunk = self.offset(entry[0] or entry[4])
            while value := self.word(thunk, "Q"):
                names.append(f"#{value & 0xFFFF}" if value >> 63 else self.text(value + 2))
                thunk += 8
            at += 20
        return libraries

    def checksum(self):
        """As the loader computes it: 16-bit words with carry, the field itself left out, plus the length."""
        field = self.optional + 64
        data = self.data[:field] + b"\0\0\0\0" + self.data[field + 4:]
        data += b"\0" * (len(data) % 2)
        total = sum(struct.unpack(f"<{len(data) // 2}H", data))
        while total >> 16:
            total = (total & 0xFFFF) + (total >> 16)
        return total + len(self.data)


def listed(library):
    """The names of our own list of a library's functions."""
    path = ROOT / "windows/imports" / (re.sub(r"\..*", "", library) + ".def")
    return {line.strip() for line in path.read_text().splitlines() if line.startswith(" ")} if path.exists() else set()


def header_faults(image):
    if image.word(image.pe + 4, "H") != MACHINE_X64 or image.word(image.optional, "H") != PE32_PLUS:
        yield "not a PE32+ file for x86-64"
    if image.word(image.optional + 68, "H") != NATIVE:
        yield "not of the native subsystem"
    for offset, what in ((48, "subsystem"), (40, "operating system")):
        version = struct.unpack_from("<HH", image.data, image.optional + offset)
        if version != (10, 0):
            yield f"the {what} version is {version[0]}.{version[1]}, not 10.0"
    flags = image.word(image.optional + 70, "H")
    for bit, name in DLL_FLAGS.items():
        if not flags & bit:
            yield f"{name} is not set"
    if image.word(image.optional + 32, "I") != 0x1000:
        yield "sections are not aligned to pages"
    if image.word(image.optional + 64, "I") != image.checksum():
        yield "the checksum is wrong: Windows refuses such a driver"


def section_faults(image):
    for name, *_, flags in image.sections:
        if flags & EXECUTE and flags & WRITE:
            yield f"section {name} is writable and executable"
    entry = image.word(image.optional + 16, "I")
    if not any(start <= entry < start + size and flags & EXECUTE
               for _, start, size, _, _, flags in image.sections):
        yield "the entry point is not in an executable section"
    if image.characteristics & RELOCATIONS_STRIPPED or image.directory(RELOCATION)[1] == 0:
        yield "it cannot be relocated"
    if image.directory(TLS)[1] or image.directory(DELAY)[1]:
        yield "it has thread-local storage or delayed imports"


def import_faults(image):
    for library, names in image.imports().items():
        if library not in ALLOWED_LIBRARIES:
            yield f"it imports from {library}"
            continue
        for name in names:
            if name not in listed(library):
                yield f"{name} of {library} is not in windows/imports"
            if name in FORBIDDEN:
                yield f"it calls {name}"
    if "KeBugCheckEx" not in image.imports().get("ntoskrnl.exe", []):
        yield "no stack protector"


def faults(data):
    image = Image(data)
    return [*header_faults(image), *section_faults(image), *import_faults(image)]


def damaged(data):
    """(what, bytes) of copies that each have one fault; the checksum stays right except in the first."""

    def patch(offset, kind, value):
        copy = bytearray(data)
        struct.pack_into("<" + kind, copy, offset, value)
        struct.pack_into("<I", copy, image.optional + 64, Image(bytes(copy)).checksum())
        return bytes(copy)

    image = Image(data)
    table = image.optional + image.word(image.pe + 20, "H")
    yield "checksum", data[:-1] + bytes([data[-1] ^ 1])
    yield "subsystem", patch(image.optional + 68, "H", 3)
    yield "subsystem version", patch(image.optional + 48, "H", 6)
    yield "NX", patch(image.optional + 70, "H", 0x60)
    yield "relocation", patch(image.optional + 112 + 8 * RELOCATION + 4, "I", 0)
    yield "W and X", patch(table + 36, "I", EXECUTE | WRITE | 0x40000000)
    library = image.offset(image.word(image.offset(image.directory(IMPORT)[0]) + 12, "I"))
    yield "foreign library", patch(library, "B", ord("x"))


def main():
    folder = Path(sys.argv[1])
    drivers = [path for part in ("windows/driver", "ringwall-windows", "tests/windows")
               for path in sorted(folder.glob(part + "/*.sys"))]
    failed = 0
    for path in drivers:
        data = path.read_bytes()
        found = faults(data)
        missed = [what for what, copy in damaged(data) if not faults(copy)]
        found += [f"the check does not notice a damaged copy: {what}" for what in missed]
        names = ", ".join(f"{len(names)} functions of {library}" for library, names in Image(data).imports().items())
        print(f"{path.relative_to(folder)}: {len(data)} bytes, {names}: {'; '.join(found) or 'good'}")
        failed += bool(found)
    if not any(path.name == "wall.sys" for path in drivers):
        print(f"there is no wall.sys in {folder}")
        failed += 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
