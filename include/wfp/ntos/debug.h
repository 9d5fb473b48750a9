// Debug output and bug checks.
//
// DbgPrint understands Windows formats: %s char, %S %ws %ls WCHAR, %c %C %wc, %Z ANSI_STRING *, %wZ UNICODE_STRING *,
// %I64d %I64x %Ix, %p; a plain %l is 32 bits. Text is UTF-8. Wide conversions above PASSIVE_LEVEL are reported, as
// Windows forbids them there. A message longer than 512 bytes is cut.
#pragma once

#include "irql.h"

#define DPFLTR_ERROR_LEVEL 0
#define DPFLTR_WARNING_LEVEL 1
#define DPFLTR_TRACE_LEVEL 2
#define DPFLTR_INFO_LEVEL 3
#define DPFLTR_MASK 0x80000000

typedef enum _DPFLTR_TYPE {
    DPFLTR_SYSTEM_ID = 0,
    DPFLTR_NDIS_ID = 25,
    DPFLTR_IHVVIDEO_ID = 78,
    DPFLTR_IHVAUDIO_ID = 79,
    DPFLTR_IHVNETWORK_ID = 80,
    DPFLTR_IHVSTREAMING_ID = 81,
    DPFLTR_IHVBUS_ID = 82,
    DPFLTR_DEFAULT_ID = 101,
    DPFLTR_TCPIP_ID = 108,
    DPFLTR_IHVDRIVER_ID = 77,
    DPFLTR_WFP_ID = 138,
    DPFLTR_ENDOFTABLE_ID = 155
} DPFLTR_TYPE;

NTOS_DECLARATIONS_BEGIN

ULONG DbgPrint(PCSTR format, ...);
ULONG DbgPrintEx(ULONG component, ULONG level, PCSTR format, ...);
ULONG vDbgPrintEx(ULONG component, ULONG level, PCSTR format, va_list arguments);
ULONG vDbgPrintExWithPrefix(PCSTR prefix, ULONG component, ULONG level, PCSTR format, va_list arguments);

#if DBG
#define KdPrint(parenthesised) ((void)DbgPrint parenthesised)
#define KdPrintEx(parenthesised) ((void)DbgPrintEx parenthesised)
#else
#define KdPrint(parenthesised) ((void)0)
#define KdPrintEx(parenthesised) ((void)0)
#endif
#define KdBreakPoint() ((void)0)

VOID RtlAssert(PVOID expression, PVOID file, ULONG line, PCSTR message);
#if DBG
#define ASSERT(expression) \
    ((void)((expression) ? 0 : (RtlAssert((PVOID)#expression, (PVOID)__FILE__, __LINE__, NULL), 0)))
#define ASSERTMSG(message, expression) \
    ((void)((expression) ? 0 : (RtlAssert((PVOID)#expression, (PVOID)__FILE__, __LINE__, (message)), 0)))
#define NT_ASSERT(expression) ASSERT(expression)
#define NT_VERIFY(expression) \
    ((expression) ? TRUE : (RtlAssert((PVOID)#expression, (PVOID)__FILE__, __LINE__, NULL), FALSE))
#else
#define ASSERT(expression) ((void)0)
#define ASSERTMSG(message, expression) ((void)0)
#define NT_ASSERT(expression) ((void)0)
#define NT_VERIFY(expression) ((expression) ? TRUE : FALSE)
#endif
#define NT_FRE_ASSERT(expression) \
    ((void)((expression) ? 0 : (RtlAssert((PVOID)#expression, (PVOID)__FILE__, __LINE__, NULL), 0)))
#define RTL_VERIFY(expression) NT_VERIFY(expression)

// End the process, which is the driver's machine, with a report.
DECLSPEC_NORETURN VOID KeBugCheck(ULONG code);
DECLSPEC_NORETURN VOID KeBugCheckEx(ULONG code, ULONG_PTR p1, ULONG_PTR p2, ULONG_PTR p3, ULONG_PTR p4);

#define IRQL_NOT_GREATER_OR_EQUAL 0x00000009
#define IRQL_NOT_LESS_OR_EQUAL 0x0000000A
#define SPIN_LOCK_ALREADY_OWNED 0x0000000F
#define SPIN_LOCK_NOT_OWNED 0x00000010
#define REFERENCE_BY_POINTER 0x00000018
#define BAD_POOL_HEADER 0x00000019
#define KMODE_EXCEPTION_NOT_HANDLED 0x0000001E
#define NO_MORE_IRP_STACK_LOCATIONS 0x00000035
#define MULTIPLE_IRP_COMPLETE_REQUESTS 0x00000044
#define CANCEL_STATE_IN_COMPLETED_IRP 0x00000048
#define BAD_POOL_CALLER 0x000000C2
#define DRIVER_VERIFIER_DETECTED_VIOLATION 0x000000C4
#define DRIVER_IRQL_NOT_LESS_OR_EQUAL 0x000000D1
#define MANUALLY_INITIATED_CRASH 0x000000E2

// --- Exceptions (see __try in compiler.h); outside of any __try block they are bug checks ---

DECLSPEC_NORETURN VOID ExRaiseStatus(NTSTATUS status);
DECLSPEC_NORETURN VOID ExRaiseAccessViolation(VOID);
DECLSPEC_NORETURN VOID ExRaiseDatatypeMisalignment(VOID);
VOID ProbeForRead(const volatile VOID *address, SIZE_T length, ULONG alignment);
VOID ProbeForWrite(volatile VOID *address, SIZE_T length, ULONG alignment);

NTOS_DECLARATIONS_END
