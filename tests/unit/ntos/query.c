// RtlQueryRegistryValues and its relatives.
#include "loaded.h"

static struct ntos_driver *driver;

static int setup(void **state)
{
    static const char *const parameters[] = { "text=a value", "number=7", NULL };
    (void)capture_start(state);
    driver = load("echo", parameters);
    return 0;
}

static int teardown(void **state)
{
    unload(driver, 0);
    return 0;
}

#define CHECK(type) ((ULONG)(type) << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT)

static NTSTATUS direct(const WCHAR *name, ULONG flags, PVOID to, ULONG default_type, PVOID default_data, ULONG size)
{
    RTL_QUERY_REGISTRY_TABLE table[2] = {
        { .Flags = RTL_QUERY_REGISTRY_DIRECT | flags, .Name = (PWSTR)(ULONG_PTR)name, .EntryContext = to,
          .DefaultType = default_type, .DefaultData = default_data, .DefaultLength = size },
    };
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"echo\\Parameters", table, NULL, NULL);
}

static void values_directly(void **state)
{
    ULONG number = 0, fallback = 5;
    assert_int_equal(direct(L"number", 0, &number, REG_NONE, NULL, 0), STATUS_SUCCESS);
    assert_int_equal(number, 7);
    assert_int_equal(direct(L"absent", 0, &number, REG_NONE, NULL, 0), STATUS_SUCCESS);
    assert_int_equal(number, 7);
    assert_int_equal(direct(L"absent", 0, &number, REG_DWORD, &fallback, sizeof(fallback)), STATUS_SUCCESS);
    assert_int_equal(number, 5);
    assert_int_equal(direct(L"absent", RTL_QUERY_REGISTRY_REQUIRED, &number, REG_NONE, NULL, 0),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(direct(L"text", RTL_QUERY_REGISTRY_TYPECHECK, &number, CHECK(REG_DWORD), NULL, 0),
                     STATUS_OBJECT_TYPE_MISMATCH);
    assert_int_equal(direct(L"number", RTL_QUERY_REGISTRY_TYPECHECK, &number, CHECK(REG_DWORD), NULL, 0),
                     STATUS_SUCCESS);
    UNICODE_STRING string = {0};
    assert_int_equal(direct(L"text", 0, &string, REG_NONE, NULL, 0), STATUS_SUCCESS);
    assert_int_equal(string.Length, 14);
    assert_int_equal(wcscmp(string.Buffer, L"a value"), 0);
    RtlFreeUnicodeString(&string);
    WCHAR small[4];
    RtlInitEmptyUnicodeString(&string, small, sizeof(small));
    assert_int_equal(direct(L"text", 0, &string, REG_NONE, NULL, 0), STATUS_BUFFER_TOO_SMALL);
}

static unsigned calls;
static ULONG last_type;

static NTSTATUS count_values(PWSTR name, ULONG type, PVOID data, ULONG size, PVOID context, PVOID entry_context)
{
    calls++;
    last_type = type;
    assert_ptr_equal(context, &calls);
    if (name && wcscmp(name, L"number") == 0)
        assert_int_equal(*(ULONG *)data, 7);
    return entry_context ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static void values_by_routine(void **state)
{
    RTL_QUERY_REGISTRY_TABLE table[3] = { { .QueryRoutine = count_values, .Name = L"number" },
                                          { .QueryRoutine = count_values } };
    calls = 0;
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"echo\\Parameters", table, &calls, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(calls, 3);  // the named one, then all
    table[0].EntryContext = &calls;
    calls = 0;
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"echo\\Parameters", table, &calls, NULL),
                     STATUS_UNSUCCESSFUL);
    assert_int_equal(calls, 1);
}

static void subkeys_and_lists(void **state)
{
    static const WCHAR list[] = L"one\0two\0";
    assert_int_equal(RtlCreateRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)(ULONG_PTR)L"echo\\Sub"), STATUS_SUCCESS);
    assert_int_equal(RtlWriteRegistryValue(RTL_REGISTRY_SERVICES, L"echo\\Sub", L"list", REG_MULTI_SZ,
                                           (PVOID)(ULONG_PTR)list, sizeof(list)), STATUS_SUCCESS);
    RTL_QUERY_REGISTRY_TABLE table[3] = { { .Flags = RTL_QUERY_REGISTRY_SUBKEY, .Name = L"Sub" },
                                          { .QueryRoutine = count_values, .Name = L"list" } };
    calls = 0;
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"echo", table, &calls, NULL), STATUS_SUCCESS);
    assert_int_equal(calls, 2);
    assert_int_equal(last_type, REG_SZ);
    table[1].Flags = RTL_QUERY_REGISTRY_NOEXPAND;
    calls = 0;
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"echo", table, &calls, NULL), STATUS_SUCCESS);
    assert_int_equal(calls, 1);
    assert_int_equal(last_type, REG_MULTI_SZ);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"echo\\Sub", L"list"), STATUS_SUCCESS);
    assert_int_equal(RtlDeleteRegistryValue(RTL_REGISTRY_SERVICES, L"echo\\Sub", L"list"),
                     STATUS_OBJECT_NAME_NOT_FOUND);
}

static void missing_keys(void **state)
{
    RTL_QUERY_REGISTRY_TABLE table[2] = { { .QueryRoutine = count_values, .Name = L"number" } };
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"other", table, NULL, NULL),
                     STATUS_OBJECT_NAME_NOT_FOUND);
    assert_int_equal(RtlQueryRegistryValues(RTL_REGISTRY_SERVICES | RTL_REGISTRY_OPTIONAL, L"other", table, NULL, NULL),
                     STATUS_SUCCESS);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)(ULONG_PTR)L"echo"), STATUS_SUCCESS);
    assert_int_equal(RtlCheckRegistryKey(RTL_REGISTRY_SERVICES, (PWSTR)(ULONG_PTR)L"other"),
                     STATUS_OBJECT_NAME_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_directly, setup, teardown),
        cmocka_unit_test_setup_teardown(values_by_routine, setup, teardown),
        cmocka_unit_test_setup_teardown(subkeys_and_lists, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_keys, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
