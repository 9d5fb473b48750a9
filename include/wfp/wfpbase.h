// What every Fwp header stands on: base types, GUIDs, annotations, version numbers.
//
// On Windows (mingw-w64) these come from the compiler's own headers. In a driver, which has included ntddk.h, ntifs.h
// or wdm.h before, WFP_WINDOWS_DRIVER is defined and wfpdriver.h adds what the compiler's kernel headers lack.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wfptarget.h"

#ifdef _WIN32
#ifdef WFP_WINDOWS_DRIVER
#include "wfpdriver.h"
#else
#ifndef _INC_WINDOWS
#include <winsock2.h>
#endif
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
