// Annotations, under the name the older dialect lives in.
#pragma once

#ifdef _WIN32
#include_next <specstrings.h>
#endif

#include "wfpannotations.h"
