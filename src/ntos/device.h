// Devices, their names, and the driver object they belong to.
#pragma once

#include <stdbool.h>

#include <wdm.h>

// Names of devices and symbolic links at once. A driver has two or three.
#define NTOS_NAMES_MAX 256

// The device that a name leads to ("\??\Name", "\Device\Name", or below one of them), with a reference, or NULL.
// `ret_rest` is what follows the device's own name, in a buffer of the caller.
PDEVICE_OBJECT ntos_device_find(PCUNICODE_STRING name, PUNICODE_STRING ret_rest);
// Counts an open file; false: the device is exclusive and open, is being made, or deleted.
bool ntos_device_open(PDEVICE_OBJECT device);
void ntos_device_close(PDEVICE_OBJECT device);
// Open files on the driver's devices.
unsigned ntos_devices_open(PDRIVER_OBJECT driver);
// What the I/O manager does after DriverEntry: the devices made there may be opened.
void ntos_devices_ready(PDRIVER_OBJECT driver);
// Reports and removes the devices and symbolic links a driver left. Returns their number.
unsigned ntos_devices_sweep(PDRIVER_OBJECT driver, const void *start, const void *end);

void ntos_device_timer_free(PDEVICE_OBJECT device);

// The default for every major function.
NTSTATUS ntos_invalid_request(PDEVICE_OBJECT device, PIRP irp);
