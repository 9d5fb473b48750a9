// The wall driver against a kernel of pretence, in which every call can be made to fail.
#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wdmsec.h>

#include "log.h"

DRIVER_INITIALIZE DriverEntry;

// --- The pretended kernel ---

#define CALLS_MAX 64

static struct {
    const char *parameters[2];  // block_app, block_remote; NULL: absent
    ULONG parameter_type;
    bool no_parameters_key;
    KIRQL irql;
    unsigned fail_at;  // the call with this number fails; 0: none
    unsigned calls;
    char log[2048];    // what exists: "+name" made, "-name" taken back
    char output[4096]; // of wall_log_print
    FWPS_CALLOUT1 callouts[2];
    unsigned callout_count, open_handles;
    DRIVER_OBJECT driver;
    DEVICE_OBJECT device;
} kernel;

static void note(const char *what)
{
    size_t used = strlen(kernel.log);
    snprintf(kernel.log + used, sizeof(kernel.log) - used, "%s ", what);
}

static NTSTATUS step(const char *what)
{
    kernel.calls++;
    if (kernel.calls == kernel.fail_at)
        return STATUS_INSUFFICIENT_RESOURCES;
    note(what);
    return STATUS_SUCCESS;
}

void wall_log_print(const CHAR *format, ...)
{
    // %S is the one conversion that differs; it is used for parameters only, which are short.
    char plain[512];
    size_t used = strlen(kernel.output);
    va_list arguments;
    va_start(arguments, format);
    if (strstr(format, "%S")) {
        const WCHAR *text = va_arg(arguments, const WCHAR *);
        size_t i = 0;
        for (; text[i]; i++)
            plain[i] = (char)text[i];
        plain[i] = '\0';
        snprintf(kernel.output + used, sizeof(kernel.output) - used, "parameter %s: %s", plain, format);
    } else {
        vsnprintf(plain, sizeof(plain), format, arguments);
        snprintf(kernel.output + used, sizeof(kernel.output) - used, "%s", plain);
    }
    va_end(arguments);
}

NTSTATUS wall_log_start(DRIVER_OBJECT *driver)
{
    return note("+log"), STATUS_SUCCESS;
}
void wall_log_stop(void)
{
    note("-log");
}

KIRQL KeGetCurrentIrql(void)
{
    return kernel.irql;
}

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING string, PCWSTR text)
{
    USHORT length = 0;
    while (text[length])
        length++;
    string->Buffer = (PWSTR)text;
    string->Length = (USHORT)(length * sizeof(WCHAR));
    string->MaximumLength = (USHORT)(string->Length + sizeof(WCHAR));
}

static bool is_named(PUNICODE_STRING string, const char *name)
{
    size_t length = string->Length / sizeof(WCHAR);
    if (length != strlen(name))
        return false;
    for (size_t i = 0; i < length; i++)
        if (string->Buffer[i] != (WCHAR)name[i])
            return false;
    return true;
}

NTSTATUS NTAPI ZwOpenKey(PHANDLE key, ACCESS_MASK access, POBJECT_ATTRIBUTES attributes)
{
    if (++kernel.calls == kernel.fail_at)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (attributes->RootDirectory && kernel.no_parameters_key)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    assert_true(!attributes->RootDirectory || is_named(attributes->ObjectName, "Parameters"));
    kernel.open_handles++;
    *key = &kernel;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwClose(HANDLE key)
{
    kernel.open_handles--;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE key, PUNICODE_STRING name, KEY_VALUE_INFORMATION_CLASS type, PVOID buffer,
                               ULONG size, PULONG ret_size)
{
    const char *text = kernel.parameters[is_named(name, "block_app") ? 0 : 1];
    if (++kernel.calls == kernel.fail_at)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!text)
        return STATUS_OBJECT_NAME_NOT_FOUND;
    ULONG offset = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    ULONG length = (ULONG)((strlen(text) + 1) * sizeof(WCHAR));
    *ret_size = offset + length;
    if (size < *ret_size)
        return STATUS_BUFFER_OVERFLOW;
    KEY_VALUE_PARTIAL_INFORMATION *information = buffer;
    information->Type = kernel.parameter_type;
    information->DataLength = length;
    for (size_t i = 0; i <= strlen(text); i++)
        memcpy((char *)buffer + offset + i * sizeof(WCHAR), &(WCHAR){ (WCHAR)text[i] }, sizeof(WCHAR));
    return STATUS_SUCCESS;
}

const UNICODE_STRING SDDL_DEVOBJ_SYS_ALL_ADM_ALL;

NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT driver, ULONG size, PUNICODE_STRING name, DEVICE_TYPE type,
                              ULONG characteristics, BOOLEAN exclusive, PCUNICODE_STRING sddl, LPCGUID class_guid,
                              PDEVICE_OBJECT *ret_device)
{
    assert_ptr_equal(sddl, &SDDL_DEVOBJ_SYS_ALL_ADM_ALL);
    NTSTATUS status = step("+device");
    if (NT_SUCCESS(status))
        *ret_device = &kernel.device;
    return status;
}

VOID NTAPI IoDeleteDevice(PDEVICE_OBJECT device)
{
    note("-device");
}

NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING link, PUNICODE_STRING device)
{
    return step("+link");
}

NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING link)
{
    note("-link");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmEngineOpen0(const WCHAR *server, UINT32 service, struct _SEC_WINNT_AUTH_IDENTITY_W *identity,
                               const FWPM_SESSION0 *session, HANDLE *ret_engine)
{
    NTSTATUS status = step("+engine");
    if (NT_SUCCESS(status))
        *ret_engine = &kernel;
    return status;
}

NTSTATUS NTAPI FwpmEngineClose0(HANDLE engine)
{
    note("-engine");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmTransactionBegin0(HANDLE engine, UINT32 flags)
{
    return step("(");
}

NTSTATUS NTAPI FwpmTransactionCommit0(HANDLE engine)
{
    return step(")");
}

NTSTATUS NTAPI FwpmTransactionAbort0(HANDLE engine)
{
    note("abort");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpsCalloutRegister1(void *device, const FWPS_CALLOUT1 *callout, UINT32 *ret_id)
{
    NTSTATUS status = step("+register");
    if (!NT_SUCCESS(status))
        return status;
    kernel.callouts[kernel.callout_count] = *callout;
    *ret_id = 1000 + kernel.callout_count++;
    return status;
}

NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 id)
{
    kernel.callout_count--;
    assert_int_equal(id, 1000 + kernel.callout_count);
    note("-register");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmCalloutAdd0(HANDLE engine, const FWPM_CALLOUT0 *callout, PSECURITY_DESCRIPTOR descriptor,
                               UINT32 *ret_id)
{
    assert_non_null(callout->displayData.name);
    return step("+callout");
}

NTSTATUS NTAPI FwpmCalloutDeleteByKey0(HANDLE engine, const GUID *key)
{
    note("-callout");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmSubLayerAdd0(HANDLE engine, const FWPM_SUBLAYER0 *sublayer, PSECURITY_DESCRIPTOR descriptor)
{
    return step("+sublayer");
}

NTSTATUS NTAPI FwpmSubLayerDeleteByKey0(HANDLE engine, const GUID *key)
{
    note("-sublayer");
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI FwpmFilterAdd0(HANDLE engine, const FWPM_FILTER0 *filter, PSECURITY_DESCRIPTOR descriptor,
                              UINT64 *ret_id)
{
    assert_true(filter->action.type & FWP_ACTION_FLAG_CALLOUT);
    return step("+filter");
}

NTSTATUS NTAPI FwpmFilterDeleteByKey0(HANDLE engine, const GUID *key)
{
    note("-filter");
    return STATUS_SUCCESS;
}

// --- Helpers ---

static int reset(void **state)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.parameter_type = REG_SZ;
    return 0;
}

static NTSTATUS load(void)
{
    UNICODE_STRING path;
    static const WCHAR text[] = L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\wall";
    RtlInitUnicodeString(&path, text);
    kernel.driver.DriverUnload = NULL;
    NTSTATUS status = DriverEntry(&kernel.driver, &path);
    assert_int_equal(kernel.open_handles, 0);
    return status;
}

static void unload(void)
{
    assert_non_null(kernel.driver.DriverUnload);
    kernel.driver.DriverUnload(&kernel.driver);
}

struct packet {
    FWPS_INCOMING_VALUES0 values;
    FWPS_INCOMING_VALUE0 fields[FWPS_FIELD_ALE_AUTH_CONNECT_V6_MAX];
    FWP_BYTE_ARRAY16 local, remote;
    FWPS_INCOMING_METADATA_VALUES0 meta;
    FWP_BYTE_BLOB path;
    FWPS_FILTER1 filter;
    FWPS_CLASSIFY_OUT0 out;
};

static struct packet packet;

static void set_path(const WCHAR *path, size_t units)
{
    packet.path.data = (UINT8 *)path;
    packet.path.size = (UINT32)(units * sizeof(WCHAR));
    packet.meta.processPath = &packet.path;
    packet.meta.currentMetadataValues |= FWPS_METADATA_FIELD_PROCESS_PATH;
}
#define SET_PATH(text) set_path(text, sizeof(text) / sizeof(WCHAR))

static void make_v4(UINT32 remote, UINT16 port, UINT8 protocol)
{
    memset(&packet, 0, sizeof(packet));
    packet.values.layerId = FWPS_LAYER_ALE_AUTH_CONNECT_V4;
    packet.values.valueCount = FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX;
    packet.values.incomingValue = packet.fields;
    FWPS_INCOMING_VALUE0 *fields = packet.fields;
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_ADDRESS].value =
        (FWP_VALUE0){ FWP_UINT32, { .uint32 = 0x0A000005 } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS].value = (FWP_VALUE0){ FWP_UINT32, { .uint32 = remote } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_PORT].value = (FWP_VALUE0){ FWP_UINT16, { .uint16 = 40000 } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value = (FWP_VALUE0){ FWP_UINT16, { .uint16 = port } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL].value = (FWP_VALUE0){ FWP_UINT8, { .uint8 = protocol } };
    packet.meta.currentMetadataValues = FWPS_METADATA_FIELD_PROCESS_ID;
    packet.meta.processId = 4711;
    packet.out.rights = FWPS_RIGHT_ACTION_WRITE;
    SET_PATH(L"/usr/bin/curl");
}

static void make_v6(UINT16 port)
{
    make_v4(0, port, 17);
    FWPS_INCOMING_VALUE0 *fields = packet.fields;
    memset(fields, 0, sizeof(packet.fields));
    packet.values.layerId = FWPS_LAYER_ALE_AUTH_CONNECT_V6;
    packet.values.valueCount = FWPS_FIELD_ALE_AUTH_CONNECT_V6_MAX;
    memcpy(packet.remote.byteArray16, (UINT8[]){ 0x20, 1, 0xd, 0xb8, [15] = 1 }, 16);
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_REMOTE_ADDRESS].value =
        (FWP_VALUE0){ FWP_BYTE_ARRAY16_TYPE, { .byteArray16 = &packet.remote } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_REMOTE_PORT].value = (FWP_VALUE0){ FWP_UINT16, { .uint16 = port } };
    fields[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_PROTOCOL].value = (FWP_VALUE0){ FWP_UINT8, { .uint8 = 17 } };
}

static void classify(void)
{
    kernel.output[0] = '\0';
    kernel.callouts[0].classifyFn(&packet.values, &packet.meta, NULL, NULL, &packet.filter, 0, &packet.out);
}

static void assert_answer(UINT32 action, UINT32 rights)
{
    assert_int_equal(packet.out.actionType, action);
    assert_int_equal(packet.out.rights, rights);
}

// --- Tests ---

static void test_reverse_order(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    assert_string_equal(kernel.log, "+log +device +link +engine +register +register "
                                    "( -filter -filter -sublayer -callout -callout "
                                    "+callout +callout +sublayer +filter +filter ) ");
    kernel.log[0] = '\0';
    unload();
    assert_string_equal(kernel.log, "( -filter -filter -sublayer -callout -callout ) "
                                    "-register -register -engine -link -log -device ");
}

// Whichever call fails: DriverEntry fails, says where, and nothing is left.
static void test_every_failure(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    unsigned calls = kernel.calls;
    assert_in_range(calls, 10, CALLS_MAX);
    unload();
    for (unsigned fail_at = 1; fail_at <= calls; fail_at++) {
        reset(NULL);
        kernel.fail_at = fail_at;
        assert_int_equal(load(), STATUS_INSUFFICIENT_RESOURCES);
        assert_null(kernel.driver.DriverUnload);
        assert_non_null(strstr(kernel.output, "[WFP]wall cannot start: "));
        assert_int_equal(kernel.callout_count, 0);
        static const char *const made[] = { "log", "device", "link", "engine" };
        for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
            char plus[16], minus[16];
            snprintf(plus, sizeof(plus), "+%s", made[i]);
            snprintf(minus, sizeof(minus), "-%s", made[i]);
            assert_int_equal(strstr(kernel.log, plus) != NULL, strstr(kernel.log, minus) != NULL);
        }
        // A transaction that began was aborted.
        if (strstr(kernel.log, "("))
            assert_non_null(strstr(kernel.log, "abort"));
    }
}

static void test_line(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    make_v4(0xC0000207, 443, 6);
    classify();
    assert_string_equal(kernel.output, "[WFP]IRQL=0;PID=4711;Path=/usr/bin/curl;Local=10.0.0.5:40000;"
                                       "Remote=192.0.2.7:443;Protocol=TCP\n");
    assert_answer(FWP_ACTION_PERMIT, FWPS_RIGHT_ACTION_WRITE);

    kernel.irql = DISPATCH_LEVEL;
    make_v6(53);
    classify();
    assert_string_equal(kernel.output, "[WFP]IRQL=2;PID=4711;Path=/usr/bin/curl;Local=[::]:0;"
                                       "Remote=[2001:db8::1]:53;Protocol=UDP\n");

    static const struct {
        UINT8 number;
        const char *name;
    } protocols[] = { { 1, "=ICMP\n" }, { 58, "=ICMPV6\n" }, { 0, "=0\n" }, { 47, "=47\n" }, { 255, "=255\n" } };
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        make_v4(0, 0, protocols[i].number);
        classify();
        assert_non_null(strstr(kernel.output, protocols[i].name));
    }
    unload();
}

static void test_paths(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    // No metadata.
    make_v4(0, 0, 6);
    packet.meta.currentMetadataValues = 0;
    classify();
    assert_non_null(strstr(kernel.output, "PID=0;Path=;Local="));

    // Not ASCII, not printable, surrogates with and without a partner, no terminator.
    static const WCHAR odd[] = { 'a', 0xFC, 0x9632, 0xD83D, 0xDD25, 0xD83D, '\n', 0x7F };
    make_v4(0, 0, 6);
    set_path(odd, sizeof(odd) / sizeof(WCHAR));
    classify();
    assert_non_null(strstr(kernel.output, "Path=aü防🔥\xef\xbf\xbd??;Local="));

    // Longer than a message: the end stays.
    WCHAR deep[3000];
    for (size_t i = 0; i < 3000; i++)
        deep[i] = i % 3 == 0 ? 0x9632 : 'x';
    memcpy(deep + 2995, L"/curl", 5 * sizeof(WCHAR));
    make_v4(0, 0, 6);
    set_path(deep, 3000);
    classify();
    assert_non_null(strstr(kernel.output, "Path=..."));
    assert_non_null(strstr(kernel.output, "/curl;Local="));
    assert_in_range(strlen(kernel.output), 300, 511);
    unload();
}

static void test_block(void **state)
{
    kernel.parameters[0] = "curl,/opt/game/";
    kernel.parameters[1] = "192.0.2.7:443,[2001:db8::1],:25";
    assert_int_equal(load(), STATUS_SUCCESS);
    assert_non_null(strstr(kernel.output, "2 programs and 3 remotes"));

    make_v4(0x01020304, 80, 6);
    classify();
    assert_answer(FWP_ACTION_BLOCK, 0);

    make_v4(0x01020304, 80, 6);
    SET_PATH(L"/usr/bin/wget");
    classify();
    assert_answer(FWP_ACTION_PERMIT, FWPS_RIGHT_ACTION_WRITE);

    make_v4(0xC0000207, 443, 6);
    SET_PATH(L"/usr/bin/wget");
    classify();
    assert_answer(FWP_ACTION_BLOCK, 0);

    make_v6(53);
    SET_PATH(L"/usr/bin/wget");
    classify();
    assert_answer(FWP_ACTION_BLOCK, 0);

    // In the field of the port, ICMP has its code.
    make_v4(0x01020304, 25, 1);
    SET_PATH(L"/usr/bin/ping");
    classify();
    assert_answer(FWP_ACTION_PERMIT, FWPS_RIGHT_ACTION_WRITE);
    unload();
}

static void test_rights(void **state)
{
    kernel.parameters[0] = "curl";
    assert_int_equal(load(), STATUS_SUCCESS);
    // Decided above: looked at, not touched.
    make_v4(0x01020304, 80, 6);
    packet.out.rights = 0;
    packet.out.actionType = FWP_ACTION_PERMIT;
    classify();
    assert_answer(FWP_ACTION_PERMIT, 0);
    assert_true(kernel.output[0] != '\0');

    // A filter that asks for a hard permit gets one.
    make_v4(0x01020304, 80, 6);
    SET_PATH(L"/usr/bin/wget");
    packet.filter.flags = FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    classify();
    assert_answer(FWP_ACTION_PERMIT, 0);
    unload();
}

static void test_other_layer(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    make_v4(0, 0, 6);
    packet.values.layerId = FWPS_LAYER_ALE_AUTH_LISTEN_V4;
    packet.out.actionType = FWP_ACTION_CONTINUE;
    classify();
    assert_answer(FWP_ACTION_CONTINUE, FWPS_RIGHT_ACTION_WRITE);
    assert_string_equal(kernel.output, "");
    unload();
}

static void test_rules_do_not_survive(void **state)
{
    kernel.parameters[0] = "curl";
    assert_int_equal(load(), STATUS_SUCCESS);
    unload();
    reset(NULL);
    kernel.no_parameters_key = true;
    assert_int_equal(load(), STATUS_SUCCESS);
    assert_non_null(strstr(kernel.output, "0 programs and 0 remotes"));
    unload();
}

static void test_wrong_parameters(void **state)
{
    static const struct {
        const char *app, *remote, *named;
    } cases[] = {
        { "curl,,wget", NULL, "parameter block_app" },
        { NULL, "example.org", "parameter block_remote" },
        { "curl", "1.2.3.4:0", "parameter block_remote" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reset(NULL);
        kernel.parameters[0] = cases[i].app;
        kernel.parameters[1] = cases[i].remote;
        assert_int_equal(load(), STATUS_INVALID_PARAMETER);
        assert_non_null(strstr(kernel.output, cases[i].named));
        assert_string_equal(kernel.log, "+log -log ");
    }

    reset(NULL);
    kernel.parameters[0] = "7";
    kernel.parameter_type = REG_DWORD;
    assert_int_equal(load(), STATUS_OBJECT_TYPE_MISMATCH);
    assert_non_null(strstr(kernel.output, "parameter block_app"));

    char large[4096];
    memset(large, 'a', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    reset(NULL);
    kernel.parameters[0] = large;
    assert_int_equal(load(), STATUS_BUFFER_OVERFLOW);

    // Empty is absent.
    reset(NULL);
    kernel.parameters[0] = kernel.parameters[1] = "";
    assert_int_equal(load(), STATUS_SUCCESS);
    unload();
}

static void test_other_functions(void **state)
{
    assert_int_equal(load(), STATUS_SUCCESS);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(kernel.callouts[i].notifyFn(FWPS_CALLOUT_NOTIFY_ADD_FILTER, NULL, NULL), STATUS_SUCCESS);
        kernel.callouts[i].flowDeleteFn(FWPS_LAYER_ALE_AUTH_CONNECT_V4, 1000 + i, 1);
    }
    unload();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reverse_order, reset),
        cmocka_unit_test_setup(test_every_failure, reset),
        cmocka_unit_test_setup(test_line, reset),
        cmocka_unit_test_setup(test_paths, reset),
        cmocka_unit_test_setup(test_block, reset),
        cmocka_unit_test_setup(test_rights, reset),
        cmocka_unit_test_setup(test_other_layer, reset),
        cmocka_unit_test_setup(test_rules_do_not_survive, reset),
        cmocka_unit_test_setup(test_wrong_parameters, reset),
        cmocka_unit_test_setup(test_other_functions, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
