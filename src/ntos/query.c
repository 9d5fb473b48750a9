// RtlQueryRegistryValues and its relatives: the registry by tables.
#include <stdlib.h>

#include "ntos/object.h"
#include "ntos/pool.h"
#include "ntos/registry.h"
#include "ntos/verify.h"

static NTSTATUS open_relative(ULONG relative_to, PCWSTR path, bool create, PHANDLE ret_handle, bool *ret_close)
{
    *ret_close = true;
    if (relative_to & RTL_REGISTRY_HANDLE) {
        *ret_handle = (HANDLE)(ULONG_PTR)path;
        *ret_close = false;
        return STATUS_SUCCESS;
    }
    const WCHAR *prefix;
    switch (relative_to & ~(RTL_REGISTRY_OPTIONAL | RTL_REGISTRY_HANDLE)) {
    case RTL_REGISTRY_ABSOLUTE: prefix = L""; break;
    case RTL_REGISTRY_SERVICES: prefix = NTOS_REGISTRY_SERVICES; break;
    case RTL_REGISTRY_CONTROL: prefix = L"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\"; break;
    default: return STATUS_INVALID_PARAMETER;
    }
    size_t units = wcslen(prefix) + (path ? wcslen(path) : 0) + 1;
    WCHAR *full = malloc(units * sizeof(WCHAR));
    if (!full)
        return STATUS_INSUFFICIENT_RESOURCES;
    (void)swprintf_s(full, units, L"%s%s", prefix, path ? path : L"");
    UNICODE_STRING name;
    NTSTATUS status = RtlInitUnicodeStringEx(&name, full);
    OBJECT_ATTRIBUTES attributes;
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    if (NT_SUCCESS(status))
        status = create ? ZwCreateKey(ret_handle, KEY_ALL_ACCESS, &attributes, 0, NULL, 0, NULL)
                        : ZwOpenKey(ret_handle, KEY_READ, &attributes);
    free(full);
    return status;
}

// The value's information, for free(); NULL with *ret_status set.
static KEY_VALUE_FULL_INFORMATION *read_value(HANDLE key, PCWSTR name, NTSTATUS *ret_status)
{
    UNICODE_STRING value_name;
    RtlInitUnicodeString(&value_name, name);
    ULONG size = 0;
    NTSTATUS status = ZwQueryValueKey(key, &value_name, KeyValueFullInformation, NULL, 0, &size);
    KEY_VALUE_FULL_INFORMATION *info = NULL;
    if (status == STATUS_BUFFER_TOO_SMALL || status == STATUS_BUFFER_OVERFLOW) {
        // Room for a terminator, which strings in the registry need not have.
        info = calloc(1, size + 2 * sizeof(WCHAR));
        status = info ? ZwQueryValueKey(key, &value_name, KeyValueFullInformation, info, size, &size)
                      : STATUS_INSUFFICIENT_RESOURCES;
    }
    *ret_status = status;
    if (NT_SUCCESS(status))
        return info;
    free(info);
    return NULL;
}

static bool is_string(ULONG type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

// RTL_QUERY_REGISTRY_DIRECT into a UNICODE_STRING, which gets a buffer if it has none.
static NTSTATUS store_string(PUNICODE_STRING to, const void *data, ULONG size, const void *owner)
{
    while (size >= sizeof(WCHAR) && ((const WCHAR *)data)[size / sizeof(WCHAR) - 1] == 0)
        size -= (ULONG)sizeof(WCHAR);
    ULONG needed = size + (ULONG)sizeof(WCHAR);
    if (needed > MAXUSHORT)
        return STATUS_BUFFER_TOO_SMALL;
    if (!to->Buffer) {
        to->Buffer = ntos_pool_allocate(needed, 0x676e7452u, owner);
        if (!to->Buffer)
            return STATUS_NO_MEMORY;
        to->MaximumLength = (USHORT)needed;
    } else if (needed > to->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(to->Buffer, data, size);
    to->Length = (USHORT)size;
    to->Buffer[size / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

// Other types: up to 4 bytes as they are; more into a buffer that begins with a LONG, its negative size.
static NTSTATUS store_direct(const RTL_QUERY_REGISTRY_TABLE *entry, ULONG type, const void *data, ULONG size,
                             const void *owner)
{
    if (entry->Flags & RTL_QUERY_REGISTRY_TYPECHECK) {
        ULONG expected = entry->DefaultType >> RTL_QUERY_REGISTRY_TYPECHECK_SHIFT;
        if (expected != REG_NONE && expected != type)
            return STATUS_OBJECT_TYPE_MISMATCH;
    }
    if (is_string(type))
        return store_string(entry->EntryContext, data, size, owner);
    if (size <= sizeof(ULONG)) {
        memcpy(entry->EntryContext, data, size);
        return STATUS_SUCCESS;
    }
    LONG room;
    memcpy(&room, entry->EntryContext, sizeof(room));
    if (room < 0) {
        if ((ULONG)-room < size)
            return STATUS_BUFFER_TOO_SMALL;
        memcpy(entry->EntryContext, data, size);
        return STATUS_SUCCESS;
    }
    if ((ULONG)room < size + 2 * sizeof(ULONG))
        return STATUS_BUFFER_TOO_SMALL;
    ULONG header[2] = { size, type };
    memcpy(entry->EntryContext, header, sizeof(header));
    memcpy((char *)entry->EntryContext + sizeof(header), data, size);
    return STATUS_SUCCESS;
}

static NTSTATUS deliver(const RTL_QUERY_REGISTRY_TABLE *entry, PCWSTR name, ULONG type, const void *data, ULONG size,
                        PVOID context, const void *owner)
{
    PWSTR name_text = (PWSTR)(ULONG_PTR)name;
    if (entry->Flags & RTL_QUERY_REGISTRY_DIRECT)
        return store_direct(entry, type, data, size, owner);
    if (!entry->QueryRoutine)
        return STATUS_SUCCESS;
    if (type != REG_MULTI_SZ || (entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND))
        return entry->QueryRoutine(name_text, type, (PVOID)(ULONG_PTR)data, size, context, entry->EntryContext);
    // A list of strings is delivered one by one.
    for (const WCHAR *at = data, *end = at + size / sizeof(WCHAR); at < end && *at;) {
        size_t units = wcsnlen(at, (size_t)(end - at)) + 1;
        NTSTATUS status = entry->QueryRoutine(name_text, REG_SZ, (PVOID)(ULONG_PTR)at,
                                              (ULONG)(units * sizeof(WCHAR)), context, entry->EntryContext);
        if (!NT_SUCCESS(status))
            return status;
        at += units;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS deliver_default(const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *owner)
{
    ULONG type = entry->DefaultType & ((1u << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) - 1);
    if (entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    if (type == REG_NONE || !entry->DefaultData)
        return STATUS_SUCCESS;
    ULONG size = entry->DefaultLength;
    if (size == 0 && is_string(type))
        size = (ULONG)((wcslen(entry->DefaultData) + 1) * sizeof(WCHAR));
    else if (size == 0 && type == REG_DWORD)
        size = sizeof(ULONG);
    // The default is of the table's own type: nothing to check.
    RTL_QUERY_REGISTRY_TABLE unchecked = *entry;
    unchecked.Flags &= ~(ULONG)RTL_QUERY_REGISTRY_TYPECHECK;
    return deliver(&unchecked, entry->Name, type, entry->DefaultData, size, context, owner);
}

static NTSTATUS query_one(HANDLE key, const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *owner)
{
    NTSTATUS status;
    KEY_VALUE_FULL_INFORMATION *info = read_value(key, entry->Name, &status);
    if (!info)
        return status == STATUS_OBJECT_NAME_NOT_FOUND ? deliver_default(entry, context, owner) : status;
    status = deliver(entry, entry->Name, info->Type, (char *)info + info->DataOffset, info->DataLength, context, owner);
    free(info);
    if (NT_SUCCESS(status) && (entry->Flags & RTL_QUERY_REGISTRY_DELETE)) {
        UNICODE_STRING name;
        RtlInitUnicodeString(&name, entry->Name);
        (void)ZwDeleteValueKey(key, &name);
    }
    return status;
}

// An entry without a name asks for all values.
static NTSTATUS query_all(HANDLE key, const RTL_QUERY_REGISTRY_TABLE *entry, PVOID context, const void *owner)
{
    for (ULONG index = 0;; index++) {
        ULONG size = 0;
        NTSTATUS status = ZwEnumerateValueKey(key, index, KeyValueFullInformation, NULL, 0, &size);
        if (status == STATUS_NO_MORE_ENTRIES)
            return STATUS_SUCCESS;
        if (status != STATUS_BUFFER_TOO_SMALL && status != STATUS_BUFFER_OVERFLOW)
            return status;
        KEY_VALUE_FULL_INFORMATION *info = calloc(1, size + 2 * sizeof(WCHAR));
        WCHAR *name = calloc(1, size + 2 * sizeof(WCHAR));
        status = info && name ? ZwEnumerateValueKey(key, index, KeyValueFullInformation, info, size, &size)
                              : STATUS_INSUFFICIENT_RESOURCES;
        if (NT_SUCCESS(status)) {
            memcpy(name, info->Name, info->NameLength);
            status = deliver(entry, name, info->Type, (char *)info + info->DataOffset, info->DataLength, context,
                             owner);
        }
        free(info);
        free(name);
        if (!NT_SUCCESS(status))
            return status;
    }
}

static NTSTATUS query_table(HANDLE top, const RTL_QUERY_REGISTRY_TABLE *table, PVOID context, const void *owner)
{
    NTSTATUS status = STATUS_SUCCESS;
    HANDLE key = top, subkey = NULL;
    const ULONG without_routine = RTL_QUERY_REGISTRY_SUBKEY | RTL_QUERY_REGISTRY_DIRECT;
    for (const RTL_QUERY_REGISTRY_TABLE *entry = table;
         NT_SUCCESS(status) && (entry->QueryRoutine || (entry->Flags & without_routine)); entry++) {
        if (entry->Flags & (RTL_QUERY_REGISTRY_TOPKEY | RTL_QUERY_REGISTRY_SUBKEY)) {
            if (subkey)
                (void)ZwClose(subkey);
            subkey = NULL;
            key = top;
        }
        if (entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) {
            UNICODE_STRING name;
            RtlInitUnicodeString(&name, entry->Name);
            OBJECT_ATTRIBUTES attributes;
            InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, top, NULL);
            status = ZwOpenKey(&subkey, KEY_READ, &attributes);
            if (NT_SUCCESS(status)) {
                key = subkey;
                status = entry->QueryRoutine ? query_all(key, entry, context, owner) : STATUS_SUCCESS;
            } else if (!(entry->Flags & RTL_QUERY_REGISTRY_REQUIRED)) {
                subkey = NULL;
                return STATUS_SUCCESS;
            }
        } else if (entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) {
            status = entry->QueryRoutine(NULL, REG_NONE, NULL, 0, context, entry->EntryContext);
        } else {
            status = entry->Name ? query_one(key, entry, context, owner) : query_all(key, entry, context, owner);
        }
    }
    if (subkey)
        (void)ZwClose(subkey);
    return status;
}

NTSTATUS RtlQueryRegistryValues(ULONG relative_to, PCWSTR path, PRTL_QUERY_REGISTRY_TABLE table, PVOID context,
                                PVOID environment)
{
    if (!ntos_irql_at_most("RtlQueryRegistryValues", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    HANDLE key = NULL;
    bool close;
    NTSTATUS status = open_relative(relative_to, path, false, &key, &close);
    if (!NT_SUCCESS(status))
        return relative_to & RTL_REGISTRY_OPTIONAL ? STATUS_SUCCESS : status;
    status = query_table(key, table, context, __builtin_return_address(0));
    if (close)
        (void)ZwClose(key);
    return status;
}

NTSTATUS RtlWriteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name, ULONG type, PVOID data, ULONG size)
{
    if (!ntos_irql_at_most("RtlWriteRegistryValue", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    HANDLE key = NULL;
    bool close;
    NTSTATUS status = open_relative(relative_to, path, true, &key, &close);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, name);
    status = ZwSetValueKey(key, &value, 0, type, data, size);
    if (close)
        (void)ZwClose(key);
    return status;
}

NTSTATUS RtlDeleteRegistryValue(ULONG relative_to, PCWSTR path, PCWSTR name)
{
    if (!ntos_irql_at_most("RtlDeleteRegistryValue", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    HANDLE key = NULL;
    bool close;
    NTSTATUS status = open_relative(relative_to, path, false, &key, &close);
    if (!NT_SUCCESS(status))
        return status;
    UNICODE_STRING value;
    RtlInitUnicodeString(&value, name);
    status = ZwDeleteValueKey(key, &value);
    if (close)
        (void)ZwClose(key);
    return status;
}

static NTSTATUS touch(const char *function, ULONG relative_to, PCWSTR path, bool create)
{
    if (!ntos_irql_at_most(function, PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    HANDLE key = NULL;
    bool close;
    NTSTATUS status = open_relative(relative_to, path, create, &key, &close);
    if (NT_SUCCESS(status) && close)
        (void)ZwClose(key);
    return status;
}

NTSTATUS RtlCheckRegistryKey(ULONG relative_to, PWSTR path)
{
    return touch("RtlCheckRegistryKey", relative_to, path, false);
}

NTSTATUS RtlCreateRegistryKey(ULONG relative_to, PWSTR path)
{
    return touch("RtlCreateRegistryKey", relative_to, path, true);
}
