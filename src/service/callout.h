// Callouts: which connection registered which, and the questions under way to them.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "base/map.h"
#include "engine/classify.h"
#include "wire/messages.h"

struct wall_connection;
struct wall_engine;

// A classify that takes longer than this is a fault of the driver: on Windows it would hold up a CPU. Generous,
// because drivers run as processes and the machine may be busy.
#define WALL_CLASSIFY_TIMEOUT_MS 5000u
// Questions open at once to one callout; more are answered as if it were not registered (fail closed, counted).
#define WALL_QUESTIONS_MAX 131072u

enum wall_question_kind { WALL_QUESTION_CLASSIFY, WALL_QUESTION_NOTIFY, WALL_QUESTION_FLOW_DELETE };

struct wall_question {
    uint32_t serial;
    enum wall_question_kind kind;
    uint64_t id;  // CLASSIFY: the hold's ask id; NOTIFY: what wall_callouts_notify() was given; else 0
    struct wall_connection *connection;
    uint32_t callout_id;
    uint64_t deadline_us;
    bool settled;  // its callout was unregistered: the answer still comes, and means nothing
    struct wall_question *previous, *next;  // in the order of their deadlines
};

struct wall_callout_entry {
    uint32_t callout_id;
    GUID key;
    uint32_t flags;
    bool flow_delete;
    uint32_t questions;
    struct wall_connection *connection;
};

struct wall_callouts_events {
    void *context;
    // A classify was answered; out == NULL: the callout is gone or failed.
    void (*classified)(void *context, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out, enum wall_pended pended);
    // A notify was answered: the status is an NTSTATUS; gone: 0 (WFP does not wait for dead drivers).
    void (*notified)(void *context, uint64_t id, uint32_t status);
    // The callout did not answer in time; its connection must be closed.
    void (*timed_out)(void *context, struct wall_connection *connection, uint32_t callout_id);
    // A callout has been registered or unregistered.
    void (*changed)(void *context);
    // It is gone; its questions have been answered.
    void (*gone)(void *context, uint32_t callout_id);
    // It has changed where the connection goes; classified() follows.
    void (*redirected)(void *context, uint64_t ask_id, const struct wall_redirect_version *version);
};

struct wall_callouts {
    struct wall_engine *engine;
    sd_event *event;
    sd_event_source *timer;
    struct wall_callouts_events events;
    struct wall_map by_id;      // callout id → struct wall_callout_entry
    struct wall_map by_serial;  // serial → struct wall_question
    struct wall_question *oldest, *newest;
    uint32_t next_serial;
};

// Nothing is registered yet. Returns 0 or a negative errno.
int wall_callouts_init(struct wall_callouts *callouts, struct wall_engine *engine, sd_event *event,
                       const struct wall_callouts_events *events);
void wall_callouts_done(struct wall_callouts *callouts);

// `connection` becomes the implementation of a callout key. Returns 0, FWP_E_ALREADY_EXISTS, or another status.
wall_status wall_callouts_register(struct wall_callouts *callouts, struct wall_connection *connection,
                                   const struct wall_callout_register_request *request, uint32_t *ret_id);
wall_status wall_callouts_unregister(struct wall_callouts *callouts, struct wall_connection *connection,
                                     uint32_t callout_id);
// The connection is gone: all its callouts are, and the rule for unregistered callouts answers open questions.
void wall_callouts_drop(struct wall_callouts *callouts, const struct wall_connection *connection);
const struct wall_callout_entry *wall_callouts_find(const struct wall_callouts *callouts, uint32_t callout_id);
unsigned wall_callouts_count(const struct wall_callouts *callouts, const struct wall_connection *connection);

// Asks. Return false when the callout is not registered or cannot be asked; then no answer follows.
bool wall_callouts_classify(struct wall_callouts *callouts, struct wall_classify_request *request);
bool wall_callouts_notify(struct wall_callouts *callouts, uint64_t id, const struct wall_notify_request *request);
bool wall_callouts_flow_delete(struct wall_callouts *callouts, const struct wall_flow_delete_request *request);
// A question is not interesting any more; its late answer is ignored.
void wall_callouts_cancel(struct wall_callouts *callouts, uint64_t ask_id);

// A reply of type CLASSIFY, NOTIFY or FLOW_DELETE came from `connection`. Returns 0, or -EPROTO for a reply nobody
// asked for.
int wall_callouts_reply(struct wall_callouts *callouts, struct wall_connection *connection,
                        const struct wall_frame *frame, struct wall_error *err);
