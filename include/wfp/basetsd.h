// Sized integers of Windows. Widths are those of LLP64: nothing here is ever a C `long`.
//
// 64-bit types are the C library's uint64_t, so that a uint64_t * of the program fits an UINT64 * of the API.
#pragma once

#ifdef _WIN32
#include_next <basetsd.h>
#else

#include <stddef.h>
#include <stdint.h>

// 64-bit members are aligned to 8 bytes also on 32-bit Windows; on 32-bit Linux to 4.
#ifdef __i386__
#define WFP_ALIGN64 __attribute__((aligned(8)))
#else
#define WFP_ALIGN64
#endif

typedef int8_t INT8, *PINT8;
typedef int16_t INT16, *PINT16;
typedef int32_t INT32, *PINT32;
typedef int64_t WFP_ALIGN64 INT64, *PINT64;
typedef uint8_t UINT8, *PUINT8;
typedef uint16_t UINT16, *PUINT16;
typedef uint32_t UINT32, *PUINT32;
typedef uint64_t WFP_ALIGN64 UINT64, *PUINT64;

typedef int32_t LONG32, *PLONG32;
typedef uint32_t ULONG32, *PULONG32;
typedef uint32_t DWORD32, *PDWORD32;
typedef INT64 LONG64, *PLONG64;
typedef UINT64 ULONG64, *PULONG64;
typedef UINT64 DWORD64, *PDWORD64;

typedef intptr_t INT_PTR, *PINT_PTR;
typedef uintptr_t UINT_PTR, *PUINT_PTR;
typedef intptr_t LONG_PTR, *PLONG_PTR;
typedef uintptr_t ULONG_PTR, *PULONG_PTR;
typedef ULONG_PTR DWORD_PTR, *PDWORD_PTR;
typedef ULONG_PTR SIZE_T, *PSIZE_T;
typedef LONG_PTR SSIZE_T, *PSSIZE_T;
typedef ULONG_PTR KAFFINITY, *PKAFFINITY;

#if UINTPTR_MAX > UINT32_MAX
typedef int32_t HALF_PTR, *PHALF_PTR;
typedef uint32_t UHALF_PTR, *PUHALF_PTR;
#else
typedef int16_t HALF_PTR, *PHALF_PTR;
typedef uint16_t UHALF_PTR, *PUHALF_PTR;
#endif

#define MAXUINT8 ((UINT8)0xff)
#define MAXUINT16 ((UINT16)0xffff)
#define MAXUINT32 ((UINT32)0xffffffff)
#define MAXUINT64 ((UINT64)0xffffffffffffffff)
#define MAXINT8 ((INT8)0x7f)
#define MAXINT16 ((INT16)0x7fff)
#define MAXINT32 ((INT32)0x7fffffff)
#define MAXINT64 ((INT64)0x7fffffffffffffff)
#define MAXULONG32 ((ULONG32)0xffffffff)
#define MAXULONG64 ((ULONG64)0xffffffffffffffff)
#define MAXULONG_PTR ((ULONG_PTR)UINTPTR_MAX)
#define MAXSIZE_T ((SIZE_T)UINTPTR_MAX)

#define HandleToULong(handle) ((ULONG)(ULONG_PTR)(handle))
#define HandleToUlong(handle) ((ULONG)(ULONG_PTR)(handle))
#define HandleToLong(handle) ((LONG)(LONG_PTR)(handle))
#define ULongToHandle(value) ((HANDLE)(ULONG_PTR)(ULONG)(value))
#define UlongToHandle(value) ((HANDLE)(ULONG_PTR)(ULONG)(value))
#define LongToHandle(value) ((HANDLE)(LONG_PTR)(LONG)(value))
#define PtrToUlong(pointer) ((ULONG)(ULONG_PTR)(pointer))
#define PtrToUint(pointer) ((UINT)(UINT_PTR)(pointer))
#define UlongToPtr(value) ((PVOID)(ULONG_PTR)(ULONG)(value))
#define UintToPtr(value) ((PVOID)(UINT_PTR)(UINT)(value))

#endif
