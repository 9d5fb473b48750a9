// Running a driver's callbacks: what the service's message says becomes the structures the callback expects.
#pragma once

#include <stdint.h>

#include "wire/messages.h"

struct wall_client_callout;

// What members of the metadata hold while their bit is not set: an address that no one may use.
#define WALL_METADATA_POISON 0xA5

// Runs one request (CLASSIFY, NOTIFY, FLOW_DELETE) and answers it, whatever the driver does. `object` stays the
// caller's, and is gone after the call: what a driver keeps of it is no longer valid.
void wall_classify_run(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object);
// Tells a driver that a filter is gone (FWPS_CALLOUT_NOTIFY_DELETE_FILTER).
void wall_classify_filter_deleted(struct wall_client_callout *callout, uint64_t filter_id);
// Runs flowDeleteFn.
void wall_classify_flow_deleted(struct wall_client_callout *callout, uint16_t layer_id, uint64_t context);
