#include <windows.h>

#include "core.h"

// Drivers read and write their IRQL as register CR8. In a process of Wine that is a privileged instruction: this
// handler does what the processor would.
//
//   44 0F 20 C0+r   mov r64, cr8        44 0F 22 C0+r   mov cr8, r64
//   45 …            the same with r8 to r15
static DWORD slot = TLS_OUT_OF_INDEXES;

uint8_t bed_irql(void)
{
    return slot == TLS_OUT_OF_INDEXES ? 0 : (uint8_t)(uintptr_t)TlsGetValue(slot);
}

uint8_t bed_irql_set(uint8_t irql)
{
    uint8_t before = bed_irql();
    TlsSetValue(slot, (void *)(uintptr_t)irql);
    return before;
}

static DWORD64 *register_of(CONTEXT *context, unsigned number)
{
    return &context->Rax + number;  // Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8 … R15, in the processor's order
}

static LONG CALLBACK handle_exception(EXCEPTION_POINTERS *exception)
{
    if (exception->ExceptionRecord->ExceptionCode != EXCEPTION_PRIV_INSTRUCTION)
        return EXCEPTION_CONTINUE_SEARCH;
    CONTEXT *context = exception->ContextRecord;
    const BYTE *code = (const BYTE *)context->Rip;
    bool is_read = code[2] == 0x20, is_write = code[2] == 0x22;
    if ((code[0] & 0xFE) != 0x44 || code[1] != 0x0F || !(is_read || is_write) || (code[3] & 0xF8) != 0xC0)
        return EXCEPTION_CONTINUE_SEARCH;
    DWORD64 *target = register_of(context, (code[3] & 7u) + ((code[0] & 1u) ? 8 : 0));
    if (is_read)
        *target = bed_irql();
    else
        bed_irql_set((uint8_t)*target);
    context->Rip += 4;
    return EXCEPTION_CONTINUE_EXECUTION;
}

void bed_irql_start(void)
{
    slot = TlsAlloc();
    AddVectoredExceptionHandler(1, handle_exception);
}
