// The entry of every driver, and the stack protector's cookie. The compiler expects the two names with underscores.
#include <ntddk.h>

#include <intrin.h>

#define DRIVER_OVERRAN_STACK_BUFFER 0xF7  // a code of KeBugCheckEx()

DRIVER_INITIALIZE DriverEntry;
DRIVER_INITIALIZE wall_driver_start;
DECLSPEC_NORETURN void __stack_chk_fail(void);

// A zero byte at its lowest address ends strings that overflow. Replaced before the first function that is protected.
uintptr_t __stack_chk_guard = 0x2B992DDFA2320000;

void __stack_chk_fail(void)
{
    KeBugCheckEx(DRIVER_OVERRAN_STACK_BUFFER, 0, __stack_chk_guard, ~__stack_chk_guard, 0);
}

NTSTATUS NTAPI wall_driver_start(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    // What nobody outside knows: the time to the processor's clock, and where the kernel put things.
    uintptr_t seed = __rdtsc() ^ (uintptr_t)driver ^ (uintptr_t)&driver << 24 ^ (uintptr_t)&__stack_chk_guard << 8;
    __stack_chk_guard ^= (seed * 0x9E3779B97F4A7C15) << 16;
    return DriverEntry(driver, registry_path);
}
