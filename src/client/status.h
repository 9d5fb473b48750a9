// Status codes: what the user-mode API returns, and its kernel-mode twin.
#pragma once

#include <stdint.h>

#include "ntdef.h"

// The Win32 code for a negative errno of this library; 0 for 0.
uint32_t wall_status_from_errno(int error);
// FWP_E_* to STATUS_FWP_*, Win32 and RPC codes to the NTSTATUS that means the same; STATUS_UNSUCCESSFUL for the rest.
NTSTATUS wall_status_to_kernel(uint32_t status);
// The status of a reply on the callout channel: an NTSTATUS, unless the service refused the message as such.
NTSTATUS wall_status_of_reply(uint32_t status);
