#include "pend_script.h"

#include "ntos/ntos.h"

struct script script = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static const GUID key = { 0x22345678, 1, 2, { 3, 4, 5, 6, 7, 8, 9, 10 } };

// --- The service ---

static void ask(uint32_t serial, uint16_t layer_id, bool reauthorize, uint64_t completing, const FWP_BYTE_BLOB *packet,
                uint32_t offset)
{
    FWPS_INCOMING_VALUE0 values[] = { { { .type = FWP_EMPTY } } };
    struct wall_redirect_version version = { .remote_address = { 10, 0, 0, 1 }, .remote_port = 80 };
    const struct wall_classify_request request = {
        .classify_id = 1000 + serial,
        .callout_id = 500,
        .values = { .layerId = layer_id, .valueCount = 1, .incomingValue = values },
        .metadata = { .present = reauthorize ? 0 : FWPS_METADATA_FIELD_COMPLETION_HANDLE,
                      .completion_handle = 1000 + serial },
        .filter = { .filterId = 9, .action = { FWP_ACTION_CALLOUT_UNKNOWN, 500 } },
        .out = { .actionType = FWP_ACTION_CONTINUE, .rights = FWPS_RIGHT_ACTION_WRITE },
        .packet = (FWP_BYTE_BLOB *)(uintptr_t)packet,
        .packet_offset = offset,
        .netns_cookie = 55,
        .completing_id = completing,
        .version_count = layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V4,
        .versions = layer_id == FWPS_LAYER_ALE_CONNECT_REDIRECT_V4 ? &version : NULL,
    };
    fake_request(script.channel, WALL_MESSAGE_CLASSIFY, serial, &request);
}

static void note_reply(struct fake_connection *connection, const struct wall_frame *frame, const void *object)
{
    pthread_mutex_lock(&script.lock);
    script.replies[frame->serial] = *(const struct wall_classify_reply *)object;
    const struct wall_redirect_version *redirect = ((const struct wall_classify_reply *)object)->redirect;
    script.redirected[frame->serial] = redirect ? redirect->remote_port : 0;
    script.replied[frame->serial] = true;
    bool finish = script.awaits && frame->serial == script.reauthorize;
    script.awaits = script.awaits && !finish;
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
    if (finish)
        fake_refuse(connection, &script.completing, 0, NULL);
}

// Returns whether the reply comes later.
static bool note_request(const struct wall_frame *frame, const void *object)
{
    bool later = false;
    pthread_mutex_lock(&script.lock);
    switch (frame->type) {
    case WALL_MESSAGE_OPERATION_COMPLETE:
        script.complete = *(const struct wall_operation_complete_request *)object;
        script.completes++;
        later = script.awaits = script.reauthorize != 0;
        script.completing = *frame;
        break;
    case WALL_MESSAGE_CLASSIFY_COMPLETE:
        script.classify_complete = *(const struct wall_classify_complete_request *)object;
        script.redirected_late = script.classify_complete.redirect ? script.classify_complete.redirect->remote_port : 0;
        script.classify_completes++;
        break;
    case WALL_MESSAGE_INJECT:
        script.inject = *(const struct wall_inject_request *)object;
        memcpy(script.injected, script.inject.packet.data, script.inject.packet.size);
        script.injects++;
        break;
    case WALL_MESSAGE_PACKET_DROPPED:
        script.dropped = ((const struct wall_packet_dropped_notification *)object)->origin_id;
        script.drops++;
        break;
    default:
        break;
    }
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
    return later;
}

static bool handle(struct fake_connection *connection, const struct wall_frame *frame, void *object)
{
    if (frame->flags & WALL_FRAME_REPLY) {
        if (frame->type == WALL_MESSAGE_CLASSIFY)
            note_reply(connection, frame, object);
        return true;
    }
    if (frame->type == WALL_MESSAGE_CALLOUT_REGISTER) {
        script.channel = connection;
        fake_reply(connection, frame, &(struct wall_callout_register_reply){ .callout_id = 500 });
        pthread_mutex_lock(&script.lock);
        script.registrations++;
        pthread_cond_broadcast(&script.changed);
        pthread_mutex_unlock(&script.lock);
        return true;
    }
    if (note_request(frame, object)) {
        ask(script.reauthorize, FWPS_LAYER_ALE_AUTH_CONNECT_V4, true, script.complete.classify_id, NULL, 0);
        return true;
    }
    if (frame->type == WALL_MESSAGE_INJECT && script.inject_status) {
        fake_refuse(connection, frame, script.inject_status, NULL);
        return true;
    }
    return frame->type == WALL_MESSAGE_PACKET_DROPPED || frame->type == WALL_MESSAGE_REPORT;
}

// --- The driver ---

static void classify(const FWPS_INCOMING_VALUES0 *values, const FWPS_INCOMING_METADATA_VALUES0 *metadata,
                     void *layer_data, const void *context, const FWPS_FILTER3 *filter, UINT64 flow_context,
                     FWPS_CLASSIFY_OUT0 *out)
{
    pthread_mutex_lock(&script.lock);
    script.classifies++;
    script.classify_thread = pthread_self();
    pthread_cond_broadcast(&script.changed);
    pthread_mutex_unlock(&script.lock);
    script.classify(metadata, layer_data, context, out);
}

static NTSTATUS notify(FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *filter_key, FWPS_FILTER3 *filter)
{
    return STATUS_SUCCESS;
}

static void on_report(void *context, const struct ntos_report *report)
{
    pthread_mutex_lock(&script.lock);
    size_t used = strlen(script.report);
    (void)snprintf(script.report + used, sizeof(script.report) - used, "%s: %s (%u frames)\n", report->function,
                   report->text, report->frame_count);
    pthread_mutex_unlock(&script.lock);
}

int script_start(void **state)
{
    static const struct ntos_hooks hooks = { .report = on_report };
    const FWPS_CALLOUT3 callout = { key, 0, classify, notify, NULL };
    pthread_mutex_t lock = script.lock;
    pthread_cond_t changed = script.changed;
    script = (struct script){ .lock = lock, .changed = changed, .service.handle = handle };
    ntos_hooks_set(&hooks);
    fake_service_start(&script.service);
    return FwpsCalloutRegister3(NULL, &callout, &script.callout_id) == STATUS_SUCCESS ? 0 : -1;
}

int script_stop(void **state)
{
    (void)FwpsCalloutUnregisterById0(script.callout_id);
    fake_service_stop(&script.service);
    wall_channel_stop();
    ntos_hooks_set(NULL);
    return 0;
}

void script_ask(uint32_t serial, uint16_t layer_id, bool reauthorize, const uint8_t *packet, size_t bytes,
                uint32_t offset)
{
    const FWP_BYTE_BLOB blob = { (UINT32)bytes, (UINT8 *)(uintptr_t)packet };
    ask(serial, layer_id, reauthorize, 0, packet ? &blob : NULL, offset);
}

const struct wall_classify_reply *script_reply(uint32_t serial)
{
    pthread_mutex_lock(&script.lock);
    while (!script.replied[serial])
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
    return &script.replies[serial];
}

void script_wait(const unsigned *counter, unsigned count)
{
    pthread_mutex_lock(&script.lock);
    while (*counter < count)
        pthread_cond_wait(&script.changed, &script.lock);
    pthread_mutex_unlock(&script.lock);
}

void assert_reported(const char *function, const char *text)
{
    pthread_mutex_lock(&script.lock);
    const char *found = strstr(script.report, function);
    if (!found || !strstr(found, text))
        print_error("expected %s: %s; reported: %s\n", function, text, script.report);
    bool good = found && strstr(found, text) && !strstr(found, "(0 frames)");
    script.report[0] = '\0';
    pthread_mutex_unlock(&script.lock);
    assert_true(good);
}

void assert_nothing_reported(void)
{
    pthread_mutex_lock(&script.lock);
    if (script.report[0])
        print_error("%s\n", script.report);
    bool nothing = !script.report[0];
    pthread_mutex_unlock(&script.lock);
    assert_true(nothing);
}
