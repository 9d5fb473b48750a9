// Include before a header that lists GUIDs: this file then defines them instead of declaring them.

#ifdef _WIN32
#include_next <initguid.h>
#else

#ifndef WFP_INITGUID_H
#define WFP_INITGUID_H
#ifndef INITGUID
#define INITGUID
#endif
#endif
#include "guiddef.h"

#endif
