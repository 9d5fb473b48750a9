#!/bin/sh
# Builds the Windows side with mingw-w64 and collects what a Windows machine needs.
#
#   tools/windows.sh [BUILD]       BUILD: build-windows
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-windows}
package=$build/ringwall-windows

if [ -f "$build/build.ninja" ]; then
    meson configure "$build" -Dwerror=true
else
    meson setup "$build" --cross-file windows/mingw.ini -Dwerror=true
fi
ninja -C "$build"

rm -rf "$package"
mkdir -p "$package"
for driver in "$build"/windows/driver/*.sys; do
    name=$(basename "$driver" .sys)
    x86_64-w64-mingw32-objcopy --only-keep-debug "$driver" "$package/$name.sys.debug"
    # Signatures and checksums are of the file as it is: nothing may change after this.
    x86_64-w64-mingw32-strip -o "$package/$name.sys" "$driver"
    sed 's/$/\r/' "$build/windows/driver/$name.inf" >"$package/$name.inf"
done
x86_64-w64-mingw32-strip -o "$package/ringwall.exe" "$build/windows/control/ringwall.exe"
sed 's/$/\r/' docs/windows.md >"$package/README.txt"
echo "For Windows, to be signed as docs/windows.md says: $package"
ls -l "$package"
