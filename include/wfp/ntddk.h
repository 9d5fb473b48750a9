// ntddk.h of the WDK: here all of it is in wdm.h.
#pragma once

#ifdef _WIN32
#include_next <ntddk.h>
#else

#define _NTDDK_  // the name by which programs ask for this header

#include "wdm.h"
#endif
