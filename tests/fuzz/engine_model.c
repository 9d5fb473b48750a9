#include "fuzz/engine_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/status.h"

void model_init(struct model *model)
{
    memset(model, 0, sizeof(*model));
}

void model_done(struct model *model)
{
    assert(!model->working);
}

static struct model_state *copy_state(const struct model_state *state)
{
    struct model_state *copy = malloc(sizeof(*copy));
    assert(copy);
    *copy = *state;
    return copy;
}

static int writer_of(const struct model *model)
{
    for (int slot = 0; slot < SESSION_MAX; slot++) {
        if (model->sessions[slot].open && model->sessions[slot].transaction == MODEL_WRITING)
            return slot;
    }
    return -1;
}

const struct model_state *model_view(const struct model *model, int slot)
{
    switch (model->sessions[slot].transaction) {
    case MODEL_READING:
        return model->sessions[slot].snapshot;
    case MODEL_WRITING:
        return model->working;
    case MODEL_ABORTED:
        return NULL;
    default:
        return &model->committed;
    }
}

// --- Sessions and transactions ---

void model_open(struct model *model, int slot, bool dynamic)
{
    memset(&model->sessions[slot], 0, sizeof(model->sessions[slot]));
    model->sessions[slot].open = true;
    model->sessions[slot].dynamic = dynamic;
}

static void forget_owned(struct model_state *state, int owner)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < state->filter_count; i++) {
        if (state->filters[i].owner != owner)
            state->filters[kept++] = state->filters[i];
    }
    state->filter_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < state->sublayer_count; i++) {
        if (state->sublayers[i].owner != owner)
            state->sublayers[kept++] = state->sublayers[i];
    }
    state->sublayer_count = kept;
}

// Ends the transaction, without committing it.
static void drop(struct model *model, int slot)
{
    if (model->sessions[slot].transaction == MODEL_WRITING) {
        free(model->working);
        model->working = NULL;
    }
    free(model->sessions[slot].snapshot);
    model->sessions[slot].snapshot = NULL;
    model->sessions[slot].transaction = MODEL_NO_TRANSACTION;
}

void model_close(struct model *model, int slot)
{
    drop(model, slot);
    if (model->sessions[slot].dynamic) {
        forget_owned(&model->committed, slot);
        if (model->working)
            forget_owned(model->working, slot);
        // A reader goes on seeing them, but they are nobody's any more; the slot may be used again.
        for (int other = 0; other < SESSION_MAX; other++) {
            struct model_state *snapshot = model->sessions[other].snapshot;
            for (uint32_t i = 0; snapshot && i < snapshot->filter_count; i++) {
                if (snapshot->filters[i].owner == slot)
                    snapshot->filters[i].owner = SESSION_MAX;
            }
        }
    }
    model->sessions[slot].open = false;
}

wall_status model_begin(struct model *model, int slot, bool read_only)
{
    switch (model->sessions[slot].transaction) {
    case MODEL_ABORTED:
        model->sessions[slot].transaction = MODEL_NO_TRANSACTION;
        return FWP_E_TXN_ABORTED;
    case MODEL_NO_TRANSACTION:
        break;
    default:
        return FWP_E_TXN_IN_PROGRESS;
    }
    if (read_only) {
        model->sessions[slot].snapshot = copy_state(&model->committed);
        model->sessions[slot].transaction = MODEL_READING;
        return 0;
    }
    if (model->working)
        return WALL_STATUS_WAIT;
    model->working = copy_state(&model->committed);
    model->sessions[slot].transaction = MODEL_WRITING;
    return 0;
}

// Whether the two states differ in what the store keeps.
static bool store_is_needed(const struct model_state *a, const struct model_state *b)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < a->filter_count; i++) {
            if (a->filters[i].owner == MODEL_PERSISTENT && !model_find_filter(b, a->filters[i].id))
                return true;
        }
        for (uint32_t i = 0; i < a->sublayer_count; i++) {
            const struct model_sublayer *other = model_find_sublayer(b, &a->sublayers[i].key);
            if (a->sublayers[i].owner == MODEL_PERSISTENT && (!other || other->serial != a->sublayers[i].serial))
                return true;
        }
        const struct model_state *swapped = a;
        a = b;
        b = swapped;
    }
    return false;
}

// The state after an implicit or explicit transaction becomes the committed one, if the store takes it.
static wall_status commit_state(struct model *model, const struct model_state *state)
{
    if (model->store_fails && store_is_needed(&model->committed, state))
        return ERROR_ACCESS_DENIED;
    model->committed = *state;
    return 0;
}

wall_status model_end(struct model *model, int slot, bool commit)
{
    wall_status status = 0;
    enum model_transaction transaction = model->sessions[slot].transaction;
    if (transaction == MODEL_NO_TRANSACTION)
        return FWP_E_NO_TXN_IN_PROGRESS;
    if (transaction == MODEL_WRITING && commit)
        status = commit_state(model, model->working);
    drop(model, slot);
    return transaction == MODEL_ABORTED && commit ? FWP_E_TXN_ABORTED : status;
}

void model_expire(struct model *model)
{
    for (int slot = 0; slot < SESSION_MAX; slot++) {
        if (model->sessions[slot].transaction == MODEL_READING || model->sessions[slot].transaction == MODEL_WRITING) {
            drop(model, slot);
            model->sessions[slot].transaction = MODEL_ABORTED;
        }
    }
}

// --- Changes ---

// The state that a change of this session works on: the writer's, or `scratch`, a copy of the committed one.
static wall_status writable(struct model *model, int slot, struct model_state *scratch, struct model_state **ret_state)
{
    switch (model->sessions[slot].transaction) {
    case MODEL_ABORTED:
        return FWP_E_TXN_ABORTED;
    case MODEL_READING:
        return FWP_E_INCOMPATIBLE_TXN;
    case MODEL_WRITING:
        *ret_state = model->working;
        return 0;
    default:
        if (writer_of(model) >= 0)
            return WALL_STATUS_WAIT;
        *scratch = model->committed;
        *ret_state = scratch;
        return 0;
    }
}

// Ends a change: an implicit transaction is committed.
static wall_status finish(struct model *model, const struct model_state *scratch, const struct model_state *state,
                          wall_status status)
{
    return status == 0 && state == scratch ? commit_state(model, scratch) : status;
}

const struct model_sublayer *model_find_sublayer(const struct model_state *state, const GUID *key)
{
    for (uint32_t i = 0; i < state->sublayer_count; i++) {
        if (memcmp(&state->sublayers[i].key, key, sizeof(*key)) == 0)
            return &state->sublayers[i];
    }
    return NULL;
}

const struct model_filter *model_find_filter(const struct model_state *state, uint64_t id)
{
    for (uint32_t i = 0; i < state->filter_count; i++) {
        if (state->filters[i].id == id)
            return &state->filters[i];
    }
    return NULL;
}

bool model_has_room(const struct model *model)
{
    const struct model_state *states[] = { &model->committed, model->working };
    for (int i = 0; i < 2; i++) {
        if (!states[i])
            continue;
        if (states[i]->filter_count >= MODEL_FILTER_MAX || states[i]->sublayer_count >= MODEL_SUBLAYER_MAX)
            return false;
    }
    return true;
}

static bool weight_is_taken(const struct model_state *state, uint16_t weight)
{
    for (uint32_t i = 0; i < state->sublayer_count; i++) {
        if (state->sublayers[i].weight == weight)
            return true;
    }
    return false;
}

// Who gets what `slot` adds. False: a dynamic session cannot add what lives longer.
static bool owner_of(const struct model *model, int slot, bool persistent, int *ret_owner)
{
    bool dynamic = model->sessions[slot].dynamic;
    *ret_owner = persistent ? MODEL_PERSISTENT : dynamic ? slot : MODEL_STATIC;
    return !persistent || !dynamic;
}

static wall_status add_sublayer(struct model *model, struct model_state *state, int slot, bool persistent,
                                struct model_sublayer sublayer)
{
    if (!owner_of(model, slot, persistent, &sublayer.owner))
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    if (model_find_sublayer(state, &sublayer.key))
        return FWP_E_ALREADY_EXISTS;
    // No built-in sublayer is near these weights.
    uint16_t wanted = sublayer.weight;
    for (uint16_t distance = 0; weight_is_taken(state, sublayer.weight); distance++)
        sublayer.weight = !weight_is_taken(state, wanted - distance) ? wanted - distance : wanted + distance;
    sublayer.serial = ++model->last_serial;
    state->sublayers[state->sublayer_count++] = sublayer;
    return 0;
}

wall_status model_add_sublayer(struct model *model, int slot, uint16_t wanted, bool persistent, const GUID *key)
{
    struct model_state scratch, *state;
    wall_status status = writable(model, slot, &scratch, &state);
    if (status != 0)
        return status;
    const struct model_sublayer sublayer = { .key = *key, .weight = wanted };
    return finish(model, &scratch, state, add_sublayer(model, state, slot, persistent, sublayer));
}

// Whether `slot` may delete what `owner` has.
static wall_status may_delete(const struct model *model, int slot, int owner)
{
    if (!model->sessions[slot].dynamic)
        return 0;
    if (owner < 0)
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    return owner == slot ? 0 : FWP_E_WRONG_SESSION;
}

wall_status model_delete_sublayer(struct model *model, int slot, const GUID *key)
{
    struct model_state scratch, *state;
    wall_status status = writable(model, slot, &scratch, &state);
    if (status != 0)
        return status;
    struct model_sublayer *sublayer = (struct model_sublayer *)model_find_sublayer(state, key);
    if (!sublayer)
        return FWP_E_SUBLAYER_NOT_FOUND;
    status = may_delete(model, slot, sublayer->owner);
    for (uint32_t i = 0; status == 0 && i < state->filter_count; i++) {
        if (memcmp(&state->filters[i].sublayer_key, key, sizeof(*key)) == 0)
            status = FWP_E_IN_USE;
    }
    if (status == 0)
        *sublayer = state->sublayers[--state->sublayer_count];
    return finish(model, &scratch, state, status);
}

static wall_status add_filter(const struct model *model, struct model_state *state, int slot,
                              struct model_filter filter)
{
    const struct model_sublayer *sublayer = model_find_sublayer(state, &filter.sublayer_key);
    if (!sublayer)
        return FWP_E_SUBLAYER_NOT_FOUND;
    // The callout is a static object.
    bool persistent = filter.owner == MODEL_PERSISTENT, uses_callout = filter.kind >= MODEL_CALLOUT_TERMINATING;
    for (uint32_t i = 0; i < filter.condition_count; i++) {
        const struct model_condition *condition = &filter.conditions[i];
        if (condition->bits > 0 && condition->match != FWP_MATCH_EQUAL && condition->match != FWP_MATCH_NOT_EQUAL)
            return FWP_E_MATCH_TYPE_MISMATCH;
    }
    if (!owner_of(model, slot, persistent, &filter.owner))
        return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    if (persistent ? sublayer->owner != MODEL_PERSISTENT || uses_callout
                   : sublayer->owner >= 0 && sublayer->owner != filter.owner)
        return FWP_E_LIFETIME_MISMATCH;
    state->filters[state->filter_count++] = filter;
    return 0;
}

wall_status model_add_filter(struct model *model, int slot, const struct model_filter *filter)
{
    struct model_state scratch, *state;
    wall_status status = writable(model, slot, &scratch, &state);
    if (status != 0)
        return status;
    return finish(model, &scratch, state, add_filter(model, state, slot, *filter));
}

wall_status model_delete_filter(struct model *model, int slot, uint64_t id)
{
    struct model_state scratch, *state;
    wall_status status = writable(model, slot, &scratch, &state);
    if (status != 0)
        return status;
    struct model_filter *filter = (struct model_filter *)model_find_filter(state, id);
    if (!filter)
        return FWP_E_FILTER_NOT_FOUND;
    status = may_delete(model, slot, filter->owner);
    if (status == 0)
        *filter = state->filters[--state->filter_count];
    return finish(model, &scratch, state, status);
}

const struct model_sublayer *model_pick_sublayer(const struct model *model, int slot, uint8_t number)
{
    const struct model_state *view = model_view(model, slot);
    return view && view->sublayer_count > 0 ? &view->sublayers[number % view->sublayer_count] : NULL;
}

const struct model_filter *model_pick_filter(const struct model *model, int slot, uint8_t number)
{
    const struct model_state *view = model_view(model, slot);
    return view && view->filter_count > 0 ? &view->filters[number % view->filter_count] : NULL;
}

// --- The engine's terms ---

static FWP_VALUE0 make_value(enum model_field field, uint32_t number)
{
    switch (field) {
    case MODEL_PROTOCOL:
        return (FWP_VALUE0){ .type = FWP_UINT8, .uint8 = (UINT8)number };
    case MODEL_REMOTE_PORT:
        return (FWP_VALUE0){ .type = FWP_UINT16, .uint16 = (UINT16)number };
    default:
        return (FWP_VALUE0){ .type = FWP_UINT32, .uint32 = number };
    }
}

static void make_condition(const struct model_condition *condition, int i, struct model_filter_object *object)
{
    static const GUID *const keys[] = { &FWPM_CONDITION_IP_PROTOCOL, &FWPM_CONDITION_IP_REMOTE_PORT,
                                        &FWPM_CONDITION_IP_REMOTE_ADDRESS, &FWPM_CONDITION_FLAGS };
    FWPM_FILTER_CONDITION0 *made = &object->conditions[i];
    made->fieldKey = *keys[condition->field];
    made->matchType = condition->match;
    if (condition->bits > 0) {
        object->masks[i] = (FWP_V4_ADDR_AND_MASK){ condition->value, UINT32_MAX << (32 - condition->bits) };
        made->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_V4_ADDR_MASK, .v4AddrMask = &object->masks[i] };
    } else if (condition->match == FWP_MATCH_RANGE) {
        object->ranges[i] = (FWP_RANGE0){ make_value(condition->field, condition->value),
                                          make_value(condition->field, condition->high) };
        made->conditionValue = (FWP_CONDITION_VALUE0){ .type = FWP_RANGE_TYPE, .rangeValue = &object->ranges[i] };
    } else {
        FWP_VALUE0 value = make_value(condition->field, condition->value);
        memcpy(&made->conditionValue, &value, sizeof(value));
    }
}

void model_make_filter(const struct model_filter *filter, const GUID *callout, struct model_filter_object *ret_object)
{
    static const FWP_ACTION_TYPE actions[] = { FWP_ACTION_PERMIT,
                                               FWP_ACTION_PERMIT,
                                               FWP_ACTION_BLOCK,
                                               FWP_ACTION_CALLOUT_TERMINATING,
                                               FWP_ACTION_CALLOUT_TERMINATING,
                                               FWP_ACTION_CALLOUT_UNKNOWN,
                                               FWP_ACTION_CALLOUT_INSPECTION };
    memset(ret_object, 0, sizeof(*ret_object));
    FWPM_FILTER0 *made = &ret_object->filter;
    made->displayData.name = (WCHAR *)L"f";
    made->layerKey = FWPM_LAYER_ALE_AUTH_CONNECT_V4;
    made->subLayerKey = filter->sublayer_key;
    ret_object->weight = filter->weight;
    made->weight = (FWP_VALUE0){ .type = FWP_UINT64, .uint64 = &ret_object->weight };
    made->action.type = actions[filter->kind];
    if (filter->kind == MODEL_PERMIT_HARD)
        made->flags = FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    if (filter->kind == MODEL_CALLOUT_TERMINATING_OPEN)
        made->flags = FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    if (filter->owner == MODEL_PERSISTENT)
        made->flags |= FWPM_FILTER_FLAG_PERSISTENT;
    if (filter->kind >= MODEL_CALLOUT_TERMINATING)
        made->action.calloutKey = *callout;
    made->rawContext = filter->answer;
    made->numFilterConditions = filter->condition_count;
    made->filterCondition = filter->condition_count > 0 ? ret_object->conditions : NULL;
    for (uint32_t i = 0; i < filter->condition_count; i++)
        make_condition(&filter->conditions[i], (int)i, ret_object);
}

void model_make_values(const struct model_traffic *traffic, FWPS_INCOMING_VALUE0 *values)
{
    static const uint16_t ids[] = {
        FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_PROTOCOL,
        FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_PORT,
        FWPS_FIELD_ALE_AUTH_CONNECT_V4_IP_REMOTE_ADDRESS,
        FWPS_FIELD_ALE_AUTH_CONNECT_V4_FLAGS,
    };
    memset(values, 0, FWPS_FIELD_ALE_AUTH_CONNECT_V4_MAX * sizeof(*values));
    for (int field = 0; field < MODEL_FIELD_COUNT; field++) {
        if (!(traffic->absent >> field & 1))
            values[ids[field]].value = make_value((enum model_field)field, traffic->numbers[field]);
    }
}

void model_answer(enum model_answer answer, FWPS_CLASSIFY_OUT0 *out)
{
    static const uint32_t actions[] = { FWP_ACTION_PERMIT, FWP_ACTION_PERMIT, FWP_ACTION_BLOCK, FWP_ACTION_BLOCK,
                                        FWP_ACTION_CONTINUE };
    out->actionType = actions[answer];
    if (answer == MODEL_SAYS_PERMIT_CLEAR || answer == MODEL_SAYS_BLOCK_CLEAR)
        out->rights &= ~(UINT32)FWPS_RIGHT_ACTION_WRITE;
}
