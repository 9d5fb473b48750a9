// ntifs.h of the WDK: here all of it is in wdm.h.
#pragma once

#ifdef _WIN32
#include_next <ntifs.h>
#else

#define _NTIFS_  // the name by which programs ask for this header

#include "ntddk.h"
#endif
