#include "ntos/verify.h"

#include <signal.h>
#include <stdint.h>

int ntos_exception_next(struct ntos_exception_frame *frame)
{
    if (frame->state == 0) {
        frame->state = 1;
        frame->outer = ntos_thread.exceptions;
        ntos_thread.exceptions = frame;
        return 1;
    }
    if (frame->state == 1 && frame->code == 0) {
        // The block ended normally: once more, for a __finally block.
        ntos_exception_leave(frame);
        return 1;
    }
    if (frame->code != 0 && !frame->handled)
        ExRaiseStatus(frame->code);
    return 0;
}

int ntos_exception_filter(struct ntos_exception_frame *frame, int decision)
{
    frame->handled = decision > 0;
    return frame->handled;
}

void ntos_exception_leave(struct ntos_exception_frame *frame)
{
    if (frame->state == 1 && frame->code == 0 && ntos_thread.exceptions == frame)
        ntos_thread.exceptions = frame->outer;
    frame->state = 2;
}

NTSTATUS ntos_exception_code(void)
{
    return ntos_thread.exception_code;
}

static _Noreturn void raise_in(struct ntos_exception_frame *frame, NTSTATUS status)
{
    ntos_thread.exceptions = frame->outer;
    ntos_thread.exception_code = status;
    frame->code = status ? status : STATUS_UNSUCCESSFUL;
    longjmp(frame->context, 1);
}

VOID ExRaiseStatus(NTSTATUS status)
{
    if (ntos_thread.exceptions)
        raise_in(ntos_thread.exceptions, status);
    ntos_bugcheck("ExRaiseStatus", KMODE_EXCEPTION_NOT_HANDLED, "exception 0x%08X outside of any __try block",
                  (unsigned)status);
}

VOID ExRaiseAccessViolation(VOID)
{
    ExRaiseStatus(STATUS_ACCESS_VIOLATION);
}

VOID ExRaiseDatatypeMisalignment(VOID)
{
    ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}

void ntos_exception_from_signal(int signal_number)
{
    struct ntos_exception_frame *frame = ntos_thread.exceptions;
    NTSTATUS status = signal_number == SIGSEGV  ? STATUS_ACCESS_VIOLATION
                      : signal_number == SIGBUS ? STATUS_IN_PAGE_ERROR
                      : signal_number == SIGFPE ? STATUS_INTEGER_DIVIDE_BY_ZERO
                      : signal_number == SIGILL ? STATUS_ILLEGAL_INSTRUCTION
                                                : STATUS_SUCCESS;
    if (!frame || !status)
        return;
    // The handler is left by a jump, so the signal stays blocked unless it is let through here.
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, signal_number);
    (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    raise_in(frame, status);
}

// A driver host has no user-mode addresses: what a METHOD_NEITHER request points to is the host's copy. What remains to
// check is what a driver's error path is tested with: a NULL or wrapping range, and alignment.
static void probe(const char *function, ULONG_PTR address, SIZE_T length, ULONG alignment)
{
    (void)ntos_irql_at_most(function, APC_LEVEL);
    if (length == 0)
        return;
    if (alignment > 1 && address % alignment != 0)
        ExRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
    if (address < PAGE_SIZE || address + length < address)
        ExRaiseStatus(STATUS_ACCESS_VIOLATION);
}

VOID ProbeForRead(const volatile VOID *address, SIZE_T length, ULONG alignment)
{
    probe("ProbeForRead", (ULONG_PTR)address, length, alignment);
}

VOID ProbeForWrite(volatile VOID *address, SIZE_T length, ULONG alignment)
{
    probe("ProbeForWrite", (ULONG_PTR)address, length, alignment);
}
