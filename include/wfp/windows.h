// What programs of the filter engine need of windows.h: types, errors, SIDs, memory, atomics, time, wide strings.
//
// Like the original it brings rpc.h. It defines min() and max() for C, unless NOMINMAX is defined.
#pragma once

#ifdef _WIN32
#include_next <windows.h>
#else

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "windef.h"

#include "rpc.h"
#include "wfpwide.h"
#include "winbase.h"
#include "winerror.h"

#if !defined(NOMINMAX) && !defined(__cplusplus)
#ifndef max
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#ifndef min
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif

#endif
