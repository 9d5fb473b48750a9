// Makes random policies and flows, and asks the reference classifier about them: for the tests of the compiled tables
// in user space and in the kernel, and for the bench.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpstypes.h"

#include "base/arena.h"
#include "base/sid.h"
#include "compile/compile.h"
#include "engine/policy.h"
#include "wire/question.bpf.h"

// How values are chosen: few different ones, so that filters and flows meet often, or as in real rule sets.
enum maker_style {
    MAKER_SMALL_WORLD,
    MAKER_REALISTIC,
};

struct maker {
    uint64_t seed;
    enum maker_style style;
    uint16_t layer_id;
    uint32_t app_count;         // programs in the world
    uint32_t callouts_percent;  // of filters
    uint32_t strange_percent;   // of filters have conditions that only user space can evaluate
    struct wall_arena arena;    // of the layer
    struct wall_policy_layer *layer;
    const struct wall_filter *const *filters;  // all of the layer
    uint32_t filter_count;
};

// A flow, all of whose facts are known to whoever made it.
struct maker_facts {
    uint32_t app, user, group;  // app: index of the program
    uint32_t remote_address[4], local_address[4];
    uint32_t flags, interface_index;
    uint16_t remote_port, local_port;
    uint8_t protocol, local_address_type, destination_address_type;
    uint32_t other;   // what all fields are made of that the kernel does not know
    uint64_t absent;  // bit per field: FWP_EMPTY
};

// The same flow for both sides. The question may be made to know less.
struct maker_flow {
    struct maker_facts facts;
    struct wall_question question;
    FWPS_INCOMING_VALUES0 incoming;
    FWPS_INCOMING_VALUE0 values[64];
    // What the values point to:
    FWP_BYTE_BLOB app_id, token, other_blob;
    FWP_BYTE_ARRAY16 local_address, remote_address, other_bytes;
    UINT64 other_number;
    union wall_sid other_sid;
    uint16_t app_text[40];
    uint8_t token_bytes[64];
};

// What the reference says of a flow.
struct maker_answer {
    bool asks_callout;   // a registered callout must be asked
    uint32_t verdict;    // else WALL_VERDICT_PERMIT or _BLOCK …
    uint64_t filter_id;  // … and by which filter; 0: none
};

// A random number below `limit`.
uint32_t maker_below(struct maker *maker, uint32_t limit);

// Starts a world; free with maker_done().
void maker_init(struct maker *maker, uint64_t seed, uint16_t layer_id, enum maker_style style);
void maker_done(struct maker *maker);

// Replaces the layer by a random one.
void maker_layer(struct maker *maker, uint32_t filter_count, uint32_t sublayer_count);
// Replaces it by these filters, which are borrowed, in arbitration order: filters of one sublayer have the same
// sublayer_weight.
void maker_layer_of(struct maker *maker, const struct wall_filter *const *filters, uint32_t count);
// A condition that field `field_id` equals a number (app: index of the program), at most `last` if that is greater.
struct wall_condition maker_condition(struct maker *maker, uint16_t field_id, uint32_t first, uint32_t last);

// Compiles the layer; `easy_bytes` as in the options.
struct wall_compiled *maker_compile(struct maker *maker, struct wall_apps *apps, uint64_t easy_bytes);
// Odd callouts are registered.
bool maker_is_registered(void *context, uint32_t callout_id);

// A random flow. The pointers in it stay valid until it is made anew or moved.
void maker_flow(struct maker *maker, struct wall_apps *apps, struct maker_flow *flow);
// Makes some facts missing, at random.
void maker_forget(struct maker *maker, struct maker_flow *flow);
// Gives the facts that the question does not know other values; the question stays as it is.
void maker_change_unknown(struct maker *maker, struct wall_apps *apps, struct maker_flow *flow);

// Classifies with engine/classify.h.
struct maker_answer maker_reference(const struct maker *maker, const struct maker_flow *flow);
