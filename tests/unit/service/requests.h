// What most tests of the service do first, over support/service_lab.h.
#pragma once

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define INITGUID
#include "fwpmu.h"
#include "fwpslayers.h"
#include "winerror.h"

#include "datapath/fake/fake.h"
#include "service/client.h"
#include "service/monitor.h"
#include "support/service_lab.h"

#define RUN_WITH_SERVICE(tests)                                             \
    do {                                                                    \
        if (!service_lab_start()) {                                         \
            puts("skipped: no cgroup v2");                                  \
            return 77;                                                      \
        }                                                                   \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);             \
        service_lab_done();                                                 \
        return failed;                                                      \
    } while (0)

static inline struct lab_client *open_session(uint32_t flags, uint32_t wait_ms)
{
    struct lab_client *client = lab_hello(WALL_ROLE_ENGINE);
    FWPM_SESSION0 session = { .flags = flags, .txnWaitTimeoutInMSec = wait_ms };
    assert_int_equal(lab_status(client, WALL_MESSAGE_SESSION_OPEN, &(struct wall_session_open_request){ &session }), 0);
    return client;
}

static inline uint32_t add_object(struct lab_client *client, uint32_t type, void *object, uint64_t *ret_id)
{
    const struct wall_object_add_request request = { .object = { .type = type, .pointer = object } };
    struct wall_object_add_reply *reply = lab_call(client, WALL_MESSAGE_OBJECT_ADD, &request);
    uint32_t status = reply->reply.status;
    if (ret_id && status == 0)
        *ret_id = reply->id;
    free(reply);
    return status;
}

static inline FWPM_FILTER0 make_filter(FWP_ACTION_TYPE action, uint32_t flags)
{
    return (FWPM_FILTER0){ .displayData.name = (WCHAR *)L"test filter", .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
                           .action.type = action, .flags = flags };
}

static inline uint32_t delete_filter(struct lab_client *client, uint64_t id)
{
    return lab_status(client, WALL_MESSAGE_OBJECT_DELETE,
                      &(struct wall_object_find_request){ .type = WALL_OBJECT_FILTER, .id = id });
}

static inline bool filter_exists(struct lab_client *client, uint64_t id)
{
    return lab_status(client, WALL_MESSAGE_OBJECT_GET,
                      &(struct wall_object_find_request){ .type = WALL_OBJECT_FILTER, .id = id }) == 0;
}

// A program connects to 10.9.0.2:80; the flow is held until the service decides.
static inline void connect_somewhere(uint64_t flow_id)
{
    const struct wall_flow flow = {
        .id = flow_id, .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V4, .family = AF_INET, .protocol = IPPROTO_TCP,
        .process_id = 42, .user_id = 7, .executable_path = "/usr/bin/curl", .process_name = "curl",
        .remote_address = { 10, 9, 0, 2 }, .remote_port = 80, .local_address = { 10, 9, 0, 1 }, .local_port = 40000,
    };
    assert_int_equal(wall_fake_hold(wall_fake_datapath(), &flow), 0);
    assert_true(service_lab_turn());
}

// -1: still held.
static inline int decision_of(uint64_t flow_id)
{
    enum wall_flow_decision decision;
    return wall_fake_decided(wall_fake_datapath(), flow_id, &decision) ? (int)decision : -1;
}

// The next frame of a type; NULL: none came.
static inline void *expect_frame(struct lab_client *client, uint16_t type, uint32_t *ret_serial)
{
    struct wall_frame frame;
    void *object = NULL;
    while (lab_receive(client, &frame, &object)) {
        if (frame.type == type && !(frame.flags & WALL_FRAME_REPLY)) {
            if (ret_serial)
                *ret_serial = frame.serial;
            return object;
        }
        free(object);
        object = NULL;
    }
    return NULL;
}
