// Devices of the driver in this process, opened by programs through the service. Needs libntos.
#pragma once

#include <stdint.h>

#include "wire/messages.h"

// Files open at once.
#define WALL_DEVICE_FILES_MAX 1024u

// Runs DEVICE_OPEN or DEVICE_CONTROL and answers it, the latter when the driver has completed the request.
void wall_device_run(uint64_t generation, enum wall_message_type type, uint32_t serial, void *object);
// DEVICE_CLOSE: cancels what is pending on the file.
void wall_device_close(uint64_t file_id);
// The service is gone, and with it whoever had files open.
void wall_devices_disconnected(void);
