// Network interfaces: what programs that use the filter engine need of it.
#pragma once

#ifdef _WIN32
#include_next <iphlpapi.h>
#else

#include "ipifcons.h"
#include "netioapi.h"

#endif
