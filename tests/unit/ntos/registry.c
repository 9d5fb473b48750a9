// The registry: keys, values, enumeration, limits.
#include "loaded.h"

#define SERVICE L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\echo"

static struct ntos_driver *driver;

static int setup(void **state)
{
    static const char *const parameters[] = { "text=a value", "number=7", "hex=0xffffffff", "big=4294967296",
                                              "empty=", "minus=-1", NULL };
    (void)capture_start(state);
    driver = load("echo", parameters);
    return 0;
}

static int teardown(void **state)
{
    unload(driver, 0);
    return 0;
}

static NTSTATUS open_key(HANDLE root, const WCHAR *path, HANDLE *key)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, root, NULL);
    return ZwOpenKey(key, KEY_READ, &attributes);
}

static NTSTATUS create_key(HANDLE root, const WCHAR *path, HANDLE *key, ULONG *disposition)
{
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    RtlInitUnicodeString(&name, path);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, root, NULL);
    return ZwCreateKey(key, KEY_ALL_ACCESS, &attributes, 0, NULL, REG_OPTION_VOLATILE, disposition);
}

static union {
    KEY_VALUE_PARTIAL_INFORMATION partial;
    KEY_VALUE_FULL_INFORMATION full;
    KEY_BASIC_INFORMATION key;
    KEY_FULL_INFORMATION key_full;
    UCHAR bytes[512];
} info;

static NTSTATUS query(HANDLE key, const WCHAR *value, ULONG size)
{
    UNICODE_STRING name;
    ULONG needed;
    RtlInitUnicodeString(&name, value);
    memset(&info, 0xcc, sizeof(info));
    return ZwQueryValueKey(key, &name, KeyValuePartialInformation, &info, size, &needed);
}

static void parameters_have_types(void **state)
{
    HANDLE key;
    static const WCHAR *const paths[] = { SERVICE, SERVICE L"\\Parameters", SERVICE L"\\parameters\\",
                                          L"\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\ECHO" };
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(open_key(NULL, paths[i], &key), STATUS_SUCCESS);
        assert_int_equal(query(key, L"TEXT", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(info.partial.Type, REG_SZ);
        assert_int_equal(info.partial.DataLength, 16);
        assert_memory_equal(info.partial.Data, L"a value", 16);
        assert_int_equal(query(key, L"number", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(info.partial.Type, REG_DWORD);
        assert_int_equal(*(ULONG *)info.partial.Data, 7);
        assert_int_equal(query(key, L"hex", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(*(ULONG *)info.partial.Data, 0xffffffff);
        assert_int_equal(query(key, L"big", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(info.partial.Type, REG_SZ);
        assert_int_equal(query(key, L"minus", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(info.partial.Type, REG_SZ);
        assert_int_equal(query(key, L"empty", sizeof(info)), STATUS_SUCCESS);
        assert_int_equal(info.partial.DataLength, 2);
        assert_int_equal(query(key, L"absent", sizeof(info)), STATUS_OBJECT_NAME_NOT_FOUND);
        assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    }
    assert_int_equal(open_key(NULL, SERVICE, &key), STATUS_SUCCESS);
    assert_int_equal(query(key, L"ImagePath", sizeof(info)), STATUS_SUCCESS);
    assert_int_equal(query(key, L"Start", sizeof(info)), STATUS_SUCCESS);
    assert_int_equal(*(ULONG *)info.partial.Data, 3);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
}

static void small_buffers(void **state)
{
    HANDLE key;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"text");
    ULONG needed = 0;
    assert_int_equal(open_key(NULL, SERVICE, &key), STATUS_SUCCESS);
    assert_int_equal(ZwQueryValueKey(key, &name, KeyValuePartialInformation, NULL, 0, &needed),
                     STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(needed, 12 + 16);
    assert_int_equal(query(key, L"text", 12 + 4), STATUS_BUFFER_OVERFLOW);
    assert_memory_equal(info.partial.Data, L"a ", 4);
    assert_int_equal(info.bytes[12 + 4], 0xcc);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
}

static void keys_are_made_below_keys(void **state)
{
    HANDLE service, key, below;
    ULONG disposition;
    assert_int_equal(open_key(NULL, SERVICE, &service), STATUS_SUCCESS);
    assert_int_equal(create_key(service, L"Made", &key, &disposition), STATUS_SUCCESS);
    assert_int_equal(disposition, REG_CREATED_NEW_KEY);
    assert_int_equal(create_key(key, L"Below", &below, &disposition), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
    assert_int_equal(ZwDeleteKey(below), STATUS_SUCCESS);
    assert_int_equal(query(below, L"x", sizeof(info)), STATUS_KEY_DELETED);
    assert_int_equal(ZwClose(below), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteKey(key), STATUS_SUCCESS);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    assert_int_equal(open_key(service, L"Made", &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(create_key(service, L"No\\Parent", &key, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(open_key(NULL, L"Relative", &key), STATUS_OBJECT_PATH_SYNTAX_BAD);
    assert_int_equal(open_key(NULL, L"\\Registry\\Machine\\Software", &key), STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(ZwClose(service), STATUS_SUCCESS);
}

static void values_are_set_and_listed(void **state)
{
    HANDLE service, key;
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"one");
    ULONG value = 11, needed;
    assert_int_equal(open_key(NULL, SERVICE, &service), STATUS_SUCCESS);
    assert_int_equal(create_key(service, L"Values", &key, NULL), STATUS_SUCCESS);
    assert_int_equal(ZwSetValueKey(key, &name, 0, REG_DWORD, &value, sizeof(value)), STATUS_SUCCESS);
    value = 12;
    assert_int_equal(ZwSetValueKey(key, &name, 0, REG_DWORD, &value, sizeof(value)), STATUS_SUCCESS);
    assert_int_equal(ZwEnumerateValueKey(key, 0, KeyValueFullInformation, &info, sizeof(info), &needed),
                     STATUS_SUCCESS);
    assert_int_equal(info.full.NameLength, 6);
    assert_memory_equal(info.full.Name, L"one", 6);
    assert_int_equal(*(ULONG *)(info.bytes + info.full.DataOffset), 12);
    assert_int_equal(ZwEnumerateValueKey(key, 1, KeyValueFullInformation, &info, sizeof(info), &needed),
                     STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwQueryKey(key, KeyFullInformation, &info, sizeof(info), &needed), STATUS_SUCCESS);
    assert_int_equal(info.key_full.Values, 1);
    assert_int_equal(info.key_full.MaxValueDataLen, 4);
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_SUCCESS);
    assert_int_equal(ZwDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
    // Parameters, then Values: the children in the order they were made.
    assert_int_equal(ZwEnumerateKey(service, 1, KeyBasicInformation, &info, sizeof(info), &needed), STATUS_SUCCESS);
    assert_int_equal(info.key.NameLength, 12);
    assert_memory_equal(info.key.Name, L"Values", 12);
    assert_int_equal(ZwEnumerateKey(service, 2, KeyBasicInformation, &info, sizeof(info), &needed),
                     STATUS_NO_MORE_ENTRIES);
    assert_int_equal(ZwClose(key), STATUS_SUCCESS);
    assert_int_equal(ZwClose(service), STATUS_SUCCESS);
}

static void there_are_limits(void **state)
{
    HANDLE service, key;
    static char data[70000];
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"huge");
    assert_int_equal(open_key(NULL, SERVICE, &service), STATUS_SUCCESS);
    assert_int_equal(ZwSetValueKey(service, &name, 0, REG_BINARY, data, sizeof(data)), STATUS_INSUFFICIENT_RESOURCES);
    unsigned made = 0;
    for (NTSTATUS status = STATUS_SUCCESS; NT_SUCCESS(status); made++) {
        WCHAR path[16];
        (void)swprintf_s(path, 16, L"k%u", made);
        status = create_key(service, path, &key, NULL);
        if (NT_SUCCESS(status))
            assert_int_equal(ZwClose(key), STATUS_SUCCESS);
        assert_true(made < 1000);
    }
    assert_true(made > 200);
    assert_int_equal(ZwClose(service), STATUS_SUCCESS);
    // Unloading takes them all away.
    unload(driver, 0);
    driver = load("echo", NULL);
    assert_int_equal(open_key(NULL, SERVICE L"\\k0", &key), STATUS_OBJECT_NAME_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parameters_have_types, setup, teardown),
        cmocka_unit_test_setup_teardown(small_buffers, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_made_below_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(values_are_set_and_listed, setup, teardown),
        cmocka_unit_test_setup_teardown(there_are_limits, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
