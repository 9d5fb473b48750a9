// Source annotations of Windows headers, all empty here: both dialects (_In_ and __in), code-analysis and lock
// annotations. Nothing else belongs in this file, so that any header may include it.
#pragma once

#ifdef _WIN32
#include_next <sal.h>
#endif

#include "wfpannotations.h"
