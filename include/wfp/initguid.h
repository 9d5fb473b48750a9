// Include before a header that lists GUIDs: this file then defines them instead of declaring them.

#ifdef _WIN32
#include_next <initguid.h>
#else

#ifndef INITGUID
#define INITGUID
#endif
#include "guiddef.h"

#endif
