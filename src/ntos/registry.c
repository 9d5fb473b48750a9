#include "ntos/registry.h"

#include <pthread.h>
#include <stdlib.h>

#include "ntos/object.h"
#include "ntos/pool.h"
#include "ntos/verify.h"

struct value {
    LIST_ENTRY entry;
    UNICODE_STRING name;
    ULONG type;
    ULONG size;
    void *data;
};

struct key {
    LIST_ENTRY entry;
    UNICODE_STRING path;  // in full, as first made
    LIST_ENTRY values;
    LARGE_INTEGER written;
    bool deleted;  // open handles keep the structure
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static LIST_ENTRY keys = { &keys, &keys };
static unsigned key_count, value_count;

static void free_value(struct value *value)
{
    free(value->name.Buffer);
    free(value->data);
    free(value);
    value_count--;
}

static void drop_values(struct key *key)
{
    while (!IsListEmpty(&key->values))
        free_value(CONTAINING_RECORD(RemoveHeadList(&key->values), struct value, entry));
}

static void destroy_key(void *object)
{
    free(((struct key *)object)->path.Buffer);  // its values went when it was deleted
}

struct _OBJECT_TYPE ntos_key_type = { "Key", destroy_key };

static bool copy_string(PUNICODE_STRING to, PCUNICODE_STRING from)
{
    to->Buffer = malloc((size_t)from->Length + sizeof(WCHAR));
    if (!to->Buffer)
        return false;
    to->MaximumLength = (USHORT)(from->Length + sizeof(WCHAR));
    RtlCopyUnicodeString(to, from);
    return true;
}

// --- Keys ---

static struct key *find_key(PCUNICODE_STRING path)
{
    for (PLIST_ENTRY entry = keys.Flink; entry != &keys; entry = entry->Flink) {
        struct key *key = CONTAINING_RECORD(entry, struct key, entry);
        if (RtlEqualUnicodeString(&key->path, path, TRUE))
            return key;
    }
    return NULL;
}

static struct key *add_key(PCUNICODE_STRING path)
{
    if (key_count >= NTOS_REGISTRY_KEYS_MAX)
        return NULL;
    struct key *key = ntos_object_new(&ntos_key_type, sizeof(*key));
    if (!key)
        return NULL;
    InitializeListHead(&key->values);
    if (!copy_string(&key->path, path)) {
        ObDereferenceObject(key);
        return NULL;
    }
    ntos_system_time(&key->written);
    InsertTailList(&keys, &key->entry);
    key_count++;
    return key;
}

static bool is_below(const struct key *key, PCUNICODE_STRING path)
{
    return key->path.Length > path->Length && RtlPrefixUnicodeString(path, &key->path, TRUE) &&
           key->path.Buffer[path->Length / sizeof(WCHAR)] == '\\';
}

// The key itself lives on for its open handles.
static void remove_key(struct key *key)
{
    RemoveEntryList(&key->entry);
    key_count--;
    key->deleted = true;
    drop_values(key);
}

// ControlSet001 is the current one, as on a freshly installed Windows.
static NTSTATUS full_path(POBJECT_ATTRIBUTES attributes, PUNICODE_STRING ret_path)
{
    static const UNICODE_STRING numbered = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\ControlSet001");
    static const UNICODE_STRING current = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\System\\CurrentControlSet");
    PCUNICODE_STRING name = attributes->ObjectName;
    struct key *root = NULL;
    if (attributes->RootDirectory) {
        root = ntos_handle_object(attributes->RootDirectory, &ntos_key_type);
        if (!root)
            return STATUS_INVALID_HANDLE;
    } else if (!name || name->Length == 0 || name->Buffer[0] != '\\') {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    size_t size = (root ? root->path.Length + sizeof(WCHAR) : 0) + (name ? name->Length : 0) + current.Length;
    NTSTATUS status = STATUS_SUCCESS;
    UNICODE_STRING path = { 0, (USHORT)(size + sizeof(WCHAR)), NULL };
    if (size + sizeof(WCHAR) > MAXUSHORT)
        status = STATUS_NAME_TOO_LONG;
    else if (!(path.Buffer = malloc(size + sizeof(WCHAR))))
        status = STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status)) {
        UNICODE_STRING rest = name ? *name : (UNICODE_STRING){0};
        if (root) {
            (void)RtlAppendUnicodeStringToString(&path, &root->path);
            if (rest.Length > 0)
                (void)RtlAppendUnicodeToString(&path, L"\\");
        } else if (RtlPrefixUnicodeString(&numbered, &rest, TRUE)) {
            (void)RtlAppendUnicodeStringToString(&path, &current);
            rest.Buffer += numbered.Length / sizeof(WCHAR);
            rest.Length = (USHORT)(rest.Length - numbered.Length);
        }
        (void)RtlAppendUnicodeStringToString(&path, &rest);
        while (path.Length > sizeof(WCHAR) && path.Buffer[path.Length / sizeof(WCHAR) - 1] == '\\')
            path.Length -= sizeof(WCHAR);
        *ret_path = path;
    }
    if (root)
        ObDereferenceObject(root);
    return status;
}

static NTSTATUS open_key(PHANDLE handle, POBJECT_ATTRIBUTES attributes, bool create, const void *owner,
                         PULONG disposition)
{
    UNICODE_STRING path;
    NTSTATUS status = full_path(attributes, &path);
    if (!NT_SUCCESS(status))
        return status;
    pthread_mutex_lock(&lock);
    struct key *key = find_key(&path);
    bool made = false;
    if (!key && create) {
        // Only below a key that exists.
        UNICODE_STRING parent = path;
        do
            parent.Length -= sizeof(WCHAR);
        while (parent.Length > 0 && parent.Buffer[parent.Length / sizeof(WCHAR)] != '\\');
        if (find_key(&parent)) {
            key = add_key(&path);
            made = true;
            status = key ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    if (key)
        ObReferenceObject(key);
    else if (NT_SUCCESS(status))
        status = STATUS_OBJECT_NAME_NOT_FOUND;
    pthread_mutex_unlock(&lock);
    free(path.Buffer);
    if (!key)
        return status;
    status = ntos_handle_new(key, owner, handle);
    ObDereferenceObject(key);
    if (disposition)
        *disposition = made ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
    return status;
}

NTSTATUS ZwOpenKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes)
{
    if (!ntos_irql_at_most("ZwOpenKey", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return open_key(handle, attributes, false, __builtin_return_address(0), NULL);
}

NTSTATUS ZwCreateKey(PHANDLE handle, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes, ULONG title_index,
                     PUNICODE_STRING key_class, ULONG options, PULONG disposition)
{
    if (!ntos_irql_at_most("ZwCreateKey", PASSIVE_LEVEL))
        return STATUS_UNSUCCESSFUL;
    return open_key(handle, attributes, true, __builtin_return_address(0), disposition);
}

// The key behind a handle, with a reference and the lock held; or NULL with *ret_status set.
static struct key *enter(const char *function, HANDLE handle, NTSTATUS *ret_status)
{
    if (!ntos_irql_at_most(function, PASSIVE_LEVEL)) {
        *ret_status = STATUS_UNSUCCESSFUL;
        return NULL;
    }
    struct key *key = ntos_handle_object(handle, &ntos_key_type);
    if (!key) {
        *ret_status = STATUS_INVALID_HANDLE;
        return NULL;
    }
    pthread_mutex_lock(&lock);
    if (!key->deleted)
        return key;
    pthread_mutex_unlock(&lock);
    ObDereferenceObject(key);
    *ret_status = STATUS_KEY_DELETED;
    return NULL;
}

static void leave(struct key *key)
{
    pthread_mutex_unlock(&lock);
    ObDereferenceObject(key);
}

NTSTATUS ZwDeleteKey(HANDLE handle)
{
    NTSTATUS status;
    struct key *key = enter("ZwDeleteKey", handle, &status);
    if (!key)
        return status;
    bool empty = true;
    for (PLIST_ENTRY entry = keys.Flink; entry != &keys; entry = entry->Flink)
        if (is_below(CONTAINING_RECORD(entry, struct key, entry), &key->path))
            empty = false;
    if (empty)
        remove_key(key);
    leave(key);
    if (!empty)
        return STATUS_CANNOT_DELETE;
    ObDereferenceObject(key);  // the tree's
    return STATUS_SUCCESS;
}

NTSTATUS ZwFlushKey(HANDLE handle)
{
    NTSTATUS status;
    struct key *key = enter("ZwFlushKey", handle, &status);
    if (!key)
        return status;
    leave(key);
    return STATUS_SUCCESS;
}

// --- Values ---

static struct value *find_value(struct key *key, PCUNICODE_STRING name)
{
    static const UNICODE_STRING unnamed = {0};
    for (PLIST_ENTRY entry = key->values.Flink; entry != &key->values; entry = entry->Flink) {
        struct value *value = CONTAINING_RECORD(entry, struct value, entry);
        if (RtlEqualUnicodeString(&value->name, name ? name : &unnamed, TRUE))
            return value;
    }
    return NULL;
}

static NTSTATUS set_value(struct key *key, PCUNICODE_STRING name, ULONG type, const void *data, ULONG size)
{
    static const UNICODE_STRING unnamed = {0};
    struct value *value = find_value(key, name);
    if (size > NTOS_REGISTRY_DATA_MAX || (!value && value_count >= NTOS_REGISTRY_VALUES_MAX))
        return STATUS_INSUFFICIENT_RESOURCES;
    void *copy = malloc(size ? size : 1);
    if (!copy)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!value) {
        value = calloc(1, sizeof(*value));
        if (!value || !copy_string(&value->name, name ? name : &unnamed)) {
            free(value);
            free(copy);
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        value_count++;
        InsertTailList(&key->values, &value->entry);
    }
    if (size > 0)
        memcpy(copy, data, size);
    free(value->data);
    value->data = copy;
    value->size = size;
    value->type = type;
    ntos_system_time(&key->written);
    return STATUS_SUCCESS;
}

NTSTATUS ZwSetValueKey(HANDLE handle, PUNICODE_STRING name, ULONG title_index, ULONG type, PVOID data, ULONG size)
{
    NTSTATUS status;
    struct key *key = enter("ZwSetValueKey", handle, &status);
    if (!key)
        return status;
    status = set_value(key, name, type, data, size);
    leave(key);
    return status;
}

NTSTATUS ZwDeleteValueKey(HANDLE handle, PUNICODE_STRING name)
{
    NTSTATUS status;
    struct key *key = enter("ZwDeleteValueKey", handle, &status);
    if (!key)
        return status;
    struct value *value = find_value(key, name);
    if (value) {
        RemoveEntryList(&value->entry);
        free_value(value);
    }
    leave(key);
    return value ? STATUS_SUCCESS : STATUS_OBJECT_NAME_NOT_FOUND;
}

// Copies `fixed` bytes of a structure, then the variable part. As on Windows: too small for the fixed part is
// STATUS_BUFFER_TOO_SMALL, for the rest STATUS_BUFFER_OVERFLOW with what fits.
static NTSTATUS copy_out(PVOID to, ULONG length, const void *header, ULONG fixed, const void *tail, ULONG tail_offset,
                         ULONG tail_size)
{
    if (length < fixed)
        return STATUS_BUFFER_TOO_SMALL;
    memcpy(to, header, fixed);
    if (tail_size == 0 || tail_offset >= length)
        return tail_size == 0 ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
    ULONG room = length - tail_offset;
    memcpy((char *)to + tail_offset, tail, tail_size < room ? tail_size : room);
    return tail_size <= room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static NTSTATUS describe_value(const struct value *value, KEY_VALUE_INFORMATION_CLASS information_class, PVOID to,
                               ULONG length, PULONG result_length)
{
    ULONG name_size = value->name.Length;
    switch (information_class) {
    case KeyValuePartialInformation: {
        KEY_VALUE_PARTIAL_INFORMATION info = { .Type = value->type, .DataLength = value->size };
        ULONG fixed = (ULONG)FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
        *result_length = fixed + value->size;
        return copy_out(to, length, &info, fixed, value->data, fixed, value->size);
    }
    case KeyValueBasicInformation: {
        KEY_VALUE_BASIC_INFORMATION info = { .Type = value->type, .NameLength = name_size };
        ULONG fixed = (ULONG)FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
        *result_length = fixed + name_size;
        return copy_out(to, length, &info, fixed, value->name.Buffer, fixed, name_size);
    }
    case KeyValueFullInformation: {
        ULONG fixed = (ULONG)FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
        ULONG data_offset = (ULONG)ALIGN_UP_BY(fixed + name_size, 8);
        KEY_VALUE_FULL_INFORMATION info = { .Type = value->type, .DataOffset = data_offset, .DataLength = value->size,
                                            .NameLength = name_size };
        *result_length = data_offset + value->size;
        NTSTATUS status = copy_out(to, length, &info, fixed, value->name.Buffer, fixed, name_size);
        return NT_SUCCESS(status) ? copy_out(to, length, &info, fixed, value->data, data_offset, value->size) : status;
    }
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS ZwQueryValueKey(HANDLE handle, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS information_class,
                         PVOID information, ULONG length, PULONG result_length)
{
    NTSTATUS status;
    struct key *key = enter("ZwQueryValueKey", handle, &status);
    if (!key)
        return status;
    struct value *value = find_value(key, name);
    status = value ? describe_value(value, information_class, information, length, result_length)
                   : STATUS_OBJECT_NAME_NOT_FOUND;
    leave(key);
    return status;
}

NTSTATUS ZwEnumerateValueKey(HANDLE handle, ULONG index, KEY_VALUE_INFORMATION_CLASS information_class,
                             PVOID information, ULONG length, PULONG result_length)
{
    NTSTATUS status;
    struct key *key = enter("ZwEnumerateValueKey", handle, &status);
    if (!key)
        return status;
    PLIST_ENTRY entry = key->values.Flink;
    for (; index > 0 && entry != &key->values; index--)
        entry = entry->Flink;
    status = entry == &key->values ? STATUS_NO_MORE_ENTRIES
                                   : describe_value(CONTAINING_RECORD(entry, struct value, entry), information_class,
                                                    information, length, result_length);
    leave(key);
    return status;
}

// The name of the child of `key` that `other`, which is below it, is or is in.
static UNICODE_STRING child_name(const struct key *key, const struct key *other)
{
    UNICODE_STRING name = { 0, 0, other->path.Buffer + key->path.Length / sizeof(WCHAR) + 1 };
    USHORT room = (USHORT)(other->path.Length - key->path.Length - sizeof(WCHAR));
    while (name.Length < room && name.Buffer[name.Length / sizeof(WCHAR)] != '\\')
        name.Length += sizeof(WCHAR);
    return name;
}

static bool is_child(const struct key *key, const struct key *other)
{
    return is_below(other, &key->path) &&
           child_name(key, other).Length == other->path.Length - key->path.Length - sizeof(WCHAR);
}

NTSTATUS ZwEnumerateKey(HANDLE handle, ULONG index, KEY_INFORMATION_CLASS information_class, PVOID information,
                        ULONG length, PULONG result_length)
{
    NTSTATUS status;
    struct key *key = enter("ZwEnumerateKey", handle, &status);
    if (!key)
        return status;
    status = information_class == KeyBasicInformation ? STATUS_NO_MORE_ENTRIES : STATUS_INVALID_PARAMETER;
    for (PLIST_ENTRY entry = keys.Flink; entry != &keys && status == STATUS_NO_MORE_ENTRIES; entry = entry->Flink) {
        struct key *other = CONTAINING_RECORD(entry, struct key, entry);
        if (!is_child(key, other) || index-- > 0)
            continue;
        UNICODE_STRING name = child_name(key, other);
        KEY_BASIC_INFORMATION info = { .LastWriteTime = other->written, .NameLength = name.Length };
        ULONG fixed = (ULONG)FIELD_OFFSET(KEY_BASIC_INFORMATION, Name);
        *result_length = fixed + name.Length;
        status = copy_out(information, length, &info, fixed, name.Buffer, fixed, name.Length);
    }
    leave(key);
    return status;
}

NTSTATUS ZwQueryKey(HANDLE handle, KEY_INFORMATION_CLASS information_class, PVOID information, ULONG length,
                    PULONG result_length)
{
    NTSTATUS status;
    struct key *key = enter("ZwQueryKey", handle, &status);
    if (!key)
        return status;
    status = STATUS_INVALID_PARAMETER;
    if (information_class == KeyFullInformation) {
        KEY_FULL_INFORMATION info = { .LastWriteTime = key->written };
        for (PLIST_ENTRY entry = key->values.Flink; entry != &key->values; entry = entry->Flink) {
            const struct value *value = CONTAINING_RECORD(entry, struct value, entry);
            info.Values++;
            info.MaxValueNameLen = max(info.MaxValueNameLen, (ULONG)value->name.Length);
            info.MaxValueDataLen = max(info.MaxValueDataLen, value->size);
        }
        for (PLIST_ENTRY entry = keys.Flink; entry != &keys; entry = entry->Flink) {
            const struct key *other = CONTAINING_RECORD(entry, struct key, entry);
            if (!is_child(key, other))
                continue;
            info.SubKeys++;
            info.MaxNameLen = max(info.MaxNameLen, (ULONG)child_name(key, other).Length);
        }
        ULONG fixed = (ULONG)FIELD_OFFSET(KEY_FULL_INFORMATION, Class);
        *result_length = fixed;
        status = copy_out(information, length, &info, fixed, NULL, 0, 0);
    }
    leave(key);
    return status;
}

// --- For the host ---

static NTSTATUS make_chain(PCUNICODE_STRING path, struct key **ret_key)
{
    for (USHORT length = sizeof(WCHAR); length <= path->Length; length = (USHORT)(length + sizeof(WCHAR))) {
        if (length < path->Length && path->Buffer[length / sizeof(WCHAR)] != '\\')
            continue;
        UNICODE_STRING part = { length, length, path->Buffer };
        *ret_key = find_key(&part);
        if (!*ret_key)
            *ret_key = add_key(&part);
        if (!*ret_key)
            return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

NTSTATUS ntos_registry_make(const WCHAR *path)
{
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, path);
    struct key *key;
    pthread_mutex_lock(&lock);
    NTSTATUS status = make_chain(&name, &key);
    pthread_mutex_unlock(&lock);
    return status;
}

NTSTATUS ntos_registry_set(const WCHAR *path, const WCHAR *value_name, ULONG type, const void *data, ULONG size)
{
    UNICODE_STRING name, value;
    RtlInitUnicodeString(&name, path);
    RtlInitUnicodeString(&value, value_name);
    struct key *key;
    pthread_mutex_lock(&lock);
    NTSTATUS status = make_chain(&name, &key);
    if (NT_SUCCESS(status))
        status = set_value(key, &value, type, data, size);
    pthread_mutex_unlock(&lock);
    return status;
}

void ntos_registry_forget(const WCHAR *path)
{
    UNICODE_STRING name;
    RtlInitUnicodeString(&name, path);
    for (;;) {
        struct key *found = NULL;
        pthread_mutex_lock(&lock);
        for (PLIST_ENTRY entry = keys.Flink; entry != &keys && !found; entry = entry->Flink) {
            struct key *key = CONTAINING_RECORD(entry, struct key, entry);
            if (RtlEqualUnicodeString(&key->path, &name, TRUE) || is_below(key, &name))
                found = key;
        }
        if (found)
            remove_key(found);
        pthread_mutex_unlock(&lock);
        if (!found)
            return;
        ObDereferenceObject(found);
    }
}
