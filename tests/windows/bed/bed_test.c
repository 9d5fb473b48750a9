#include "bed_test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <ws2tcpip.h>

#include "fwpslayers.h"

unsigned test_failures;

// Wine gives each group of drivers a process; the drivers need the one that fwpkclnt.sys is in.
#define GROUP L"NDIS"  // as ringwall install does

static HANDLE device = INVALID_HANDLE_VALUE;

bool test_failed(const char *file, int line, const char *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("   %s:%d: failed: %s: ", file, line, text);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    test_failures++;
    return false;
}

static void give_up(const char *what)
{
    printf("   %s: error %lu\n", what, GetLastError());
    fflush(stdout);
    exit(2);
}

// --- Services ---

static SC_HANDLE manager(void)
{
    static SC_HANDLE handle;
    if (!handle)
        handle = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    if (!handle)
        give_up("OpenSCManager");
    return handle;
}

static SC_HANDLE open_service(const WCHAR *name)
{
    SC_HANDLE service = OpenServiceW(manager(), name, SERVICE_ALL_ACCESS);
    if (!service)
        give_up("OpenService");
    return service;
}

void test_driver_install(const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    _snwprintf(path, MAX_PATH, L"C:\\windows\\system32\\drivers\\%ls.sys", name);
    SC_HANDLE service = CreateServiceW(manager(), name, name, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                                       SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path, GROUP, NULL, NULL, NULL, NULL);
    if (!service && GetLastError() != ERROR_SERVICE_EXISTS)
        give_up("CreateService");
    if (service)
        CloseServiceHandle(service);
}

void test_driver_parameter(const WCHAR *name, const WCHAR *parameter, const WCHAR *value)
{
    WCHAR path[MAX_PATH];
    HKEY key;
    _snwprintf(path, MAX_PATH, L"SYSTEM\\CurrentControlSet\\Services\\%ls\\Parameters", name);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL) != ERROR_SUCCESS)
        give_up("RegCreateKeyEx");
    if (value)
        RegSetValueExW(key, parameter, 0, REG_SZ, (const BYTE *)value, (DWORD)((wcslen(value) + 1) * sizeof(WCHAR)));
    else
        RegDeleteValueW(key, parameter);
    RegCloseKey(key);
}

DWORD test_driver_start(const WCHAR *name)
{
    SC_HANDLE service = open_service(name);
    DWORD code;
    int attempts = 0;
    do {  // locked: another service is being started
        code = StartServiceW(service, 0, NULL) ? ERROR_SUCCESS : GetLastError();
    } while (code == ERROR_SERVICE_DATABASE_LOCKED && attempts++ < 1000 && (Sleep(10), true));
    CloseServiceHandle(service);
    return code;
}

static DWORD state_of(SC_HANDLE service)
{
    SERVICE_STATUS status;
    return QueryServiceStatus(service, &status) ? status.dwCurrentState : 0;
}

DWORD test_driver_stop(const WCHAR *name)
{
    SC_HANDLE service = open_service(name);
    SERVICE_STATUS status;
    DWORD code = ControlService(service, SERVICE_CONTROL_STOP, &status) ? ERROR_SUCCESS : GetLastError();
    for (int i = 0; code == ERROR_SUCCESS && state_of(service) != SERVICE_STOPPED; i++) {
        if (i == 10000)
            code = ERROR_TIMEOUT;
        Sleep(1);
    }
    CloseServiceHandle(service);
    return code;
}

void test_driver_remove(const WCHAR *name)
{
    SC_HANDLE service = open_service(name);
    DeleteService(service);
    CloseServiceHandle(service);
}

// --- The bed ---

void bed_open(void)
{
    test_driver_install(L"bed");
    DWORD code = test_driver_start(L"bed");
    if (code != ERROR_SUCCESS && code != ERROR_SERVICE_ALREADY_RUNNING) {
        SetLastError(code);
        give_up("starting bed.sys");
    }
    device = CreateFileW(BED_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (device == INVALID_HANDLE_VALUE)
        give_up("opening the bed");
}

static DWORD control(DWORD code, const void *input, DWORD input_size, void *output, DWORD output_size)
{
    DWORD used = 0;
    if (!DeviceIoControl(device, code, (void *)(uintptr_t)input, input_size, output, output_size, &used, NULL))
        give_up("DeviceIoControl");
    return used;
}

struct bed_state bed_state(void)
{
    struct bed_state state;
    control(BED_STATE, NULL, 0, &state, sizeof(state));
    return state;
}

struct bed_verdict bed_inject(const struct bed_attempt *attempt)
{
    struct bed_verdict verdict;
    control(BED_INJECT, attempt, sizeof(*attempt), &verdict, sizeof(verdict));
    return verdict;
}

struct bed_verdict bed_reclassify(const struct bed_attempt *attempt)
{
    struct bed_verdict verdict;
    control(BED_RECLASSIFY, attempt, sizeof(*attempt), &verdict, sizeof(verdict));
    return verdict;
}

struct bed_verdict bed_operation(uint64_t operation)
{
    struct bed_verdict verdict;
    control(BED_OPERATION, &operation, sizeof(operation), &verdict, sizeof(verdict));
    return verdict;
}

void bed_fault(uint32_t number)
{
    control(BED_FAULT, &number, sizeof(number), NULL, 0);
}

void bed_forgive(void)
{
    control(BED_FORGIVE, NULL, 0, NULL, 0);
}

const char *bed_lines(void)
{
    static char text[1 << 17];
    DWORD used = 0, count;
    while ((count = control(BED_LINES, NULL, 0, text + used, sizeof(text) - 1 - used)) > 0) {
        used += count;
        if (used == sizeof(text) - 1) {  // the newer half is enough
            used /= 2;
            memmove(text, text + sizeof(text) - 1 - used, used);
        }
    }
    text[used] = '\0';
    return text;
}

struct bed_attempt attempt_of(const char *path, uint64_t process_id, const char *local, uint16_t local_port,
                              const char *remote, uint16_t remote_port, uint8_t protocol)
{
    struct bed_attempt attempt = { .protocol = protocol, .local_port = local_port, .remote_port = remote_port,
                                   .process_id = process_id, .endpoint = process_id << 16 | local_port };
    bool is_v6 = strchr(remote, ':') != NULL;
    attempt.layer_id = is_v6 ? FWPS_LAYER_ALE_AUTH_CONNECT_V6 : FWPS_LAYER_ALE_AUTH_CONNECT_V4;
    int family = is_v6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, local, attempt.local) != 1 || inet_pton(family, remote, attempt.remote) != 1) {
        printf("   '%s' or '%s' is no address\n", local, remote);
        exit(2);
    }
    MultiByteToWideChar(CP_UTF8, 0, path, -1, (WCHAR *)attempt.path, BED_PATH_MAX - 1);
    return attempt;
}
