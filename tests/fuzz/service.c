// Fuzzes the service behind its socket: connections, HELLO, every handler, the engine and the store below them.
//
// Input: a byte that chooses the role to say HELLO with (or none), a byte that says whether the client may change
// anything, and what the client sends. Meanwhile a connection of somebody else is held: whatever the client does, that
// flow is decided when the client is gone, and the service answers the next one.
#include "fuzz/standalone.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INITGUID
#include "fwpmu.h"
#include "fwpslayers.h"

#include "datapath/fake/fake.h"
#include "support/random_object.h"
#include "support/service_lab.h"

// What clients left (objects, stored policy) is thrown away after so many inputs, or every one would take longer.
#define INPUTS_PER_SERVICE 2000u

static bool running;

static void check(bool good, const char *what)
{
    if (good)
        return;
    (void)dprintf(STDERR_FILENO, "broken: %s\n", what);
    abort();
}

// Callouts that clients may register, and filters that then ask them.
static void add_policy(void)
{
    struct lab_client *client = lab_hello(WALL_ROLE_ENGINE);
    check(lab_status(client, WALL_MESSAGE_SESSION_OPEN, &(struct wall_session_open_request){ 0 }) == 0, "a session");
    for (unsigned long number = 1; number <= 2; number++) {
        FWPM_CALLOUT0 callout = { .calloutKey = { .Data1 = (uint32_t)number }, .displayData.name = (WCHAR *)L"callout",
                                  .applicableLayer = FWPM_LAYER_ALE_AUTH_CONNECT_V4 };
        FWPM_FILTER0 filter = { .displayData.name = (WCHAR *)L"ask", .layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4,
                                .action = { .type = FWP_ACTION_CALLOUT_UNKNOWN, .calloutKey = callout.calloutKey } };
        const struct wall_object_add_request first = { { WALL_OBJECT_CALLOUT, { &callout } } };
        const struct wall_object_add_request second = { { WALL_OBJECT_FILTER, { &filter } } };
        check(lab_status(client, WALL_MESSAGE_OBJECT_ADD, &first) == 0, "a callout");
        check(lab_status(client, WALL_MESSAGE_OBJECT_ADD, &second) == 0, "a filter");
    }
    lab_close(client);
}

static void start(void)
{
    if (!running) {
        stderr = fopen("/dev/null", "we");  // the service's log; sanitizers write to the descriptor itself
        (void)atexit(service_lab_done);
    }
    running = service_lab_start();
    if (!running) {
        puts("skipped: no cgroup v2");
        exit(77);
    }
    add_policy();
}

static bool hold_flow(uint64_t id)
{
    static const struct wall_flow flow = {
        .layer_id = FWPS_LAYER_ALE_AUTH_CONNECT_V4, .family = AF_INET, .protocol = IPPROTO_TCP, .process_id = 42,
        .executable_path = "/usr/bin/curl", .process_name = "curl", .remote_address = { 10, 9, 0, 2 },
        .remote_port = 80, .local_address = { 10, 9, 0, 1 }, .local_port = 40000,
    };
    struct wall_flow held = flow;
    held.id = id;
    return wall_fake_hold(wall_fake_datapath(), &held) == 0;
}

static void drain(struct lab_client *client)
{
    struct wall_frame frame;
    void *object = NULL;
    while (lab_receive(client, &frame, &object)) {  // aborts when it does not decode
        free(object);
        object = NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t inputs;
    if (size < 2)
        return 0;
    if (!running || ++inputs % INPUTS_PER_SERVICE == 0) {
        if (running)
            service_lab_done();
        start();
    }
    struct lab_client *client = data[0] % 4 ? lab_hello((enum wall_role)(data[0] % 4)) : lab_connect();
    if (data[1] % 4 == 0)
        lab_demote();
    size_t first = 2 + (size - 2) / 2;
    lab_send(client, data + 2, first - 2);
    bool lives = service_lab_turn();
    if (lives) {
        check(hold_flow(inputs), "a flow can be held");
        lives = service_lab_turn();
    }
    drain(client);
    if (lives) {
        lab_send(client, data + first, size - first);
        lives = service_lab_turn();
        drain(client);
    }
    if (!lives) {  // it was told to stop
        service_lab_done();
        start();
        lab_close(client);
        return 0;
    }
    lab_close(client);
    enum wall_flow_decision decision;
    check(wall_fake_decided(wall_fake_datapath(), inputs, &decision), "a flow is decided once its callouts are gone");
    if (inputs % 64 == 0) {
        struct lab_client *other = lab_hello(WALL_ROLE_CONTROL);
        check(lab_status(other, WALL_MESSAGE_STATUS, NULL) == 0, "the service answers others");
        lab_close(other);
    }
    return 0;
}

// --- Inputs that get past the first checks ---

static GUID pick_key(struct random *random)
{
    return (GUID){ .Data1 = 1 + random_below(random, 8) };
}

static const GUID *pick_layer(struct random *random)
{
    static const GUID *const layers[] = { &FWPM_LAYER_ALE_AUTH_CONNECT_V4, &FWPM_LAYER_ALE_AUTH_CONNECT_V6,
                                          &FWPM_LAYER_ALE_AUTH_RECV_ACCEPT_V4, &FWPM_LAYER_STREAM_V4 };
    return layers[random_below(random, 4)];
}

static void make_filter_plausible(struct random *random, FWPM_FILTER0 *filter)
{
    static const FWP_ACTION_TYPE actions[] = { FWP_ACTION_BLOCK, FWP_ACTION_PERMIT, FWP_ACTION_CALLOUT_TERMINATING,
                                               FWP_ACTION_CALLOUT_UNKNOWN, FWP_ACTION_CALLOUT_INSPECTION };
    filter->filterKey = pick_key(random);
    filter->layerKey = *pick_layer(random);
    filter->subLayerKey = random_below(random, 2) ? pick_key(random) : (GUID){ 0 };
    filter->action.type = actions[random_below(random, 5)];
    if (filter->action.type & FWP_ACTION_FLAG_CALLOUT)
        filter->action.calloutKey = pick_key(random);
    filter->flags &= FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    filter->weight = (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = (uint8_t)random_below(random, 17) };
    filter->providerKey = NULL;
    filter->rawContext = 0;
    if (random_below(random, 2))
        filter->numFilterConditions = 0;
}

static void make_plausible(struct random *random, uint16_t type, void *object)
{
    struct wall_object_add_request *add = object;
    struct wall_object_find_request *find = object;
    switch (type) {
    case WALL_MESSAGE_OBJECT_ADD:
        if (add->object.type == WALL_OBJECT_FILTER && add->object.pointer)
            make_filter_plausible(random, add->object.filter);
        if (add->object.type == WALL_OBJECT_CALLOUT && add->object.pointer) {
            add->object.callout->calloutKey = pick_key(random);
            add->object.callout->applicableLayer = *pick_layer(random);
            add->object.callout->flags &= FWPM_CALLOUT_FLAG_PERSISTENT;
            add->object.callout->providerKey = NULL;
        }
        if (add->object.type == WALL_OBJECT_SUBLAYER && add->object.pointer) {
            add->object.sublayer->subLayerKey = pick_key(random);
            add->object.sublayer->flags &= FWPM_SUBLAYER_FLAG_PERSISTENT;
            add->object.sublayer->providerKey = NULL;
        }
        break;
    case WALL_MESSAGE_OBJECT_DELETE:
    case WALL_MESSAGE_OBJECT_GET:
        if (find->key)
            *find->key = pick_key(random);
        break;
    case WALL_MESSAGE_CALLOUT_REGISTER:
        ((struct wall_callout_register_request *)object)->key = pick_key(random);
        break;
    case WALL_MESSAGE_ENUMERATION_NEXT:
    case WALL_MESSAGE_ENUMERATION_FREE:  // both begin with the enumeration's id
    case WALL_MESSAGE_UNSUBSCRIBE:
        *(uint64_t *)object = 1 + random_below(random, 3);
        break;
    default:
        break;
    }
}

// Roles have their own range of message types. The service asks callouts, which reply.
static bool is_of_role(const struct wall_message *message, uint32_t role)
{
    return message->type >> 8 == role &&
           (message->direction == WALL_MESSAGE_TO_SERVICE || (role == WALL_ROLE_CALLOUTS && message->reply));
}

size_t fuzz_make_input(struct random *random, uint8_t *data, size_t capacity)
{
    const struct wall_message *messages;
    size_t count = wall_message_list(&messages);
    struct wall_arena arena;
    wall_arena_init(&arena);
    struct wall_buffer buffer = { .limit = capacity - 2 };
    uint32_t role = 1 + random_below(random, 3);
    data[0] = (uint8_t)(random_below(random, 32) ? role : 0);
    data[1] = (uint8_t)random_below(random, 16);
    if (role == WALL_ROLE_ENGINE && random_below(random, 8)) {
        FWPM_SESSION0 session = { .flags = random_below(random, 2) ? FWPM_SESSION_FLAG_DYNAMIC : 0 };
        const struct wall_session_open_request open = { &session };
        (void)wall_message_request(&buffer, WALL_MESSAGE_SESSION_OPEN, 1, &open);
    }
    for (uint32_t frames = 1 + random_below(random, 6); frames > 0;) {
        const struct wall_message *message = &messages[random_below(random, (uint32_t)count)];
        if (!is_of_role(message, role) || (message->type == WALL_MESSAGE_STOP && random_below(random, 64)))
            continue;
        bool replies = message->direction == WALL_MESSAGE_TO_CLIENT;
        const struct wall_shape *shape = replies ? message->reply : message->request;
        void *object = shape ? random_object(random, &arena, shape) : NULL;
        if (object && random_below(random, 8))
            make_plausible(random, message->type, object);
        (void)wall_frame_append(&buffer, message->type, replies ? WALL_FRAME_REPLY : 0,
                                replies ? 1 + random_below(random, 16) : frames, shape, object);
        frames--;
    }
    if (buffer.size)
        memcpy(data + 2, buffer.data, buffer.size);
    size_t size = buffer.size + 2;
    wall_buffer_done(&buffer);
    wall_arena_done(&arena);
    return size;
}
