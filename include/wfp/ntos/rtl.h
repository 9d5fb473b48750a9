// Run-time library: memory, counted strings, conversions, bit maps, generic tables, GUID text, versions.
#pragma once

#include <string.h>

#include "irql.h"
#include "list.h"

// --- Memory ---

#define RtlCopyMemory(to, from, size) memcpy((to), (from), (size))
#define RtlCopyBytes(to, from, size) memcpy((to), (from), (size))
#define RtlMoveMemory(to, from, size) memmove((to), (from), (size))
#define RtlCopyVolatileMemory(to, from, size) memcpy((void *)(to), (const void *)(from), (size))
#define RtlCopyDeviceMemory(to, from, size) memcpy((to), (from), (size))
#define RtlFillMemory(to, size, byte) memset((to), (byte), (size))
#define RtlZeroMemory(to, size) memset((to), 0, (size))
#define RtlZeroBytes(to, size) memset((to), 0, (size))
#define RtlEqualMemory(a, b, size) (memcmp((a), (b), (size)) == 0)

NTOS_DECLARATIONS_BEGIN

PVOID RtlSecureZeroMemory(PVOID memory, SIZE_T size);
#define SecureZeroMemory RtlSecureZeroMemory
#define RtlSecureZeroMemory2 RtlSecureZeroMemory
SIZE_T RtlCompareMemory(const VOID *a, const VOID *b, SIZE_T size);
VOID RtlFillMemoryUlong(PVOID memory, SIZE_T size, ULONG pattern);
VOID RtlPrefetchMemoryNonTemporal(PVOID memory, SIZE_T size);

// --- Counted strings ---

#ifdef __cplusplus
}
template <typename Character> constexpr Character *ntos_unconst(const Character *text)
{
    return const_cast<Character *>(text);
}
extern "C" {
#define NTOS_UNCONST_(literal) ntos_unconst(literal)
#else
#define NTOS_UNCONST_(literal) (literal)
#endif
#define RTL_CONSTANT_STRING(literal) \
    { sizeof(literal) - sizeof((literal)[0]), sizeof(literal), NTOS_UNCONST_(literal) }
#define DECLARE_CONST_UNICODE_STRING(name, literal)  \
    static const WCHAR name##_buffer[] = literal;    \
    static const UNICODE_STRING name = {sizeof(literal) - sizeof(WCHAR), sizeof(literal), (PWCH)name##_buffer}
#define DECLARE_GLOBAL_CONST_UNICODE_STRING(name, literal) \
    static const WCHAR name##_buffer[] = literal;          \
    EXTERN_C const UNICODE_STRING name;                    \
    const UNICODE_STRING name = {sizeof(literal) - sizeof(WCHAR), sizeof(literal), (PWCH)name##_buffer}
#define DECLARE_UNICODE_STRING_SIZE(name, count) \
    WCHAR name##_buffer[count];                  \
    UNICODE_STRING name = {0, (count) * sizeof(WCHAR), name##_buffer}
#define UNICODE_STRING_MAX_BYTES ((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS 32767
#define UNICODE_NULL_SIZE sizeof(WCHAR)
#define RtlInitEmptyUnicodeString(string, buffer, size) \
    ((string)->Buffer = (buffer), (string)->MaximumLength = (USHORT)(size), (string)->Length = 0)
#define RtlInitEmptyAnsiString(string, buffer, size) \
    ((string)->Buffer = (buffer), (string)->MaximumLength = (USHORT)(size), (string)->Length = 0)

VOID RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text);
NTSTATUS RtlInitUnicodeStringEx(PUNICODE_STRING string, PCWSTR text);
VOID RtlInitAnsiString(PANSI_STRING string, PCSTR text);
#define RtlInitString RtlInitAnsiString
VOID RtlCopyUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from);
VOID RtlCopyString(PSTRING to, const STRING *from);
#define RtlCopyAnsiString RtlCopyString
NTSTATUS RtlAppendUnicodeStringToString(PUNICODE_STRING to, PCUNICODE_STRING from);
NTSTATUS RtlAppendUnicodeToString(PUNICODE_STRING to, PCWSTR text);
NTSTATUS RtlAppendStringToString(PSTRING to, const STRING *from);
LONG RtlCompareUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN ignore_case);
BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING a, PCUNICODE_STRING b, BOOLEAN ignore_case);
BOOLEAN RtlPrefixUnicodeString(PCUNICODE_STRING prefix, PCUNICODE_STRING text, BOOLEAN ignore_case);
BOOLEAN RtlSuffixUnicodeString(PCUNICODE_STRING suffix, PCUNICODE_STRING text, BOOLEAN ignore_case);
LONG RtlCompareString(const STRING *a, const STRING *b, BOOLEAN ignore_case);
BOOLEAN RtlEqualString(const STRING *a, const STRING *b, BOOLEAN ignore_case);
BOOLEAN RtlPrefixString(const STRING *prefix, const STRING *text, BOOLEAN ignore_case);
NTSTATUS RtlUpcaseUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate);
NTSTATUS RtlDowncaseUnicodeString(PUNICODE_STRING to, PCUNICODE_STRING from, BOOLEAN allocate);
WCHAR RtlUpcaseUnicodeChar(WCHAR unit);
WCHAR RtlDowncaseUnicodeChar(WCHAR unit);
CHAR RtlUpperChar(CHAR character);
NTSTATUS RtlDuplicateUnicodeString(ULONG flags, PCUNICODE_STRING from, PUNICODE_STRING to);
#define RTL_DUPLICATE_UNICODE_STRING_NULL_TERMINATE 1
#define RTL_DUPLICATE_UNICODE_STRING_ALLOCATE_NULL_STRING 2
VOID RtlFreeUnicodeString(PUNICODE_STRING string);
VOID RtlFreeAnsiString(PANSI_STRING string);
#define RtlFreeOemString RtlFreeAnsiString
NTSTATUS RtlHashUnicodeString(PCUNICODE_STRING string, BOOLEAN ignore_case, ULONG algorithm, PULONG hash);
#define HASH_STRING_ALGORITHM_DEFAULT 0
#define HASH_STRING_ALGORITHM_X65599 1
#define HASH_STRING_ALGORITHM_INVALID 0xffffffff

// --- Conversions; the ANSI code page is UTF-8 ---

NTSTATUS RtlAnsiStringToUnicodeString(PUNICODE_STRING to, PCANSI_STRING from, BOOLEAN allocate);
NTSTATUS RtlUnicodeStringToAnsiString(PANSI_STRING to, PCUNICODE_STRING from, BOOLEAN allocate);
#define RtlOemStringToUnicodeString RtlAnsiStringToUnicodeString
#define RtlUnicodeStringToOemString RtlUnicodeStringToAnsiString
ULONG RtlUnicodeStringToAnsiSize(PCUNICODE_STRING string);
ULONG RtlAnsiStringToUnicodeSize(PCANSI_STRING string);
#define RtlxUnicodeStringToAnsiSize RtlUnicodeStringToAnsiSize
#define RtlxAnsiStringToUnicodeSize RtlAnsiStringToUnicodeSize
NTSTATUS RtlUTF8ToUnicodeN(PWSTR to, ULONG to_size, PULONG ret_size, PCCH from, ULONG from_size);
NTSTATUS RtlUnicodeToUTF8N(PCHAR to, ULONG to_size, PULONG ret_size, PCWCH from, ULONG from_size);
NTSTATUS RtlMultiByteToUnicodeN(PWSTR to, ULONG to_size, PULONG ret_size, const CHAR *from, ULONG from_size);
NTSTATUS RtlUnicodeToMultiByteN(PCHAR to, ULONG to_size, PULONG ret_size, PCWCH from, ULONG from_size);
NTSTATUS RtlUnicodeStringToInteger(PCUNICODE_STRING string, ULONG base, PULONG value);
NTSTATUS RtlIntegerToUnicodeString(ULONG value, ULONG base, PUNICODE_STRING string);
NTSTATUS RtlInt64ToUnicodeString(ULONGLONG value, ULONG base, PUNICODE_STRING string);
NTSTATUS RtlIntPtrToUnicodeString(ULONG_PTR value, ULONG base, PUNICODE_STRING string);
NTSTATUS RtlCharToInteger(PCSTR text, ULONG base, PULONG value);
NTSTATUS RtlStringFromGUID(WFP_GUID_REFERENCE_ guid, PUNICODE_STRING string);
NTSTATUS RtlGUIDFromString(PCUNICODE_STRING string, GUID *guid);
NTSTATUS ExUuidCreate(UUID *uuid);

// --- Bit maps ---

typedef struct _RTL_BITMAP {
    ULONG SizeOfBitMap;
    PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;

VOID RtlInitializeBitMap(PRTL_BITMAP map, PULONG buffer, ULONG size);
VOID RtlClearAllBits(PRTL_BITMAP map);
VOID RtlSetAllBits(PRTL_BITMAP map);
VOID RtlSetBit(PRTL_BITMAP map, ULONG bit);
VOID RtlClearBit(PRTL_BITMAP map, ULONG bit);
VOID RtlSetBits(PRTL_BITMAP map, ULONG start, ULONG count);
VOID RtlClearBits(PRTL_BITMAP map, ULONG start, ULONG count);
BOOLEAN RtlTestBit(PRTL_BITMAP map, ULONG bit);
#define RtlCheckBit RtlTestBit
ULONG RtlFindClearBits(PRTL_BITMAP map, ULONG count, ULONG hint);
ULONG RtlFindSetBits(PRTL_BITMAP map, ULONG count, ULONG hint);
ULONG RtlFindClearBitsAndSet(PRTL_BITMAP map, ULONG count, ULONG hint);
ULONG RtlNumberOfSetBits(PRTL_BITMAP map);
ULONG RtlNumberOfClearBits(PRTL_BITMAP map);
BOOLEAN RtlAreBitsSet(PRTL_BITMAP map, ULONG start, ULONG count);
BOOLEAN RtlAreBitsClear(PRTL_BITMAP map, ULONG start, ULONG count);

// --- Generic tables (AVL trees) ---

typedef enum _TABLE_SEARCH_RESULT {
    TableEmptyTree,
    TableFoundNode,
    TableInsertAsLeft,
    TableInsertAsRight
} TABLE_SEARCH_RESULT;
typedef enum _RTL_GENERIC_COMPARE_RESULTS {
    GenericLessThan,
    GenericGreaterThan,
    GenericEqual
} RTL_GENERIC_COMPARE_RESULTS;

typedef struct _RTL_BALANCED_LINKS {
    struct _RTL_BALANCED_LINKS *Parent;
    struct _RTL_BALANCED_LINKS *LeftChild;
    struct _RTL_BALANCED_LINKS *RightChild;
    CHAR Balance;
    UCHAR Reserved[3];
} RTL_BALANCED_LINKS, *PRTL_BALANCED_LINKS;

struct _RTL_AVL_TABLE;
typedef RTL_GENERIC_COMPARE_RESULTS RTL_AVL_COMPARE_ROUTINE(struct _RTL_AVL_TABLE *table, PVOID first, PVOID second);
typedef RTL_AVL_COMPARE_ROUTINE *PRTL_AVL_COMPARE_ROUTINE;
typedef PVOID RTL_AVL_ALLOCATE_ROUTINE(struct _RTL_AVL_TABLE *table, CLONG size);
typedef RTL_AVL_ALLOCATE_ROUTINE *PRTL_AVL_ALLOCATE_ROUTINE;
typedef VOID RTL_AVL_FREE_ROUTINE(struct _RTL_AVL_TABLE *table, PVOID buffer);
typedef RTL_AVL_FREE_ROUTINE *PRTL_AVL_FREE_ROUTINE;
typedef NTSTATUS RTL_AVL_MATCH_FUNCTION(struct _RTL_AVL_TABLE *table, PVOID user, PVOID match);
typedef RTL_AVL_MATCH_FUNCTION *PRTL_AVL_MATCH_FUNCTION;

typedef struct _RTL_AVL_TABLE {
    RTL_BALANCED_LINKS BalancedRoot;  // its RightChild is the tree's root
    PVOID OrderedPointer;
    ULONG WhichOrderedElement;
    ULONG NumberGenericTableElements;
    ULONG DepthOfTree;
    PRTL_BALANCED_LINKS RestartKey;
    ULONG DeleteCount;
    PRTL_AVL_COMPARE_ROUTINE CompareRoutine;
    PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine;
    PRTL_AVL_FREE_ROUTINE FreeRoutine;
    PVOID TableContext;
} RTL_AVL_TABLE, *PRTL_AVL_TABLE;

VOID RtlInitializeGenericTableAvl(PRTL_AVL_TABLE table, PRTL_AVL_COMPARE_ROUTINE compare,
                                  PRTL_AVL_ALLOCATE_ROUTINE allocate, PRTL_AVL_FREE_ROUTINE release, PVOID context);
// The element's copy in the table (an equal one that was there before, with *new_element FALSE), NULL: no memory.
PVOID RtlInsertElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG size, PBOOLEAN new_element);
PVOID RtlInsertElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, CLONG size, PBOOLEAN new_element,
                                          PVOID node, TABLE_SEARCH_RESULT result);
BOOLEAN RtlDeleteElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer);
PVOID RtlLookupElementGenericTableAvl(PRTL_AVL_TABLE table, PVOID buffer);
PVOID RtlLookupElementGenericTableFullAvl(PRTL_AVL_TABLE table, PVOID buffer, PVOID *node,
                                          TABLE_SEARCH_RESULT *result);
PVOID RtlEnumerateGenericTableAvl(PRTL_AVL_TABLE table, BOOLEAN restart);
PVOID RtlEnumerateGenericTableWithoutSplayingAvl(PRTL_AVL_TABLE table, PVOID *restart);
PVOID RtlGetElementGenericTableAvl(PRTL_AVL_TABLE table, ULONG index);
ULONG RtlNumberGenericTableElementsAvl(PRTL_AVL_TABLE table);
BOOLEAN RtlIsGenericTableEmptyAvl(PRTL_AVL_TABLE table);

// The splay-tree family is the same tree here.
typedef RTL_AVL_TABLE RTL_GENERIC_TABLE, *PRTL_GENERIC_TABLE;
typedef RTL_AVL_COMPARE_ROUTINE RTL_GENERIC_COMPARE_ROUTINE, *PRTL_GENERIC_COMPARE_ROUTINE;
typedef RTL_AVL_ALLOCATE_ROUTINE RTL_GENERIC_ALLOCATE_ROUTINE, *PRTL_GENERIC_ALLOCATE_ROUTINE;
typedef RTL_AVL_FREE_ROUTINE RTL_GENERIC_FREE_ROUTINE, *PRTL_GENERIC_FREE_ROUTINE;
#define RtlInitializeGenericTable RtlInitializeGenericTableAvl
#define RtlInsertElementGenericTable RtlInsertElementGenericTableAvl
#define RtlDeleteElementGenericTable RtlDeleteElementGenericTableAvl
#define RtlLookupElementGenericTable RtlLookupElementGenericTableAvl
#define RtlEnumerateGenericTable RtlEnumerateGenericTableAvl
#define RtlEnumerateGenericTableWithoutSplaying RtlEnumerateGenericTableWithoutSplayingAvl
#define RtlGetElementGenericTable RtlGetElementGenericTableAvl
#define RtlNumberGenericTableElements RtlNumberGenericTableElementsAvl
#define RtlIsGenericTableEmpty RtlIsGenericTableEmptyAvl

// --- Versions, random numbers ---

typedef struct _OSVERSIONINFOW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
} OSVERSIONINFOW, *POSVERSIONINFOW, RTL_OSVERSIONINFOW, *PRTL_OSVERSIONINFOW;

typedef struct _OSVERSIONINFOEXW {
    ULONG dwOSVersionInfoSize;
    ULONG dwMajorVersion;
    ULONG dwMinorVersion;
    ULONG dwBuildNumber;
    ULONG dwPlatformId;
    WCHAR szCSDVersion[128];
    USHORT wServicePackMajor;
    USHORT wServicePackMinor;
    USHORT wSuiteMask;
    UCHAR wProductType;
    UCHAR wReserved;
} OSVERSIONINFOEXW, *POSVERSIONINFOEXW, RTL_OSVERSIONINFOEXW, *PRTL_OSVERSIONINFOEXW;

// Windows 11's numbers (10.0.22000): drivers take the newest way of doing things.
NTSTATUS RtlGetVersion(PRTL_OSVERSIONINFOW version);
BOOLEAN RtlIsNtDdiVersionAvailable(ULONG version);
BOOLEAN PsGetVersion(PULONG major, PULONG minor, PULONG build, PUNICODE_STRING text);
ULONG RtlRandomEx(PULONG seed);
ULONG RtlRandom(PULONG seed);

NTOS_DECLARATIONS_END
