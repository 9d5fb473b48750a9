// client/link.h for the bed: no connection and no reader thread, a call is answered at once. There are no requests and
// notifications from the engine.
#include "client/link.h"

#include <errno.h>
#include <stdlib.h>

#include "winerror.h"

#include "bed.h"
#include "transport.h"

// A transaction of another session is waited for this long (wfp-reference 1.4), in pauses of a millisecond or more.
#define WAIT_PAUSES 15000

struct wall_link {
    struct bed_transport *transport;
};

int wall_link_open(const char *directory, enum wall_role role, const char *name, const struct wall_link_events *events,
                   struct wall_link **ret_link, struct wall_error *err)
{
    (void)directory;
    (void)role;
    (void)name;
    (void)events;
    (void)err;
    struct wall_link *link = calloc(1, sizeof(*link));
    int r = link ? bed_transport_open(&link->transport) : -ENOMEM;
    if (r < 0)
        free(link);
    else
        *ret_link = link;
    return r;
}

void wall_link_close(struct wall_link *link)
{
    bed_transport_close(link->transport);
    free(link);
}

void wall_link_shutdown(struct wall_link *link)
{
    (void)link;
}

static int call_once(struct wall_link *link, const struct wall_buffer *request, uint8_t *bytes, void **ret_reply)
{
    int size = bed_transport_call(link->transport, request->data, request->size, bytes, BED_MESSAGE_MAX);
    if (size < 0)
        return size;
    struct wall_frame_reader reader = { 0 };
    struct wall_frame frame;
    int r = wall_frame_reader_feed(&reader, bytes, (size_t)size);
    if (r == 0)
        r = wall_frame_reader_next(&reader, &frame, NULL) == 1 ? 0 : -ECONNRESET;
    if (r == 0)
        r = wall_message_decode(&frame, WALL_MESSAGE_TO_CLIENT, ret_reply, NULL);
    wall_frame_reader_done(&reader);
    return r;
}

int wall_link_call(struct wall_link *link, enum wall_message_type type, const void *request, void **ret_reply)
{
    struct wall_buffer buffer = { .limit = BED_MESSAGE_MAX };
    int r = wall_message_request(&buffer, type, 1, request);
    uint8_t *bytes = malloc(BED_MESSAGE_MAX);
    if (r == 0 && !bytes)
        r = -ENOMEM;
    for (unsigned i = 0; r == 0 && i <= WAIT_PAUSES; i++) {
        struct wall_reply *reply = NULL;
        r = call_once(link, &buffer, bytes, (void **)&reply);
        if (r == 0 && reply->status == WALL_STATUS_WAIT && i < WAIT_PAUSES) {
            free(reply);
            bed_transport_pause();
            continue;
        }
        if (r == 0 && reply->status == WALL_STATUS_WAIT)
            reply->status = (uint32_t)FWP_E_TIMEOUT;
        if (r == 0)
            *ret_reply = reply;
        break;
    }
    free(bytes);
    wall_buffer_done(&buffer);
    return r;
}

int wall_thread_start(void *(*run)(void *), void *argument, pthread_t *ret_thread)
{
    return -pthread_create(ret_thread, NULL, run, argument);
}
