// Integer arithmetic and conversion that tells of overflow: STATUS_INTEGER_OVERFLOW, and the type's all-ones value.
#pragma once

#ifdef _WIN32
#include_next <ntintsafe.h>
#else

#include "ntdef.h"
#include "ntos/compiler.h"
#include "ntos/status.h"

#define NTOS_SAFE_OPERATION_(name, type, operation)                                \
    FORCEINLINE NTSTATUS name(type first, type second, type *result)               \
    {                                                                              \
        if (!__builtin_##operation##_overflow(first, second, result))              \
            return STATUS_SUCCESS;                                                 \
        *result = (type)-1;                                                        \
        return STATUS_INTEGER_OVERFLOW;                                            \
    }
#define NTOS_SAFE_TYPE_(name, type)                     \
    NTOS_SAFE_OPERATION_(Rtl##name##Add, type, add)     \
    NTOS_SAFE_OPERATION_(Rtl##name##Sub, type, sub)     \
    NTOS_SAFE_OPERATION_(Rtl##name##Mult, type, mul)

NTOS_SAFE_TYPE_(UInt8, UINT8)
NTOS_SAFE_TYPE_(UShort, USHORT)
NTOS_SAFE_TYPE_(UInt16, UINT16)
NTOS_SAFE_TYPE_(Word, USHORT)
NTOS_SAFE_TYPE_(UInt, UINT32)
NTOS_SAFE_TYPE_(ULong, ULONG)
NTOS_SAFE_TYPE_(DWord, ULONG)
NTOS_SAFE_TYPE_(ULongLong, ULONGLONG)
NTOS_SAFE_TYPE_(ULong64, ULONG64)
NTOS_SAFE_TYPE_(ULongPtr, ULONG_PTR)
NTOS_SAFE_TYPE_(UIntPtr, UINT_PTR)
NTOS_SAFE_TYPE_(SizeT, SIZE_T)
NTOS_SAFE_TYPE_(SIZET, SIZE_T)
NTOS_SAFE_TYPE_(Short, SHORT)
NTOS_SAFE_TYPE_(Int, INT32)
NTOS_SAFE_TYPE_(Long, LONG)
NTOS_SAFE_TYPE_(LongLong, LONGLONG)
NTOS_SAFE_TYPE_(SSIZET, SSIZE_T)

#define NTOS_SAFE_CONVERSION_(from_name, from_type, to_name, to_type)                          \
    FORCEINLINE NTSTATUS Rtl##from_name##To##to_name(from_type value, to_type *result)         \
    {                                                                                          \
        if (!__builtin_add_overflow(value, (from_type)0, result))                              \
            return STATUS_SUCCESS;                                                             \
        *result = (to_type)-1;                                                                 \
        return STATUS_INTEGER_OVERFLOW;                                                        \
    }

NTOS_SAFE_CONVERSION_(UShort, USHORT, UChar, UCHAR)
NTOS_SAFE_CONVERSION_(ULong, ULONG, UChar, UCHAR)
NTOS_SAFE_CONVERSION_(ULong, ULONG, UInt8, UINT8)
NTOS_SAFE_CONVERSION_(ULong, ULONG, UShort, USHORT)
NTOS_SAFE_CONVERSION_(ULong, ULONG, Long, LONG)
NTOS_SAFE_CONVERSION_(ULong, ULONG, Int, INT32)
NTOS_SAFE_CONVERSION_(Long, LONG, ULong, ULONG)
NTOS_SAFE_CONVERSION_(Long, LONG, UShort, USHORT)
NTOS_SAFE_CONVERSION_(Long, LONG, SizeT, SIZE_T)
NTOS_SAFE_CONVERSION_(Int, INT32, UShort, USHORT)
NTOS_SAFE_CONVERSION_(Int, INT32, ULong, ULONG)
NTOS_SAFE_CONVERSION_(Int, INT32, SizeT, SIZE_T)
NTOS_SAFE_CONVERSION_(UInt, UINT32, UShort, USHORT)
NTOS_SAFE_CONVERSION_(ULongLong, ULONGLONG, ULong, ULONG)
NTOS_SAFE_CONVERSION_(ULongLong, ULONGLONG, UShort, USHORT)
NTOS_SAFE_CONVERSION_(ULongLong, ULONGLONG, LongLong, LONGLONG)
NTOS_SAFE_CONVERSION_(ULongLong, ULONGLONG, SizeT, SIZE_T)
NTOS_SAFE_CONVERSION_(LongLong, LONGLONG, ULong, ULONG)
NTOS_SAFE_CONVERSION_(LongLong, LONGLONG, Long, LONG)
NTOS_SAFE_CONVERSION_(LongLong, LONGLONG, ULongLong, ULONGLONG)
NTOS_SAFE_CONVERSION_(ULongPtr, ULONG_PTR, ULong, ULONG)
NTOS_SAFE_CONVERSION_(ULongPtr, ULONG_PTR, UShort, USHORT)
NTOS_SAFE_CONVERSION_(LongPtr, LONG_PTR, Long, LONG)
NTOS_SAFE_CONVERSION_(SizeT, SIZE_T, ULong, ULONG)
NTOS_SAFE_CONVERSION_(SizeT, SIZE_T, UShort, USHORT)
NTOS_SAFE_CONVERSION_(SizeT, SIZE_T, UChar, UCHAR)
NTOS_SAFE_CONVERSION_(SizeT, SIZE_T, UInt, UINT32)
NTOS_SAFE_CONVERSION_(SizeT, SIZE_T, Long, LONG)
NTOS_SAFE_CONVERSION_(SIZET, SIZE_T, ULong, ULONG)
NTOS_SAFE_CONVERSION_(SIZET, SIZE_T, UShort, USHORT)

#endif
