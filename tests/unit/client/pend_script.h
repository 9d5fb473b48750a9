// A driver over the real libntos, and a service that plays its part of pending, for the tests of what drivers do
// asynchronously.
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ndis.h>

#include "fwpsk.h"

#include "client/channel.h"
#include "fake_service.h"

struct script {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_service service;
    struct fake_connection *channel;
    UINT32 callout_id;
    // What the driver's classify does.
    void (*classify)(const FWPS_INCOMING_METADATA_VALUES0 *metadata, NET_BUFFER_LIST *packet, const void *context,
                     FWPS_CLASSIFY_OUT0 *out);
    unsigned classifies, registrations;
    pthread_t classify_thread;  // of the last
    // What the service was told.
    struct wall_classify_reply replies[64];
    bool replied[64];
    uint16_t redirected[64], redirected_late;  // the remote port of an answer's, and of a completion's, redirection
    unsigned completes, classify_completes, injects, drops;
    struct wall_operation_complete_request complete;
    struct wall_classify_complete_request classify_complete;
    struct wall_inject_request inject;
    uint8_t injected[256];
    uint64_t dropped;
    uint32_t inject_status;
    // A completion causes a classification with this serial, as the service does it; 0: none.
    uint32_t reauthorize;
    bool awaits;
    struct wall_frame completing;
    char report[4096];  // of libntos: function and text of each
};
extern struct script script;

int script_start(void **state);
int script_stop(void **state);
// A classification at a layer with an id of 1000 + serial; `reauthorize`: without a completion handle.
void script_ask(uint32_t serial, uint16_t layer_id, bool reauthorize, const uint8_t *packet, size_t bytes,
                uint32_t offset);
const struct wall_classify_reply *script_reply(uint32_t serial);  // waits for it
void script_wait(const unsigned *counter, unsigned count);
void assert_reported(const char *function, const char *text);
void assert_nothing_reported(void);
