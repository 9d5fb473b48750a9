// Net events: what was dropped and allowed lately (wfp-reference 1.9). A buffer that forgets the oldest.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpmtypes.h"

#include "engine/engine.h"

struct wall_net_events;

struct wall_net_event_counts {
    uint64_t added;
    uint64_t ignored;    // by the options: collection is off, or the keyword for this kind is not set
    uint64_t forgotten;  // to make room, or for want of memory
};

// An empty buffer, or NULL.
struct wall_net_events *wall_net_events_new(void);
void wall_net_events_free(struct wall_net_events *events);

// Whether an event that tells of permitted traffic would be kept: to make one for nothing costs more than to ask.
bool wall_net_event_wants_permits(const struct wall_engine *engine);
// Takes a copy of `event`, whose time stamp the caller has set, and tells the `net_event` hook. Nothing happens when
// the engine's options do not ask for such an event.
void wall_net_event_add(struct wall_engine *engine, const FWPM_NET_EVENT5 *event);
// How many events there were, and what became of them.
struct wall_net_event_counts wall_net_event_counts(const struct wall_engine *engine);

// Judges a template, of an enumeration or of a subscription: INVALID_INTERVAL, NULL_POINTER, DUPLICATE_CONDITION, or
// what wall_condition_check() says. NULL is a good template.
wall_status wall_net_event_template_check(const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_);
// Whether a judged template, or NULL, asks for this event.
bool wall_net_event_matches(const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_, const FWPM_NET_EVENT5 *event);

// A snapshot of the events in the buffer, oldest first, as FWPM_NET_EVENT5; for wall_enumeration_next() and _free().
// Not inside a transaction (TXN_IN_PROGRESS), and not while collection is off (NET_EVENTS_DISABLED).
wall_status wall_net_event_enumeration_new(struct wall_session *session,
                                           const FWPM_NET_EVENT_ENUM_TEMPLATE0 *template_,
                                           struct wall_enumeration **ret_enumeration);
