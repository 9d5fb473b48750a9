// The registry a driver sees: a tree in memory.
#pragma once

#include <stdbool.h>

#include <wdm.h>

// Far above any driver's need: what a runaway loop can take of the host's memory stays below 64 MiB.
#define NTOS_REGISTRY_KEYS_MAX 256
#define NTOS_REGISTRY_VALUES_MAX 1024  // in all keys
#define NTOS_REGISTRY_DATA_MAX 65536   // bytes of one value

#define NTOS_REGISTRY_SERVICES L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

// Makes a key and those above it; sets a value. `path` and `name` are terminated. Return a status.
NTSTATUS ntos_registry_make(const WCHAR *path);
NTSTATUS ntos_registry_set(const WCHAR *path, const WCHAR *name, ULONG type, const void *data, ULONG size);
// Forgets a key and all below it.
void ntos_registry_forget(const WCHAR *path);
