// The rest of the run-time library: memory, bit maps, versions, random numbers.
#include <wdm.h>

#include "base/random.h"
#include "ntos/verify.h"

PVOID RtlSecureZeroMemory(PVOID memory, SIZE_T size)
{
    explicit_bzero(memory, size);
    return memory;
}

SIZE_T RtlCompareMemory(const VOID *a, const VOID *b, SIZE_T size)
{
    const UCHAR *x = a, *y = b;
    SIZE_T same = 0;
    while (same < size && x[same] == y[same])
        same++;
    return same;
}

VOID RtlFillMemoryUlong(PVOID memory, SIZE_T size, ULONG pattern)
{
    for (SIZE_T i = 0; i + sizeof(pattern) <= size; i += sizeof(pattern))
        memcpy((char *)memory + i, &pattern, sizeof(pattern));
}

VOID RtlPrefetchMemoryNonTemporal(PVOID memory, SIZE_T size)
{
    __builtin_prefetch(memory);
}

// --- Bit maps ---

#define NOT_FOUND 0xffffffffu

VOID RtlInitializeBitMap(PRTL_BITMAP map, PULONG buffer, ULONG size)
{
    map->SizeOfBitMap = size;
    map->Buffer = buffer;
}

static bool test(const RTL_BITMAP *map, ULONG bit)
{
    return map->Buffer[bit / 32] >> (bit % 32) & 1;
}

BOOLEAN RtlTestBit(PRTL_BITMAP map, ULONG bit)
{
    return bit < map->SizeOfBitMap && test(map, bit);
}

static void change(const char *function, PRTL_BITMAP map, ULONG start, ULONG count, bool set)
{
    if (start > map->SizeOfBitMap || count > map->SizeOfBitMap - start) {
        ntos_violation(function, "bits %u to %u of a map of %u", start, start + count, map->SizeOfBitMap);
        return;
    }
    for (ULONG bit = start; bit < start + count; bit++) {
        if (set)
            map->Buffer[bit / 32] |= 1u << (bit % 32);
        else
            map->Buffer[bit / 32] &= ~(1u << (bit % 32));
    }
}

VOID RtlSetBit(PRTL_BITMAP map, ULONG bit)
{
    change("RtlSetBit", map, bit, 1, true);
}

VOID RtlClearBit(PRTL_BITMAP map, ULONG bit)
{
    change("RtlClearBit", map, bit, 1, false);
}

VOID RtlSetBits(PRTL_BITMAP map, ULONG start, ULONG count)
{
    change("RtlSetBits", map, start, count, true);
}

VOID RtlClearBits(PRTL_BITMAP map, ULONG start, ULONG count)
{
    change("RtlClearBits", map, start, count, false);
}

VOID RtlSetAllBits(PRTL_BITMAP map)
{
    memset(map->Buffer, 0xFF, (map->SizeOfBitMap + 31) / 32 * sizeof(ULONG));
}

VOID RtlClearAllBits(PRTL_BITMAP map)
{
    memset(map->Buffer, 0, (map->SizeOfBitMap + 31) / 32 * sizeof(ULONG));
}

static bool run_of(const RTL_BITMAP *map, ULONG start, ULONG count, bool set)
{
    if (start > map->SizeOfBitMap || count > map->SizeOfBitMap - start)
        return false;
    for (ULONG bit = start; bit < start + count; bit++)
        if (test(map, bit) != set)
            return false;
    return true;
}

BOOLEAN RtlAreBitsSet(PRTL_BITMAP map, ULONG start, ULONG count)
{
    return count > 0 && run_of(map, start, count, true);
}

BOOLEAN RtlAreBitsClear(PRTL_BITMAP map, ULONG start, ULONG count)
{
    return count > 0 && run_of(map, start, count, false);
}

static ULONG find(const RTL_BITMAP *map, ULONG count, ULONG hint, bool set)
{
    if (hint >= map->SizeOfBitMap)
        hint = 0;
    if (count == 0)
        return hint;
    for (ULONG start = hint; start < map->SizeOfBitMap; start++)
        if (run_of(map, start, count, set))
            return start;
    for (ULONG start = 0; start < hint; start++)
        if (run_of(map, start, count, set))
            return start;
    return NOT_FOUND;
}

ULONG RtlFindClearBits(PRTL_BITMAP map, ULONG count, ULONG hint)
{
    return find(map, count, hint, false);
}

ULONG RtlFindSetBits(PRTL_BITMAP map, ULONG count, ULONG hint)
{
    return find(map, count, hint, true);
}

ULONG RtlFindClearBitsAndSet(PRTL_BITMAP map, ULONG count, ULONG hint)
{
    ULONG start = find(map, count, hint, false);
    if (start != NOT_FOUND)
        RtlSetBits(map, start, count);
    return start;
}

ULONG RtlNumberOfSetBits(PRTL_BITMAP map)
{
    ULONG count = 0;
    for (ULONG bit = 0; bit < map->SizeOfBitMap; bit++)
        count += test(map, bit);
    return count;
}

ULONG RtlNumberOfClearBits(PRTL_BITMAP map)
{
    return map->SizeOfBitMap - RtlNumberOfSetBits(map);
}

// --- Versions ---

#define VERSION_MAJOR 10
#define VERSION_MINOR 0
#define VERSION_BUILD 22000
#define PLATFORM_NT 2

NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW version)
{
    ULONG size = version->dwOSVersionInfoSize;
    if (size != sizeof(RTL_OSVERSIONINFOW) && size != sizeof(RTL_OSVERSIONINFOEXW))
        return STATUS_INVALID_PARAMETER;
    memset(version, 0, size);
    version->dwOSVersionInfoSize = size;
    version->dwMajorVersion = VERSION_MAJOR;
    version->dwMinorVersion = VERSION_MINOR;
    version->dwBuildNumber = VERSION_BUILD;
    version->dwPlatformId = PLATFORM_NT;
    if (size == sizeof(RTL_OSVERSIONINFOEXW))
        ((PRTL_OSVERSIONINFOEXW)(void *)version)->wProductType = 3;  // a server
    return STATUS_SUCCESS;
}

BOOLEAN PsGetVersion(PULONG major, PULONG minor, PULONG build, PUNICODE_STRING text)
{
    if (major)
        *major = VERSION_MAJOR;
    if (minor)
        *minor = VERSION_MINOR;
    if (build)
        *build = VERSION_BUILD;
    if (text)
        text->Length = 0;
    return FALSE;  // not a checked build
}

BOOLEAN RtlIsNtDdiVersionAvailable(ULONG version)
{
    return (BOOLEAN)(version <= NTDDI_WIN10_CO);
}

// --- Random numbers: from the system, so a driver that hopes they cannot be guessed is right ---

ULONG RtlRandomEx(PULONG seed)
{
    ULONG value = *seed * 1103515245u + 12345u;
    (void)wall_random_bytes(&value, sizeof(value));
    *seed = value;
    return value & 0x7fffffff;
}

ULONG RtlRandom(PULONG seed)
{
    return RtlRandomEx(seed);
}
