// Holds against a real engine; the callouts are played here and answer when the test says so.
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fwpmu.h"
#include "fwpslayers.h"

#include "service/hold.h"

struct lab {
    struct wall_engine *engine;
    struct wall_session *session;
    struct wall_holds holds;
    uint64_t asked[64];
    unsigned ask_count, cancel_count, decided_count;
    enum wall_flow_decision decisions[64];
    uint64_t decided_id[64];
    uint64_t completed[64];
    unsigned completed_count, fault_count, wait_count;
    char fault[256];
    uint32_t flags, reason;  // of the last question
    bool reauthorizing, injected;
    uint64_t now_ms;
    bool registered;
    bool skips;  // its callouts do not want to be asked
    uint32_t callout_ids[4];
    unsigned callout_count;
};

int lab_setup(void **state);
int lab_teardown(void **state);
// A filter of a callout of its own, in the default sublayer of `layer`; or in a lower one.
void lab_add_callout(struct lab *lab, const GUID *layer, uint32_t action, uint8_t weight);
void lab_add_lower_callout(struct lab *lab, const GUID *layer);
struct wall_flow lab_flow(uint64_t id, uint16_t layer_id);
int lab_hold(struct lab *lab, uint64_t id);  // a TCP connect

static const FWPS_CLASSIFY_OUT0 answer_permit = {.actionType = FWP_ACTION_PERMIT, .rights = FWPS_RIGHT_ACTION_WRITE};
static const FWPS_CLASSIFY_OUT0 answer_block = {.actionType = FWP_ACTION_BLOCK};
static const FWPS_CLASSIFY_OUT0 answer_absorb = {.actionType = FWP_ACTION_BLOCK,
                                                 .flags = FWPS_CLASSIFY_OUT_FLAG_ABSORB};
