/*
 * wall: a callout driver that reports every outgoing connection and blocks the ones it was told to.
 *
 * For each connection authorized at FWPM_LAYER_ALE_AUTH_CONNECT_V4 and _V6 it prints one line:
 *
 *   [WFP]IRQL=0;PID=4711;Path=/usr/bin/curl;Local=10.0.0.5:0;Remote=93.184.216.34:443;Protocol=TCP
 *
 * Parameters, read once from the values of the key <service key>\Parameters (REG_SZ, several separated by commas):
 *
 *   block_app     a part of the program's path; upper and lower case differ (Windows reports paths in lower case)
 *   block_remote  addr, addr:port, [v6]:port or :port
 *
 * A connection that matches either list is blocked, every other one is permitted. Wrong parameters keep the driver
 * from starting.
 *
 * The lines go to the debugger and, by way of the device \\.\RingwallWall, to programs of administrators (control.h).
 *
 * The filters and the callouts are static objects: should the driver disappear without DriverUnload, its filters
 * stay, and with no callout behind them they block. The next DriverEntry replaces what was left.
 */
#include <initguid.h>
#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#include <wdmsec.h>

#include "address.h"
#include "log.h"
#include "rules.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ICMPV6 58

// Above the firewall's own sublayers, below the place for "always first".
#define SUBLAYER_WEIGHT 0xF000

// DbgPrint of Windows delivers 512 bytes a message: the path gets what the rest of the line leaves.
#define PATH_TEXT_MAX 320

// {6178b1c5-55ee-4f7a-a13d-2777c2892f99}
DEFINE_GUID(WALL_CALLOUT_V4, 0x6178b1c5, 0x55ee, 0x4f7a, 0xa1, 0x3d, 0x27, 0x77, 0xc2, 0x89, 0x2f, 0x99);
// {b5c03aa6-f21e-4a63-9c72-cf512b4a4c10}
DEFINE_GUID(WALL_CALLOUT_V6, 0xb5c03aa6, 0xf21e, 0x4a63, 0x9c, 0x72, 0xcf, 0x51, 0x2b, 0x4a, 0x4c, 0x10);
// {c4703ea0-cecb-4231-a4f6-0ef7a5e83c9c}
DEFINE_GUID(WALL_SUBLAYER, 0xc4703ea0, 0xcecb, 0x4231, 0xa4, 0xf6, 0x0e, 0xf7, 0xa5, 0xe8, 0x3c, 0x9c);
// {08dff3ad-277b-423e-abdd-8581015f7b0c}
DEFINE_GUID(WALL_FILTER_V4, 0x08dff3ad, 0x277b, 0x423e, 0xab, 0xdd, 0x85, 0x81, 0x01, 0x5f, 0x7b, 0x0c);
// {be9a8fc7-d60f-4882-9f9a-9b33603be26f}
DEFINE_GUID(WALL_FILTER_V6, 0xbe9a8fc7, 0xd60f, 0x4882, 0x9f, 0x9a, 0x9b, 0x33, 0x60, 0x3b, 0xe2, 0x6f);

// {7a1d7c36-9d1f-4c0b-8f61-3b0f5e7c2d94}: names the device's settings, should an administrator make some.
DEFINE_GUID(WALL_DEVICE_CLASS, 0x7a1d7c36, 0x9d1f, 0x4c0b, 0x8f, 0x61, 0x3b, 0x0f, 0x5e, 0x7c, 0x2d, 0x94);

struct connection {
    struct wall_address local, remote;
    UINT16 local_port, remote_port;
    UINT8 protocol;
};

static void read_v4(const FWPS_INCOMING_VALUES0 *values, struct connection *ret_connection);
static void read_v6(const FWPS_INCOMING_VALUES0 *values, struct connection *ret_connection);

// All that differs between the two layers.
static const struct layer {
    UINT16 id;
    const GUID *layer_key, *callout_key, *filter_key;
    PWSTR name;
    void (*read)(const FWPS_INCOMING_VALUES0 *values, struct connection *ret_connection);
} layers[] = {
    { FWPS_LAYER_ALE_AUTH_CONNECT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V4, &WALL_CALLOUT_V4, &WALL_FILTER_V4,
      L"wall: outgoing IPv4", read_v4 },
    { FWPS_LAYER_ALE_AUTH_CONNECT_V6, &FWPM_LAYER_ALE_AUTH_CONNECT_V6, &WALL_CALLOUT_V6, &WALL_FILTER_V6,
      L"wall: outgoing IPv6", read_v6 },
};
#define LAYER_COUNT (sizeof(layers) / sizeof(layers[0]))

// What DriverEntry has done so far, for DriverUnload and for a DriverEntry that fails half-way to take back.
static struct {
    struct wall_rules rules;
    DEVICE_OBJECT *device;
    BOOLEAN link_made;
    HANDLE engine;
    UINT32 callout_ids[LAYER_COUNT];
    ULONG callout_count;
    BOOLEAN objects_added;
} wall;

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD driver_unload;

// --- Classification: any thread, IRQL <= DISPATCH_LEVEL, non-paged memory only, no waiting ---

// An address may be missing (FWP_EMPTY) while the stack has not chosen it: shown as 0.0.0.0, and as :: for IPv6.
static void copy_v4(const FWP_VALUE0 *value, struct wall_address *ret_address)
{
    wall_address_from_v4(value->type == FWP_UINT32 ? value->uint32 : 0, ret_address);
}

static void read_v4(const FWPS_INCOMING_VALUES0 *values, struct connection *ret_connection)
{
    const FWPS_INCOMING_VALUE0 *value = values->incomingValue;
    copy_v4(&value[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_ADDRESS].value, &ret_connection->local);
    copy_v4(&value[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS].value, &ret_connection->remote);
    ret_connection->local_port = value[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_LOCAL_PORT].value.uint16;
    ret_connection->remote_port = value[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT].value.uint16;
    ret_connection->protocol = value[FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL].value.uint8;
}

static void copy_v6(const FWP_VALUE0 *value, struct wall_address *ret_address)
{
    if (value->type == FWP_BYTE_ARRAY16_TYPE && value->byteArray16)
        RtlCopyMemory(ret_address->bytes, value->byteArray16->byteArray16, sizeof(ret_address->bytes));
    else
        RtlZeroMemory(ret_address->bytes, sizeof(ret_address->bytes));
}

static void read_v6(const FWPS_INCOMING_VALUES0 *values, struct connection *ret_connection)
{
    const FWPS_INCOMING_VALUE0 *value = values->incomingValue;
    copy_v6(&value[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_LOCAL_ADDRESS].value, &ret_connection->local);
    copy_v6(&value[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_REMOTE_ADDRESS].value, &ret_connection->remote);
    ret_connection->local_port = value[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_LOCAL_PORT].value.uint16;
    ret_connection->remote_port = value[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_REMOTE_PORT].value.uint16;
    ret_connection->protocol = value[FWPS_FIELD_ALE_AUTH_CONNECT_V6_IP_PROTOCOL].value.uint8;
}

static const struct layer *find_layer(UINT16 id)
{
    for (ULONG i = 0; i < LAYER_COUNT; i++)
        if (layers[i].id == id)
            return &layers[i];
    return NULL;
}

// The path's characters; the blob counts bytes and includes the terminator.
static const WCHAR *find_path(const FWPS_INCOMING_METADATA_VALUES0 *meta, ULONG *ret_length)
{
    *ret_length = 0;
    if (!FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_PROCESS_PATH) || !meta->processPath ||
        !meta->processPath->data)
        return NULL;

    const WCHAR *path = (const WCHAR *)(const void *)meta->processPath->data;
    ULONG length = meta->processPath->size / sizeof(WCHAR);
    while (length > 0 && path[length - 1] == L'\0')
        length--;
    *ret_length = length;
    return path;
}

// The code point at `at`; a surrogate without its partner becomes U+FFFD.
static UINT32 decode_utf16(const WCHAR *text, ULONG length, ULONG at, ULONG *ret_units)
{
    UINT32 first = text[at];
    *ret_units = 1;
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || at + 1 == length || text[at + 1] < 0xDC00 || text[at + 1] > 0xDFFF)
        return 0xFFFD;
    *ret_units = 2;
    return 0x10000 + ((first - 0xD800) << 10) + (text[at + 1] - 0xDC00u);
}

static ULONG encode_utf8(UINT32 point, CHAR ret_bytes[4])
{
    if (point < 0x80) {
        ret_bytes[0] = (CHAR)point;
        return 1;
    }
    ULONG count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (ULONG i = count - 1; i > 0; i--) {
        ret_bytes[i] = (CHAR)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    ret_bytes[0] = (CHAR)(((0xF00u >> count) & 0xF0) | point);
    return count;
}

// The path as UTF-8. DbgPrint may convert wide strings at PASSIVE_LEVEL only, so the driver does it. Control
// characters become '?': a file name must not be able to forge a line. A path that is too long keeps its end.
static void print_path(const WCHAR *path, ULONG length, CHAR ret_text[PATH_TEXT_MAX])
{
    ULONG used = 0, start = 0;
    if (length > (PATH_TEXT_MAX - 4) / 3) {
        ULONG bytes = 0;
        for (start = length; start > 0 && bytes + 3 <= PATH_TEXT_MAX - 4; start--)
            bytes += path[start - 1] < 0x80 ? 1 : path[start - 1] < 0x800 ? 2 : 3;
        for (ULONG i = 0; start > 0 && i < 3; i++)
            ret_text[used++] = '.';
    }
    for (ULONG units; start < length; start += units) {
        UINT32 point = decode_utf16(path, length, start, &units);
        if (point < 0x20 || point == 0x7F)
            point = '?';
        used += encode_utf8(point, ret_text + used);
    }
    ret_text[used] = '\0';
}

static const CHAR *name_protocol(UINT8 protocol, CHAR number[4])
{
    switch (protocol) {
    case PROTOCOL_ICMP:
        return "ICMP";
    case PROTOCOL_TCP:
        return "TCP";
    case PROTOCOL_UDP:
        return "UDP";
    case PROTOCOL_ICMPV6:
        return "ICMPV6";
    default:
        break;
    }
    ULONG used = 0;
    if (protocol >= 100)
        number[used++] = (CHAR)('0' + protocol / 100);
    if (protocol >= 10)
        number[used++] = (CHAR)('0' + protocol / 10 % 10);
    number[used++] = (CHAR)('0' + protocol % 10);
    number[used] = '\0';
    return number;
}

static void report(const struct connection *connection, unsigned process_id, const WCHAR *path, ULONG path_length)
{
    CHAR path_text[PATH_TEXT_MAX], local[WALL_ADDRESS_TEXT_MAX], remote[WALL_ADDRESS_TEXT_MAX], number[4];
    print_path(path, path_length, path_text);
    wall_address_print(&connection->local, local);
    wall_address_print(&connection->remote, remote);
    BOOLEAN local_v4 = wall_address_is_v4(&connection->local), remote_v4 = wall_address_is_v4(&connection->remote);
    wall_log_print("[WFP]IRQL=%d;PID=%u;Path=%s;Local=%s%s%s:%u;Remote=%s%s%s:%u;Protocol=%s\n",
                   (int)KeGetCurrentIrql(), process_id, path_text, local_v4 ? "" : "[", local, local_v4 ? "" : "]",
                   connection->local_port, remote_v4 ? "" : "[", remote, remote_v4 ? "" : "]", connection->remote_port,
                   name_protocol(connection->protocol, number));
}

static void NTAPI classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *meta,
                           void *layer_data, const void *classify_context, const FWPS_FILTER1 *filter,
                           UINT64 flow_context, FWPS_CLASSIFY_OUT0 *out)
{
    UNREFERENCED_PARAMETER(layer_data);
    UNREFERENCED_PARAMETER(classify_context);
    UNREFERENCED_PARAMETER(flow_context);

    const struct layer *layer = find_layer(values->layerId);
    if (!layer)
        return;

    struct connection connection;
    layer->read(values, &connection);
    ULONG path_length;
    const WCHAR *path = find_path(meta, &path_length);
    unsigned process_id = 0;
    if (FWPS_IS_METADATA_FIELD_PRESENT(meta, FWPS_METADATA_FIELD_PROCESS_ID))
        process_id = (unsigned)meta->processId;
    report(&connection, process_id, path, path_length);

    // Without the right the decision has been made above us; it is not ours to change.
    if (!(out->rights & FWPS_RIGHT_ACTION_WRITE))
        return;

    BOOLEAN has_port = connection.protocol != PROTOCOL_ICMP && connection.protocol != PROTOCOL_ICMPV6;
    if (wall_rules_match_app(&wall.rules, path, path_length) ||
        wall_rules_match_remote(&wall.rules, &connection.remote, connection.remote_port, has_port)) {
        out->actionType = FWP_ACTION_BLOCK;
        out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
        return;
    }
    out->actionType = FWP_ACTION_PERMIT;
    if (filter->flags & FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT)
        out->rights &= ~FWPS_RIGHT_ACTION_WRITE;
}

static NTSTATUS NTAPI notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *filter_key, FWPS_FILTER1 *filter)
{
    UNREFERENCED_PARAMETER(type);
    UNREFERENCED_PARAMETER(filter_key);
    UNREFERENCED_PARAMETER(filter);
    return STATUS_SUCCESS;
}

// No flow contexts are ever associated, so there is nothing to release.
static void NTAPI flow_delete(UINT16 layer_id, UINT32 callout_id, UINT64 flow_context)
{
    UNREFERENCED_PARAMETER(layer_id);
    UNREFERENCED_PARAMETER(callout_id);
    UNREFERENCED_PARAMETER(flow_context);
}

// --- Parameters ---

static NTSTATUS open_parameters(UNICODE_STRING *registry_path, HANDLE *ret_key)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE service;
    InitializeObjectAttributes(&attributes, registry_path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    NTSTATUS status = ZwOpenKey(&service, KEY_READ, &attributes);
    if (!NT_SUCCESS(status))
        return status;

    UNICODE_STRING name;
    RtlInitUnicodeString(&name, L"Parameters");
    InitializeObjectAttributes(&attributes, &name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, service, NULL);
    status = ZwOpenKey(ret_key, KEY_READ, &attributes);
    ZwClose(service);
    return status;
}

// Reads the string value `name`, terminated. An absent value gives STATUS_OBJECT_NAME_NOT_FOUND.
static NTSTATUS read_string(HANDLE key, PCWSTR name, WCHAR ret_text[WALL_RULES_TEXT_MAX])
{
    // Static: too large for a kernel stack, and DriverEntry is the only user.
    static union {
        KEY_VALUE_PARTIAL_INFORMATION value;
        UCHAR bytes[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + WALL_RULES_TEXT_MAX * sizeof(WCHAR)];
    } buffer;
    UNICODE_STRING value_name;
    ULONG size;
    RtlInitUnicodeString(&value_name, name);
    NTSTATUS status = ZwQueryValueKey(key, &value_name, KeyValuePartialInformation, &buffer, sizeof(buffer), &size);
    if (!NT_SUCCESS(status))
        return status;
    if (buffer.value.Type != REG_SZ)
        return STATUS_OBJECT_TYPE_MISMATCH;

    ULONG length = buffer.value.DataLength / sizeof(WCHAR);
    if (length >= WALL_RULES_TEXT_MAX)
        return STATUS_BUFFER_OVERFLOW;
    RtlCopyMemory(ret_text, buffer.bytes + FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data), length * sizeof(WCHAR));
    ret_text[length] = L'\0';
    return STATUS_SUCCESS;
}

static NTSTATUS read_list(HANDLE key, PCWSTR name, const CHAR *expected,
                          NTSTATUS (*set)(struct wall_rules *rules, PWSTR text, PCWSTR *ret_bad))
{
    static WCHAR text[WALL_RULES_TEXT_MAX];
    NTSTATUS status = read_string(key, name, text);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND || (NT_SUCCESS(status) && text[0] == L'\0'))
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        wall_log_print("[WFP]Parameter %S is not a string of less than %d characters (0x%08X)\n", name,
                       WALL_RULES_TEXT_MAX, (unsigned)status);
        return status;
    }
    PCWSTR bad;
    status = set(&wall.rules, text, &bad);
    if (status == STATUS_QUOTA_EXCEEDED)
        wall_log_print("[WFP]Parameter %S has too many values, from \"%S\" on\n", name, bad);
    else if (!NT_SUCCESS(status))
        wall_log_print("[WFP]Parameter %S is wrong at \"%S\": expected %s\n", name, bad, expected);
    return status;
}

static NTSTATUS read_parameters(UNICODE_STRING *registry_path)
{
    HANDLE key;
    NTSTATUS status = open_parameters(registry_path, &key);
    if (status == STATUS_OBJECT_NAME_NOT_FOUND)
        return STATUS_SUCCESS;
    if (!NT_SUCCESS(status)) {
        wall_log_print("[WFP]The driver's registry key cannot be opened (0x%08X)\n", (unsigned)status);
        return status;
    }
    status = read_list(key, L"block_app", "parts of paths, separated by commas", wall_rules_set_apps);
    if (NT_SUCCESS(status))
        status = read_list(key, L"block_remote", "addr, addr:port, [v6]:port or :port, separated by commas",
                           wall_rules_set_remotes);
    ZwClose(key);
    return status;
}

// --- Start ---

static NTSTATUS make_device(DRIVER_OBJECT *driver)
{
    UNICODE_STRING device_name, link_name;
    RtlInitUnicodeString(&device_name, L"\\Device\\RingwallWall");
    RtlInitUnicodeString(&link_name, L"\\DosDevices\\RingwallWall");
    NTSTATUS status = IoCreateDeviceSecure(driver, 0, &device_name, FILE_DEVICE_NETWORK, FILE_DEVICE_SECURE_OPEN, FALSE,
                                           &SDDL_DEVOBJ_SYS_ALL_ADM_ALL, &WALL_DEVICE_CLASS, &wall.device);
    if (!NT_SUCCESS(status))
        return status;
    status = IoCreateSymbolicLink(&link_name, &device_name);
    wall.link_made = NT_SUCCESS(status);
    return status;
}

static NTSTATUS register_callouts(void)
{
    for (ULONG i = 0; i < LAYER_COUNT; i++) {
        FWPS_CALLOUT1 callout;
        RtlZeroMemory(&callout, sizeof(callout));
        callout.calloutKey = *layers[i].callout_key;
        callout.classifyFn = classify;
        callout.notifyFn = notify;
        callout.flowDeleteFn = flow_delete;
        NTSTATUS status = FwpsCalloutRegister1(wall.device, &callout, &wall.callout_ids[i]);
        if (!NT_SUCCESS(status))
            return status;
        wall.callout_count++;
    }
    return STATUS_SUCCESS;
}

// Deletes our objects, the ones that refer first. Those that do not exist are no error.
static void delete_objects(void)
{
    for (ULONG i = 0; i < LAYER_COUNT; i++)
        (void)FwpmFilterDeleteByKey0(wall.engine, layers[i].filter_key);
    (void)FwpmSubLayerDeleteByKey0(wall.engine, &WALL_SUBLAYER);
    for (ULONG i = 0; i < LAYER_COUNT; i++)
        (void)FwpmCalloutDeleteByKey0(wall.engine, layers[i].callout_key);
}

static NTSTATUS add_callout(const struct layer *layer)
{
    FWPM_CALLOUT0 callout;
    RtlZeroMemory(&callout, sizeof(callout));
    callout.calloutKey = *layer->callout_key;
    callout.displayData.name = layer->name;
    callout.displayData.description = (PWSTR)L"Reports connections and blocks the chosen ones";
    callout.applicableLayer = *layer->layer_key;
    return FwpmCalloutAdd0(wall.engine, &callout, NULL, NULL);
}

static NTSTATUS add_sublayer(void)
{
    FWPM_SUBLAYER0 sublayer;
    RtlZeroMemory(&sublayer, sizeof(sublayer));
    sublayer.subLayerKey = WALL_SUBLAYER;
    sublayer.displayData.name = (PWSTR)L"wall";
    sublayer.displayData.description = (PWSTR)L"The filters of the wall driver";
    sublayer.weight = SUBLAYER_WEIGHT;
    return FwpmSubLayerAdd0(wall.engine, &sublayer, NULL);
}

// A filter without conditions: the callout sees every connection of the layer.
static NTSTATUS add_filter(const struct layer *layer)
{
    FWPM_FILTER0 filter;
    RtlZeroMemory(&filter, sizeof(filter));
    filter.filterKey = *layer->filter_key;
    filter.displayData.name = layer->name;
    filter.displayData.description = (PWSTR)L"Shows every connection to the wall driver";
    filter.layerKey = *layer->layer_key;
    filter.subLayerKey = WALL_SUBLAYER;
    filter.weight.type = FWP_EMPTY;
    filter.action.type = FWP_ACTION_CALLOUT_UNKNOWN;
    filter.action.calloutKey = *layer->callout_key;
    return FwpmFilterAdd0(wall.engine, &filter, NULL, NULL);
}

static NTSTATUS add_objects(void)
{
    delete_objects();
    NTSTATUS status = STATUS_SUCCESS;
    for (ULONG i = 0; NT_SUCCESS(status) && i < LAYER_COUNT; i++)
        status = add_callout(&layers[i]);
    if (NT_SUCCESS(status))
        status = add_sublayer();
    for (ULONG i = 0; NT_SUCCESS(status) && i < LAYER_COUNT; i++)
        status = add_filter(&layers[i]);
    return status;
}

// One transaction: connections meet either none of the objects or all of them.
static NTSTATUS change_objects(NTSTATUS (*change)(void))
{
    NTSTATUS status = FwpmTransactionBegin0(wall.engine, 0);
    if (!NT_SUCCESS(status))
        return status;
    status = change();
    if (NT_SUCCESS(status))
        status = FwpmTransactionCommit0(wall.engine);
    if (!NT_SUCCESS(status))
        (void)FwpmTransactionAbort0(wall.engine);
    return status;
}

static NTSTATUS take_objects_back(void)
{
    delete_objects();
    return STATUS_SUCCESS;
}

// Takes back what was done, in reverse order. Works from every point a failing DriverEntry can have reached.
static void stop(void)
{
    NTSTATUS status;
    if (wall.objects_added) {
        status = change_objects(take_objects_back);
        if (!NT_SUCCESS(status))
            wall_log_print("[WFP]The filters could not be removed (0x%08X)\n", (unsigned)status);
    }
    while (wall.callout_count > 0) {
        status = FwpsCalloutUnregisterById0(wall.callout_ids[--wall.callout_count]);
        if (!NT_SUCCESS(status))
            wall_log_print("[WFP]A callout could not be unregistered (0x%08X)\n", (unsigned)status);
    }
    if (wall.engine)
        (void)FwpmEngineClose0(wall.engine);
    if (wall.link_made) {
        UNICODE_STRING link_name;
        RtlInitUnicodeString(&link_name, L"\\DosDevices\\RingwallWall");
        (void)IoDeleteSymbolicLink(&link_name);
    }
    wall_log_stop();
    if (wall.device)
        IoDeleteDevice(wall.device);
    RtlZeroMemory(&wall, sizeof(wall));
}

static void NTAPI driver_unload(DRIVER_OBJECT *driver)
{
    UNREFERENCED_PARAMETER(driver);
    stop();
    wall_log_print("[WFP]wall is unloaded\n");
}

NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *registry_path)
{
    NTSTATUS status = wall_log_start(driver);
    if (!NT_SUCCESS(status))
        return status;

    const CHAR *step = "reading the parameters";
    status = read_parameters(registry_path);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "creating the device";
    status = make_device(driver);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "opening the filter engine";
    status = FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &wall.engine);
    if (!NT_SUCCESS(status))
        goto failed;

    step = "registering the callouts";
    status = register_callouts();
    if (!NT_SUCCESS(status))
        goto failed;

    step = "adding the filters";
    status = change_objects(add_objects);
    if (!NT_SUCCESS(status))
        goto failed;
    wall.objects_added = TRUE;

    driver->DriverUnload = driver_unload;
    wall_log_print("[WFP]wall is loaded: %u programs and %u remotes are blocked\n", (unsigned)wall.rules.app_count,
                   (unsigned)wall.rules.remote_count);
    return STATUS_SUCCESS;

failed:
    wall_log_print("[WFP]wall cannot start: %s failed (0x%08X)\n", step, (unsigned)status);
    stop();
    return status;
}
