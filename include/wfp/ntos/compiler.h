// What the compiler of Windows drivers brings along: alignment arithmetic, byte order, code-section pragmas, and
// structured exception handling as far as macros can give it.
#pragma once

#include <setjmp.h>

#include "../ntdef.h"

// Drivers name processor and code sections in pragmas and pool tags in multi-character constants; on Windows neither
// warns. (C++ compilers read these pragmas too late; the pkg-config flags carry the same switches.)
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#pragma GCC diagnostic ignored "-Wmultichar"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered"  // __try is setjmp() here, of which the driver knows nothing
#endif

#define NTOS_PRAGMA_(text) _Pragma(#text)
#ifdef __cplusplus
#define NTOS_DECLARATIONS_BEGIN NTOS_PRAGMA_(GCC visibility push(default)) extern "C" {
#define NTOS_DECLARATIONS_END } NTOS_PRAGMA_(GCC visibility pop)
#else
#define NTOS_DECLARATIONS_BEGIN NTOS_PRAGMA_(GCC visibility push(default))
#define NTOS_DECLARATIONS_END NTOS_PRAGMA_(GCC visibility pop)
#endif

#if defined(__x86_64__) && !defined(_AMD64_)
#define _AMD64_ 1
#endif
#if defined(__aarch64__) && !defined(_ARM64_)
#define _ARM64_ 1
#endif
#if UINTPTR_MAX > UINT32_MAX && !defined(_WIN64)
#define _WIN64 1
#endif

// A checked build, unless the driver is compiled with -DNDEBUG or says otherwise: KdPrint prints, ASSERT asserts.
#ifndef DBG
#ifdef NDEBUG
#define DBG 0
#else
#define DBG 1
#endif
#endif

#ifndef NOTHING
#define NOTHING
#endif
#ifndef DECLSPEC_CACHEALIGN
#define DECLSPEC_CACHEALIGN DECLSPEC_ALIGN(64)
#endif
#ifndef FIELD_SIZE
#define FIELD_SIZE(type, field) (sizeof(((type *)0)->field))
#endif
#define ALLOC_PRAGMA 1
#define ALLOC_DATA_PRAGMA 1

#define PAGE_SIZE 0x1000
#define PAGE_SHIFT 12
#define PAGE_ALIGN(address) ((PVOID)((ULONG_PTR)(address) & ~(ULONG_PTR)(PAGE_SIZE - 1)))
#define BYTE_OFFSET(address) ((ULONG)((ULONG_PTR)(address) & (PAGE_SIZE - 1)))
#define ROUND_TO_PAGES(size) (((ULONG_PTR)(size) + PAGE_SIZE - 1) & ~(ULONG_PTR)(PAGE_SIZE - 1))
#define BYTES_TO_PAGES(size) (((size) >> PAGE_SHIFT) + (((size) & (PAGE_SIZE - 1)) != 0))
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, size) \
    ((ULONG)((((ULONG_PTR)(address) & (PAGE_SIZE - 1)) + (ULONG_PTR)(size) + PAGE_SIZE - 1) >> PAGE_SHIFT))

#define ALIGN_DOWN_BY(value, alignment) ((ULONG_PTR)(value) & ~((ULONG_PTR)(alignment) - 1))
#define ALIGN_UP_BY(value, alignment) ALIGN_DOWN_BY((ULONG_PTR)(value) + (alignment) - 1, alignment)
#define ALIGN_DOWN(value, type) ALIGN_DOWN_BY(value, sizeof(type))
#define ALIGN_UP(value, type) ALIGN_UP_BY(value, sizeof(type))
#define ALIGN_DOWN_POINTER_BY(pointer, alignment) ((PVOID)ALIGN_DOWN_BY(pointer, alignment))
#define ALIGN_UP_POINTER_BY(pointer, alignment) ((PVOID)ALIGN_UP_BY(pointer, alignment))
#define ALIGN_DOWN_POINTER(pointer, type) ((PVOID)ALIGN_DOWN_BY(pointer, sizeof(type)))
#define ALIGN_UP_POINTER(pointer, type) ((PVOID)ALIGN_UP_BY(pointer, sizeof(type)))

#ifndef __cplusplus
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif

#define FlagOn(flags, mask) ((flags) & (mask))
#define BooleanFlagOn(flags, mask) ((BOOLEAN)(((flags) & (mask)) != 0))
#define SetFlag(flags, mask) ((flags) |= (mask))
#define ClearFlag(flags, mask) ((flags) &= ~(mask))

#define _byteswap_ushort(value) __builtin_bswap16(value)
#define _byteswap_ulong(value) __builtin_bswap32(value)
#define _byteswap_uint64(value) __builtin_bswap64(value)
#define RtlUshortByteSwap(value) ((USHORT)__builtin_bswap16((USHORT)(value)))
#define RtlUlongByteSwap(value) ((ULONG)__builtin_bswap32((ULONG)(value)))
#define RtlUlonglongByteSwap(value) ((ULONGLONG)__builtin_bswap64((ULONGLONG)(value)))

#define _ReturnAddress() __builtin_return_address(0)
#define __debugbreak() __builtin_trap()
#define DbgBreakPoint() __builtin_trap()
#define DbgRaiseAssertionFailure() __builtin_trap()
#define KeMemoryBarrier() __sync_synchronize()
#define MemoryBarrier() __sync_synchronize()
#define KeMemoryBarrierWithoutFence() __asm__ __volatile__("" ::: "memory")
#define _ReadWriteBarrier() __asm__ __volatile__("" ::: "memory")
#if defined(__x86_64__) || defined(__i386__)
#define YieldProcessor() __builtin_ia32_pause()
#else
#define YieldProcessor() __asm__ __volatile__("yield" ::: "memory")
#endif

// --- Structured exception handling ---
//
// __try/__except catches ExRaiseStatus (and what raises by it: ProbeForRead, MmProbeAndLockPages, …) and, in a driver
// host, faults of the same thread. __try/__finally runs its block after normal completion, __leave and exceptions.
// What macros cannot do, so that a driver must not rely on it: `return` or `goto` out of a __try block skips its
// __finally block; `break` and `continue` directly inside these blocks end the blocks, not a loop around them; __leave
// inside a loop inside the block continues that loop.

NTOS_DECLARATIONS_BEGIN

struct ntos_exception_frame {
    struct ntos_exception_frame *outer;
    int state;  // 0: not begun, 1: inside the block, 2: block done
    int handled;
    NTSTATUS code;
    jmp_buf context;
};

int ntos_exception_next(struct ntos_exception_frame *frame);
int ntos_exception_filter(struct ntos_exception_frame *frame, int decision);
void ntos_exception_leave(struct ntos_exception_frame *frame);
NTSTATUS ntos_exception_code(void);

NTOS_DECLARATIONS_END

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#ifdef __cplusplus
#define NTOS_ZERO_ {}
#else
#define NTOS_ZERO_ {0}
#endif
#undef __try
#undef __except
#undef __finally
#undef __leave
#define __try                                                                                                  \
    for (struct ntos_exception_frame ntos_frame_ __attribute__((cleanup(ntos_exception_leave))) = NTOS_ZERO_;  \
         ntos_exception_next(&ntos_frame_);)                                                                   \
        if (ntos_frame_.state == 1 && setjmp(ntos_frame_.context) == 0)
#define __except(filter) else if (ntos_frame_.code != 0 && ntos_exception_filter(&ntos_frame_, (filter)))
#define __finally else
#define __leave continue
#define _exception_code() ntos_exception_code()
#define GetExceptionCode() ntos_exception_code()
#define GetExceptionInformation() ((struct _EXCEPTION_POINTERS *)NULL)
#define AbnormalTermination() (ntos_frame_.code != 0)
