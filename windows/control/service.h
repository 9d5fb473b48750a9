// Driver services: what the service control manager does for the commands.
#pragma once

#include <stdbool.h>

#include <winsock2.h>
#include <windows.h>

// A service's name in UTF-16; true when it may be one of a driver's: letters, digits, '-', '_', at most 63.
#define WALL_SERVICE_NAME_MAX 64
bool wall_service_name(const char *text, WCHAR ret_name[WALL_SERVICE_NAME_MAX]);

// They complain about what goes wrong and return the exit code.
int wall_service_open(const WCHAR *name, DWORD access, SC_HANDLE *ret_service);
// Makes the service of the driver at `path`, which has to exist. One that exists gets the new path.
int wall_service_create(const WCHAR *name, const WCHAR *path, bool at_boot);
// Starts it, or stops it, and waits until that is so.
int wall_service_start(const WCHAR *name);
int wall_service_stop(const WCHAR *name);
int wall_service_delete(const WCHAR *name);
// Opens the key of the driver's parameters, made when missing.
int wall_service_parameters(const WCHAR *name, HKEY *ret_key);

// "ringwall: cannot <what>: <Windows' own text>". Returns the exit code.
int wall_complain_windows(DWORD error, const char *format, ...) __attribute__((format(gnu_printf, 2, 3)));
