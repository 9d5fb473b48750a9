// Interlocked operations: full barriers, as on Windows.
#pragma once

#include "compiler.h"

#define NTOS_INTERLOCKED_(suffix, type)                                                                          \
    FORCEINLINE type InterlockedIncrement##suffix(volatile type *target)                                         \
    {                                                                                                            \
        return __atomic_add_fetch(target, 1, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                                            \
    FORCEINLINE type InterlockedDecrement##suffix(volatile type *target)                                         \
    {                                                                                                            \
        return __atomic_sub_fetch(target, 1, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                                            \
    FORCEINLINE type InterlockedExchange##suffix(volatile type *target, type value)                              \
    {                                                                                                            \
        return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);                                             \
    }                                                                                                            \
    FORCEINLINE type InterlockedExchangeAdd##suffix(volatile type *target, type value)                           \
    {                                                                                                            \
        return __atomic_fetch_add(target, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                                            \
    FORCEINLINE type InterlockedAdd##suffix(volatile type *target, type value)                                   \
    {                                                                                                            \
        return __atomic_add_fetch(target, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                                            \
    FORCEINLINE type InterlockedOr##suffix(volatile type *target, type value)                                    \
    {                                                                                                            \
        return __atomic_fetch_or(target, value, __ATOMIC_SEQ_CST);                                               \
    }                                                                                                            \
    FORCEINLINE type InterlockedAnd##suffix(volatile type *target, type value)                                   \
    {                                                                                                            \
        return __atomic_fetch_and(target, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                                            \
    FORCEINLINE type InterlockedXor##suffix(volatile type *target, type value)                                   \
    {                                                                                                            \
        return __atomic_fetch_xor(target, value, __ATOMIC_SEQ_CST);                                              \
    }                                                                                                            \
    FORCEINLINE type InterlockedCompareExchange##suffix(volatile type *target, type value, type expected)        \
    {                                                                                                            \
        (void)__atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);      \
        return expected;                                                                                         \
    }

NTOS_INTERLOCKED_(, LONG)
NTOS_INTERLOCKED_(64, LONG64)
NTOS_INTERLOCKED_(16, SHORT)

FORCEINLINE char InterlockedExchange8(volatile char *target, char value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

FORCEINLINE PVOID InterlockedExchangePointer(PVOID volatile *target, PVOID value)
{
    return __atomic_exchange_n(target, value, __ATOMIC_SEQ_CST);
}

FORCEINLINE PVOID InterlockedCompareExchangePointer(PVOID volatile *target, PVOID value, PVOID expected)
{
    (void)__atomic_compare_exchange_n(target, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}

// Drivers pass pointers to pointers of any type; on Windows these two are macros over the PVOID forms as well.
#define InterlockedExchangePointer(target, value) InterlockedExchangePointer((PVOID volatile *)(target), (PVOID)(value))
#define InterlockedCompareExchangePointer(target, value, expected) \
    InterlockedCompareExchangePointer((PVOID volatile *)(target), (PVOID)(value), (PVOID)(expected))

FORCEINLINE UCHAR InterlockedBitTestAndSet(volatile LONG *base, LONG bit)
{
    LONG mask = (LONG)(1u << (bit & 31));
    return (UCHAR)((__atomic_fetch_or(base + (bit >> 5), mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

FORCEINLINE UCHAR InterlockedBitTestAndReset(volatile LONG *base, LONG bit)
{
    LONG mask = (LONG)(1u << (bit & 31));
    return (UCHAR)((__atomic_fetch_and(base + (bit >> 5), ~mask, __ATOMIC_SEQ_CST) & mask) != 0);
}

#define InterlockedIncrementAcquire InterlockedIncrement
#define InterlockedIncrementRelease InterlockedIncrement
#define InterlockedIncrementNoFence InterlockedIncrement
#define InterlockedDecrementAcquire InterlockedDecrement
#define InterlockedDecrementRelease InterlockedDecrement
#define InterlockedDecrementNoFence InterlockedDecrement
#define InterlockedExchangeNoFence InterlockedExchange
#define InterlockedExchangeAcquire InterlockedExchange
#define InterlockedCompareExchangeAcquire InterlockedCompareExchange
#define InterlockedCompareExchangeRelease InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence InterlockedCompareExchange
#define InterlockedIncrementSizeT(target) ((SIZE_T)InterlockedIncrement64((volatile LONG64 *)(target)))
#define InterlockedDecrementSizeT(target) ((SIZE_T)InterlockedDecrement64((volatile LONG64 *)(target)))
#define _InterlockedIncrement InterlockedIncrement
#define _InterlockedDecrement InterlockedDecrement
#define _InterlockedExchange InterlockedExchange
#define _InterlockedCompareExchange InterlockedCompareExchange
#define _InterlockedExchangeAdd InterlockedExchangeAdd
#define _InterlockedOr InterlockedOr
#define _InterlockedAnd InterlockedAnd
#define _InterlockedCompareExchangePointer InterlockedCompareExchangePointer
#define ExInterlockedAddUlong(target, value, lock) \
    ((void)(lock), (ULONG)InterlockedExchangeAdd((volatile LONG *)(target), (LONG)(value)))
#define ExInterlockedAddLargeStatistic(target, value) \
    ((void)InterlockedExchangeAdd64(&(target)->QuadPart, (LONG64)(value)))

#define NTOS_PLAIN_ACCESS_(width, type)                                      \
    FORCEINLINE type ReadAcquire##width(const volatile type *source)         \
    {                                                                        \
        return __atomic_load_n(source, __ATOMIC_ACQUIRE);                    \
    }                                                                        \
    FORCEINLINE type ReadNoFence##width(const volatile type *source)         \
    {                                                                        \
        return __atomic_load_n(source, __ATOMIC_RELAXED);                    \
    }                                                                        \
    FORCEINLINE VOID WriteRelease##width(volatile type *target, type value)  \
    {                                                                        \
        __atomic_store_n(target, value, __ATOMIC_RELEASE);                   \
    }                                                                        \
    FORCEINLINE VOID WriteNoFence##width(volatile type *target, type value)  \
    {                                                                        \
        __atomic_store_n(target, value, __ATOMIC_RELAXED);                   \
    }

NTOS_PLAIN_ACCESS_(, LONG)
NTOS_PLAIN_ACCESS_(64, LONG64)

#define ReadPointerAcquire(source) __atomic_load_n((source), __ATOMIC_ACQUIRE)
#define ReadPointerNoFence(source) __atomic_load_n((source), __ATOMIC_RELAXED)
#define WritePointerRelease(target, value) __atomic_store_n((target), (value), __ATOMIC_RELEASE)
#define WritePointerNoFence(target, value) __atomic_store_n((target), (value), __ATOMIC_RELAXED)

FORCEINLINE UCHAR BitScanForward(PULONG index, ULONG mask)
{
    if (mask == 0)
        return 0;
    *index = (ULONG)__builtin_ctz(mask);
    return 1;
}

FORCEINLINE UCHAR BitScanReverse(PULONG index, ULONG mask)
{
    if (mask == 0)
        return 0;
    *index = 31 - (ULONG)__builtin_clz(mask);
    return 1;
}
#define _BitScanForward BitScanForward
#define _BitScanReverse BitScanReverse
