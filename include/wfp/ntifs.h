// ntifs.h of the WDK: here all of it is in wdm.h.
#pragma once

#ifdef _WIN32
#include_next <ntifs.h>
#else
#include "ntddk.h"
#endif
