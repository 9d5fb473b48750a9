// The driver's device: questions are listed, waited for and answered by requests of any number of programs.
#pragma once

#include <ntddk.h>

// Makes the device. `engine`: where remembered answers become filters. PASSIVE_LEVEL.
NTSTATUS ask_device_start(DRIVER_OBJECT *driver, HANDLE engine, DEVICE_OBJECT **ret_device);
// Something has changed: completes the requests that wait for it when it is after what they know.
void ask_device_changed(void);
// Ends the requests that wait and takes the device back. PASSIVE_LEVEL.
void ask_device_stop(void);
