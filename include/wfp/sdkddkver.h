// Windows version numbers. They choose what the unversioned names (FwpmFilterAdd, FWPS_CALLOUT …) stand for;
// without a choice of the program they stand for the newest version.
#pragma once

#ifdef _WIN32
#include_next <sdkddkver.h>
#endif

#include "wfpversion.h"
