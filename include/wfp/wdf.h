// The kernel-mode driver framework, as far as callout drivers use it: driver and control device, queues and requests,
// registry parameters, locks, timers, work items. One part of it to a header below wdf/. On Windows, the WDK's own.
#pragma once

#ifdef _WIN32
#if __has_include_next(<wdf.h>)
#include_next <wdf.h>
#endif
#else

#include "wdf/device.h"
#include "wdf/driver.h"
#include "wdf/io.h"
#include "wdf/object.h"
#include "wdf/sync.h"

#endif
