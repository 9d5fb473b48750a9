#include "callout.h"

#include <stdlib.h>

#include "base/guid.h"

// A driver registers a handful.
#define CALLOUTS_MAX 256

static struct callout {
    UINT32 id;  // 0: free
    UINT32 version;
    GUID key;
    UINT32 running;  // classifications and notifications in the driver's code
    FWPS_CALLOUT3 functions;
} callouts[CALLOUTS_MAX];

static struct bed_classification *under_way;
static UINT64 next_number;

void bed_classification_begin(struct bed_classification *classification)
{
    bed_lock();
    classification->number = next_number++;
    classification->next = under_way;
    under_way = classification;
    bed_unlock();
}

void bed_classification_end(struct bed_classification *classification)
{
    bed_lock();
    struct bed_classification **at = &under_way;
    while (*at != classification)
        at = &(*at)->next;
    *at = classification->next;
    bed_unlock();
}

static bool is_under_way_before(UINT64 number)
{
    for (const struct bed_classification *at = under_way; at; at = at->next)
        if (at->number < number)
            return true;
    return false;
}

// With the lock held, which is given away meanwhile.
static void pause(void)
{
    LARGE_INTEGER interval = { .QuadPart = -10000 };
    bed_unlock();
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
    bed_lock();
}

static struct callout *find(UINT32 id)
{
    for (ULONG i = 0; id != 0 && i < CALLOUTS_MAX; i++)
        if (callouts[i].id == id)
            return &callouts[i];
    return NULL;
}

UINT32 bed_callout_count(void)
{
    UINT32 count = 0;
    for (ULONG i = 0; i < CALLOUTS_MAX; i++)
        count += callouts[i].id != 0;
    return count;
}

// --- Registration ---

static NTSTATUS register_callout(UINT32 version, const FWPS_CALLOUT3 *functions, UINT32 *ret_id)
{
    bed_expect_irql("FwpsCalloutRegister", PASSIVE_LEVEL);
    if (!functions || !functions->classifyFn || !functions->notifyFn)
        return STATUS_INVALID_PARAMETER;
    if (bed_fault("FwpsCalloutRegister"))
        return STATUS_INSUFFICIENT_RESOURCES;
    bed_lock();
    struct callout *callout = callouts;
    while (callout < callouts + CALLOUTS_MAX && callout->id != 0)
        callout++;
    UINT32 id = 0;
    UINT32 status = callout < callouts + CALLOUTS_MAX
                        ? wall_callout_register(bed_engine(), &functions->calloutKey, functions->flags, &id)
                        : 1;
    if (status == 0) {
        *callout = (struct callout){ .id = id, .version = version, .key = functions->calloutKey };
        callout->functions = *functions;
    }
    bed_unlock();
    if (status != 0)
        return status == 1 ? STATUS_INSUFFICIENT_RESOURCES : STATUS_FWP_ALREADY_EXISTS;
    if (ret_id)
        *ret_id = id;
    return STATUS_SUCCESS;
}

// The versions differ only in what classifyFn and notifyFn point to.
NTSTATUS NTAPI FwpsCalloutRegister0(void *device, const FWPS_CALLOUT0 *callout, UINT32 *ret_id)
{
    return device ? register_callout(0, (const FWPS_CALLOUT3 *)(const void *)callout, ret_id)
                  : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI FwpsCalloutRegister1(void *device, const FWPS_CALLOUT1 *callout, UINT32 *ret_id)
{
    return device ? register_callout(1, (const FWPS_CALLOUT3 *)(const void *)callout, ret_id)
                  : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI FwpsCalloutRegister2(void *device, const FWPS_CALLOUT2 *callout, UINT32 *ret_id)
{
    return device ? register_callout(2, (const FWPS_CALLOUT3 *)(const void *)callout, ret_id)
                  : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI FwpsCalloutRegister3(void *device, const FWPS_CALLOUT3 *callout, UINT32 *ret_id)
{
    return device ? register_callout(3, callout, ret_id) : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI FwpsCalloutUnregisterById0(const UINT32 id)
{
    bed_expect_irql("FwpsCalloutUnregisterById0", PASSIVE_LEVEL);
    bed_lock();
    struct callout *callout = find(id);
    if (callout) {
        // Windows changes filters when no classification is under way: one that has seen the driver's filters before
        // the driver deleted them still finds the callout.
        UINT64 now = next_number;
        while (is_under_way_before(now))
            pause();
        (void)wall_callout_unregister(bed_engine(), id);
        while (callout->running > 0)
            pause();
        callout->id = 0;
    }
    bed_unlock();
    return callout ? STATUS_SUCCESS : STATUS_FWP_CALLOUT_NOT_FOUND;
}

NTSTATUS NTAPI FwpsCalloutUnregisterByKey0(const GUID *key)
{
    UINT32 id = 0;
    bed_lock();
    for (ULONG i = 0; i < CALLOUTS_MAX; i++)
        if (callouts[i].id != 0 && wall_guid_equal(&callouts[i].key, key))
            id = callouts[i].id;
    bed_unlock();
    return FwpsCalloutUnregisterById0(id);
}

// --- Calling ---

static struct callout *enter(UINT32 id)
{
    bed_lock();
    struct callout *callout = wall_callout_registered(bed_engine(), id) ? find(id) : NULL;
    if (callout)
        callout->running++;
    bed_unlock();
    return callout;
}

static void leave(struct callout *callout)
{
    bed_lock();
    callout->running--;
    bed_unlock();
}

static UINT16 run_time_flags(UINT32 flags)
{
    UINT16 result = 0;
    if (flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT)
        result |= FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    if (flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED)
        result |= FWPS_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    return result;
}

static FWPS_FILTER_CONDITION0 *copy_conditions(const struct wall_filter *filter)
{
    FWPS_FILTER_CONDITION0 *conditions = calloc(filter->condition_count + 1, sizeof(*conditions));
    for (UINT32 i = 0; conditions && i < filter->condition_count; i++) {
        conditions[i].fieldId = filter->conditions[i].field_id;
        conditions[i].matchType = filter->conditions[i].match_type;
        conditions[i].conditionValue = filter->conditions[i].value;
    }
    return conditions;
}

bool bed_callout_ask(struct bed_classification *classification, const struct wall_filter *filter,
                     FWPS_CLASSIFY_OUT0 *out)
{
    struct callout *callout = enter(filter->callout_id);
    FWPS_FILTER_CONDITION0 *conditions = callout ? copy_conditions(filter) : NULL;
    if (conditions) {
        FWPS_FILTER3 given = {
            .filterId = filter->id,
            .weight = { .type = FWP_UINT64, .uint64 = (UINT64 *)(ULONG_PTR)&filter->weight },
            .subLayerWeight = filter->sublayer_weight,
            .flags = run_time_flags(filter->flags),
            .numFilterConditions = filter->condition_count,
            .filterCondition = conditions,
            .action = { .type = filter->action, .calloutId = filter->callout_id },
            .context = filter->context,
        };
        UINT8 irql = bed_irql();
        classification->asked++;
        if (callout->version == 0)
            ((FWPS_CALLOUT_CLASSIFY_FN0)(void *)callout->functions.classifyFn)(
                classification->values, classification->metadata, classification->packet,
                (FWPS_FILTER0 *)(void *)&given, 0, out);
        else
            callout->functions.classifyFn(classification->values, classification->metadata,
                                          classification->packet, NULL, &given, 0, out);
        if (bed_irql() != irql)
            bed_violation("classifyFn was called at IRQL %u and returned at %u", irql, bed_irql());
    }
    free(conditions);
    if (callout)
        leave(callout);
    return conditions != NULL;
}

static NTSTATUS notify(struct callout *callout, FWPS_CALLOUT_NOTIFY_TYPE type, const GUID *key, FWPS_FILTER3 *filter)
{
    bed_unlock();  // notifyFn may call the engine
    NTSTATUS status = callout->functions.notifyFn(type, key, filter);
    bed_lock();
    return status;
}

INT32 bed_notify_added(const FWPM_FILTER0 *filter, UINT64 id)
{
    UINT32 callout_id = wall_callout_id(bed_engine(), &filter->action.calloutKey);
    struct callout *callout = enter(callout_id);
    if (!callout)
        return STATUS_SUCCESS;
    FWPS_FILTER3 given = {
        .filterId = id,
        .flags = run_time_flags(filter->flags),
        .action = { .type = filter->action.type, .calloutId = callout_id },
        .context = filter->rawContext,
    };
    NTSTATUS status = notify(callout, FWPS_CALLOUT_NOTIFY_ADD_FILTER, &filter->filterKey, &given);
    leave(callout);
    return status;
}

void bed_notify_deleted(UINT32 callout_id, UINT64 id)
{
    struct callout *callout = enter(callout_id);
    if (!callout)
        return;
    FWPS_FILTER3 given = { .filterId = id, .action = { .calloutId = callout_id } };
    (void)notify(callout, FWPS_CALLOUT_NOTIFY_DELETE_FILTER, NULL, &given);
    leave(callout);
}
