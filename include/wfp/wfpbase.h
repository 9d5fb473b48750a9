// What every Fwp header stands on: base types, GUIDs, annotations, version numbers.
//
// On Windows (mingw-w64) these come from the compiler's own headers: in a driver, which has included ntddk.h, ntifs.h
// or wdm.h before, only what those lack; elsewhere windows.h.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#if !defined(_NTDDK_) && !defined(_NTIFS_) && !defined(_WDMDDK_) && !defined(_WDM_INCLUDED_)
#include <windows.h>
#endif
#else
#include "windef.h"
#endif

#include "guiddef.h"
#include "sal.h"
#include "wfpversion.h"

// Anonymous members are part of C11, and of C++ only as an extension that the compilers must not complain about.
#ifdef __GNUC__
#define WFP_ANONYMOUS __extension__
#else
#define WFP_ANONYMOUS
#endif
