// The kernel API of Windows drivers, as far as callout drivers use it; implemented by libntos (see src/ntos).
//
// One part of it to a header below ntos/. On Windows this is the WDK's own header.
#pragma once

#ifdef _WIN32
#include_next <wdm.h>
#else

#define _WDMDDK_  // the name by which programs ask for this header

#include "minwindef.h"
#include "ntdef.h"
#include "ntos/status.h"

#include "ntos/compiler.h"
#include "ntos/crt.h"
#include "ntos/debug.h"
#include "ntos/file.h"
#include "ntos/interlocked.h"
#include "ntos/io.h"
#include "ntos/irql.h"
#include "ntos/list.h"
#include "ntos/mdl.h"
#include "ntos/pool.h"
#include "ntos/process.h"
#include "ntos/rtl.h"
#include "ntos/spinlock.h"
#include "ntos/sync.h"
#include "ntos/timer.h"

#endif
