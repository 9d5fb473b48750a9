// Holds: flows that wait for a decision. Runs the reference classification of each, asking callouts one after another
// in arbitration order, and answers the datapath when it is done. Any number of flows are under way at once.
//
// A callout may pend instead of answering (wfp-reference 4.4 to 4.6). Its BLOCK takes part in arbitration, and when it
// is what stands at the end, the flow stays held until the callout completes the operation:
//
//   CLASSIFYING ──▶ decided
//       │ pended       ▲
//       ▼              │
//   PENDED ── complete: classify once more, as reauthorization (CLASSIFYING)
//       └──── complete at ALE_AUTH_RECV_ACCEPT ──▶ AWAITING_PACKET ── injected: classify the packet (CLASSIFYING)
//
// A connection held for ALE_CONNECT_REDIRECT is classified at ALE_AUTH_CONNECT after it, with the destination that the
// callouts have left; only that decides. A block at the former ends it there. What is held for ALE_BIND_REDIRECT goes
// on to ALE_RESOURCE_ASSIGNMENT, when it is a bind(), or to these layers, when it is a flow whose socket had none.
//
// A callout that goes away while it pends leaves the flow to the rule for unregistered callouts, whatever became of its
// filter; one that never
// completes loses the flow to a block when the age limit is reached.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "datapath/datapath.h"
#include "engine/classify.h"
#include "service/flow_values.h"
#include "service/redirect.h"
#include "wire/messages.h"

struct wall_policy;

// Flows undecided at once. A flow beyond it is refused (counted in `refused`): never a silent permit.
#define WALL_HOLDS_MAX 131072u
// How long a callout may pend a flow before it is blocked. People have to be asked meanwhile.
#define WALL_PEND_AGE_MS 600000u
// How long after completing an inbound operation its packet may take to be injected.
#define WALL_PACKET_AGE_MS 5000u
// How long a flow of before a restart waits for the callout that has to judge it: one that was held, and one that was
// permitted and is judged again.
#define WALL_ADOPT_AGE_MS 30000u
// A callout that pends the packet it injected itself, this many times: the flow is blocked.
#define WALL_REPENDS_MAX 4u

enum wall_hold_state {
    WALL_HOLD_CLASSIFYING,
    WALL_HOLD_PENDED,
    WALL_HOLD_AWAITING_PACKET,
    WALL_HOLD_AWAITING_CALLOUT,  // held since before a restart; the callout is not back yet
};

// Who injected the packet that is classified.
struct wall_packet_mark {
    bool injected;
    const void *owner;  // the connection it came from; compared only
    uint64_t handle, context;
};

// The operation a callout pended; id 0: none.
struct wall_pend {
    uint64_t id;  // ask id of the classification that pended
    uint64_t filter_id;
    uint32_t callout_id;
    enum wall_pended kind;
    bool complete;  // completed while lower callouts are still being asked
    bool packet_follows, again;
    bool orphaned;  // its callout is gone: nobody will complete it
    FWPS_CLASSIFY_OUT0 out;
    struct wall_classification before;  // to go on from; shares the classification's policy
};

struct wall_hold {
    struct wall_flow flow;  // what it points to is owned by the hold
    struct wall_flow_values values;
    struct wall_classification classification;
    uint64_t ask_id;  // the question under way; 0: none
    bool notice;      // nothing is held: the layer only tells
    enum wall_hold_state state;
    struct wall_pend pend;
    uint64_t completing;  // the operation whose completion runs the classification; 0: none
    bool reauthorizing;
    struct wall_redirect redirect;
    bool unredirected;  // there was no place for what a callout changed
    bool changing;  // the callout whose answer is about to come has changed it
    struct wall_packet_mark packet;
    unsigned repends;
    uint64_t since_ms;  // in the state it waits in
    struct wall_hold *previous, *next;  // those that wait, in the order they began to
};

enum wall_asking {
    WALL_ASKED,             // the answer comes with wall_holds_answer()
    WALL_ASK_UNREGISTERED,  // the callout is not registered
    WALL_ASK_SKIPPED,       // it does not want to be asked about this flow
};

struct wall_holds_events {
    void *context;
    // Ask hold->classification.filter's callout.
    enum wall_asking (*ask)(void *context, const struct wall_hold *hold);
    // The question `ask_id` needs no answer any more (the flow is gone).
    void (*ask_cancelled)(void *context, uint64_t ask_id);
    // Decided: tell the datapath, the log, the net events. Called before the hold is freed.
    void (*decided)(void *context, const struct wall_hold *hold, enum wall_flow_decision decision);
    // The completion `id` has done what it had to: once for each wall_holds_complete() that returned 0.
    void (*completed)(void *context, uint64_t id);
    // The driver of a callout broke a rule of pending.
    void (*fault)(void *context, const struct wall_hold *hold, uint32_t callout_id, const char *text);
    // The policy of now, and a monotonic clock.
    struct wall_policy *(*policy)(void *context);
    uint64_t (*now_ms)(void *context);
    // A hold has begun to wait: wall_holds_expire() has to be called from time to time.
    void (*waits)(void *context);
};

struct wall_holds {
    struct wall_map by_flow;  // flow id → struct wall_hold
    struct wall_map by_ask;   // ask id → struct wall_hold
    struct wall_map by_pend;  // id of a pend → struct wall_hold
    struct wall_hold *oldest, *newest;
    uint64_t next_ask;
    uint64_t refused;  // flows blocked because memory or the limit did not allow to hold them
    uint64_t pend_age_ms;
    uint64_t adopt_until_ms;
    uint64_t overdue;  // pended operations that were never completed in time
    struct wall_holds_events events;
};

// No flow is held yet.
void wall_holds_init(struct wall_holds *holds, const struct wall_holds_events *events);
// Forgets every hold without a decision: the flows stay held in the kernel.
void wall_holds_done(struct wall_holds *holds);

// Starts the classification of a flow (borrowed). `notice`: the layer only tells (wall_datapath_events).
// Returns 0, or -ENOMEM / -ENOSPC / -ENOTSUP when the flow cannot be judged; the caller must block it then.
int wall_holds_add(struct wall_holds *holds, const struct wall_flow *flow, bool notice);
// The flow is gone by itself.
void wall_holds_remove(struct wall_holds *holds, uint64_t flow_id);

// How a callout changed where the connection goes; `id` is that of the open question, or of the pend. Its answer
// follows.
// Returns 0, -ENOENT (no such question), -EINVAL (not at this layer), -ENOMEM or -ENOSPC.
int wall_holds_redirect(struct wall_holds *holds, uint64_t id, const struct wall_redirect_version *version);
// A callout's answer. Returns -ENOENT for a question that is not open (answered twice, or cancelled).
int wall_holds_answer(struct wall_holds *holds, uint64_t ask_id, const FWPS_CLASSIFY_OUT0 *out,
                      enum wall_pended pended);
// The callout asked by `ask_id` is gone: the rule for unregistered callouts applies.
int wall_holds_unregistered(struct wall_holds *holds, uint64_t ask_id);

// FwpsCompleteOperation. Returns 0 (`completed` follows, maybe at once), -ENOENT when nothing is pended under this id
// (any more), -EINVAL when it was pended by the other function.
int wall_holds_complete(struct wall_holds *holds, uint64_t id, bool packet_follows);
// FwpsCompleteClassify. `out` NULL: classify again. Returns as wall_holds_complete(), without `completed`.
int wall_holds_complete_classify(struct wall_holds *holds, uint64_t id, const FWPS_CLASSIFY_OUT0 *out);
// A packet is injected into the receive path. Returns 0 when it belongs to a held flow, which is classified with it;
// -ENOENT when it is any other packet. `origin_id` may be 0: it is found by its bytes.
int wall_holds_inject(struct wall_holds *holds, uint64_t origin_id, const struct wall_packet_mark *mark,
                      const uint8_t *packet, size_t packet_bytes);
// The packet of a completed operation will not be injected.
void wall_holds_packet_dropped(struct wall_holds *holds, uint64_t origin_id);

// A callout has been registered, or is gone.
void wall_holds_callout_registered(struct wall_holds *holds);
void wall_holds_callout_gone(struct wall_holds *holds, uint32_t callout_id);

// Blocks what has waited too long. To be called now and then while anything waits.
void wall_holds_expire(struct wall_holds *holds);
bool wall_holds_waiting(const struct wall_holds *holds);
size_t wall_holds_count(const struct wall_holds *holds);
