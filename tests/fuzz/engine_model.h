// A model of the engine for its fuzz harness: the same rules, written a second time in the most naive way.
//
// A state is a plain structure with all sublayers and filters; a transaction works on a copy, a reader keeps one.
// Fields, values and weights are few, so that things collide.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fwpmu.h"

#include "engine/catalog.h"
#include "engine/engine.h"

#define SESSION_MAX 4
#define MODEL_SUBLAYER_MAX 16
#define MODEL_FILTER_MAX 64
#define MODEL_CONDITION_MAX 4

enum model_field { MODEL_PROTOCOL, MODEL_REMOTE_PORT, MODEL_REMOTE_ADDRESS, MODEL_FLAGS, MODEL_FIELD_COUNT };

// What a filter does, and what its callout answers.
enum model_kind {
    MODEL_PERMIT,
    MODEL_PERMIT_HARD,
    MODEL_BLOCK,
    MODEL_CALLOUT_TERMINATING,
    MODEL_CALLOUT_TERMINATING_OPEN,  // permit when the callout is not registered
    MODEL_CALLOUT_UNKNOWN,
    MODEL_CALLOUT_INSPECTION,
    MODEL_KIND_COUNT
};

enum model_answer {
    MODEL_SAYS_PERMIT,
    MODEL_SAYS_PERMIT_CLEAR,
    MODEL_SAYS_BLOCK,
    MODEL_SAYS_BLOCK_CLEAR,
    MODEL_SAYS_CONTINUE,
    MODEL_ANSWER_COUNT
};

struct model_condition {
    enum model_field field;
    FWP_MATCH_TYPE match;
    uint32_t value, high;  // `high`: end of a range
    uint32_t bits;         // of an address mask; 0: not a mask
};

// Who has an object, when it is not a dynamic session's slot.
#define MODEL_STATIC (-1)
#define MODEL_PERSISTENT (-2)

struct model_sublayer {
    GUID key;
    uint16_t weight;
    uint64_t serial;  // tells objects apart that had the same key one after the other
    int owner;
};

struct model_filter {
    uint64_t id, weight;
    GUID sublayer_key;
    enum model_kind kind;
    enum model_answer answer;
    uint32_t condition_count;
    struct model_condition conditions[MODEL_CONDITION_MAX];
    int owner;
};

struct model_state {
    uint32_t sublayer_count, filter_count;
    struct model_sublayer sublayers[MODEL_SUBLAYER_MAX];
    struct model_filter filters[MODEL_FILTER_MAX];
};

enum model_transaction { MODEL_NO_TRANSACTION, MODEL_READING, MODEL_WRITING, MODEL_ABORTED };

struct model {
    struct model_state committed;
    struct model_state *working;  // of the writer; NULL: nobody writes
    struct {
        bool open, dynamic;
        enum model_transaction transaction;
        struct model_state *snapshot;
    } sessions[SESSION_MAX];
    bool callout_registered;
    bool store_fails;
    uint64_t last_serial;
};

// Values of the four fields; a bit of `absent` says that one is empty.
struct model_traffic {
    uint32_t numbers[MODEL_FIELD_COUNT];
    uint8_t absent;
};

struct model_verdict {
    uint32_t action;
    uint64_t filter_id;
    bool soft, veto;
};

// A filter as the engine takes it, with what it points to.
struct model_filter_object {
    FWPM_FILTER0 filter;
    FWPM_FILTER_CONDITION0 conditions[MODEL_CONDITION_MAX];
    FWP_RANGE0 ranges[MODEL_CONDITION_MAX];
    FWP_V4_ADDR_AND_MASK masks[MODEL_CONDITION_MAX];
    uint64_t weight;
};

void model_init(struct model *model);  // empty
void model_done(struct model *model);  // all sessions must be closed

// Each follows one call of the engine and returns what that must have returned.
void model_open(struct model *model, int slot, bool dynamic);
void model_close(struct model *model, int slot);
wall_status model_begin(struct model *model, int slot, bool read_only);
wall_status model_end(struct model *model, int slot, bool commit);
void model_expire(struct model *model);
wall_status model_add_sublayer(struct model *model, int slot, uint16_t wanted, bool persistent, const GUID *key);
wall_status model_delete_sublayer(struct model *model, int slot, const GUID *key);
// `owner` of the filter: MODEL_PERSISTENT, or anything else.
wall_status model_add_filter(struct model *model, int slot, const struct model_filter *filter);
wall_status model_delete_filter(struct model *model, int slot, uint64_t id);

// What a session sees; NULL after a forced abort.
const struct model_state *model_view(const struct model *model, int slot);
// True while neither the committed state nor the writer's is nearly full.
bool model_has_room(const struct model *model);
// Some object that the session sees, chosen by `number`; NULL when it sees none.
const struct model_sublayer *model_pick_sublayer(const struct model *model, int slot, uint8_t number);
const struct model_filter *model_pick_filter(const struct model *model, int slot, uint8_t number);
const struct model_filter *model_find_filter(const struct model_state *state, uint64_t id);  // or NULL
const struct model_sublayer *model_find_sublayer(const struct model_state *state, const GUID *key);  // or NULL

// The same things in the engine's terms.
void model_make_filter(const struct model_filter *filter, const GUID *callout, struct model_filter_object *ret_object);
void model_make_values(const struct model_traffic *traffic, FWPS_INCOMING_VALUE0 *values);
void model_answer(enum model_answer answer, FWPS_CLASSIFY_OUT0 *out);  // what the callout does to `out`

// Classifies against the committed state.
struct model_verdict model_classify(const struct model *model, const struct model_traffic *traffic);
