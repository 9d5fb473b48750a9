// What administrators find in the Application event log: messages.mc has the texts.
#pragma once

#include <winsock2.h>
#include <windows.h>

#include "messages.h"

// Tells Windows where the texts are. Silent when it cannot: events are then shown without their text.
void wall_event_register(void);
// Writes an event about a driver. A log that cannot be written is no reason to fail.
void wall_event_report(DWORD event, const WCHAR *driver);
