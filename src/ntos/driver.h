// A loaded driver: its object, where its code lies, and what the host gave it.
#pragma once

#include <wdm.h>

#include "ntos/ntos.h"

struct ntos_driver {
    LIST_ENTRY entry;
    char *name;
    char *data_directory;  // may be NULL
    void *library;         // from dlopen()
    const void *start, *end;
    PDRIVER_OBJECT object;
    UNICODE_STRING registry_path;
    PDRIVER_INITIALIZE entry_point;
    NTSTATUS status;   // of DriverEntry
    void *extensions;  // of IoAllocateDriverObjectExtension
    bool unloaded;     // only kept because something of it still runs
};

// The driver whose code `address` belongs to, also one that runs on after it was unloaded; else the one that is loaded
// if there is just one; else NULL.
struct ntos_driver *ntos_driver_of(const void *address);
void ntos_extensions_free(struct ntos_driver *driver);
