// Callouts registered by drivers, and asking them. Kernel-style sources only.
#pragma once

#include <ntddk.h>

#include <fwpsk.h>

#include "engine/classify.h"

#include "core.h"

// One classification under way: what FwpsPendOperation0() finds behind the completion handle.
struct bed_classification {
    const FWPS_INCOMING_VALUES0 *values;
    const FWPS_INCOMING_METADATA_VALUES0 *metadata;
    NET_BUFFER_LIST *packet;  // layerData
    UINT32 asked;  // callouts
    UINT64 number;
    struct bed_classification *next;  // of those under way
};

// Around each classification, before it takes the policy and after it has done with it.
void bed_classification_begin(struct bed_classification *classification);
void bed_classification_end(struct bed_classification *classification);

// Asks the callout of `filter`. Returns false when no driver is behind it. Called without the lock.
bool bed_callout_ask(struct bed_classification *classification, const struct wall_filter *filter,
                     FWPS_CLASSIFY_OUT0 *out);

// Classifies anew an attempt that was pended or permitted before; `reason` is FWP_CONDITION_REAUTHORIZE_REASON_*.
void bed_reauthorize(const struct bed_attempt *attempt, UINT32 reason, struct bed_verdict *ret_verdict);
// Classifies a packet that a driver has injected.
void bed_classify_injected(const struct bed_attempt *attempt, NET_BUFFER_LIST *packet, struct bed_verdict *ret_verdict);
// An injected packet arrives: the verdict of the operation it belonged to, if that waits for it.
void bed_operation_injected(const struct bed_attempt *attempt, NET_BUFFER_LIST *packet);

// Authorizations that callouts pend (wfp-reference 4.5).
struct bed_operation;
// For one classification; NULL when memory is short. Its address is the completion handle.
struct bed_operation *bed_operation_new(const struct bed_attempt *attempt);
UINT64 bed_operation_id(const struct bed_operation *operation);  // unique for the life of the bed
// The classification has ended. If it was pended it stays until it is completed and asked for, otherwise it is freed.
void bed_operation_classified(struct bed_operation *operation, struct bed_verdict *verdict);
