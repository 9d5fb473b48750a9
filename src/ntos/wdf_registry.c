// Framework keys and strings.
#include <stdlib.h>

#include "ntos/framework.h"

struct key {
    struct ntos_wdf_object object;
    HANDLE handle;
};

struct string {
    struct ntos_wdf_object object;
    UNICODE_STRING text;
};

static void release_key(struct ntos_wdf_object *object)
{
    (void)ZwClose(((struct key *)object)->handle);
}

static void release_string(struct ntos_wdf_object *object)
{
    free(((struct string *)object)->text.Buffer);
}

// --- Strings ---

static NTSTATUS assign(struct string *string, const void *units, size_t bytes)
{
    WCHAR *copy = malloc(bytes + sizeof(WCHAR));
    if (!copy || bytes + sizeof(WCHAR) > MAXUSHORT) {
        free(copy);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (bytes > 0)
        memcpy(copy, units, bytes);
    copy[bytes / sizeof(WCHAR)] = 0;
    free(string->text.Buffer);
    string->text = (UNICODE_STRING){ (USHORT)bytes, (USHORT)(bytes + sizeof(WCHAR)), copy };
    return STATUS_SUCCESS;
}

NTSTATUS WdfStringCreate(PCUNICODE_STRING text, PWDF_OBJECT_ATTRIBUTES attributes, WDFSTRING *ret_string)
{
    if (!ntos_irql_at_most("WdfStringCreate", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    struct string *string = ntos_wdf_new(NTOS_WDF_STRING, sizeof(*string), attributes, NULL);
    if (!string)
        return STATUS_INSUFFICIENT_RESOURCES;
    string->object.release = release_string;
    NTSTATUS status = text ? assign(string, text->Buffer, text->Length) : STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        ntos_wdf_delete(&string->object);
        return status;
    }
    *ret_string = (WDFSTRING)string;
    return STATUS_SUCCESS;
}

VOID WdfStringGetUnicodeString(WDFSTRING handle, PUNICODE_STRING text)
{
    struct string *string = ntos_wdf_of("WdfStringGetUnicodeString", handle, NTOS_WDF_STRING);
    *text = string->text;
}

// --- Keys ---

static HANDLE handle_of(const char *function, WDFKEY handle)
{
    return ((struct key *)ntos_wdf_of(function, handle, NTOS_WDF_KEY))->handle;
}

static NTSTATUS open_key(HANDLE root, PCUNICODE_STRING name, bool create, PULONG disposition,
                         PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *ret_key)
{
    UNICODE_STRING copy = *name;
    OBJECT_ATTRIBUTES object;
    HANDLE handle;
    InitializeObjectAttributes(&object, &copy, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, root, NULL);
    NTSTATUS status = create ? ZwCreateKey(&handle, KEY_ALL_ACCESS, &object, 0, NULL, 0, disposition)
                             : ZwOpenKey(&handle, KEY_ALL_ACCESS, &object);
    if (!NT_SUCCESS(status))
        return status;
    struct key *key = ntos_wdf_new(NTOS_WDF_KEY, sizeof(*key), attributes, NULL);
    if (!key) {
        (void)ZwClose(handle);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    key->handle = handle;
    key->object.release = release_key;
    *ret_key = (WDFKEY)key;
    return STATUS_SUCCESS;
}

NTSTATUS WdfDriverOpenParametersRegistryKey(WDFDRIVER handle, ACCESS_MASK access, PWDF_OBJECT_ATTRIBUTES attributes,
                                            WDFKEY *key)
{
    static const WCHAR subkey[] = L"\\Parameters";
    struct ntos_wdf_driver *driver =
        ntos_wdf_of("WdfDriverOpenParametersRegistryKey", handle, NTOS_WDF_DRIVER);
    size_t size = driver->registry_path.Length + sizeof(subkey);
    UNICODE_STRING path = { 0, (USHORT)size, malloc(size) };
    if (!path.Buffer)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlCopyUnicodeString(&path, &driver->registry_path);
    (void)RtlAppendUnicodeToString(&path, subkey);
    NTSTATUS status = open_key(NULL, &path, false, NULL, attributes, key);
    free(path.Buffer);
    return status;
}

NTSTATUS WdfRegistryOpenKey(WDFKEY parent, PCUNICODE_STRING name, ACCESS_MASK access,
                            PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *key)
{
    return open_key(parent ? handle_of("WdfRegistryOpenKey", parent) : NULL, name, false, NULL, attributes, key);
}

NTSTATUS WdfRegistryCreateKey(WDFKEY parent, PCUNICODE_STRING name, ACCESS_MASK access, ULONG options,
                              PULONG disposition, PWDF_OBJECT_ATTRIBUTES attributes, WDFKEY *key)
{
    return open_key(parent ? handle_of("WdfRegistryCreateKey", parent) : NULL, name, true, disposition, attributes,
                    key);
}

VOID WdfRegistryClose(WDFKEY handle)
{
    ntos_wdf_delete(ntos_wdf_of("WdfRegistryClose", handle, NTOS_WDF_KEY));
}

HANDLE WdfRegistryWdmGetHandle(WDFKEY handle)
{
    return handle_of("WdfRegistryWdmGetHandle", handle);
}

// --- Values ---

// The value's information, for free(); NULL with *ret_status set.
static KEY_VALUE_PARTIAL_INFORMATION *read_value(const char *function, WDFKEY key, PCUNICODE_STRING name,
                                                 NTSTATUS *ret_status)
{
    HANDLE handle = handle_of(function, key);
    UNICODE_STRING copy = *name;
    ULONG size = 0;
    *ret_status = ZwQueryValueKey(handle, &copy, KeyValuePartialInformation, NULL, 0, &size);
    if (*ret_status != STATUS_BUFFER_TOO_SMALL && *ret_status != STATUS_BUFFER_OVERFLOW)
        return NULL;
    KEY_VALUE_PARTIAL_INFORMATION *value = malloc(size);
    *ret_status = value ? ZwQueryValueKey(handle, &copy, KeyValuePartialInformation, value, size, &size)
                        : STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(*ret_status))
        return value;
    free(value);
    return NULL;
}

NTSTATUS WdfRegistryQueryValue(WDFKEY key, PCUNICODE_STRING name, ULONG size, PVOID to, PULONG ret_size, PULONG type)
{
    NTSTATUS status;
    KEY_VALUE_PARTIAL_INFORMATION *value = read_value("WdfRegistryQueryValue", key, name, &status);
    if (!value)
        return status;
    if (ret_size)
        *ret_size = value->DataLength;
    if (type)
        *type = value->Type;
    if (to && size < value->DataLength)
        status = STATUS_BUFFER_OVERFLOW;
    else if (to && value->DataLength > 0)
        memcpy(to, value->Data, value->DataLength);
    free(value);
    return status;
}

NTSTATUS WdfRegistryQueryULong(WDFKEY key, PCUNICODE_STRING name, PULONG ret_value)
{
    NTSTATUS status;
    KEY_VALUE_PARTIAL_INFORMATION *value = read_value("WdfRegistryQueryULong", key, name, &status);
    if (!value)
        return status;
    if (value->Type != REG_DWORD || value->DataLength != sizeof(ULONG))
        status = STATUS_OBJECT_TYPE_MISMATCH;
    else
        memcpy(ret_value, value->Data, sizeof(ULONG));
    free(value);
    return status;
}

static size_t text_bytes(const KEY_VALUE_PARTIAL_INFORMATION *value)
{
    return wcsnlen((const WCHAR *)(const void *)value->Data, value->DataLength / sizeof(WCHAR)) * sizeof(WCHAR);
}

NTSTATUS WdfRegistryQueryString(WDFKEY key, PCUNICODE_STRING name, WDFSTRING handle)
{
    NTSTATUS status;
    struct string *string = ntos_wdf_of("WdfRegistryQueryString", handle, NTOS_WDF_STRING);
    KEY_VALUE_PARTIAL_INFORMATION *value = read_value("WdfRegistryQueryString", key, name, &status);
    if (!value)
        return status;
    status = value->Type == REG_SZ ? assign(string, value->Data, text_bytes(value)) : STATUS_OBJECT_TYPE_MISMATCH;
    free(value);
    return status;
}

NTSTATUS WdfRegistryQueryUnicodeString(WDFKEY key, PCUNICODE_STRING name, PUSHORT length, PUNICODE_STRING to)
{
    NTSTATUS status;
    KEY_VALUE_PARTIAL_INFORMATION *value = read_value("WdfRegistryQueryUnicodeString", key, name, &status);
    if (!value)
        return status;
    size_t bytes = text_bytes(value);
    if (value->Type != REG_SZ) {
        status = STATUS_OBJECT_TYPE_MISMATCH;
    } else {
        UNICODE_STRING text = { (USHORT)bytes, (USHORT)bytes, (PWSTR)(void *)value->Data };
        if (length)
            *length = (USHORT)(bytes + sizeof(WCHAR));
        if (to && to->MaximumLength < bytes)
            status = STATUS_BUFFER_OVERFLOW;
        else if (to)
            RtlCopyUnicodeString(to, &text);
    }
    free(value);
    return status;
}

NTSTATUS WdfRegistryAssignValue(WDFKEY key, PCUNICODE_STRING name, ULONG type, ULONG size, PVOID value)
{
    UNICODE_STRING copy = *name;
    return ZwSetValueKey(handle_of("WdfRegistryAssignValue", key), &copy, 0, type, value, size);
}

NTSTATUS WdfRegistryAssignULong(WDFKEY key, PCUNICODE_STRING name, ULONG value)
{
    return WdfRegistryAssignValue(key, name, REG_DWORD, sizeof(value), &value);
}

NTSTATUS WdfRegistryAssignUnicodeString(WDFKEY key, PCUNICODE_STRING name, PCUNICODE_STRING value)
{
    WCHAR *text = calloc(1, value->Length + sizeof(WCHAR));
    if (!text)
        return STATUS_INSUFFICIENT_RESOURCES;
    memcpy(text, value->Buffer, value->Length);
    NTSTATUS status = WdfRegistryAssignValue(key, name, REG_SZ, (ULONG)(value->Length + sizeof(WCHAR)), text);
    free(text);
    return status;
}

NTSTATUS WdfRegistryRemoveValue(WDFKEY key, PCUNICODE_STRING name)
{
    UNICODE_STRING copy = *name;
    return ZwDeleteValueKey(handle_of("WdfRegistryRemoveValue", key), &copy);
}
