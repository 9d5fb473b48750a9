// From a filter of the run-time policy to what a callout is shown: FWPS_FILTER3.
#pragma once

#include "fwpstypes.h"

#include "engine/policy.h"

// Fills `ret_filter`; its conditions point to an array from malloc() that the caller frees
// (ret_filter->filterCondition), their values to the policy. Returns 0 or -ENOMEM.
int wall_runtime_filter_init(const struct wall_filter *filter, FWPS_FILTER3 *ret_filter);
