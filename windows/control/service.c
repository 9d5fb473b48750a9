#include "service.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

// A driver that takes longer to start or stop hangs.
#define WAIT_MS 30000
#define PAUSE_MS 20

static int exit_of(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
        return WALL_EXIT_ACCESS_DENIED;
    case ERROR_SERVICE_DOES_NOT_EXIST:
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return WALL_EXIT_NOT_FOUND;
    case ERROR_SERVICE_EXISTS:
    case ERROR_SERVICE_ALREADY_RUNNING:
        return WALL_EXIT_EXISTS;
    case ERROR_SERVICE_NOT_ACTIVE:
        return WALL_EXIT_NOT_RUNNING;
    case ERROR_SERVICE_REQUEST_TIMEOUT:
    case ERROR_TIMEOUT:
        return WALL_EXIT_TIMEOUT;
    default:
        return WALL_EXIT_FAILED;
    }
}

int wall_complain_windows(DWORD error, const char *format, ...)
{
    char what[512], meaning[256];
    WCHAR wide[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, NULL, error, 0, wide,
                                  sizeof(wide) / sizeof(wide[0]) - 1, NULL);
    while (length > 0 && (wide[length - 1] <= L' ' || wide[length - 1] == L'.'))
        length--;
    wide[length] = L'\0';
    WideCharToMultiByte(CP_UTF8, 0, wide, -1, meaning, sizeof(meaning), NULL, NULL);
    wall_complain("cannot %s: %s (error %lu)", what, length > 0 ? meaning : "unknown error", error);
    return exit_of(error);
}

bool wall_service_name(const char *text, WCHAR ret_name[WALL_SERVICE_NAME_MAX])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(text);
    if (length == 0 || length >= WALL_SERVICE_NAME_MAX || strspn(text, allowed) != length)
        return false;
    for (size_t i = 0; i <= length; i++)
        ret_name[i] = (WCHAR)text[i];
    return true;
}

static int open_manager(DWORD access, SC_HANDLE *ret_manager)
{
    *ret_manager = OpenSCManagerW(NULL, NULL, access);
    return *ret_manager ? 0 : wall_complain_windows(GetLastError(), "reach the service control manager");
}

int wall_service_open(const WCHAR *name, DWORD access, SC_HANDLE *ret_service)
{
    SC_HANDLE manager;
    int code = open_manager(SC_MANAGER_CONNECT, &manager);
    if (code != 0)
        return code;
    *ret_service = OpenServiceW(manager, name, access);
    if (!*ret_service)
        code = wall_complain_windows(GetLastError(), "open the driver %ls", name);
    CloseServiceHandle(manager);
    return code;
}

int wall_service_create(const WCHAR *name, const WCHAR *path, bool at_boot)
{
    SC_HANDLE manager;
    if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
        return wall_complain_windows(GetLastError(), "find the driver %ls", path);
    int code = open_manager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, &manager);
    if (code != 0)
        return code;
    // The filter engine comes up before drivers that are started by the system.
    DWORD start = at_boot ? SERVICE_SYSTEM_START : SERVICE_DEMAND_START;
    SC_HANDLE service = CreateServiceW(manager, name, name, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER, start,
                                       SERVICE_ERROR_NORMAL, path, L"NDIS", NULL, L"BFE\0", NULL, NULL);
    bool exists = !service && GetLastError() == ERROR_SERVICE_EXISTS;
    if (exists)
        service = OpenServiceW(manager, name, SERVICE_CHANGE_CONFIG);
    if (!service || (exists && !ChangeServiceConfigW(service, SERVICE_KERNEL_DRIVER, start, SERVICE_ERROR_NORMAL, path,
                                                     NULL, NULL, NULL, NULL, NULL, NULL)))
        code = wall_complain_windows(GetLastError(), "install the driver %ls", name);
    if (service)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return code;
}

static DWORD wait_for(SC_HANDLE service, DWORD state)
{
    SERVICE_STATUS status;
    for (unsigned waited = 0; waited < WAIT_MS; waited += PAUSE_MS) {
        if (!QueryServiceStatus(service, &status))
            return GetLastError();
        if (status.dwCurrentState == state)
            return ERROR_SUCCESS;
        Sleep(PAUSE_MS);
    }
    return ERROR_TIMEOUT;
}

int wall_service_start(const WCHAR *name)
{
    SC_HANDLE service;
    int code = wall_service_open(name, SERVICE_START | SERVICE_QUERY_STATUS, &service);
    if (code != 0)
        return code;
    DWORD error = StartServiceW(service, 0, NULL) ? wait_for(service, SERVICE_RUNNING) : GetLastError();
    if (error != ERROR_SUCCESS)
        code = wall_complain_windows(error, "start the driver %ls", name);
    CloseServiceHandle(service);
    return code;
}

int wall_service_stop(const WCHAR *name)
{
    SC_HANDLE service;
    SERVICE_STATUS status;
    int code = wall_service_open(name, SERVICE_STOP | SERVICE_QUERY_STATUS, &service);
    if (code != 0)
        return code;
    DWORD error = ControlService(service, SERVICE_CONTROL_STOP, &status) ? wait_for(service, SERVICE_STOPPED)
                                                                         : GetLastError();
    if (error != ERROR_SUCCESS)
        code = wall_complain_windows(error, "stop the driver %ls", name);
    CloseServiceHandle(service);
    return code;
}

int wall_service_delete(const WCHAR *name)
{
    SC_HANDLE service;
    int code = wall_service_open(name, DELETE, &service);
    if (code != 0)
        return code;
    if (!DeleteService(service))
        code = wall_complain_windows(GetLastError(), "remove the driver %ls", name);
    CloseServiceHandle(service);
    return code;
}

int wall_service_parameters(const WCHAR *name, HKEY *ret_key)
{
    WCHAR path[128 + WALL_SERVICE_NAME_MAX];
    SC_HANDLE service;
    int code = wall_service_open(name, SERVICE_QUERY_CONFIG, &service);  // no key for a service that does not exist
    if (code != 0)
        return code;
    CloseServiceHandle(service);
    _snwprintf(path, sizeof(path) / sizeof(path[0]), L"SYSTEM\\CurrentControlSet\\Services\\%ls\\Parameters", name);
    DWORD error = (DWORD)RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_SET_VALUE, NULL, ret_key, NULL);
    return error == ERROR_SUCCESS ? 0 : wall_complain_windows(error, "open the parameters of %ls", name);
}
