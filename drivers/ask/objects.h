// The objects of the filter engine: sublayer, callouts, the filters that ask, and those that remember answers.
#pragma once

#include <ntddk.h>

#include <fwpsk.h>

#include <fwpmk.h>

#define ASK_LAYERS 4

// All that differs between the layers.
struct ask_layer {
    UINT16 id;
    const GUID *layer_key, *callout_key, *filter_key;
    BOOLEAN inbound, is_v6;
    UINT16 local_address, local_port, remote_address, remote_port, protocol;  // field ids
    UINT16 flags, reason, interface_index;
    const WCHAR *name;
};
extern const struct ask_layer ask_layers[ASK_LAYERS];
// The layer with this id; NULL: none of ours.
const struct ask_layer *ask_layer_find(UINT16 id);

// PASSIVE_LEVEL. The objects are persistent: should the service or the driver go without DriverUnload, connections that
// have no remembered answer are blocked until the driver is back.
NTSTATUS ask_objects_add(HANDLE engine);
// Takes back what asks; the remembered answers stay.
NTSTATUS ask_objects_remove(HANDLE engine);
// Adds the filters that answer for a program in one direction: one for each IP version.
NTSTATUS ask_objects_remember(HANDLE engine, const WCHAR *path, ULONG path_bytes, BOOLEAN inbound, BOOLEAN allow);
