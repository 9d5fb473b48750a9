// A driver and a service for the tests of the callout channel: the service asks, the driver answers as it is told.
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/callout.h"
#include "fake_service.h"

// Of everything below, and told of each change.
extern pthread_mutex_t lock;
extern pthread_cond_t changed;

// --- The service ---

extern struct fake_service service;
extern struct fake_connection *channel;  // of the callouts
extern unsigned registrations, unregistrations;
extern uint32_t refuse_registration, refuse_unregistration, refuse_flow;
extern uint32_t first_id;  // given to the first registration
extern GUID registered_key;
extern uint8_t registered_flow_delete;

// What the driver answered, by serial.
#define SERIALS 64u
struct answer {
    bool answered;
    uint32_t status;
    FWPS_CLASSIFY_OUT0 out;
    uint64_t filter_context;
};
extern struct answer answers[SERIALS];

int start(void **state);
int stop(void **state);
void ask(uint32_t serial, uint8_t at_irql, uint32_t callout_id);
void tell(uint32_t serial, FWPS_CALLOUT_NOTIFY_TYPE type, uint64_t filter_id);
// Waits for the answer. Returns its status.
uint32_t wait_answer(uint32_t serial);
// Waits for a report that contains the text.
void wait_report(const char *text);
void wait_registrations(unsigned count);

// --- The driver ---

struct driver {
    unsigned calls, notifications, deletions, most_running, running;
    uint8_t irql;
    uint32_t process;
    uint32_t answer;     // what classify answers
    uint8_t leave_irql;  // IRQL it leaves behind, plus 1; 0: as it was
    bool wait;           // classify waits until this is cleared
    NTSTATUS notify_answer;
    uint64_t give_context;  // what notify stores in the filter
    uint64_t seen_context, deleted_context, deleted_flow_context, flow_context;
    FWPS_CALLOUT_NOTIFY_TYPE type;
    bool had_key;
    uint32_t callout_id;
    uint16_t layer_id;
    UINT32 remote_port;
    FWPS_INCOMING_METADATA_VALUES0 metadata;
    WCHAR path[32];
    bool had_classify_context, had_layer_data;
    uint32_t condition_port, suggested;
};
extern struct driver driver;
extern const GUID callout_key;

void classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata, void *layer_data,
              const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context, FWPS_CLASSIFY_OUT0 *out);
NTSTATUS notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter);
UINT32 register_driver(void);
// classify waits from here on; wait until so many do; let them go.
void hold_driver(void);
void wait_running(unsigned count);
void release_driver(void);
