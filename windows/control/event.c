#include "event.h"

#define SOURCE L"Ringwall"
#define KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" SOURCE

void wall_event_register(void)
{
    WCHAR path[MAX_PATH];
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    HKEY key;
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);
    if (length == 0 || length == MAX_PATH ||
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL) != ERROR_SUCCESS)
        return;
    RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)path, (length + 1) * sizeof(WCHAR));
    RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types, sizeof(types));
    RegCloseKey(key);
}

void wall_event_report(DWORD event, const WCHAR *driver)
{
    static const WORD types[] = { EVENTLOG_SUCCESS, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
                                  EVENTLOG_ERROR_TYPE };
    HANDLE log = RegisterEventSourceW(NULL, SOURCE);
    if (!log)
        return;
    ReportEventW(log, types[event >> 30], 0, event, NULL, 1, 0, &driver, NULL);
    DeregisterEventSource(log);
}
