#include "service/runtime_filter.h"

#include <errno.h>
#include <stdlib.h>

static UINT16 run_time_flags(const struct wall_filter *filter)
{
    UINT16 flags = 0;
    if (filter->flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT)
        flags |= FWPS_FILTER_FLAG_CLEAR_ACTION_RIGHT;
    if (filter->flags & FWPM_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED)
        flags |= FWPS_FILTER_FLAG_PERMIT_IF_CALLOUT_UNREGISTERED;
    return flags;
}

int wall_runtime_filter_init(const struct wall_filter *filter, FWPS_FILTER3 *ret_filter)
{
    FWPS_FILTER_CONDITION0 *conditions = NULL;
    if (filter->condition_count) {
        conditions = calloc(filter->condition_count, sizeof(*conditions));
        if (!conditions)
            return -ENOMEM;
    }
    for (uint32_t i = 0; i < filter->condition_count; i++) {
        conditions[i].fieldId = filter->conditions[i].field_id;
        conditions[i].matchType = filter->conditions[i].match_type;
        conditions[i].conditionValue = filter->conditions[i].value;
    }
    *ret_filter = (FWPS_FILTER3){
        .filterId = filter->id,
        .weight = {.type = FWP_UINT64, .uint64 = (UINT64 *)(uintptr_t)&filter->weight},
        .subLayerWeight = filter->sublayer_weight,
        .flags = run_time_flags(filter),
        .numFilterConditions = filter->condition_count,
        .filterCondition = conditions,
        .action = {.type = filter->action, .calloutId = filter->callout_id},
        .context = filter->context,
    };
    return 0;
}
