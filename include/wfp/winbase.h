// Memory, atomics, time, errors and SIDs of user-mode programs: what maps directly to the C library.
#pragma once

#ifdef _WIN32
#include_next <winbase.h>
#else

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "windef.h"
#include "winerror.h"

#ifdef __cplusplus
extern "C" {
#endif

// --- Memory ---

#define CopyMemory(destination, source, length) memcpy((destination), (source), (length))
#define MoveMemory(destination, source, length) memmove((destination), (source), (length))
#define FillMemory(destination, length, value) memset((destination), (value), (length))
#define ZeroMemory(destination, length) memset((destination), 0, (length))
#define SecureZeroMemory(destination, length) explicit_bzero((destination), (length))
#ifndef RtlCopyMemory
#define RtlCopyMemory(destination, source, length) memcpy((destination), (source), (length))
#define RtlMoveMemory(destination, source, length) memmove((destination), (source), (length))
#define RtlFillMemory(destination, length, value) memset((destination), (value), (length))
#define RtlZeroMemory(destination, length) memset((destination), 0, (length))
#define RtlEqualMemory(a, b, length) (memcmp((a), (b), (length)) == 0)
#endif

#define LMEM_FIXED 0x0000
#define LMEM_ZEROINIT 0x0040
#define LPTR (LMEM_FIXED | LMEM_ZEROINIT)
#define HEAP_ZERO_MEMORY 0x00000008

static inline HLOCAL WINAPI LocalAlloc(UINT uFlags, SIZE_T uBytes)
{
    return uFlags & LMEM_ZEROINIT ? calloc(1, uBytes) : malloc(uBytes);
}

// NULL: freed.
static inline HLOCAL WINAPI LocalFree(HLOCAL hMem)
{
    free(hMem);
    return NULL;
}

static inline HANDLE WINAPI GetProcessHeap(void)
{
    static char heap;

    return &heap;
}

static inline LPVOID WINAPI HeapAlloc(HANDLE hHeap, DWORD dwFlags, SIZE_T dwBytes)
{
    (void)hHeap;
    return dwFlags & HEAP_ZERO_MEMORY ? calloc(1, dwBytes) : malloc(dwBytes);
}

static inline BOOL WINAPI HeapFree(HANDLE hHeap, DWORD dwFlags, LPVOID lpMem)
{
    (void)hHeap;
    (void)dwFlags;
    free(lpMem);
    return TRUE;
}

// --- Atomics: full barriers, as on Windows ---

#ifndef InterlockedIncrement
static inline LONG InterlockedIncrement(LONG volatile *addend)
{
    return __atomic_add_fetch(addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedDecrement(LONG volatile *addend)
{
    return __atomic_sub_fetch(addend, 1, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedExchange(LONG volatile *target, LONG value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

static inline LONG InterlockedCompareExchange(LONG volatile *target, LONG value, LONG expected)
{
    __atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

static inline LONG64 InterlockedIncrement64(LONG64 volatile *addend)
{
    return __atomic_add_fetch(addend, 1, __ATOMIC_SEQ_CST);
}
#endif

// --- Errors, processes, time ---

// One variable for each thread, common to all source files of a program.
__attribute__((weak)) __thread DWORD wfp_last_error;

static inline DWORD WINAPI GetLastError(void)
{
    return wfp_last_error;
}

static inline void WINAPI SetLastError(DWORD dwErrCode)
{
    wfp_last_error = dwErrCode;
}

static inline DWORD WINAPI GetCurrentProcessId(void)
{
    return (DWORD)getpid();
}

#ifdef CLOCK_BOOTTIME  // hidden by -std=c11 without _GNU_SOURCE or _POSIX_C_SOURCE
static inline void WINAPI Sleep(DWORD dwMilliseconds)
{
    struct timespec left = {dwMilliseconds / 1000, dwMilliseconds % 1000 * 1000000};

    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

// Milliseconds since the system started.
static inline ULONGLONG WINAPI GetTickCount64(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (ULONGLONG)now.tv_sec * 1000 + (ULONGLONG)now.tv_nsec / 1000000;
}
#endif

// 100 ns since 1601: 11,644,473,600 s before the epoch of Unix.
static inline void WINAPI GetSystemTimeAsFileTime(LPFILETIME lpSystemTimeAsFileTime)
{
    struct timespec now;
    ULONGLONG ticks;

    timespec_get(&now, TIME_UTC);
    ticks = ((ULONGLONG)now.tv_sec + UINT64_C(11644473600)) * 10000000 + (ULONGLONG)now.tv_nsec / 100;
    lpSystemTimeAsFileTime->dwLowDateTime = (DWORD)ticks;
    lpSystemTimeAsFileTime->dwHighDateTime = (DWORD)(ticks >> 32);
}

#define INFINITE 0xFFFFFFFFu
#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

// --- SIDs ---

static inline DWORD WINAPI GetSidLengthRequired(UCHAR nSubAuthorityCount)
{
    return 8 + 4u * nSubAuthorityCount;
}

static inline BOOL WINAPI IsValidSid(PSID pSid)
{
    const SID *sid = (const SID *)pSid;

    return sid && sid->Revision == SID_REVISION && sid->SubAuthorityCount <= SID_MAX_SUB_AUTHORITIES;
}

static inline DWORD WINAPI GetLengthSid(PSID pSid)
{
    return GetSidLengthRequired(((const SID *)pSid)->SubAuthorityCount);
}

static inline BOOL WINAPI EqualSid(PSID pSid1, PSID pSid2)
{
    return GetLengthSid(pSid1) == GetLengthSid(pSid2) && memcmp(pSid1, pSid2, GetLengthSid(pSid1)) == 0;
}

static inline BOOL WINAPI CopySid(DWORD nDestinationSidLength, PSID pDestinationSid, PSID pSourceSid)
{
    if (nDestinationSidLength < GetLengthSid(pSourceSid)) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memcpy(pDestinationSid, pSourceSid, GetLengthSid(pSourceSid));
    return TRUE;
}

// Freed with FreeSid.
static inline BOOL WINAPI AllocateAndInitializeSid(PSID_IDENTIFIER_AUTHORITY pIdentifierAuthority,
                                                   BYTE nSubAuthorityCount, DWORD nSubAuthority0,
                                                   DWORD nSubAuthority1, DWORD nSubAuthority2,
                                                   DWORD nSubAuthority3, DWORD nSubAuthority4,
                                                   DWORD nSubAuthority5, DWORD nSubAuthority6,
                                                   DWORD nSubAuthority7, PSID *pSid)
{
    const DWORD parts[8] = {nSubAuthority0, nSubAuthority1, nSubAuthority2, nSubAuthority3,
                            nSubAuthority4, nSubAuthority5, nSubAuthority6, nSubAuthority7};
    BYTE *sid;

    if (nSubAuthorityCount > 8) {
        SetLastError(ERROR_INVALID_SID);
        return FALSE;
    }
    sid = (BYTE *)calloc(1, SECURITY_MAX_SID_SIZE);
    if (!sid) {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return FALSE;
    }
    sid[0] = SID_REVISION;
    sid[1] = nSubAuthorityCount;
    memcpy(sid + 2, pIdentifierAuthority, 6);
    memcpy(sid + 8, parts, 4u * nSubAuthorityCount);
    *pSid = sid;
    return TRUE;
}

// NULL: freed.
static inline PVOID WINAPI FreeSid(PSID pSid)
{
    free(pSid);
    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif
