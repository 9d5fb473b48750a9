// What a callout driver of the tests starts with and ends with: its parameters, and its callouts with a filter each.
#pragma once

#include <ntddk.h>

#include <fwpmk.h>
#include <fwpsk.h>

#define CALLOUT_LAYERS_MAX 2

struct callout_table {
    PCWSTR name;  // of each object
    struct {
        const GUID *callout_key, *layer_key;
    } layers[CALLOUT_LAYERS_MAX];  // those that are used come first
    FWPS_CALLOUT_CLASSIFY_FN3 classify;
    FWPS_CALLOUT_FLOW_DELETE_NOTIFY_FN0 flow_delete;  // NULL: no flow gets a context
    FWP_ACTION_TYPE action;
    FWPM_FILTER_CONDITION0 *condition;  // of each filter; NULL: none
    const GUID *sublayer_key;           // added as well; NULL: the filters go to the default sublayer
    UINT16 sublayer_weight;
};

// PASSIVE_LEVEL. Adds all of the table in one transaction, in a session whose objects go with it. After a failure
// callouts_stop is still to be called.
NTSTATUS callouts_start(PDRIVER_OBJECT driver, const struct callout_table *table);
// PASSIVE_LEVEL, and from every point that callouts_start can have reached. A failure is that of a callout which is
// busy; the others are gone.
NTSTATUS callouts_stop(VOID);
// The run-time id of the callout at this layer of the table; known before anything is classified.
UINT32 callout_id(ULONG layer);

// PASSIVE_LEVEL. Reads a value of the driver's key; after a failure `ret_value` is as it was.
NTSTATUS parameter_read(PUNICODE_STRING registry_path, PCWSTR name, ULONG type, PVOID ret_value, ULONG value_bytes);
