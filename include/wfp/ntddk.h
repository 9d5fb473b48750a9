// ntddk.h of the WDK: here all of it is in wdm.h.
#pragma once

#ifdef _WIN32
#include_next <ntddk.h>
#else
#include "wdm.h"
#endif
