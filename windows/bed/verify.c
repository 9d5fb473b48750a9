// Watching drivers, as Driver Verifier does: when a driver is loaded its imports of ntoskrnl.exe and ndis.sys are
// replaced by functions that count, check the IRQL and fail on demand.
#include <windows.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core.h"

struct unicode_string {
    USHORT length, size;
    WCHAR *text;
};

// What ntdll tells of a module: flags, full name, base name, base address, size.
struct notification {
    ULONG flags;
    const struct unicode_string *full_name, *base_name;
    BYTE *base;
    ULONG size;
};

typedef void(CALLBACK *notify_function)(ULONG reason, const struct notification *data, void *context);
typedef LONG(NTAPI *register_function)(ULONG flags, notify_function function, void *context, void **cookie);

#define REASON_LOADED 1

static volatile LONG counters[BED_COUNTERS_];
static volatile LONG violations, images;
static volatile LONG faultable, armed, faults;
static char last_faultable[64], last_violation[160];

void bed_violation(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bed_lock();
    vsnprintf(last_violation, sizeof(last_violation), format, arguments);
    bed_unlock();
    va_end(arguments);
    InterlockedIncrement(&violations);
}

void bed_forgive(void)
{
    violations = 0;
    last_violation[0] = '\0';
}

void bed_expect_irql(const char *name, uint8_t highest)
{
    if (bed_irql() > highest)
        bed_violation("%s() called at IRQL %u", name, bed_irql());
}

void bed_count(enum bed_counter counter, int change)
{
    if (InterlockedExchangeAdd(&counters[counter], change) + change < 0)
        bed_violation("counter %d is below zero: released twice", counter);
}

bool bed_fault(const char *name)
{
    LONG number = InterlockedIncrement(&faultable);
    bool hit = armed != 0 && number == armed;
    if (armed == 0 || number <= armed)
        snprintf(last_faultable, sizeof(last_faultable), "%s", name);
    if (hit)
        InterlockedIncrement(&faults);
    return hit;
}

void bed_fault_arm(uint32_t number)
{
    faultable = 0;
    faults = 0;
    armed = (LONG)number;
}

void bed_verify_state(struct bed_state *state)
{
    state->devices = (uint32_t)counters[BED_DEVICES];
    state->links = (uint32_t)counters[BED_LINKS];
    state->handles = (uint32_t)counters[BED_HANDLES];
    state->allocations = (uint32_t)counters[BED_ALLOCATIONS];
    state->work_items = (uint32_t)counters[BED_WORK_ITEMS];
    state->violations = (uint32_t)violations;
    state->images = (uint32_t)images;
    state->faultable = (uint32_t)faultable;
    state->faults = (uint32_t)faults;
    memcpy(state->last_faultable, last_faultable, sizeof(last_faultable));
    memcpy(state->last_violation, last_violation, sizeof(last_violation));
}

// --- Imports ---

static void replace_import(void **slot, void *function)
{
    DWORD protection;
    if (!VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &protection))
        return;
    *slot = function;
    VirtualProtect(slot, sizeof(*slot), protection, &protection);
}

static void replace_imports(BYTE *base)
{
    const IMAGE_NT_HEADERS64 *header = (const void *)(base + ((const IMAGE_DOS_HEADER *)(void *)base)->e_lfanew);
    const IMAGE_DATA_DIRECTORY *directory = &header->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    const IMAGE_IMPORT_DESCRIPTOR *import = (const void *)(base + directory->VirtualAddress);
    bool uses_us = false;
    for (; directory->Size && import->Name; import++) {
        if (_stricmp((const char *)base + import->Name, "fwpkclnt.sys") == 0)
            uses_us = true;
        if (_stricmp((const char *)base + import->Name, "ntoskrnl.exe") != 0 &&
            _stricmp((const char *)base + import->Name, "ndis.sys") != 0)
            continue;
        const IMAGE_THUNK_DATA64 *name = (const void *)(base + import->OriginalFirstThunk);
        IMAGE_THUNK_DATA64 *slot = (void *)(base + import->FirstThunk);
        for (; name->u1.AddressOfData; name++, slot++) {
            const IMAGE_IMPORT_BY_NAME *entry = (const void *)(base + name->u1.AddressOfData);
            void *function = bed_thunk((const char *)entry->Name);
            if (function)
                replace_import((void **)slot, function);
        }
    }
    if (uses_us)
        InterlockedIncrement(&images);
}

static bool ends_with_sys(const struct unicode_string *name)
{
    size_t length = name->length / sizeof(WCHAR);
    return length > 4 && _wcsnicmp(name->text + length - 4, L".sys", 4) == 0;
}

static void CALLBACK module_loaded(ULONG reason, const struct notification *data, void *context)
{
    static const WCHAR own[] = L"bed.sys";
    (void)context;
    if (reason == REASON_LOADED && ends_with_sys(data->base_name) &&
        _wcsnicmp(data->base_name->text, own, sizeof(own) / sizeof(WCHAR) - 1) != 0)
        replace_imports(data->base);
}

void bed_verify_start(void)
{
    static void *cookie;
    register_function start =
        (register_function)(void *)GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "LdrRegisterDllNotification");
    if (!start || start(0, module_loaded, NULL, &cookie) != 0)
        bed_violation("drivers cannot be watched");
}
