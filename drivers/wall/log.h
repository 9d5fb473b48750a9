// The driver's lines: to the debugger, and to programs that read the driver's device (control.h).
#pragma once

#include <ntddk.h>

#include "control.h"

// Before the device is made. Sets the driver's dispatch routines.
NTSTATUS wall_log_start(DRIVER_OBJECT *driver);
// Completes what still waits for lines.
void wall_log_stop(void);

// Writes one line, its newline given. Any IRQL up to DISPATCH_LEVEL; wide conversions at PASSIVE_LEVEL only.
void wall_log_print(const CHAR *format, ...);
